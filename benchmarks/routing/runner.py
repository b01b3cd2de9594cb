"""The child that runs small programs and their mutants: reads questions as JSON, writes what came of each.

A question is the code as it is and its mutants, a call's arguments and the right value. Each run has a time limit, and
the process a limit of memory; nothing is imported that a program did not ask for.
"""

from __future__ import annotations

import json
import resource
import signal
import sys
from typing import Any

_SECONDS = 0.2
"""Of the processor, so that a busy machine gives the same answers."""
_BYTES = 1 << 30
_FAILED = "failed"


def main() -> None:
    """Answer every question."""
    resource.setrlimit(resource.RLIMIT_AS, (_BYTES, _BYTES))
    signal.signal(signal.SIGVTALRM, _late)
    answers = [_answer(question) for question in json.load(sys.stdin)]
    json.dump(answers, sys.stdout)


def _answer(question: dict[str, Any]) -> dict[str, Any]:
    """Return what a test of the right value would say, and tests of what each mutant returns."""
    values = [_value(code, question["call"]) for code in question["codes"]]
    right = _value(f"def f():\n    return {question['output']}", "")
    own, others = values[0], values[1:]
    mistaken = [value for value in others if value not in (_FAILED, right)]
    return {
        "passes": own == right,
        "caught": any(value != right for value in others),
        "wrong": len(mistaken),
        "found": sum(value != own for value in mistaken),
    }


def _value(code: str, call: str) -> str:
    """Return what f returns, as Python writes it; one word for what raises or takes too long."""
    space: dict[str, Any] = {}
    signal.setitimer(signal.ITIMER_VIRTUAL, _SECONDS)
    try:
        exec(code, space)  # noqa: S102 - public programs, which is what this child is for
        return repr(eval(f"f({call})", space))  # noqa: S307 - the same
    except (Exception, SystemExit):  # noqa: BLE001 - whatever a program raises
        return _FAILED
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)


def _late(*_: object) -> None:
    raise TimeoutError


if __name__ == "__main__":
    main()
