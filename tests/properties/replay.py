"""Real changes, streamed through the engine: none may come out damaged. ``make replay``.

The changes are made here and now from successive releases of public packages, which pip and npm download into a folder
that is gone afterwards; nothing of them is shipped. Each change of some lines is a target, and what stands there in the
next release is a model's reply, in a fence and in random chunks. It must come out byte for byte: from the live edits,
from the final ones, and in an editor behind the writer that takes one batch after another.

Such a reply is never indented anew. Without a line around the change, which no editor gives as a target, what a target
of indented lines has in common with its reply can be a line that lost its indentation; the words of a model that meant
to move it are then those of one that forgot it. These are counted by themselves, and may not become more.
"""

from __future__ import annotations

import asyncio
import random
import shutil
import subprocess
import sys
import tarfile
import time
import zipfile
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory

from real_hunks import Hunk, chunks, hunks, reply
from simulated_editor import URI, Desk, Manner
from virtual_time import run

from tuppence.core.answer.patch import Patch
from tuppence.core.text.document import Edit, apply
from tuppence.lsp.output.writer import Writer

PYPI = {"click": ("7.1.2", "8.0.4", "8.1.8"), "pytest": ("7.4.4", "8.3.5")}
NPM = {"preact": ("10.11.3", "10.19.7"), "fastify": ("4.15.0", "4.28.1")}
AROUND = (3, 1)
"""How many lines that stay are in a target, before and after those that change."""
LEAST, WITHOUT_NPM = 4_000, 3_900
"""How many changes there have to be."""
BARE_MOVED = 4
"""How many of those without a line around them were indented anew when the rule for it was last made stricter."""
LARGEST, WIDEST = 200_000, 2_000
"""Characters in a file and in a line of it: what is longer was made by a program."""
SEED = 20_240
"""Of the chunks; the changes are what they are."""


def main() -> int:
    """Count, print, and return 1 where a document came out damaged."""
    began = time.monotonic()
    dice = random.Random(SEED)  # noqa: S311 - chunks, no secrets
    count: Counter[str] = Counter()
    kinds: Counter[str] = Counter()
    with TemporaryDirectory() as folder:
        for name, older, newer in Releases(PYPI, NPM).read(Path(folder)):
            for path in sorted(older.keys() & newer.keys()):
                for hunk in (each for around in AROUND for each in hunks(older[path], newer[path], around)):
                    kinds[Path(path).suffix] += 1
                    if why := replay(hunk, dice, count):
                        print(f"{name}: {path}: {why}")
                for hunk in hunks(older[path], newer[path], 0):
                    count["bare"] += 1
                    count["moved"] += is_moved(hunk)
    print(f"Documents checked: {count['checked']}, damaged: {count['damaged']}")
    print("By the kind of file:", ", ".join(f"{kind or 'none'} {many}" for kind, many in kinds.most_common()))
    print(f"Indented anew without a line around the change: {count['moved']} of {count['bare']}, {BARE_MOVED} at most")
    print(f"Sent live: {count['sent']} bytes in {count['edits']} edits for {count['changed']} bytes of changed lines")
    print(f"Over 1.5 times the change and 200 bytes an edit: {count['much']}")
    print(f"Took {time.monotonic() - began:.0f} s")
    least = LEAST if shutil.which("npm") else WITHOUT_NPM
    if count["checked"] < least:
        print(f"These are too few documents: at least {least} are due.")
    return bool(count["damaged"] or count["much"] or count["checked"] < least or count["moved"] > BARE_MOVED)


def is_moved(hunk: Hunk) -> bool:
    """Report whether a perfect reply was indented anew."""
    patch = Patch(hunk.document, hunk.target)
    patch.feed(reply(hunk.new, random.Random(0)))  # noqa: S311 - no secrets
    patch.finish()
    return "indentation" in patch.repairs


def replay(hunk: Hunk, dice: random.Random, count: Counter[str]) -> str:
    """Stream one change; return what came out wrong, empty for nothing."""
    document, patch = hunk.document, Patch(hunk.document, hunk.target)
    live = document.text
    batches = [*map(patch.feed, chunks(reply(hunk.new, dice), dice)), patch.finish()]
    for edit in (each for batch in batches for each in batch):
        live = apply(live, [edit])
    count["checked"] += 1
    final = apply(document.text, patch.final())
    desk = run(shown(hunk, patch, [each for each in batches if each]))
    sent, edits = sum(size for _, size in desk.sent), sum(many for many, _ in desk.sent)
    count["sent"], count["edits"] = count["sent"] + sent, count["edits"] + edits
    count["changed"] += hunk.changed
    ways = {"live": live, "final": final, "in the editor": desk.text}
    if wrong := [way for way, text in ways.items() if text != hunk.expected]:
        count["damaged"] += 1
        return f"damaged {', '.join(wrong)}; repairs: {patch.repairs}"
    if sent > 1.5 * hunk.changed + 200 * edits:
        count["much"] += 1
        return f"{sent} bytes in {edits} edits for {hunk.changed} bytes"
    return ""


async def shown(hunk: Hunk, patch: Patch, batches: list[tuple[Edit, ...]]) -> Desk:
    """Return an editor that took each batch before the next one came."""
    manner = Manner(streams=True, tells="before the reply", delay=0.0)
    desk = Desk(manner, hunk.document.text, hunk.target, random.Random(0))  # noqa: S311 - no secrets
    document = desk.documents.get(URI)
    assert document is not None
    writer = Writer(desk, document, hunk.target, "run")
    for batch in batches:
        writer.draft(batch)
        await asyncio.sleep(0.1)
    await writer.keep(patch.final(), "Fix")
    writer.close()
    return desk


@dataclass(frozen=True)
class Releases:
    """Releases of public packages, by name, the oldest first."""

    pypi: Mapping[str, tuple[str, ...]]
    npm: Mapping[str, tuple[str, ...]]

    def read(self, folder: Path) -> Iterator[tuple[str, dict[str, str], dict[str, str]]]:
        """Yield each two successive ones: their name, and the texts of both by path."""
        for package, versions in self.pypi.items():
            found = [_wheel(folder, f"{package}=={version}") for version in versions]
            for (older, newer), version in zip(pairwise(found), versions[1:], strict=True):
                yield f"{package} {version}", older, newer
        if self.npm and shutil.which("npm") is None:
            print("There is no npm here, so only Python is read.")
            return
        for package, versions in self.npm.items():
            found = [_tarball(folder, f"{package}@{version}") for version in versions]
            for (older, newer), version in zip(pairwise(found), versions[1:], strict=True):
                yield f"{package} {version}", older, newer


def _wheel(folder: Path, name: str) -> dict[str, str]:
    into = folder / name
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
    subprocess.run([*pip, "--only-binary", ":all:", "--dest", str(into), name], check=True)
    with zipfile.ZipFile(next(into.glob("*.whl"))) as wheel:
        return _texts((each, wheel.read(each)) for each in wheel.namelist() if ".dist-info/" not in each)


def _tarball(folder: Path, name: str) -> dict[str, str]:
    into = folder / name
    into.mkdir()
    subprocess.run(["npm", "pack", "--silent", name], cwd=into, check=True, stdout=subprocess.DEVNULL)
    with tarfile.open(next(into.glob("*.tgz"))) as tarball:
        files = ((each.name, tarball.extractfile(each)) for each in tarball)
        return _texts((path, file.read()) for path, file in files if file)


def _texts(files: Iterator[tuple[str, bytes]]) -> dict[str, str]:
    """Return what people wrote, decoded."""
    texts: dict[str, str] = {}
    for path, content in files:
        try:
            text = content.decode()
        except UnicodeDecodeError:
            continue
        if "\0" not in text and len(text) <= LARGEST and max(map(len, text.splitlines()), default=0) <= WIDEST:
            texts[path] = text
    return texts


if __name__ == "__main__":
    sys.exit(main())
