#!/usr/bin/env bash
# Sets up the terminal editors that the suite drives, on Debian 12 as root; what is there already is left alone.
#
#   tests/editors/set-up.sh            Neovim 0.7 and Emacs with eglot (bookworm's own), Neovim 0.10 and Helix (trixie's)
#   tests/editors/set-up.sh long       Neovim 0.12 and Helix 25.07 (sid's) too
#
# Bookworm's packages are installed as usual. Those of another release are unpacked, with every library that they need,
# into a folder of their own: nothing of the system is replaced. Each gets a small program in bin/ that starts it.
set -euo pipefail

place=${TUPPENCE_EDITORS:-${XDG_CACHE_HOME:-$HOME/.cache}/tuppence-editors}/terminal
system=(tmux neovim emacs-nox elpa-eglot patchelf)

main() {
  install_missing "${system[@]}"
  mkdir -p "$place/bin"
  foreign trixie neovim nvim nvim-0.10
  foreign trixie hx hx hx
  if [ "${1:-}" = long ]; then
    foreign sid neovim nvim nvim-0.12
    foreign sid hx hx hx-25.07
  fi
  "$place/bin/nvim-0.10" --version | head -1
  "$place/bin/hx" --version
}

install_missing() {
  local missing=() package
  for package in "$@"; do
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q ' installed$' || missing+=("$package")
  done
  [ ${#missing[@]} -gt 0 ] || return 0
  if [ "$(id -u)" != 0 ]; then
    echo "These packages are needed: ${missing[*]}. Run as root: apt-get install ${missing[*]}" >&2
    exit 1
  fi
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -qq
  apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
}

# foreign RELEASE PACKAGE PROGRAM NAME: a package of another release, startable as bin/NAME.
foreign() {
  local release=$1 package=$2 program=$3 name=$4 root="$place/$1-$2"
  [ ! -x "$place/bin/$name" ] || return 0
  rm -rf "$root" "$root.part"
  unpack "$release" "$package" "$root.part"
  mv "$root.part" "$root"
  adapt "$root" "$program"
  start "$root" "$program" >"$place/bin/$name.part"
  chmod +x "$place/bin/$name.part"
  mv "$place/bin/$name.part" "$place/bin/$name"
}

# unpack RELEASE PACKAGE FOLDER: fetches the package and all that it depends on, by an apt that believes nothing to be
# installed and keeps its own books.
unpack() {
  local release=$1 package=$2 folder=$3 books deb from
  books=$(mktemp -d)
  mkdir -p "$books/lists/partial" "$books/cache/archives/partial" "$books/none" "$folder"
  : >"$books/status"
  from=$(mirror)
  echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $from $release main" >"$books/sources.list"
  local own=(
    -o "Dir::Etc::sourcelist=$books/sources.list" -o "Dir::Etc::sourceparts=$books/none"
    -o "Dir::State::lists=$books/lists" -o "Dir::State::status=$books/status" -o "Dir::Cache=$books/cache"
    -o Debug::NoLocking=true -o APT::Install-Recommends=false -o APT::Sandbox::User=root
  )
  apt-get "${own[@]}" update -qq
  apt-get "${own[@]}" install -y -qq --download-only "$package" >/dev/null
  for deb in "$books"/cache/archives/*.deb; do dpkg-deb --extract "$deb" "$folder"; done
  rm -rf "$books"
}

# The Debian mirror that this machine uses.
mirror() {
  local found
  found=$(cat /etc/apt/sources.list /etc/apt/sources.list.d/*.list /etc/apt/sources.list.d/*.sources 2>/dev/null |
    grep -v '^ *#' | grep -oE 'https?://[^ ]+/debian/?( |$)' | head -1) || true
  if [ -z "$found" ]; then
    echo "No Debian mirror stands in the sources of apt; the editors of other releases come from one." >&2
    return 1
  fi
  echo "$found"
}

# adapt ROOT PROGRAM: makes it use the C library that it came with. A program of a newer release can't run on the
# system's, and starting it through the loader instead breaks a Neovim that starts itself a second time.
adapt() {
  local root=$1 program=$2 loader libraries
  loader=$(find "$root" -name 'ld-linux*.so.*' | head -1)
  libraries=$(dirname "$(find "$root" -name 'libc.so.6' | head -1)")
  patchelf --set-interpreter "$loader" --set-rpath "$libraries" --force-rpath "$(readlink -f "$root/usr/bin/$program")"
}

start() {
  local root=$1 program=$2
  cat <<END
#!/bin/sh
export VIMRUNTIME=$root/usr/share/nvim/runtime HELIX_RUNTIME=$root/usr/lib/helix/runtime
export LUA_PATH="$root/usr/share/lua/5.1/?.lua;$root/usr/share/lua/5.1/?/init.lua;;"
export LUA_CPATH="$(dirname "$(find "$root" -name libc.so.6 | head -1)")/lua/5.1/?.so;;"
exec $root/usr/bin/$program "\$@"
END
}

main "$@"
