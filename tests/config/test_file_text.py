"""A configuration that is hostile, huge or no file: one mistake, and nothing waits."""

from __future__ import annotations

import os
from decimal import Decimal
from pathlib import Path

import pytest

from tuppence.config import Watched, load
from tuppence.config.edit_budget import write
from tuppence.config.file_text import LARGEST
from tuppence.config.toml_locations import MOST
from tuppence.errors import ConfigError, TuppenceError

GOOD = 'premium = "never"\n'


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "config.toml"


def put(path: Path, kind: str) -> str:
    """Put something in the file's place; return what has to be said of it."""
    path.unlink(missing_ok=True)
    match kind:
        case "pipe":
            os.mkfifo(path)
        case "folder":
            path.mkdir()
        case "device":
            path.symlink_to("/dev/zero")
        case "terminal":
            path.symlink_to("/dev/ptmx")
        case "itself":
            path.symlink_to(path)
            return "cannot be read"
        case "a gigabyte":
            with path.open("wb") as file:
                file.truncate(1 << 30)
            return "larger than a megabyte"
        case "just too large":
            path.write_bytes(b"#" * (LARGEST + 1))
            return "larger than a megabyte"
        case "no text":
            path.write_bytes(b"a = 1\n\xff\xfe")
            return "not UTF-8"
        case _:
            path.write_text(kind, encoding="utf-8")
            return ""
    return "not a file"


ODD = ("pipe", "folder", "device", "terminal", "itself", "a gigabyte", "just too large", "no text")


@pytest.mark.attack("local surfaces", "a configuration that is no file")
@pytest.mark.parametrize("kind", ODD)
def test_a_server_that_starts_on_it_says_one_mistake(path: Path, kind: str) -> None:
    expected = put(path, kind)
    if kind == "itself":
        return
    found = load(path)
    [mistake] = found.mistakes
    assert expected in mistake.what
    assert found.is_unread


@pytest.mark.attack("local surfaces", "a configuration that is no file")
@pytest.mark.parametrize("kind", [each for each in ODD if each != "itself"])
def test_what_was_in_force_stays(path: Path, kind: str) -> None:
    path.write_text(GOOD)
    watched = Watched(path)
    expected = put(path, kind)
    problem = watched.refresh()
    assert isinstance(problem, ConfigError)
    assert expected in str(problem)
    assert watched.current.premium == "never"
    assert watched.refresh() is None, "it is said once"


@pytest.mark.attack("local surfaces", "a configuration that is no file")
@pytest.mark.parametrize("kind", [each for each in ODD if each != "itself"])
def test_a_budget_is_not_written_into_it(path: Path, kind: str) -> None:
    put(path, kind)
    with pytest.raises(TuppenceError):
        write(path, "day", Decimal(1))


@pytest.mark.attack("hostile sizes", "a configuration that takes long to read")
@pytest.mark.parametrize(
    "text",
    [
        "a" + ".a" * 400_000 + " = 1",
        "[a" + ".a" * 400_000 + "]",
        "x = { a" + ".a" * 400_000 + " = 1 }",
        'x = { "' + '"."'.join(["a"] * 100_000) + '" = 1 }',
        "\n".join(f"[{'.'.join(['a'] * 150)}.b{number}]" for number in range(3000)),
        "x = " + "[" * 400_000,
        "x = " + "{a=" * 300_000,
        "[" * 900_000,
        "x = " + "9" * 900_000,
        "x = 0x" + "f" * 900_000,
        "context = 1e999999999",
        "ask_above = 1e1000000000000",
        "ask_above = 0x" + "f" * 5000,
        '"' + '"."'.join(["!"] * 200_000) + '" = 1',
        "\n".join('"' + '"."'.join(["!"] * 900) + f'".a{number} = 1' for number in range(200)),
        "a " * 400_000,
        '"' * 900_000,
        "keep_alive = nan",
        '"' + "k" * 900_000 + '" = 1',
        "\n".join(f"k{number} = 1" for number in range(10_000)),
        "[providers]\n" + "\n".join(f"p{number} = 1" for number in range(10_000)),
        "[[models]]\n" * 10_000,
        "exclude = [" + "'x'," * 20_000 + "]",
        "trusted = [" + "1," * 20_000 + "]",
        'x = """' + "\\\n" * 100_000 + '"""',
        '"\\u0000" = 1',
        "\\" * 900_000,
        "#" * 900_000,
    ],
    ids=lambda text: text[:24].encode("unicode_escape").decode(),
)
def test_a_text_that_is_hard_to_read_is_mistakes_and_not_more_than_anybody_reads(path: Path, text: str) -> None:
    path.write_text(GOOD)
    watched = Watched(path)
    path.write_text(text)
    problem = watched.refresh()
    if not text.startswith("#"):
        assert isinstance(problem, ConfigError)
        assert len(problem.mistakes) <= MOST + 1


@pytest.mark.attack("hostile sizes", "a configuration that takes long to read")
def test_a_server_that_starts_on_more_mistakes_than_anybody_reads_asks_nobody(path: Path) -> None:
    path.write_text("\n".join(f"k{number} = 1" for number in range(MOST + 1)) + "\n[budget]\nday = 1\n")
    found = load(path)
    assert found.is_unread
    assert len(found.mistakes) == MOST + 1
    path.write_text("\n".join(f"k{number} = 1" for number in range(MOST)) + "\n[budget]\nday = 1\n")
    found = load(path)
    assert (found.is_unread, len(found.mistakes), found.budget.day) == (False, MOST, Decimal(1))


@pytest.mark.attack("hostile sizes", "a configuration that takes long to read")
@pytest.mark.parametrize(
    "line",
    [
        "context = 0xffffffffffffffffffffffff",
        "max_output = 1000000000000000000000000",
        "price = { input = 1e999999999, output = 1 }",
        "quirks = { temperature = 1e400 }",
        "quirks = { thinking_off = { a = 0x" + "f" * 5000 + " } }",
        "quirks = { thinking_off = { a = inf } }",
    ],
)  # fmt: skip
def test_a_figure_without_sense_is_a_mistake_with_its_line(path: Path, line: str) -> None:
    row = (
        '[providers.mine]\nwire = "openai"\nbase_url = "http://127.0.0.1/v1"\n[[models]]\nid = "m"\nprovider = "mine"\n'
    )
    path.write_text(row + 'tier = "local"\n' + line + "\n")
    assert [each.line for each in load(path).mistakes] == [8]


@pytest.mark.attack("keys", "a host that is none")
@pytest.mark.parametrize(
    "host",
    [
        "a..b",
        "a" * 64 + ".com",
        "xn--a.com",
        "😀.com",
        "ⓛocalhost",
        "a%20b",
        "a.\u3002b",
        "x" * 300,
        "a\\u0000b",
        "a\\u007fb",
    ],
)
def test_a_host_that_is_none_is_a_mistake_with_its_line(path: Path, host: str) -> None:
    path.write_text(f'[providers.mine]\nwire = "openai"\nbase_url = "https://{host}/v1"\n', encoding="utf-8")
    [mistake] = load(path).mistakes
    assert mistake.line == 3


@pytest.mark.attack("local surfaces", "a folder that is no path")
@pytest.mark.parametrize("key", ["trusted", "public"])
def test_a_folder_that_no_path_can_name_is_a_mistake(path: Path, key: str) -> None:
    path.write_text(f'{key} = ["/a\\u0000b"]\n')
    [mistake] = load(path).mistakes
    assert mistake.line == 1
    assert getattr(load(path), key) == ()


def test_an_ordinary_file_may_be_a_link_and_hold_remarks_of_dots(path: Path, tmp_path: Path) -> None:
    (tmp_path / "dotfiles.toml").write_text("\ufeff# " + "." * 500 + "\n" + GOOD, encoding="utf-8")
    path.symlink_to(tmp_path / "dotfiles.toml")
    found = load(path)
    assert (found.mistakes, found.premium) == ((), "never")
    assert load(Path("/dev/null")).mistakes == ()
