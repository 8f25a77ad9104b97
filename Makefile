# Chargekeeper. `make` prints what there is to type; every target makes what it needs first.

PYTHON ?= python3

.DEFAULT_GOAL := help
.PHONY: help run test check lint hil screenshots clean

help: ## print this list
	@awk -F ':.*## ' '/^[a-z.-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' Makefile

run: .venv ## the whole system on this machine: unit, modem, broker, dashboard, panel
	@.venv/bin/python -m hil_tests

test: lint ## every check that CI runs: style, types, fast tests, then the whole product
	@.venv/bin/python -m pytest tests hil_tests

lint: .venv ## style and types
	@.venv/bin/python -m ruff check .
	@.venv/bin/python -m ruff format --check .
	@.venv/bin/python -m mypy
	@.venv/bin/python -m mypy --config-file firmware/mypy.ini

.venv: .venv/ready ## the environment: pinned packages, MicroPython, umqtt.simple

.venv/ready: requirements.lock stubs.lock $(wildcard hil_tests/runtime/*.py)
	@$(PYTHON) -m hil_tests.runtime .venv
	@touch .venv/ready

clean: ## forget the environment; what the system has stored (var/) stays
	@rm -rf .venv build
