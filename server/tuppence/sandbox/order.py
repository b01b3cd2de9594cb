"""The order for one run: the JSON input of ``sandbox/launcher.py`` and ``sandbox/walls.py``.

The files that a run can see come from an allow list: the system's programs and libraries, a few files of ``/etc``, the
program that runs the tests with its environment, and the copy of the project. The home folder, the run-time folders and
the sockets in them are not visible.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from tuppence.sandbox.programs import is_program, reach
from tuppence.sandbox.system_calls import filters

Wall = Literal["bubblewrap", "namespaces", "landlock"]
WALLS: tuple[Wall, ...] = ("bubblewrap", "namespaces", "landlock")
"""The isolation methods, in the order in which they are tried."""
ROOM = 256 * 1024**2
"""Bytes that a run may write to each of: the copy, ``/tmp``, shared memory."""
LAUNCHER = Path(__file__).with_name("launcher.py")
SCRIPT = Path(__file__).with_name("walls.py")
_BWRAP = ("/usr/bin/bwrap", "/bin/bwrap", "/usr/local/bin/bwrap", "/run/wrappers/bin/bwrap")
"""Where systems install bubblewrap. PATH is not searched, because bwrap itself runs without isolation."""
_SYSTEM = ("/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/nix/store", "/gnu/store")
_ETC = (
    *("alternatives", "ca-certificates", "fonts", "group", "hosts", "ld.so.cache", "ld.so.conf", "ld.so.conf.d"),
    *("locale.conf", "localtime", "mime.types", "nsswitch.conf", "os-release", "passwd", "protocols", "services"),
    *("ssl/certs", "ssl/openssl.cnf", "pki/tls/certs", "pki/ca-trust/extracted", "timezone", "debian_version"),
)
View = list[tuple[str, str, str]]
"""Entries of (kind, path inside, source), where the source is a path outside, a link target, or contents."""


@dataclass(frozen=True, slots=True)
class Place:
    """The folder of one trial, outside the project."""

    folder: Path

    @property
    def origin(self) -> Path:
        """The pristine copy. A run can only read it, and starts with a copy of it."""
        return self.folder / "origin"

    @property
    def root(self) -> Path:
        """An empty folder on which the run's root is mounted."""
        return self.folder / "root"

    @property
    def work(self) -> Path:
        """The folder that a run may write to: its copy, home and temporary files."""
        return self.folder / "work"

    @property
    def project(self) -> Path:
        """The project folder inside the run."""
        return self.work / "project"

    def inside(self, path: Path) -> Path:
        """Return the path inside the run of a file of the copy."""
        return self.project / path.relative_to(self.origin)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunLimits:
    """Resource limits of a run."""

    seconds: float
    memory: int
    """Bytes of memory for all processes together."""
    addresses: int
    """Bytes of address space per process; 0 means no limit."""
    processes: int


def order(
    place: Place, limits: RunLimits, command: Sequence[str], visible: Mapping[Path, Path], walls: Sequence[Wall]
) -> str:
    """Return the order to run a command in a copy.

    :param visible: the files and folders that it may read, by the paths at which it expects them.
    :param walls: the isolation methods to try, in this order.
    """
    python = os.path.realpath(sys.executable)
    own = (*reach(python), Path(sys.base_prefix), SCRIPT)
    seen = view(place, {**visible, **{each: each for each in own}})
    known = filters()
    bwrap = next((each for each in _BWRAP if is_program(Path(each))), None)
    return json.dumps(
        {
            "walls": [each for each in walls if each != "bubblewrap" or bwrap],
            "python": python,
            "script": str(SCRIPT),
            "bwrap": bwrap,
            "options": _options(seen),
            "view": seen,
            "filters": {"apart": known.apart.hex(), "scoped": known.scoped.hex(), "shared": known.shared.hex()},
            "root": str(place.root),
            "origin": str(place.origin),
            "work": str(place.work),
            "project": str(place.project),
            "room": ROOM,
            "seconds": limits.seconds,
            "memory": limits.memory,
            "addresses": limits.addresses,
            "processes": limits.processes,
            "command": list(command),
        }
    )


def view(place: Place, visible: Mapping[Path, Path]) -> View:
    """Return the file system view of a run, outer folders first."""
    seen: View = [("bind", "/usr", "/usr")]
    for each in _SYSTEM:
        if os.path.islink(each):  # noqa: PTH114 - the text of the link is wanted as it is
            seen.append(("link", each, os.readlink(each)))  # noqa: PTH115 - as above
        elif Path(each).is_dir():
            seen.append(("bind", each, each))
    seen += [("bind", f"/etc/{name}", f"/etc/{name}") for name in _ETC if Path("/etc", name).exists()]
    seen += [("devices", "/dev", ""), ("processes", "/proc", "")]
    memory = (Path("/dev/shm"), Path("/tmp"), place.work)  # noqa: S108 - they are the run's own
    seen += [("memory", str(each), str(ROOM)) for each in memory]
    wanted = {place.origin: place.origin, **visible}
    for target in sorted(wanted, key=lambda path: len(path.parts)):
        is_seen = any(path in wanted or path == Path("/usr") for path in target.parents)
        if wanted[target].exists() and not is_seen:
            seen.append(("bind", str(target), str(wanted[target])))
    return seen


def _options(seen: View) -> list[str]:
    """Return the arguments of bwrap."""
    options = ["--unshare-all", "--unshare-user", "--die-with-parent", "--cap-drop", "ALL", "--hostname", "localhost"]
    for kind, target, given in seen:
        match kind:
            case "bind":
                options += ["--ro-bind", given, target]
            case "link":
                options += ["--symlink", given, target]
            case "memory":
                options += ["--size", given, "--tmpfs", target]
            case "devices":
                options += ["--dev", target]
            case _:
                options += ["--proc", target]
    # bwrap leaves kernel settings in /proc writable for root: it checks the mode of the folder, not of the files.
    read_only = [word for each in ("/proc", "/dev", "/") for word in ("--remount-ro", each)]
    return [*options, *read_only, "--chdir", "/"]
