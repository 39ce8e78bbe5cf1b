# The commands to know:  make demo · make test · make check · make bench
# Each sets up what it needs: a virtual environment from the lock file, and Debian's real peers.

# Debian's own where it is new enough: what a gateway runs on, and a little faster than one built without profiles.
PYTHON ?= $(shell /usr/bin/python3 -c 'import ensurepip, sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo /usr/bin/python3 || echo python3)
VENV   := .venv
BIN    := $(VENV)/bin
ARGS   ?=

DEMO_PEERS  := mosquitto
TEST_PEERS  := $(DEMO_PEERS) clamav-daemon chromium postfix swaks strace gnupg dovecot-imapd dovecot-lmtpd curl isync mutt bsdutils thunderbird postfix-lmdb

.DEFAULT_GOAL := help
.PHONY: help demo test check bench lock clean venv peers-demo peers-test

help:  ## what can be made
	@sed -n 's/^\([a-z-]*\):.*## /  make \1\t/p' $(MAKEFILE_LIST) | expand -t 16

demo: venv peers-demo  ## two gateways, a laboratory, a hospital, on this machine: ARGS="--once --json"
	@$(BIN)/sceau demo $(ARGS)

test: venv peers-test  ## every test, real peers included
	$(BIN)/pytest -n auto --dist loadfile $(ARGS)

check: venv  ## lint, format, types, imports
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: venv peers-test  ## speed beside Postfix and stock aiosmtpd, in rounds; writes build/bench/
	$(BIN)/python -m tests.bench $(ARGS)

lock: venv  ## resolve requirements.lock anew from pyproject.toml
	$(BIN)/python -m pip install --quiet uv
	$(BIN)/python -m uv pip compile --quiet --universal --generate-hashes --extra dev --python-version 3.11 \
	    --no-emit-index-url --no-header pyproject.toml --output-file requirements.lock

clean:  ## forget everything built
	rm -rf $(VENV) build *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

venv: $(VENV)/ready

$(VENV)/ready: requirements.lock pyproject.toml
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "installing the locked dependencies into $(VENV)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

peers-demo:
	@sh tests/peers $(DEMO_PEERS)

peers-test:
	@sh tests/peers $(TEST_PEERS)
