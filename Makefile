# The two that a new machine needs are `demo` and `test`; the rest are parts of them.
SHELL := /bin/bash
PY := .venv/bin/python
RUN := lab/lab run --

.PHONY: demo test check lint types unit e2e lab down clean help

help: ## show this list
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 10

demo: lab ## set everything up and deploy the example to staging
	$(RUN) dagger call deploy --env staging
	@echo; echo; lab/lab urls

test: $(PY) lab check browser ## set everything up and pass every test
	$(RUN) $(PY) -m pytest tests lab/tests

check: lint types ## what needs no lab and no test: lint and types

lint: $(PY)
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .

types: $(PY)
	$(PY) -m mypy

unit: $(PY) ## the tests that need no lab
	$(PY) -m pytest tests/unit -q

e2e: $(PY) lab browser ## the tests that need the lab
	$(RUN) $(PY) -m pytest tests/e2e

lab: ## build (once) and start the lab
	lab/lab up

down: ## stop the lab
	lab/lab down

.PHONY: browser
browser:
	@command -v chromedriver >/dev/null || { apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium chromium-driver >/dev/null; }

# Debian ships venv apart from Python.
$(PY): pyproject.toml uv.lock
	@python3 -c 'import ensurepip' 2>/dev/null || { apt-get update -qq && apt-get install -y -qq python3-venv >/dev/null; }
	python3 -m venv .venv
	.venv/bin/python -m pip install -q uv
	UV_PROJECT_ENVIRONMENT=.venv .venv/bin/uv sync -q --frozen --inexact --no-install-project
	echo "$(CURDIR)/src" > "$$(.venv/bin/python -c 'import site; print(site.getsitepackages()[0])')/planera_ci.pth"
	touch $(PY)

clean: ## remove what make made here
	rm -rf .venv .pytest_cache .mypy_cache .ruff_cache
