# Everything a developer or CI does. A fresh Debian 12 with python3, git and make is enough: the
# virtual environment is made here, and as root what is missing is installed by apt.
#
#   make PYTHON=python3.13 test     another interpreter (3.11 or newer); `make clean` first
#   make test ARGS='-k lockfile'    arguments for pytest (or for bench: ARGS='--rounds 1 --dry')

PYTHON ?= python3
WORKERS ?= 2
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --quiet --quiet --disable-pip-version-check
PINNED := --require-hashes --only-binary :all:  # what is built would fetch a backend without a hash
ARGS ?=

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help demo test lint format bench docs replay fleet fuzz campaign release audit requirements servers clean

help: ## show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-13s %s\n", $$1, $$2 }' Makefile

demo: $(VENV)/.run ## show the whole story on an embedded registry, offline
	@$(BIN)/pinner demo

# What pytest's first process compiles, the others read. Files run in the order of their names: that
# of their numbers of tests has those with real servers, the longest, at the end, on one worker.
test: export PYTHONDONTWRITEBYTECODE =
test: $(VENV)/.dev $(VENV)/.release servers ## run every test, with branch coverage and its floor
	@rm -f .coverage .coverage.*
	@$(BIN)/coverage run -m pytest --numprocesses=$(WORKERS) --dist=loadfile \
		--no-loadscope-reorder $(ARGS)
	@$(BIN)/coverage combine --quiet
	@$(BIN)/coverage report $(if $(ARGS),--fail-under=0)

lint: $(VENV)/.dev ## check format, style, types and import directions
	@$(BIN)/ruff format --check
	@$(BIN)/ruff check
	@$(BIN)/mypy
	@$(BIN)/lint-imports

format: $(VENV)/.dev ## put the code into the one format
	@$(BIN)/ruff format
	@$(BIN)/ruff check --fix

bench: $(VENV)/.dev servers ## measure beside skopeo, ctr and curl; writes docs/performance.md
	@PYTHONPATH=tests $(BIN)/python -m bench $(ARGS)

docs: $(VENV)/.dev ## run the examples in README and docs; writes their outputs and the pictures
	@PYTHONPATH=tests $(BIN)/python -m docpages

replay: $(VENV)/.dev ## two years of real tags, updated day by day; writes into docs/updates.md
	@PYTHONPATH=tests $(BIN)/python -m replay $(ARGS)

fleet: $(VENV)/.dev ## a day of 10,000 CI runners, by strategy; writes into docs/fleet.md
	@PYTHONPATH=tests $(BIN)/python -m fleet $(ARGS)

fuzz: $(VENV)/.dev ## foreign bytes for every reader, by coverage; --record writes into docs/fuzzing.md
	@PYTHONPATH=tests $(BIN)/python -m fuzz $(ARGS)

campaign: $(VENV)/.dev servers ## kill, starve and unplug real processes; writes docs/campaign.md
	@PYTHONPATH=tests $(BIN)/python -m campaign $(ARGS)

release: $(VENV)/.dev $(VENV)/.release audit ## build a clean commit twice and compare; writes wheel, sdist, SBOM, hashes to dist/
	@PYTHONPATH=tests $(BIN)/python -m release files

audit: $(VENV)/.run $(VENV)/.release ## look for known vulnerabilities in what is pinned; ARGS=--online asks the index
	@PYTHONPATH=tests $(BIN)/python -m release audit $(ARGS)

requirements: ## pin the newest dependencies that pyproject.toml admits (needs uv)
	uv pip compile $(COMPILE) pyproject.toml requirements/build.in --group dev -o requirements/dev.txt
	uv pip compile $(COMPILE) pyproject.toml requirements/build.in -c requirements/dev.txt -o requirements/run.txt
	uv pip compile $(COMPILE) requirements/release.in -o requirements/release.txt

COMPILE := --quiet --upgrade --universal --python-version 3.11 --generate-hashes --no-annotate \
	--custom-compile-command 'make requirements'

servers:
	@tests/support/install-servers.sh

clean: ## remove the virtual environment and everything that was made
	rm -rf $(VENV) build dist .coverage .coverage.* .hypothesis .import_linter_cache .mypy_cache \
		.pytest_cache .ruff_cache

# The environment. Debian ships venv apart from Python; its absence shows as no ensurepip.
$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo 'pinner needs Python 3.11 or newer; name one: make PYTHON=…' >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || { \
		echo 'installing python3-venv' >&2; \
		apt-get update -qq && DEBIAN_FRONTEND=noninteractive \
			apt-get install -qq -y --no-install-recommends python3-venv >/dev/null; \
		} || { echo 'install python3-venv first (as root, make does it by apt)' >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV)

# Pinned, hashed, from whichever index pip is configured for.
$(VENV)/.run: requirements/run.txt pyproject.toml | $(BIN)/python
	@echo 'installing pinner into $(VENV)' >&2
	@$(PIP) install $(PINNED) -r $<
	@$(PIP) install --no-build-isolation --no-deps --editable .
	@touch $@

$(VENV)/.dev: requirements/dev.txt $(VENV)/.run
	@echo 'installing the development tools into $(VENV)' >&2
	@$(PIP) install $(PINNED) -r $<
	@touch $@

# Apart from the development tools, which it judges.
$(VENV)/.release: requirements/release.txt | $(BIN)/python
	@echo 'installing the release tools into $(VENV)/release' >&2
	@$(BIN)/python -m venv $(VENV)/release
	@$(VENV)/release/bin/python -m pip --quiet --quiet --disable-pip-version-check \
		install $(PINNED) -r $<
	@touch $@
