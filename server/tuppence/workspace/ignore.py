"""Files that are never sent to a model because their names say that they hold secrets.

The list of names is short on purpose: it holds what keeps keys and passwords, not every configuration file, because a
file that is refused cannot be worked on. What a file contains is not looked at here.
"""

from __future__ import annotations

from fnmatch import fnmatchcase
from pathlib import Path

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
