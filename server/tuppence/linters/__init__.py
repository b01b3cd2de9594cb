"""The impure part of checking and fixing: linters, run as programs on the text as it is or would be.

Nothing is written to disk. Only ruff is known so far; for other languages there is the grammar
(core/checks/structure.py) and what the editor's own servers say (lsp/features/other_servers.py).
"""

from tuppence.linters.quick_fix import Ready, ready_fix
from tuppence.linters.recheck import recheck
from tuppence.linters.ruff import lint, safe_fix

__all__ = ["Ready", "lint", "ready_fix", "recheck", "safe_fix"]
