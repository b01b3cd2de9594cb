"""Check the imports that an edit adds: those that shadow a name, leave the project, or exist for side effects only.

An import by a path that leaves the open folder, or by an absolute path, is rejected. Everything else is a doubt that
the closing message shows, because an unusual import may be right. Imports are found anywhere in the new text; those
that the old text has too do not count.
"""

from __future__ import annotations

import re
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import unquote

from tuppence.core.checks.doubts.import_tables import FAMILIES, GO_STANDARD, IDLE, Family
from tuppence.core.checks.doubts.urls import new_urls
from tuppence.core.checks.edited_text import EditedText
from tuppence.core.syntax.code_lines import code_lines
from tuppence.core.syntax.import_statements import Imported
from tuppence.core.syntax.parser import SyntaxTree
from tuppence.core.syntax.tree import Tree
from tuppence.core.text.document import Span

_REQUIRED = re.compile(r"\b(?:require(?:\.resolve)?|import)\s*\(\s*([\"'`])([^\"'`$]{1,500})\1\s*[,)]")
_EXPORTED = re.compile(r"export\b[^\"'`]{0,2000}?\bfrom\s*[\"'`]([^\"'`]+)[\"'`]")
_REFERENCE = re.compile(r"///\s*<\s*reference\s+(?P<kind>path|types)\s*=\s*[\"']([^\"']+)[\"']")
_RUST_FILE = re.compile(r"(?:#!?\[\s*path\s*=\s*|\binclude(?:_str|_bytes)?!\s*[(\[{]\s*)r?#{0,3}\"([^\"\n]{1,500})\"")
_GO_EMBED = re.compile(r"^[^\S\n]*+//go:embed\s+(\S+)", re.MULTILINE)
_C_FILE = re.compile(
    r"^[^\S\n]*+(?:#|%:|\?\?=)\s*(?:include|include_next|import|embed)\s*[<\"]([^>\"\n]{1,500})[>\"]", re.MULTILINE
)
_C_MACRO = re.compile(r"^[^\S\n]*+(?:#|%:)\s*include(?:_next)?\s+[A-Za-z_]", re.MULTILINE)
_DEFINE = re.compile(r"^[^\S\n]*+(?:#|%:)\s*(?:define|undef)\s+([A-Za-z_]\w*)", re.MULTILINE)
_JSX = re.compile(r"@jsx(?:Frag|ImportSource|Runtime)?\s+\S+")
_CODING = re.compile(r"^[ \t\f]*#.{0,80}?coding[:=][ \t]*(?!utf-?8\b|ascii\b)([-\w.]+)", re.MULTILINE | re.IGNORECASE)
_PLACE = re.compile(
    r"(?:file|data|blob|javascript):|[A-Za-z]:[\\/]|[\\/]{2}|/(?:etc|proc|sys|dev|home|root|usr|var|tmp|opt|mnt|run|boot|srv|Users|private|Library)(?:/|$)",
    re.IGNORECASE,
)
"""Prefixes of absolute paths, ``file:`` URLs and ``data:`` modules."""
_REMOTE = re.compile(r"(?:https?|wss?|ftp):", re.IGNORECASE)
_ASSET = re.compile(r"\.(?:css|scss|sass|less|svg|png|jpe?g|gif|webp|woff2?|json|txt|html)(?:\?\w+)?$")
_OF_TESTS = re.compile(r"(?:org\.(?:junit|assertj|mockito|hamcrest|testng)|static org\.|java\.|javax\.)")
_GLOBS = re.compile(r"(?:super|self|crate)(?:::|$)|.*::prelude$|prelude$")
_DEFINES = re.compile(
    r"(?:export\s+(?:default\s+)?|pub(?:\([^)]*\))?\s+|async\s+)*(?:def|class|function|func|fn|impl|#)\b"
)
"""The first line of a definition, whose parameters are local to it."""
_ESCAPE = re.compile(r"\\(?:u\{?([0-9A-Fa-f]{1,6})\}?|x([0-9A-Fa-f]{2})|([0-7]{1,3})|\r?\n)")
"""An escaped character in a string literal, or an escaped line ending."""
_FAR = 4
"""Number of parent folders from which a path is a doubt if the open folder is unknown."""
_SHOWN = 60


@dataclass(frozen=True, slots=True)
class ImportFindings:
    """The result of checking an edit's imports."""

    reason: str = ""
    """A sentence that says why the edit is rejected; empty if it is not."""
    doubts: tuple[str, ...] = ()
    """The doubts, as clauses whose subject is the answer."""


def import_findings(edited: EditedText, root: str, known: str = "") -> ImportFindings:
    """Check the imports and URLs that an edit adds.

    :param root: the URI of the open folder, without a trailing slash; empty if unknown.
    :param known: another text whose names and hosts are not new, such as the tested code.
    """
    old, new = edited.lines
    urls = tuple(new_urls(old, new, f"{edited.before.text}\n{known}"))
    family = FAMILIES.get(edited.language.import_style.name)
    if family is None or not family.hint.search(new) or not isinstance(edited.new, SyntaxTree):
        return ImportFindings(doubts=urls)
    found = _Imports(edited, family, known)
    if reason := found.beyond(_depth(edited.before.uri, root)):
        return ImportFindings(reason)
    return ImportFindings(doubts=tuple(dict.fromkeys((*found.doubts(), *urls))))


def may_import(edited: EditedText) -> bool:
    """Return whether an edit's new lines may contain imports, so that both texts must be parsed."""
    family = FAMILIES.get(edited.language.import_style.name)
    return family is not None and family.hint.search(edited.lines[1]) is not None


class _Imports:
    """The imports of one edit."""

    def __init__(self, edited: EditedText, family: Family, known: str) -> None:
        self._edited = edited
        self._family = family
        self._style = edited.language.import_style
        self._known = known
        old = tuple(each for each, _ in _all(edited.old, family))
        now = tuple(_all(edited.new, family))
        self._fresh = tuple((Counter(each for each, _ in now) - Counter(old)).elements())
        self._inner = {each for each, is_inner in now if is_inner}
        self._imported = {(self._local(each), self._source(each)) for each in old}

    def beyond(self, depth: int | None) -> str:
        """Return a sentence about a path that leaves the open folder or is absolute; empty if there is none.

        :param depth: number of folders between the open folder and the file; None if unknown.
        """
        for path in map(self._meant, self._paths()):
            if _PLACE.match(path) or (self._style.name != "es" and path.startswith(("/", "\\"))):
                return f"The answer imports a place on this machine: “{_short(path)}”."
            if depth is not None and _climbs(path) > depth:
                return f"The answer imports from outside of the open folder: “{_short(path)}”."
        return ""

    def doubts(self) -> Iterator[str]:
        """Yield the doubts, as clauses."""
        for each in self._fresh:
            yield from self._shadows(each)
            yield from self._odd(each)
        yield from self._unused()
        for path in map(self._meant, self._paths()):
            if _REMOTE.match(path):
                yield f"imports code from another host (“{_short(path)}”)"
            elif _climbs(path) >= _FAR:
                yield f"imports from {_climbs(path)} folders up (“{_short(path)}”)"
        yield from self._loads()

    def _paths(self) -> Iterator[str]:
        """Yield the paths and URLs in the new imports."""
        new, name = self._edited.lines[1], self._style.name
        for each in self._fresh:
            if name == "python" and (dots := len(each.module) - len(each.module.lstrip("."))) > 1:
                yield "../" * (dots - 1) + each.module.lstrip(".").replace(".", "/")
            elif name in ("es", "go"):
                yield each.module
        if name == "es":
            yield from (found[2] for found in _REFERENCE.finditer(new) if found["kind"] == "path")
        patterns = {"rust": _RUST_FILE, "include": _C_FILE, "go": _GO_EMBED}
        if name in patterns:
            was = Counter(patterns[name].findall(self._edited.lines[0]))
            yield from Counter(patterns[name].findall(new)) - was

    def _meant(self, path: str) -> str:
        """Return a path with its escape sequences decoded, if the language has them there."""
        if "\\" not in path or self._style.name not in ("es", "go", "rust"):
            return path
        return _ESCAPE.sub(lambda found: _character(found[1] or found[2], found[3]), path)

    def _shadows(self, each: Imported) -> Iterator[str]:
        """Yield doubts about imports that change the meaning of a name used elsewhere in the file."""
        name, style = self._local(each), self._style
        if not name or name in ("_", "."):
            return
        source = self._source(each)
        is_renamed = bool(each.alias) and each.name != each.alias
        if style.name == "es":
            is_renamed = is_renamed and name.lower() not in each.module.lower()
        if self._is_bound(name, source, is_inner=each in self._inner):
            yield f"binds `{name}`, which the file has already, to “{_short(source)}”"
        elif name in self._family.given and self._takes_over(name, is_renamed) and not self._is_own(each, name):
            yield f"binds `{name}`, which every file has, to “{_short(source)}”"
        elif is_renamed and self._passes_for_module(each, name):
            yield f"calls “{_short(source)}” by the name of another module, `{name}`"

    def _takes_over(self, name: str, is_renamed: bool) -> bool:  # noqa: FBT001 - it is what was found out
        """Return whether an import replaces a built-in name."""
        return is_renamed or self._style.name == "java" or self._is_used(name)

    def _is_own(self, each: Imported, name: str) -> bool:
        """Return whether a built-in name is imported from its own module."""
        match self._style.name:
            case "python":
                return each.module == "builtins" and each.name == name
            case "rust":
                return not each.alias and (each.module.startswith(("std", "core", "alloc")) or name == "Result")
            case "java":
                return each.module == "java.lang"
            case "es":
                return name.lower() in each.module.lower() and each.name in ("", "default", "*", name)
            case _:
                return False

    def _passes_for_module(self, each: Imported, name: str) -> bool:
        standard, root = self._style.standard_modules, each.module.partition(self._style.separator)[0]
        if self._style.name == "go":
            last = each.module.rpartition("/")[2]
            return name != last and not self._style.package_of(name) and name in GO_STANDARD
        return name in standard and root in standard and root != name

    def _odd(self, each: Imported) -> Iterator[str]:
        """Yield doubts about wildcard imports, imports for side effects, and modules that act outside the program."""
        module, name = each.module, self._style.name
        takes_all = each.name == "*" and name != "es"
        if name == "rust":
            takes_all = takes_all and not _GLOBS.match(module)
        if name == "java":
            takes_all = takes_all and not _OF_TESTS.match(module)
        if takes_all or (name == "go" and each.alias == "."):
            yield f"imports everything from “{_short(module)}”"
        is_bare = name == "es" and not each.local and each.name == "" and not _ASSET.search(module)
        if (is_bare and self._is_statement(module)) or (name == "go" and each.alias == "_"):
            yield f"imports “{_short(module)}” for its side effects alone"
        whole = (
            f"{module}{self._style.separator}{each.name}"
            if each.name and name in ("rust", "java", "python")
            else module
        )
        plain = whole.strip('<>"')
        if self._family.reaching.match(plain) and not self._is_known(each, plain):
            yield f"imports “{_short(plain)}”, which reaches out of the program"

    def _is_statement(self, module: str) -> bool:
        """Return whether a module is imported by a statement without names, rather than by a call."""
        return re.search(rf"\bimport\s*[\"'`]{re.escape(module)}[\"'`]", self._edited.lines[1]) is not None

    def _is_known(self, each: Imported, plain: str) -> bool:
        """Return whether the old code mentioned a module, so that importing it is expected."""
        if plain.endswith(("::exit", "::ExitCode")):
            return True
        names = {self._local(each), re.split(r"::|[/.:]", plain.removesuffix(".h"))[-1], plain} - {""}
        text = f"{self._edited.before.text}\n{self._known}"
        return any(re.search(rf"(?<![\w]){re.escape(name)}(?![\w])", text) for name in names if name != "C")

    def _unused(self) -> Iterator[str]:
        """Yield doubts about imports whose names the new text does not use."""
        if self._style.name in ("include", "rust") or not self._fresh:
            return
        tree = self._edited.new
        code = list(tree.text)
        whole = Span(0, len(code))
        statements = tree.queried(self._family.query, whole) if isinstance(tree, SyntaxTree) else ()
        imports = [span for span in statements if self._style.name != "es" or _is_import(tree.text, span)]
        for span in (*imports, *tree.comments(whole)):
            code[span.start : span.end] = " " * len(span)
        rest = "".join(code)
        for each in self._fresh:
            name = self._local(each)
            if not name or name in IDLE or name in ("_", ".") or each.module == "__future__":
                continue
            if self._edited.before.uri.endswith("/__init__.py") and each.module.startswith("."):
                continue
            if not re.search(rf"(?<![\w$]){re.escape(name)}(?![\w$])", rest):
                yield f"imports `{name}` (“{_short(each.module)}”) and does not use it"

    def _loads(self) -> Iterator[str]:
        """Yield doubts about code that loads or replaces modules without an import, and about directives."""
        new, name = self._edited.lines[1], self._style.name
        for pattern, what in (
            (self._family.loading, "loads code other than by an import"),
            *(((self._family.named, "reaches out of the program"),) if self._family.named else ()),
            *(((_JSX, "sets how its markup is compiled"),) if name == "es" else ()),
            *(((_CODING, "sets how the file is decoded"),) if name == "python" else ()),
            *(((_C_MACRO, "includes what a macro names"),) if name == "include" else ()),
        ):
            if shown := self._more(
                pattern, is_code=pattern in (self._family.named, self._family.loading) and name != "go"
            ):
                yield f"{what} (“{_short(shown)}”)"
        if name == "es" and (found := _REFERENCE.search(new)) and found[0] not in self._edited.before.text:
            yield f"imports “{_short(found[2])}” by a directive"
        if name == "include":
            was = set(_DEFINE.findall(self._edited.before.text))
            for macro in _DEFINE.findall(new):
                if macro not in was and (macro in self._family.given or self._is_used(macro)):
                    yield f"changes `{macro}`, which means something else in the file"

    def _more(self, pattern: re.Pattern[str], *, is_code: bool) -> str:
        """Return an added line that matches a pattern, if more lines match than before; empty otherwise."""
        if not any(pattern.search(line) for line in self._edited.lines[1].splitlines()):
            return ""
        was = Counter(self._matching(pattern, self._edited.old, is_code=is_code))
        now = Counter(self._matching(pattern, self._edited.new, is_code=is_code))
        return next(iter(now - was), "")

    def _matching(self, pattern: re.Pattern[str], tree: Tree, *, is_code: bool) -> Iterator[str]:
        for line in code_lines(tree, Span(0, len(tree.text))):
            text = line.code if is_code else line.text
            if any(not is_code or line.bare[each.start()] == text[each.start()] for each in pattern.finditer(text)):
                yield line.text.strip()

    def _local(self, each: Imported) -> str:
        """Return the local name of an import."""
        if each.local or self._style.name in ("es", "java", "include"):
            return each.local
        if each.name == "*":
            return ""
        if self._style.name == "python":
            return each.module.partition(".")[0]
        if self._style.name == "go":
            *_, last = [part for part in each.module.split("/") if not re.fullmatch(r"v\d+", part)] or [""]
            return re.sub(r"\.v\d+$|^go-|-go$", "", last)
        return each.module.rpartition("::")[2]

    def _source(self, each: Imported) -> str:
        """Return what an import refers to, as a dotted path."""
        if self._style.name == "python" and not each.name and not each.alias:
            return each.module.partition(".")[0]  # ``import a.b`` binds the package ``a``.
        is_whole = each.name in ("", "default", "*")
        return each.module if is_whole else f"{each.module}{self._style.separator}{each.name}"

    def _is_bound(self, name: str, source: str, *, is_inner: bool) -> bool:
        """Return whether the old text binds a name to something else in the scope of the import."""
        tree, text = self._edited.old, self._edited.before.text
        if (name, source) in self._imported:
            return False
        if any(name == there for there, _ in self._imported) or any(
            each.name == name and not tree.around(each.span) for each in tree.blocks()
        ):
            return True
        binds = re.compile(self._family.binds.replace("@", re.escape(name)), re.MULTILINE)
        if is_inner:
            around = (tree.enclosing(edit.span) for edit in self._edited.edits)
            return any(binds.search(text, each.span.start, each.span.end) for each in around if each is not None)
        return any(
            found[0][:1].strip()
            for found in re.finditer(rf"^\S.*\b{re.escape(name)}\b.*$", text, re.MULTILINE)
            if binds.search(found[0][:400]) and not _DEFINES.match(found[0])
        )

    def _is_used(self, name: str) -> bool:
        return re.search(rf"(?<![\w.]){re.escape(name)}\b", self._edited.before.text) is not None


def _all(tree: Tree, family: Family) -> Iterator[tuple[Imported, bool]]:
    """Yield each import of a text, and whether it is inside a definition."""
    if not isinstance(tree, SyntaxTree):
        return
    style, text = tree.language.import_style, tree.text
    declared: set[str] = set()
    for span in tree.queried(family.query, Span(0, len(text))):
        statement = text[span.start : span.end]
        if style.name == "include" and not _C_FILE.match(statement):
            continue
        is_inner = bool(tree.around(span))
        if style.name == "es" and (exported := _EXPORTED.match(statement)):
            yield Imported(exported[1], "*", "*"), is_inner
            continue
        for each in style.parse(statement):
            declared.add(each.module)
            yield each, is_inner
    if style.name == "es":
        required = (Imported(found[2]) for found in _REQUIRED.finditer(text))
        yield from ((each, False) for each in required if each.module not in declared)


def _is_import(text: str, span: Span) -> bool:
    """Return whether a JavaScript statement only imports; a declaration with ``require`` does."""
    statement = text[span.start : span.end]
    return statement.startswith(("import", "export")) or _REQUIRED.search(statement) is not None


def _depth(uri: str, root: str) -> int | None:
    """Return the number of folders between the open folder and a document; None if it is outside."""
    if root and uri.startswith(f"{root}/"):
        return uri[len(root) + 1 :].count("/")
    return None


def _climbs(path: str) -> int:
    """Return the maximum number of folders that a relative path climbs; 0 for other paths."""
    depth = lowest = 0
    for part in re.split(r"[/\\]+", unquote(path.strip('<>"'))):
        if part == "..":
            depth -= 1
            lowest = min(lowest, depth)
        elif part not in ("", "."):
            depth += 1
    return -lowest


def _character(hexadecimal: str | None, octal: str | None) -> str:
    code = int(hexadecimal, 16) if hexadecimal else int(octal, 8) if octal else None
    return "" if code is None else chr(min(code, sys.maxunicode))


def _short(text: str) -> str:
    return text if len(text) <= _SHOWN else text[:_SHOWN] + "…"
