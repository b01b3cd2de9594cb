"""One line of Markdown outside fences, made safe as it arrives: the inline half of core/answer/markdown.py.

``Inline`` reads (code spans, links, images, tags) and ``_Writer`` guards what is written. Decisions depend on the text
alone, never on how it was cut: what could still become something else waits, at most to the end of its line.
"""

from __future__ import annotations

import re

_PLAIN = re.compile(r"[^\\`!\[<]+")
_TICKS = re.compile(r"`+")
_AUTOLINK = re.compile(r"<([A-Za-z][A-Za-z0-9+.-]*:[^\s<>`]*|[^\s<>@`]+@[^\s<>@`]+)>")
_HALF_AUTOLINK = re.compile(r"<[^\s<>]*")
_PUNCTUATION = frozenset("!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~")
_HARMLESS_AFTER_ANGLE = re.compile(r"[\s=0-9-]")
_ADDRESS = re.compile(
    r"(?:[A-Za-z][A-Za-z0-9+.-]*:/+|(?:mailto|tel|command|javascript|vbscript|data|file|vscode):(?=\S)|www\.)[^\s`]+"
    r"|[\w.+%-]+@[\w-]+(?:\.[\w-]+)+",
    re.IGNORECASE,
)
_TRAILING = ".,;:!?)]}'\"*_\\~&"
_ESCAPED = re.compile(r"\\([!-/:-@\[-`{-~])")
_SPACE = re.compile(r"\s")
_LIMIT = 1000
"""Code points within which a code span or a link's text must end, in one line."""


class Inline:
    """Cleans one line at a time; ``end`` ends the line."""

    def __init__(self) -> None:
        self._text = ""
        self._more: list[str] = []
        self._size = 0
        self._wanted = ""
        self._patience = 0
        self._ended = False
        self._writer = _Writer()

    def feed(self, text: str) -> str:
        """Take more of the line; return what is safe by now."""
        self._more.append(text)
        self._size += len(text)
        # While a construct waits for its end, text without it is only collected.
        if self._size < self._patience and not any(mark in text for mark in self._wanted):
            return ""
        return self._read()

    def end(self) -> str:
        """Take the end of the line; return the rest of it."""
        self._ended = True
        result = self._read() + self._writer.end()
        self._ended = False
        return result

    def _read(self) -> str:
        self._text += "".join(self._more)
        self._more = []
        self._wanted, self._patience = "", 0
        out: list[str] = []
        while self._text:
            if found := _PLAIN.match(self._text):
                out.append(self._pass(found.end(), found.group()))
                continue
            piece = self._special()
            if piece is None:
                break
            out.append(piece)
        self._size = len(self._text)
        return "".join(out)

    def _special(self) -> str | None:
        """Read the construct at the start; None where it waits for more."""
        match self._text[0]:
            case "\\":
                return self._backslash()
            case "`":
                return self._ticks()
            case "<":
                return self._angle()
            case "!":
                return self._bang()
            case _:
                return self._bracket(0)

    def _pass(self, count: int, text: str) -> str:
        self._text = self._text[count:]
        return self._writer.text(text)

    def _window(self) -> tuple[str, bool]:
        """Return as much of the text as a construct may span, and whether all of it has come."""
        return self._text[:_LIMIT], self._ended or len(self._text) >= _LIMIT

    def _wait(self, wanted: str, patience: int) -> None:
        self._wanted, self._patience = wanted, patience

    def _backslash(self) -> str | None:
        if len(self._text) == 1:
            return self._pass(1, "\\") if self._ended else None
        escaped = self._text[1]
        if escaped not in _PUNCTUATION:
            return self._pass(1, "\\")
        return self._pass(2, "&lt;" if escaped == "<" else f"\\{escaped}")

    def _ticks(self) -> str | None:
        window, whole = self._window()
        behind = _behind_code(window, 0)
        if behind is not None and (whole or behind < len(window)):
            code, self._text = self._text[:behind], self._text[behind:]
            return self._writer.code(code)
        if not whole:
            if behind is None:
                self._wait("`", _LIMIT)
            return None
        run = _TICKS.match(window)
        assert run
        return self._pass(run.end(), "\\`" * run.end())

    def _angle(self) -> str | None:
        window, whole = self._window()
        if found := _AUTOLINK.match(window):
            return self._pass(found.end(), found[1])
        half = _HALF_AUTOLINK.match(window)
        if half and half.end() == len(window) and not whole:
            return None
        after = self._text[1:2]
        return self._pass(1, "<" if not after or _HARMLESS_AFTER_ANGLE.match(after) else "&lt;")

    def _bang(self) -> str | None:
        if len(self._text) == 1 and not self._ended:
            return None
        return self._bracket(1) if self._text[1:2] == "[" else self._pass(1, "!")

    def _bracket(self, at: int) -> str | None:
        """Read a link, or with ``at`` 1 an image: what it says takes its place, and is read again."""
        window, whole = self._window()
        close = _closing(window, at, whole=whole)
        if close is None and not whole:
            self._wait("]`", _LIMIT)
            return None
        if close is not None and close + 1 == len(self._text) and not self._ended:
            return None
        if close is None or self._text[close + 1 : close + 2] != "(":
            return self._pass(at + 1, self._text[: at + 1])
        end = _target_end(self._text, close + 1)
        if end is not None:
            self._text = self._text[at + 1 : close] + self._text[end + 1 :]
            return ""
        if self._ended:
            return self._pass(at + 1, self._text[: at + 1])
        self._wait(")", 2 * len(self._text))
        return None


class _Writer:
    """Writes safe pieces so that their neighbours cannot make them unsafe.

    Text is written by the word, because an address may come in pieces.
    """

    def __init__(self) -> None:
        self._word = ""
        self._last = ""

    def text(self, text: str) -> str:
        cut = max((found.end() for found in _SPACE.finditer(text)), default=0)
        if not cut:
            self._word += text
            return ""
        ready, self._word = self._word + text[:cut], text[cut:]
        return self._write(ready)

    def code(self, code: str) -> str:
        before = self._flush()
        gap = " " if self._last in ("`", "\\") else ""
        self._last = "`"
        return before + gap + code

    def end(self) -> str:
        rest = self._flush()
        self._last = ""
        return rest

    def _flush(self) -> str:
        word, self._word = self._word, ""
        return self._write(word)

    def _write(self, text: str) -> str:
        pieces: list[str] = []
        done = 0
        for found in _ADDRESS.finditer(text):
            address = found.group().rstrip(_TRAILING)
            pieces += (self._guard(text[done : found.start()]), self._address(address))
            done = found.start() + len(address)
        pieces.append(self._guard(text[done:]))
        return "".join(pieces)

    def _address(self, address: str) -> str:
        gap = " " if self._last in ("`", "\\") else ""
        self._last = "`"
        return f"{gap}`{_ESCAPED.sub(chr(92) + '1', address).replace('&lt;', '<')}`"

    def _guard(self, text: str) -> str:
        """Break up what would be a link (``](``, ``][``, ``]:``), a fence of tildes, or a longer run of backticks."""
        if not text:
            return ""
        joined = self._last + text
        guarded = re.sub(r"(?<=\])(?=[(\[:])|(?<=~)(?=~)", r"\\", joined)
        self._last = text[-1]
        return guarded[len(joined) - len(text) :]


def _closing(text: str, at: int, *, whole: bool) -> int | None:
    """Return where the bracket at ``at`` is closed, code spans and escapes aside; None where it is not, or not yet."""
    depth = 0
    while at < len(text):
        character = text[at]
        if character == "\\":
            at += 1
        elif character == "`":
            behind = _behind_code(text, at)
            if (behind is None or behind == len(text)) and not whole:
                return None
            run = _TICKS.match(text, at)
            assert run
            at = (behind or run.end()) - 1
        elif character == "[":
            depth += 1
        elif character == "]":
            depth -= 1
            if not depth:
                return at
        at += 1
    return None


def _target_end(text: str, at: int) -> int | None:
    """Return where a link's target, whose opening parenthesis is at ``at``, is closed."""
    depth = 0
    quote = ""
    while at < len(text):
        character = text[at]
        if character == "\\":
            at += 1
        elif quote:
            quote = "" if character == quote else quote
        elif character in "\"'" and text[at - 1].isspace():
            quote = character
        elif character == "<" and text[at - 1] == "(":
            quote = ">"
        elif character in "()":
            depth += 1 if character == "(" else -1
            if not depth:
                return at
        at += 1
    return None


def _behind_code(text: str, at: int) -> int | None:
    """Return the offset behind the code span that begins at ``at``; None where the run of backticks opens none."""
    opening = _TICKS.match(text, at)
    assert opening
    for close in _TICKS.finditer(text, opening.end()):
        if close.end() - close.start() == opening.end() - at:
            return close.end()
    return None
