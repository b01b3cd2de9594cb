"""Find out which tests start a server and which of them must not run in parallel. The Makefile's lanes rely on it."""

from __future__ import annotations

import inspect
import os
from collections.abc import Iterator
from functools import cache
from types import CodeType, FunctionType
from typing import Any

import pytest
from server import stage

import postgresql
from editor import Editor

MODEL = {
    "tests/e2e/test_demo.py",
    "tests/e2e/test_real_model.py",
    "tests/editors/test_real_model.py",
    "tests/local/test_embedded.py",
}
"""The files with tests of the embedded model."""
STARTERS = (stage, Editor, postgresql.serving)
"""Functions and classes that start a long-running process: the server, an editor with its server, PostgreSQL."""
FOLDERS = {"e2e", "editors", "sandbox"}
"""Folders in which every test starts such a process."""
SERVERS = (("tuppence", "serve"), ("demo.py",), ("initdb",), ("pg_ctl",))
"""Words that identify the command of such a process."""


def starts_a_server(item: pytest.Item) -> bool:
    """Return whether a test starts a server, an editor, the demo, PostgreSQL, the embedded model or a sandbox."""
    if FOLDERS & set(item.nodeid.partition("::")[0].split("/")) or item.get_closest_marker("model") is not None:
        return True
    if not isinstance(item, pytest.Function):
        return False
    if {"home", "postgres"} & set(item.fixturenames):
        return True
    if hasattr(item, "callspec") and item.callspec.params.get("where") == "postgresql":
        return True
    fixtures = [each.func for found in item._fixtureinfo.name2fixturedefs.values() for each in found]
    return any(_is_starter(each) for each in (item.function, *fixtures))


def scope(test: str) -> str:
    """Return, from a test's id, the name of the group of tests that one pytest-xdist worker runs in sequence.

    The embedded model is one process for all its tests, and a file of ``tests/e2e`` often shares one server. Every
    other test is a group of its own. (The group of pytest-xdist's own marker does not reach its scheduler under pytest
    9.2.)
    """
    file = test.partition("::")[0]
    if file in MODEL:
        return "model"
    return file if file.startswith("tests/e2e/") or file.endswith("/test_shared_cap.py") else test


def is_server(command: Any) -> bool:
    """Return whether a command starts a server. A command with ``--help`` does not."""
    words = [os.fspath(each) for each in command] if isinstance(command, (list, tuple)) else [command]
    texts = [os.fsdecode(each) for each in words]
    ends = [each.rpartition("/")[2] for each in texts]
    return "--help" not in texts and any(all(word in texts or word in ends for word in each) for each in SERVERS)


@cache
def _is_starter(found: Any) -> bool:
    """Return whether a function starts a server. The result is cached: a parametrized function is inspected once."""
    return _reaches(found, set())


def _reaches(found: Any, seen: set[int]) -> bool:
    """Return whether a function or class refers, directly or through its own module, to one that starts a server."""
    if any(found is each for each in STARTERS):
        return True
    if id(found) in seen:
        return False
    seen.add(id(found))
    if inspect.isclass(found):
        return any(_reaches(each, seen) for each in vars(found).values() if inspect.isfunction(each))
    function = inspect.unwrap(found) if callable(found) else None
    if not isinstance(function, FunctionType):
        return False
    names = {name for code in _codes(function.__code__) for name in code.co_names}
    values = [function.__globals__[name] for name in names if name in function.__globals__]
    return any(_reaches(each, seen) for each in values if _is_of(each, function))


def _is_of(value: Any, function: FunctionType) -> bool:
    """Return whether to inspect a value: it is a starter, or the function's own module defines it."""
    return any(value is each for each in STARTERS) or getattr(value, "__module__", None) == function.__module__


def _codes(code: CodeType) -> Iterator[CodeType]:
    yield code
    for each in code.co_consts:
        if isinstance(each, CodeType):
            yield from _codes(each)
