# Thin wrappers around Meson; each target does its own set-up on a bare Debian 12 machine.
BUILD ?= build
NINJA := $(shell command -v ninja 2>/dev/null || echo ninja)
PREFIX ?= /usr/local

.PHONY: build run check bench fuzz sanitize lint format install clean

build:
	@scripts/setup build
	@test -f $(BUILD)/build.ninja || meson setup $(BUILD) --prefix $(PREFIX) >/dev/null
	@$(NINJA) -C $(BUILD) --quiet

run: build
	@scripts/setup sdk
	@scripts/with-node node tests/sdk/main-job.mjs $(BUILD)/src/cli/strongroom

check: build
	@scripts/setup check
	@scripts/check $(BUILD)

bench: build
	@scripts/setup bench
	@scripts/with-node node tests/bench/bench.mjs $(BUILD)/src/cli/strongroom

fuzz:
	@scripts/setup fuzz
	@scripts/fuzz

sanitize:
	@scripts/setup check
	@scripts/sanitize

lint:
	@scripts/setup lint
	@scripts/lint

format:
	@clang-format -i $$(git ls-files '*.c' '*.h')

install: build
	@meson install -C $(BUILD)

clean:
	rm -rf build build-*
