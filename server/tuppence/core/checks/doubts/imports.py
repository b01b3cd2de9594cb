"""Imports that an edit brings: what shadows a name, comes from outside of the project, or has side effects alone.

Refused is what cannot be meant: a path that leaves the open folder, or that names a place of the machine. All else is a
doubt that the closing message shows, because an import may be strange and right. Found are imports anywhere in the new
text, not only at its top; only those count that the old text does not have.
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
"""How the address of a place on the machine, or a module written out in the address, begins."""
_REMOTE = re.compile(r"(?:https?|wss?|ftp):", re.IGNORECASE)
_ASSET = re.compile(r"\.(?:css|scss|sass|less|svg|png|jpe?g|gif|webp|woff2?|json|txt|html)(?:\?\w+)?$")
_OF_TESTS = re.compile(r"(?:org\.(?:junit|assertj|mockito|hamcrest|testng)|static org\.|java\.|javax\.)")
_GLOBS = re.compile(r"(?:super|self|crate)(?:::|$)|.*::prelude$|prelude$")
_DEFINES = re.compile(
    r"(?:export\s+(?:default\s+)?|pub(?:\([^)]*\))?\s+|async\s+)*(?:def|class|function|func|fn|impl|#)\b"
)
"""The first line of a definition, which binds its parameters for itself alone."""
_ESCAPE = re.compile(r"\\(?:u\{?([0-9A-Fa-f]{1,6})\}?|x([0-9A-Fa-f]{2})|([0-7]{1,3})|\r?\n)")
"""A character in a text of code as its number, or a line's end that is none."""
_FAR = 4
"""Folders up from which a path is a doubt where the open folder is not known."""
_SHOWN = 60


@dataclass(frozen=True, slots=True)
class ImportFindings:
    """What an edit's imports are."""

    reason: str = ""
    """Why the edit may not be kept, a sentence; empty where it may."""
    doubts: tuple[str, ...] = ()
    """What is doubtful, a clause each whose subject is the answer."""


def import_findings(edited: EditedText, root: str, known: str = "") -> ImportFindings:
    """Return what is wrong and doubtful about what an edit imports, and about the URLs that it adds.

    :param root: the URI of the open folder, without a slash at its end; empty where it is not known.
    :param known: a text besides the document's in which names and hosts are no news, such as that of the tested code.
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
    """Report whether an edit's new lines hold anything for which both texts have to be read to judge it."""
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
        """Return in a sentence which path leaves the open folder or names a place on the machine, empty for none.

        :param depth: how many folders lie between the file and the open folder; None where that is not known.
        """
        for path in map(self._meant, self._paths()):
            if _PLACE.match(path) or (self._style.name != "es" and path.startswith(("/", "\\"))):
                return f"The answer imports a place on this machine: “{_short(path)}”."
            if depth is not None and _climbs(path) > depth:
                return f"The answer imports from outside of the open folder: “{_short(path)}”."
        return ""

    def doubts(self) -> Iterator[str]:
        """Yield what is doubtful, a clause each."""
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
        """Yield what the new imports write as a path or an address."""
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
        """Return what a path says that is written with escapes, in languages that read them there."""
        if "\\" not in path or self._style.name not in ("es", "go", "rust"):
            return path
        return _ESCAPE.sub(lambda found: _character(found[1] or found[2], found[3]), path)

    def _shadows(self, each: Imported) -> Iterator[str]:
        """Yield that an import gives a name to something else than it means elsewhere in the file."""
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
        """Report whether a name that every file has would mean something else than a reader takes it for."""
        return is_renamed or self._style.name == "java" or self._is_used(name)

    def _is_own(self, each: Imported, name: str) -> bool:
        """Report whether a name that every file has is imported from where it comes from."""
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
        """Yield that an import takes everything, is made for its side effects, or reaches out of the program."""
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
        """Report whether a module is imported by a statement without any name, and not by a call."""
        return re.search(rf"\bimport\s*[\"'`]{re.escape(module)}[\"'`]", self._edited.lines[1]) is not None

    def _is_known(self, each: Imported, plain: str) -> bool:
        """Report whether the code spoke of a module before it was imported: then it was asked for."""
        if plain.endswith(("::exit", "::ExitCode")):
            return True
        names = {self._local(each), re.split(r"::|[/.:]", plain.removesuffix(".h"))[-1], plain} - {""}
        text = f"{self._edited.before.text}\n{self._known}"
        return any(re.search(rf"(?<![\w]){re.escape(name)}(?![\w])", text) for name in names if name != "C")

    def _unused(self) -> Iterator[str]:
        """Yield the imports whose names the new text does not use."""
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
        """Yield code that loads or replaces modules other than by an import, and what a directive makes of the code."""
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
        """Return a line that came in which a pattern matches, where more lines match than before; empty otherwise."""
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
        """Return the name under which the file knows an import."""
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
        """Return what an import takes, as a path."""
        if self._style.name == "python" and not each.name and not each.alias:
            return each.module.partition(".")[0]  # It binds the package, whichever of its modules is loaded.
        is_whole = each.name in ("", "default", "*")
        return each.module if is_whole else f"{each.module}{self._style.separator}{each.name}"

    def _is_bound(self, name: str, source: str, *, is_inner: bool) -> bool:
        """Report whether the old text binds a name to something else, where an import would bind it too."""
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
    """Yield everything that a text imports, and whether the statement is inside of a definition."""
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
    """Report whether a statement of JavaScript only imports: a declaration does where it requires."""
    statement = text[span.start : span.end]
    return statement.startswith(("import", "export")) or _REQUIRED.search(statement) is not None


def _depth(uri: str, root: str) -> int | None:
    """Return how many folders lie between a document and the open folder, None where the one is not in the other."""
    if root and uri.startswith(f"{root}/"):
        return uri[len(root) + 1 :].count("/")
    return None


def _climbs(path: str) -> int:
    """Return how many folders a relative path leads up at most; 0 for one that is not relative."""
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
