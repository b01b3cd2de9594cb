"""From import statements to the project's own files: where a module, package, path or header lies.

Only places that exist inside the project are returned, each with the names that the target may use from it; None of
names is any name. Installed packages are not looked for.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from tuppence import regular_files
from tuppence.core.syntax.import_statements import Imported, ImportStyle, StyleName
from tuppence.regular_files import Unreadable
from tuppence.workspace import files

_MOST = 40
"""Files of one package that are looked at."""
_MOST_ENTRIES = 20_000
_ES_SUFFIXES = (".ts", ".tsx", ".d.ts", ".mts", ".cts", ".js", ".jsx", ".mjs", ".cjs")
_SOURCES = (".", "src", "lib", "include", "app")
"""Folders in which a project's own modules are looked for."""


@dataclass(frozen=True, slots=True)
class Lead:
    """A file of the project that may hold definitions that a target uses."""

    path: Path
    names: tuple[tuple[str, str], ...] | None
    """Pairs of the name there and the name here; None: every name counts."""


def leads(style: ImportStyle, imported: Iterable[Imported], path: Path, root: Path) -> Iterator[Lead]:
    """Yield the files that a file's imports lead to, nearest first, each as often as it is imported."""
    resolution = _RESOLUTIONS.get(style.name)
    if resolution is None:
        return iter(())
    found = chain.from_iterable(resolution.imported(each, path, root) for each in imported)
    return (lead for lead in chain(found, resolution.neighbors(path, root)) if lead.path != path)


def _folder(folder: Path, root: Path, suffix: str, without: str) -> Iterator[Lead]:
    try:
        names = [name for name, _ in regular_files.listed(folder, root, _MOST_ENTRIES) if Path(name).suffix == suffix]
    except Unreadable:
        return
    yield from (Lead(folder / name, None) for name in names[:_MOST] if not name.endswith(without))


def _first(candidates: Iterable[Path]) -> Path | None:
    return next((each for each in candidates if each.is_file()), None)


def _python_module(each: Imported, path: Path, root: Path) -> Iterator[Lead]:
    dots = len(each.module) - len(each.module.lstrip("."))
    parts = [part for part in each.module.split(".") if part]
    if dots:
        bases = [path.parents[dots - 1]] if dots <= len(path.parents) else []
    else:
        above = [folder for folder in path.parents if folder.is_relative_to(root)]
        bases = [*above, *(root / name for name in _SOURCES)]
    for base in bases:
        inner = base.joinpath(*parts, each.name) if each.name not in {"", "*"} else None
        submodule = inner and _first((inner.with_name(f"{inner.name}.py"), inner / "__init__.py"))
        if submodule:
            yield Lead(submodule, None)
            return
        module = base.joinpath(*parts)
        named = (module.with_name(f"{module.name}.py"),) if parts else ()
        found = _first((*named, module / "__init__.py"))
        if found:
            yield Lead(found, None if each.name in {"", "*"} else ((each.name, each.local),))
            return


def _es_module(each: Imported, path: Path, root: Path) -> Iterator[Lead]:
    if each.module.startswith("."):
        bases = [path.parent / each.module]
    elif each.module.startswith(("@/", "~/", "src/")):
        tail = each.module.partition("/")[2]
        bases = [root / "src" / tail, root / tail]
    else:
        return
    for base in bases:
        stems = [base, base.with_suffix("")] if base.suffix in _ES_SUFFIXES else [base]
        direct = (stem.with_name(stem.name + suffix) for stem in stems for suffix in _ES_SUFFIXES)
        index = (base / f"index{suffix}" for suffix in _ES_SUFFIXES)
        found = _first(chain((base,), direct, index))
        if found:
            whole = each.name in {"", "*", "default"}
            yield Lead(found, None if whole else ((each.name, each.local),))
            return


def _go_package(each: Imported, path: Path, root: Path) -> Iterator[Lead]:
    for folder in path.parents:
        if not folder.is_relative_to(root):
            return
        text = files.read_text(folder / "go.mod", (root,))
        named = re.search(r"^module\s+(\S+)", text, re.MULTILINE) if text else None
        if named:
            if each.module == named[1] or each.module.startswith(f"{named[1]}/"):
                yield from _folder(folder / each.module.removeprefix(named[1]).lstrip("/"), root, ".go", "_test.go")
            return


def _rust_module(each: Imported, path: Path, root: Path) -> Iterator[Lead]:
    crate = next((folder / "src" for folder in path.parents if (folder / "Cargo.toml").is_file()), root / "src")
    own = path.parent if path.stem in {"mod", "lib", "main"} else path.parent / path.stem
    first, *rest = each.module.split("::")
    bases = {"crate": crate, "self": own, "super": own.parent}
    base = bases.get(first)
    if base is None:
        base, rest = own, [first, *rest]
    while rest and rest[0] == "super":
        base, rest = base.parent, rest[1:]
    for length in range(len(rest), -1, -1):
        module = base.joinpath(*rest[:length])
        found = _rust_file(module / each.name) if length == len(rest) and each.name not in {"", "*"} else None
        if found:
            yield Lead(found, None)
            return
        found = _rust_file(module)
        if found and (length or first in bases):
            yield Lead(found, None if each.name in {"", "*"} else ((each.name, each.local),))
            return


def _rust_file(module: Path) -> Path | None:
    return _first((module.with_name(f"{module.name}.rs"), module / "mod.rs", module / "lib.rs", module / "main.rs"))


def _java_class(each: Imported, path: Path, root: Path) -> Iterator[Lead]:
    parts = each.module.removeprefix("static ").split(".")
    for folder in path.parents:
        if not folder.is_relative_to(root):
            return
        if each.name == "*" and folder.joinpath(*parts).is_dir():
            yield from _folder(folder.joinpath(*parts), root, ".java", "Test.java")
            return
        classes = (folder.joinpath(*parts, f"{each.name}.java"), folder.joinpath(*parts[:-1], f"{parts[-1]}.java"))
        found = _first(classes)
        if found:
            yield Lead(found, None)
            return


def _header(each: Imported, path: Path, root: Path) -> Iterator[Lead]:
    if not each.module.startswith('"'):
        return
    name = each.module[1:-1]
    found = _first((path.parent / name, *(root / folder / name for folder in _SOURCES)))
    if found:
        yield Lead(found, None)


def _go_neighbors(path: Path, root: Path) -> Iterator[Lead]:
    """Yield the files of the same package, which a file sees without an import."""
    return _folder(path.parent, root, ".go", "_test.go")


def _java_neighbors(path: Path, root: Path) -> Iterator[Lead]:
    """Yield the files of the same package, which a file sees without an import."""
    return _folder(path.parent, root, ".java", "Test.java")


def _own_header(path: Path, _root: Path) -> Iterator[Lead]:
    """Yield the headers of a source file that have its name."""
    if path.suffix not in {".h", ".hpp"}:
        own = (path.with_suffix(suffix) for suffix in (".h", ".hpp", ".hh"))
        yield from (Lead(each, None) for each in own if each.is_file())


def _no_neighbors(_path: Path, _root: Path) -> Iterator[Lead]:
    return iter(())


@dataclass(frozen=True, slots=True)
class _Resolution:
    """How a family of languages finds the files of a project."""

    imported: Callable[[Imported, Path, Path], Iterator[Lead]]
    """Yields the files of one import in a file at a path, given the project's root."""
    neighbors: Callable[[Path, Path], Iterator[Lead]] = _no_neighbors
    """Yields the files that a file at a path sees without importing them, given the project's root."""


_RESOLUTIONS: Mapping[StyleName, _Resolution] = {
    "python": _Resolution(_python_module),
    "es": _Resolution(_es_module),
    "go": _Resolution(_go_package, _go_neighbors),
    "rust": _Resolution(_rust_module),
    "java": _Resolution(_java_class, _java_neighbors),
    "include": _Resolution(_header, _own_header),
}
