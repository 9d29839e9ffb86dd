# Everything a person or a build machine types. `make` alone explains.

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help setup run check test bench screenshots torture lock clean chromium peer smpp

# The first Python that is new enough; `make setup PYTHON=/path/to/python` takes another.
IS_NEW_ENOUGH := import sys; sys.exit(sys.version_info < (3, 11))
PYTHON ?= $(shell for each in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$each -c '$(IS_NEW_ENOUGH)' 2>/dev/null && echo $$each && break; done)
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --quiet --disable-pip-version-check --no-input

# Tests at a time: as many as there are cores, two at least and four at most, as each brings a PostgreSQL's work along.
# Whoever has run out of tests takes some of another's (worksteal): by whole files, the last long one left a core idle.
AT_ONCE := $(shell $(PYTHON) -c 'import os; print(max(2, min(4, os.cpu_count() or 2)))' 2>/dev/null || echo 2)

# Options handed on: `make run ARGS="--port 9000"`, `make test ARGS="-k barrier"`.
ARGS ?=

export PIP_ROOT_USER_ACTION := ignore
export DEBIAN_FRONTEND := noninteractive

help: ## Explain the targets (this text)
	@echo "Heliograph. Start with: make run"
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: $(VENV)/.ready ## Make .venv with exactly the locked dependencies (quick when nothing changed)

run: setup ## Start everything on this machine with a demonstration: server, worker, campaigns, console
	@$(BIN)/heliograph demo $(ARGS)

check: setup ## Lint, format, types, import contract, documents; changes nothing
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/basedpyright
	$(BIN)/lint-imports --no-logo
	$(BIN)/pytest -q tests/test_docs.py tests/test_house.py

test: setup chromium peer ## Run every test on a real PostgreSQL, two to four processes at a time
	$(BIN)/pytest -q -n $(AT_ONCE) --dist worksteal $(ARGS)

bench: setup ## Measure this machine: texts per second, time to stop, import, each beside its bare floor
	@$(BIN)/python -m tests.bench $(ARGS)

screenshots: setup chromium ## Take pictures of every page of the console, wide and narrow, light and dark (ARGS=folder)
	@$(BIN)/python -m tests.web.screens $(ARGS)

torture: setup ## Kill everything at random under a large campaign, fill its disk, turn its clocks; the carrier judges (8 min)
	@$(BIN)/python -m tests.torture $(ARGS)

smpp: setup peer ## Send a campaign of 100,000 over SMPP to an SMSC that is not ours, and one whose link is cut 20 times
	SMPP_PEOPLE=100000 SMPP_CUTS=20 $(BIN)/pytest -q tests/engine/test_smpp.py --durations=0 $(ARGS)

lock: setup ## Write requirements.lock from pyproject.toml, hashes for every platform (ARGS=--upgrade: newer versions)
	@test -x $(BIN)/uv || $(PIP) install uv
	$(BIN)/uv pip compile pyproject.toml --extra dev --universal --generate-hashes --python-version 3.11 \
		--custom-compile-command "make lock" --quiet --output-file requirements.lock $(ARGS)

clean: ## Remove .venv and every cache; the data folder stays
	rm -rf $(VENV) dist .pytest_cache .ruff_cache .import_linter_cache .hypothesis
	find heliograph tests -name __pycache__ -type d -prune -exec rm -rf {} +

# ---------------------------------------------------------------- how setup is done

$(VENV)/.ready: $(VENV)/.locked pyproject.toml
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.locked: requirements.lock | $(BIN)/pip
	@echo "Installing the locked dependencies into $(VENV) ..."
	@$(PIP) install --require-hashes --requirement requirements.lock
	@touch $@

# Debian splits ensurepip off into python3-venv: as root it is installed, else the person is told.
$(BIN)/pip:
	@test -n "$(PYTHON)" && $(PYTHON) -c '$(IS_NEW_ENOUGH)' 2>/dev/null || { \
		echo "Heliograph needs Python 3.11 or newer; $(or $(PYTHON),what is on the PATH) is missing or older." \
			"Install one, or name it: make setup PYTHON=/path/to/python3.11"; exit 1; } >&2
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
		if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
			echo "Installing $(notdir $(PYTHON))-venv (Debian ships Python without it) ..."; \
			apt-get update -qq </dev/null && apt-get install -y -qq --no-install-recommends \
				$(notdir $(PYTHON))-venv </dev/null >/dev/null; \
		else \
			echo "$(PYTHON) cannot make virtual environments: ensurepip is missing. Install it, e.g. on Debian and" \
				"Ubuntu: sudo apt-get install $(notdir $(PYTHON))-venv"; exit 1; \
		fi; } >&2
	@$(PYTHON) -m venv $(VENV)

# Only the console's tests need a browser. It is Debian's, never a download of its own.
chromium: ## Install the browser of the console's tests where it is missing and allowed (part of test)
	@if [ -d tests/web ] && ! command -v chromium >/dev/null; then \
		if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
			echo "Installing chromium for the browser tests ..."; \
			{ apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium; } </dev/null >/dev/null \
				|| echo "chromium could not be installed: the browser tests are skipped."; \
		else \
			echo "No chromium here: the browser tests are skipped. To run them: sudo apt-get install chromium"; \
		fi; \
	fi

# The SMSC that is not ours is npm's package `smpp`; it stays out of the lock and of the wheel.
PEER := $(VENV)/smpp-peer
peer: $(VENV)/.ready ## Install the SMSC of the SMPP tests where node and npm are (part of test)
	@if ! command -v node >/dev/null || ! command -v npm >/dev/null; then \
		echo "No node and npm here: the tests against an SMSC that is not ours are skipped."; \
	elif ! cmp -s tests/smpp/package.json $(PEER)/package.json; then \
		echo "Installing npm's smpp for the SMPP tests ..."; \
		mkdir -p $(PEER) && cp tests/smpp/package.json $(PEER)/ && cd $(PEER) \
			&& npm install --no-package-lock --no-audit --no-fund --silent </dev/null >/dev/null 2>&1 \
			|| { rm -f package.json; echo "It could not be installed: these tests are skipped."; }; \
	fi
