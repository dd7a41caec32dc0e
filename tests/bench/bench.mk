# SPDX-License-Identifier: LGPL-2.1-or-later
# The programs of tests/bench. Included by the Makefile.

# What `make bench` runs and measures with; frames that are called stay on the stack.
BENCH_PROGRAMS := $(addprefix $(B)/bench/,driver measure table pairs exchange worst maps replay scan wide)
$(B)/tests/bench/%.o: ALL_CFLAGS += -fno-optimize-sibling-calls

$(B)/bench/driver: $(addprefix $(B)/tests/bench/,driver_rings.o capture_save.o) \
	$(addprefix $(B)/libcollect/recorder/,clock.o region.o)
$(B)/bench/measure: $(B)/tests/bench/watch.o $(B)/tests/bench/tracee.o
$(B)/bench/table: $(B)/tests/bench/figures.o
$(B)/bench/replay: LDLIBS += $(LIBS)
$(B)/bench/replay: $(addprefix $(B)/tests/bench/,capture.o play.o) \
	$(filter $(B)/formats/% $(B)/libcollect/recorder/%,$(TOOL_OBJECTS))
$(B)/bench/scan: LDLIBS += $(LIBS)
$(B)/bench/scan: $(filter $(B)/formats/% $(B)/analyzer/%,$(TOOL_OBJECTS))
$(B)/bench/maps: tests/bench/maps.cc tests/bench/inside.h
	@mkdir -p $(@D)
	$(Q)$(CXX) -I. -O2 -g -pthread -o $@ $<
$(B)/bench/wide: tests/bench/wide_functions.S
$(B)/bench/%: $(B)/tests/bench/%.o
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) $(LDFLAGS) -pthread -o $@ $^ $(LDLIBS)
