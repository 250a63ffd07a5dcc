# `make` lists the targets. Packages land in .venv, generated files in data, which git ignores,
# the compiled jar and kernels in ~/.cache/pyflare (`pyflare cache` shows and clears it).

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help

VENV := .venv
BIN := $(VENV)/bin
PYTHON ?= $(firstword $(foreach p,python3 python3.13 python3.12 python3.11,$(shell $(p) -c \
	'import sys; (3, 11) <= sys.version_info < (3, 14) and print("$(p)")' 2>/dev/null)))
JAVA := $(if $(JAVA_HOME),$(JAVA_HOME)/bin/java,java)
SCALA := $(shell find jvm-shim/src -name '*.scala' 2>/dev/null)
SF ?= 1
DATA := data/tpch/sf$(SF)

.PHONY: help
help: ## This list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  make \1\t/' | expand -t 16

.PHONY: demo
demo: setup $(DATA)/.complete ## TPC-H (SF=1) and a TensorFlow classifier, with Spark alone and with PyFlare; ends with a table
	$(BIN)/python -m tpch.demo --sf $(SF)

.PHONY: test
test: lint setup ## Lint, type check and every test
	$(BIN)/python -m pytest

.PHONY: lint
lint: $(VENV)/.installed ## ruff, ruff format --check and mypy --strict
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

.PHONY: format
format: $(VENV)/.installed ## Let ruff fix and format the sources
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

.PHONY: setup
setup: $(VENV)/.jar ## The environment in .venv, with the project and the shim's jar

.PHONY: wheel
wheel: setup ## The wheel, with the jar inside, in dist/
	$(BIN)/pip wheel --quiet --no-deps --no-build-isolation --wheel-dir dist .

.PHONY: docs
docs: $(VENV)/.installed ## Write the generated documentation again
	$(BIN)/python -m pyflare.config > docs/configuration.md

.PHONY: lock
lock: ## Resolve requirements.lock again (needs uv)
	{ echo "# Every package of \`make demo\` and \`make test\`, for Python 3.11 to 3.13. \`make lock\` writes this file."; \
	  uv pip compile pyproject.toml --universal --python-version 3.11 --extra tensorflow --extra bench --extra dev \
	    --no-header --no-emit-index-url --no-annotate --upgrade; } > requirements.lock.new
	mv requirements.lock.new requirements.lock

.PHONY: clean
clean: ## Remove what the targets above made, the generated data included
	rm -rf $(VENV) data dist build .mypy_cache .pytest_cache .ruff_cache .hypothesis

$(BIN)/python:
	@test -n "$(PYTHON)" || { echo "PyFlare needs Python 3.11, 3.12 or 3.13: install one, or name it: make PYTHON=/path/to/python3.11" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' \
	  || { echo "$(PYTHON) is not Python 3.11, 3.12 or 3.13" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV) || { echo "cannot make $(VENV); on Debian and Ubuntu: apt install python3-venv" >&2; exit 1; }

$(VENV)/.locked: requirements.lock | $(BIN)/python
	$(BIN)/pip install --quiet --disable-pip-version-check --requirement requirements.lock
	touch $@

$(VENV)/.installed: pyproject.toml $(VENV)/.locked
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	touch $@

$(VENV)/.jar: $(VENV)/.installed $(SCALA) | java
	$(BIN)/pyflare jar
	touch $@

$(DATA)/.complete: | $(VENV)/.installed
	$(BIN)/python -m tpch.generate --sf $(SF)

.PHONY: java
java:
	@version=$$($(JAVA) -version 2>&1 | sed -nE 's/.* version "(1\.)?([0-9]+).*/\2/p') || true; \
	test "$${version:-0}" -ge 17 || { echo "Spark 4 needs Java 17 or newer; '$(JAVA)' is $${version:-missing}." \
	  "Install one (Debian, Ubuntu: apt install openjdk-17-jre-headless) or set JAVA_HOME." >&2; exit 1; }
