"""The ``tuppence`` command: hands the command line to cli/, and does nothing else."""

from __future__ import annotations

import sys

from tuppence.cli import main

if __name__ == "__main__":
    sys.exit(main())
