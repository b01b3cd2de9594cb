"""Run linters as programs on the text, as it is or as an edit would leave it.

Nothing is written to disk. Only ruff is supported so far; other languages rely on the grammar
(core/checks/structure.py) and on the diagnostics of the editor's own servers (lsp/features/other_servers.py).
"""

from tuppence.linters.quick_fix import Ready, ready_fix
from tuppence.linters.recheck import recheck
from tuppence.linters.ruff import lint, safe_fix

__all__ = ["Ready", "lint", "ready_fix", "recheck", "safe_fix"]
