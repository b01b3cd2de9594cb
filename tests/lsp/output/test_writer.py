"""The writer, against an editor that checks versions and whose person types at any moment: nothing typed is lost."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lsprotocol import types
from virtual_time import run

from tuppence.core.answer.earlier import EarlierAnswer
from tuppence.core.text.document import Document, Edit, Span, apply
from tuppence.errors import Stale
from tuppence.lsp.documents.capabilities import ClientCapabilities
from tuppence.lsp.documents.convert import Encoding, from_range, to_range
from tuppence.lsp.documents.store import Documents
from tuppence.lsp.output.regions import difference
from tuppence.lsp.output.writer import Writer

URI = "file:///a.py"
HEAD, OLD, TAIL = "import a\r\n# 🐍\n", "def f():\n    one\n    two\n", "\n# the end 🐛\n"
TEXT = HEAD + OLD + TAIL
TARGET = Span(len(HEAD), len(HEAD) + len(OLD) - 1)
NEW = "def f():\n    one\n    2 🐍\n    three"
Where = Literal["head", "tail"]


@dataclass
class Fake:
    """An editor without a screen and without a wire."""

    capabilities: ClientCapabilities
    presses: dict[int, Sequence[tuple[Where, str]]] = field(default_factory=dict)
    """What its person types just before the editor looks at the edit of that number."""
    told: Literal["before the reply", "after the reply", "never"] = "before the reply"
    reply: bool | None = None
    """What it says of each edit; None for the truth."""
    documents: Documents = field(default_factory=Documents)
    encoding: Encoding = Encoding.Utf16
    text: str = TEXT
    version: int = 1
    edits: list[str] = field(default_factory=list)
    """The label of each edit, ``draft`` of a streamed one."""
    head: str = ""
    tail: str = ""

    def __post_init__(self) -> None:
        self.documents.open(URI, "python", 1, TEXT)

    def type(self, where: Where, text: str) -> None:
        """Type at an end of the document."""
        if where == "head":
            self.head = text + self.head
            self.change([Edit(Span(0, 0), text)])
        else:
            self.tail += text
            self.change([Edit(Span(len(self.text), len(self.text)), text)])

    def change(self, edits: Sequence[Edit]) -> None:
        """Change the text, edits last to first, and tell the server."""
        events: list[types.TextDocumentContentChangeEvent] = []
        for edit in sorted(edits, key=lambda each: (each.span.start, each.span.end), reverse=True):
            before = Document(URI, "python", self.version, self.text)
            events.append(types.TextDocumentContentChangePartial(to_range(before, edit.span, self.encoding), edit.text))
            self.text = apply(self.text, [edit])
        self.version += 1
        version = self.version
        if self.told == "before the reply":
            self.documents.change(URI, version, events, self.encoding)
        elif self.told == "after the reply":
            asyncio.get_running_loop().call_later(
                0.001, lambda: self.documents.change(URI, version, events, self.encoding)
            )

    async def apply(self, edit: types.WorkspaceEdit, label: str) -> bool:
        """Answer ``workspace/applyEdit``."""
        if edit.changes:
            return await self._take(None, edit.changes[URI], label)
        [change] = edit.document_changes or ()
        assert isinstance(change, types.TextDocumentEdit)
        return await self._take(change.text_document.version, change.edits, label)

    async def draft(self, params: dict[str, object]) -> bool:
        """Answer ``tuppence/edit``."""
        edits: Any = params["edits"]
        assert params["first"] is ("draft" not in self.edits)
        assert isinstance(params["version"], int)
        return await self._take(params["version"], edits, "draft")

    async def _take(self, version: int | None, edits: Any, label: str) -> bool:
        # An editor goes on whether or not the server still waits for its reply.
        return await asyncio.shield(asyncio.create_task(self._look(version, edits, label)))

    async def _look(self, version: int | None, edits: Any, label: str) -> bool:
        number = len(self.edits)
        self.edits.append(label)
        await asyncio.sleep(0.001)
        for where, text in self.presses.get(number, ()):
            self.type(where, text)
        fits = version in (None, self.version)
        if fits:
            now = Document(URI, "python", self.version, self.text)
            self.change([Edit(from_range(now, each.range, self.encoding), each.new_text) for each in edits])
        await asyncio.sleep(0)
        return fits if self.reply is None else self.reply


def client(**how: Any) -> ClientCapabilities:
    """Return a client that takes versioned edits."""
    return ClientCapabilities(name="fake", apply_edit=True, document_changes=True, **how)


def asked() -> Document:
    return Document(URI, "python", 1, TEXT)


def answer(*, imports: bool) -> tuple[Edit, ...]:
    """Return an answer, perhaps with an import."""
    edits = difference(asked(), NEW, TARGET)
    return (Edit(Span(len("import a\r\n"), len("import a\r\n")), "import b\r\n"), *edits) if imports else edits


def with_answer(fake: Fake, *, imports: bool) -> str:
    """Return the text that there should be: the person's and the answer's."""
    head = HEAD.replace("import a\r\n", "import a\r\nimport b\r\n") if imports else HEAD
    return f"{fake.head}{head}{NEW}\n{TAIL}{fake.tail}"


def as_asked(fake: Fake) -> str:
    """Return the text that there should be where nothing of the answer stays."""
    return f"{fake.head}{TEXT}{fake.tail}"


PRESSES = st.dictionaries(
    st.integers(0, 6), st.lists(st.tuples(st.sampled_from(["head", "tail"]), st.sampled_from(["x", "🐍\r\n", "\n"])))
)
STEPS = st.lists(st.integers(1, 12), max_size=5)


async def stream(writer: Writer, sizes: Sequence[int]) -> None:
    """Draft the answer's beginning, so many code points at a time."""
    shown = 0
    for size in sizes:
        start = TARGET.start + shown
        writer.draft([Edit(Span(start, start), NEW[shown : shown + size])])
        shown = min(shown + size, len(NEW))
        await asyncio.sleep(0.0005)


@settings(max_examples=60, deadline=None)
@given(presses=PRESSES, sizes=STEPS, streams=st.booleans(), imports=st.booleans())
def test_whatever_is_typed_elsewhere_the_answer_lands(
    presses: dict[int, Sequence[tuple[Where, str]]],
    sizes: Sequence[int],
    streams: bool,  # noqa: FBT001 - drawn by Hypothesis
    imports: bool,  # noqa: FBT001 - drawn by Hypothesis
) -> None:
    async def check() -> None:
        fake = Fake(client(streams=streams), presses)
        writer = Writer(fake, asked(), TARGET, "run")
        await stream(writer, sizes if streams else ())
        await writer.keep(answer(imports=imports), "Fix")
        assert fake.text == with_answer(fake, imports=imports)
        assert writer.target is not None
        assert fake.text[writer.target.start : writer.target.end] == NEW
        assert not writer.touched.is_set()
        writer.close()

    run(check())


@settings(max_examples=60, deadline=None)
@given(presses=PRESSES, sizes=STEPS, streams=st.booleans(), ticks=st.integers(0, 8), imports=st.booleans())
def test_whenever_it_is_cancelled_the_text_is_as_it_was(
    presses: dict[int, Sequence[tuple[Where, str]]],
    sizes: Sequence[int],
    streams: bool,  # noqa: FBT001 - drawn by Hypothesis
    ticks: int,
    imports: bool,  # noqa: FBT001 - drawn by Hypothesis
) -> None:
    async def check() -> None:
        fake = Fake(client(streams=streams), presses)
        writer = Writer(fake, asked(), TARGET, "run")
        await stream(writer, sizes if streams else ())
        keeping = asyncio.create_task(writer.keep(answer(imports=imports), "Fix"))
        await asyncio.sleep(ticks * 0.0004)
        keeping.cancel()
        await asyncio.gather(keeping, return_exceptions=True)
        await writer.restore()
        writer.close()
        await asyncio.sleep(0.004)  # Whatever is still on its way arrives.
        assert fake.text == as_asked(fake)

    run(check())


@pytest.mark.parametrize("streams", [False, True])
async def test_a_key_in_the_target_ends_the_writing(streams: bool) -> None:  # noqa: FBT001 - a parameter of the test
    fake = Fake(client(streams=streams))
    writer = Writer(fake, asked(), TARGET, "run")
    await stream(writer, [16])
    await asyncio.sleep(0.01)
    at = fake.text.index("one")
    fake.change([Edit(Span(at, at), "my_")])
    assert writer.touched.is_set()
    text, sent = fake.text, len(fake.edits)
    writer.draft([Edit(Span(TARGET.start, TARGET.start), "more\n")])
    with pytest.raises(Stale, match="changed meanwhile"):
        await writer.keep(answer(imports=True), "Fix")
    await writer.restore()
    assert (fake.text, len(fake.edits)) == (text, sent)


@pytest.mark.parametrize("told", ["before the reply", "after the reply"])
@pytest.mark.parametrize("reply", [None, True])
async def test_it_is_the_document_that_is_believed(told: Any, reply: bool | None) -> None:  # noqa: FBT001 - a parameter of the test
    fake = Fake(client(lagging_version=True), {0: [("head", "x\n")], 1: [("tail", "y")]}, told, reply)
    writer = Writer(fake, asked(), TARGET, "run")
    await writer.keep(answer(imports=True), "Fix")
    await asyncio.sleep(0.01)
    assert fake.text == with_answer(fake, imports=True)
    assert len(fake.edits) == 3


async def test_an_edit_without_a_version_is_known_again_after_what_was_typed_below() -> None:
    fake = Fake(ClientCapabilities(name="fake", apply_edit=True), {0: [("tail", "x"), ("tail", "y\n")]})
    writer = Writer(fake, asked(), TARGET, "run")
    await writer.keep(answer(imports=True), "Fix")
    assert fake.text == with_answer(fake, imports=True)
    assert fake.edits == ["Fix"]
    assert not writer.touched.is_set()


async def test_an_edit_that_never_shows_is_no_edit() -> None:
    fake = Fake(client(), told="never", reply=True)
    writer = Writer(fake, asked(), TARGET, "run")
    with pytest.raises(Stale, match="did not take the edit"):
        await writer.keep(answer(imports=False), "Fix")
    assert fake.edits == ["Fix"]


async def test_a_close_ends_the_waiting_for_an_edit() -> None:
    fake = Fake(client(), told="never", reply=True)
    writer = Writer(fake, asked(), TARGET, "run")
    asyncio.get_running_loop().call_later(0.01, fake.documents.close, URI)
    with pytest.raises(Stale, match="changed meanwhile"):
        await writer.keep(answer(imports=False), "Fix")
    assert writer.closed


async def test_an_import_whose_place_was_changed_is_stale_and_the_draft_goes() -> None:
    fake = Fake(client(streams=True))
    writer = Writer(fake, asked(), TARGET, "run")
    await stream(writer, [16])
    await asyncio.sleep(0.01)
    assert fake.text != TEXT
    fake.change([Edit(Span(7, 12), "z\r\n\n#")])
    text = fake.text
    with pytest.raises(Stale, match="lines around it"):
        await writer.keep(answer(imports=True), "Fix")
    await writer.restore()
    assert fake.text == text[: text.index("def f")] + OLD + TAIL
    assert not writer.touched.is_set()


async def test_what_was_typed_before_the_writer_began_counts_too() -> None:
    fake = Fake(client())
    fake.type("head", "# typed\n")
    writer = Writer(fake, asked(), TARGET, "run")
    await writer.keep(answer(imports=True), "Fix")
    assert fake.text == with_answer(fake, imports=True)
    other = Fake(client())
    other.change([Edit(Span(TARGET.start + 4, TARGET.start + 5), "g")])
    assert Writer(other, asked(), TARGET, "run").touched.is_set()


async def test_a_restore_before_anything_was_written_sends_nothing() -> None:
    fake = Fake(client(streams=True))
    writer = Writer(fake, asked(), TARGET, "run")
    await writer.restore()
    assert not fake.edits


async def test_a_read_only_document_takes_nothing_and_says_so() -> None:
    fake = Fake(client(), reply=False)
    fake._take = lambda *_: asyncio.sleep(0, result=False)  # type: ignore[method-assign]  # it refuses whatever comes
    with pytest.raises(Stale, match="Is the document read-only"):
        await Writer(fake, asked(), TARGET, "run").keep(answer(imports=False), "Fix")
    assert fake.text == TEXT


BETTER = "def f():\n    1\n    two\n    four"
"""What a better model answers to the same text."""


async def answered(fake: Fake, *, imports: bool = True) -> tuple[Writer, EarlierAnswer]:
    """Write a first answer; return its writer and the document without it."""
    writer = Writer(fake, asked(), TARGET, "first")
    await writer.keep(answer(imports=imports), "Fix")
    found = writer.earlier(("first",))
    assert found is not None
    return writer, found


def second(fake: Fake, found: EarlierAnswer) -> Writer:
    """Return the writer of a second answer in place of the first."""
    fake.edits.clear()  # A run's first draft is told from the others by its number.
    return Writer(fake, found.original, found.target.place, "second", found)


def to_better(found: EarlierAnswer, imports: str) -> tuple[Edit, ...]:
    """Return the second answer, with the import that it brings."""
    edits = difference(found.original, BETTER, found.target.place)
    at = found.original.text.index("import a\r\n") + len("import a\r\n")
    return (Edit(Span(at, at), imports), *edits) if imports else edits


def with_better(fake: Fake, imports: str) -> str:
    """Return the text that there should be: the person's and the second answer's."""
    head = HEAD.replace("import a\r\n", f"import a\r\n{imports}")
    return f"{fake.head}{head}{BETTER}\n{TAIL}{fake.tail}"


IMPORTS = st.sampled_from(["", "import b\r\n", "import c\r\n"])


@settings(max_examples=60, deadline=None)
@given(presses=PRESSES, sizes=STEPS, streams=st.booleans(), before=st.booleans(), imports=IMPORTS)
def test_a_second_answer_takes_the_place_of_the_first_and_put_back_is_the_text_before_both(
    presses: dict[int, Sequence[tuple[Where, str]]],
    sizes: Sequence[int],
    streams: bool,  # noqa: FBT001 - drawn by Hypothesis
    before: bool,  # noqa: FBT001 - drawn by Hypothesis
    imports: str,
) -> None:
    async def check() -> None:
        fake = Fake(client(streams=streams))
        first, found = await answered(fake)
        if before:
            fake.type("head", "# typed\n")
            now = first.earlier(("first",))
            assert now is not None
            found = now
        assert found.has_imports is before
        assert ("import b" in found.original.text) is before, "what was typed may need it"
        fake.presses = presses
        writer = second(fake, found)
        await redraft(writer, found, sizes if streams else ())
        await writer.keep(to_better(found, "" if before and imports == "import b\r\n" else imports), "Fix")
        both = imports if "b" in imports or not before else f"{imports}import b\r\n"
        assert fake.text == with_better(fake, both)
        assert first.touched.is_set(), "its text is another one's"
        await writer.restore_later()
        assert fake.text == as_asked(fake)

    run(check())


@settings(max_examples=60, deadline=None)
@given(presses=PRESSES, sizes=STEPS, streams=st.booleans(), ticks=st.integers(0, 8), imports=IMPORTS)
def test_whenever_a_second_answer_is_cancelled_the_first_is_there(
    presses: dict[int, Sequence[tuple[Where, str]]],
    sizes: Sequence[int],
    streams: bool,  # noqa: FBT001 - drawn by Hypothesis
    ticks: int,
    imports: str,
) -> None:
    async def check() -> None:
        fake = Fake(client(streams=streams))
        _, found = await answered(fake)
        fake.presses = presses
        writer = second(fake, found)
        await redraft(writer, found, sizes if streams else ())
        keeping = asyncio.create_task(writer.keep(to_better(found, imports), "Fix"))
        await asyncio.sleep(ticks * 0.0004)
        keeping.cancel()
        await asyncio.gather(keeping, return_exceptions=True)
        await writer.restore()
        await asyncio.sleep(0.004)  # Whatever is still on its way arrives.
        assert fake.text == with_answer(fake, imports=True)
        # A better model's answer after a failed check, in the same run.
        await writer.keep(to_better(found, imports), "Fix")
        assert fake.text == with_better(fake, imports)
        await writer.restore_later()
        assert fake.text == as_asked(fake)

    run(check())


async def redraft(writer: Writer, found: EarlierAnswer, sizes: Sequence[int]) -> None:
    """Draft the second answer's beginning over the original, so many code points at a time."""
    shown, place = 0, found.target.place
    for size in sizes:
        writer.draft([Edit(Span(place.start + shown, place.start + shown), BETTER[shown : shown + size])])
        shown = min(shown + size, len(BETTER))
        await asyncio.sleep(0.0005)


async def test_a_draft_that_says_what_is_there_sends_nothing() -> None:
    fake = Fake(client(streams=True))
    _, found = await answered(fake)
    writer, place = second(fake, found), found.target.place
    at = place.start + OLD.index("    two")
    writer.draft([Edit(Span(at, at), "    2 🐍\r\n".replace("\r\n", "\n"))])
    await asyncio.sleep(0.01)
    assert fake.edits == []
    writer.draft([Edit(Span(at, at), "    3\n")])
    await asyncio.sleep(0.01)
    assert fake.edits == ["draft"]


async def test_an_import_that_the_user_changed_since_is_the_users() -> None:
    fake = Fake(client())
    first, _ = await answered(fake)
    at = fake.text.index("import b")
    fake.change([Edit(Span(at + 7, at + 8), "bb")])
    found = first.earlier(("first",))
    assert found is not None
    assert "import bb" in found.original.text
    writer = second(fake, found)
    await writer.keep(to_better(found, ""), "Fix")
    assert "import bb" in fake.text
    await writer.restore_later()
    assert fake.text == TEXT.replace("import a\r\n", "import a\r\nimport bb\r\n")


async def test_an_import_that_the_user_changes_meanwhile_is_the_users_too() -> None:
    fake = Fake(client())
    _, found = await answered(fake)
    writer = second(fake, found)
    at = fake.text.index("import b")
    fake.change([Edit(Span(at + 7, at + 8), "bb")])
    with pytest.raises(Stale, match="lines around it"):
        await writer.keep(to_better(found, "import c\r\n"), "Fix")
    await writer.keep(to_better(found, ""), "Fix")
    assert "import bb" in fake.text
    assert BETTER in fake.text


@pytest.mark.parametrize("typed", [False, True])
async def test_an_import_statement_that_both_answers_change_becomes_one(*, typed: bool) -> None:
    fake = Fake(client())
    writer = Writer(fake, asked(), TARGET, "first")
    end = len("import a")
    edits = difference(asked(), NEW, TARGET)
    await writer.keep((Edit(Span(end, end), ", b"), *edits), "Fix")
    assert fake.text.startswith("import a, b\r\n")
    found = writer.earlier(("first",))
    assert found is not None
    again = second(fake, found)
    if typed:
        fake.change([Edit(Span(0, 6), "IMPORT")])
    # It replaces more of the statement than the first did.
    whole = (Edit(Span(0, end), "import a, c"), *difference(found.original, BETTER, found.target.place))
    if typed:
        with pytest.raises(Stale, match="lines around it"):
            await again.keep(whole, "Fix")
        assert fake.text.startswith("IMPORT a, b\r\n")
        return
    await again.keep(whole, "Fix")
    assert fake.text == TEXT.replace("import a", "import a, c").replace(OLD, f"{BETTER}\n")
    await again.restore_later()
    assert fake.text == TEXT


async def test_an_import_at_another_place_lands_there() -> None:
    fake = Fake(client())
    _, found = await answered(fake)
    writer = second(fake, found)
    fake.type("head", "# typed\n")
    end = len(found.original.text)
    better = difference(found.original, BETTER, found.target.place)
    await writer.keep((*better, Edit(Span(end, end), "import late\n")), "Fix")
    assert fake.text == f"# typed\n{HEAD}{BETTER}\n{TAIL}import late\n"
    await writer.restore_later()
    assert fake.text == f"# typed\n{TEXT}"


async def test_a_draft_after_one_that_was_taken_back_begins_at_the_original() -> None:
    fake = Fake(client(streams=True))
    _, found = await answered(fake)
    writer, at = second(fake, found), found.target.place.start
    for draft in ("first\n", "second\n"):
        writer.draft([Edit(Span(at, at), draft)])
        await asyncio.sleep(0.02)
        head = fake.text[: fake.text.index(draft)]
        assert fake.text == f"{head}{draft}{OLD}{TAIL}"
        await writer.restore()
        assert fake.text == with_answer(fake, imports=True)


async def test_there_is_no_earlier_text_once_the_target_was_changed_or_the_document_closed() -> None:
    fake = Fake(client())
    first, _ = await answered(fake)
    at = fake.text.index("three")
    fake.change([Edit(Span(at, at), "not ")])
    assert first.earlier(("first",)) is None
    other = Fake(client())
    closed, _ = await answered(other)
    other.documents.close(URI)
    assert closed.earlier(("first",)) is None
