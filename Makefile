# One command for each habit. Every target sets up what it needs by itself.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
ARGS   ?=

.DEFAULT_GOAL := help
.PHONY: help install demo serve test test-slow check format bench docs screenshots schema clean

help: ## this list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/' | expand -t 14

$(VENV)/.stamp: pyproject.toml
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade pip
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[demo]'
	@touch $@

$(VENV)/.stamp-dev: $(VENV)/.stamp
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[all]' --group dev
	@touch $@

install: $(VENV)/.stamp ## the virtual environment, with all that the demo needs

demo: install ## the whole loop on real data (ARGS=--exit ends it)
	$(BIN)/airside demo $(ARGS)

serve: install ## the server on 127.0.0.1:5000
	$(BIN)/airside server $(ARGS)

test: $(VENV)/.stamp-dev ## all tests but the slow ones; installs what they need
	bash tests/setup.sh
	$(BIN)/python -m pytest -m "not slow" -n 2 --dist worksteal $(ARGS)

test-slow: $(VENV)/.stamp-dev ## the slow tests alone
	bash tests/setup.sh
	$(BIN)/python -m pytest -m slow -n 2 --dist loadscope --timeout 900 $(ARGS)

check: $(VENV)/.stamp-dev ## format, lint, types, floors
	$(BIN)/ruff format --check src tests bench docs
	$(BIN)/ruff check src tests bench docs
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/codespell src docs README.md CHANGELOG.md

format: $(VENV)/.stamp-dev ## put the code into its form
	$(BIN)/ruff format src tests bench
	$(BIN)/ruff check --fix src tests bench

bench: $(VENV)/.stamp-dev ## the figures; see bench/README.md
	$(BIN)/python -m bench $(ARGS)

docs: $(VENV)/.stamp-dev ## regenerate the reference pages from the tables
	$(BIN)/python -m docs.generate

schema: $(VENV)/.stamp-dev ## regenerate the DDL texts from the schema
	$(BIN)/python -m airside.store.sql.ddl

screenshots: $(VENV)/.stamp-dev ## take README's pictures from a running demo
	bash tests/setup.sh
	$(BIN)/python docs/screenshots.py

clean: ## remove what the targets made
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis
