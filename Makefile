# Every target prepares what it needs: `make app` on a fresh machine is enough.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PORT ?= 8501
# Test processes: waiting for browsers and workers leaves room for a second one even on few cores.
WORKERS ?= 2
ADDRESS ?= 127.0.0.1

.PHONY: help app test setup check fuzz data experiments bench bench-docs clean

help:
	@echo "make app    set everything up and serve the dashboard on http://localhost:$(PORT)"
	@echo "make test   set everything up and run every test, the browser's too"
	@echo "make setup  set everything up without serving"
	@echo "make check  style checks"
	@echo "make fuzz   read 2,000 damaged model files of every format (about five minutes)"
	@echo "make data   rebuild the built-in data sets from their published sources"
	@echo "make experiments  compare all methods over 10 seeds on every data set (an hour or two)"
	@echo "make bench  measure how fast paths are sliced (minutes); bench-docs also writes it into the documentation"

app: $(VENV)/ready
	@$(BIN)/fairneuron app --port $(PORT) --address $(ADDRESS)

setup: $(VENV)/ready
	@echo "Ready. Serve with: make app"

test: $(VENV)/ready-test
	@bash tests/browser/install_chromium.sh
	@$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile $(ARGS)
	@bash tests/browser/install_chromium.sh --say-if-missing

check: $(VENV)/ready-test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

fuzz: $(VENV)/ready-test
	@OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 nice $(BIN)/python tests/formats/mutate.py all 2000 $(SEED)

data: $(VENV)/ready
	$(BIN)/python -m fairneuron_core.data.build

# The peers among the methods need fairlearn, which the tests install.
# Figures depend on a processor's last bits: the shipped ones name the machine in their object "timing".
experiments: $(VENV)/ready-test
	@for gap in demographic_parity_difference equal_opportunity_difference equalized_odds_difference; do \
	  for data in census compas german bank; do \
	    $(BIN)/fairneuron experiment --data $$data --gap $$gap --methods all --seeds 10 --write-stored $(ARGS) || exit 1; \
	  done; \
	done

bench: $(VENV)/ready
	@$(BIN)/fairneuron bench paths $(ARGS)

bench-docs: $(VENV)/ready
	@$(BIN)/fairneuron bench paths --write-docs $(ARGS)

clean:
	rm -rf $(VENV) build *.egg-info

$(VENV)/bin/python:
	@command -v $(PYTHON) >/dev/null || { echo "Python is missing: install Python 3.11, 3.12 or 3.13, or name it: make PYTHON=python3.12"; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "$$($(PYTHON) --version) is too old: install Python 3.11 or newer, or name it: make PYTHON=python3.12"; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { echo "The venv module is missing: on Debian, apt-get install python3-venv"; rm -rf $(VENV); exit 1; }

$(VENV)/ready: pyproject.toml constraints.txt | $(VENV)/bin/python
	@echo "Installing into $(VENV) (a few minutes the first time) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e .
	@$(BIN)/python -c "from fairneuron_core.paths import compile_kernels; compile_kernels()"
	@touch $@

$(VENV)/ready-test: pyproject.toml constraints.txt | $(VENV)/bin/python
	@echo "Installing into $(VENV) (a few minutes the first time) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-compile -c constraints.txt -e ".[test]"
	@# pip compiles one file after the other; some libraries carry files of other Pythons, which fail and do not matter.
	@$(BIN)/python -m compileall -q -q -j 0 -x '/tests/' $(VENV)/lib || true
	@$(BIN)/python -c "from fairneuron_core.paths import compile_kernels; compile_kernels()"
	@touch $(VENV)/ready $@
