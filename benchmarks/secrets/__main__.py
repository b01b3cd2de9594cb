"""Count what would be replaced in public code: the Python packages that are installed here.

    .venv/bin/python -m benchmarks.secrets

It prints how many values would be replaced for each 1,000 lines, by kind, and how long a search takes.
"""

from __future__ import annotations

import sysconfig
import time
from collections import Counter
from pathlib import Path

from tuppence.core.secrets.detect import SecretDetector
from tuppence.core.secrets.placeholder import Unsearchable


def main() -> None:
    """Search every file and print the figures."""
    detector, kinds = SecretDetector(), Counter[str]()
    lines = files = unsearchable = 0
    seconds = 0.0
    for path in sorted(Path(sysconfig.get_path("purelib")).rglob("*.py")):
        try:
            text = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError):
            continue
        files, lines = files + 1, lines + text.count("\n")
        start = time.thread_time()
        try:
            kinds.update(each.kind for each in detector.find(text))
        except Unsearchable:
            unsearchable += 1
        seconds += time.thread_time() - start
    print(f"{files} files, {lines} lines; {unsearchable} cannot be searched and would not be sent")
    print(f"{1000 * kinds.total() / lines:.3f} values replaced for each 1,000 lines: {dict(kinds.most_common())}")
    print(f"{1e6 * seconds / lines:.1f} ms of processor time for each 1,000 lines")


if __name__ == "__main__":
    main()
