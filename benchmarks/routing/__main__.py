"""``python -m benchmarks.routing --data DIR``: fits the shipped weights and measures what they are worth.

Writes server/tuppence/weights.json and the results; ``--check`` only says whether the shipped weights come out again.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from benchmarks.routing import checks, data, evaluate, policy
from benchmarks.routing.climb import simulate
from benchmarks.routing.diagram import diagram
from benchmarks.routing.report import Ladder, chart, write
from benchmarks.routing.worth import with_presets
from tuppence.config import load

ROOT = Path(__file__).parent.parent.parent
WEIGHTS = ROOT / "server" / "tuppence" / "weights.json"
ABOUT = {
    "what": "What models are expected to do, fitted by benchmarks/routing; its README says how to get the data.",
    "scores and tokens": "CodeRouterBench (arXiv 2606.22902), probing split, one run of each task; MIT",
    "code": "DebugBench, CodeXGLUE, HumanEval, CRUXEval; Apache-2.0 and MIT. No code is contained here.",
    "thinking": "glm-5, MiniMax-M2.7 and qwen3.5-plus were measured with it on; but for tests, 4 to 15 times as long",
    "edits": "EDIT-Bench (waynchi/editbench 2ecd131), share of 540 edits that pass; Apache-2.0 and MIT",
}


def main() -> int:
    """Run the command, and return its exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.routing", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, metavar="DIR", help="the data set's folder")
    parser.add_argument("--check", action="store_true", help="only compare the fit with the shipped weights")
    arguments = parser.parse_args()
    tasks, edits = data.read(arguments.data), data.read_edits(arguments.data)
    sharp = checks.measure(arguments.data, edits)
    fitting = with_presets(policy.plain(edits, load().models, sharp), policy.table())
    text = _written(fitting(tasks))
    if arguments.check:
        same = WEIGHTS.read_text("utf-8") == text
        print("The shipped weights come out again." if same else "The shipped weights are others.")
        return 0 if same else 1
    WEIGHTS.write_text(text, "utf-8")
    print(f"{WEIGHTS.relative_to(ROOT)}: {len(text):,} bytes")
    found = evaluate.evaluate(tasks, fitting)
    climbs = simulate(edits, data.read_edit_groups(arguments.data), sharp["fix"])
    ladder = Ladder(sharp, data.read_hopeless(arguments.data), climbs)
    write(found, ladder, ROOT / "benchmarks" / "routing" / "RESULTS.md")
    chart(found, ROOT / "docs" / "images" / "routing.svg")
    diagram(found.reliability, ROOT / "docs" / "images" / "calibration.svg")
    return 0


def _written(weights: dict[str, Any]) -> str:
    return json.dumps({"about": ABOUT, **weights}, indent=1, sort_keys=True) + "\n"


if __name__ == "__main__":
    sys.exit(main())
