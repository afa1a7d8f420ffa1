# Everything a person or CI does here. Needs Python >= 3.11 and make; all else is installed into .venv from the locks.
.DEFAULT_GOAL := help
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
COMPILE := --quiet --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links --no-header
# Telemetry of the libraries stays off whatever the shell says.
export PREFECT_SERVER_ANALYTICS_ENABLED := false
export GX_ANALYTICS_ENABLED := false
export DO_NOT_TRACK := 1
# Some shells forbid bytecode; without it every import takes three times longer.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help install install-dev demo run test test-fast test-oldest check format docs serve bench soak lock clean

help: ## list the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 14

install: $(VENV)/.runtime ## build .venv from requirements.lock (hashes checked) and the command .venv/bin/trimtab

install-dev: $(VENV)/.dev ## the same, and what check and test need

$(BIN)/uv: requirements-bootstrap.lock
	$(PYTHON) -c 'import sys; sys.exit("Wanted Python 3.11 or later, found " + sys.version.split()[0] + ". Call make with PYTHON=/path/to/python3.11.") if sys.version_info < (3, 11) else None'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-bootstrap.lock
	@touch $(BIN)/uv

$(BIN)/trimtab: Makefile | $(BIN)/uv
	@printf '#!%s\nimport sys\n\nsys.path.insert(0, "%s")\nfrom flows.cli import main\n\nif __name__ == "__main__":\n    main()\n' "$(CURDIR)/$(BIN)/python" "$(CURDIR)" > $@
	@chmod +x $@

$(VENV)/.runtime: requirements.lock $(BIN)/uv $(BIN)/trimtab
	@test -f $(VENV)/.dev || $(BIN)/uv pip sync --quiet --require-hashes --compile-bytecode requirements.lock
	@test ! -f $(VENV)/.dev || $(BIN)/uv pip sync --quiet --require-hashes --compile-bytecode requirements.lock requirements-dev.lock
	@touch $@

$(VENV)/.dev: requirements.lock requirements-dev.lock $(BIN)/uv $(BIN)/trimtab
	@$(BIN)/uv pip sync --quiet --require-hashes --compile-bytecode requirements.lock requirements-dev.lock
	@touch $@ $(VENV)/.runtime

demo: install ## the whole job on a simulated market on this machine
	@$(BIN)/trimtab demo

run: install ## the whole job once, live, with trimtab.toml
	@$(BIN)/trimtab run

test: install-dev ## the whole test suite
	$(BIN)/python -m pytest -n 2 --dist loadfile $(PYTEST_ARGS)

test-fast: install-dev ## the tests that need no Prefect server
	$(BIN)/python -m pytest -n 2 --dist loadfile -m "not slow" $(PYTEST_ARGS)

test-oldest: install-dev ## the warehouse's tests on the oldest DuckDB that is promised, in build/oldest
	$(BIN)/uv venv --quiet --allow-existing build/oldest
	VIRTUAL_ENV=build/oldest $(BIN)/uv pip sync --quiet --require-hashes --compile-bytecode requirements.lock requirements-dev.lock
	VIRTUAL_ENV=build/oldest $(BIN)/uv pip install --quiet --require-hashes --no-deps -r requirements-oldest.lock
	build/oldest/bin/python -m pytest -n 2 --dist loadfile tests/warehouse tests/expectations tests/flows/test_sql.py $(PYTEST_ARGS)

check: install-dev ## locks, lint, types, floors and doors, configuration, generated pages
	@mkdir -p build && cp requirements.lock build/requirements.lock && cp requirements-dev.lock build/requirements-dev.lock
	@$(BIN)/uv pip compile $(COMPILE) pyproject.toml -o build/requirements.lock
	@$(BIN)/uv pip compile $(COMPILE) pyproject.toml --group dev -c requirements.lock -o build/requirements-dev.lock
	@cmp build/requirements.lock requirements.lock && cmp build/requirements-dev.lock requirements-dev.lock || { echo "The locks do not fit pyproject.toml: run make lock and commit both."; exit 1; }
	$(BIN)/ruff check --quiet .
	$(BIN)/ruff format --quiet --check .
	$(BIN)/basedpyright
	$(BIN)/lint-imports --no-cache
	$(BIN)/trimtab check
	$(BIN)/trimtab docs --check

format: install-dev ## format and sort
	$(BIN)/ruff check --fix --quiet .
	$(BIN)/ruff format --quiet .

docs: install ## write the generated pages
	$(BIN)/trimtab docs

serve: install ## Prefect server, pool, deployments and worker on this machine
	$(BIN)/python -m flows.serve $(SERVE_ARGS)

bench: install-dev ## timings against peers, as ratios
	$(BIN)/python -m benchmarks

soak: install-dev ## what takes hours: kills, hammers, the scheduler
	$(BIN)/python -m pytest -n 0 -m soak tests/soak $(PYTEST_ARGS)

lock: install ## resolve the locks anew
	$(BIN)/uv pip compile $(COMPILE) pyproject.toml -o requirements.lock
	$(BIN)/uv pip compile $(COMPILE) pyproject.toml --group dev -c requirements.lock -o requirements-dev.lock

clean: ## remove what can be made again
	rm -rf $(VENV) build demo-home .pytest_cache .ruff_cache .hypothesis
