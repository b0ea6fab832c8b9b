# Covalent. `make` builds build/covalent when the packages are there; ./run installs them.
# One library of every module but main.c; each tests/<module>/<name>_test.c is a program of its own.

CC = gcc
PACKAGES = sqlite3 openssl jose jansson yaml-0.1 zlib
PKG_CFLAGS := $(shell pkg-config --cflags $(PACKAGES))
WARN = -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Werror
HARDEN = -fstack-protector-strong -D_FORTIFY_SOURCE=2 -fPIE
CFLAGS ?= -O2 -g
ALL_CFLAGS = -std=c11 -D_GNU_SOURCE -Iinclude -Isrc $(WARN) $(HARDEN) $(CFLAGS) \
             $(PKG_CFLAGS)
LIBS := $(shell pkg-config --libs $(PACKAGES)) -lpthread -lm
LDFLAGS_ALL = -pie -Wl,-z,relro,-z,now $(LDFLAGS)

B ?= build
SOURCES = $(wildcard src/*/*.c)
OBJECTS = $(SOURCES:src/%.c=$B/obj/%.o)
WEAVE_OBJECTS = $(patsubst src/%.c,$B/obj/%.o,$(wildcard src/weave/*.c) \
                src/base/must.c src/base/read.c src/base/utf8.c src/base/buf.c)
TESTS = $(patsubst tests/%.c,$B/tests/%,$(wildcard tests/*/*_test.c))
BENCHES = $(patsubst bench/%.c,$B/%,$(wildcard bench/*.c))

.PHONY: all help tests unit san tsan fuzz fuzzers layers check bench web dev clean
all: $B/covalent $B/libweave.a

help: ## what can be made
	@grep -hE '^[a-z-]+:.*##' Makefile | sed 's/:.*##/\t/' | expand -t14

$B/covalent: $B/obj/main.o $B/libcovalent.a
	$(CC) $(ALL_CFLAGS) $(LDFLAGS_ALL) -o $@ $^ $(LIBS)

$B/libcovalent.a: $(OBJECTS) $B/static.o
	@rm -f $@; ar rcs $@ $^

# The web app inside; built first where its packages are there (npm ci --prefix web). Without web/dist the
# server shows a notice instead.
$B/static.o: tools/embed $(if $(wildcard web/node_modules/vite),web/dist/index.html,$(wildcard web/dist/assets/*))
	@mkdir -p $(@D)
	tools/embed web/dist $B/static.S
	$(CC) -c -o $@ $B/static.S

$B/libweave.a: $(WEAVE_OBJECTS)
	@rm -f $@; ar rcs $@ $^

$B/obj/%.o: src/%.c
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

$B/tests/%: tests/%.c $B/libcovalent.a
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) $(LDFLAGS_ALL) -Itests -MMD -MP -MF $@.d -o $@ $< $B/libcovalent.a $(LIBS)

$B/%: bench/%.c $B/libcovalent.a
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) $(LDFLAGS_ALL) -MMD -MP -MF $@.d -o $@ $< $B/libcovalent.a $(LIBS)

# weave on lines: what the tests in tests/node drive against npm yjs
$B/weave-cli: $(wildcard tests/tools/weave_cli*.c) $B/libweave.a
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) $(LDFLAGS_ALL) -Itests -o $@ $^ -lm

# orders on lines, against npm fractional-indexing
$B/order-cli: tests/tools/order_cli.c $B/libcovalent.a
	$(CC) $(ALL_CFLAGS) $(LDFLAGS_ALL) -o $@ $^ $(LIBS)

tests: $(TESTS) $B/weave-cli $B/order-cli ## build every unit test

unit: tests ## run every unit test
	@for t in $(TESTS); do $$t || bad=1; done; exit $${bad:-0}

san: ## unit tests under address and undefined sanitizers
	@$(MAKE) B=build/san CFLAGS="-O1 -g -fsanitize=address,undefined -fno-sanitize-recover=undefined" HARDEN= unit

tsan: ## unit tests under the thread sanitizer
	@$(MAKE) B=build/tsan CFLAGS="-O1 -g -fsanitize=thread" HARDEN= unit

# libFuzzer: every tests/fuzz/*.c for FUZZ_SECONDS, from tests/fuzz/seeds; findings stay in build/fuzz
CLANG ?= $(or $(shell command -v clang-16),clang)
FUZZ_SECONDS ?= 60
FUZZERS = $(patsubst tests/fuzz/%.c,build/fuzz/%,$(wildcard tests/fuzz/*.c))

build/fuzz/%: tests/fuzz/%.c $B/libcovalent.a
	$(CC) $(ALL_CFLAGS) -fsanitize=fuzzer -o $@ $< $B/libcovalent.a $(LIBS)

fuzzers: $(FUZZERS)

fuzz: ## build the fuzz targets and run each for FUZZ_SECONDS
	@$(MAKE) B=build/fuzz CC=$(CLANG) HARDEN= WARN=-w fuzzers \
		CFLAGS="-O1 -g -fsanitize=address,undefined,fuzzer-no-link -fno-sanitize-recover=undefined"
	@for f in $(FUZZERS); do n=$$(basename $$f); mkdir -p build/fuzz/corpus/$$n; \
		echo "# $$n"; $$f -max_total_time=$(FUZZ_SECONDS) -timeout=10 -rss_limit_mb=2048 -max_len=65536 \
		-verbosity=0 -print_final_stats=1 -artifact_prefix=build/fuzz/$$n- build/fuzz/corpus/$$n \
		$$(ls -d tests/fuzz/seeds/$$n 2>/dev/null) || bad=1; done; exit $${bad:-0}

layers: ## does every #include go upward in src/layers?
	@tools/layers src/layers $(shell git ls-files 'src/*.c' 'src/*.h')

check: layers san ## layers, then the unit tests under sanitizers

bench: $(BENCHES) $B/covalent ## measure: the engine beside npm yjs (DIR=folder of bench/weave/prep.mjs), fan-out beside two Node servers
	@npm ci --prefix tests --no-audit --no-fund --loglevel=error && npm ci --prefix bench/peers --no-audit --no-fund --loglevel=error
	@if [ -n "$(DIR)" ]; then bench/weave/run $(DIR); else echo "engine: give DIR=..., made by node bench/weave/prep.mjs DIR TRACE.json.gz..."; fi
	@node bench/fanout.mjs

WEB_SOURCES = $(shell find web/src web/public web/index.html web/vite.config.ts web/package.json -type f 2>/dev/null)

web: web/dist/index.html ## build the web app (once `npm ci --prefix web` has run)
web/dist/index.html: $(WEB_SOURCES)
	@npm run build -s --prefix web

WORKSPACE ?= examples/lending
dev: $B/covalent ## server, and the web app with hot reload on http://localhost:5173; WORKSPACE=DIR
	@$B/covalent serve --workspace $(WORKSPACE) & server=$$!; trap 'kill $$server' EXIT INT TERM; npm run dev --prefix web

clean: ## remove what was built
	rm -rf build

-include $(OBJECTS:.o=.d) $B/obj/main.d $(TESTS:=.d) $(BENCHES:=.d)
