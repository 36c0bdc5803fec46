# `make demo` and `make test` each work alone on a fresh clone.

VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
EXTRAS := dev,lab,metrics,openai,receiver,samples,sd,transformers,view,webrtc
PYTHON_CHECK := import ensurepip, sys, venv; sys.exit(sys.version_info[:2] not in ((3, 11), (3, 12)))
PYTHON ?= $(shell for candidate in python3.11 python3.12 python3; do \
	if $$candidate -c '$(PYTHON_CHECK)' >/dev/null 2>&1; then echo $$candidate; break; fi; done)

.PHONY: help demo test check bench broker browser golden-arm64 fuzz install screenshots clean

help:
	@echo "make demo   send sample photographs over a simulated NB-IoT link; pictures in demo/"
	@echo "make test   run the tests"
	@echo "make check  formatting, lint, types and import contracts"
	@echo "make bench  all benchmarks on PICTURES=DIR; results in bench-results/"
	@echo "make golden-arm64  the codec's integers on emulated 64-bit Arm (Debian only)"
	@echo "make screenshots  docs/view-*.webp: the live page in chromium"
	@echo "make fuzz   damaged bytes into every decoder; INPUTS=N pictures, five times as many others"
	@echo "make clean  remove the environment, caches and what the programs wrote"

$(STAMP): pyproject.toml constraints.txt
	@$(PYTHON) -c '$(PYTHON_CHECK)' >/dev/null 2>&1 || { echo "MISC needs Python 3.11 or 3.12\
	 with its venv module; install one, or name it with: make PYTHON=/path/to/python3.12" >&2; exit 1; }
	$(PYTHON) -m venv --clear $(VENV)
	$(BIN)/pip install --quiet --constraint constraints.txt --editable '.[$(EXTRAS)]'
	@touch $@

install: $(STAMP)

demo: $(STAMP)
	$(BIN)/python -m misc_lab.demo --out demo

# The broker tests talk to a real broker; without one they are skipped, and say so.
broker:
	@export PATH="$$PATH:/usr/local/sbin:/usr/sbin"; \
	if ! command -v mosquitto >/dev/null && [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
		apt-get update -qq && DEBIAN_FRONTEND=noninteractive \
		apt-get install -qq --no-install-recommends mosquitto >/dev/null; \
	fi; \
	command -v mosquitto >/dev/null || echo "mosquitto is not installed, so the broker tests are\
	 skipped; install it with: apt-get install mosquitto"

# The page's tests drive a real browser; likewise.
browser:
	@if ! command -v chromium >/dev/null && [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
		apt-get update -qq && DEBIAN_FRONTEND=noninteractive \
		apt-get install -qq --no-install-recommends chromium >/dev/null; \
	fi; \
	command -v chromium >/dev/null || echo "chromium is not installed, so the page's tests are\
	 skipped; install it with: apt-get install chromium"

# One thread for NumPy's products: many small ones, whose threads only wait for each other when other
# programs want the cores too. Tests that are about threads say how many.
test: $(STAMP) broker browser
	OPENBLAS_NUM_THREADS=1 $(BIN)/pytest

# docs/view-*.webp: a real stream of sample photographs, in chromium.
screenshots: $(STAMP) broker browser
	$(BIN)/python scripts/screenshots --out docs

check: $(STAMP)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# Kodak and two networks' distances, where they lie beside this checkout; any others by name.
PICTURES ?= $(wildcard ../shared/data/kodak)
PERCEPTUAL ?= $(wildcard ../shared/teachers/sqfd.py) $(wildcard ../shared/teachers/taesana_encoder.pth)
METRICS = $(foreach one,$(PERCEPTUAL),--perceptual "$(one)")

bench: $(STAMP)
	@[ -n "$(PICTURES)" ] || { echo "Name a folder of pictures: make bench PICTURES=DIR" >&2; exit 1; }
	$(BIN)/misc-bench rd "$(PICTURES)" --out bench-results $(METRICS)
	$(BIN)/misc-bench ladder "$(PICTURES)" --out bench-results $(METRICS)
	$(BIN)/misc-bench speed --out bench-results
	$(BIN)/misc-bench seeds "$(PICTURES)" --out bench-results
	$(BIN)/misc-bench ablate "$(PICTURES)" --out bench-results $(METRICS)
	$(BIN)/misc-bench first-bytes --out bench-results/first-bytes.png
	$(BIN)/misc-sim compare --out bench-results

# Both machines must read the same integers; the summary says which versions did.
golden-arm64: $(STAMP)
	PYTHON=$(BIN)/python scripts/golden-arm64 --out docs/results/golden-arm64.json

# Damaged pictures and deltas, five times as many texts and maps, as many each of four attacks on sealed
# datagrams, fifty times as many mutated datagrams of a session, and ten minutes of random schedules: some
# 35 minutes of one core.
INPUTS ?= 20000

fuzz: $(STAMP)
	$(BIN)/python -m tests.fuzz_layers --inputs $(INPUTS)
	$(BIN)/python -m tests.fuzz_seal --each $(INPUTS)
	$(BIN)/python -m tests.fuzz_datagrams --inputs $$((50 * $(INPUTS)))
	$(BIN)/python -m tests.fuzz_session --minutes 10

clean:
	rm -rf $(VENV) .import_linter_cache .mypy_cache .pytest_cache .ruff_cache .hypothesis build dist
	rm -rf .arm64 bench-results compare demo out
	find lab receiver sender shared tests training -name __pycache__ -type d -prune -exec rm -rf {} +
