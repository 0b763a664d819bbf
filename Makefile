# Everything sets itself up: the first call makes .venv, later ones find it made.
PYTHON ?= python3
BIN := .venv/bin
export OMP_NUM_THREADS ?= 1

.PHONY: run setup test test-quick test-claims test-exports fuzz lint equations thumbnails bench soak clean

run:  ## open the lab; without a display, train the default recipe into ./run
	@$(PYTHON) packaging/bootstrap.py run

setup:  ## make .venv and look for Qt's system libraries
	@$(PYTHON) packaging/bootstrap.py

test: setup  ## every test
	$(BIN)/python -m pytest -n 2

test-quick: setup  ## the tests that take less than some seconds
	$(BIN)/python -m pytest -m "not slow and not claims and not fuzz and not exports"

test-claims: setup  ## every exhibit of the gallery performed to its claim; some tens of minutes
	$(BIN)/python -m pytest -m claims tests/claims

test-exports: setup  ## every energy in every format, read back and held against torch; some minutes
	$(BIN)/python -m pytest -m exports tests/record

fuzz: setup  ## a thousand broken session files, two hundred kills while saving, and every estimator reopened; some minutes
	$(BIN)/python -m pytest -m fuzz tests/fuzz tests/session

lint: setup  ## style, types, and which floor may import which
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

equations: setup  ## draw the equations of all components ahead, to assets/equations.json
	$(BIN)/python packaging/typeset.py

thumbnails: setup  ## train the gallery's exhibits and draw the pictures of their cards
	$(BIN)/python packaging/thumbnails.py

bench: setup  ## the figures of the performance table on this machine
	$(BIN)/python -m ebmlab bench

soak: setup  ## leave the window training for some minutes, and the slope of its memory
	$(BIN)/python -m tests.bench.soak --minutes 6

clean:  ## remove the environment and what tools leave behind
	rm -rf .venv build dist *.egg-info .mypy_cache .ruff_cache .import_linter_cache .hypothesis
