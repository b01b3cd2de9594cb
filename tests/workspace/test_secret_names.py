"""File names that say that a file holds secrets, and names of ordinary files that do not."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Any

import pytest

from tuppence.workspace.secret_names import is_telling_source, secret

TELLING = """
env.prod env.local kube.config kubeconfig-prod .htpasswd-users key.properties keystore.properties signing.properties
UTC--2030-01-01T00-00-00.000Z--ab access.token logins.csv pass.txt mnemonic.txt seed_phrase.txt recovery-codes.txt
github-recovery-codes.txt 1password-export.csv bitwarden_export.json lastpass.csv openai_key.txt slack_token.txt
.env .env.local .env.production .env-prod .env_staging prod.env .env.bak .env~ .env.old .envrc .dev.vars
.dev.vars.local credentials.json credentials.yml credentials.yaml credentials.toml credentials.ini credentials.csv
credentials.xml credentials aws_credentials.ini prod-credentials.json credentials.prod.yml db-credentials.properties
credentials.yml.enc service_account.json service-account.json serviceAccount.json service-account-key.json
gcp-service-account.json my-app-firebase-adminsdk-x1y2z-0123456789.json client_secret.json
client_secret_12345.apps.googleusercontent.com.json secrets.yml secrets.yaml secrets.json secrets.toml secrets.env
secrets.properties secrets.production.json secrets.txt secrets-dev.yaml app.secrets.json secret.txt api_keys.txt
apikey.json api-key.yml access_token.txt auth_token.json passwords.txt passwords.csv password.txt db_password.txt
passwd .passwd shadow .htpasswd htpasswd .htdigest id_rsa id_dsa id_ecdsa id_ed25519 id_ed25519_sk id_rsa.bak
id_rsa.old id_rsa~ id_rsa.1 id_rsa_backup deploy_rsa github_ed25519 ssh_host_rsa_key server.pem server.key server.crt
server.cer server.der AuthKey_AB12CD34EF.p8 cert.p12 cert.pfx chain.p7b release.jks debug.keystore release.keystore
putty.ppk vault.kdbx old.kdb key.gpg key.pgp office.ovpn krb5.keytab login.keychain login.keychain-db
app.mobileprovision key.snk server.pem.bak server.key.old server.key~ server.key.orig cert.p12.1 .server.key.swp
copy␣of␣server.key id_rsa␣(1).pem server␣-␣Copy.key id_rsa.gz secrets.yml.bak secrets.py.bak .secrets.yml.swp
#secrets.yml# kubeconfig kubeconfig.yaml .kube/config .aws/credentials .aws/config .azure/accessTokens.json
.ssh/config .docker/config.json .dockercfg .dockerconfigjson .cargo/credentials .cargo/credentials.toml
.gem/credentials .config/gh/hosts.yml .m2/settings.xml .composer/auth.json auth.json .netrc _netrc .npmrc .pypirc
.pgpass .my.cnf .mylogin.cnf .boto .s3cfg .git-credentials .vault-token .terraformrc terraform.rc terraform.tfvars
prod.auto.tfvars terraform.tfvars.json terraform.tfstate terraform.tfstate.backup wp-config.php wp-config.php.bak
master.key local.settings.json google-services.json GoogleService-Info.plist .databrickscfg kaggle.json rclone.conf
.bash_history .zsh_history .python_history .psql_history .node_repl_history .mysql_history fish_history .histfile
users.sqlite users.sqlite3 app.db app.db-wal data.mdb accounts.accdb dump.sql backup-2024.sql prod_dump.sql db.sql.gz
heap.hprof java_pid123.hprof app.dmp dump.rdb session.har capture.pcap Cookies Login␣Data key4.db logins.json
cookies.sqlite cookies.txt wallet.dat sftp-config.json token.json token.pickle vault_pass.txt .vault_pass rootkey.csv
config/credentials/production.key key.json gcp-key.json service-key.json keyfile.json aws_credentials db-password
api_key .api_key privkey ipsec.secrets wg0.conf krb5cc_1000 mysqldump.sql pg_dump-2024.sql keys.jwk app.pk8
serverless.env.yml Secrets.xcconfig passwords.log .octave_hist pg_service.conf .gradle/gradle.properties
.config/gcloud/legacy/adc.txt LocalSettings.php core .streamlit/secrets.toml .vscode/sftp.json core.4242
application_default_credentials.json
""".split()
HARMLESS = """
example.env sample.env template.env env.ts env.py env.d.ts env.md environment.local.ts gradle.properties
messages.properties i18n.properties tokens.json bitwarden.py bot.txt recovery.md seeds.csv logins.py
.env.example .env.sample .env.template .env.dist secrets.md SECRETS.md credentials.md secrets.example.yml
credentials.json.example credentials.sample.json .env.local.example wp-config-sample.php secrets.yml.dist
terraform.tfvars.example id_rsa.pub id_ed25519.pub server.pub keyboard.py keyboard.ts monkey.ts monkey.py keyring.py
keys.py key.py key.ts keyframes.css environment.ts environment.prod.ts environment.py env.d.ts env.py env.mjs
setupenv.sh tokenizer.py tokenizer.json tokens.py tokens.ts token.go token.rs Token.java tokens.json
design-tokens.json package-tokens.css history.py history.ts order_history.py git_history.go History.md HISTORY.rst
certificate_test.go certificate.py certificates.ts cert_utils.py certbot.py passwords_controller.rb password.py
password.ts password_reset.py password_reset.html PasswordField.tsx passwordValidator.js reset-password.vue
forgot_password.py test_passwords.py credentials_provider.go credentialsProvider.ts credential_helper.py
secrets_manager.py secretsmanager.go secret_names.py SecretService.java test_secrets.py secrets_test.go
detect_secrets.py api_key_auth.py apikeys_controller.rb ApiKeyList.tsx auth.py auth.ts auth.go authentication.py
authorize.rb oauth.py oauth2.py login.py login.html session.py sessions.go cookies.py cookie.ts cookiejar.py
database.py database.yml db.py db.ts sqlite.py sqlite3.go mysql.py dump.py dumper.py backup.py backup.sh restore.py
schema.sql migration_001.sql 0001_initial.sql queries.sql seed.sql tables.sql docker-compose.yml Dockerfile
.dockerignore .docker/Dockerfile .docker/nginx.conf config.py config.json config.toml settings.py settings.json
appsettings.json appsettings.Development.json application.yml application.properties package.json package-lock.json
yarn.lock uv.lock Cargo.lock Cargo.toml .cargo/config.toml pyproject.toml tsconfig.json .eslintrc.json .prettierrc
.editorconfig .gitignore .gitattributes .babelrc .yarnrc.yml gradle.properties build.gradle settings.gradle pom.xml
web.config nginx.conf main.tf variables.tf outputs.tf versions.tf .terraform.lock.hcl kube.py kubernetes.yaml
deployment.yaml configmap.yaml external-secrets.yaml sealed-secrets.yaml values.yaml Chart.yaml README.md LICENSE
Makefile setup.py conftest.py index.html app.py main.go lib.rs App.tsx common-passwords.txt keymap.json keywords.txt
keybindings.json publickey.py public_key.ts PublicKey.java public.pem service_account.proto account_service.py
service.json accounts.json users.csv data.csv words.txt requirements.txt names.txt core.py core.ts heapdump.py
vault.py vault.go shadow.css shadow.py passwd.py hosts.yml hub.py firebase.json firebase.ts google.py kaggle.py
wallet.py wallet.ts historyApiFallback.js privacy.md private.py secretary.py secretsanta.py credits.md tokenList.json
cryptography.py crypto.ts ssh.py ssl.go tls_test.go pem.go pem_test.go x509.go jwt.py jwks.json p8.py rsa.py rsa.go
ed25519.go id_generator.py id_rsa.py sample.py example.js copy.py key_test.json keyboard.json monkey.json
translation-keys.json secret_santa.html coredump.md core/base.txt vault/README.md configuration.php nginx.env.conf.j2
pg_dump.py dump.js copy.py old.py backup.ts original.go save.py orig.c tmp.py temp.ts
""".split()
SOURCES = """
secrets.py credentials.ts secrets.go secret.py Secrets.java credentials.py creds.py api_keys.py apiKeys.ts apikey.js
secrets.dev.ts prod_secrets.py secrets_local.rb aws_credentials.py secrets.sh credentials.php passwords.py secrets.tf
""".split()
ORDINARY_SOURCES = """
secrets_manager.py credentials_provider.go password.py keys.py tokens.ts token.go test_secrets.py
passwords_controller.rb secret_names.py environment.ts config.py auth.ts secrets.md credentials.json apiKeyAuth.ts
""".split()


@pytest.mark.attack("workspace files", "telling names")
def test_a_telling_name_is_private(record_property: Any) -> None:
    names = [name.replace("␣", " ") for name in TELLING]
    assert len(set(names)) >= 115
    record_property("cases", len(names))
    assert not [name for name in names if secret(PurePosixPath(name)) is None]
    assert not [name for name in names if secret(PurePosixPath("deep/down", name)) is None]
    assert not [name for name in names if secret(PurePosixPath(name.upper())) is None]


def test_an_ordinary_name_is_not() -> None:
    assert len(set(HARMLESS)) >= 150
    assert not [(name, why) for name in HARMLESS if (why := secret(PurePosixPath("src", name)))]
    assert not [name for name in HARMLESS if is_telling_source(PurePosixPath("src", name))]


def test_a_source_with_a_telling_name_is_a_class_of_its_own() -> None:
    assert not [name for name in SOURCES if not is_telling_source(PurePosixPath("src", name))]
    assert not [name for name in SOURCES if secret(PurePosixPath("src", name))]
    assert not [name for name in ORDINARY_SOURCES if is_telling_source(PurePosixPath("src", name))]


@pytest.mark.attack("workspace files", "copies of telling names")
def test_a_copy_of_a_telling_file_is_private(record_property: Any) -> None:
    bases = ("id_rsa", ".env", "server.key", "credentials.json", "secrets.yml", "kubeconfig", ".netrc", "secrets.py")
    forms = (
        "{}.bak", "{}.old", "{}~", "{}.orig", "{}.swp", ".{}.swp", "{}.1", "{}.save", "{}.backup", "{}_bak", "{}-old",
        "{}.bak.1", "{}.old~", "{} copy", "{} (1)", "copy of {}", "#{}#", ".#{}", "{}.20240101", "{}.tar.gz", "{}.zip",
        "{}.rpmsave", "{}.dpkg-old", "{}.tmp",
    )  # fmt: skip
    names = [form.format(base) for base in bases for form in forms]
    record_property("cases", len(names))
    assert not [name for name in names if secret(PurePosixPath(name)) is None]


@pytest.mark.attack("hostile sizes", "names made to slow their reading")
def test_a_long_name_is_read_in_steps_in_proportion() -> None:
    # A pattern that backtracks without bound would not come to an end here.
    for unit in ("_", "-", ".", "a.", "a_", "secrets", "secrets.", ".bak", ".1", "~", "copy of ", "id_rsa_", " (1)"):
        assert secret(PurePosixPath("x" + unit * (250 // len(unit)) + "!.py")) is None
