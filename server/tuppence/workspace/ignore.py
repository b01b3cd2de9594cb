"""Files that are never sent to a model: those whose names say that they hold secrets, and those the project ignores.

The list of names is short on purpose: it holds what keeps keys and passwords, not every configuration file, because a
file that is refused cannot be worked on. ``.gitignore`` and ``.tuppenceignore`` count in every folder from the root
down, the innermost last, as git reads them. What a file contains is not looked at here.
"""

from __future__ import annotations

from fnmatch import fnmatchcase
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pathspec

IGNORES = (".gitignore", ".tuppenceignore")
_SECRET = (
    *(
        ".env",
        ".env.*",
        "*.env",
        ".envrc",
        "*.pem",
        "*.key",
        "*.p12",
        "*.pfx",
        "*.jks",
        "*.keystore",
        "*.kdbx",
        "*.ppk",
    ),
    *("id_rsa", "id_dsa", "id_ecdsa", "id_ed25519", "id_*_sk", "*.ovpn", "*.gpg", "*.pgp", ".netrc", "_netrc"),
    *(".npmrc", ".pypirc", ".pgpass", ".htpasswd", ".git-credentials", ".vault-token", "*.tfstate", "*.tfstate.*"),
    *("*.tfvars", "*.tfvars.json", "credentials.json", "client_secret*.json", "service-account*.json"),
    *("secrets.yml", "secrets.yaml", "secrets.json", "secrets.toml", "secrets.env", "master.key", "*.sqlite", "*.db"),
)
_HARMLESS = (".env.example", ".env.sample", ".env.template", ".env.dist", "*.example", "*.sample")
_FOLDERS = frozenset({".ssh", ".aws", ".gnupg", ".kube", ".git"})


def secret(path: Path) -> str | None:
    """Return why a file's name says that it holds secrets, None where it does not."""
    name = path.name.lower()
    folder = next((part for part in path.parts[:-1] if part.lower() in _FOLDERS), None)
    if folder is not None:
        return f"files in {folder} hold secrets"
    if any(fnmatchcase(name, pattern) for pattern in _HARMLESS):
        return None
    pattern = next((pattern for pattern in _SECRET if fnmatchcase(name, pattern)), None)
    return pattern and f"a file named {pattern} may hold secrets"


def ignored(path: Path, root: Path) -> str | None:
    """Return which ignore file leaves out a file or folder inside the root, None where none does."""
    if not path.is_relative_to(root) or path == root:
        return None
    parts = path.relative_to(root).parts
    why: str | None = None
    for depth in range(len(parts)):
        folder = root.joinpath(*parts[:depth])
        for name in IGNORES:
            file = folder / name
            spec = _spec(file)
            verdict = None if spec is None else spec.check_file("/".join(parts[depth:])).include
            if verdict is not None:
                why = f"{file.relative_to(root).as_posix()} leaves it out" if verdict else None
    return why


def _spec(file: Path) -> pathspec.GitIgnoreSpec | None:
    try:
        facts = file.stat()
    except OSError:
        return None
    return _compiled(str(file), facts.st_mtime_ns, facts.st_size)


@lru_cache(maxsize=256)
def _compiled(file: str, _modified: int, _size: int) -> pathspec.GitIgnoreSpec | None:
    from pathspec import GitIgnoreSpec

    try:
        lines = Path(file).read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return None
    return GitIgnoreSpec.from_lines(lines)
