"""Changes of the configuration file while the server runs: an invalid one is reported once, and the old one stays."""

from __future__ import annotations

import os
from pathlib import Path

from lsprotocol import types
from scenario import messages
from scripted_provider import answer
from server import Stage, pick, stage

SRC = "def mean{0}(xs):\n    return sum(xs) / len(xs)\n"


def rewrite(s: Stage, text: str) -> None:
    """Write the file anew, as an editor does: whole, and never at the same nanosecond."""
    new = s.config.with_suffix(".new")
    new.write_text(text, encoding="utf-8")
    os.replace(new, s.config)  # noqa: PTH105 - the name says it better


async def asked(s: Stage, number: int) -> str:
    """Explain something that nobody has asked about; return which model was asked, empty for none."""
    buffer = s.editor.open(s.write(f"a{number}.py", SRC.format(number)), "python")
    before = len(s.upstream.requests)
    s.upstream.always(answer(f"`mean{number}` averages."))
    await s.editor.run(pick(await s.editor.menu(buffer, 4), "Explain"))
    return str(s.upstream.requests[-1].body["model"]) if len(s.upstream.requests) > before else ""


async def test_the_file_is_followed_and_a_bad_one_is_told_of_once(tmp_path: Path) -> None:
    async with stage(tmp_path) as s:
        good = s.config.read_text(encoding="utf-8")
        assert await asked(s, 1) == "small"
        rewrite(s, 'exclude = ["mine/small"]\n' + good)
        assert await asked(s, 2) == "big"
        assert [each.type for each in s.editor.seen.messages if "config" in each.message] == []

        # No TOML: what was excluded stays excluded, and it is said once, with the line.
        rewrite(s, 'exclude = ["mine/small"\n' + good)
        assert await asked(s, 3) == "big"
        assert await asked(s, 4) == "big"
        told = [each for each in s.editor.seen.messages if str(s.config) in each.message]
        assert len(told) == 1
        assert told[0].type == types.MessageType.Error
        assert told[0].message.startswith(f"{s.config}:3: This is not TOML")

        # A mistake in one place leaves the rest in force; all of them are told, each with its line.
        rewrite(s, 'exclude = ["mine/big"]\npresett = "best"\nedits = "maybe"\n' + good)
        assert await asked(s, 5) == "small"
        lines = next(each for each in messages(s) if f"{s.config}:2: " in each and "presett" in each).splitlines()
        assert [line.removeprefix(str(s.config))[:3] for line in lines] == [":2:", ":3:"]

        # Gone, it stays in force too, until it is back.
        s.config.unlink()
        assert await asked(s, 6) == "small"
        assert any("The file is gone." in each for each in messages(s))
        rewrite(s, 'exclude = ["mine/small"]\n' + good)
        assert await asked(s, 7) == "big"
        assert len([each for each in messages(s) if str(s.config) in each]) == 3


async def test_a_server_that_starts_on_a_file_it_cannot_read_asks_nobody_until_it_can(tmp_path: Path) -> None:
    # What it excludes and which budget it holds is not known.
    async with stage(tmp_path, extra="broken =\n") as s:
        assert await asked(s, 1) == ""
        [refused] = [each for each in messages(s) if "No model is asked" in each]
        assert f"the configuration cannot be read. {s.config}:" in refused
        assert "This is not TOML" in refused
        rewrite(s, s.config.read_text(encoding="utf-8").replace("broken =\n", ""))
        assert await asked(s, 2) == "small"


async def test_what_the_new_file_warns_of_is_logged(tmp_path: Path) -> None:
    async with stage(tmp_path) as s:
        good = s.config.read_text(encoding="utf-8")
        unpriced = '[[models]]\nid = "free"\nprovider = "mine"\ntier = "budget"\ncontext = 8000\nmax_output = 1000\n'
        rewrite(s, good + unpriced)
        assert await asked(s, 1) == "small"
        assert "The price of mine/free is unknown" in "".join(s.editor.seen.logs)
