# make demo   build an environment of its own, install assetgen, generate 500 sprites into the example game
# make test   build a development environment and run every test that needs no installed engine or browser
# make clients  install the real clients (apt; as root) and run tests/clients: none may be skipped
# make lint   formatting, types, layers, generated documents
# make bench  measure docs/benchmarks.md anew (a quarter of an hour on an idle machine)
# make fuzz   what strangers send to every reader, for MINUTES each (extra fuzz)
# make torture  200 SIGKILLs at random moments over each command that writes, and what they left

PYTHON ?= python3
PIP := -m pip install --quiet --disable-pip-version-check --constraint constraints.txt
DEMO := .venv-demo/bin
DEV := .venv/bin
GAME := examples/bestiary

.PHONY: demo test clients lint bench torture fuzz docs clean

demo: .venv-demo/installed
	$(DEMO)/assetgen batch --count 500 --scale 2 --project $(GAME) --yes
	@echo
	@echo "Look at them:      $(CURDIR)/$(GAME)/index.html"
	@echo "The sheets:        $(CURDIR)/$(GAME)/assets/generated/<type>/<type>.png"

# A normal install, as a user's: what isn't in the wheel can't be used.
.venv-demo/installed: pyproject.toml constraints.txt $(shell find asset_gen integrations trainer exporter -type f -not -name '*.pyc')
	$(PYTHON) -m venv .venv-demo
	$(DEMO)/python $(PIP) '.[cpu]'
	$(DEMO)/python $(PIP) --force-reinstall --no-deps .
	touch $@

test: .venv/installed
	$(DEV)/pytest --numprocesses=auto --dist=loadfile

.venv/installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(DEV)/python $(PIP) --editable '.[dev]'
	touch $@

clients: .venv/installed
	tests/clients/install
	CI=true $(DEV)/pytest --override-ini addopts= -q --import-mode=importlib tests/clients

lint: .venv/installed
	$(DEV)/ruff format --check .
	$(DEV)/ruff check .
	$(DEV)/mypy
	$(DEV)/lint-imports
	$(DEV)/python docs/reference.py --check

docs: .venv/installed
	$(DEV)/python docs/reference.py
	$(DEV)/python -m asset_gen.schemas

bench: .venv/installed
	$(DEV)/python $(PIP) --editable '.[bench]'
	$(DEV)/python tests/benchmarks/harness.py

MINUTES ?= 10

fuzz: .venv/installed
	$(DEV)/python $(PIP) --editable '.[fuzz]'
	$(DEV)/python tests/fuzz/run.py --minutes $(MINUTES)

KILLS ?= 200

torture: .venv/installed
	$(DEV)/python tests/torture/kill.py --kills $(KILLS)

clean:
	rm -rf .venv .venv-demo build *.egg-info $(GAME)/assets/generated $(GAME)/.assetgen
