"""One small project in each of four languages, the replies of a model, and the expected files."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Case:
    """A source file with a function ``mean`` that has a bug, and the data of every request about it."""

    language: str
    name: str
    """The source file."""
    source: str
    others: dict[str, str]
    """The project's other files."""
    elsewhere: str
    """A piece of another file that the model must receive, because ``mean`` uses it."""
    message: str
    """The message of a language server about ``wrong``."""
    wrong: str
    """The text that the diagnostic and the review refer to; it occurs once."""
    fix: str
    """The model's answer to "Fix"."""
    fixed: str
    """The complete file after the fix."""
    tests: str
    """The model's answer to "Generate tests"."""
    test_file: str
    tested: str
    """The complete test file afterwards."""


PYTHON = Case(
    language="python",
    name="stats.py",
    source='''"""Figures."""

from rounding import tidy


def mean(values):
    total = 0
    for value in values:
        total += value
    return tidy(total / len(vals))


def spread(values):
    return max(values) - min(values)
''',
    others={"rounding.py": 'def tidy(figure):\n    """Round half to even, to cents."""\n    return round(figure, 2)\n'},
    elsewhere='"""Round half to even, to cents."""',
    message="undefined name 'vals'",
    wrong="return tidy(total / len(vals))",
    fix="""```python
def mean(values):
    return tidy(fmean(values))
```

```imports
from statistics import fmean
from rounding import tidy
```
""",
    fixed='''"""Figures."""

from rounding import tidy
from statistics import fmean


def mean(values):
    return tidy(fmean(values))


def spread(values):
    return max(values) - min(values)
''',
    tests="""```python
def test_mean_of_two():
    assert mean([1, 2]) == 1.5
```
```imports
from stats import mean
```
""",
    test_file="tests/test_stats.py",
    tested="from stats import mean\n\n\ndef test_mean_of_two():\n    assert mean([1, 2]) == 1.5\n",
)
TYPESCRIPT = Case(
    language="typescript",
    name="src/stats.ts",
    source="""import { tidy } from "./rounding";

export function mean(values: number[]): number {
  let total = 0;
  for (const value of values) total += value;
  return tidy(total / vals.length);
}

export const spread = (values: number[]) => Math.max(...values) - Math.min(...values);
""",
    others={
        "package.json": '{ "name": "figures" }\n',
        "src/rounding.ts": "/** Rounds to cents. */\nexport function tidy(n: number): number {\n  return n;\n}\n",
        "src/limits.ts": "export const most = 10;\nexport const least = 0;\n",
    },
    elsewhere="Rounds to cents.",
    message="Cannot find name 'vals'.",
    wrong="return tidy(total / vals.length);",
    fix="""Here it is:

```typescript
export function mean(values: number[]): number {
  let total = 0;
  for (const value of values) total += Math.min(value, most);
  return tidy(total / values.length);
}
```

```imports
import { most } from "./limits";
```
""",
    fixed="""import { tidy } from "./rounding";
import { most } from "./limits";

export function mean(values: number[]): number {
  let total = 0;
  for (const value of values) total += Math.min(value, most);
  return tidy(total / values.length);
}

export const spread = (values: number[]) => Math.max(...values) - Math.min(...values);
""",
    tests="""```ts
test("the mean of two", () => {
  expect(mean([1, 2])).toBe(1.5);
});
```
```imports
import { expect, test } from "vitest";
import { mean } from "./stats";
```
""",
    test_file="src/stats.test.ts",
    tested="""import { expect, test } from "vitest";
import { mean } from "./stats";

test("the mean of two", () => {
  expect(mean([1, 2])).toBe(1.5);
});
""",
)
GO = Case(
    language="go",
    name="stats/stats.go",
    source="""package stats

import (
\t"figures/rounding"
)

// mean is what it says.
func mean(values []float64) float64 {
\ttotal := 0.0
\tfor _, value := range values {
\t\ttotal += value
\t}
\treturn rounding.Tidy(total / float64(len(vals)))
}

func spread(low, high float64) float64 {
\treturn high - low
}
""",
    others={
        "go.mod": "module figures\n\ngo 1.22\n",
        "rounding/rounding.go": "package rounding\n\n// Tidy rounds to cents.\nfunc Tidy(figure float64) float64 {\n\treturn figure\n}\n",  # noqa: E501 - one file
    },
    elsewhere="Tidy rounds to cents.",
    message="undefined: vals",
    wrong="return rounding.Tidy(total / float64(len(vals)))",
    fix="""```go
func mean(values []float64) float64 {
\tif len(values) == 0 {
\t\treturn math.NaN()
\t}
\ttotal := 0.0
\tfor _, value := range values {
\t\ttotal += value
\t}
\treturn rounding.Tidy(total / float64(len(values)))
}
```
```imports
"math"
```
""",
    fixed="""package stats

import (
\t"figures/rounding"
\t"math"
)

// mean is what it says.
func mean(values []float64) float64 {
\tif len(values) == 0 {
\t\treturn math.NaN()
\t}
\ttotal := 0.0
\tfor _, value := range values {
\t\ttotal += value
\t}
\treturn rounding.Tidy(total / float64(len(values)))
}

func spread(low, high float64) float64 {
\treturn high - low
}
""",
    tests="""```go
func TestMeanOfTwo(t *testing.T) {
\tif got := mean([]float64{1, 2}); got != 1.5 {
\t\tt.Errorf("got %v", got)
\t}
}
```
```imports
import "testing"
```
""",
    test_file="stats/stats_test.go",
    tested="""package stats

import "testing"

func TestMeanOfTwo(t *testing.T) {
\tif got := mean([]float64{1, 2}); got != 1.5 {
\t\tt.Errorf("got %v", got)
\t}
}
""",
)
_RUST_FIXED = """use crate::rounding::tidy;
use std::f64::NAN;

pub fn mean(values: &[f64]) -> f64 {
    if values.is_empty() {
        return NAN;
    }
    let total: f64 = values.iter().sum();
    tidy(total / values.len() as f64)
}

pub fn spread(low: f64, high: f64) -> f64 {
    high - low
}
"""
RUST = Case(
    language="rust",
    name="src/stats.rs",
    source="""use crate::rounding::tidy;

pub fn mean(values: &[f64]) -> f64 {
    let total: f64 = values.iter().sum();
    tidy(total / vals.len() as f64)
}

pub fn spread(low: f64, high: f64) -> f64 {
    high - low
}
""",
    others={
        "Cargo.toml": '[package]\nname = "figures"\nversion = "0.1.0"\n',
        "src/lib.rs": "mod rounding;\nmod stats;\n",
        "src/rounding.rs": "/// Rounds to cents.\npub fn tidy(figure: f64) -> f64 {\n    figure\n}\n",
    },
    elsewhere="Rounds to cents.",
    message="cannot find value `vals` in this scope",
    wrong="tidy(total / vals.len() as f64)",
    fix="""```rust
pub fn mean(values: &[f64]) -> f64 {
    if values.is_empty() {
        return NAN;
    }
    let total: f64 = values.iter().sum();
    tidy(total / values.len() as f64)
}
```
```imports
use std::f64::NAN;
```
""",
    fixed=_RUST_FIXED,
    tests="""```rust
#[cfg(test)]
mod tests {
    #[test]
    fn mean_of_two() {
        assert_eq!(mean(&[1.0, 2.0]), 1.5);
    }
}
```
```imports
use super::*;
```
""",
    test_file="src/stats.rs",
    tested=f"""{_RUST_FIXED}
#[cfg(test)]
mod tests {{
    use super::*;

    #[test]
    fn mean_of_two() {{
        assert_eq!(mean(&[1.0, 2.0]), 1.5);
    }}
}}
""",
)
CASES = (PYTHON, TYPESCRIPT, GO, RUST)
