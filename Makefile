# Chargekeeper. `make` prints what there is to type; every target makes what it needs first.

PYTHON ?= python3
RUNS ?= 10
MINUTES ?= 2
BUSY ?= 3
# NO_SKIPS=1: a test that is skipped has failed (.ci/run)
# Six at a time: a unit, a modem and a browser run in real time, and mostly wait, so those that do so for the longest begin.
# Those of the second list only compute, and take what the others leave (nice): enough of them are left for the end that no
# processor waits there for a single one.
KINDS = ingest pages rooms nodes store modem start link hil cloud answers units cortex-m databases demo lint
OF_NODES = hil_tests/ingest/cluster hil_tests/ingest/test_jetstream.py
ON_POSTGRESQL = hil_tests/store/test_postgresql.py
PATIENT = cloud answers cortex-m databases store units
OWN_KIND = cortex_m demo home_assistant ingest link link_life modem scenarios siege start store vehicles web
# A kind that hangs shows where all its threads are, and has failed; it may take twice as long as the longest.
WITHIN = PYTHONFAULTHANDLER=1 timeout --foreground --signal=ABRT --kill-after=10 40m
PYTEST = $(WITHIN) $(if $(filter $@,$(PATIENT)),nice -n 15) .venv/bin/python -m pytest -rfEs --durations=20 $(if $(NO_SKIPS),-p hil_tests.fixtures.no_skips)

# Some hundred processes are started; with this, each would compile our code anew.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help run cluster cluster-stop mosquitto test fast cloud answers units ingest nodes modem link demo rooms start databases pages hil lint postgresql requirements steady fuzz bench bench-scale fleet race roll-out cortex-m dist flash provision store stranger home-assistant years mutants power-loss life siege size docs screenshots mission catalogue clean

help: ## print this list
	@awk -F ':.*## ' '/^[a-z.-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' Makefile

run: .venv ## the whole system on this machine: unit, modem, broker, dashboard, panel, with logins for every role
	@.venv/bin/python -m hil_tests

cluster: .venv ## the fleet's form on this machine: three brokers, PostgreSQL, two processes of each role; kill one, and type restart
	@.venv/bin/python -m hil_tests.cluster

cluster-stop: .venv ## end what `make cluster` has started, and nothing else
	@.venv/bin/python -m hil_tests.cluster --stop

test: .venv ## every check that CI runs: style, types and fifteen kinds of tests, six at a time
	@echo "$(KINDS) run six at a time, about twenty minutes on two processors; each shows what it found when it is done"
	@$(MAKE) --no-print-directory --jobs=6 --keep-going --output-sync=target $(KINDS)

fast: cloud answers units ## the tests that start no processes

cloud: .venv ## those of the cloud's rules and its store
	@$(PYTEST) tests/cloud_bridge --ignore tests/cloud_bridge/web

answers: .venv ## what pages and the interface answer, without a browser
	@$(PYTEST) tests/cloud_bridge/web

units: .venv ## those of the firmware, the modem layer and the tree itself
	@$(PYTEST) tests --ignore tests/cloud_bridge

ingest: .venv ## messages into the bridge by real brokers and sockets, and a short siege
	@$(PYTEST) hil_tests/ingest $(OF_NODES:%=--ignore %) hil_tests/siege

nodes: .venv ## the same by a cluster: logins, presence, commands, and what is wrong with nodes, files, disks and clocks
	@$(PYTEST) $(OF_NODES)

modem: .venv ## the installer's tool and third-party programs at simulated modems
	@$(PYTEST) hil_tests/modem

link: .venv ## a unit's link to its cloud: certificates, clocks, copied flash, large messages, and faults of all kinds
	@$(PYTEST) hil_tests/link hil_tests/link_life

demo: .venv ## `make run` from a clone on, and car accounts from the first login to the way back
	@$(PYTEST) hil_tests/demo hil_tests/vehicles

rooms: .venv ## the other rooms on real parts: a rig's manners, what the benches measure with
	@$(PYTEST) $(filter-out hil_tests/__pycache__/ $(OWN_KIND:%=hil_tests/%/),$(wildcard hil_tests/*/))

start: .venv ## a unit on real MicroPython of which one part fails at the start, or whose flash or resets are bad
	@$(PYTEST) hil_tests/start

databases: .venv ## the store on real databases in trouble
	@$(PYTEST) hil_tests/store --ignore $(ON_POSTGRESQL)

store: .venv ## the tests of the store and of alerts again, on PostgreSQL
	@$(PYTEST) $(ON_POSTGRESQL)

pages: .venv ## the pages in a real browser
	@$(PYTEST) hil_tests/web

hil: .venv ## the whole product on the virtual rig; RIG=loop|... a charge point on another rig (hil_tests/rigs.toml); BOARD=... of the virtual ones
	@$(PYTEST) hil_tests/scenarios $(if $(RIG),--rig $(RIG))

postgresql: WITHIN = # hours
postgresql: .venv ## all of the cloud's tests, pages and interface among them, on PostgreSQL
	@POSTGRESQL_ROOMS=all CLOCK_STORIES=300 $(PYTEST) $(ON_POSTGRESQL)

stranger: .venv ## the operator's guide typed on a clean Debian 12: install, certificates, nginx, Caddy, PostgreSQL, backup, upgrade and back, each timed (root; debootstrap; 15 minutes)
	@.venv/bin/python -m hil_tests.guide

catalogue: .venv ## the words of code and templates into the catalogue, and every language up to date with it
	@.venv/bin/python -m cloud_bridge.words

requirements: .venv ## the rules of Great Britain, each with how many tests hold it
	@.venv/bin/python -m tests.requirements

steady: .venv ## can the tests be relied on? .ci/run RUNS=10 times on end, the last BUSY=3 of them beside two busy loops
	@.venv/bin/python -m hil_tests.steady --runs $(RUNS) --busy $(BUSY)

fuzz: .venv ## 100,000 random steps of the charging rules; 10,000 commands, answers of a broker, strangers at ours; 1,000 stories of a database in trouble; 10,000 of clocks that jump (1,000 on PostgreSQL) and of identities; 100,000 frames of chargers that speak OCPP; a million bent answers of a modem; 10,000 bent updates; 10,000 bent releases and asks at the bridge
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

power-loss: .venv ## the power is cut at every point of a scenario of the outbox (CUT=n: at this one alone), at each flash write of updates, and at each of a unit's first 200
	@MICROPYPATH=.frozen:. .venv/bin/micropython -X heapsize=16M tests/firmware/power_loss/run.py $(if $(CUT),CUT=$(CUT),1)
	@$(if $(CUT),:,MICROPYPATH=.frozen:. .venv/bin/micropython -X heapsize=16M tests/firmware/power_loss/update.py 1)
	@$(if $(CUT),:,.venv/bin/python -m hil_tests.start.flash_cuts)

mutants: .venv ## 500 mistakes in charging, link, storage, modem, contact and ingest: do their own tests notice? (15 minutes; SEED=n: the same again)
	@.venv/bin/python -m hil_tests.mutants $(if $(SEED),--seed $(SEED))

life: .venv ## 1,000 faults between five units and their cloud: every record once (25 minutes)
	@.venv/bin/python -m hil_tests.link_life

years: .venv ## YEARS=1 of charge points with their cloud through faults of all kinds on virtual time, two processes; SEED=n: from this one on, REPLAY=n|FILE: one story and its trace
	@.venv/bin/python -m hil_tests.years --years $(or $(YEARS),1) $(if $(SEED),--seed $(SEED)) $(if $(REPLAY),--replay $(REPLAY))

siege: .venv ## MINUTES=2 of slow sockets, half requests, guesses, poison messages, hostile forms and receivers, while 200 good units and 20 readers go on (SEED=n: the same again)
	@.venv/bin/python -m hil_tests.siege --minutes $(MINUTES) $(if $(SEED),--seed $(SEED))

size: .venv ## what the firmware takes of each board's flash (or BOARD=...), against its budget, and of its memory; after `make cortex-m` of 32 bits
	@.venv/bin/python -m hil_tests.rig.image
	@.venv/bin/python -m hil_tests.cortex_m --if-built

bench: .venv ## what is promised in figures, each beside its peer: contactor, mains cuts, latched faults, guard, vehicles with manners, wear of the contactor, modem families, 47 manners of chargers that speak OCPP, nights before a departure, modem, bytes on air, an update over GPRS, cloud, pages
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

bench-scale: .venv ## what is promised of a fleet, with a million units and kills at random (two hours)
	@for name in conformance alerts worker intake retention restart start logins revocations hearing across signal-bytes nodes roles peers; do .venv/bin/python -m hil_tests.bench.scale $$name || exit 1; done
	@for database in sqlite postgresql; do .venv/bin/python -m hil_tests.bench.scale pages --database $$database || exit 1; done

fleet: .venv ## SCENARIO=reconnect UNITS=1000: simulated units, each on a socket of its own; is all that was acknowledged in the database?
	@.venv/bin/python -m hil_tests.fleet $(or $(SCENARIO),reconnect) --units $(or $(UNITS),1000)

cortex-m: .venv ## a 32-bit microcontroller in QEMU, built once: the core tests on it, and memory and instructions against their budgets
	@.venv/bin/python -m hil_tests.cortex_m --build
	@$(PYTEST) hil_tests/cortex_m

race: .venv ## 20 processes refresh one car account at once, with kill -9 for them and for the one that refreshes, 200 rounds
	@.venv/bin/python -m tests.cloud_bridge.vehicles.race

roll-out: .venv ## a release is rolled out to 2,000 simulated units of which 1 % go back: it stops, and the report is drawn (BAD=0: it gets to all)
	@.venv/bin/python -m tests.cloud_bridge.releases.fleet --bad $(or $(BAD),1)

flash: export BOARD ?= tcall
flash: .venv ## PORT=... [BOARD=tcall] [IMAGE=micropython.bin] the firmware onto a board; BOARD is a file of firmware/boards
	@test -n "$(PORT)" || { echo "make flash PORT=/dev/ttyUSB0 [BOARD=tcall] [IMAGE=micropython.bin]"; exit 2; }
	@.venv/bin/python -m hil_tests.rig.flash "$(PORT)" $(if $(IMAGE),--image "$(IMAGE)")
	@echo 'Now provision it over its console, 115200 baud, in lines of at most 160 bytes: identity ID, which makes its secret,'
	@echo 'then provision {"broker": ...}, commission {...} by the installer; last provision {"installer_code": ...}, which locks'
	@echo 'all of them. Units by the dozen: make provision'

provision: .venv ## SERIAL=CK-0042 PORT=... INSTRUMENT=... [STATION=station.toml] a board in a fixture becomes a unit: flashed, tested, registered, labelled
	@test -n "$(SERIAL)" -a -n "$(PORT)" -a -n "$(INSTRUMENT)" || { echo "make provision SERIAL=CK-0042 PORT=/dev/ttyUSB0 INSTRUMENT=/dev/ttyUSB2 [STATION=station.toml]; see hil_tests/station/README.md"; exit 2; }
	@.venv/bin/python -m hil_tests.station provision "$(SERIAL)" --console "$(PORT)" --instrument "$(INSTRUMENT)" $(if $(STATION),--station "$(STATION)")

home-assistant: .venv ## the real Home Assistant at the door for it, in an environment of its own in build/ (600 MB, two minutes, once)
	@.venv/bin/python -m hil_tests.home_assistant.environment
	@$(PYTEST) hil_tests/home_assistant

lint: .venv ## style and types
	@.venv/bin/python -m ruff check .
	@.venv/bin/python -m ruff format --check .
	@.venv/bin/python -m mypy
	@.venv/bin/python -m mypy --config-file firmware/mypy.ini
	@.venv/bin/python -m mypy --config-file firmware/boards/mypy.ini

.venv: .venv/ready ## the environment: pinned packages, MicroPython, umqtt.simple, htmx, uPlot, Swagger UI

.venv/ready: $(wildcard *.lock) $(wildcard */web/package-lock.json) $(wildcard hil_tests/environment/*.py)
	@$(PYTHON) -m hil_tests.environment .venv
	@touch .venv/ready

mosquitto: .venv ## a ready configuration for Debian's mosquitto, from the units in the store
	@.venv/bin/python -m cloud_bridge mosquitto write

dist: .venv ## what a release hands out: the wheel, what it is made of, the licences of others, checksums (build/dist)
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

docs: .venv ## everything that is written here as a small site: build/docs/site
	@.venv/bin/python -m hil_tests.docs

screenshots: .venv ## the pictures of every role, taken of the running product
	@.venv/bin/python -m hil_tests.web.screenshots

mission: .venv ## what the product is for, sentence by sentence, with what its pages say
	@.venv/bin/python -m hil_tests.web.mission

clean: ## forget the environment; what the system has stored (var/) stays
	@rm -rf .venv build */*/node_modules */*/*/node_modules
