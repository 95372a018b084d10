# What a newcomer needs: `make serve` and `make test`, with Python 3.11 or later, make and git.

VENV := .venv
PYTHON := $(VENV)/bin/python
AUTHZ := $(VENV)/bin/authz
PIP_INSTALL := $(PYTHON) -m pip install --quiet --disable-pip-version-check
LOCK := .ci/requirements.lock
LOCK_DEV := .ci/requirements-dev.lock
LOCK_BENCH := .ci/requirements-bench.lock

.DEFAULT_GOAL := help
.PHONY: help serve test lint types pytest scenarios agree mutate durability swaps bench bench-http bench-growth bench-search bench-import bench-perform bench-beside bench-explain bench-review bench-past bench-log bench-equivalent bench-impact bench-scenarios format lock clean

help: ## Show what there is to make
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-13s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

serve: $(VENV)/runtime ## Serve on 127.0.0.1:8080 (PORT= changes it); make var/portal.db if need be
	@$(AUTHZ) serve --create $(if $(PORT),--port $(PORT))

test: lint types pytest scenarios ## Check everything: style, types, tests, scenarios

lint: $(VENV)/development ## Check the style, and policies, fixtures and scenarios without running them
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(AUTHZ) fmt --check
	$(AUTHZ) lint --strict

types: $(VENV)/development ## Check the types
	$(VENV)/bin/mypy

pytest: $(VENV)/development ## Run the tests
	$(PYTHON) -m pytest --quiet --numprocesses auto --dist worksteal

bench: $(VENV)/benchmarks ## Measure how fast questions are decided, beside oso and cedarpy
	$(PYTHON) benchmarks/check.py

bench-http: $(VENV)/benchmarks ## Measure how fast questions are answered over HTTP (needs wrk)
	$(PYTHON) benchmarks/serving.py

bench-growth: $(VENV)/benchmarks ## Measure what a larger store costs (takes minutes, and 1.5 GB)
	$(PYTHON) benchmarks/growth.py

bench-search: $(VENV)/benchmarks ## Measure searches, and pages of a very large set
	$(PYTHON) benchmarks/search.py

bench-perform: $(VENV)/benchmarks ## Measure how fast actions are performed, each on the disk
	$(PYTHON) benchmarks/performing.py

bench-beside: $(VENV)/benchmarks ## Measure how fast questions are decided beside performed actions
	$(PYTHON) benchmarks/beside.py

bench-explain: $(VENV)/benchmarks ## Measure what an explanation costs, to a check
	$(PYTHON) benchmarks/explaining.py

bench-review: $(VENV)/benchmarks ## Measure what an access review takes
	$(PYTHON) benchmarks/reviewing.py

bench-past: $(VENV)/benchmarks ## Measure what it takes to ask as of a past revision
	$(PYTHON) benchmarks/past.py

bench-equivalent: $(VENV)/benchmarks ## Measure how fast two policies are compared in all small stores
	$(PYTHON) benchmarks/equivalence.py

bench-import: $(VENV)/benchmarks ## Measure how fast entities are imported and exported
	$(PYTHON) benchmarks/importing.py

bench-scenarios: $(VENV)/benchmarks ## Measure how fast scenarios are run
	$(PYTHON) benchmarks/scenarios.py

bench-log: $(VENV)/benchmarks ## Measure what the decision log costs (needs wrk)
	$(PYTHON) benchmarks/logged.py

bench-impact: $(VENV)/benchmarks ## Measure how fast a change of policies is looked at
	$(PYTHON) benchmarks/impact.py

agree: $(VENV)/development ## Hold both engines against each other on 100,000 made-up policies (PAIRS=)
	$(PYTHON) tests/agree.py $(if $(PAIRS),--pairs $(PAIRS))

mutate: $(VENV)/development ## Change our policies in one thing at a time: some scenario must fail
	$(AUTHZ) mutate --jobs 0

durability: $(VENV)/development ## Kill performing processes 20 times, and look at what is left
	$(PYTHON) tests/durability.py

swaps: $(VENV)/development ## Swap policies 100 times under load, and look at every answer
	$(PYTHON) tests/swaps.py

scenarios: $(VENV)/development ## Run the scenarios; nothing of the policies may be untested
	$(AUTHZ) test --coverage --fail-under 100

format: $(VENV)/development ## Put the code, policies, fixtures and scenarios into their format
	$(VENV)/bin/ruff check --fix .
	$(VENV)/bin/ruff format .
	$(AUTHZ) fmt

# Stamps: what serving needs, and what testing and measuring need on top. All install exactly what the lock
# files name, and each download is checked by its hash.
$(VENV)/runtime: $(LOCK) setup.cfg pyproject.toml
	@.ci/make-venv $(VENV)
	@echo "installing into $(VENV) ..."
	@$(PIP_INSTALL) --require-hashes -r $(LOCK)
	@$(PIP_INSTALL) --no-build-isolation --no-deps --editable .
	@touch $@

$(VENV)/development: $(LOCK_DEV) $(VENV)/runtime
	@echo "installing the tools for tests into $(VENV) ..."
	@$(PIP_INSTALL) --require-hashes -r $(LOCK_DEV)
	@touch $@

$(VENV)/benchmarks: $(LOCK_BENCH) $(VENV)/runtime
	@echo "installing what is compared into $(VENV) ..."
	@$(PIP_INSTALL) --require-hashes -r $(LOCK_BENCH)
	@touch $@

lock: ## Choose the newest dependencies anew and write the lock files
	python3 -m venv $(VENV)-lock
	$(VENV)-lock/bin/python -m pip install --quiet uv
	VENV=$(VENV)-lock .ci/write-locks $(LOCK) $(LOCK_DEV) $(LOCK_BENCH)
	rm -rf $(VENV)-lock

clean: ## Remove all that was made, except the data in var/
	rm -rf $(VENV) $(VENV)-lock build *.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis
