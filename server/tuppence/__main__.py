"""The ``tuppence`` command: hands the command line to cli/, and does nothing else.

``python -m tuppence`` puts the current folder, which may be anybody's project, before Python's own modules. It is taken
out before anything is imported from there; what a module needs later comes from the places of installed packages.
"""

from __future__ import annotations

import sys

if __name__ == "__main__" and sys.path and not sys.flags.safe_path:
    import os  # Python has it loaded long since.

    if __spec__ is not None and sys.path[0] in ("", os.getcwd()):  # noqa: PTH109 - pathlib is not loaded yet
        del sys.path[0]

from tuppence.cli import main

if __name__ == "__main__":
    sys.exit(main())
