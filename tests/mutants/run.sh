#!/usr/bin/env bash
# Changes a module in one small way at a time and runs its tests: which changes does none of them notice?
# In a copy of what is committed, so that nobody's files are touched; README.md beside this says what was found.
# usage: run.sh [NAME...]      all of the list below by default
set -euo pipefail
cd "$(dirname "$0")/../.."
python=$PWD/.venv/bin/python
cosmic=$PWD/.venv-maintain/bin

# NAME  MODULE below server/tuppence  TESTS, and what is chosen of them
list() {
  cat <<'END'
pricing       core/models/pricing.py   tests/core/models/test_pricing.py
patch         core/answer/patch.py     tests/core/answer/test_patch.py
daily_totals  ledger/daily_totals.py   tests/ledger/test_daily_totals.py
reservations  ledger/reservations.py   tests/ledger/test_reservations.py -k 'not postgresql'
END
}

copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
git archive HEAD | tar -x -C "$copy"
cd "$copy"
export PYTHONPATH=$copy/server:$copy/tests/support:$copy/demo:$copy PYTHONDONTWRITEBYTECODE=1
export PATH=$cosmic:$PATH

list | while read -r name module tests; do
  [ $# -eq 0 ] || [[ " $* " == *" $name "* ]] || continue
  cat >"$name.toml" <<END
[cosmic-ray]
module-path = "server/tuppence/$module"
timeout = 300.0
excluded-modules = []
test-command = "$python -m pytest -x -q -p no:cacheprovider $tests"
[cosmic-ray.distributor]
name = "local"
END
  cosmic-ray init "$name.toml" "$name.sqlite"
  cosmic-ray --verbosity ERROR baseline "$name.toml"
  cosmic-ray exec "$name.toml" "$name.sqlite" </dev/null
  echo "== $name: mutants that no test notices"
  cr-report --surviving-only --show-diff "$name.sqlite"
done
