"""No planted secret is in anything that a provider gets, whatever is asked for, on whichever way; and the answer works.

The provider of these tests answers as a model would: from the text that it was sent.
"""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from planted import Planter
from scripted_provider import Reply, ScriptedUpstream, Seen, WireName, answer, error
from server import CONFIG
from tests.engine.test_run import lodging, steps

from tuppence.core.actions import EXPLAIN, FIX, REVIEW, TESTS, Action
from tuppence.core.answer.earlier import without
from tuppence.core.events import EditsDrafted, ModelChosen, RunFinished, StatusLine
from tuppence.core.syntax.languages import language
from tuppence.core.syntax.parser import parse
from tuppence.core.syntax.target import find_target
from tuppence.core.text.diagnostic import Diagnostic
from tuppence.core.text.document import Document, Span, apply
from tuppence.credentials import Keys
from tuppence.engine import hover
from tuppence.engine.disclosure.disclosure import Disclosures
from tuppence.engine.keep_alive import KeepAlive
from tuppence.engine.request import Request
from tuppence.engine.session import Session
from tuppence.workspace import Workspace

PLANTER = Planter(4)
TOKENS = tuple(each.secrets[0] for each in PLANTER._tokens())
PEM = PLANTER.pem()
LINES = tuple(PEM[1:-1])
PASSWORD, OTHER, RULES, TESTED = (PLANTER.chars("abcdefghkmnpq23456789", 16) for _ in range(4))
KEY = "mine-" + PLANTER.chars("abcdefgh2345678", 40)
BODY = "".join(f'    use("{token}")\n' for token in TOKENS)
SRC = (
    "from helper import Box\n\n"
    f'PASSWORD = "{PASSWORD}"\nKEY = """\n' + "\n".join(PEM) + '\n"""\n\n\n'
    f'def mean(xs):\n    """Return it with {TOKENS[0]}."""\n{BODY}    Box().get()\n    return sum(xs) / len(x)\n\n\n'
    f'def other():\n    return "{PASSWORD}"\n'
)
SECRETS = (*TOKENS, *LINES, PASSWORD, OTHER, RULES, TESTED, KEY)
FIXED = SRC.replace("len(x)", "len(xs)")
PAIR = '[providers.mine]\nwire = "{wire}"\nbase_url = "{base}"\n' + "".join(
    f'[[models]]\nid = "{name}"\nprovider = "mine"\ntier = "workhorse"\ncontext = 128000\nmax_output = 16000\n'
    f"price = {{{{ input = {cost[0]}, output = {cost[1]} }}}}\nability = {{{{ fix = {fix} }}}}\n"
    for name, cost, fix in (("weak", (0.1, 0.5), 0.4), ("middle", (3, 50), 0.61), ("strong", (1, 100), 0.9))
)
BLOCKS = CONFIG.replace('tier = "budget"', 'tier = "budget"\nedit = "blocks"\nedit_adherence = 0.999')
BRIEF = CONFIG.replace('tier = "budget"', 'tier = "budget"\nquirks = {{ brief = true }}')
RENEWED = CONFIG.replace("cache_write = 0.19 }}", "cache_write = 0.1875 }}").replace(
    "context = 128000\n",
    'context = 128000\ncache = {{ mode = "explicit", minimum = 10, ttl = ["5m"], renew = true }}\n',
)


@dataclass(frozen=True)
class Scene:
    session: Session
    upstream: ScriptedUpstream
    root: Path

    def request(self, action: Action, **how: Any) -> Request:
        """Ask about ``mean``."""
        text = how.pop("text", SRC)
        path = self.root / "app.py"
        path.write_text(text, encoding="utf-8")
        document = Document(path.as_uri(), "python", 1, text)
        tree = parse(text, language("python"))
        start = text.index("def mean")
        target = find_target(document, tree, Span(start, start))
        assert target is not None
        at = text.index("len(x)")
        said = (
            Diagnostic(
                span=Span(at, at + 6),
                severity="error",
                message=f'"{TOKENS[5]}" and "{LINES[2][:50]}..." do not fit "{PASSWORD}"',
                source="checker",
            ),
        )
        ask = Request(run="r", action=action, document=document, tree=tree, target=target, path=path, diagnostics=said)
        return replace(ask, **how)


@asynccontextmanager
async def scene(tmp_path: Path, config: str = CONFIG, wire: WireName = "openai") -> AsyncIterator[Scene]:
    root = tmp_path / "project"
    (root / "tests").mkdir(parents=True)
    (root / "pyproject.toml").write_text("[project]\nname = 'x'\n")
    (root / "helper.py").write_text(
        f'TOKEN = "{OTHER}"\n\n\nclass Box:\n    """A box for password = "{OTHER}"."""\n\n'
        "    def get(self):\n        return 1\n"
    )
    (root / "AGENTS.md").write_text(f"Use the password: {RULES}\n")
    (root / "tests" / "test_app.py").write_text(f'import app\n\n\ndef test_other():\n    password = "{TESTED}"\n')
    named = config.replace('wire = "{wire}"', 'wire = "{wire}"\nkey_env = "MINE_API_KEY"', 1)
    async with lodging(tmp_path, named, wire) as (session, upstream):
        folder = tmp_path / "data"
        yield Scene(
            replace(
                session,
                workspace=Workspace([root]),
                keys=Keys({"MINE_API_KEY": KEY}, {}),
                disclosures=Disclosures(lambda: folder),
            ),
            upstream,
            root,
        )


def texts(seen: Seen) -> str:
    """Return what a request says, as one text."""
    found: list[str] = []
    for holder in (seen.body.get("system", []), *(message["content"] for message in seen.body["messages"])):
        found += [holder] if isinstance(holder, str) else [part["text"] for part in holder]
    return "".join(found)


def target(seen: Seen) -> str:
    """Return the function as the model was shown it."""
    found = re.search(r"^def mean\(xs\):\n(?:    .*\n)+", texts(seen), re.MULTILINE)
    assert found is not None
    return found[0]


def whole(seen: Seen) -> Reply:
    return answer(f"Here it is:\n\n```python\n{target(seen).replace('len(x)', 'len(xs)')}```\n")


def file(seen: Seen) -> Reply:
    """Answer with all of the file."""
    shown = re.search(r"^from helper(?:.|\n)+?\n    return \"[^\n]*\n", texts(seen), re.MULTILINE)
    assert shown is not None
    return answer(f"```python\n{shown[0].replace('len(x)', 'len(xs)')}```\n")


def blocks(seen: Seen) -> Reply:
    last = target(seen).splitlines()[-3:]
    old = "\n".join(last)
    return answer(f"```\n<<<<<<< SEARCH\n{old}\n=======\n{old.replace('len(x)', 'len(xs)')}\n>>>>>>> REPLACE\n```\n")


def unified(seen: Seen) -> Reply:
    lines = target(seen).splitlines()
    before, old = lines[-4:-1], lines[-1]
    kept = "\n".join(f" {line}" for line in before)
    return answer(f"```diff\n@@ -1,4 +1,4 @@\n{kept}\n-{old}\n+{old.replace('len(x)', 'len(xs)')}\n```\n")


def indented(seen: Seen) -> Reply:
    """Answer in a list, three spaces in."""
    code = target(seen).replace("len(x)", "len(xs)")
    shown = "".join(f"   {line}\n" for line in f"```python\n{code}```".splitlines())
    return answer(f"1. So:\n\n{shown}")


def leaked(upstream: ScriptedUpstream) -> list[str]:
    """Return the planted secrets that arrived, in a body; each key is in its header only."""
    assert upstream.requests
    bodies = "\n".join(json.dumps(each.body, ensure_ascii=False) for each in upstream.requests)
    return [secret for secret in SECRETS if secret in bodies or json.dumps(secret)[1:-1] in bodies]


def edited(made: list[Any], text: str = SRC) -> str:
    """Return the text after the answer."""
    done = made[-1]
    assert isinstance(done, RunFinished)
    assert done.answer is not None, done.why
    return apply(text, done.answer.edits)


@pytest.mark.attack("what leaves", "every action on both wires")
@pytest.mark.parametrize("wire", ["openai", "anthropic"])
@pytest.mark.parametrize("action", [FIX, EXPLAIN, TESTS, REVIEW], ids=lambda each: each.id)
async def test_every_action(tmp_path: Path, action: Action, wire: WireName, record_property: Any) -> None:
    async with scene(tmp_path, wire=wire) as s:
        s.upstream.always(answer("nothing that helps"))
        await steps(s.request(action), s.session)
        record_property("cases", len(SECRETS) * len(s.upstream.requests))
        assert leaked(s.upstream) == []
        sent = texts(s.upstream.requests[0])
        assert "def mean(xs):" in sent
        assert "class Box" in sent
        assert "Use the password: " in sent


@pytest.mark.attack("what leaves", "ways to a second request")
@pytest.mark.parametrize(
    ("way", "wire"),
    [
        *product(("climb", "fallback", "pair", "blocks", "brief", "again", "hover"), ("openai", "anthropic")),
        ("warm", "anthropic"),
    ],
)
async def test_every_way(tmp_path: Path, way: str, wire: WireName, record_property: Any) -> None:
    config = {"pair": PAIR, "blocks": BLOCKS, "brief": BRIEF, "warm": RENEWED}.get(way, CONFIG)
    config = ("pair_above = 0\nask_above = 9\n" if way == "pair" else "hover_cap = 9\n") + config
    async with scene(tmp_path, config, wire) as s:
        await WAYS[way](s)
        record_property("cases", len(SECRETS) * len(s.upstream.requests))
        assert leaked(s.upstream) == []


async def _climb(s: Scene) -> None:
    s.upstream.script(lambda seen: answer(f"```python\n{target(seen)[:-3]}\n```"), whole)
    assert edited(await steps(s.request(FIX), s.session)) == FIXED
    assert [each.body["model"] for each in s.upstream.requests] == ["small", "big"]


async def _fallback(s: Scene) -> None:
    s.upstream.script(error(429, retry_after="60"), whole)
    s.upstream.always(whole)
    made = await steps(s.request(FIX), s.session)
    assert len(s.upstream.requests) >= 1
    assert isinstance(made[-1], RunFinished)


async def _pair(s: Scene) -> None:
    s.upstream.script(lambda seen: answer(f"Look at {_shown(seen)} and divide by the number of xs."), whole)
    assert edited(await steps(s.request(FIX), s.session)) == FIXED
    assert [each.body["model"] for each in s.upstream.requests] == ["strong", "weak"]
    assert _shown(s.upstream.requests[0]) in texts(s.upstream.requests[1]).rpartition("Look at")[2]


def _shown(seen: Seen) -> str:
    """Return the placeholder of the first token."""
    found = re.search(r'use\("([^"]+)"\)', texts(seen))
    assert found is not None
    return found[1]


async def _blocks(s: Scene) -> None:
    s.upstream.script(blocks)
    assert edited(await steps(s.request(FIX), s.session)) == FIXED
    assert "SEARCH" in texts(s.upstream.requests[0])


async def _brief(s: Scene) -> None:
    s.upstream.script(whole)
    assert edited(await steps(s.request(FIX), s.session)) == FIXED


async def _again(s: Scene) -> None:
    s.upstream.script(whole, whole)
    assert edited(await steps(s.request(FIX), s.session)) == FIXED
    asked = s.request(FIX)
    old = asked.document.slice(asked.target.span)
    new = old.replace("len(x)", "len(xs)")
    now = replace(asked.document, text=SRC.replace(old, new), version=2)
    start = asked.target.span.start
    earlier = without(now, (Span(start, start + len(new)), old), [], runs=("r",), has_imports=False)
    again = replace(
        asked, run="again", document=earlier.original, better_than="mine/small", bypass_cache=True, earlier=earlier,
        model="mine/big",
    )  # fmt: skip
    done = (await steps(again, s.session))[-1]
    assert isinstance(done, RunFinished)
    assert done.answer is not None
    assert done.answer.agrees, "it says what is there, secrets and all"


async def _hover(s: Scene) -> None:
    request = s.request(EXPLAIN)
    leave = await hover.authorize(request, s.session)
    s.upstream.says("`mean` averages `xs` with `Box`.")
    await steps(request, leave.session)


async def _warm(s: Scene) -> None:
    keeper = KeepAlive(s.session, lambda _uri: None)
    s.upstream.always(answer("`mean` averages `xs`."))
    prepared = s.request(EXPLAIN)
    await steps(prepared, s.session)
    await keeper.warm(prepared)
    sent = s.session.prompt_cache.traces
    assert sent
    await keeper.close()


WAYS: dict[str, Callable[[Scene], Any]] = {
    "climb": _climb, "fallback": _fallback, "pair": _pair, "blocks": _blocks, "brief": _brief, "again": _again,
    "hover": _hover, "warm": _warm,
}  # fmt: skip


@pytest.mark.parametrize("form", [whole, file, blocks, unified, indented], ids=lambda each: each.__name__)
async def test_the_answer_is_as_if_nothing_had_been_replaced(tmp_path: Path, form: Callable[[Seen], Reply]) -> None:
    async with scene(tmp_path) as s:
        s.upstream.script(form)
        made = await steps(s.request(FIX), s.session)
        assert edited(made) == FIXED
        drafted = SRC
        for step in made:
            if isinstance(step, EditsDrafted):
                for edit in step.edits:
                    drafted = apply(drafted, (edit,))
                    assert _shown(s.upstream.requests[0]) not in drafted
        assert len(s.upstream.requests) == 1


async def test_a_person_hears_of_it_once_a_file(tmp_path: Path) -> None:
    text = SRC.replace(BODY, f'    use("{TOKENS[0]}")\n')
    async with scene(tmp_path) as s:
        s.upstream.always(whole)
        told = [
            step.cut
            for _ in range(2)
            for step in await steps(s.request(FIX, text=text, diagnostics=()), s.session)
            if isinstance(step, ModelChosen)
        ]
        line = {word: text[: text.index(word)].count("\n") + 1 for word in (PASSWORD, "-----BEGIN", TOKENS[0])}
        assert told[0][0] == (
            f"3 secrets in `app.py` are replaced before it is sent (password, line {line[PASSWORD]}; private key, line "
            f"{line['-----BEGIN'] + 1}; AWS key, line {line[TOKENS[0]]})."
        )
        assert "1 secret in `helper.py` is replaced before it is sent (token, line 1)." in told[0]
        assert "1 secret in `AGENTS.md` is replaced before it is sent (password, line 1)." in told[0]
        assert told[1] == ()


async def test_a_person_hears_of_it_before_an_answer_that_fails(tmp_path: Path) -> None:
    async with scene(tmp_path) as s:
        s.upstream.always(error(401))
        made = await steps(s.request(FIX), s.session)
        heard = [
            step.text for step in made if isinstance(step, StatusLine) and "replaced before it is sent" in step.text
        ]
        assert len(heard) == 3


async def test_a_text_is_searched_once(tmp_path: Path) -> None:
    async with scene(tmp_path) as s:
        s.upstream.always(answer("`mean` averages `xs`."))
        await steps(s.request(EXPLAIN, bypass_cache=True), s.session)
        before = s.session.disclosures.scanner.scans
        assert before > 0
        await steps(s.request(EXPLAIN, bypass_cache=True), s.session)
        assert s.session.disclosures.scanner.scans == before


async def test_the_same_secret_has_the_same_placeholder_in_every_session(tmp_path: Path) -> None:
    shown = []
    for each in ("one", "two"):
        (tmp_path / each).mkdir()
        async with scene(tmp_path / each) as s:
            session = replace(s.session, disclosures=Disclosures(lambda: tmp_path / "data"))
            s.upstream.always(answer("`mean` averages `xs`."))
            await steps(s.request(EXPLAIN), session)
            shown.append(_shown(s.upstream.requests[0]))
    assert shown[0] == shown[1]
    assert shown[0][:4] == TOKENS[0][:4]
    assert len(shown[0]) == len(TOKENS[0])
    assert (tmp_path / "data" / "placeholder-key").stat().st_mode & 0o777 == 0o600


async def test_what_is_kept_on_disk_holds_no_secret(tmp_path: Path) -> None:
    async with scene(tmp_path) as s:
        s.upstream.always(lambda seen: answer(f"`mean` uses `{_shown(seen)}` and averages `xs`."))
        first = await steps(s.request(EXPLAIN), s.session)
        again = await steps(s.request(EXPLAIN), s.session)
        assert len(s.upstream.requests) == 1, "the second answer is a kept one"
        done = [made[-1] for made in (first, again)]
        assert all(isinstance(each, RunFinished) and each.answer is not None for each in done)
        s.session.answer_store.close()
    assert written_with_secrets(tmp_path) == []


def written_with_secrets(folder: Path) -> list[str]:
    """Return the files outside of the project that hold a planted secret."""
    files = [each for each in folder.rglob("*") if each.is_file() and "project" not in each.parts]
    assert len(files) > 2
    return [each.name for each in files if any(secret.encode() in each.read_bytes() for secret in SECRETS)]
