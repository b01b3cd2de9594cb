# `make demo` and `make test` each set up what they need: Python 3.11 or newer with pip, and nothing else.
# PYTHON is the first of these that is new enough; it is looked for only where there is no environment yet.
PYTHON ?= $(shell for each in python3 python3.11 python3.12 python3.13 python3.14 python; do \
	$$each -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$each && break; done)
# For the demo: `make demo ARGS=--allow-remote`, `make demo ARGS=--help`.
ARGS ?=
VENV := .venv
BIN := $(VENV)/bin

.PHONY: demo test lint types check wheel clean

demo: $(VENV)/ready
	@$(BIN)/python demo/demo.py $(ARGS)

test: $(VENV)/ready
	$(BIN)/python -m pytest

lint: $(VENV)/ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/ready
	$(BIN)/mypy

check: lint types test

wheel: $(VENV)/ready
	$(BIN)/python -m pip wheel --quiet --no-deps --wheel-dir dist .

clean:
	rm -rf $(VENV) dist .pytest_cache .mypy_cache .ruff_cache .hypothesis

# Debian splits ensurepip from Python: there the environment is made without pip, and the system's pip fills it. The last
# line comes only after everything before it worked, so that a set-up that was interrupted is begun again.
$(VENV)/ready: pyproject.toml
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed. If it has another name: make PYTHON=/path/to/python"; exit 1; }
	@echo "Setting up $(VENV) with $(PYTHON); this is done once and takes about a minute."
	@$(PYTHON) -m venv $(VENV) >$(VENV).log 2>&1 \
		|| { $(PYTHON) -m venv --clear --without-pip $(VENV) && $(PYTHON) -m pip --python $(BIN)/python install --quiet pip; } >>$(VENV).log 2>&1 \
		|| { cat $(VENV).log; exit 1; }
	@rm -f $(VENV).log
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[dev,local]'
	@touch $@
