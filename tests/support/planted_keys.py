"""Keys planted in tests, and a scan that finds them in any file and any encoding.

A test gives ``KEYS`` to a server, with ``environment()`` or through the keyring with ``keyring_package()``. Afterwards
it scans what the server wrote: files with ``in_tree(folder)``, output with ``in_text(text)``. The scan is independent
of tuppence's own, so that the two can disagree, and quick enough for everything that a test run leaves behind.
"""

from __future__ import annotations

import base64
import html
import re
import unicodedata
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from urllib.parse import unquote_to_bytes

KEYS: Mapping[str, str] = {
    "ANTHROPIC_API_KEY": "sk-ant-api03-Wq7Zt2Lx9Vb4Nc8Rj5Hy1Gk6Dp3Mf0SaUe-QoTiYw2XlAA",
    "OPENAI_API_KEY": "sk-proj-Bx4Kn9Tv2Ch7Wd5Jm8Rq1Zy6Lf3Gp0Es_HtUaNoVi",
    "MINE_API_KEY": "mine-Jd6Yp1Rk8Xw3Tz5Bq9Ln2Vg7Hc4Fs0MeUaQoDi",
    "OTHER_API_KEY": "0f9e6d3a8b1c4725f6093ad8e1b7c24d5f80a6e3",
    "PGPASSWORD": "Ledger9Quilt4Marble7Zephyr2",
}
"""The keys, by variable name. None is a real key, and no other file contains one of them."""
_RUN, _STEP = 12, 4
_OTHER = bytes(byte for byte in range(256) if not chr(byte).isalnum() or byte > 0x7F)
_ESCAPED = re.compile(rb"\\u\{?([0-9a-fA-F]{4,6})\}?|\\x([0-9a-fA-F]{2})")
_SKIPPED = {".git", ".venv", "node_modules", "__pycache__"}


def environment(*names: str) -> dict[str, str]:
    """Return the variables with these keys; with all of them if none is named."""
    return {name: KEYS[name] for name in names or KEYS}


def keyring_package(folder: Path, *names: str) -> dict[str, str]:
    """Write a package that imitates ``keyring`` and holds these keys; return the variable that puts it on the path."""
    package = folder / "planted" / "keyring"
    package.mkdir(parents=True)
    held = {name: KEYS[name] for name in names}
    # The file holds the keys in an encoding that no scan recognizes.
    hidden = {name: [ord(char) ^ 0x55 for char in key] for name, key in held.items()}
    (package / "__init__.py").write_text(
        f"_HELD = {hidden!r}\n\n\ndef get_password(service, name):\n"
        "    return ''.join(chr(code ^ 0x55) for code in _HELD[name]) if name in _HELD else None\n",
        encoding="utf-8",
    )
    return {"PYTHONPATH": str(package.parent)}


def disguises(key: str) -> dict[str, str]:
    """Return a key in the disguises that an attacker may use, by the name of the disguise."""
    return {
        "plain": key,
        "capitals": key.upper(),
        "small letters": key.lower(),
        "spaces": " ".join(key),
        "dashes": "-".join(key),
        "line ends": "\n".join(key),
        "carriage returns": "\r\n".join(key),
        "zero-width spaces": "\u200b".join(key),
        "soft hyphens": "\u00ad".join(key),
        "tags": "\U000e0041".join(key),
        "markup": "**".join(key),
        "commas and quotation marks": '", "'.join(key),
        "twenty spaces": (" " * 20).join(key),
        "URL": "".join(f"%{ord(char):02X}" for char in key),
        "URL, twice": "".join(f"%25{ord(char):02x}" for char in key),
        "URL, in part": "".join(f"%{ord(char):02x}" if at % 3 else char for at, char in enumerate(key)),
        "escapes of JSON": "".join(f"\\u{ord(char):04x}" for char in key),
        "escapes of Python": "".join(f"\\x{ord(char):02x}" for char in key),
        "entities": "".join(f"&#{ord(char)};" for char in key),
        "hexadecimal entities": "".join(f"&#x{ord(char):x};" for char in key),
        "full width": "".join(chr(ord(char) + 0xFEE0) if char.isalnum() else char for char in key),
        "base64": base64.b64encode(key.encode()).decode(),
        "base64 of user and key": base64.b64encode(f"user:{key}".encode()).decode(),
        "base64 of more": base64.b64encode(f"the key:{key} is it".encode()).decode(),
        "base64 for URLs": base64.urlsafe_b64encode(f"a{key}".encode()).decode(),
        "hexadecimal": key.encode().hex(),
        "hexadecimal with colons": key.encode().hex(":"),
        "backwards": key[::-1],
        "its beginning": key[:20],
        "its end": key[-22:],
        "its middle": key[9:33],
        "two halves": f"{key[: len(key) // 2]} and then comes {key[len(key) // 2 :]}",
        "Bearer": f"Bearer {key}",
        "JSON": f'{{"key": "{key}"}}',
    }


def in_text(text: str) -> list[str]:
    """Return the names of the planted keys in a text."""
    return in_bytes(text.encode("utf-8", "surrogatepass"))


def in_bytes(data: bytes) -> list[str]:
    """Return the names of the planted keys in some bytes."""
    found: set[str] = set()
    for view in _views(data):
        bare = view.translate(None, _OTHER).lower()
        found |= {name for name, needles in _NEEDLES.items() if any(needle in bare for needle in needles)}
    return sorted(found)


def in_tree(folder: Path, apart_from: Collection[Path] = ()) -> list[tuple[Path, str]]:
    """Return each file below a folder that holds a planted key in its name or content, with the name of the key.

    :param apart_from: files in which the test itself wrote keys.
    """
    found: list[tuple[Path, str]] = []
    for path in sorted(folder.rglob("*")) if folder.is_dir() else ():
        if path in apart_from or _SKIPPED.intersection(path.parts):
            continue
        names = in_text(path.name)
        if path.is_file() and not path.is_symlink():
            names += in_bytes(path.read_bytes())
        found += [(path, name) for name in sorted(set(names))]
    return found


def _views(data: bytes) -> Iterator[bytes]:
    """Yield some bytes as they are, and with their escape sequences decoded."""
    yield data
    if not data.isascii():
        yield unicodedata.normalize("NFKC", data.decode("utf-8", "ignore")).encode("ascii", "ignore")
    for _ in range(2):
        if not any(mark in data for mark in (b"%", b"\\u", b"\\x", b"&#")):
            return
        data = unquote_to_bytes(data)
        data = _ESCAPED.sub(lambda each: chr(int(each[1] or each[2], 16) & 0xFFFF).encode("utf-8", "ignore"), data)
        data = html.unescape(data.decode("utf-8", "ignore")).encode("utf-8", "ignore")
        yield data


def _bare(text: str) -> bytes:
    return text.encode().translate(None, _OTHER).lower()


def _needles(key: str) -> tuple[bytes, ...]:
    bare = _bare(key)
    runs = [bare[at : at + _RUN] for at in range(0, len(bare) - _RUN + 1, _STEP)]
    coded = [_bare(base64.b64encode(b"\0" * shift + key.encode()).decode()[4:-4])[:24] for shift in range(3)]
    return (*runs, *coded, key.encode().hex().encode()[:32], bare[::-1][:20])


_NEEDLES = {name: _needles(key) for name, key in KEYS.items()}
