"""What an import statement brings in, read from its text by the language's import style.

One ``Imported`` for each name. It reads; core/answer/merge_imports.py merges, and workspace/import_resolution.py finds
the files.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from tuppence.core.syntax.language import ImportStyle, Language

_QUOTED = r"""["'`]([^"'`]+)["'`]"""
_ES_FROM = re.compile(rf"import\s+(?:type\s+)?(?P<what>.*?)\s*from\s*{_QUOTED}", re.DOTALL)
_ES_BARE = re.compile(rf"import\s*{_QUOTED}")
_ES_REQUIRE = re.compile(rf"(?:const|let|var)\s+(?P<what>.*?)\s*=\s*require\s*\(\s*{_QUOTED}\s*\)", re.DOTALL)
_GO_SPEC = re.compile(r"(?:(?P<alias>[\w.]+)\s+)?" + _QUOTED)
_COMMENT = re.compile(r"//[^\n]*|/\*.*?\*/", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Imported:
    """One thing that an import statement brings in."""

    module: str
    """The module, package, path or header, as the statement writes it."""
    name: str = ""
    """The name taken from it; empty for the module itself, ``*`` for all names, ``default`` for a default export."""
    alias: str = ""
    """What the file calls it where that differs."""

    @property
    def local(self) -> str:
        """The name under which the file knows it; empty where it brings in none of its own."""
        return self.alias or (self.name if self.name not in {"*", "default"} else "")


def read(statement: str, language: Language) -> tuple[Imported, ...]:
    """Return what a statement brings in, in its order; one whole-line entry where the style has no names."""
    readers: dict[ImportStyle, Callable[[str], Iterator[Imported]]] = {
        "python": _python,
        "es": _es,
        "go": _go,
        "rust": _rust,
        "java": _java,
        "include": _include,
        "line": _line,
    }
    return tuple(readers[language.import_style](statement))


def _python(statement: str) -> Iterator[Imported]:
    text = re.sub(r"#[^\n]*", "", statement)
    text = " ".join(text.replace("\\\n", " ").replace("(", " ").replace(")", " ").split())
    if text.startswith("from "):
        module, _, names = text[5:].partition(" import ")
        for part in _split(names):
            name, _, alias = part.partition(" as ")
            yield Imported(module.strip().replace(" ", ""), name.strip(), alias.strip())
    else:
        for part in _split(text.removeprefix("import ")):
            module, _, alias = part.partition(" as ")
            yield Imported(module.strip(), "", alias.strip())


def _es(statement: str) -> Iterator[Imported]:
    text = _COMMENT.sub("", statement) if "://" not in statement else statement
    found = _ES_FROM.match(text)
    if found is None:
        bare, required = _ES_BARE.match(text), _ES_REQUIRE.match(text)
        if bare is not None:
            yield Imported(bare[1])
        elif required is not None:
            yield from _es_names(required["what"], required[2], "")
        return
    yield from _es_names(found["what"], found[2], "default")


def _es_names(what: str, module: str, bare: str) -> Iterator[Imported]:
    """Yield the names of an import clause; ``bare`` is what a name outside braces stands for."""
    braces = re.search(r"\{(.*?)\}", what, re.DOTALL)
    for part in _split(re.sub(r"\{.*?\}", "", what, flags=re.DOTALL)):
        if part.startswith("*"):
            yield Imported(module, "*", part.partition(" as ")[2].strip())
        else:
            yield Imported(module, bare, part)
    for part in _split(braces[1]) if braces else ():
        name, _, alias = re.sub(r"\s*:\s*|\s+as\s+", " as ", part.removeprefix("type ")).partition(" as ")
        yield Imported(module, name.strip(), alias.strip())


def _go(statement: str) -> Iterator[Imported]:
    for found in _GO_SPEC.finditer(re.sub(r"//[^\n]*", "", statement).removeprefix("import").lstrip(" (\n\t\r")):
        yield Imported(found[2], "", found["alias"] or "")


def _rust(statement: str) -> Iterator[Imported]:
    text = " ".join(_COMMENT.sub("", statement).split()).rstrip("; ")
    text = re.sub(r"^(pub(\([^)]*\))? )?(use|extern crate) ", "", text)
    for path in _expanded(text.replace("\n", " ")):
        taken, _, alias = path.partition(" as ")
        module, _, name = taken.strip().rpartition("::")
        yield Imported(module or name, name if module else "", alias.strip())


def _expanded(tree: str) -> Iterator[str]:
    """Yield each path of a Rust use tree: ``a::{b, c::{d, self}}`` is ``a::b``, ``a::c::d`` and ``a::c``."""
    tree = tree.strip()
    opening = tree.find("{")
    if opening < 0:
        yield tree
        return
    prefix, inner = tree[:opening], tree[opening + 1 : tree.rfind("}")]
    for part in _outside_braces(inner):
        for path in _expanded(part):
            yield prefix.removesuffix("::") if path == "self" else prefix + path


def _outside_braces(text: str) -> Iterator[str]:
    depth, start = 0, 0
    for index, character in enumerate((*text, ",")):
        depth += (character == "{") - (character == "}")
        if character == "," and depth == 0:
            if part := text[start:index].strip():
                yield part
            start = index + 1


def _java(statement: str) -> Iterator[Imported]:
    text = " ".join(statement.rstrip("; \r\n").split()).removeprefix("import ")
    module, _, name = text.rpartition(".")
    yield Imported(module, name)


def _include(statement: str) -> Iterator[Imported]:
    found = re.match(r"""#\s*include\s*([<"][^>"]+[>"])""", statement)
    yield Imported(found[1] if found else " ".join(statement.split()))


def _line(statement: str) -> Iterator[Imported]:
    yield Imported(" ".join(statement.split()))


def _split(names: str) -> list[str]:
    return [" ".join(part.split()) for part in names.split(",") if part.strip()]
