"""A function in each of six languages, and an answer to "fix it" into which a test injects lines of its own."""

from __future__ import annotations

from dataclasses import dataclass

from tuppence.core.actions import FIX
from tuppence.core.answer_builder import Task, builder_for
from tuppence.core.checks.slop import Evidence
from tuppence.core.checks.verdict import Verdict
from tuppence.core.syntax.languages import by_suffix
from tuppence.core.syntax.parser import parse
from tuppence.core.syntax.target import Target
from tuppence.core.text.document import Document


@dataclass(frozen=True)
class Sample:
    """A file with a function ``mean`` that has a bug, and the corrected function."""

    path: str
    source: str
    fixed: str
    """The new text of ``mean``; ``@@`` marks the place for injected lines."""
    comment: str
    """A comment, and a string literal; ``@@`` marks the place for the text."""
    text: str


SAMPLES = {
    "python": Sample(
        "src/app/stats.py",
        "import os\n\n\ndef mean(xs):\n    return sum(xs) / len(x)\n\n\n"
        "def half(x):\n    return os.path.join(str(x / 2))\n",
        "def mean(xs):\n@@    return sum(xs) / len(xs)",
        "    # @@\n",
        '    label = "@@"\n',
    ),
    "javascript": Sample(
        "src/app/stats.js",
        'import fs from "fs";\n\nexport function mean(xs) {\n  return sum(xs) / x.length;\n}\n\n'
        'function sum(xs) {\n  return xs.reduce((a, b) => a + b, 0);\n}\n\nfs.existsSync("a");\n',
        "export function mean(xs) {\n@@  return sum(xs) / xs.length;\n}",
        "  // @@\n",
        '  const label = "@@";\n',
    ),
    "go": Sample(
        "src/app/stats.go",
        'package app\n\nimport (\n\t"fmt"\n)\n\nfunc Mean(xs []float64) float64 {\n'
        "\treturn sum(xs) / float64(len(x))\n}\n\n"
        "func sum(xs []float64) float64 {\n\tfmt.Println(len(xs))\n\treturn 0\n}\n",
        "func Mean(xs []float64) float64 {\n@@\treturn sum(xs) / float64(len(xs))\n}",
        "\t// @@\n",
        '\tlabel := "@@"\n',
    ),
    "rust": Sample(
        "src/app/stats.rs",
        "use std::fmt;\n\npub fn mean(xs: &[f64]) -> f64 {\n    sum(xs) / x.len() as f64\n}\n\n"
        "fn sum(xs: &[f64]) -> f64 {\n    let _: fmt::Error;\n    xs.iter().sum()\n}\n",
        "pub fn mean(xs: &[f64]) -> f64 {\n@@    sum(xs) / xs.len() as f64\n}",
        "    // @@\n",
        '    let label = "@@";\n',
    ),
    "java": Sample(
        "src/app/Stats.java",
        "package app;\n\nimport java.util.List;\n\nclass Stats {\n    static double mean(List<Double> xs) {\n"
        "        return sum(xs) / x.size();\n    }\n\n    static double sum(List<Double> xs) {\n"
        "        return 0;\n    }\n}\n",
        "    static double mean(List<Double> xs) {\n@@        return sum(xs) / xs.size();\n    }",
        "        // @@\n",
        '        String label = "@@";\n',
    ),
    "c": Sample(
        "src/app/stats.c",
        "#include <stddef.h>\n\nstatic double sum(const double *xs, size_t n) { return n ? xs[0] : 0; }\n\n"
        "double mean(const double *xs, size_t n) {\n  return sum(xs, n) / m;\n}\n",
        "double mean(const double *xs, size_t n) {\n@@  return sum(xs, n) / n;\n}",
        "  // @@\n",
        '  const char *label = "@@";\n',
    ),
}


def task(name: str, source: str = "", evidence: Evidence | None = None) -> Task:
    """Return the task of fixing ``mean`` in a language's sample, or in another source."""
    sample = SAMPLES[name]
    known = by_suffix(sample.path)
    text = source or sample.source
    document = Document(f"file:///p/{sample.path}", known.id, 1, text)
    tree = parse(text, known)
    block = next(each for each in tree.blocks() if each.name.lower() == "mean")
    target = Target(document.whole_lines(block.span), block.name, block.kind)
    given = evidence or Evidence(root="file:///p")
    return Task(action=FIX, document=document, tree=tree, language=known, target=target, evidence=given)


def judged(work: Task, code: str, imports: str = "") -> Verdict:
    """Return the verdict on an answer with this code and these import lines."""
    reply = f"````\n{code}\n````\n" + (f"````imports\n{imports}\n````\n" if imports else "")
    builder = builder_for(work)
    builder.feed(reply)
    return builder.finish("end")[1].verdict


def answered(name: str, inside: str = "", imports: str = "", evidence: Evidence | None = None) -> Verdict:
    """Return the verdict on the sample's fix with further lines inside the function and further import lines."""
    return judged(task(name, evidence=evidence), SAMPLES[name].fixed.replace("@@", inside), imports)
