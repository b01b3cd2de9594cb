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

from tuppence.core.text.document import Document, Edit, Span, apply
from tuppence.errors import Stale
from tuppence.lsp.documents.capabilities import ClientCapabilities
from tuppence.lsp.documents.convert import Encoding, from_range, to_range
from tuppence.lsp.documents.store import Documents
from tuppence.lsp.output import writer as writers
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


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, seconds in {"APPEAR": 0.2, "OVERTAKEN": 0.02, "MOVE": 0.02, "MOVE_LAGGING": 0.1}.items():
        monkeypatch.setattr(writers, name, seconds)


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

    asyncio.run(check())


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

    asyncio.run(check())


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
