"""A program between an editor and a server that records everything the server writes: ``tee.py FILE COMMAND...``."""

from __future__ import annotations

import subprocess
import sys

if __name__ == "__main__":
    with open(sys.argv[1], "ab", buffering=0) as log:  # noqa: PTH123 - a script without anything of ours
        server = subprocess.Popen(sys.argv[2:], stdout=subprocess.PIPE, bufsize=0)
        assert server.stdout is not None
        while chunk := server.stdout.read(65_536):
            log.write(chunk)
            sys.stdout.buffer.write(chunk)
            sys.stdout.buffer.flush()
        sys.exit(server.wait())
