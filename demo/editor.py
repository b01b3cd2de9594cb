"""A small editor without a screen: a real language client over stdio, with buffers, for the demo and the tests.

It starts the server as any editor does, keeps its buffers in step, applies the server's edits to them only when the
version fits, and notes everything that the server shows. Its reckoning of positions is its own, on encoded bytes.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Union

import cattrs
from lsprotocol import types
from pygls.lsp.client import LanguageClient
from pygls.protocol import default_converter

_ENDING = re.compile(r"\r\n|\n|\r")
ENCODINGS = {"utf-8": ("utf-8", 1), "utf-16": ("utf-16-le", 2), "utf-32": ("utf-32-le", 4)}


@dataclass
class Buffer:
    """One open document."""

    uri: str
    language: str
    text: str
    version: int = 1
    undo: list[str] = field(default_factory=list)
    """The texts before each step that one undo takes back."""


@dataclass
class Seen:
    """What the server showed, in order."""

    messages: list[types.ShowMessageParams] = field(default_factory=list)
    logs: list[str] = field(default_factory=list)
    progress: list[Any] = field(default_factory=list)
    tokens: list[int | str] = field(default_factory=list)
    diagnostics: dict[str, list[types.Diagnostic]] = field(default_factory=dict)
    costs: list[Any] = field(default_factory=list)
    documents: list[str] = field(default_factory=list)
    explanations: list[Any] = field(default_factory=list)
    drafts: list[Any] = field(default_factory=list)
    edits: list[types.ApplyWorkspaceEditParams] = field(default_factory=list)
    questions: list[str] = field(default_factory=list)
    runs: list[Any] = field(default_factory=list)
    errors: str = ""
    """What the server wrote to its standard error."""


class Editor:
    """The editor. Use ``async with Editor(...)``."""

    def __init__(
        self, command: Sequence[str], root: Path, *, encoding: str = "utf-16", streams: bool = False, name: str = "demo"
    ) -> None:
        self.command = command
        self.root = root
        self.encoding = encoding
        self.streams = streams
        self.name = name
        self.environment: dict[str, str] | None = None
        self.patience = 10.0
        self.capabilities = capabilities(encoding, streams=streams)
        self.options: Any = None
        self.buffers: dict[str, Buffer] = {}
        self.seen = Seen()
        self.answer: Callable[[types.ShowMessageRequestParams], str | None] = lambda _params: None
        self.on_progress: Callable[[Any], None] = lambda _value: None
        self.on_explanation: Callable[[str], None] = lambda _markdown: None
        self.before_apply: Callable[[], None] = lambda: None
        self.in_pieces = False
        """Whether a change in several places is told in two messages, as Neovim may do."""
        self.on_shown: Callable[[str, Any], None] = lambda _method, _params: None
        self.client = LanguageClient(name, "1", converter_factory=_converter)
        self.initialized: types.InitializeResult | None = None
        self._listening: asyncio.Task[None] | None = None
        for listen in (_edit, _watch, _answer, _note):
            listen(self)

    async def __aenter__(self) -> Editor:
        # A session of its own: Ctrl-C in a terminal is for us, and we end the server as the protocol has it.
        await self.client.start_io(*self.command, env=self.environment, start_new_session=True)
        self._listening = asyncio.create_task(self._listen())
        params = types.InitializeParams(
            capabilities=self.capabilities,
            process_id=None,
            client_info=types.ClientInfo(self.name, "1"),
            root_uri=self.root.as_uri(),
            workspace_folders=[types.WorkspaceFolder(self.root.as_uri(), self.root.name)],
            initialization_options=self.options,
        )
        self.initialized = await self.client.initialize_async(params)
        self.client.initialized(types.InitializedParams())
        return self

    async def __aexit__(self, *_: object) -> None:
        if self.process.returncode is None:
            with contextlib.suppress(Exception):
                await asyncio.wait_for(self.client.shutdown_async(None), self.patience)
                self.client.exit(None)
        try:
            await asyncio.wait_for(self.client.stop(), self.patience)
        except TimeoutError:
            self.process.kill()
            await self.client.stop()
            raise
        if self._listening is not None:
            await self._listening

    @property
    def process(self) -> asyncio.subprocess.Process:
        """The server."""
        process: asyncio.subprocess.Process | None = self.client._server  # noqa: SLF001 - pygls gives no other way to it
        assert process is not None
        return process

    @property
    def pid(self) -> int:
        """The server's process."""
        return self.process.pid

    def open(self, path: Path | str, language: str, text: str | None = None) -> Buffer:
        """Open a file, or a document with a URI of its own and this text."""
        uri = path.as_uri() if isinstance(path, Path) else path
        if text is None:
            assert isinstance(path, Path)
            text = path.read_bytes().decode()
        buffer = Buffer(uri, language, text)
        self.buffers[uri] = buffer
        item = types.TextDocumentItem(uri=uri, language_id=language, version=buffer.version, text=text)
        self.client.text_document_did_open(types.DidOpenTextDocumentParams(item))
        return buffer

    def close(self, buffer: Buffer) -> None:
        """Close a document."""
        del self.buffers[buffer.uri]
        identifier = types.TextDocumentIdentifier(buffer.uri)
        self.client.text_document_did_close(types.DidCloseTextDocumentParams(identifier))

    def type(self, buffer: Buffer, start: int, end: int, text: str) -> None:
        """Replace code points by a text, as a user who types or deletes does."""
        self._change(buffer, [(start, end, text)])

    async def menu(self, buffer: Buffer, start: int, end: int | None = None, **context: Any) -> list[types.CodeAction]:
        """Return the code actions for a selection, or for a cursor; ``context`` goes into CodeActionContext."""
        context.setdefault("diagnostics", [])
        context.setdefault("trigger_kind", types.CodeActionTriggerKind.Invoked)
        params = types.CodeActionParams(
            text_document=types.TextDocumentIdentifier(buffer.uri),
            range=self.range(buffer.text, start, start if end is None else end),
            context=types.CodeActionContext(**context),
        )
        found = await self.client.text_document_code_action_async(params)
        return [each for each in found or () if isinstance(each, types.CodeAction)]

    async def run(self, action: types.CodeAction) -> Any:
        """Pick an entry of the menu: apply its edit, run its command."""
        if action.edit is not None:
            self.apply(action.edit)
        if action.command is None:
            return None
        params = types.ExecuteCommandParams(action.command.command, action.command.arguments)
        return await self.client.workspace_execute_command_async(params)

    def start(self, action: types.CodeAction, msg_id: str) -> Any:
        """Pick an entry and return the future of its command's reply, which ``cancel(msg_id)`` cancels."""
        assert action.command is not None
        params = types.ExecuteCommandParams(action.command.command, action.command.arguments)
        return asyncio.wrap_future(
            self.client.protocol.send_request(types.WORKSPACE_EXECUTE_COMMAND, params, msg_id=msg_id)
        )

    def cancel(self, msg_id: str) -> None:
        """Cancel a request."""
        self.client.protocol.notify(types.CANCEL_REQUEST, types.CancelParams(msg_id))

    def cancel_progress(self, token: int | str) -> None:
        """Press a progress's cancel button."""
        self.client.window_work_done_progress_cancel(types.WorkDoneProgressCancelParams(token))

    async def hover(self, buffer: Buffer, offset: int) -> str | None:
        """Return the text of the hover at a code point, None where there is none."""
        position = self.range(buffer.text, offset, offset).start
        params = types.HoverParams(types.TextDocumentIdentifier(buffer.uri), position)
        found = await self.client.text_document_hover_async(params)
        if found is None:
            return None
        assert isinstance(found.contents, types.MarkupContent)
        return found.contents.value

    def apply(self, edit: types.WorkspaceEdit) -> bool:
        """Apply an edit where the versions fit; all of it or nothing."""
        changes: list[tuple[str, int | None, Sequence[Any]]] = [
            (uri, None, edits) for uri, edits in (edit.changes or {}).items()
        ]
        for change in edit.document_changes or ():
            if isinstance(change, types.CreateFile):
                path = Path(change.uri.removeprefix("file://"))
                if not path.exists():
                    path.parent.mkdir(parents=True, exist_ok=True)
                    path.touch()
            elif isinstance(change, types.TextDocumentEdit):
                changes.append((change.text_document.uri, change.text_document.version, change.edits))
        for uri, version, _ in changes:
            if uri in self.buffers and version not in (None, self.buffers[uri].version):
                return False
        for uri, _, edits in changes:
            buffer = self.buffers.get(uri) or self._load(uri)
            self._change(buffer, [self._span(buffer.text, each.range, each.new_text) for each in edits])
        return True

    def range(self, text: str, start: int, end: int) -> types.Range:
        """Return code points as a range."""
        return types.Range(self._position(text, start), self._position(text, end))

    async def _listen(self) -> None:
        """Note what the server complains of; a pipe that nobody reads would stop it once it is full."""
        stream = self.process.stderr
        assert stream is not None
        while said := await stream.read(1 << 16):
            self.seen.errors += said.decode(errors="replace")

    def _load(self, uri: str) -> Buffer:
        path = Path(uri.removeprefix("file://"))
        text = path.read_bytes().decode() if path.exists() else ""
        language = {".py": "python", ".ts": "typescript", ".go": "go", ".rs": "rust"}.get(path.suffix, "plaintext")
        return self.open(uri, language, text)

    def _change(self, buffer: Buffer, edits: list[tuple[int, int, str]]) -> None:
        """Change a buffer as one step, and tell the server, last edit first so that no range moves another."""
        if not edits:
            return
        buffer.undo.append(buffer.text)
        if self.in_pieces and len(edits) > 1:
            last = max(edits)
            self._tell(buffer, [last])
            edits = [each for each in edits if each != last]
        self._tell(buffer, edits)

    def _tell(self, buffer: Buffer, edits: list[tuple[int, int, str]]) -> None:
        events: list[types.TextDocumentContentChangeEvent] = []
        for start, end, new in sorted(edits, reverse=True):
            where = self.range(buffer.text, start, end)
            events.append(types.TextDocumentContentChangePartial(range=where, text=new))
            buffer.text = buffer.text[:start] + new + buffer.text[end:]
        buffer.version += 1
        identifier = types.VersionedTextDocumentIdentifier(uri=buffer.uri, version=buffer.version)
        self.client.text_document_did_change(types.DidChangeTextDocumentParams(identifier, events))

    def _position(self, text: str, offset: int) -> types.Position:
        before = text[:offset].replace("\r\n", "\n").replace("\r", "\n")
        _, _, last = before.rpartition("\n")
        codec, size = ENCODINGS[self.encoding]
        number = before.count("\n")
        return types.Position(number, len(last.encode(codec)) // size)

    def _span(self, text: str, where: types.Range, new: str) -> tuple[int, int, str]:
        return self._offset(text, where.start), self._offset(text, where.end), new

    def _offset(self, text: str, position: types.Position) -> int:
        starts = [0, *(ending.end() for ending in _ENDING.finditer(text))]
        if position.line >= len(starts):
            return len(text)
        offset = starts[position.line]
        codec, size = ENCODINGS[self.encoding]
        units = position.character * size
        while units > 0 and offset < len(text) and text[offset] not in "\r\n":
            units -= len(text[offset].encode(codec))
            offset += 1
        return offset


def capabilities(encoding: str, *, streams: bool) -> types.ClientCapabilities:
    """Return what this editor can do."""
    return types.ClientCapabilities(
        workspace=types.WorkspaceClientCapabilities(
            apply_edit=True,
            workspace_edit=types.WorkspaceEditClientCapabilities(
                document_changes=True, resource_operations=[types.ResourceOperationKind.Create]
            ),
        ),
        text_document=types.TextDocumentClientCapabilities(
            hover=types.HoverClientCapabilities(content_format=[types.MarkupKind.Markdown]),
            code_action=types.CodeActionClientCapabilities(
                code_action_literal_support=types.ClientCodeActionLiteralOptions(
                    types.ClientCodeActionKindOptions([types.CodeActionKind.QuickFix])
                ),
                disabled_support=True,
                is_preferred_support=True,
                tag_support=types.CodeActionTagOptions([types.CodeActionTag.LlmGenerated]),
            ),
        ),
        window=types.WindowClientCapabilities(
            work_done_progress=True, show_document=types.ShowDocumentClientCapabilities(support=True)
        ),
        general=types.GeneralClientCapabilities(position_encodings=[types.PositionEncodingKind(encoding)]),
        experimental={"tuppence": {"stream": 1}} if streams else None,
    )


def _converter() -> cattrs.Converter:
    """Return pygls' converter, but for code actions: lsprotocol takes one that holds a command for a bare command."""
    converter: cattrs.Converter = default_converter()

    def either(value: Any, _type: object) -> types.Command | types.CodeAction:
        kind: Any = types.Command if isinstance(value.get("command"), str) else types.CodeAction
        action: types.Command | types.CodeAction = converter.structure(value, kind)
        return action

    converter.register_structure_hook(types.Command | types.CodeAction, either)
    converter.register_structure_hook(Union[types.Command, types.CodeAction], either)  # noqa: UP007 - lsprotocol's own
    return converter


def _edit(editor: Editor) -> None:
    """Apply what the server changes."""
    client, seen = editor.client, editor.seen

    @client.feature(types.WORKSPACE_APPLY_EDIT)
    def apply(params: types.ApplyWorkspaceEditParams) -> types.ApplyWorkspaceEditResult:
        seen.edits.append(params)
        editor.before_apply()
        return types.ApplyWorkspaceEditResult(applied=editor.apply(params.edit))

    @client.feature("tuppence/edit")
    def draft(params: Any) -> dict[str, bool]:
        seen.drafts.append(params)
        editor.before_apply()
        editor.on_shown("tuppence/edit", params)
        buffer = editor.buffers.get(params.uri)
        if buffer is None or buffer.version != params.version:
            return {"applied": False}
        edits = [
            (
                editor._offset(buffer.text, types.Position(each.range.start.line, each.range.start.character)),  # noqa: SLF001 - its own
                editor._offset(buffer.text, types.Position(each.range.end.line, each.range.end.character)),  # noqa: SLF001 - its own
                each.newText,
            )
            for each in params.edits
        ]
        editor._change(buffer, edits)  # noqa: SLF001 - its own
        if not params.first:
            buffer.undo.pop()
        return {"applied": True}


def _watch(editor: Editor) -> None:
    """Note what the server shows."""
    client, seen = editor.client, editor.seen

    @client.feature(types.WINDOW_SHOW_MESSAGE)
    def message(params: types.ShowMessageParams) -> None:
        seen.messages.append(params)
        editor.on_shown(types.WINDOW_SHOW_MESSAGE, params)

    @client.feature(types.WINDOW_LOG_MESSAGE)
    def log(params: types.LogMessageParams) -> None:
        seen.logs.append(params.message)
        editor.on_shown(types.WINDOW_LOG_MESSAGE, params)


def _answer(editor: Editor) -> None:
    """Answer what the server asks."""
    client, seen = editor.client, editor.seen

    @client.feature(types.WINDOW_SHOW_MESSAGE_REQUEST)
    def question(params: types.ShowMessageRequestParams) -> types.MessageActionItem | None:
        seen.questions.append(params.message)
        picked = editor.answer(params)
        return types.MessageActionItem(picked) if picked else None

    @client.feature(types.WINDOW_SHOW_DOCUMENT)
    def show(params: types.ShowDocumentParams) -> types.ShowDocumentResult:
        seen.documents.append(params.uri)
        return types.ShowDocumentResult(success=True)

    @client.feature(types.WINDOW_WORK_DONE_PROGRESS_CREATE)
    def create(params: types.WorkDoneProgressCreateParams) -> None:
        seen.tokens.append(params.token)

    @client.feature(types.PROGRESS)
    def progress(params: types.ProgressParams) -> None:
        seen.progress.append(params.value)
        editor.on_progress(params.value)


def _note(editor: Editor) -> None:
    """Note what the server publishes."""
    client, seen = editor.client, editor.seen

    @client.feature(types.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS)
    def diagnostics(params: types.PublishDiagnosticsParams) -> None:
        seen.diagnostics[params.uri] = list(params.diagnostics)
        editor.on_shown(types.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS, params)

    @client.feature("tuppence/run")
    def run(params: Any) -> None:
        seen.runs.append(params)

    @client.feature("tuppence/cost")
    def cost(params: Any) -> None:
        seen.costs.append(params)
        editor.on_shown("tuppence/cost", params)

    @client.feature("tuppence/explanation")
    def explanation(params: Any) -> None:
        seen.explanations.append(params)
        editor.on_explanation(params.markdown)
