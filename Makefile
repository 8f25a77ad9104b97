# Chargekeeper. `make` prints the targets; every target makes what it needs first.

PYTHON ?= python3
RUNS ?= 10
MINUTES ?= 2
BUSY ?= 3
# NO_SKIPS=1 makes a skipped test a failure (.ci/run).
# Six kinds run at a time. Units, modems and browsers run in real time and mostly wait, so the kinds that wait longest start
# first. The kinds in PATIENT only compute and run with nice, so they use the processor time that the others leave; enough of
# them remain at the end that no processor waits for the last one.
KINDS = ingest pages rooms nodes store modem start link hil cloud answers units cortex-m databases demo lint
OF_NODES = hil_tests/ingest/cluster hil_tests/ingest/test_jetstream.py
ON_POSTGRESQL = hil_tests/store/test_postgresql.py
PATIENT = cloud answers cortex-m databases store units
OWN_KIND = cortex_m demo home_assistant ingest link link_life modem scenarios siege start store vehicles web
# A kind that hangs prints the stacks of its threads and fails, after twice the time of the longest kind.
WITHIN = PYTHONFAULTHANDLER=1 timeout --foreground --signal=ABRT --kill-after=10 40m
IS_PATIENT = $(filter $@,$(PATIENT))
PYTEST = $(WITHIN) $(if $(IS_PATIENT),nice -n 15) .venv/bin/python -m pytest -rfEs --durations=20 $(if $(IS_PATIENT),--timeout 1200) \
	$(if $(NO_SKIPS),-p hil_tests.fixtures.no_skips)

# The tests start some hundred processes; with this variable, each would compile our code again.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help run cluster cluster-stop mosquitto test fast cloud answers units ingest nodes modem link demo rooms start databases pages hil lint postgresql requirements steady fuzz bench bench-scale fleet race roll-out cortex-m dist flash provision store stranger home-assistant years mutants power-loss life siege size docs screenshots mission catalogue clean

help: ## print this list
	@awk -F ':.*## ' '/^[a-z.-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' Makefile

run: .venv ## run the whole system on this machine: unit, modem, broker, dashboard, panel, with a login for every role
	@.venv/bin/python -m hil_tests

cluster: .venv ## run the cloud as a cluster on this machine: three brokers, PostgreSQL, two processes of each role; kill one, and type restart
	@.venv/bin/python -m hil_tests.cluster

cluster-stop: .venv ## stop what `make cluster` has started, and nothing else
	@.venv/bin/python -m hil_tests.cluster --stop

test: .venv ## run every check that CI runs: style, types and fifteen kinds of tests, six at a time
	@echo "$(KINDS) run six at a time, about twenty minutes on two processors; each prints its results when it is done"
	@$(MAKE) --no-print-directory --jobs=6 --keep-going --output-sync=target $(KINDS)

fast: cloud answers units ## run the tests that start no processes: cloud, answers and units

cloud: .venv ## test the cloud's rules and its store
	@$(PYTEST) tests/cloud_bridge --ignore tests/cloud_bridge/web

answers: .venv ## test the responses of pages and HTTP interface, without a browser
	@$(PYTEST) tests/cloud_bridge/web

units: .venv ## test the firmware, the modem layer and the layout of the tree
	@$(PYTEST) tests --ignore tests/cloud_bridge

ingest: .venv ## test how messages reach the bridge through real brokers and sockets, with a short siege
	@$(PYTEST) hil_tests/ingest $(OF_NODES:%=--ignore %) hil_tests/siege

nodes: .venv ## test the same through a cluster: logins, presence, commands, and faults of nodes, files, disks and clocks
	@$(PYTEST) $(OF_NODES)

modem: .venv ## test the installer's tool and third-party programs with simulated modems
	@$(PYTEST) hil_tests/modem

link: .venv ## test a unit's link to its cloud: certificates, clocks, copied flash, large messages, and faults of all kinds
	@$(PYTEST) hil_tests/link hil_tests/link_life

demo: .venv ## test `make run`, from a clone on, and car accounts, from the first login to restored access
	@$(PYTEST) hil_tests/demo hil_tests/vehicles

rooms: .venv ## run the other tests on real parts: rigs, fleet, station, releases, monitoring, what the benches measure with
	@$(PYTEST) $(filter-out hil_tests/__pycache__/ $(OWN_KIND:%=hil_tests/%/),$(wildcard hil_tests/*/))

start: .venv ## test a unit on real MicroPython of which one part fails at the start, or whose flash or resets are bad
	@$(PYTEST) hil_tests/start

databases: .venv ## test the store on real databases in trouble
	@$(PYTEST) hil_tests/store --ignore $(ON_POSTGRESQL)

store: .venv ## run the tests of store and alerts again, on PostgreSQL
	@$(PYTEST) $(ON_POSTGRESQL)

pages: .venv ## test the pages in a real browser
	@$(PYTEST) hil_tests/web

hil: .venv ## test the whole product on the virtual rig; RIG=loop|... uses another rig (hil_tests/rigs.toml), BOARD=... another virtual board
	@$(PYTEST) hil_tests/scenarios $(if $(RIG),--rig $(RIG))

postgresql: WITHIN = # takes hours
postgresql: .venv ## run all of the cloud's tests, with pages and interface, on PostgreSQL (hours)
	@POSTGRESQL_ROOMS=all CLOCK_STORIES=300 $(PYTEST) $(ON_POSTGRESQL)

stranger: .venv ## run the operator's guide on a clean Debian 12: install, certificates, nginx, Caddy, PostgreSQL, backup, upgrade and back, each timed (root; debootstrap; 15 minutes)
	@.venv/bin/python -m hil_tests.guide

catalogue: .venv ## collect the texts of code and templates for translation, and bring every language up to date
	@.venv/bin/python -m cloud_bridge.words

requirements: .venv ## print the rules of Great Britain, each with the number of tests that cover it
	@.venv/bin/python -m tests.requirements

steady: .venv ## check that the tests are reliable: run .ci/run RUNS=10 times, the last BUSY=3 of them beside two busy loops
	@.venv/bin/python -m hil_tests.steady --runs $(RUNS) --busy $(BUSY)

fuzz: .venv ## 100,000 random steps of the charging rules; 10,000 commands, answers of a broker, strangers at ours; 1,000 stories of a database in trouble; 10,000 of clocks that jump (1,000 on PostgreSQL) and of identities; 100,000 frames of OCPP chargers; a million corrupted responses of a modem; 10,000 corrupted updates; 10,000 corrupted releases and update requests to the bridge
	@FUZZ_STEPS=100000 .venv/bin/python -m pytest -q --timeout 0 tests/firmware/charging/test_controller_properties.py \
		tests/firmware/link/test_commands_properties.py tests/firmware/test_commands_properties.py tests/cloud_bridge/ingest/test_embedded_properties.py
	@OWNERSHIP_STORIES=100 .venv/bin/python -m pytest -q --timeout 0 tests/cloud_bridge/web/test_ownership_stories.py
	@RECORDER_STORIES=1000 CLOCK_STORIES=1000 POSTGRESQL_ROOMS=all .venv/bin/python -m pytest -q --timeout 0 tests/cloud_bridge/store/test_recorder_stories.py hil_tests/store/test_postgresql.py
	@CLOCK_STORIES=10000 IDENTITY_STORIES=10000 .venv/bin/python -m pytest -q --timeout 0 tests/cloud_bridge/test_clock_stories.py \
		tests/cloud_bridge/test_duplicate_identity.py
	@OCPP_FRAMES=100000 .venv/bin/python -m pytest -q --timeout 0 tests/cloud_bridge/ingest/ocpp/test_frames_properties.py
	@.venv/bin/python -m tests.modem.mutations 1000000
	@PYTHONPATH=tests/on_cpython .venv/bin/python -m tests.firmware.update.mutations 10000
	@.venv/bin/python -m tests.cloud_bridge.releases.mutations 10000

power-loss: .venv ## cut the power at every point of a scenario of the outbox (CUT=n: at this one only), at each flash write of updates, and at each of a unit's first 200
	@MICROPYPATH=.frozen:. .venv/bin/micropython -X heapsize=16M tests/firmware/power_loss/run.py $(if $(CUT),CUT=$(CUT),1)
	@$(if $(CUT),:,MICROPYPATH=.frozen:. .venv/bin/micropython -X heapsize=16M tests/firmware/power_loss/update.py 1)
	@$(if $(CUT),:,.venv/bin/python -m hil_tests.start.flash_cuts)

mutants: .venv ## seed 500 mistakes in charging, link, storage, modem, contact and ingest, and count those that the tests notice (15 minutes; SEED=n repeats a run)
	@.venv/bin/python -m hil_tests.mutants $(if $(SEED),--seed $(SEED))

life: .venv ## 1,000 faults between five units and their cloud, after which every record must be stored once (25 minutes)
	@.venv/bin/python -m hil_tests.link_life

years: .venv ## run YEARS=1 of charge points with their cloud through faults of all kinds on virtual time, in two processes; SEED=n starts from this seed, REPLAY=n|FILE replays one story and prints its trace
	@.venv/bin/python -m hil_tests.years --years $(or $(YEARS),1) $(if $(SEED),--seed $(SEED)) $(if $(REPLAY),--replay $(REPLAY))

siege: .venv ## attack the cloud for MINUTES=2 with slow sockets, half requests, guesses, poison messages, hostile forms and receivers, beside 200 good units and 20 readers (SEED=n repeats a run)
	@.venv/bin/python -m hil_tests.siege --minutes $(MINUTES) $(if $(SEED),--seed $(SEED))

size: .venv ## print what the firmware takes of each board's flash (or BOARD=...) against its budget, and of its memory; after `make cortex-m` also on 32 bits
	@.venv/bin/python -m hil_tests.rig.image
	@.venv/bin/python -m hil_tests.cortex_m --if-built

bench: .venv ## measure every promised figure beside its peer: contactor, mains cuts, latched faults, guard, vehicles with unusual behaviour, wear of the contactor, modem families, 47 quirks of OCPP chargers, nights before a departure, modem, bytes on air, an update over GPRS, cloud, pages
	@.venv/bin/python -m hil_tests.bench latency
	@.venv/bin/python -m hil_tests.bench cuts
	@.venv/bin/python -m hil_tests.bench latched
	@.venv/bin/python -m hil_tests.bench guard
	@.venv/bin/python -m hil_tests.bench vehicles
	@.venv/bin/python -m hil_tests.bench wear
	@.venv/bin/python -m hil_tests.bench contact
	@.venv/bin/python -m hil_tests.bench families
	@.venv/bin/python -m hil_tests.bench quirks
	@.venv/bin/python -m hil_tests.bench readiness
	@.venv/bin/python -m hil_tests.bench.modem
	@.venv/bin/python -m hil_tests.bench.air
	@.venv/bin/python -m hil_tests.update
	@.venv/bin/python -m hil_tests.bench.cloud
	@.venv/bin/python -m hil_tests.web.budget
	@.venv/bin/python -m hil_tests.web.many_pages
	@.venv/bin/python -m hil_tests.web.five_tasks

bench-scale: .venv ## measure what is promised of a fleet, with a million units and kills at random (two hours)
	@for name in conformance alerts worker intake retention restart start logins revocations hearing across signal-bytes nodes roles peers; do .venv/bin/python -m hil_tests.bench.scale $$name || exit 1; done
	@for database in sqlite postgresql; do .venv/bin/python -m hil_tests.bench.scale pages --database $$database || exit 1; done

fleet: .venv ## simulate UNITS=1000 units, each on a socket of its own, and check that every acknowledged message is in the database (SCENARIO=reconnect)
	@.venv/bin/python -m hil_tests.fleet $(or $(SCENARIO),reconnect) --units $(or $(UNITS),1000)

cortex-m: .venv ## run the core tests on a 32-bit microcontroller in QEMU, built once, and compare memory and instructions with their budgets
	@.venv/bin/python -m hil_tests.cortex_m --build
	@$(PYTEST) hil_tests/cortex_m

race: .venv ## refresh one car account from 20 processes at once, with kill -9 for them and for the refresh worker, 200 rounds
	@.venv/bin/python -m tests.cloud_bridge.vehicles.race

roll-out: .venv ## roll out a release to 2,000 simulated units of which 1 % roll back: it stops, and a report is drawn (BAD=0: it reaches all)
	@.venv/bin/python -m tests.cloud_bridge.releases.fleet --bad $(or $(BAD),1)

flash: export BOARD ?= tcall
flash: .venv ## PORT=... [BOARD=tcall] [IMAGE=micropython.bin] flash the firmware onto a board; BOARD is a module of firmware/boards
	@test -n "$(PORT)" || { echo "make flash PORT=/dev/ttyUSB0 [BOARD=tcall] [IMAGE=micropython.bin]"; exit 2; }
	@.venv/bin/python -m hil_tests.rig.flash "$(PORT)" $(if $(IMAGE),--image "$(IMAGE)")
	@echo 'Now provision it over its console, 115200 baud, in lines of at most 160 bytes: identity ID, which makes its secret,'
	@echo 'then provision {"broker": ...}, commission {...} by the installer; last provision {"installer_code": ...}, which locks'
	@echo 'all of them. Units by the dozen: make provision'

provision: .venv ## SERIAL=CK-0042 PORT=... INSTRUMENT=... [STATION=station.toml] make a unit out of a board in a fixture: flashed, tested, registered, labelled
	@test -n "$(SERIAL)" -a -n "$(PORT)" -a -n "$(INSTRUMENT)" || { echo "make provision SERIAL=CK-0042 PORT=/dev/ttyUSB0 INSTRUMENT=/dev/ttyUSB2 [STATION=station.toml]; see hil_tests/station/README.md"; exit 2; }
	@.venv/bin/python -m hil_tests.station provision "$(SERIAL)" --console "$(PORT)" --instrument "$(INSTRUMENT)" $(if $(STATION),--station "$(STATION)")

home-assistant: .venv ## test the real Home Assistant with the bridge, in an environment of its own in build/ (600 MB, two minutes, once)
	@.venv/bin/python -m hil_tests.home_assistant.environment
	@$(PYTEST) hil_tests/home_assistant

lint: .venv ## check style and types
	@.venv/bin/python -m ruff check .
	@.venv/bin/python -m ruff format --check .
	@.venv/bin/python -m mypy
	@.venv/bin/python -m mypy --config-file firmware/mypy.ini
	@.venv/bin/python -m mypy --config-file firmware/boards/mypy.ini

.venv: .venv/ready ## make the environment: pinned packages, MicroPython, umqtt.simple, htmx, uPlot, Swagger UI

.venv/ready: $(wildcard *.lock) $(wildcard */web/package-lock.json) $(wildcard hil_tests/environment/*.py)
	@$(PYTHON) -m hil_tests.environment .venv
	@touch .venv/ready

mosquitto: .venv ## write a ready configuration for Debian's mosquitto, from the units in the store
	@.venv/bin/python -m cloud_bridge mosquitto write

dist: .venv ## build what a release hands out: the wheel, its bill of materials, third-party licences, checksums (build/dist)
	@rm -rf build/dist build/release build/product
	@SOURCE_DATE_EPOCH=$$(git log -1 --format=%ct) .venv/bin/python -m hatchling build -t wheel -d $(CURDIR)/build/dist
	@$(PYTHON) -m venv build/product && build/product/bin/pip install -q --require-hashes -r requirements.lock
	@build/product/bin/pip install -q --no-deps build/dist/*.whl && build/product/bin/chargekeeper --version
	@$(PYTHON) -m venv build/release && build/release/bin/pip install -q --require-hashes -r release.lock
	@build/release/bin/cyclonedx-py environment --pyproject pyproject.toml -o build/dist/sbom.cdx.json build/product
	@build/release/bin/pip-licenses --python build/product/bin/python --ignore-packages chargekeeper pip setuptools --with-license-file \
		--no-license-path --format plain-vertical --output-file build/dist/THIRD_PARTY_NOTICES.txt
	@for one in cloud_bridge/web/node_modules/*/LICENSE; do echo; echo $$one; cat $$one; done >> build/dist/THIRD_PARTY_NOTICES.txt
	@cd build/dist && rm -f .gitignore && sha256sum * > SHA256SUMS && cat SHA256SUMS

docs: .venv ## build a small site of all documents: build/docs/site
	@.venv/bin/python -m hil_tests.docs

screenshots: .venv ## take the pictures of every role from the running product
	@.venv/bin/python -m hil_tests.web.screenshots

mission: .venv ## print each goal of the product with what its pages say
	@.venv/bin/python -m hil_tests.web.mission

clean: ## remove the environment and build/; what the system has stored (var/) stays
	@rm -rf .venv build */*/node_modules */*/*/node_modules
