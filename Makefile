# The two that a new machine needs are `demo` and `test`; the rest are parts of them.
SHELL := /bin/bash
PY := .venv/bin/python
RUN := lab/lab run --
# Many short processes of the tests and of the lab import the same modules: these are compiled once, and not into src,
# which is what the engine knows the module by.
unexport PYTHONDONTWRITEBYTECODE
export PYTHONPYCACHEPREFIX := $(CURDIR)/.pycache
# Each worker runs one file after the other, side by side with the other workers.
WORKERS ?= 4
# Seconds of files and folders, and their order. An order of plugins too: the last one imports the others.
TIMED := $(PY) -m pytest -p tests.alone -p tests.times -p tests.order
SHARED := -n $(WORKERS) --dist loadfile --no-loadscope-reorder
# Half a minute without the lab; test_actionlint.py builds a program first.
FAST := tests/unit tests/docs tests/bench tests/downtime/test_counting.py \
	$(filter-out %/test_actionlint.py,$(wildcard tests/workflows/test_*.py))

# A test that fails ends the run before the next target begins.
.NOTPARALLEL:
.PHONY: demo test behind rest reached chosen fast check lint types unit manifests workflows docs reference e2e faults gigabyte matrix bench downtime lab down clean help

help: ## show this list
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 11

demo: lab ## set everything up and deploy the example to staging
	@umask 077; $(RUN) dagger call access --env staging > .staging.kubeconfig
	$(RUN) dagger call --kubeconfig file://.staging.kubeconfig deploy --env staging
	@echo; echo; lab/lab urls

# What fails fast runs while the lab is built and started. The last run counts what the first one took.
test: $(if $(CHANGED),,behind) lint types fast $(if $(CHANGED),reached,rest) ## set everything up and pass every test; with CHANGED=1, those that your changes can reach

behind: # the lab is built and started meanwhile; `lab` waits for it
	@(lab/lab up >.lab-up.log 2>&1 &)

rest: lab programs tools
	$(RUN) $(TIMED) $(SHARED) --budget tests/budget.toml $(FAST:%=--ignore=%) lab/tests tests

reached: $(PY)
	@files=$$($(PY) -m tests.reach $(FAST)) && { [ -z "$$files" ] || $(MAKE) --no-print-directory chosen FILES="$$(echo $$files)"; }

chosen: lab programs tools
	$(RUN) $(TIMED) $(SHARED) $(FILES)

check: lab ## all of the next six, each in a container, which keeps its answer until what it reads changes
	$(RUN) dagger call checks

lint: $(PY) ## this and the next five need no lab
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .

types: $(PY) ## the types of src
	$(PY) -m mypy

unit: $(PY) ## the rules, the layers, the files
	$(PY) -m pytest tests/unit tests/bench tests/downtime/test_counting.py -q

manifests: $(PY) ## hold the manifests against schemas and kube-score; builds both once
	$(PY) -m pytest tests/manifests -q

workflows: $(PY) ## hold the workflows against actionlint and our own rules; builds actionlint once
	$(PY) -m pytest tests/workflows -q

docs: $(PY) ## follow the links of the documents, and compare the reference with the module
	$(PY) -m pytest tests/docs -q

fast: $(PY) ## all tests that need no lab and build no program: half a minute
	$(TIMED) -n 2 -q $(FAST)

reference: $(PY) ## write docs/reference.md
	$(PY) -m tests.docs.reference

e2e: $(PY) lab programs ## the tests that need the lab
	$(RUN) $(PY) -m pytest tests/e2e

faults: $(PY) lab ## the tests that take things away from a deployment; `make test` has them too
	$(RUN) $(PY) -m pytest tests/faults

gigabyte: $(PY) lab ## take a database of a gigabyte out and put it back; `make test` has a fifth of that
	PLANERA_ROWS=1000000 $(RUN) $(PY) -m pytest tests/e2e/test_data.py -k large

matrix: $(PY) lab ## measure every fault beside Helm and kubectl, and write docs/verdicts.md
	$(RUN) $(PY) -m tests.faults.matrix

bench: $(PY) lab programs ## measure deployments beside a shell script and Helm, and write docs/benchmarks.md
	lab/lab builder start
	$(RUN) $(PY) -m tests.bench
	-$(RUN) $(PY) -m tests.bench.scale --rounds 2
	lab/lab builder stop

downtime: $(PY) lab ## count what users lose in a deployment, a rollback and a drain, and write docs/zero-downtime.md
	$(RUN) $(PY) -m tests.downtime.bench

lab: ## build (once) and start the lab
	lab/lab up

down: ## stop the lab
	lab/lab down

# What tests call besides what the lab brings: a browser for the page, jq for the documentation's commands, curl for the bench's script.
.PHONY: programs
programs:
	@command -v chromedriver >/dev/null && command -v jq >/dev/null && command -v curl >/dev/null || { apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium chromium-driver jq curl >/dev/null; }

# What tests have the lab build, all at once: a test that waits for a compiler among others waits for long.
.PHONY: tools
tools:
	@lab/lab tool buildctl cert-manager pebble kubeconform kube-score actionlint >/dev/null

# Debian ships venv apart from Python.
$(PY): pyproject.toml uv.lock
	@python3 -c 'import ensurepip' 2>/dev/null || { apt-get update -qq && apt-get install -y -qq python3-venv >/dev/null; }
	python3 -m venv .venv
	.venv/bin/python -m pip install -q uv
	UV_PROJECT_ENVIRONMENT=.venv .venv/bin/uv sync -q --frozen --inexact --no-install-project
	echo "$(CURDIR)/src" > "$$(.venv/bin/python -c 'import site; print(site.getsitepackages()[0])')/planera_ci.pth"
	touch $(PY)

clean: ## remove what make made here
	rm -rf .venv .pycache .pytest_cache .mypy_cache .ruff_cache
