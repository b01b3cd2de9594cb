"""A real Emacs with eglot in a terminal: keys go through the terminal, questions through emacsclient."""

from __future__ import annotations

import base64
import json
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path

from tests.editors.session import SNIPPETS, Bench
from tests.editors.terminal import WAIT, Terminal, until

_EARLY = "(setq native-comp-deferred-compilation nil)"
_INIT = """
(setq server-socket-dir "{folder}"
      server-name "emacs"
      inhibit-startup-screen t
      make-backup-files nil
      auto-save-default nil
      create-lockfiles nil)
{snippet}
(require 'server)
(server-start)
"""
_TEXT = "(let ((s (buffer-string))) (encode-coding-string s buffer-file-coding-system))"
_MARKS = """
(encode-coding-string
 (mapconcat (lambda (d) (if (= (line-number-at-pos (flymake-diagnostic-beg d)) %d) (flymake-diagnostic-text d) ""))
            (flymake-diagnostics) "\n")
 'utf-8)
"""
_DEAF = """
(progn
  (while (not (file-exists-p %s)) nil)
  (save-excursion (goto-char (point-min)) (forward-line %d) (insert %s "\n"))
  "")
"""


class Emacs:
    """One session."""

    def __init__(self, bench: Bench) -> None:
        self._bench = bench
        self.terminal = Terminal(bench.root, bench.environment)
        folder = bench.home / ".emacs.d"
        folder.mkdir()
        (folder / "early-init.el").write_text(_EARLY)
        snippet = (SNIPPETS / "eglot.el").read_text()
        (folder / "init.el").write_text(_INIT.format(folder=self.terminal.folder, snippet=snippet))
        self.terminal.start(["emacs", "-nw"])
        until((self.terminal.folder / "emacs").exists, "Emacs to start")
        self._name = "*scratch*"

    def close(self) -> None:
        """End the session."""
        self.terminal.close()

    def visit(self, path: Path) -> None:
        """See ``Session``."""
        self.terminal.keys("C-x", "C-f", "C-a", "C-k")
        self.terminal.type(str(path))
        self.terminal.keys("Enter")
        # The name is on the screen while it is still being typed.
        until(lambda: self._holds(path.name), f"{path.name} to be visited")
        self._name = path.name
        if not self._managed():
            self.command("eglot")
            until(self._managed, "eglot to be connected")

    def command(self, name: str) -> None:
        """Run a command by its name."""
        self.terminal.keys("M-x")
        self.terminal.type(name)
        self.terminal.keys("Enter")

    def pick(self, line: int, title: str) -> None:
        """See ``Session``."""
        self._open(line)
        self.terminal.type(title.partition(" ")[0])
        self.terminal.keys("Tab", "Enter")

    def offered(self, line: int) -> str:
        """See ``Session``."""
        self._open(line)
        self.terminal.keys("Tab", "Tab")
        screen = self.terminal.shows("Explain")
        self.terminal.keys("C-g")
        self.command("delete-other-windows")
        return screen

    def hover(self, line: int) -> None:
        """See ``Session``."""
        self._go(line)
        self.terminal.keys("M-f", "M-f", "M-b")
        self.command("eldoc-print-current-symbol-info")

    def insert(self, line: int, text: str) -> None:
        """See ``Session``."""
        self._go(line)
        self.terminal.keys("C-o")
        self.terminal.type(text)

    def amend(self, line: int, text: str) -> None:
        """See ``Session``."""
        self._go(line)
        self.terminal.keys("C-e")
        self.terminal.type(text)

    def save(self) -> None:
        """See ``Session``."""
        self.terminal.keys("C-x", "C-s")

    def undo(self) -> None:
        """See ``Session``."""
        self.terminal.keys("C-_")

    def text(self) -> str:
        """See ``Session``."""
        return self.lisp(_TEXT)

    def told(self) -> str:
        """See ``Session``."""
        return self.lisp('(with-current-buffer "*Messages*" (encode-coding-string (buffer-string) (quote utf-8)))')

    def marks(self, line: int) -> str:
        """See ``Session``."""
        return self.lisp(_MARKS % line)

    def agree(self) -> None:
        """See ``Session``."""
        self.terminal.shows("Proceed? (y or n)")
        self.terminal.type("y")

    def deaf(self, until: Callable[[], object], line: int, text: str) -> None:
        """See ``Session``."""
        flag = self.terminal.folder / "hear"
        thread = threading.Thread(target=self.lisp, args=(_DEAF % (json.dumps(str(flag)), line - 1, json.dumps(text)),))
        thread.start()
        try:
            until()
        finally:
            flag.touch()
            thread.join(WAIT)

    def lisp(self, code: str) -> str:
        """Evaluate Lisp that gives a string of bytes in the visited buffer, and return it."""
        form = f'(with-current-buffer "{self._name}" (base64-encode-string {code} t))'
        command = ["emacsclient", "-s", str(self.terminal.folder / "emacs"), "-e", form]
        done = subprocess.run(
            command, check=False, capture_output=True, text=True, timeout=WAIT, env=self._bench.environment
        )
        assert done.returncode == 0, done.stderr
        return base64.b64decode(done.stdout.strip().strip('"')).decode()

    def _holds(self, name: str) -> bool:
        return self.lisp(f'(if (get-buffer "{name}") "yes" "")') == "yes"

    def _managed(self) -> bool:
        return self.lisp('(if (and (featurep (quote eglot)) (eglot-current-server)) "yes" "")') == "yes"

    def _open(self, line: int) -> None:
        """Open the menu on a line."""
        self._go(line)
        self.command("eglot-code-actions")
        self.terminal.shows("Pick an action")

    def _go(self, line: int) -> None:
        self.terminal.keys("M-g", "g")
        self.terminal.type(f"{line}")
        self.terminal.keys("Enter")
