"""Recognize files that hold secrets by their names, by family: base name, extension, and the suffixes of copies.

Such a file is never sent to a model. A source file with such a name (``secrets.py``) is never part of the context of
another file, and the user is asked before an action on it (``is_telling_source``). Templates (``.env.example``), public
keys and ordinary parts of programs are not matched: contents are scanned for secrets before they are sent, so a name
must be a clear sign, not only suspicious.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from pathlib import PurePath

_COPIES = (
    r"~+",
    r"[._-](?:bak\d*|backup|bkp|old|orig|original|save|saved|prev|previous|copy|tmp|temp|sw[pon]|swap|rej|disabled|off)",
    r"[._-](?:dpkg-(?:old|dist|new)|rpm(?:save|new|orig)|ucf-(?:old|dist)|\d{1,14}|\d{4}-\d\d-\d\d)",
    r" ?\(\d+\)",
    r"[ _-]+copy(?: ?\d+)?",
    r"\.(?:gz|bz2|xz|zst|zip|7z|rar|tar|tgz|tbz2?|txz|lz4|br)",
)
_COPY = re.compile(rf"(?:{'|'.join(_COPIES)})$")
"""Suffixes that copies, backups and editors add to a name."""
_LEADING = re.compile(r"^(?:copy of |copy_of_|backup[_-]|\.#|#(?=.*#$))")
_INNER_COPY = re.compile(r"(?: ?\(\d+\)| - copy| copy(?: \d+)?|[._-](?:bak|backup|old|orig|copy))(?=\.[a-z0-9]{1,10}$)")
"""What copies add before the extension: ``id_rsa (1).pem``."""
_TEMPLATES = frozenset("example examples sample samples template templates tmpl tpl dist defaults schema spec".split())
_TEMPLATES_OF_ENV = frozenset({"example.env", "sample.env", "template.env"})
_FOLDERS = frozenset(
    ".ssh .aws .azure .gnupg .kube .git .gcloud .password-store .oci .vault .secrets .credentials .keyrings".split()
)
_DATA = (
    r"json|jsonc|json5|ya?ml|toml|ini|cfg|conf|config|txt|csv|tsv|xml|properties|plist|env|list|dat|data|enc|pickle|asc|"
    r"log|xcconfig"
)
_ENDINGS = frozenset(
    """
    pem key p12 pfx pkcs12 p8 p7b p7c crt cer der jks jceks bks bcfks keystore ppk pvk snk spc kdb kdbx psafe3 gpg
    pgp ovpn keytab keychain keychain-db agilekeychain opvault 1pif 1pux mobileprovision provisionprofile wallet env
    tfstate tfvars sqlite sqlite2 sqlite3 sqlitedb db db2 db3 s3db mdb accdb dump dmp mdmp hprof heapdump
    heapsnapshot rdb aof har pcap pcapng enc htpasswd htdigest netrc pgpass rdp jwk pk8 pkcs8 pkcs7 pkcs p7m mdf ldf
    ibd fdb duckdb realm rdg tblk pst bek
    """.split()
)
_EXACT = frozenset(
    """
    .env .envrc .netrc _netrc .npmrc .pypirc .pgpass pgpass.conf .htpasswd .htdigest htpasswd .git-credentials
    .vault-token .vault_pass .vault_password .vault-password vault_pass vault_password .boto .s3cfg .my.cnf
    .mylogin.cnf .terraformrc terraform.rc credentials.tfrc.json .dockercfg .dockerconfigjson kubeconfig
    kubeconfig.yaml kubeconfig.yml wp-config.php .dev.vars master.key credentials.yml.enc local.settings.json
    google-services.json googleservice-info.plist auth.json wallet.dat shadow gshadow .rhosts .smbcredentials
    .msmtprc .fetchmailrc .offlineimaprc .mbsyncrc .authinfo .passwd-s3fs .passwd .secret .secrets .token .tokens
    .credentials .credential .password .passwords .creds .apikey rclone.conf .rclone.conf
    application_default_credentials.json access_tokens.db accesstokens.json azureprofile.json msal_token_cache.json
    msal_token_cache.bin .databrickscfg kaggle.json ngrok.yml cookies key3.db key4.db logins.json signons.sqlite
    cookies.txt ntds.dit unattend.xml sysprep.xml .ftpconfig .ftppass sftp-config.json sftp.json filezilla.xml
    recentservers.xml sitemanager.xml winscp.ini .remote-sync.json credentials-config.json credentials.xml
    hudson.util.secret settings-security.xml vault.yml vault.yaml .lesshst .viminfo .histfile .zhistory fish_history
    consolehost_history.txt token.json token.pickle token.txt terraform.tfstate secring.gpg .bw-session .npmrc.local
    .gemcredentials .travis.key passwd passwords creds credentials secrets pg_service.conf .pg_service.conf
    ipsec.secrets chap-secrets pap-secrets tomcat-users.xml mgmt-users.properties localsettings.php
    settings.local.php config.inc.php wp-config-local.php autounattend.xml vault core privkey keyfile .k5login
    .subversion .api_key
    """.split()
) | {"login data"}
_INSIDE = frozenset(
    {
        (".docker", "config.json"),
        (".cargo", "credentials"),
        (".cargo", "credentials.toml"),
        (".gem", "credentials"),
        (".bundle", "config"),
        (".m2", "settings.xml"),
        ("gh", "hosts.yml"),
        (".config", "hub"),
        ("glab-cli", "config.yml"),
        (".composer", "auth.json"),
        (".sbt", "credentials"),
        (".huggingface", "token"),
        ("huggingface", "token"),
        (".snowsql", "config"),
        (".dbt", "profiles.yml"),
        (".vscode", "sftp.json"),
        ("gcloud", "credentials.db"),
        (".jupyter", "jupyter_server_config.json"),
        (".local", "credentials"),
        (".streamlit", "secrets.toml"),
        (".fly", "config.yml"),
        ("doctl", "config.yaml"),
        ("heroku", "auth"),
        (".gradle", "gradle.properties"),
        (".vnc", "passwd"),
        (".config", "op"),
        (".chef", "credentials"),
    }
)
"""Names that are a sign of secrets in a certain folder only."""
_WORDS = (
    r"secrets?|credentials?|creds|api[_-]?keys?|client[_-]?secrets?|service[_-]?accounts?(?:[_-]?keys?)?|"
    r"private[_-]?keys?|access[_-]?(?:tokens?|keys?)|auth[_-]?tokens?|firebase-adminsdk|oauth2?[_-]?(?:token|secret)s?|"
    r"secret[_-]?keys?|gcp[_-]?keys?|aws[_-]?keys?|ssh[_-]?keys?|user[_-]?secrets|app[_-]?secrets|db[_-]?passwords?"
)
_REFERRING = r"(?:external|sealed|cluster[_-]?external|no|detect|about|manage|rotate)[._-]"
"""Prefixes of names of code that refers to secrets without holding them."""
_BARE = (
    r"credentials?|secrets?|api[_-]?keys?|access[_-]?tokens?|auth[_-]?tokens?|passwords?|passwd|priv(?:ate)?[_-]?keys?|"
    r"secret[_-]?keys?"
)
"""Names of files without an extension that hold a secret and nothing else."""
_WORD_LIST = r"(?:common|weak|top|worst|bad|popular|frequent|\d+)[._-]"
"""Prefixes of names of lists of common passwords."""
_PATTERNS = tuple(
    re.compile(each)
    for each in (
        r"\.env(?:[._-].+)?",
        r"\.dev\.vars\..+",
        rf"(?!{_REFERRING})(?:.*[._@ -])?(?:{_WORDS})(?:[._@ -].*)?\.(?:{_DATA})",
        rf"(?!no[._-])(?:[\w-]*[._-])?(?:{_BARE})",
        r"key(?:file)?\.json",
        r"(?:.*[._-])?(?:gcp|gcloud|google|service|sa|deploy|signing|private|firebase)[._-]?key\.json",
        r".*\.env\.(?:json|ya?ml|toml|js)",
        r"krb5cc_.*|wg\d+\.conf|.*\.secrets",
        rf"(?!{_WORD_LIST})(?:.*[._ -])?(?:passwords?|passwd|pwds?)(?:\.(?:{_DATA}))?\.(?:{_DATA})",
        r"(?:.*[._-])?id_(?:rsa|dsa|ecdsa|ed25519|xmss)(?:_sk)?(?:[._-](?!pub$).+)?",
        r"[\w.-]+_(?:rsa|dsa|ecdsa|ed25519)(?:_key)?",
        r"ssh_host_.*key",
        r".*[._]tfstate(?:\..+)?",
        r".*\.tfvars(?:\.json)?",
        r"\..*hist(?:ory|file)?",
        r".*[_-]history(?:\.txt)?",
        r"(?:.*[._-])?(?:(?:my|pg_?|post)?(?:sql|gres)?_?dump|backup|export)s?(?:[._-].*)?\.sql",
        r".*\.sql\.(?:enc|dump|gz|bz2|xz|zst|zip|7z|lz4|br)",
        r"core\.\d+|heapdump.*|java_pid\d+.*",
        r"cookies?\.sqlite.*|.*\.(?:sqlite3?|db)-(?:wal|shm|journal)",
        r".*_vault(?:_pass(?:word)?)?(?:\.txt)?|\.ansible[_-]vault.*|\.?vault[_-]pass(?:word)?(?:\..+)?",
        r".*\.(?:ya?ml|json|toml)\.enc",
        r"(?:client|server|ca|root)[_-]?secret.*",
        r"env\.(?:prod|production|stage|staging|dev|development|local|live)|kube\.config|kubeconfig[._-].+|\.htpasswd[._-].+",
        r"(?:key|keystore|signing)\.properties|utc--\d{4}-.+|.*\.token|logins?\.csv|pass\.txt",
        r"(?:.*[._-])?(?:mnemonic|seed[._-]?phrase|(?:recovery|backup)[._-]?codes?)\.(?:txt|md|csv|json)",
        r"(?:1password|bitwarden|dashlane|keepass|lastpass)(?:[._-].*)?\.(?:csv|json|xml|txt)",
        r"(?:anthropic|bot|discord|github|gitlab|hf|openai|slack|telegram)[._-]?(?:api[._-]?)?(?:token|key)s?\.txt",
        r"accesskeys?\.csv|.*[_-]accesskeys\.csv|rootkey\.csv|new_user_credentials\.csv",
    )
)
_PUBLIC = re.compile(r".*\.pub$|(?:.*[._-])?public(?:[._-]?key)?\.(?:pem|key|asc|der)$")
_CODE = frozenset(
    """
    py pyi pyx js mjs cjs jsx ts mts cts tsx go rs rb php java kt kts scala swift cs fs vb c h cc cpp cxx hpp m mm
    ex exs erl hrl lua pl pm sh bash zsh fish ps1 psm1 bat cmd r jl dart groovy gradle clj cljs hs ml mli nim zig tf
    hcl sql vue svelte elm cr v sol ipynb
    """.split()
)
_MOST = 24
"""Maximum number of forms of one name that are tried."""
_SOURCE = re.compile(
    r"(?:(?:prod|production|dev|development|staging|stage|local|my|app|aws|gcp|azure|db|database|api|config|default|"
    r"private|team|user|server|client)[._-])?"
    r"(?:secrets?|credentials?|creds|passwords|api[_-]?keys?|secret[_-]?keys?|client[_-]?secrets?|private[_-]?keys|"
    r"access[_-]?keys|auth[_-]?tokens|service[_-]?account)"
    r"(?:[._-](?:prod|production|dev|development|staging|stage|local|private|default|config|data))?"
)


def secret(path: PurePath) -> str | None:
    """Return a clause that says why a file's name is a sign of secrets; None where it is not."""
    parts = tuple(part.lower() for part in path.parts)
    folder = next((part for part in parts[:-1] if part in _FOLDERS), None)
    if folder is not None:
        return f"files in {folder} hold secrets"
    if not parts:
        return None
    if ".config" in parts[:-1] and "gcloud" in parts[:-1]:
        return "files in .config/gcloud hold secrets"
    name = parts[-1]
    above = parts[-2] if len(parts) > 1 else ""
    telling = _telling(name, above)
    return None if telling is None else f"a file named {telling} may hold secrets"


def is_telling_source(path: PurePath) -> bool:
    """Return whether a file is source code whose name suggests that it holds secrets."""
    return _is_source(path.name.lower())


@lru_cache(maxsize=4096)
def _telling(name: str, above: str) -> str | None:
    for each in _bare(name):
        if _is_template(each) or _PUBLIC.fullmatch(each):
            return None
        if (above, each) in _INSIDE:
            return f"{above}/{each}"
        if each in _EXACT or (each != name and _is_source(each)):
            return each
        ending = each.rpartition(".")[2] if "." in each else ""
        if ending in _ENDINGS:
            return f"*.{ending}"
        if ending not in _CODE - {"sql"} and any(pattern.fullmatch(each) for pattern in _PATTERNS):
            return each
    return None


def _bare(name: str) -> Iterator[str]:
    """Yield a name, then the name without each suffix of a copy, backup or editor."""
    seen: set[str] = set()
    waiting = [name]
    while waiting:
        each = waiting.pop()
        if not each or each in seen or len(seen) > _MOST:
            continue
        seen.add(each)
        yield each
        waiting.append(_INNER_COPY.sub("", each))
        waiting.append(_LEADING.sub("", each).removesuffix("#") if _LEADING.search(each) else each)
        shorter = _COPY.sub("", each)
        waiting.append(shorter)
        if each.startswith(".") and each.endswith((".swp", ".swo", ".swn")):
            waiting.append(shorter[1:])


def _is_template(name: str) -> bool:
    """Return whether a name is that of a template to be filled in."""
    return name in _TEMPLATES_OF_ENV or any(part in _TEMPLATES for part in re.split(r"[._-]", name)[1:])


def _is_source(name: str) -> bool:
    stem, dot, ending = name.rpartition(".")
    return bool(dot) and ending in _CODE and _SOURCE.fullmatch(stem) is not None
