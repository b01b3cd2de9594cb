#!/usr/bin/env bash
# Sets up the database that the tests of a team's ledger start, on Debian as root; what is there already is left alone.
set -euo pipefail

if ! ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1; then
  if [ "$(id -u)" != 0 ]; then
    echo "PostgreSQL is needed. Run as root: apt-get install postgresql" >&2
    exit 1
  fi
  export DEBIAN_FRONTEND=noninteractive
  # The tests start a server of their own; Debian's is not wanted.
  mkdir -p /etc/postgresql-common
  [ -e /etc/postgresql-common/createcluster.conf ] || echo "create_main_cluster = false" >/etc/postgresql-common/createcluster.conf
  apt-get update -qq
  apt-get install -y -qq --no-install-recommends postgresql >/dev/null
fi
"$(ls -d /usr/lib/postgresql/*/bin | sort -V | tail -1)/postgres" --version
