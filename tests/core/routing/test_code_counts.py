"""What is counted in code, in languages that a grammar reads and in others; nothing of strings and comments."""

from __future__ import annotations

import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tuppence.core.routing.code_counts import by_words
from tuppence.core.routing.features import profile
from tuppence.core.syntax.languages import LANGUAGES, language

SPIN = {
    "python": "def f(a, b):\n    while a and b:\n        if a:\n            f(a, b)\n",
    "javascript": "function f(a, b) {\n  while (a && b) {\n    if (a) {\n      f(a, b);\n    }\n  }\n}\n",
    "typescript": "function f(a: C, b: C) {\n  while (a && b) {\n    if (a) {\n      f(a, b);\n    }\n  }\n}\n",
    "go": "func f(a, b bool) {\n\tfor a && b {\n\t\tif a {\n\t\t\tf(a, b)\n\t\t}\n\t}\n}\n",
    "rust": "fn f(a: bool, b: bool) {\n    while a && b {\n        if a {\n            f(a, b);\n        }\n    }\n}\n",
    "java": (
        "void f(boolean a, boolean b) {\n    while (a && b) {\n"
        "        if (a) {\n            f(a, b);\n        }\n    }\n}\n"
    ),
    "c": "void f(int a, int b)\n{\n    while (a && b) {\n        if (a) {\n            f(a, b);\n        }\n    }\n}\n",
    "cpp": (
        "void f(bool a, bool b) {\n    while (a && b) {\n        if (a) {\n            f(a, b);\n        }\n    }\n}\n"
    ),
}
BITS = {
    "python": "x = a & 1 | b << 2 ^ ~c\nx >>= 1\n",
    "javascript": "x = a & 1 | b << 2 ^ ~c; x >>= 1;",
    "go": "x := a&1 | b<<2 ^ ^c\nx >>= 1\n",
    "rust": "let mut x = a & 1 | b << 2; x ^= c; x >>= 1; let y = &x; x &= 3;",
    "java": "int x = a & 1 | b << 2 ^ ~c; x >>>= 1;",
    "c": "int x = a & 1 | b << 2 ^ ~c; x >>= 1; int *y = &x;",
}


def counts(language_id: str, code: str) -> dict[str, int]:
    return dict(profile(language_id, code).counts)


@pytest.mark.parametrize("language_id", SPIN)
def test_one_function_counts_alike_in_every_language(language_id: str) -> None:
    expected = {"loops": 1, "branches": 1, "depth": 2, "conditions": 1, "recursion": 1}
    found = counts(language_id, SPIN[language_id])
    assert {name: found.get(name) for name in expected} == expected
    assert not found.keys() & {"atomics", "bits", "unsafe", "concurrency", "awaits", "cases"}


@pytest.mark.parametrize("language_id", SPIN)
def test_words_alone_find_them_too(language_id: str) -> None:
    found = by_words(SPIN[language_id], language(""))
    expected = {"loops": 1, "branches": 1, "conditions": 1, "recursion": 1}
    assert {name: found.get(name) for name in expected} == expected


@pytest.mark.parametrize("language_id", BITS)
def test_operators_on_bits_are_counted_and_addresses_are_none(language_id: str) -> None:
    assert counts(language_id, BITS[language_id])["bits"] == 6


def test_output_is_no_operation_on_bits() -> None:
    printed = 'void f() { std::cout << "a" << 1 << x << "\\n"; }'
    assert "bits" not in counts("cpp", printed)
    assert counts("cpp", "int f() { return x << 3; }")["bits"] == 1


@pytest.mark.parametrize(
    ("language_id", "code"),
    [
        ("python", '# if a: atomic unsafe goto\n"""while await lock()"""\nx = "compare_and_swap(1 & 2) and mutex"\n'),
        ("javascript", '/* if (a) { await lock() } */\nx = "Atomics && goto"; // while\n'),
        ("rust", '// unsafe { fence() }\nlet x = "unsafe AtomicU8 && goto";\n'),
        ("", '// if a while await atomic\nx = "unsafe mutex && goto"\n'),
        ("", "# if a while await atomic\nx = 'unsafe mutex && goto'\n"),
    ],
)
def test_strings_and_comments_count_as_lines_only(language_id: str, code: str) -> None:
    assert set(counts(language_id, code)) <= {"lines"}


@pytest.mark.parametrize(
    ("name", "count"),
    [
        ("compare_exchange_weak", "atomics"), ("compareAndSet", "atomics"), ("CompareAndSwapInt64", "atomics"),
        ("AtomicInteger", "atomics"), ("atomic_load", "atomics"), ("memory_order_acquire", "atomics"),
        ("fetch_add", "atomics"), ("volatile", "atomics"), ("Interlocked", "atomics"),
        ("pthread_mutex_lock", "concurrency"), ("ReentrantLock", "concurrency"), ("notifyAll", "concurrency"),
        ("threading", "concurrency"), ("sync.WaitGroup", "concurrency"), ("unlock", "concurrency"),
        ("clock", ""), ("blocked", ""), ("notifyUser", ""), ("geofence", ""), ("selectAll", ""), ("thread", ""),
        ("anatomical", ""), ("fetchAddress", ""), ("spawner", ""), ("waiter", ""), ("lock", ""),
    ],
)  # fmt: skip
def test_names_say_what_no_syntax_shows(name: str, count: str) -> None:
    assert counts("python", f"{name}\n") == {"lines": 1} | ({count: 1} if count else {})


def test_a_word_that_means_other_things_counts_where_it_is_called() -> None:
    assert counts("javascript", "this.thread.title = row.lock;") == {"lines": 1}
    assert counts("javascript", "mutex.lock(); spawn(x);")["concurrency"] == 3


def test_cases_of_a_switch_are_no_branches() -> None:
    found = counts("c", "int f(int a) { switch (a) { case 1: return 2; case 2: return 3; default: if (a) return 4; } }")
    assert (found["cases"], found["branches"], found["depth"]) == (3, 1, 2)


@pytest.mark.parametrize(
    "code",
    [
        "fn len(&self) -> usize { self.items.len() }",
        "class Point(Base):\n    def moved(self):\n        return Point(1)\n",
        "def add(self, item):\n    self.items.add(item)\n",
        "@cache(1)\ndef other(a):\n    return cache(a)\n",
        "if (a) { if (b) { c } }",
    ],
)
def test_who_hands_on_to_another_of_that_name_does_not_call_itself(code: str) -> None:
    assert "recursion" not in by_words(code, language(""))


def test_what_depends_on_the_language_is_counted_there() -> None:
    rust = counts("rust", "unsafe fn f() { unsafe { g() } }")
    assert rust["unsafe"] == 2
    assert counts("go", "func f() { go g(); select { case x := <-c: h(x) } }")["concurrency"] == 2
    assert counts("javascript", "async () => { await a; await b; }")["awaits"] == 2
    assert counts("c", "void f(void) { goto end; end: return; }")["jumps"] == 1
    assert counts("python", "def f(a):\n    yield a[0]\n    yield a[len(a) - 1]\n")["yields"] == 2
    assert counts("python", "x = a[i + 1] + b[i]\n")["indices"] == 1


@settings(max_examples=60)
@given(st.text(max_size=300), st.sampled_from([row.id for row in LANGUAGES] + ["", "nothing"]))
def test_any_text_is_counted_and_every_time_alike(text: str, language_id: str) -> None:
    found = counts(language_id, text)
    assert all(count > 0 for name, count in found.items() if name != "lines")
    assert found == counts(language_id, text)


PIECES = (
    *("a", "a ", "a(", "wait", "{a ", "fn ", "a<", "=> ", "if ", "lock(", "1 <<", "]&"),
    *('\\"', "'", '"', "/*", "\n", "a\n", "é"),
)


@pytest.mark.parametrize("piece", PIECES)
@pytest.mark.parametrize("language_id", ["", "javascript"])
def test_work_grows_as_the_text_does(piece: str, language_id: str) -> None:
    few, many = (_calls(language_id, (piece * size)[:size]) for size in (4_100, 8_200))
    assert many <= 2.3 * few + 2000
    assert many <= 30 * 8_200


def _calls(language_id: str, text: str) -> int:
    """Return how many functions counting calls, those written in C too."""
    count = 0

    def seen(_frame: object, event: str, _argument: object) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    counts(language_id, "x = 1\n")
    sys.setprofile(seen)
    try:
        counts(language_id, text)
    finally:
        sys.setprofile(None)
    return count
