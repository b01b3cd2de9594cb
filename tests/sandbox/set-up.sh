#!/usr/bin/env bash
# Sets up bubblewrap, which the tests of the sandbox try beside the other walls, on Debian as root; what is there already
# is left alone.
set -euo pipefail

if ! command -v bwrap >/dev/null; then
  if [ "$(id -u)" != 0 ]; then
    echo "bubblewrap is needed. Run as root: apt-get install bubblewrap" >&2
    exit 1
  fi
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -qq
  apt-get install -y -qq --no-install-recommends bubblewrap >/dev/null
fi
bwrap --version
