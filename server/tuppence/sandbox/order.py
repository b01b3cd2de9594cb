"""The order for one run: what ``sandbox/launcher.py`` and ``sandbox/walls.py`` are given, as JSON.

What a run sees of the disk is a list of what is let in: the system's programs and libraries, a few files of ``/etc``,
the program that runs the tests with its environment, and the copy. So the home folder, the run-time folders and every
socket in them are not there.
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
"""The walls in the order in which they are tried."""
ROOM = 256 * 1024**2
"""Bytes that a run may write: in the copy, in ``/tmp``, and as shared memory, each."""
LAUNCHER = Path(__file__).with_name("launcher.py")
SCRIPT = Path(__file__).with_name("walls.py")
_BWRAP = ("/usr/bin/bwrap", "/bin/bwrap", "/usr/local/bin/bwrap", "/run/wrappers/bin/bwrap")
"""Where systems install bubblewrap; it runs outside of any wall, so the path is not asked."""
_SYSTEM = ("/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/nix/store", "/gnu/store")
_ETC = (
    *("alternatives", "ca-certificates", "fonts", "group", "hosts", "ld.so.cache", "ld.so.conf", "ld.so.conf.d"),
    *("locale.conf", "localtime", "mime.types", "nsswitch.conf", "os-release", "passwd", "protocols", "services"),
    *("ssl/certs", "ssl/openssl.cnf", "pki/tls/certs", "pki/ca-trust/extracted", "timezone", "debian_version"),
)
View = list[tuple[str, str, str]]
"""Kind, place inside, and what is given for it: a place outside, where a link leads, or bytes."""


@dataclass(frozen=True, slots=True)
class Place:
    """The folder of one trial, outside of the project."""

    folder: Path

    @property
    def origin(self) -> Path:
        """The copy that is written by us; a run reads it and begins with a copy of it."""
        return self.folder / "origin"

    @property
    def root(self) -> Path:
        """An empty folder, over which the run's own root is mounted."""
        return self.folder / "root"

    @property
    def work(self) -> Path:
        """What a run may write; its copy, home and temporary files are in it."""
        return self.folder / "work"

    @property
    def project(self) -> Path:
        """The copy as a run sees it."""
        return self.work / "project"

    def inside(self, path: Path) -> Path:
        """Return where a run sees a file of the copy."""
        return self.project / path.relative_to(self.origin)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunLimits:
    """What a run may use."""

    seconds: float
    memory: int
    """Bytes for all its processes."""
    addresses: int
    """Bytes of addresses for each of them; 0 for any number."""
    processes: int


def order(
    place: Place, limits: RunLimits, command: Sequence[str], visible: Mapping[Path, Path], walls: Sequence[Wall]
) -> str:
    """Return the order to run a command in a copy.

    :param visible: the files and folders that it may read, by the paths at which it finds them.
    :param walls: those that are tried, in this order.
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
    """Return what a run sees of the disk, outer folders first."""
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
    """Return what bwrap is asked for."""
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
    # For root, bwrap leaves the kernel's settings in /proc open: it looks at the mode of the folder, not of the files.
    read_only = [word for each in ("/proc", "/dev", "/") for word in ("--remount-ro", each)]
    return [*options, *read_only, "--chdir", "/"]
