"""Collect what a JavaScript or TypeScript project can import: packages, workspace members, aliases of its own files.

A package that no package.json names cannot be relied on. So the manifest is taken as complete, unless a tool's
configuration may define module names of its own, or a workspace's root is outside the open folders.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tuppence.workspace.project_files import ProjectFiles

_DEPENDENCIES = ("dependencies", "devDependencies", "peerDependencies", "optionalDependencies")
_CONFIGURATIONS = (
    *("vite.config.*", "vitest.config.*", "webpack.config.*", "rollup.config.*", "babel.config.*", ".babelrc*"),
    *("jest.config.*", "next.config.*", "nuxt.config.*", "metro.config.*", "rspack.config.*", "astro.config.*"),
    *("deno.json", "deno.jsonc", "import_map.json", "importmap.json", "craco.config.*", "config-overrides.js"),
)
"""Configurations that may give modules names of their own."""
_NAMES_MODULES = re.compile(r"\balias\b|moduleNameMapper|module-resolver|\"imports\"|_moduleAliases|\bpaths\b")
_QUOTED = re.compile(r"[\"'`]([@\w$~#][^\"'`\s]{0,200})[\"'`]")
_KEY = re.compile(r"([@\w$~#-]+)\s*:")
_PNPM_MEMBER = re.compile(r"^\s*-\s*['\"]?([^'\"#\n]+?)['\"]?\s*(?:#[^\n]*)?$", re.MULTILINE)
_NAME = re.compile(r"@?[A-Za-z][\w.-]*(?:/[\w.-]+)*")
_TYPE_CONFIGURATIONS = ("tsconfig*.json", "jsconfig.json")
_EXTENDS = 5
"""Configurations that may extend one another."""


@dataclass(slots=True)
class JsPackages:
    """What a project of JavaScript has."""

    names: set[str] = field(default_factory=set)
    aliases: set[str] = field(default_factory=set)
    is_resolved: bool = False
    """Whether there is a manifest, and whatever could add to its names was read."""


def read(inside: ProjectFiles, folders: Sequence[Path]) -> JsPackages:
    """Return what a file can import.

    :param folders: those around the file, the innermost first.
    """
    found = JsPackages()
    has_root, needs_root, is_renamed, manifests = False, False, False, 0
    for folder in folders:
        manifest = inside.json(folder / "package.json")
        if manifest is None:
            found.names.update(_NAME.findall(inside.text(folder / "package.json") or ""))
        else:
            manifests += 1
            found.names |= set(_named(manifest))
            needs_root = needs_root or _is_member(manifest)
            is_renamed = is_renamed or any(key in manifest for key in ("alias", "_moduleAliases", "jest", "babel"))
            found.names |= _jest_names(manifest)
        patterns = _patterns(inside, folder, manifest or {})
        has_root = has_root or bool(patterns)
        for member in inside.members(folder, patterns):
            name = (inside.json(member / "package.json") or {}).get("name")
            found.names |= {name} if isinstance(name, str) else set()
        is_renamed = _configured(inside, folder, found) or is_renamed
        _aliased(inside, folder, found)
        found.names |= _installed(inside, folder)
    found.is_resolved = manifests > 0 and not is_renamed and (has_root or not needs_root)
    return found


def _named(manifest: Mapping[str, Any]) -> Iterator[str]:
    """Yield the names that a package.json gives to packages, its own among them."""
    if isinstance(own := manifest.get("name"), str):
        yield own
    for table in _DEPENDENCIES:
        if isinstance(needs := manifest.get(table), dict):
            yield from needs
    for table in ("bundledDependencies", "bundleDependencies"):
        if isinstance(bundled := manifest.get(table), list):
            yield from (each for each in bundled if isinstance(each, str))


def _is_member(manifest: Mapping[str, Any]) -> bool:
    """Report whether a package takes others from a workspace around it."""
    tables = [each for name in _DEPENDENCIES if isinstance(each := manifest.get(name), dict)]
    return any(str(value).startswith(("workspace:", "catalog:")) for table in tables for value in table.values())


def _jest_names(manifest: Mapping[str, Any]) -> set[str]:
    return {each for key in ("jest", "alias", "_moduleAliases", "babel") for each in _words(manifest.get(key))}


def _words(value: object) -> list[str]:
    return _NAME.findall(str(value)) if value else []


def _patterns(inside: ProjectFiles, folder: Path, manifest: Mapping[str, Any]) -> list[str]:
    """Return where the members of a workspace with this root lie; none where it is no root."""
    listed = manifest.get("workspaces")
    if isinstance(listed, dict):
        listed = listed.get("packages")
    found = [each for each in listed if isinstance(each, str)] if isinstance(listed, list) else []
    found += _PNPM_MEMBER.findall(inside.text(folder / "pnpm-workspace.yaml") or "")
    if (folder / "lerna.json").exists():
        more = (inside.json(folder / "lerna.json") or {}).get("packages")
        found += [each for each in more if isinstance(each, str)] if isinstance(more, list) else []
    return found


def _configured(inside: ProjectFiles, folder: Path, found: JsPackages) -> bool:
    """Enter the names that the configurations of other tools may give to modules; report whether one may."""
    is_renamed = False
    for path in inside.matching(folder, _CONFIGURATIONS):
        text = inside.text(path) or ""
        if _NAMES_MODULES.search(text):
            is_renamed = True
            words = [*_QUOTED.findall(text), *_KEY.findall(text)]
            found.names.update(words)
            found.names.update(each.rstrip("/*$").partition("/")[0] for each in words if not each.startswith("@"))
    return is_renamed


def _aliased(inside: ProjectFiles, folder: Path, found: JsPackages) -> None:
    """Enter the aliases of a folder's configurations of TypeScript, and of those that they extend."""
    waiting = [(path, 0) for path in inside.matching(folder, _TYPE_CONFIGURATIONS)]
    for path, depth in waiting:
        options = (inside.json(path) or {}).get("compilerOptions")
        options = options if isinstance(options, dict) else {}
        if isinstance(paths := options.get("paths"), dict):
            found.aliases |= {each for each in paths if each.strip("*")}
            inside.is_whole = inside.is_whole and "*" not in paths
        if isinstance(base := options.get("baseUrl"), str):
            found.names.update(each.partition(".")[0] for each in inside.entries(path.parent / base))
        extended = (inside.json(path) or {}).get("extends")
        for each in extended if isinstance(extended, list) else [extended]:
            if not isinstance(each, str) or not each.startswith("."):
                continue
            other = path.parent / (each if each.endswith(".json") else f"{each}.json")
            if depth >= _EXTENDS or not other.is_file():
                inside.is_whole = False
            elif all(other != known for known, _ in waiting):
                waiting.append((other, depth + 1))


def _installed(inside: ProjectFiles, folder: Path) -> set[str]:
    names: set[str] = set()
    for name in inside.entries(folder / "node_modules"):
        if name.startswith("@"):
            names |= {f"{name}/{each}" for each in inside.entries(folder / "node_modules" / name)}
        elif not name.startswith("."):
            names.add(name)
    return names
