# Two commands do all set-up: `make demo` runs the main job in the sandbox, `make test` passes the tests.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed
LOCK   := requirements.lock

WORKERS := -n 5 --dist loadgroup --no-loadscope-reorder

# One cache of what hosts install, for the demo and all sandboxes of the tests.
export FLEET_SANDBOX_CACHE ?= $(CURDIR)/.cache/packages

.PHONY: demo test test-all test-slice check fast lint types coverage bench docs lock upgrade clean

$(BIN)/uv:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "fleet needs Python 3.11 or newer; this is " + sys.version.split()[0])'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check "$$(grep -oE '^uv==[^ ]+' $(LOCK))"

# All of it is what the lock says, uv and the build backend included: a clone of today works in a year.
$(STAMP): pyproject.toml $(LOCK) | $(BIN)/uv
	$(BIN)/uv pip sync --quiet --python $(BIN)/python --require-hashes $(LOCK)
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	touch $@

demo: $(STAMP)
	$(BIN)/fleet --sandbox up examples/workshop.yaml
	@echo
	@echo 'Open a URL above in a browser (it warns until it has imported what `$(BIN)/fleet --sandbox ca workshop` prints), or go on:'
	@echo '  $(BIN)/fleet --sandbox exec workshop -- nvidia-smi -L'
	@echo '  $(BIN)/fleet --sandbox down workshop'
	@echo '  $(BIN)/fleet sandbox stop'

# tests/README.md says what is in which.
test: $(STAMP)
	$(BIN)/python -m pytest $(WORKERS) -m 'not deep'

test-all: $(STAMP)
	$(BIN)/python -m pytest $(WORKERS)

# The deep tests of one slice of several: `make test-slice SLICE=3/8`.
test-slice: $(STAMP)
	$(BIN)/python -m pytest $(WORKERS) -m deep --slice $(SLICE)

check: lint types fast

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(STAMP)
	$(BIN)/mypy

fast: $(STAMP)
	$(BIN)/python -m pytest -m 'not slow' -q -n 2 --dist loadgroup

# Of the fast tests; `coverage report --show-missing` then says which lines, and `coverage html` shows them.
coverage: $(STAMP)
	$(BIN)/coverage erase
	$(BIN)/coverage run -m pytest -m 'not slow' -q -n 2
	$(BIN)/coverage combine --quiet
	@echo "coverage of the fast tests: $$($(BIN)/coverage report --format=total) %"

bench: $(STAMP)
	$(BIN)/python -m benchmarks.startup
	$(BIN)/python -m benchmarks.fanout
	$(BIN)/python -m benchmarks.answers
	$(BIN)/python -m benchmarks.thousand
	$(BIN)/python -m benchmarks.twenty

# Versions and hashes for every Python and platform, and no address: whatever index or mirror is configured serves them.
COMPILE := $(BIN)/uv pip compile --quiet pyproject.toml --extra sandbox --group dev --universal --python-version 3.11 \
	--generate-hashes --custom-compile-command 'make lock' --output-file $(LOCK)

# After a change to the dependencies in pyproject.toml; what is locked and still fits stays.
lock: | $(BIN)/uv
	$(COMPILE)

# The newest of everything that pyproject.toml allows.
upgrade: | $(BIN)/uv
	$(COMPILE) --upgrade

docs: $(STAMP)
	$(BIN)/python docs/build.py

clean:
	rm -rf $(VENV) .cache build dist .mypy_cache .pytest_cache .ruff_cache
