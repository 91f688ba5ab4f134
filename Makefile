# Two commands to begin with: make demo, make test. Both make their own environment on first use.
#
#   PYTHON=python3.13                   another interpreter, in a .venv of its own
#   POSTGRES_VERSION=16                 the other major of the embedded Postgres
#   STORES=docker                       official images instead of embedded stores
#   ARGS="-k roles"                     more words for the program behind it

VENV ?= .venv$(if $(PYTHON),-$(notdir $(PYTHON)))
BIN := $(VENV)/bin
ENVIRONMENT := $(VENV)/.complete
ARGS ?=

.DEFAULT_GOAL := help
.PHONY: help demo test check fix bench lock clean

help: ## list what can be made
	@printf 'make …\n'
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  %-7s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@sed -n '3,6s/^# */  /p' $(MAKEFILE_LIST) | sed '1i\\nwith …'

demo: $(ENVIRONMENT) ## build a small shop with people in it, and show one of them
	@$(BIN)/python -m demo $(ARGS)

test: $(ENVIRONMENT) ## run all tests, on real stores
	@$(BIN)/python -m pytest --numprocesses auto $(ARGS)

check: $(ENVIRONMENT) ## lint, format, types, SQL; changes nothing
	@$(BIN)/python -m ruff check --quiet .
	@$(BIN)/python -m ruff format --check --quiet .
	@$(BIN)/python -m mypy
	@$(BIN)/python -m sqlfluff lint --disable-progress-bar sql demo

fix: $(ENVIRONMENT) ## repair what check finds, where a machine can
	@$(BIN)/python -m ruff check --fix --quiet . || true
	@$(BIN)/python -m ruff format --quiet .
	@$(BIN)/python -m sqlfluff fix --disable-progress-bar --quiet sql demo || true

bench: $(ENVIRONMENT) ## measure, each figure beside its floor
	@$(BIN)/python -m bench $(ARGS)

lock: $(ENVIRONMENT) ## resolve pyproject.toml into requirements*.txt again
	@$(BIN)/python -m uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --custom-compile-command 'make lock' \
	  pyproject.toml --output-file requirements.txt $(ARGS)
	@$(BIN)/python -m uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --custom-compile-command 'make lock' \
	  pyproject.toml --extra cli --extra dev --output-file requirements-dev.txt $(ARGS)

clean: ## remove what was made here
	@rm -rf .venv* dist demo/out .mypy_cache .pytest_cache .ruff_cache .hypothesis
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(ENVIRONMENT): requirements-dev.txt pyproject.toml local/environment.sh
	@PYTHON=$(PYTHON) local/environment.sh $(VENV)
