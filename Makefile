# `make demo` and `make test` each set up what they need: Python 3.11 or newer with pip, and nothing else.
# PYTHON is the first of these that is new enough; it is looked for only where there is no environment yet.
PYTHON ?= $(shell for each in python3 python3.11 python3.12 python3.13 python3.14 python; do \
	$$each -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$each && break; done)
# For the demo: `make demo ARGS=--allow-remote`, `make demo ARGS=--help`.
ARGS ?=
VENV := .venv
BIN := $(VENV)/bin
VSCODE := clients/vscode
# What is installed is what the lock files name, by hash: no release of today gets in, and nobody's setup.py is run. Where
# there is no wheel for a platform, `make WHEELS= .venv/ready` builds that package from its source, still by its hash.
LOCKS := locks
WHEELS := --only-binary :all:
LOCKED := install -qq --disable-pip-version-check --no-deps --require-hashes $(WHEELS) -r
MAINTAIN := .venv-maintain

# environment FOLDER,LOCK: an environment with what a lock file names, by its own pip or else by the system's.
define environment
	@said=$$($(PYTHON) -m venv $(1) 2>&1) || $(PYTHON) -m venv --clear --without-pip $(1) || { echo "$$said"; exit 1; }
	@pip="$(1)/bin/python -m pip"; $$pip --version >/dev/null 2>&1 || pip="$(PYTHON) -m pip --python $(1)/bin/python"; \
		$$pip $(LOCKED) $(LOCKS)/$(2).txt
endef

.PHONY: lock audit sbom security faults fuzz vsix editors editors-terminal editors-long pictures-neovim editors-vscode pictures-vscode demo test-fast test test-long coverage mutants speed replay answers lint types check wheel clean

demo: $(VENV)/ready
	@$(BIN)/python demo/demo.py $(ARGS)

# The renderers of Markdown that tests hold texts against: Node 20 or newer with npm. Where there is no npm, those tests
# are skipped, and say so.
RENDERERS := tests/support/markdown_renderers/node_modules/ready
$(RENDERERS): tests/support/markdown_renderers/package-lock.json
	@if command -v npm >/dev/null; then cd $(dir $<) && npm ci --silent && touch node_modules/ready; \
		else echo "No npm: what VS Code's renderers make of a model's words is not tested."; fi

# Three lanes of tests: every test is in `make test` or in `make test-long`, and `make test-fast` is a part of the first.
# One worker more than there are processors, because tests with a server wait a third of their time; tests that share one
# server go to the same worker.
# Each worker and each server loads the same modules: what the first compiles, the others read, whatever the shell says.
unexport PYTHONDONTWRITEBYTECODE
PARALLEL := -n $(shell echo $$(($$(getconf _NPROCESSORS_ONLN) + 1)))

# Neither a server process nor an editor nor the embedded model: for every save.
test-fast: $(VENV)/ready $(RENDERERS)
	$(BIN)/python -m pytest $(PARALLEL) -m "not process and not slow and not long"

# What must pass before a merge. A test that ends in a TimeoutError is run once more,
# and the summary says so; a wrong result is never run again. The embedded model computes on all processors, and slows
# down many times over beside other tests, so its tests come after them, one by one.
RERUNS := --reruns 1 --only-rerun '^TimeoutError'
# The files with such tests (tests/architecture/test_lanes.py holds the list): collecting all the others takes longer.
WITH_MODEL := tests/e2e/test_demo.py tests/e2e/test_real_model.py tests/local/test_embedded.py
test: $(VENV)/ready $(RENDERERS)
	$(BIN)/python -m pytest $(PARALLEL) -m "not long and not model" --attacks --faults $(RERUNS)
	$(BIN)/python -m pytest -m "model and not long" $(RERUNS) $(WITH_MODEL)

# What takes longer, and the properties of the edit engine on 20,000 random documents each, 100,000 in all: about 40
# minutes.
test-long: $(VENV)/ready
	$(BIN)/python -m pytest -m long
	EXAMPLES=20000 $(BIN)/python -m pytest -o timeout=0 tests/properties/test_edit_engine.py tests/core/answer/test_patch.py

# Attacks on what SECURITY.md promises: per kind, how many cases were tried and held.
security: $(VENV)/ready $(RENDERERS) $(if $(shell command -v npm),$(VSCODE)/node_modules/ready)
	$(BIN)/python -m pytest $(PARALLEL) -q -m attack --attacks

# Faults of providers, machines and clients that the server must survive: per kind, how many cases were tried and held.
faults: $(VENV)/ready
	$(BIN)/python -m pytest $(PARALLEL) -q -m "fault and not long" --faults

# Coverage-guided nonsense for what reads bytes from outside; it needs atheris in .venv, which nothing
# else does. ARGS are libFuzzer's: make fuzz ARGS=-max_total_time=600
fuzz: $(VENV)/ready
	PYTHONPATH=.:demo:tests/support $(BIN)/python -m tests.faults.fuzz $(ARGS)

# How long things take: medians and ratios, for a person to read. No test depends on them.
speed: $(VENV)/ready
	$(BIN)/python -m benchmarks.speed

# Thousands of real changes streamed through the engine: downloads a few releases of public packages to make them of.
replay: $(VENV)/ready
	PYTHONPATH=.:demo:tests/support $(BIN)/python -m tests.properties.replay

# What becomes of real changes in every shape in which models answer; ANSWERS=--write writes the table of docs/answers.md.
answers: $(VENV)/ready
	$(BIN)/python -m benchmarks.answers $(ANSWERS)

# Which lines and branches of the core, the formats, the upstream and the ledger neither the fast lane nor the tests of
# the ledger in PostgreSQL (tests/postgresql/set-up.sh) run: it fails where there is one that gives no reason.
coverage: $(VENV)/ready $(RENDERERS)
	$(BIN)/python -m coverage erase
	$(BIN)/python -m coverage run -m pytest $(PARALLEL) -q -m "not process and not slow and not long"
	$(BIN)/python -m coverage run -m pytest -q -m "process and not slow and not long" tests/ledger
	$(BIN)/python -m coverage combine --quiet
	$(BIN)/python -m coverage report

# Which small changes of the code that patches, prices and reserves no test notices: hours (tests/mutants/README.md).
# MUTANTS names some of them: pricing, patch, daily_totals, reservations.
MUTANTS :=
mutants: $(VENV)/ready $(MAINTAIN)/ready
	tests/mutants/run.sh $(MUTANTS)

lint: $(VENV)/ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/ready
	$(BIN)/mypy

check: lint types test

wheel: $(VENV)/ready
	$(BIN)/python -m pip wheel --quiet --no-deps --no-build-isolation --wheel-dir dist .

# The lock files, made again from pyproject.toml after a dependency changed there: seconds, and what is locked stays as
# long as it fits. UPGRADE=--upgrade takes the newest releases; UPGRADE='--upgrade-package ruff' one. The index is pip's.
UPGRADE :=
COMPILE = $(MAINTAIN)/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--custom-compile-command 'make lock' $(UPGRADE)
lock: $(MAINTAIN)/ready
	@url=$${PIP_INDEX_URL:-$$($(MAINTAIN)/bin/python -m pip config get global.index-url 2>/dev/null)}; \
	[ -z "$$url" ] || export UV_DEFAULT_INDEX="$$url"; set -e; \
	$(COMPILE) --extra dev --extra local --group build pyproject.toml -o $(LOCKS)/develop.txt; \
	$(COMPILE) --constraint $(LOCKS)/develop.txt pyproject.toml -o $(LOCKS)/run.txt; \
	$(COMPILE) --group maintain -o $(LOCKS)/maintain.txt

# Known weaknesses of what is locked, in Python and in the extension. It warns and never fails: whether there is a network,
# and whether the registry says anything of weaknesses, is not this project's fault.
audit: $(MAINTAIN)/ready
	@for each in develop maintain; do echo "Python, $(LOCKS)/$$each.txt:"; \
		$(MAINTAIN)/bin/pip-audit --progress-spinner off --disable-pip --require-hashes -r $(LOCKS)/$$each.txt \
			|| echo "WARNING: pip-audit found a weakness, or could not ask: its words are above."; done
	@echo "The extension, $(VSCODE)/package-lock.json:"; cd $(VSCODE) && npm audit \
		|| echo "WARNING: npm audit found a weakness, or could not ask: its words are above."

# What the server consists of, and the extension is bundled from and with, in CycloneDX's format; the same lock files give
# the same text.
sbom: $(MAINTAIN)/ready
	@mkdir -p dist
	$(MAINTAIN)/bin/cyclonedx-py requirements $(LOCKS)/run.txt --pyproject pyproject.toml --output-reproducible \
		--output-format JSON --output-file dist/tuppence.cdx.json
	cd $(VSCODE) && npm sbom --sbom-format cyclonedx --sbom-type application --package-lock-only \
		| $(abspath $(MAINTAIN))/bin/python -c 'import json, sys; found = json.load(sys.stdin); \
found.pop("serialNumber"); found["metadata"].pop("timestamp"); print(json.dumps(found, indent=2, sort_keys=True))' \
		> $(CURDIR)/dist/tuppence-vscode.cdx.json

# The VS Code extension, with the server's wheel in it: Node 20 or newer with npm.
vsix: $(VSCODE)/tuppence.vsix

$(VSCODE)/tuppence.vsix: $(VSCODE)/node_modules/ready pyproject.toml config.example.toml $(shell find server/tuppence $(VSCODE)/src $(VSCODE)/test $(VSCODE)/walkthrough -type f -not -name '*.pyc') $(addprefix $(VSCODE)/,package.json package.mjs tsconfig.json esbuild.mjs .vscodeignore README.md CHANGELOG.md icon.png) | $(VENV)/ready
	rm -rf $(VSCODE)/server
	$(BIN)/python -m pip wheel --quiet --disable-pip-version-check --no-deps --no-build-isolation --wheel-dir $(VSCODE)/server .
	cp LICENSE config.example.toml $(VSCODE)
	cd $(VSCODE) && npm run --silent test && npm run --silent package

$(VSCODE)/node_modules/ready: $(VSCODE)/package-lock.json
	cd $(VSCODE) && npm ci --silent
	touch $@

# Real editors, on Debian 12; the first time as root, to install them. The long mode has the newest Neovim and Helix too.
# A test in which an editor did not show something in time is run once more, and said to be; a wrong text never is.
PATIENT := --reruns 1 --only-rerun 'waited (in vain|[0-9.]+ s) for ' --only-rerun 'Timeout [0-9]+ms exceeded'
editors: editors-terminal editors-vscode

TERMINAL := tests/editors/test_plain.py tests/editors/test_neovim.py tests/editors/test_real_model.py
editors-terminal: $(VENV)/ready
	tests/editors/set-up.sh
	$(BIN)/python -m pytest $(PATIENT) $(TERMINAL)

editors-long: $(VENV)/ready
	tests/editors/set-up.sh long
	TUPPENCE_EDITORS_LONG=1 $(BIN)/python -m pytest $(PATIENT) $(TERMINAL)

# The README's picture of Neovim.
pictures-neovim: $(VENV)/ready
	tests/editors/set-up.sh
	mkdir -p docs/images
	TUPPENCE_PICTURES=$(CURDIR)/docs/images $(BIN)/python -m pytest $(TERMINAL) -k picture

# The extension in a real VS Code in a real browser. The first time sets them up in the user's cache: 3 minutes, 1 GB.
editors-vscode: $(VENV)/ready vsix
	tests/editors/vscode/set-up.sh
	$(BIN)/python -m pytest tests/editors/test_vscode.py tests/editors/test_vscode_views.py -m editors $(PATIENT)

# The README's pictures of it.
pictures-vscode: $(VENV)/ready vsix
	tests/editors/vscode/set-up.sh
	mkdir -p docs/images
	TUPPENCE_PICTURES=$(CURDIR)/docs/images $(BIN)/python -m pytest tests/editors/test_vscode.py -m editors -k pictures

clean:
	rm -rf $(VENV) $(MAINTAIN) dist .coverage* .pytest_cache .mypy_cache .ruff_cache .hypothesis

# Debian splits ensurepip from Python: there the environment is made without pip, and the system's pip fills it. The last
# line comes only after everything before it worked, so that a set-up that was interrupted is begun again.
$(VENV)/ready: pyproject.toml $(LOCKS)/develop.txt
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed. If it has another name: make PYTHON=/path/to/python"; exit 1; }
	@echo "Setting up $(VENV) with $(PYTHON); this is done once and takes about a minute."
	$(call environment,$(VENV),develop)
	@$(BIN)/python -m pip install -qq --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

# cosmic-ray needs yattag, of which there is no wheel.
$(MAINTAIN)/ready: WHEELS += $(if $(WHEELS),--no-binary yattag)
$(MAINTAIN)/ready: $(LOCKS)/maintain.txt
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed. If it has another name: make PYTHON=/path/to/python"; exit 1; }
	$(call environment,$(MAINTAIN),maintain)
	@touch $@
