# Each target sets up all that it needs; the second time is quick.
PYTHON ?= $(shell for p in python3.13 python3.12 python3.11 python3; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
BIN := .venv/bin

.PHONY: setup demo check test lint bench clean

setup: .venv/.ready

# The lock file decides every version; the kernels are compiled ahead, so that no first call waits.
.venv/.ready: pyproject.toml requirements.lock scripts/setup.py
	@test -n "$(PYTHON)" || { echo "Tallystick needs Python 3.11 or later on the PATH (or make PYTHON=/path/to/python)."; exit 1; }
	@$(PYTHON) scripts/setup.py
	@touch $@

demo: setup
	@$(BIN)/tallystick demo

# Before each commit: nothing that starts a browser, a database or a broker, kills processes or takes long.
check: lint
	@$(BIN)/python -m pytest -q -m "not slow and not kills and not browser and not kafka and not postgres"

# What needs a real browser, database or broker is part of the tests: these install them where the user may.
test: setup
	@sh scripts/browser.sh
	@sh scripts/postgres.sh
	@sh scripts/kafka.sh
	@$(MAKE) --no-print-directory lint
	@$(BIN)/python -m pytest

lint: setup
	@$(BIN)/ruff check src tests benchmarks scripts
	@$(BIN)/ruff format --check src tests benchmarks scripts
	@$(BIN)/mypy
	@$(BIN)/lint-imports

# Every claim of docs/benchmarks.md: ours and the peer side by side, one line of JSON each.
bench: setup
	@for script in benchmarks/[a-z]*.py; do echo "# $$script" >&2; $(BIN)/python $$script || exit 1; done

clean:
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis build dist tallystick-demo
