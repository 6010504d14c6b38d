# The two commands of a newcomer: `make app` and `make test`. Each sets up first, once.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
PORT ?= 7860

.PHONY: app setup test check browser screenshots bench results clean

app: setup
	PORT=$(PORT) $(BIN)/defuse app

setup: $(READY)
	@$(BIN)/defuse setup

$(READY): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --disable-pip-version-check --quiet --progress-bar on "torch~=2.13.0"
	$(BIN)/pip install --disable-pip-version-check --quiet --progress-bar on -c constraints.txt -e ".[dev,inspect,postgresql]"
	@touch $(READY)

test: setup browser check
	$(BIN)/python -m pytest

check: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# The browser test needs Chromium, the storage test PostgreSQL. On Debian they are installed where they are missing and this may.
browser:
	@tests/system-packages.sh

screenshots: setup browser
	DEFUSE_SCREENSHOTS=docs/screenshots $(BIN)/python -m pytest tests/test_browser.py tests/test_whatif_browser.py \
		tests/test_review_browser.py tests/test_studio_browser.py tests/test_evaluate_browser.py

bench: setup
	$(BIN)/defuse bench

# Every suite, whole; hours on two cores. Called again after a kill it goes on; what it keeps stands in eval/results.
results: setup
	eval/results/regenerate.sh $(BIN)/defuse

clean:
	rm -rf $(VENV) .pytest_cache .ruff_cache .mypy_cache .hypothesis
