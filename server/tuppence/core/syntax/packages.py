"""What a project can import, and whether a module is new to it.

In doubt a module is not new: every name that a manifest mentions counts as available. This module reads no files
(workspace/manifests.py does).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from tuppence.core.syntax.languages import Language

_FRAMEWORKS = frozenset({"pytest", "_pytest", "jest", "@jest", "vitest", "mocha", "chai"})
"""Test runners, which may be installed once for all projects."""
_OTHERWISE: Mapping[str, str] = {
    "allauth": "django_allauth",
    "apiclient": "google_api_python_client",
    "attr": "attrs",
    "bs4": "beautifulsoup4",
    "cairo": "pycairo",
    "community": "python_louvain",
    "constraint": "python_constraint",
    "crypto": "pycryptodome",
    "cryptodome": "pycryptodomex",
    "cv2": "opencv",
    "dateutil": "python_dateutil",
    "dns": "dnspython",
    "docx": "python_docx",
    "dotenv": "python_dotenv",
    "environ": "django_environ",
    "fitz": "pymupdf",
    "gi": "pygobject",
    "git": "gitpython",
    "github": "pygithub",
    "gitlab": "python_gitlab",
    "igraph": "python_igraph",
    "jose": "python_jose",
    "jwt": "pyjwt",
    "kafka": "kafka_python",
    "keycloak": "python_keycloak",
    "ldap": "python_ldap",
    "magic": "python_magic",
    "memcache": "python_memcached",
    "mpl_toolkits": "matplotlib",
    "multipart": "python_multipart",
    "mysqldb": "mysqlclient",
    "nacl": "pynacl",
    "odf": "odfpy",
    "openssl": "pyopenssl",
    "osgeo": "gdal",
    "past": "future",
    "pil": "pillow",
    "pkg_resources": "setuptools",
    "pptx": "python_pptx",
    "pylab": "matplotlib",
    "pythoncom": "pywin32",
    "rest_framework": "djangorestframework",
    "serial": "pyserial",
    "sklearn": "scikit_learn",
    "skimage": "scikit_image",
    "slugify": "python_slugify",
    "snappy": "python_snappy",
    "socks": "pysocks",
    "speech_recognition": "speechrecognition",
    "telegram": "python_telegram_bot",
    "tlz": "toolz",
    "umap": "umap_learn",
    "usb": "pyusb",
    "win32api": "pywin32",
    "win32com": "pywin32",
    "win32con": "pywin32",
    "win32gui": "pywin32",
    "xlib": "python_xlib",
    "yaml": "pyyaml",
    "zmq": "pyzmq",
}
"""Python modules whose package has a different name."""
_LEAST = 3
"""Minimum length of a name for being contained in another name to count."""


@dataclass(frozen=True, slots=True)
class Packages:
    """The packages of a project."""

    names: frozenset[str] = frozenset()
    """Normalized names of its own modules, of everything in its manifests, and of its installed packages."""
    complete: bool = False
    """Whether a name outside ``names`` certainly cannot be imported, because all sources of names were read."""
    aliases: tuple[str, ...] = ()
    """Names by which the project declares that its own files are imported; ``*`` matches any text."""


class DeferredPackages(Packages):
    """The packages of a project, determined on first use: few checks need them, and it reads the project.

    Use it in a thread, not on the event loop.
    """

    __slots__ = ("_find", "_found")
    _find: Callable[[], Packages]
    _found: Packages | None

    def __init__(self, find: Callable[[], Packages]) -> None:
        """Take the function that finds the packages; it is called once."""
        object.__setattr__(self, "_find", find)
        object.__setattr__(self, "_found", None)

    def _known(self) -> Packages:
        found = self._found
        if found is None:
            found = self._find()
            object.__setattr__(self, "_found", found)
        return found

    @property
    def names(self) -> frozenset[str]:
        """Normalized names of its own modules, of everything in its manifests, and of its installed packages."""
        return self._known().names

    @property
    def complete(self) -> bool:
        """Whether a name outside ``names`` certainly cannot be imported."""
        return self._known().complete

    @property
    def aliases(self) -> tuple[str, ...]:
        """Names by which the project's own files are imported."""
        return self._known().aliases


def is_new(module: str, known: Language, packages: Packages) -> bool:
    """Report whether a module, as written in an import, belongs neither to the language nor to the project."""
    root = known.import_style.package_of(module)
    if not root or root.partition("/")[0] in _FRAMEWORKS:
        return False
    if any(_is_alias(module, alias) for alias in packages.aliases):
        return False
    if known.import_style.packages_are_exact:
        return not any(each in packages.names for each in _exact(root, known))
    name = normal(root)
    return not any(_same(each, packages.names) for each in (name, _OTHERWISE.get(name, name)))


def normal(name: str) -> str:
    """Return the form of a package's name that is compared."""
    return re.sub(r"[-_.]+", "_", name).lower()


def _exact(root: str, known: Language) -> Iterator[str]:
    """Yield the normalized names under which a manifest may list a package."""
    yield normal(root)
    if known.import_style.packages_nest:
        parts = root.split("/")
        yield from (normal("/".join(parts[:size])) for size in range(1, len(parts)))
    if known.import_style.is_javascript:
        yield normal("@types/" + root.removeprefix("@").replace("/", "__"))


def _is_alias(module: str, alias: str) -> bool:
    head, star, tail = alias.partition("*")
    return module == alias if not star else module.startswith(head) and module[len(head) :].endswith(tail)


def _same(name: str, names: frozenset[str]) -> bool:
    """Report whether a name is present, possibly as a part of another: ``yaml`` is in ``pyyaml``."""
    if name in names:
        return True
    bare = name.replace("_", "")
    return len(bare) >= _LEAST and any(bare in _bare(each) for each in names)


def _bare(name: str) -> str:
    """Return a name without separators and without a part that only says ``python``."""
    return "".join(part for part in name.split("_") if part not in ("python", "python3"))
