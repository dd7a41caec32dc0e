# SPDX-License-Identifier: LGPL-2.1-or-later
# mallograph: `make help` lists the targets.

PREFIX ?= /usr/local
DESTDIR ?=
ifeq ($(origin CC),default)
CC := gcc
endif
ifeq ($(origin CXX),default)
CXX := g++
endif
CFLAGS ?= -O2 -g
DEVELOPER ?= 0
SAN ?=
V ?= 0
# Says what is made instead of how.
Q = $(if $(filter-out 1,$(V)),@echo '  $@';)
JOBS ?= $(shell nproc)
comma := ,

# Sanitizers get objects and a binary of their own. The collector is never
# instrumented: it lives inside other people's programs.
B := build$(if $(SAN),-$(subst $(comma),-,$(SAN)))
# One spelling of a folder: the files of dependencies hold it.
override B := $(patsubst $(CURDIR)/%,%,$(abspath $(B)))
TOOL := $(if $(filter build,$(B)),mallograph,$(B)/mallograph)
LIBRARY := $(B)/libmallograph.so

BUILD_PACKAGES := gcc make libc6-dev libdw-dev libelf-dev libiberty-dev zlib1g-dev libzstd-dev \
	libdeflate-dev libunwind8 libunwind-dev libncurses-dev
TEST_PACKAGES := libcmocka-dev valgrind python3 python3-apt sqlite3 perl jq git xz-utils zstd file \
	openssl g++ clang redis-server redis-tools libjemalloc2 libtcmalloc-minimal4 \
	libmimalloc2.0 libjemalloc-dev libeatmydata1 fakeroot musl-tools binutils procps \
	util-linux mandoc heaptrack libdevel-nytprof-perl
SOAK_PACKAGES := gfortran rustc golang-go libclang-rt-14-dev python3-numpy nodejs \
	openjdk-17-jdk-headless ruby
LINT_PACKAGES := shellcheck clang-format clang-tidy cppcheck mandoc

# What was found. zlib, libdw and libelf must be there; zstd is used where it is.
has = $(shell printf '\#include <$(1)>\n' | $(CC) -E -x c - >/dev/null 2>&1 && echo 1 || echo 0)
ifndef HAVE_ZSTD
HAVE_ZSTD := $(call has,zstd.h)
endif
FOUND = zlib yes, zstd $(if $(filter 1,$(HAVE_ZSTD)),yes,no)

WARN := -Wall -Wextra -Wshadow -Wvla -Wstrict-prototypes -Wmissing-prototypes -Wundef
ifeq ($(DEVELOPER),1)
WARN += -Werror
endif
# (empty, so that a file may define it as well)
GNU := -std=gnu11 -D_GNU_SOURCE=
ALL_CFLAGS = $(GNU) -I. -DHAVE_ZSTD=$(HAVE_ZSTD) $(WARN) $(CFLAGS) -MMD -MP \
	$(if $(SAN),-fsanitize=$(SAN) -fno-omit-frame-pointer)
PRELOAD_CFLAGS = $(GNU) -I. -include libcollect/preload/glibc.h $(WARN) $(CFLAGS) -MMD -MP -fPIC -fvisibility=hidden \
	-fno-omit-frame-pointer -fexceptions -fno-builtin-malloc -fno-builtin-free \
	-fno-builtin-calloc -fno-builtin-realloc -ftls-model=initial-exec -fno-tree-slp-vectorize
LIBS := -ldw -lelf -liberty -ldeflate -lncursesw -ltinfo $(if $(filter 1,$(HAVE_ZSTD)),-lzstd) -lz -lpthread

TOOL_SOURCES := $(wildcard cli/*.c tui/*.c formats/*.c formats/*/*.c analyzer/*/*.c libcollect/recorder/*.c)
PRELOAD_SOURCES := $(wildcard libcollect/preload/*.c)
# Asked by the launcher and by the exec hooks: built once for each.
SHARED_SOURCES := libcollect/program.c
TOOL_OBJECTS := $(TOOL_SOURCES:%.c=$(B)/%.o) $(SHARED_SOURCES:%.c=$(B)/%.o)
PRELOAD_OBJECTS := $(PRELOAD_SOURCES:%.c=$(B)/%.o) $(SHARED_SOURCES:%.c=$(B)/preload/%.o)

# Each tests/unit/test_*.c is a program; each file in tests/victims is one, too
# (a plugin where its name says so).
UNIT_TESTS := $(patsubst %.c,$(B)/%,$(wildcard tests/unit/test_*.c))
VICTIM_SOURCES := $(notdir $(wildcard tests/victims/*.c tests/victims/*.cc))
PLUGINS := $(addprefix $(B)/victims/,$(addsuffix .so,$(basename $(filter plugin_%,$(VICTIM_SOURCES)))))
VICTIMS := $(addprefix $(B)/victims/,$(basename $(filter-out plugin_%,$(VICTIM_SOURCES))) realign_o3)
# Unoptimized: what a victim says it allocates, it allocates.
VICTIM_CFLAGS := -D_GNU_SOURCE -g -O0 -fno-builtin -pthread -MMD -MP -Wall -Wextra \
	-Wno-alloc-size-larger-than -Wno-use-after-free
DEMO := $(B)/tests/demo/wordcount
FIGURES := $(B)/tests/figures

all: $(TOOL) $(LIBRARY)

include tests/bench/bench.mk tests/fuzz/fuzz.mk

$(TOOL): $(TOOL_OBJECTS)
	$(Q)$(CC) $(ALL_CFLAGS) $(LDFLAGS) -o $@ $^ $(LIBS)
	@echo "built $@ ($(FOUND))"

# For tests, too: one that compares every stack with libunwind's (preload/check.h), and one of
# another version than the recorder's.
CHECK_OBJECTS := $(PRELOAD_OBJECTS:$(B)/%=$(B)/check/%)
TEST_LIBRARIES := $(B)/check/libmallograph.so $(B)/other/libmallograph.so
$(LIBRARY): $(PRELOAD_OBJECTS)
$(B)/check/libmallograph.so: $(CHECK_OBJECTS)
$(B)/other/libmallograph.so: $(PRELOAD_OBJECTS:$(B)/libcollect/preload/session.o=$(B)/other/session.o)
$(LIBRARY) $(TEST_LIBRARIES):
	@mkdir -p $(@D)
	$(Q)$(CC) -shared -static-libgcc -Wl,-soname,libmallograph.so -Wl,-z,now -Wl,-z,relro \
		-Wl,-z,nodelete -o $@ $^

$(B)/other/session.o: libcollect/preload/session.c
	@mkdir -p $(@D)
	$(Q)$(CC) $(PRELOAD_CFLAGS) -DCONTRACT_VERSION=1000000u -c -o $@ $<

$(B)/check/libcollect/preload/%.o: libcollect/preload/%.c
	@mkdir -p $(@D)
	$(Q)$(CC) $(PRELOAD_CFLAGS) -DCAPTURE_CHECK=1 -c -o $@ $<

$(B)/check/preload/%.o: %.c
	@mkdir -p $(@D)
	$(Q)$(CC) $(PRELOAD_CFLAGS) -DCAPTURE_CHECK=1 -c -o $@ $<

$(B)/libcollect/preload/%.o: libcollect/preload/%.c
	@mkdir -p $(@D)
	$(Q)$(CC) $(PRELOAD_CFLAGS) -c -o $@ $<

$(B)/preload/%.o: %.c
	@mkdir -p $(@D)
	$(Q)$(CC) $(PRELOAD_CFLAGS) -c -o $@ $<

$(B)/tests/unit/test_stacks: $(addprefix $(B)/libcollect/preload/,cfi.o filters.o headers.o rawio.o rules.o \
	stacks.o table.o)
# The library's own code in a test's process, where -fsanitize=thread looks at it as well.
$(B)/tests/libcollect/preload/%.o: libcollect/preload/%.c
	@mkdir -p $(@D)
	$(Q)$(CC) $(PRELOAD_CFLAGS) $(if $(filter thread,$(SAN)),-fsanitize=thread) -c -o $@ $<
$(B)/tests/unit/test_rings: private LDFLAGS += -Wl,--wrap=raw_map,--wrap=raw_map_wiped,--wrap=raw_unmap
$(B)/tests/unit/test_rings: $(B)/tests/unit/rings_program.o $(patsubst %.c,$(B)/tests/%.o,$(filter-out libcollect/preload/hooks% %/init.c %/real.c,$(PRELOAD_SOURCES)))
$(B)/tests/unit/test_trace_corpus: $(B)/tests/fuzz/trace_text.o
$(B)/tests/unit/test_hands: $(addprefix $(B)/tests/bench/,capture.o capture_random.o play.o)
$(FIGURES) $(UNIT_TESTS): $(B)/%: $(B)/%.o $(filter-out $(B)/cli/main.o,$(TOOL_OBJECTS))
	$(Q)$(CC) $(ALL_CFLAGS) $(LDFLAGS) -o $@ $^ $(LIBS) -lcmocka

$(B)/%.o: %.c
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) -c -o $@ $<

$(B)/victims/plugin_%.so: tests/victims/plugin_%.cc
	@mkdir -p $(@D)
	$(Q)$(CXX) -std=gnu++17 $(VICTIM_CFLAGS) -shared -fPIC -o $@ $<

$(B)/victims/plugin_%.so: tests/victims/plugin_%.c
	@mkdir -p $(@D)
	$(Q)$(CC) -std=gnu11 $(VICTIM_CFLAGS) -shared -fPIC -o $@ $<

$(B)/victims/%: tests/victims/%.c
	@mkdir -p $(@D)
	$(Q)$(CC) -std=gnu11 $(VICTIM_CFLAGS) -o $@ $<

$(B)/victims/%: tests/victims/%.cc
	@mkdir -p $(@D)
	$(Q)$(CXX) -std=gnu++17 $(VICTIM_CFLAGS) -o $@ $<

# Frames of other kinds than -O0 makes.
$(B)/victims/load_past: VICTIM_CFLAGS += -Wl,--enable-new-dtags,-rpath,'$$ORIGIN'
$(B)/victims/late_return: $(B)/victims/plugin_late_allocator.so
$(B)/victims/late_return: VICTIM_CFLAGS += -Wl,--no-as-needed,-rpath,'$$ORIGIN' -L$(B)/victims \
	-l:plugin_late_allocator.so
$(B)/victims/alloca $(B)/victims/tail_calls: VICTIM_CFLAGS += -O2
$(B)/victims/no_frame_pointer $(B)/victims/single_step: VICTIM_CFLAGS += -O2 -fomit-frame-pointer
$(B)/victims/never_return: VICTIM_CFLAGS += -O2 -falign-functions=1
$(B)/victims/realign: VICTIM_CFLAGS += -O2 -mavx2
$(B)/victims/gaps: VICTIM_CFLAGS += -no-pie -Wl,-z,separate-code,-z,max-page-size=0x200000
$(B)/victims/realign_o3: tests/victims/realign.c
	@mkdir -p $(@D)
	$(Q)$(CC) -std=gnu11 $(VICTIM_CFLAGS) -O3 -mavx2 -o $@ $<

$(DEMO): tests/demo/wordcount.c
	@mkdir -p $(@D)
	$(Q)$(CC) -std=gnu11 -g -O1 -o $@ $<

# ---- what people type

# The packages come first, and a second make then sees what they brought.
demo:
	@.ci/deps $(BUILD_PACKAGES)
	@$(MAKE) --no-print-directory -j$(JOBS) demo-run

demo-run: all $(DEMO)
	./mallograph record -o $(B)/demo.mlg $(DEMO) LICENSE
	./mallograph print -a0 -p0 -n 1 -s 0 $(B)/demo.mlg

test:
	@.ci/deps $(BUILD_PACKAGES) $(TEST_PACKAGES)
	@$(MAKE) --no-print-directory -j$(JOBS) tests-built
	@$(RUN_TESTS) $(ONLY)

check: tests-built
	@$(RUN_TESTS) --quick

soak:
	@.ci/deps $(BUILD_PACKAGES) $(TEST_PACKAGES) $(SOAK_PACKAGES)
	@$(MAKE) --no-print-directory -j$(JOBS) tests-built
	@$(RUN_TESTS) --soak

sanitize:
	@CC="$(CC)" CXX="$(CXX)" JOBS=$(JOBS) tests/sanitize

RUN_TESTS = BUILD=$(abspath $(B)) MALLOGRAPH=$(abspath $(TOOL)) LIB=$(abspath $(LIBRARY)) \
	CC="$(CC)" CXX="$(CXX)" JOBS=$(JOBS) SAN=$(SAN) tests/run
tests-built: all $(UNIT_TESTS) $(FIGURES) $(VICTIMS) $(PLUGINS) $(DEMO) $(B)/bench/driver \
	$(B)/bench/replay $(TEST_LIBRARIES) $(REPLAY)

bench: all bench-programs
	@BUILD=$(abspath $(B)) MALLOGRAPH=$(abspath $(TOOL)) LIB=$(abspath $(LIBRARY)) \
	CC="$(CC)" CXX="$(CXX)" tests/bench/run

bench-programs: $(BENCH_PROGRAMS)

lint:
	@.ci/deps $(BUILD_PACKAGES) $(LINT_PACKAGES)
	@CC="$(CC)" HAVE_ZSTD=$(HAVE_ZSTD) tests/lint

deps:
	@.ci/deps $(BUILD_PACKAGES) $(TEST_PACKAGES)

install: all
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/lib/mallograph
	install -m 755 $(TOOL) $(DESTDIR)$(PREFIX)/bin/mallograph
	install -m 755 $(LIBRARY) $(DESTDIR)$(PREFIX)/lib/mallograph/libmallograph.so
	@for page in $(wildcard docs/*.[15]); do \
		folder=$(DESTDIR)$(PREFIX)/share/man/man$${page##*.}; \
		install -d $$folder && install -m 644 $$page $$folder/ || exit 1; \
	done

uninstall:
	rm -f $(DESTDIR)$(PREFIX)/bin/mallograph
	rm -rf $(DESTDIR)$(PREFIX)/lib/mallograph
	@for page in $(notdir $(wildcard docs/*.[15])); do \
		rm -f $(DESTDIR)$(PREFIX)/share/man/man$${page##*.}/$$page; \
	done

clean:
	rm -rf build build-* mallograph

help:
	@echo 'make            build ./mallograph and $(B)/libmallograph.so'
	@echo 'make demo       install what is needed to build, build, record a program, print its report'
	@echo 'make check      build, and run the tests that take less than a minute together'
	@echo 'make test       install what is needed, build, run all tests (under five minutes)'
	@echo 'make soak       the long repetitions; make sanitize: the tests under sanitizers'
	@echo 'make fuzz       feed every reader with hostile files, FUZZ_SECONDS (60) each'
	@echo 'make lint       formatting, static analysis, arrows between folders, man pages'
	@echo 'make bench      measure against native runs (and heaptrack where installed)'
	@echo 'make deps       install the Debian packages for building and testing'
	@echo 'make install    to DESTDIR and PREFIX (/usr/local); make uninstall takes it away; make clean'
	@echo 'Variables: DEVELOPER=1 (warnings are errors), SAN=address,undefined or SAN=thread'
	@echo '(a build of its own in build-SAN), B=FOLDER, CC, CFLAGS, HAVE_ZSTD=0, V=1 (commands)'

-include $(TOOL_OBJECTS:.o=.d) $(PRELOAD_OBJECTS:.o=.d) $(CHECK_OBJECTS:.o=.d) $(B)/other/session.d $(UNIT_TESTS:=.d) $(VICTIMS:=.d) $(FIGURES).d \
	$(wildcard $(B)/tests/bench/*.d $(B)/tests/unit/*.d $(B)/tests/libcollect/preload/*.d)
.PHONY: all demo demo-run test check soak sanitize bench bench-programs lint deps install uninstall clean help tests-built
.SECONDARY:
