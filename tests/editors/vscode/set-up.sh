#!/usr/bin/env bash
# Puts a real VS Code (code-server) and the means to drive it into a folder of the user's cache, once: about three
# minutes and 1 GB, from Debian's and npm's registries alone. No administrator's rights are used where the Debian
# packages are there already.
# usage: set-up.sh [FOLDER]      prints the folder
set -euo pipefail

# One file names the versions: changing any of them makes the set-up run again.
NODE=24.21.0          # code-server asks for Node 24, whatever the system has
CODE_SERVER=4.139.1   # VS Code 1.139.1
PLAYWRIGHT=1.65.1
DEBIAN=(libkrb5-dev chromium fonts-dejavu-core fonts-liberation)  # code-server compiles `kerberos`

folder=${1:-${XDG_CACHE_HOME:-$HOME/.cache}/tuppence-editors/vscode}
stamp="node $NODE, code-server $CODE_SERVER, playwright-core $PLAYWRIGHT"
mkdir -p "$folder"
folder=$(cd "$folder" && pwd)
exec 9>"$folder/.lock"
flock 9   # two runs of the suite must not fill the same folder

missing=()
for package in "${DEBIAN[@]}"; do
  dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
done
if [ "${#missing[@]}" -gt 0 ]; then
  as_root=()
  [ "$(id -u)" = 0 ] || as_root=(sudo)
  "${as_root[@]}" apt-get update -qq >&2
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >"$folder/apt.log" 2>&1 \
    || { tail -n 30 "$folder/apt.log" >&2; exit 1; }
fi

if [ "$(cat "$folder/.ready" 2>/dev/null)" != "$stamp" ]; then
  rm -rf "$folder"/{node,code,drive,.ready}
  mkdir -p "$folder"/{node,code,drive}
  npm_quietly() { nice -n 10 npm --silent --no-fund --no-audit "$@" >>"$folder/npm.log" 2>&1 || { tail -n 30 "$folder/npm.log" >&2; return 1; }; }
  (cd "$folder/node" && echo '{"private":true}' >package.json && npm_quietly install "node@$NODE")
  node=$(dirname "$(dirname "$(find "$folder/node" -path '*/bin/node' -type f -size +1M | head -n 1)")")
  ln -s "$node" "$folder/node/current"
  export PATH=$folder/node/current/bin:$PATH
  export npm_config_nodedir=$node   # headers of that Node, not of the system's
  (cd "$folder/code" && echo '{"private":true}' >package.json && npm_quietly install "code-server@$CODE_SERVER" --foreground-scripts)
  (cd "$folder/drive" && echo '{"private":true}' >package.json && npm_quietly install "playwright-core@$PLAYWRIGHT")
  echo "$stamp" >"$folder/.ready"
fi
echo "$folder"
