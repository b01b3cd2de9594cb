"""Keys in use are found in every disguise, replaced by a mark, and what is no key stays as it is."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from typing import Any

import planted_keys
import pytest
from hypothesis import given
from hypothesis import strategies as st
from planted_keys import KEYS, disguises, in_text

from tuppence.core.text.key_scan import KeyScan, StreamedScan, environment_scan

SCAN = KeyScan(KEYS.items())
CASES = [(name, how, text) for name, key in KEYS.items() for how, text in disguises(key).items()]
ORDINARY = [
    "Incorrect API key provided: sk-proj-********mVi0. You can find your key at https://platform.openai.com.",
    "sk-ant-a...XlAA is not valid",
    "a key begins with sk-ant-api03- or sk-proj- or sk-or-v1-",
    "MINE_API_KEY is not set.",
    "def mean(xs):\n    return sum(xs) / len(xs)  # %41 \\u0041 &#65;",
    "0123456789abcdef" * 8,
    "سلام 日本語 👩‍👩‍👧 %E2%80%8B",
]


@pytest.mark.attack("keys", "a key in disguise")
def test_each_key_is_hidden_in_each_disguise(record_property: Any) -> None:
    record_property("cases", len(CASES))
    assert len(CASES) > 150
    for name, how, text in CASES:
        hidden = SCAN.hide(f"<< {text} >>")
        assert SCAN.holds(text) == name, (name, how)
        assert in_text(hidden) == [], (name, how, hidden)
        assert f"[key of {name}]" in hidden, (name, how)
        assert hidden.startswith("<< ") or how.startswith("base64 of"), (name, how, hidden)
        assert hidden.endswith(" >>"), (name, how, hidden)


@pytest.mark.attack("keys", "a key in rarer escapes")
@pytest.mark.parametrize(
    "write",
    [
        lambda key: "".join(f"\\{ord(each):03o}" for each in key),
        lambda key: "".join(f"\\U{ord(each):08x}" for each in key),
        lambda key: "".join(f"\\u{{{ord(each):x}}}" for each in key),
        "\u0301".join,
        lambda key: unicodedata.normalize("NFC", "\u0302".join(key)),
    ],
    ids=["octal", "long", "braces", "accents", "accented letters"],
)
def test_each_key_is_hidden_in_rarer_escapes(write: Callable[[str], str], record_property: Any) -> None:
    record_property("cases", len(KEYS))
    for name, key in KEYS.items():
        text = write(key)
        assert SCAN.holds(text) == name
        assert SCAN.hide(f"<< {text} >>").startswith(f"<< [key of {name}]")
        stream = StreamedScan(SCAN)
        assert name in [stream.feed(each) for each in text]


@pytest.mark.attack("keys", "a key cut in pieces")
@pytest.mark.parametrize("size", [1, 2, 3, 7, 64])
def test_a_key_that_comes_in_pieces_is_found_before_it_is_complete(size: int, record_property: Any) -> None:
    cases = [(name, how, text) for name, how, text in CASES if how != "twenty spaces"]
    record_property("cases", len(cases))
    for name, how, text in cases:
        stream, whole = StreamedScan(SCAN), f"Here it is: {text}. That was it, and more comes."
        passed = ""
        for at in range(0, len(whole), size):
            if found := stream.feed(whole[at : at + size]):
                break
            passed += whole[at : at + size]
        assert found == name, (name, how)
        assert in_text(passed) == [], (name, how)


def test_what_a_stream_remembers_is_bounded() -> None:
    stream = StreamedScan(SCAN)
    for _ in range(1000):
        assert stream.feed("lorem ipsum dolor sit amet %20 ") == ""
    assert len(stream._tail) + len(stream._bare) < 1000


@pytest.mark.parametrize("text", ORDINARY)
def test_what_holds_no_key_stays(text: str) -> None:
    assert SCAN.hide(text) == text
    assert not SCAN.holds(text)


@given(st.text(max_size=200), st.sampled_from(CASES), st.text(max_size=200))
def test_no_surroundings_save_a_key(before: str, case: tuple[str, str, str], after: str) -> None:
    hidden = SCAN.hide(before + case[2] + after)
    assert not SCAN.holds(hidden)
    assert SCAN.hide(hidden) == hidden


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=300))
def test_any_text_without_a_key_stays(text: str) -> None:
    if not in_text(text):
        assert SCAN.hide(text) == text


@pytest.mark.attack("keys", "a mark that becomes a link")
@pytest.mark.parametrize("after", ["(command:x)", "[a]", ": https://evil.example", "(https://evil.example 'a')"])
def test_a_mark_is_no_label(after: str) -> None:
    hidden = SCAN.hide(f"{KEYS['MINE_API_KEY']}{after}")
    assert hidden == f"[key of MINE_API_KEY] {after}"
    assert KeyScan([("P", "s3cr-et!pw")]).hide(f"s3cr-et!pw{after}") == f"[key of P] {after}"


def test_several_keys_in_one_text() -> None:
    hidden = SCAN.hide(", ".join(KEYS.values()))
    assert hidden == ", ".join(f"[key of {name}]" for name in KEYS)


@pytest.mark.parametrize("key", ["", "k", "none", "ollama", "not-needed", "lm-studio", "postgres"])
def test_a_word_is_no_secret(key: str) -> None:
    scan = KeyScan([("MINE_API_KEY", key)])
    assert not scan
    assert scan.hide(f"the word {key} stays") == f"the word {key} stays"


def test_a_short_password_is_found_as_it_is() -> None:
    scan = KeyScan([("PGPASSWORD", "s3cr-et!pw")])
    assert scan.hide("password s3cr-et!pw failed") == "password [key of PGPASSWORD] failed"


def test_of_several_short_passwords_each_is_found_in_its_disguise() -> None:
    scan = KeyScan([("A", "abc-123-x9"), ("B", "def-456-y8")])
    assert [scan.holds(each) for each in ("x def-456-y8", "a b c 1 2 3 X 9", "abc-123", "def-456-y7")] == [
        "B",
        "A",
        "",
        "",
    ]
    assert scan.hide("see d e f 4 5 6 y 8, or abc-123-x9.") == "see [key of B], or [key of A]."


def test_keys_that_overlap_are_one_mark() -> None:
    key = "Abcdefgh12345678ijkl"
    scan = KeyScan([("A", key), ("B", f"{key[5:]}ZZZZ99999999")])
    assert scan.hide(f"<{key}ZZZZ99999999>") == "<[key of A]>"


def test_an_escape_of_no_character_hides_no_key_behind_it() -> None:
    key = "Abcdefgh12345678ijkl"
    escaped = "".join(f"\\u{ord(each):04x}" for each in key)
    assert KeyScan([("A", key)]).hide(rf"\U00ffffff {escaped} end") == r"\U00ffffff [key of A] end"


def test_no_keys_are_nothing_to_find() -> None:
    assert StreamedScan(KeyScan()).feed("Abcdefgh12345678ijkl") == ""
    assert not KeyScan()
    assert KeyScan().hide(KEYS["MINE_API_KEY"]) == KEYS["MINE_API_KEY"]


def test_the_keys_of_an_environment() -> None:
    scan = environment_scan(planted_keys.environment() | {"HOME": "/home/somebody-with-a-long-name-1"})
    assert scan.holds(KEYS["OPENAI_API_KEY"]) == "OPENAI_API_KEY"
    assert not scan.holds("/home/somebody-with-a-long-name-1")


@pytest.mark.attack("hostile sizes", "a text that is scanned for keys")
def test_the_work_grows_as_the_text_does(record_property: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Count what is looked at: a text of nothing but beginnings of keys, at 8 to 64 KB."""
    hostile = ["%", "%25", "\\u00", "&#", KEYS["MINE_API_KEY"][:9], "s k - a n t - ", KEYS["MINE_API_KEY"] + " "]
    record_property("cases", len(hostile))
    for unit in hostile:
        steps: list[int] = []
        for size in (8, 16, 32, 64):
            looked = _count(unit * (size * 1024 // len(unit)), monkeypatch)
            steps.append(looked)
        assert steps[3] <= 9 * steps[0] + 1000, (unit, steps)


def _count(text: str, monkeypatch: pytest.MonkeyPatch) -> int:
    """Return how many characters were made bare while a text was cleaned."""
    from tuppence.core.text import key_scan

    looked = 0
    bare = key_scan._bare

    def counted(text: str) -> str:
        nonlocal looked
        looked += len(text)
        return bare(text)

    with monkeypatch.context() as patch:
        patch.setattr(key_scan, "_bare", counted)
        SCAN.hide(text)
    return looked
