# SPDX-License-Identifier: LGPL-2.1-or-later
# mallograph: `make help` lists the targets.
PREFIX ?= /usr/local
DESTDIR ?=
CC ?= gcc
CFLAGS ?= -O2 -g
DEVELOPER ?= 0
SAN ?=
B := build$(if $(SAN),-$(subst $(comma),-,$(SAN)))
comma := ,

WARN := -Wall -Wextra -Wshadow -Wvla -Wstrict-prototypes -Wmissing-prototypes -Wundef
ifeq ($(DEVELOPER),1)
WARN += -Werror
endif
ALL_CFLAGS = -std=gnu11 -I. $(WARN) $(CFLAGS) -MMD -MP $(if $(SAN),-fsanitize=$(SAN) -fno-omit-frame-pointer)
PRELOAD_CFLAGS = -std=gnu11 -I. $(WARN) $(CFLAGS) -MMD -MP -fPIC -fvisibility=hidden -fno-omit-frame-pointer \
	-fno-builtin-malloc -fno-builtin-free -fno-builtin-calloc -fno-builtin-realloc -ftls-model=initial-exec
LIBS := -ldw -lelf -liberty -lzstd -lz -lpthread

TOOL_SOURCES := $(wildcard cli/*.c formats/*.c formats/*/*.c analyzer/*/*.c libcollect/recorder/*.c)
PRELOAD_SOURCES := $(wildcard libcollect/preload/*.c)
TOOL_OBJECTS := $(TOOL_SOURCES:%.c=$(B)/%.o)
PRELOAD_OBJECTS := $(PRELOAD_SOURCES:%.c=$(B)/%.o)

all: mallograph $(B)/libmallograph.so

mallograph: $(TOOL_OBJECTS)
	$(CC) $(ALL_CFLAGS) $(LDFLAGS) -o $@ $^ $(LIBS)

$(B)/libmallograph.so: $(PRELOAD_OBJECTS)
	$(CC) -shared -Wl,-soname,libmallograph.so -Wl,-z,now -Wl,-z,relro -Wl,-z,nodelete -o $@ $^

$(B)/libcollect/preload/%.o: libcollect/preload/%.c
	@mkdir -p $(@D)
	$(CC) $(PRELOAD_CFLAGS) -c -o $@ $<

$(B)/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -c -o $@ $<

clean:
	rm -rf build build-* mallograph

-include $(TOOL_OBJECTS:.o=.d) $(PRELOAD_OBJECTS:.o=.d)
.PHONY: all clean
