/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MALLOGRAPH_SYMBOLIZE_H
#define MALLOGRAPH_SYMBOLIZE_H

/*
 * Addresses to names: functions, inlined functions, file:line.
 *
 * Opening a module finds its ELF file (and its separate debug file by
 * build-id and .gnu_debuglink under /usr/lib/debug and beside it), sorts its symbols once
 * and reads a DWARF unit only when an address falls in it. elfutils' libdw
 * does the reading, libiberty the demangling. Not thread-safe.
 */

#include <stddef.h>
#include <stdint.h>

struct symbol_module;

struct symbol_frame {
	const char *function; /* demangled; NULL: unknown. Lives as long as the module */
	const char *file;     /* absolute where the debug information says so; NULL: unknown */
	uint32_t line;        /* 0: unknown */
};

struct symbol_options {
	const char *sysroot; /* NULL: none */
	int debug_info;      /* 0: symbol tables only */
	int debuginfod;      /* ask servers for a file that is not here (debuginfod.h) */
	/* bounds of reading debug information, 0: none. What is found is kept; the
	 * rest comes from symbol tables, and the module complains. */
	uint64_t deadline; /* nanoseconds of CLOCK_MONOTONIC */
	uint64_t memory;   /* bytes of this process' heap */
};

/*
 * path: the module's path. fd: an open descriptor of it, or -1 to open path (the
 * descriptor is not closed here). A file whose build-id is not build_id is
 * refused (ERROR_FOREIGN) unless build_id_bytes is 0. "linux-vdso.so.1" is read
 * from this process. Errors: ERROR_SYSTEM (no such file), ERROR_FOREIGN,
 * ERROR_DAMAGED, ERROR_MEMORY.
 */
int symbol_module_open(struct symbol_module **module, const char *path, int fd,
		       const void *build_id, size_t build_id_bytes,
		       const struct symbol_options *options);
void symbol_module_close(struct symbol_module *module);

/*
 * What is at the file's own address (runtime address - load bias). For a
 * return address the caller passes address - 1. Fills up to max frames,
 * innermost first, and returns how many (0: nothing is known). The last frame
 * is the function that is really there, the ones before were inlined into it.
 */
size_t symbol_module_find(struct symbol_module *module, uint64_t address,
			  struct symbol_frame *frames, size_t max);

/* What the module's __lsan_default_suppressions returns. 1: it has that function, and *text, which
 * the caller frees, is its literal, or NULL when it returns none that could be
 * read; 0: it has none; ERROR_MEMORY. */
int symbol_module_suppressions(const struct symbol_module *module, char **text);

/* Why nothing better is known: a sentence for the user, or NULL. */
const char *symbol_module_complaint(const struct symbol_module *module);

/* True when debug information was left out because of a limit or damage. */
int symbol_module_limited(const struct symbol_module *module);

/* How much memory it may take from now on, as symbol_options says it. */
void symbol_module_allow(struct symbol_module *module, uint64_t memory);

/* Demangles C++, Rust and D; a name that isn't mangled comes back as it is.
 * The caller frees; NULL when out of memory. */
char *symbol_demangle(const char *name);

/*
 * The internal command `mallograph symbolize [--fd MODULE:FD]... FILE`: reads the
 * trace FILE, resolves the addresses of all its nodes, and writes STRINGS and
 * SYMBOLS blocks (formats/trace/layout.h) to out_fd, most important first as
 * far as known; and SUPPRESSIONS in META of every module that has some. module_fds[i] is a
 * descriptor for module id i, or -1. Bounded: modules whose debug information would need more than
 * `megabytes` are resolved from symbol tables only, and what is left when `seconds` have passed is
 * skipped; *skipped counts modules.
 *
 * later: a second trace of the same modules, which is read when until_fd has come to its
 * end. Until then files of moderate size are looked into and kept open, so that
 * what comes later takes little time.
 */
struct symbolize_options {
	const char *later; /* NULL: none */
	int until_fd;
	const int *module_fds;
	size_t module_fd_count;
	const char *sysroot;
	unsigned seconds;
	unsigned megabytes;
	int perf_map_pid; /* > 0: also read /tmp/perf-PID.map for addresses outside all modules */
};
int symbolize_trace(const char *path, int out_fd, const struct symbolize_options *options,
		    unsigned *skipped);

#endif
