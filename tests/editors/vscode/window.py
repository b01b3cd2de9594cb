"""A real VS Code (code-server) in a headless browser, with our extension from its package, in a profile of its own.

It is used as a person uses it, by keys and clicks. What a document holds is read from the disk after saving, never
from the page: there the lines' order is not the text's.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Self

HERE = Path(__file__).parent
VSIX = HERE.parents[2] / "clients" / "vscode" / "tuppence.vsix"
_CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
PLACE = _CACHE / "tuppence-editors" / "vscode"
"""Where set-up.sh puts the editor; read before any test gets a home of its own."""

EDITOR = ".editor-instance .monaco-editor"
CODE = f"{EDITOR} .view-line"
STATUS = "#tuppence\\.tuppence\\.tuppence\\.status"
MENU = ".action-widget .monaco-list-row"
LENS = ".codelens-decoration a"
HOVER = ".monaco-hover:not(.hidden)"
NOTICE = ".notification-toast"
REGION = ".view-overlays .cdr[class*='TextEditorDecorationType']"
"""A line that an extension highlights."""
ITEM = ".statusbar-item"

WAIT = 60.0
"""Seconds in which everything is to have happened that a person would wait for, on a slow and busy machine too."""
START = 180.0
"""Seconds for the editor itself to be there."""
LOOKS = (1.5, 3.0, 6.0, 12.0, 12.0, 12.0, 12.0)
"""Seconds after which what did not open is asked for once more, as a person does: each time with more patience."""

_SETTINGS = {
    "security.workspace.trust.enabled": False,
    "chat.disableAIFeatures": True,
    "workbench.secondarySideBar.defaultVisibility": "hidden",
    "workbench.startupEditor": "none",
    "workbench.tips.enabled": False,
    "window.menuBarVisibility": "classic",
    "files.autoSave": "off",
    "files.hotExit": "off",
    "telemetry.telemetryLevel": "off",
    "editor.minimap.enabled": False,
    # What the test types is to arrive as it was typed.
    "editor.autoClosingBrackets": "never",
    "editor.autoClosingQuotes": "never",
    "editor.autoIndent": "none",
    "editor.acceptSuggestionOnEnter": "off",
    "editor.quickSuggestions": {"other": "off", "comments": "off", "strings": "off"},
    "editor.suggestOnTriggerCharacters": False,
    "editor.wordBasedSuggestions": "off",
    "editor.parameterHints.enabled": False,
}


@dataclass
class Window:
    """One editor, from ``with`` to the end of it."""

    root: Path
    """The folder or workspace file that is open in it."""
    profile: Path
    """A folder for everything that the editor keeps; each key of it is our own."""
    environment: dict[str, str]
    machine: dict[str, Any] = field(default_factory=dict)
    """The machine's settings: the only ones that may name a program."""
    keybindings: list[dict[str, Any]] = field(default_factory=list)
    settings: dict[str, Any] = field(default_factory=dict)
    """The user's settings beside those that keep a test steady."""
    _stack: contextlib.ExitStack = field(default_factory=contextlib.ExitStack)
    _driver: subprocess.Popen[str] | None = None

    def __enter__(self) -> Self:
        with contextlib.ExitStack() as stack:
            self._prepare()
            port = _free_port()
            log = stack.enter_context((self.profile / "code.log").open("w", encoding="utf-8"))
            self._code("--install-extension", str(VSIX), "--force", log=log).wait(START)
            server = self._code(
                "--auth", "none", "--bind-addr", f"127.0.0.1:{port}", "--disable-getting-started-override", log=log
            )
            stack.callback(_end, server)
            until(lambda: _listens(port), "code-server to listen", START)
            kind = "folder" if self.root.is_dir() else "workspace"
            driver = subprocess.Popen(
                [_node(), HERE / "drive.mjs", PLACE / "drive", f"http://127.0.0.1:{port}/?{kind}={self.root}"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                start_new_session=True,
            )
            self._driver = driver
            stack.callback(_end, driver)
            self.call("open")
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def call(self, name: str, *arguments: Any) -> Any:
        """Have the driver do something; see drive.mjs."""
        assert self._driver is not None
        assert self._driver.stdin is not None
        assert self._driver.stdout is not None
        self._driver.stdin.write(json.dumps([name, *arguments]) + "\n")
        self._driver.stdin.flush()
        answer = json.loads(self._driver.stdout.readline() or '{"error": "the driver ended"}')
        if "error" in answer:
            raise AssertionError(f"{name} {arguments}: {answer['error']}")
        return answer["value"]

    def press(self, *keys: str) -> None:
        """Press keys, one after the other."""
        self.call("press", *keys)

    def type(self, text: str, rate: float = 25) -> float:
        """Type a text key by key, so many a second; return how many it really were."""
        return float(self.call("type", text, rate))

    def wait(self, selector: str, text: str = "", seconds: float = WAIT) -> None:
        """Wait until an element with a text is on the page."""
        self.call("wait", selector, text, seconds)

    def gone(self, selector: str, text: str = "", seconds: float = WAIT) -> None:
        """Wait until no such element is on the page."""
        self.call("gone", selector, text, seconds)

    def click(self, selector: str, text: str = "") -> None:
        """Click on an element."""
        self.call("click", selector, text)

    def texts(self, selector: str) -> list[str]:
        """Return the texts of all such elements."""
        return [str(text).replace("\xa0", " ") for text in self.call("texts", selector)]

    def open(self, path: Path) -> None:
        """Open a file by its name, and put the cursor at its start."""
        for look in LOOKS:
            self._enter("Control+p", str(path), path.name)
            with contextlib.suppress(AssertionError):
                self.wait(".tab.active", path.name, look)
                break
        # The tab is there before the text, which what is pressed next is about.
        self.wait(f'{EDITOR}[data-uri$="/{path.name}"] .view-line')
        self.go(1)

    def command(self, title: str) -> None:
        """Run a command from the palette."""
        self._enter("F1", title, title)

    def go(self, line: int, column: int = 1) -> None:
        """Put the cursor somewhere, both counted from 1."""
        self._ask("Control+g")
        self.call("insert", f"{line}:{column}")
        self._take(".quick-input-list .monaco-list-row", f"to go to line {line} at column")
        self.wait(ITEM, f"Ln {line}, Col")

    def menu(self) -> list[str]:
        """Open the code-action menu and return its entries, once the server's are among them."""
        for look in LOOKS:
            self.press("Control+.")
            with contextlib.suppress(AssertionError):
                self.wait(MENU, "Explain", look)
                return self.texts(MENU)
            if self.texts(MENU):  # Without a menu that it closes, Escape would end the selection.
                self.press("Escape")
        raise AssertionError(f"waited in vain for a menu of ours: {self.texts(MENU)}")

    def pick(self, entry: str) -> None:
        """Open the menu and choose an entry."""
        self.menu()
        self.click(MENU, entry)

    def status(self) -> str:
        """Return the status item's text."""
        return " ".join(self.texts(STATUS)).strip()

    def hover(self, text: str) -> str:
        """Ask for the hover at the cursor until it shows a text, and return all that it shows."""
        for look in LOOKS:
            self.press("Control+k", "Control+i")
            with contextlib.suppress(AssertionError):
                self.wait(HOVER, text, look)
                return " ".join(self.texts(HOVER))
        raise AssertionError(f"waited in vain for a hover with {text!r}: {self.texts(HOVER)}")

    def saved(self, path: Path) -> str:
        """Save the active file and return what is on the disk then."""
        before = _written(path)
        self.press("Control+s")
        # The tab looks saved while it is still being saved. The editor empties the file before it writes it, and writes
        # one that nothing has changed in too.
        until(lambda: _written(path) != before and path.read_bytes() != b"", f"{path.name} to be written")
        return path.read_bytes().decode()

    def page(self, selector: str = "main") -> str:
        """Return the text that is shown in a webview."""
        return "\n".join(self.call("webview", selector))

    def shot(self, path: Path) -> None:
        """Take a picture."""
        self.call("shot", str(path))

    def _enter(self, key: str, text: str, row: str) -> None:
        """Open the editor's input by a key, type into it and take what it finds."""
        self._ask(key)
        self.call("insert", text)
        # What was used last stands there before the list has followed the text; what was found by it is marked.
        self._take(".quick-input-list .monaco-list-row.focused:has(.highlight)", row)

    def _ask(self, key: str) -> None:
        """Open the editor's input by a key."""
        for look in LOOKS:
            self.press(key)
            with contextlib.suppress(AssertionError):
                self.wait(".quick-input-widget input", seconds=look)
                return
            # A closed page of a panel may have taken the focus with it.
            self.click(".part.sidebar .title-label")
        raise AssertionError(f"waited in vain for the input of {key}")

    def _take(self, selector: str, row: str) -> None:
        """Take a row of the input's list once it is there."""
        self.wait(selector, row)
        self.press("Enter")
        self.gone(selector, row)

    def _prepare(self) -> None:
        for folder, text in (
            ("User/settings.json", _SETTINGS | self.settings),
            ("User/keybindings.json", self.keybindings),
            ("Machine/settings.json", self.machine),
        ):
            path = self.profile / "data" / folder
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps(text), encoding="utf-8")

    def _code(self, *arguments: str, log: IO[str]) -> subprocess.Popen[str]:
        program = PLACE / "code" / "node_modules" / ".bin" / "code-server"
        folders = ("--user-data-dir", str(self.profile / "data"), "--extensions-dir", str(self.profile / "extensions"))
        quiet = ("--disable-telemetry", "--disable-update-check")
        path = f"{PLACE / 'node' / 'current' / 'bin'}:{self.environment['PATH']}"
        return subprocess.Popen(
            [program, *folders, *quiet, *arguments],
            env=self.environment | {"PATH": path},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            text=True,
            start_new_session=True,
        )


def until(is_so: Callable[[], bool], what: str, seconds: float = WAIT) -> None:
    """Wait for something."""
    end = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < end, f"waited in vain for {what}"
        time.sleep(0.05)


def _written(path: Path) -> int | None:
    """Return when a file was written; None where there is none."""
    with contextlib.suppress(FileNotFoundError):
        return path.stat().st_mtime_ns
    return None


def _node() -> Path:
    node = PLACE / "node" / "current" / "bin" / "node"
    assert node.exists(), "VS Code is missing: run tests/editors/vscode/set-up.sh"
    return node


def _end(process: subprocess.Popen[str]) -> None:
    """End a program of ours and all that it started."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGTERM)
    try:
        process.wait(2)  # code-server would wait much longer for a browser that may come back
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(10)
    for stream in (process.stdin, process.stdout):
        if stream is not None:
            with contextlib.suppress(OSError):
                stream.close()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
