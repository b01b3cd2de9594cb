"""What a project can import, and whether a module is new to it.

In doubt a module is not new: whatever a manifest so much as mentions counts as had. Nothing is read here
(workspace/manifests.py reads).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from tuppence.core.syntax.languages import Language

_FRAMEWORKS = frozenset({"pytest", "_pytest", "jest", "@jest", "vitest", "mocha", "chai"})
"""What runs tests, and may be installed for all projects at once."""
_OTHERWISE: Mapping[str, str] = {
    "pil": "pillow",
    "cv2": "opencv",
    "bs4": "beautifulsoup4",
    "sklearn": "scikit_learn",
    "skimage": "scikit_image",
    "crypto": "pycryptodome",
    "pkg_resources": "setuptools",
    "win32api": "pywin32",
    "win32con": "pywin32",
    "mpl_toolkits": "matplotlib",
    "magic": "python_magic",
}
"""Python modules whose package is called otherwise."""
_LEAST = 3
"""Characters of a name below which being a part of another means nothing."""


@dataclass(frozen=True, slots=True)
class Packages:
    """What a project has."""

    names: frozenset[str] = frozenset()
    """Of its own modules, of what its manifests mention and of what is installed for it; normalised."""
    complete: bool = False
    """Whether there is a manifest that should name all it needs."""


def is_new(module: str, known: Language, packages: Packages) -> bool:
    """Report whether a module, as an import statement writes it, is neither the language's own nor the project's."""
    root = known.import_style.package_of(module)
    if not root or root.partition("/")[0] in _FRAMEWORKS:
        return False
    name = normal(root)
    return not any(_same(each, packages.names) for each in (name, _OTHERWISE.get(name, name)))


def normal(name: str) -> str:
    """Return a package's name as names are compared."""
    return re.sub(r"[-_.]+", "_", name).lower()


def _same(name: str, names: frozenset[str]) -> bool:
    """Report whether a name is there, perhaps as a part of another: ``yaml`` is in ``pyyaml``."""
    return name in names or (len(name) >= _LEAST and any(name in each for each in names))
