# The verbs of day2ops. `make` alone lists them. Needs GNU make and Python 3.11 or newer; the rest it brings, into this folder only.
# Recipes use relative paths, so a checkout may live under any name.
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
SHELL := /bin/sh

# A foreign Python path would put foreign packages in front of ours.
unexport PYTHONPATH
unexport PYTHONHOME

ARGS ?=
# one more than there are cores: tests of processes wait as much as they compute
JOBS ?= $(shell expr $$(getconf _NPROCESSORS_ONLN) + 1)
ENVIRONMENT := sh toolchain/python.sh toolchain/environment.py
PY := .venv/bin/python
PYTEST := $(PY) -m pytest

.PHONY: help demo test test-slow test-browser check lint types contracts format control-plane test-cluster test-bypass sim mutants defects coverage mutation bench eval eval-quick eval-judge eval-faults eval-assess eval-injection eval-scoreboard chart docs sbom lock clean dev

help:
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' Makefile

demo: ## the whole product on an embedded cluster (ARGS="--fast")
	@$(ENVIRONMENT) demo
	@.venv-demo/bin/day2 demo $(ARGS)

test: dev ## the tests of every room (ARGS="-k words")
	@$(PYTEST) -n $(JOBS) --dist worksteal -m "not cluster and not slow and not browser" $(ARGS)

test-slow: dev ## processes killed, whole demos, bare machines, worlds
	@$(PYTEST) -n $(JOBS) --dist worksteal -m "slow and not cluster and not browser" $(ARGS)

test-browser: dev ## the console in a real Chromium
	@$(PYTEST) tests/browser -m browser $(ARGS)

check: lint types contracts test test-slow ## format, lint, types, layers, then both kinds of tests

lint: dev
	@echo "== ruff"
	@$(PY) -m ruff format --check --output-format concise . || { echo "mend: make format"; exit 1; }
	@$(PY) -m ruff check --quiet .

types: dev
	@echo "== mypy"
	@$(PY) -m mypy
	@MYPYPATH=toolchain $(PY) -m mypy toolchain/*.py

contracts: dev
	@echo "== import contracts"
	@$(PY) -c "from importlinter.cli import lint_imports_command; lint_imports_command()"

format: dev ## let ruff format and sort
	@$(PY) -m ruff check --quiet --select I --fix .
	@$(PY) -m ruff format .

control-plane: dev ## build a real Kubernetes control plane (Go, once)
	@$(PY) tests/controlplane/build.py $(ARGS)

test-cluster: dev ## the tests on the real control plane
	@$(PYTEST) tests/cluster -m cluster $(ARGS)

test-bypass: dev ## every known way past the gate, on the real one
	@$(PYTEST) tests/gate tests/cluster -m bypass $(ARGS)

sim: dev ## 2,000 simulated worlds with faults (ARGS="--seeds 200")
	@$(PY) -m evals.simulation $(ARGS)

mutants: dev ## planted defects, each found by a simulated world
	@$(PY) tests/mutants/run.py $(ARGS)

defects: dev ## planted defects, each noticed by a case of the evals
	@$(PY) -m tests.defects $(ARGS)

coverage: dev ## what no test reaches of judge, executor, webhook
	@$(PY) tests/mutation/measuring.py $(ARGS)

mutation: dev ## small defects in them, each noticed (ARGS=--changed)
	@$(PY) tests/mutation/run.py $(ARGS)

bench: dev ## one line per measured goal
	@$(PY) -m benchmarks $(ARGS)

eval: dev ## how good are the agents: the scored cases
	@$(PY) -m evals $(ARGS)

eval-quick: dev ## the quick suite, no worse than the stored results
	@.venv/bin/day2 eval run --quick --jobs $$(getconf _NPROCESSORS_ONLN) -O .cache/evals/quick.json
	@.venv/bin/day2 eval gate .cache/evals/quick.json

eval-judge: dev ## the judge on held-out worlds, into docs/judge.md
	@$(PY) -m evals.judging --write $(ARGS)

eval-faults: dev ## planted faults found and mended, docs/faults.md
	@$(PY) -m evals.faults --write $(ARGS)

eval-assess: dev ## planted errors in finished runs, docs/assessing.md
	@$(PY) -m evals.assessing --write $(ARGS)

eval-injection: dev ## hostile text in every field, into docs/injection.md
	@$(PY) -m evals.injection --write $(ARGS)

eval-scoreboard: dev ## every case and baseline, into docs/scoreboard.md
	@$(PY) -m evals.reporting --run --repeat 5 $(ARGS)

chart: dev ## write what is generated of deploy/ and its page
	@$(PY) deploy/generate.py

docs: dev ## the documentation as a site, into dist/docs
	@NO_MKDOCS_2_WARNING=1 $(PY) -m mkdocs build --strict --quiet
	@echo "dist/docs/index.html"

sbom: dev ## CycloneDX of every lock group, into dist/sbom
	@$(PY) toolchain/sbom.py

lock: ## resolve every requirements/*.in again (ARGS=--upgrade)
	@sh toolchain/python.sh toolchain/locking.py $(ARGS)

clean: ## remove environments, caches and the demo's leavings
	@rm -rf .venv .venv-* .cache .day2 .mypy_cache .ruff_cache .import_linter_cache .hypothesis dist
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

dev:
	@$(ENVIRONMENT) dev
