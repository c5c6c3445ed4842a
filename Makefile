# calltape's commands. Each does all of its own set-up on a machine that has Rust, a C compiler, make and
# Python >= 3.11, prints one line a stage, and is quick the second time. `make help` lists them.
#
#   PYTHON=python3.13     the interpreter (default: python3)
#   VENV=.venv-3.13       where its virtual environment stands (default: .venv)
#   CARGO_BUILD_JOBS=8    compilers at a time (default: 2)

PYTHON ?= python3
VENV ?= .venv
CARGO_BUILD_JOBS ?= 2
export CARGO_BUILD_JOBS

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
MAKEFLAGS += --no-print-directory --no-builtin-rules
.DEFAULT_GOAL := help
.NOTPARALLEL:
.DELETE_ON_ERROR:

BIN := $(VENV)/bin
SAY := @printf '\n==> %s\n'

# The interpreter behind PYTHON (not a virtual environment's copy of it), and a tag that changes when it does.
IDENTIFY := import os, sys, zlib; base = os.path.realpath(sys._base_executable); version = sys.version_info; \
    assert (3, 11) <= version < (3, 15) and sys.implementation.name == "cpython"; \
    print(base, "%d.%d.%d-%08x" % (*version[:3], zlib.crc32((base + sys.version).encode())))

ifneq ($(filter-out help clean fmt,$(or $(MAKECMDGOALS),help)),)
IDENTITY := $(shell $(PYTHON) -c '$(IDENTIFY)' 2>/dev/null)
ifeq ($(IDENTITY),)
$(error calltape needs CPython 3.11 to 3.14, and PYTHON=$(PYTHON) is "$(shell $(PYTHON) --version 2>&1 | head -n 1)". \
Choose another, as in: make $(firstword $(MAKECMDGOALS)) PYTHON=python3.12)
endif
endif
BASE_PYTHON := $(word 1,$(IDENTITY))
TAG := $(word 2,$(IDENTITY))

# In CI the committed lock file must fit; at the desk cargo may add what a new dependency needs.
LOCKED := $(if $(CI),--locked)
# The extension module leaves Python's symbols to the interpreter that loads it, so it has no test program of its own:
# its tests are the Python ones.
RUST_TESTED := --workspace --exclude calltape-python
# The loom builds need their own directory: another RUSTFLAGS would rebuild everything each time.
LOOM_TARGET := target/loom

.PHONY: help
help: ## this list
	@printf 'usage: make COMMAND [PYTHON=python3.12]\n\n'
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  %-14s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))

# ---------------------------------------------------------------------------------------------- virtual environment

$(VENV)/.made-$(TAG):
	$(SAY) "virtual environment $(VENV): Python $(firstword $(subst -, ,$(TAG)))"
	@if [ -e "$(VENV)" ] && [ ! -e "$(VENV)/pyvenv.cfg" ]; then \
	    echo "$(VENV) exists and is no virtual environment: choose another place with VENV=" >&2; exit 1; fi
	@rm -rf "$(VENV)"
	@"$(BASE_PYTHON)" -m venv "$(VENV)"
	@touch $@

$(VENV)/.builder: requirements-build.txt $(VENV)/.made-$(TAG)
	$(SAY) "what builds calltape into $(VENV)"
	@$(BIN)/python -m pip install --disable-pip-version-check --quiet --requirement requirements-build.txt
	@touch $@

$(VENV)/.tools: requirements-dev.txt $(VENV)/.builder
	$(SAY) "development tools into $(VENV)"
	@$(BIN)/python -m pip install --disable-pip-version-check --quiet --requirement requirements-dev.txt
	@touch $@

$(VENV)/.rivals: bench/requirements.txt $(VENV)/.tools
	$(SAY) "the benchmark's rivals into $(VENV)"
	@$(BIN)/python -m pip install --disable-pip-version-check --quiet --requirement bench/requirements.txt
	@touch $@

# ------------------------------------------------------------------------------------------------------------ build

# Builds a wheel and installs it, so that what runs is what was built and never the source folder. cargo decides what is
# out of date. $(1): the cargo profile.
define INSTALL
	@printf '\n==> %s\n' "calltape into $(VENV) (cargo profile: $(1))"
	@rm -rf ".make/wheels/$(TAG)"
	@PYO3_PYTHON="$(abspath $(BIN))/python" $(BIN)/maturin build $(LOCKED) --profile $(1) --compatibility linux \
	    --interpreter $(BIN)/python --out ".make/wheels/$(TAG)"
	@$(BIN)/python -m pip install --disable-pip-version-check --quiet --no-index --no-deps --force-reinstall \
	    .make/wheels/$(TAG)/*.whl
endef

.PHONY: build
build: $(VENV)/.builder ## the release build, installed into .venv
	$(call INSTALL,release)

.PHONY: build-quick
build-quick: $(VENV)/.builder ## a build for tests: the same code, compiled in a fraction of the time
	$(call INSTALL,quick)

.PHONY: wheel
wheel: build ## the release build as a wheel in dist/, to install elsewhere
	@mkdir -p dist
	@cp .make/wheels/$(TAG)/*.whl dist/
	@ls dist/*.whl

# ------------------------------------------------------------------------------------------------------------- docs

# The site's tools have an environment of their own: what they depend on is nothing to the package.
DOCS := .make/docs
export NO_MKDOCS_2_WARNING := 1

$(DOCS)/.made-$(TAG): docs/requirements.txt $(VENV)/.made-$(TAG)
	$(SAY) "the site's tools into $(DOCS)"
	@rm -rf "$(DOCS)"
	@"$(BASE_PYTHON)" -m venv "$(DOCS)"
	@$(DOCS)/bin/python -m pip install --disable-pip-version-check --quiet --requirement docs/requirements.txt
	@touch $@

.PHONY: pictures
pictures: $(DOCS)/.made-$(TAG) build-quick ## pictures of the terminal for the site, made by the commands they show
	$(SAY) "pictures of the terminal into docs/pictures"
	@rm -rf docs/pictures .make/pictures
	@mkdir -p .make/pictures
	@$(DOCS)/bin/python docs/make/pictures.py --python $(BIN)/python --tape .make/pictures/calls.db --to docs/pictures

.PHONY: docs
docs: pictures ## the site: guides, reference, pictures, into .make/site; fails on a link that leads nowhere
	$(SAY) "the site into .make/site"
	@$(DOCS)/bin/mkdocs build --strict --quiet
	@$(DOCS)/bin/python docs/make/offline.py .make/site

.PHONY: docs-serve
docs-serve: pictures # the site on the loopback, built anew with each change
	@$(DOCS)/bin/mkdocs serve --dev-addr 127.0.0.1:8000

# ------------------------------------------------------------------------------------------------------------- demo

DEMO := .calltape/demo

.PHONY: demo
demo: build ## record a census of Python's own standard library, then look at the tape
	$(SAY) "examples/stdlib_census.py: reads, parses and measures every module of the standard library"
	@rm -rf "$(DEMO)"
	@mkdir -p "$(DEMO)"
	@$(BIN)/python examples/stdlib_census.py --db "$(DEMO)/census.db"
	$(SAY) "calltape top: where the time went"
	@$(BIN)/calltape --db "$(DEMO)/census.db" top
	$(SAY) "calltape errors: what failed, grouped by type and place"
	@$(BIN)/calltape --db "$(DEMO)/census.db" errors || [ $$? -eq 1 ]  # 1: no error, as where Python comes without its tests
	$(SAY) "calltape show: one call with its tree, the last that did not parse"
	@tape="$(BIN)/calltape --db $(DEMO)/census.db --json"; \
	    id='import json, sys; call = json.loads(next(sys.stdin)); print(call.get("last_call_id") or call["id"])'; \
	    $(BIN)/calltape --db "$(DEMO)/census.db" show \
	        "$$({ $$tape errors --limit 1 parse || $$tape tail -n 1 survey; } | $(BIN)/python -c "$$id")"
	@printf '\nThe tape is %s. Look further:\n  %s --db %s top --sort p99\n' \
	    "$(DEMO)/census.db" "$(BIN)/calltape" "$(DEMO)/census.db"

# ------------------------------------------------------------------------------------------------------------ tests

.PHONY: test
test: lint rust-test types python-test docs torture-short test-cpython-one ## build, lint, Rust tests, types, pytest, the site, faults, CPython's own tests

.PHONY: lint
lint: $(VENV)/.tools ## cargo fmt, clippy, rustdoc, ruff: they change nothing
	$(SAY) "cargo fmt --check"
	@cargo fmt --all --check
	$(SAY) "clippy"
	@PYO3_PYTHON="$(abspath $(BIN))/python" cargo clippy $(LOCKED) --workspace --all-targets -- -D warnings
	$(SAY) "rustdoc"
	@PYO3_PYTHON="$(abspath $(BIN))/python" RUSTDOCFLAGS="-D warnings" cargo doc $(LOCKED) --workspace --no-deps --quiet
	$(SAY) "ruff"
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

.PHONY: fmt
fmt: ## write the sources in the house's format
	@cargo fmt --all
	@if [ -x $(BIN)/ruff ]; then $(BIN)/ruff format . && $(BIN)/ruff check --fix .; \
	    else echo "no $(BIN)/ruff: make lint installs it"; exit 1; fi

.PHONY: rust-test
rust-test: ## the Rust crates' tests, documentation examples and the short loom run
	$(SAY) "Rust tests"
	@if cargo nextest --version >/dev/null 2>&1; then cargo nextest run $(LOCKED) $(RUST_TESTED); \
	    else cargo test $(LOCKED) $(RUST_TESTED) --all-targets; fi
	$(SAY) "Rust documentation examples"
	@cargo test $(LOCKED) $(RUST_TESTED) --doc --quiet
	$(SAY) "loom: every ordering of append, seal and recycle, two preemptions deep"
	@LOOM_MAX_PREEMPTIONS=2 $(MAKE) loom

.PHONY: loom
loom: # LOOM_MAX_PREEMPTIONS bounds the search; without it, it is complete and long
	@RUSTFLAGS="--cfg loom" CARGO_TARGET_DIR=$(LOOM_TARGET) \
	    cargo test $(LOCKED) --package calltape-journal --profile quick --test loom

.PHONY: types
types: $(VENV)/.tools build-quick ## mypy --strict, and the stubs against the built module
	$(SAY) "mypy --strict"
	@$(BIN)/mypy
	$(SAY) "stubtest"
	@$(BIN)/stubtest calltape._native

.PHONY: python-test
python-test: $(VENV)/.tools build-quick ## pytest against a fresh build; PYTHON= and VENV= for another interpreter
	$(SAY) "pytest on Python $(firstword $(subst -, ,$(TAG)))"
	@$(BIN)/python -m pytest $(PYTEST_ARGS)

.PHONY: test-cpython
test-cpython: ## CPython's own tests of generators, coroutines, functools, contextlib, asyncio, monitored
	@failed=; \
	while IFS=$$'\t' read -r version python; do \
	    [ "$$python" != - ] || { printf '\n==> Python %s: not found, not tested\n' "$$version"; continue; }; \
	    $(MAKE) test-cpython-one CPYTHON_ARGS="$(or $(CPYTHON_ARGS),--asyncio)" PYTHON="$$python" \
	        VENV="$$([ "$$python" = "$(BASE_PYTHON)" ] && echo "$(VENV)" || echo ".venv-$$version")" </dev/null \
	        || failed+=" $$version"; \
	done < <(.ci/interpreters); \
	[ -z "$$failed" ] || { echo "FAILED on Python$$failed" >&2; exit 1; }

.PHONY: test-cpython-one
test-cpython-one: build-quick # one interpreter's, without asyncio's; CPYTHON_ARGS=test.test_types for other modules
	$(SAY) "CPython's own tests, monitored, on Python $(firstword $(subst -, ,$(TAG)))"
	@PYTHONPATH=tests $(BIN)/python -m cpython $(CPYTHON_ARGS)

# The second process of the torture: it drains, and dies at a named point.
.PHONY: drain-until
drain-until:
	@cargo build $(LOCKED) --quiet --package calltape-engine --example drain_until

.PHONY: torture
torture: $(VENV)/.tools build-quick drain-until ## faults made on purpose, about 15 minutes; TORTURE_ARGS="--only disk-full --seed 7"
	$(SAY) "torture: kills, crash points, full disks, damage, locks, forks, servers, power losses"
	@PYTHONPATH=tests $(BIN)/python -m torture $(TORTURE_ARGS)

.PHONY: torture-short
torture-short: $(VENV)/.tools build-quick drain-until # the same in about 3 minutes, for `make test`
	$(SAY) "torture, the short form"
	@PYTHONPATH=tests $(BIN)/python -m torture --short $(TORTURE_ARGS)

$(VENV)/.heavy: tests/capture/requirements-heavy.txt $(VENV)/.tools
	$(SAY) "the heavy libraries into $(VENV)"
	@$(BIN)/python -m pip install --disable-pip-version-check --quiet --requirement tests/capture/requirements-heavy.txt
	@touch $@

.PHONY: test-heavy
test-heavy: $(VENV)/.heavy build-quick ## what the objects of very heavy libraries (torch) read like; installs them
	$(SAY) "captured values of the heavy libraries"
	@$(BIN)/python -m pytest tests/capture/test_golden.py -k heavy $(PYTEST_ARGS)

.PHONY: test-values
test-values: $(VENV)/.tools build-quick # a million random values instead of 50,000, and 3,000 of Hypothesis's instead of 150
	$(SAY) "a million random values, captured without a leak"
	@CALLTAPE_RANDOM_VALUES=1000000 CALLTAPE_EXAMPLES=3000 \
	    $(BIN)/python -m pytest --timeout 1800 tests/capture/test_leaks.py tests/capture/test_any_value.py $(PYTEST_ARGS)

# ------------------------------------------------------------------------------------------------------------- deep

FUZZ_SECONDS ?= 60
CARGO_FUZZ := .make/cargo/bin/cargo-fuzz

$(CARGO_FUZZ):
	$(SAY) "cargo-fuzz into .make/cargo"
	@CARGO_TARGET_DIR=target/cargo-fuzz cargo install cargo-fuzz --version 0.13.2 --locked --quiet --root .make/cargo

.PHONY: fuzz
fuzz: $(CARGO_FUZZ) # each target for FUZZ_SECONDS on the nightly compiler
	@cargo +nightly --version >/dev/null 2>&1 || { echo "fuzzing needs a nightly toolchain (rustup toolchain install nightly)" >&2; exit 1; }
	@for manifest in crates/*/fuzz/Cargo.toml; do \
	    for target in $$("$(CARGO_FUZZ)" list --fuzz-dir "$$(dirname "$$manifest")"); do \
	        printf '\n==> fuzz %s for %s s\n' "$$target" "$(FUZZ_SECONDS)"; \
	        PATH="$(abspath .make/cargo/bin):$$PATH" cargo +nightly fuzz run --fuzz-dir "$$(dirname "$$manifest")" \
	            "$$target" -- -max_total_time=$(FUZZ_SECONDS) -timeout=10; \
	    done; \
	done

# A shard of the mutants of each package: MUTANTS_SHARD=3/10 is the fourth tenth, 0/1 all of them, which takes hours.
MUTANTS_SHARD ?= 0/20
MUTANTS_OUT := .make/mutants
CARGO_MUTANTS := .make/cargo/bin/cargo-mutants

$(CARGO_MUTANTS):
	$(SAY) "cargo-mutants into .make/cargo"
	@CARGO_TARGET_DIR=target/cargo-mutants cargo install cargo-mutants --version 27.1.0 --locked --quiet --root .make/cargo

.PHONY: mutants
mutants: $(CARGO_MUTANTS) ## changes to journal, drain, breaker, books, retention that no test notices; MUTANTS_SHARD=0/1 for all
	@mkdir -p "$(MUTANTS_OUT)"
	@for package in calltape-journal calltape-engine; do \
	    printf '\n==> mutants of %s, shard %s\n' "$$package" "$(MUTANTS_SHARD)"; \
	    PATH="$(abspath .make/cargo/bin):$$PATH" cargo mutants --package "$$package" --shard "$(MUTANTS_SHARD)" \
	        --jobs 1 --colors never --no-times --output "$(MUTANTS_OUT)/$$package" || [ $$? -le 3 ]; \
	done
	@$(PYTHON) .ci/mutants "$(MUTANTS_OUT)"

GET_VALGRIND := command -v valgrind >/dev/null || { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && apt-get install -qq -y valgrind >/dev/null; } || true

# Its own directory, as with loom. Leaks are the interpreter's to have, so they are not looked for.
ASAN_TARGET := target/asan
ASAN_TRIPLE := x86_64-unknown-linux-gnu

.PHONY: asan
asan: build-quick ## AddressSanitizer over the journal's tests, valgrind over a short run of the extension
	@cargo +nightly --version >/dev/null 2>&1 || { echo "AddressSanitizer needs a nightly toolchain (rustup toolchain install nightly)" >&2; exit 1; }
	$(SAY) "AddressSanitizer over the journal's tests"
	@RUSTFLAGS="-Zsanitizer=address" ASAN_OPTIONS=detect_leaks=0 CARGO_TARGET_DIR=$(ASAN_TARGET) \
	    cargo +nightly test $(LOCKED) --package calltape-journal --target $(ASAN_TRIPLE) --lib --tests --quiet -- \
	    --skip a_process_without_any_memory_left # the sanitizer itself needs some
	@$(GET_VALGRIND)
	@if command -v valgrind >/dev/null; then \
	    printf '\n==> %s\n' "valgrind over a short run of the extension"; \
	    PYTHONPATH=tests $(BIN)/python -m torture.valgrind; \
	else printf '\n==> %s\n' "valgrind is not here: the extension's run under it is left out"; fi

.PHONY: text-order
text-order: ## list anew which functions run while a process records, for the linker (decision 015); needs valgrind
	@$(GET_VALGRIND)
	@CALLTAPE_TEXT_ORDER=off $(MAKE) build # valgrind does not read names from the section that the list makes
	$(SAY) "what runs while a process records"
	@$(BIN)/python .ci/text-order

.PHONY: test-memory
test-memory: $(VENV)/.tools build-quick ## memory pressure at length: 200 n of each fault, a million threads, ten million calls
	$(SAY) "memory pressure: faults by number, a million threads"
	@CALLTAPE_FAULT_ROUNDS=200 CALLTAPE_THREADS=1000000 $(BIN)/python -m pytest --timeout 7200 \
	    tests/test_memory_faults.py tests/test_memory_limits.py $(PYTEST_ARGS)
	$(SAY) "ten million calls in one process"
	@PYTHONPATH=tests $(BIN)/python -m faults.soak 10000000

.PHONY: deep
deep: fuzz ## the long forms: fuzzing, loom without a small bound, torture, sanitizers, a shard of mutants, a million values, torch
	$(SAY) "loom, three preemptions deep"
	@LOOM_MAX_PREEMPTIONS=3 $(MAKE) loom
	@$(MAKE) torture
	@$(MAKE) test-memory
	@$(MAKE) asan
	@$(MAKE) mutants
	@$(MAKE) test-values
	@$(MAKE) test-heavy

# --------------------------------------------------------------------------------------------------------- big tape

BIG_TAPE_CALLS ?= 10000000
BIG_TAPE_FOLDER := .make/big-tape
BIG_TAPE := $(BIG_TAPE_FOLDER)/calls-$(BIG_TAPE_CALLS).db
BIG_TAPE_SOURCES := $(wildcard crates/calltape-engine/examples/big_tape/*.rs crates/calltape-engine/examples/big_tape/shop/*.rs) \
    crates/calltape-engine/src/store/schema.sql

# The one that is there, or a smaller one.
ANY_BIG_TAPE := $(firstword $(wildcard $(BIG_TAPE_FOLDER)/calls-*.db) $(BIG_TAPE_FOLDER)/calls-1000000.db)

# One tape at a time: ten million calls take 1.4 GiB.
$(BIG_TAPE_FOLDER)/calls-%.db: $(BIG_TAPE_SOURCES)
	$(SAY) "a tape of $* calls: a day of a shop's services, the same each time"
	@rm -f $(BIG_TAPE_FOLDER)/*
	@cargo build $(LOCKED) --quiet --profile quick --package calltape-engine --example big_tape
	@"$${CARGO_TARGET_DIR:-target}/quick/examples/big_tape" "$@" $*

.PHONY: big-tape
big-tape: $(BIG_TAPE) ## a tape of ten million calls to measure reading on, 1.4 GiB; BIG_TAPE_CALLS=1000000 for a smaller one
	@printf 'The tape is %s. Look at it:\n  calltape --db %s top\n' "$(BIG_TAPE)" "$(BIG_TAPE)"

# ------------------------------------------------------------------------------------------------------------ bench

.PHONY: bench
bench: ## the table of costs, against its rivals, on each supported interpreter found
	@while IFS=$$'\t' read -r version python; do \
	    [ "$$python" != - ] || { printf '\n==> Python %s: not found, not measured\n' "$$version"; continue; }; \
	    $(MAKE) bench-one PYTHON="$$python" \
	        VENV="$$([ "$$python" = "$(BASE_PYTHON)" ] && echo "$(VENV)" || echo ".venv-$$version")" </dev/null; \
	done < <(.ci/interpreters)

.PHONY: bare-insert
bare-insert: # the loop that throughput is compared with
	$(SAY) "the bare insert loop"
	@cargo build $(LOCKED) --release --package calltape-engine --example drain_rate

.PHONY: query-times
query-times: # asks a tape questions and times them
	@cargo build $(LOCKED) --quiet --release --package calltape-engine --example query_times

.PHONY: bench-one
bench-one: $(VENV)/.rivals build bare-insert query-times big-tape # one interpreter's table; BENCH_ARGS="--only per-call" and the like
	$(SAY) "bench on Python $(firstword $(subst -, ,$(TAG)))"
	@$(BIN)/python -m bench $(BENCH_ARGS)

.PHONY: bench-quick
bench-quick: $(VENV)/.rivals build bare-insert query-times $(ANY_BIG_TAPE) ## the same table in under a minute, fewer and shorter rounds
	$(SAY) "bench (quick) on Python $(firstword $(subst -, ,$(TAG)))"
	@$(BIN)/python -m bench --quick $(BENCH_ARGS)

# ------------------------------------------------------------------------------------------------------------ clean

.PHONY: clean
clean: ## remove what the commands made: builds, environments, the demo's tape
	rm -rf target .make dist docs/pictures .venv .venv-3.* .calltape/demo .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -not -path './.git/*' -prune -exec rm -rf {} +
