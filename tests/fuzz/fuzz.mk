# SPDX-License-Identifier: LGPL-2.1-or-later
# make fuzz, and the replayer of its corpus. Included by the Makefile.

FUZZ_SECONDS ?= 60
FUZZ_TARGETS ?=
FUZZ_PACKAGES := clang libclang-rt-14-dev

FUZZ_OBJECTS := $(patsubst %.c,$(B)/%.o,$(filter-out tests/fuzz/fuzz_main.c tests/fuzz/replay.c,\
	$(wildcard tests/fuzz/*.c))) $(filter-out $(B)/cli/main.o,$(TOOL_OBJECTS)) \
	$(B)/tests/fuzz/cfi.o
REPLAY := $(B)/tests/fuzz/replay
FUZZER := $(B)/tests/fuzz/fuzzer

# The library's own objects are never instrumented.
$(B)/tests/fuzz/cfi.o: libcollect/preload/cfi.c
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) -c -o $@ $<

$(REPLAY): $(B)/tests/fuzz/replay.o $(FUZZ_OBJECTS)
	$(Q)$(CC) $(ALL_CFLAGS) $(LDFLAGS) -o $@ $^ $(LIBS)

$(FUZZER): $(B)/tests/fuzz/fuzz_main.o $(FUZZ_OBJECTS)
	$(Q)$(CC) $(ALL_CFLAGS) -fsanitize=fuzzer $(LDFLAGS) -o $@ $^ $(LIBS)

# A build of its own: clang, with both sanitizers and the fuzzer's counters.
fuzz:
	@.ci/deps $(BUILD_PACKAGES) $(FUZZ_PACKAGES)
	@$(MAKE) --no-print-directory -j$(JOBS) B=build-fuzz CC=clang CFLAGS="-O1 -g \
		-fno-sanitize-recover=all" SAN=fuzzer-no-link,address,undefined fuzz-built
	@FUZZ=build-fuzz/tests/fuzz FUZZ_SECONDS=$(FUZZ_SECONDS) tests/fuzz/run $(FUZZ_TARGETS)

fuzz-built: $(FUZZER) $(REPLAY)

.PHONY: fuzz fuzz-built
-include $(wildcard $(B)/tests/fuzz/*.d)
