# The project's whole vocabulary of commands. `make` alone lists it.

PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV ?= .venv
PORT ?= 8000
BIN := $(VENV)/bin
MANAGE := $(BIN)/python manage.py
SOURCES := arena leaderboard checks docs tests bench manage.py serve.py gunicorn.conf.py

export PORT
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: help install install-dev demo run prepare test check bench docs picture lock format
.DEFAULT_GOAL := help

help: ## list the commands
	@sed -n 's/^\([a-z-]*\):[^#]*## \(.*\)/  make \1|\2/p' $(MAKEFILE_LIST) | awk -F'|' '{printf "%-20s%s\n", $$1, $$2}'

# --- installing: repeated only when a lock file has changed ---------------------------------
install: $(VENV)/.base ## install what serving needs, from hashed locks
	@:

install-dev: $(VENV)/.dev ## install what testing and checking need too, with a Chromium
	@$(BIN)/python -m tests.chromium

$(BIN)/python:
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	  echo "Crowd Arena needs Python 3.11 or newer. Name one: make PYTHON=/path/to/python3.11"; exit 1; }
	@"$(PYTHON)" -m venv $(VENV) || { rm -rf $(VENV); \
	  echo "This Python lacks the venv module; on Debian: apt-get install python3-venv"; exit 1; }

$(VENV)/.base: requirements/base.txt | $(BIN)/python
	$(BIN)/python -m pip install --quiet --require-hashes --no-deps -r $<
	@touch $@

$(VENV)/.dev: requirements/dev.txt | $(BIN)/python
	$(BIN)/python -m pip install --quiet --require-hashes --no-deps -r $<
	@touch $@ $(VENV)/.base

# A peer library pins an older numpy; it must not pull the project's own down.
var/bench-venv/.bench: requirements/bench.txt | $(BIN)/python
	$(BIN)/python -m venv $(@D)
	$(@D)/bin/python -m pip install --quiet --require-hashes --no-deps -r $<
	@touch $@

var/docs-venv/.docs: requirements/docs.txt | $(BIN)/python
	$(BIN)/python -m venv $(@D)
	$(@D)/bin/python -m pip install --quiet --require-hashes --no-deps -r $<
	@touch $@

# Settings of this machine alone; a production host sets its own environment.
.env: | $(BIN)/python
	@umask 077; $(BIN)/python -c 'import secrets; print("SECRET_KEY=" + secrets.token_urlsafe(50)); print("# For this machine alone: plain HTTP, readable logs."); print("HTTPS=0"); print("LOG_JSON=0"); print("LOG_LEVEL=WARNING")' > $@

# --- serving ---------------------------------------------------------------------------------
prepare: install .env
	@$(BIN)/python serve.py --check-port
	$(MANAGE) migrate --verbosity 0
	$(MANAGE) collectstatic --no-input --verbosity 0

demo: prepare ## serve a sample event on http://127.0.0.1:8000/ (PORT=8001 for another port)
	@echo "Making the sample event, where it is missing"
	@$(MANAGE) sample_event > /dev/null # its logins are printed when they can be used
	@exec $(BIN)/python serve.py --then "$(MANAGE) sample_event"

run: prepare ## serve what is in the database; on an empty site, with a link to the first account
	@exec $(BIN)/python serve.py --then "$(MANAGE) announce --foreground"

# --- testing ---------------------------------------------------------------------------------
# make test ARGS="tests/ratings -k elo" runs a part; with --database postgresql there, on PostgreSQL.
# The whole suite is three runs side by side: they share neither a database nor a port. What is driven
# has its tables straight from the models: the two others migrate, and so does every site that is served.
# With it go the tests that no database matters to, so that the three end at about the same time.
DRIVEN := tests/browser tests/served
PLAIN := tests/markup tests/ratings tests/recipes tests/states tests/trust
OTHERS := $(patsubst %,--ignore=%,$(DRIVEN) $(PLAIN))
test: install-dev ## run the whole suite on SQLite, and beside it what touches the database on PostgreSQL
ifdef ARGS
	@$(BIN)/python -m pytest $(ARGS)
else
	@mkdir -p var; failed=; \
	$(BIN)/python -m pytest --database postgresql --few-cases -m database $(OTHERS) >var/postgresql.log 2>&1 & \
	postgresql=$$!; \
	$(BIN)/python -m pytest --no-migrations $(DRIVEN) $(PLAIN) >var/driven.log 2>&1 & \
	driven=$$!; trap "kill $$postgresql $$driven" INT TERM; \
	$(BIN)/python -m pytest $(OTHERS) || failed=yes; \
	wait $$postgresql || failed=yes; cat var/postgresql.log; \
	wait $$driven || failed=yes; cat var/driven.log; \
	test -z "$$failed"
endif

# Not within make test: what the pool changes is the same for most tests.
.PHONY: test-pooled
test-pooled: install-dev ## run what touches the database through PgBouncer in transaction mode
	$(BIN)/python -m pytest --database postgresql --pooler -m database $(DRIVEN:%=--ignore=%) $(ARGS)

# make bench ONLY=importing ARGS=--quick runs one of them, with its own arguments.
ONLY ?= $(filter-out trust_%,$(basename $(notdir $(shell grep -l __main__ bench/*.py))))
bench: var/bench-venv/.bench ## measure speed and memory, beside other libraries where there are any
	@set -e; for name in $(ONLY); do \
	  echo "--- bench.$$name"; var/bench-venv/bin/python -m bench.$$name $(ARGS); done

# Every part is run, also after one has failed.
PARTS := check-lint check-format check-lengths check-types check-templates check-layers check-migrations check-deploy check-locks check-docs
.PHONY: $(PARTS)
check: $(VENV)/.dev ## lint, format, lengths, types, templates, layers, migrations, deployment, locks, docs
	@failed=; for part in $(PARTS); do \
	  echo "--- $$part"; $(MAKE) --no-print-directory $$part || failed="$$failed $$part"; \
	done; \
	if [ -n "$$failed" ]; then echo "check failed:$$failed"; exit 1; fi; \
	echo "check: all $(words $(PARTS)) parts passed"

$(PARTS): export SECRET_KEY := $(shell od -An -tx1 -N40 /dev/urandom | tr -d ' \n')
$(PARTS): export DEBUG := 0
$(PARTS): export HTTPS := 1

check-lint:
	$(BIN)/ruff check $(SOURCES)

check-format:
	$(BIN)/ruff format --check $(SOURCES)

check-lengths:
	@$(BIN)/python -m checks.lengths $(SOURCES)

check-types:
	$(BIN)/mypy arena leaderboard checks serve.py

check-templates:
	$(BIN)/djlint --lint --check templates

check-layers:
	$(BIN)/lint-imports
	@$(BIN)/python -m checks.imports
	@$(BIN)/python -m checks.picture --check

check-migrations:
	$(MANAGE) makemigrations --check --dry-run
	@DJANGO_SETTINGS_MODULE=arena.settings $(BIN)/python -m checks.migrations

check-deploy:
	$(MANAGE) check --deploy --fail-level WARNING

check-locks:
	@if grep -nE '[a-z]+://|--(extra-)?index-url|--find-links' requirements/*.txt; then \
	  echo "Lock files must name versions and hashes only; make lock"; exit 1; fi

check-docs: docs

# --- upkeep ----------------------------------------------------------------------------------
format: $(VENV)/.dev ## rewrite code and templates in the project's style
	$(BIN)/ruff check --fix-only $(SOURCES)
	$(BIN)/ruff format $(SOURCES)
	-$(BIN)/djlint --quiet --reformat templates

picture: $(VENV)/.dev ## draw the packages and their imports anew, for docs/architecture.md
	@$(BIN)/python -m checks.picture

# Warnings are errors, and whatever a page would fetch from elsewhere is one.
docs: var/docs-venv/.docs ## build docs/ as a site, with the rating engine's API, into var/docs
	@rm -rf var/docs
	@var/docs-venv/bin/python -m sphinx --builder html --fresh-env --fail-on-warning --keep-going --quiet \
	  --doctree-dir var/docs-trees docs var/docs
	@$(BIN)/python -m checks.offline var/docs
	@echo "docs: var/docs/index.html"

COMPILE := UV_SYSTEM_CERTS=1 $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
  --no-header --no-annotate
lock: $(VENV)/.dev ## compile requirements/*.txt anew from pyproject.toml (UPGRADE=--upgrade for newer)
	$(COMPILE) $(UPGRADE) pyproject.toml -o requirements/base.txt
	$(COMPILE) $(UPGRADE) pyproject.toml -c requirements/base.txt --extra s3 -o requirements/s3.txt
	$(COMPILE) $(UPGRADE) pyproject.toml -c requirements/s3.txt --extra s3 --group dev -o requirements/dev.txt
	$(COMPILE) $(UPGRADE) pyproject.toml --group dev --group bench -o requirements/bench.txt
	$(COMPILE) $(UPGRADE) -c requirements/base.txt --group docs -o requirements/docs.txt

# --- deploying -------------------------------------------------------------------------------
.PHONY: image image-test
SOURCES += deploy

image: ## build the image for every process of the Procfile (docs/operations.md)
	@sh deploy/image.sh

image-test: image install-dev ## build the image; run sites from it, one of them on several hosts, and judge there
	$(BIN)/python -m pytest tests/deploy/image_checks.py tests/deploy/one_container_checks.py \
	  tests/deploy/hosts_checks.py
