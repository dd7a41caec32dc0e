/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Programs of tests/unit/symbols are compiled in many ways, and for random
 * addresses the answers are compared with addr2line's (binutils).
 *
 * addr2line 2.40 errs on DWARF 5 here and there, so it is always asked about a
 * twin: the same program with DWARF 4, which has the same code.
 */
#include "analyzer/symbols/symbolize.h"

#include <fcntl.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "formats/error.h"

#define FRAMES_MAX 64
#define ADDRESSES  400
#define LINE_BYTES 32768

static char folder[64];
static char sources[512];
static uint64_t random_state;

static uint64_t next_random(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return random_state;
}

/* Runs a command in the test's folder; its exit status. */
static int __attribute__((format(printf, 1, 2))) run(const char *format, ...)
{
	char command[4096];
	va_list arguments;
	int used = snprintf(command, sizeof(command), "cd %s && ", folder);
	va_start(arguments, format);
	vsnprintf(command + used, sizeof(command) - (size_t)used, format, arguments);
	va_end(arguments);
	int status = system(command);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static const char *in_folder(const char *name)
{
	static char path[256];
	snprintf(path, sizeof(path), "%s/%s", folder, name);
	return path;
}

static struct symbol_module *open_module(const char *name, const char *sysroot)
{
	const struct symbol_options options = {.sysroot = sysroot, .debug_info = 1};
	struct symbol_module *module = NULL;
	assert_int_equal(symbol_module_open(&module, in_folder(name), -1, NULL, 0, &options), 0);
	return module;
}

/* ---- what addresses there are ---- */

struct function {
	uint64_t start, size;
	char name[256];
};
struct functions {
	struct function all[2048];
	size_t count;
};

static void read_functions(struct functions *functions, const char *program)
{
	char line[LINE_BYTES];
	functions->count = 0;
	assert_int_equal(run("nm -S --defined-only %s > functions", program), 0);
	FILE *file = fopen(in_folder("functions"), "r");
	assert_non_null(file);
	while (fgets(line, sizeof(line), file) && functions->count < 2048) {
		struct function *function = &functions->all[functions->count];
		char type;
		if (sscanf(line, "%" SCNx64 " %" SCNx64 " %c %255s", &function->start,
			   &function->size, &type, function->name) == 4 &&
		    strchr("tTWi", type) && function->size > 0)
			functions->count++;
	}
	fclose(file);
	assert_true(functions->count > 0);
}

static int compare_numbers(const void *left, const void *right)
{
	uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;
	return (a > b) - (a < b);
}

/* Random addresses inside functions, in the order in which they are looked up. */
static void choose_addresses(uint64_t *addresses, const struct functions *functions)
{
	for (size_t i = 0; i < ADDRESSES; i++) {
		const struct function *function = &functions->all[next_random() % functions->count];
		addresses[i] = function->start + next_random() % function->size;
	}
	qsort(addresses, ADDRESSES, sizeof(*addresses), compare_numbers);
}

/* ---- names, as two tools write them ---- */

/* The last part of a qualified name, without arguments of any kind. */
static void base_name(char *base, size_t bytes, const char *name)
{
	size_t used = 0;
	int depth = 0;
	for (const char *c = name; *c && used + 1 < bytes; c++) {
		if (depth == 0 && strncmp(c, " [clone", 7) == 0)
			break;
		if (depth == 0 && strncmp(c, "operator", 8) == 0) {
			used = (size_t)snprintf(base, bytes, "operator");
			break;
		}
		if (strchr("<([{", *c))
			depth++;
		else if (strchr(">)]}", *c))
			depth--;
		else if (depth == 0 && strncmp(c, "::", 2) == 0)
			c++, used = 0;
		else if (depth == 0 && *c == ' ')
			used = strncmp(c, " const", 6) == 0 ? used : 0;
		else if (depth == 0)
			base[used++] = *c;
		if (depth == 0 && strncmp(c + 1, " const", 6) == 0)
			break;
	}
	base[used] = '\0';
	/* ".cold", ".part.0": the symbol's, not the function's */
	if (strchr(base, '.'))
		*strchr(base, '.') = '\0';
}

static int same_function(const char *ours, const char *theirs)
{
	char a[512], b[512];
	base_name(a, sizeof(a), ours);
	base_name(b, sizeof(b), theirs);
	return strcmp(a, b) == 0;
}

static int same_file(const char *ours, const char *theirs)
{
	char *real = realpath(theirs, NULL);
	int same = strcmp(ours, theirs) == 0 || (real && strcmp(ours, real) == 0);
	free(real);
	return same;
}

/* ---- addr2line's answers ---- */

struct answer {
	size_t count;
	struct {
		char function[LINE_BYTES];
		char file[LINE_BYTES];
		unsigned line;
	} frames[FRAMES_MAX];
};

static void chop(char *line)
{
	line[strcspn(line, "\n")] = '\0';
}

/* Reads the frames behind an address line, and that line for the next address. */
static void read_answer(FILE *file, struct answer *answer, char *line)
{
	answer->count = 0;
	while (fgets(line, LINE_BYTES, file) && strncmp(line, "0x", 2) != 0) {
		chop(line);
		snprintf(answer->frames[answer->count].function, sizeof(answer->frames[0].function),
			 "%s", line);
		assert_non_null(fgets(line, LINE_BYTES, file));
		chop(line);
		char *colon = strrchr(line, ':');
		assert_non_null(colon);
		*colon = '\0';
		snprintf(answer->frames[answer->count].file, sizeof(answer->frames[0].file), "%s",
			 line);
		answer->frames[answer->count].line = (unsigned)strtoul(colon + 1, NULL, 10);
		answer->count++;
		assert_true(answer->count < FRAMES_MAX);
	}
}

static void write_addresses(const uint64_t *addresses)
{
	FILE *file = fopen(in_folder("addresses"), "w");
	assert_non_null(file);
	for (size_t i = 0; i < ADDRESSES; i++)
		fprintf(file, "%" PRIx64 "\n", addresses[i]);
	fclose(file);
}

/*
 * addr2line prints the symbol's name instead of an innermost inlined
 * function's that has no mangled name; of start-up code it knows a file by the
 * symbol table alone.
 */
static void compare_frames(const struct symbol_frame *ours, size_t count,
			   const struct answer *theirs, uint64_t address)
{
	const char *real = ours[count - 1].function;
	if (count != theirs->count)
		print_error("%" PRIx64 ": %zu frames, addr2line has %zu\n", address, count,
			    theirs->count);
	assert_int_equal(count, theirs->count);
	for (size_t i = 0; i < count; i++) {
		const char *function = ours[i].function ? ours[i].function : "??";
		if (!same_function(function, theirs->frames[i].function) &&
		    !(i == 0 && real && same_function(real, theirs->frames[0].function)))
			fail_msg("%" PRIx64 " frame %zu: %s, addr2line says %s", address, i,
				 function, theirs->frames[i].function);
		if (!ours[i].file)
			assert_true(theirs->frames[i].line == 0);
		else if (!same_file(ours[i].file, theirs->frames[i].file) ||
			 ours[i].line != theirs->frames[i].line)
			fail_msg("%" PRIx64 " frame %zu: %s:%u, addr2line says %s:%u", address, i,
				 ours[i].file, ours[i].line, theirs->frames[i].file,
				 theirs->frames[i].line);
	}
}

struct tally {
	size_t inlined, lines;
};

/* ours: the program to ask us about; twin: the one to ask addr2line about. */
static struct tally compare(const char *ours, const char *twin, const char *sysroot)
{
	static struct functions functions;
	static struct answer answer;
	uint64_t addresses[ADDRESSES];
	struct symbol_frame frames[FRAMES_MAX];
	char line[LINE_BYTES];
	struct tally tally = {0, 0};

	read_functions(&functions, twin);
	choose_addresses(addresses, &functions);
	write_addresses(addresses);
	assert_int_equal(run("addr2line -a -i -f -C -e %s @addresses > answers", twin), 0);
	struct symbol_module *module = open_module(ours, sysroot);
	FILE *file = fopen(in_folder("answers"), "r");
	assert_non_null(file);
	assert_non_null(fgets(line, sizeof(line), file));
	for (size_t i = 0; i < ADDRESSES; i++) {
		assert_true(strtoull(line, NULL, 16) == addresses[i]);
		read_answer(file, &answer, line);
		size_t count = symbol_module_find(module, addresses[i], frames, FRAMES_MAX);
		if (count == 0)
			fail_msg("nothing known at %" PRIx64, addresses[i]);
		compare_frames(frames, count, &answer, addresses[i]);
		tally.inlined += count > 1;
		tally.lines += frames[0].line > 0;
	}
	fclose(file);
	symbol_module_close(module);
	return tally;
}

/* ---- ways to compile ---- */

static int have(const char *program)
{
	return run("command -v %s > /dev/null", program) == 0;
}

static const char *const compilers[][2] = {{"gcc", "g++"}, {"clang", "clang++"}};

static void build(const char *compiler, const char *flags, const char *source, const char *out)
{
	assert_int_equal(run("%s -w %s -o %s %s/%s", compiler, flags, out, sources, source), 0);
}

enum { C_ONLY = 0, WITH_CXX = 1 };

/* Compares a program, compiled with flags by each compiler, with its twin. */
static void compare_built(const char *flags, const char *base_flags, int cxx_too)
{
	char twin_flags[256];
	snprintf(twin_flags, sizeof(twin_flags), "%s -gdwarf-4", base_flags);
	for (size_t c = 0; c < 2; c++) {
		if (!have(compilers[c][0]))
			continue;
		for (int cxx = 0; cxx <= cxx_too; cxx++) {
			const char *source = cxx ? "templates.cc" : "inlines.c";
			build(compilers[c][cxx], flags, source, "ours");
			build(compilers[c][cxx], twin_flags, source, "twin");
			struct tally tally = compare("ours", "twin", NULL);
			/* clang gives a good half of what nm lists lines */
			assert_true(tally.lines > ADDRESSES / 3);
			/* always_inline is inlined at -O0, too */
			assert_true(tally.inlined > 0);
		}
	}
}

static void test_dwarf_4(void **state)
{
	(void)state;
	compare_built("-O2 -g -gdwarf-4", "-O2 -g", C_ONLY);
}

static void test_dwarf_5(void **state)
{
	(void)state;
	compare_built("-O2 -g -gdwarf-5", "-O2 -g", WITH_CXX);
}

static void test_unoptimized(void **state)
{
	(void)state;
	compare_built("-O0 -g", "-O0 -g", C_ONLY);
}

static void build_twin(void)
{
	build("gcc", "-O2 -g -gdwarf-4 -Wl,--build-id=sha1", "inlines.c", "twin");
	assert_int_equal(run("rm -rf ours ours.debug .debug root && cp twin ours"), 0);
}

static void test_compressed(void **state)
{
	(void)state;
	/* with C++'s a thread unpacks them, too */
	compare_built("-O2 -g -gz", "-O2 -g", WITH_CXX);
}

static void test_compressed_split_dwarf(void **state)
{
	(void)state;
	compare_built("-O2 -g -gsplit-dwarf -gz", "-O2 -g", C_ONLY);
}

/* by a compression that libdw may not know */
static void test_compressed_with_zstd(void **state)
{
	(void)state;
	build_twin();
	if (!HAVE_ZSTD || run("objcopy --compress-debug-sections=zstd ours 2>/dev/null") != 0)
		skip();
	assert_true(compare("ours", "twin", NULL).inlined > 0);
}

static void test_collected_sections(void **state)
{
	(void)state;
	compare_built("-O1 -g -ffunction-sections -Wl,--gc-sections",
		      "-O1 -g -ffunction-sections -Wl,--gc-sections", WITH_CXX);
}

static void test_not_position_independent(void **state)
{
	(void)state;
	compare_built("-O2 -g -no-pie -fno-pie", "-O2 -g -no-pie -fno-pie", C_ONLY);
}

static void test_split_dwarf(void **state)
{
	(void)state;
	compare_built("-O2 -g -gsplit-dwarf", "-O2 -g", C_ONLY);
}

/* ---- .debug_aranges, which not every compiler writes ---- */

#define INDEX ".debug_aranges"

/* inlines.c or library.c is not in the index: its unit is found all the same. */
static void test_partly_indexed(void **state)
{
	static const char *const sides[] = {"inlines", "library"};

	(void)state;
	build("gcc", "-c -O2 -g -gdwarf-4", "inlines.c", "inlines.o");
	build("gcc", "-c -O2 -g -gdwarf-4", "library.c", "library.o");
	assert_int_equal(run("gcc -o twin inlines.o library.o"), 0);
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(
		    run("rm -f ours && mkdir -p less && cp inlines.o library.o less && "
			"objcopy -R " INDEX " -R .rela" INDEX " less/%s.o && "
			"gcc -o ours less/inlines.o less/library.o && "
			"readelf --debug-dump=aranges ours | grep -c '^  Length:' > sets "
			"&& test $(cat sets) = 1",
			sides[i]),
		    0);
		assert_true(compare("ours", "twin", NULL).inlined > 0);
	}
}

/* An index that leads nowhere, or ends too soon, is as good as none. */
static void test_wrong_index(void **state)
{
	static const char *const damages[] = {
	    "truncate -s 0 index",
	    "truncate -s 3 index",
	    "truncate -s 21 index",
	    /* the first set's length, version, unit, size of addresses */
	    "printf '\\377\\377\\377\\377' | dd of=index bs=1 conv=notrunc",
	    "printf '\\377' | dd of=index bs=1 seek=4 conv=notrunc",
	    "printf '\\377\\377\\377\\377' | dd of=index bs=1 seek=6 conv=notrunc",
	    "printf '\\004' | dd of=index bs=1 seek=10 conv=notrunc",
	};

	(void)state;
	build_twin();
	for (size_t i = 0; i < sizeof(damages) / sizeof(*damages); i++) {
		assert_int_equal(run("rm -f ours && cp twin ours && "
				     "objcopy --dump-section " INDEX "=index ours && "
				     "{ %s; } 2>/dev/null && cp index index.wrong && "
				     "objcopy --update-section " INDEX "=index ours && "
				     "objcopy --dump-section " INDEX "=index ours && "
				     "cmp index index.wrong",
				     damages[i]),
				 0);
		assert_true(compare("ours", "twin", NULL).inlined > 0);
	}
}

/* Each unit's code is said to be the other's. */
static void test_swapped_index(void **state)
{
	(void)state;
	build("gcc", "-c -O2 -g -gdwarf-4", "inlines.c", "inlines.o");
	build("gcc", "-c -O2 -g -gdwarf-4", "library.c", "library.o");
	assert_int_equal(
	    run("gcc -o twin inlines.o library.o && rm -f ours && cp twin ours && "
		"objcopy --dump-section " INDEX "=index ours && "
		"second=$(($(od -An -tu4 -N4 index) + 4)) && { "
		"dd if=index of=one bs=1 skip=6 count=4 && "
		"dd if=index of=other bs=1 skip=$((second + 6)) count=4 && "
		"dd if=other of=index bs=1 seek=6 conv=notrunc && "
		"dd if=one of=index bs=1 seek=$((second + 6)) conv=notrunc; } 2>/dev/null && "
		"! cmp -s one other && objcopy --update-section " INDEX "=index ours"),
	    0);
	assert_true(compare("ours", "twin", NULL).inlined > 0);
}

/* ---- where debug information may lie ---- */

static void test_debug_link(void **state)
{
	(void)state;
	build_twin();
	assert_int_equal(run("objcopy --only-keep-debug ours ours.debug && strip ours && "
			     "objcopy --remove-section .note.gnu.build-id "
			     "--add-gnu-debuglink=ours.debug ours"),
			 0);
	assert_true(compare("ours", "twin", NULL).inlined > 0);
	assert_int_equal(run("mkdir .debug && mv ours.debug .debug"), 0);
	assert_true(compare("ours", "twin", NULL).inlined > 0);
	/* a debug file of another program is not believed */
	assert_int_equal(run("printf x >> .debug/ours.debug"), 0);
	struct symbol_module *module = open_module("ours", NULL);
	assert_non_null(symbol_module_complaint(module));
	symbol_module_close(module);
}

static void test_build_id_under_sysroot(void **state)
{
	(void)state;
	build_twin();
	assert_int_equal(run("id=$(readelf -n twin | sed -n 's/.*Build ID: //p'); "
			     "dir=root/usr/lib/debug/.build-id/$(echo $id | cut -c1-2); "
			     "mkdir -p $dir && objcopy --only-keep-debug ours "
			     "$dir/$(echo $id | cut -c3-).debug && strip ours && "
			     "mkdir -p root$(pwd) && mv ours root$(pwd)"),
			 0);
	char root[128];
	snprintf(root, sizeof(root), "%s/root", folder);
	assert_true(compare("ours", "twin", root).inlined > 0);
}

/* ---- symbol tables ---- */

static const struct function *function_named(const struct functions *functions, const char *name)
{
	for (size_t i = 0; i < functions->count; i++)
		if (strcmp(functions->all[i].name, name) == 0)
			return &functions->all[i];
	fail_msg("nm does not know %s", name);
	return NULL;
}

/* What is said of the first byte of a function that the unstripped twin has. */
static const char *name_at(struct symbol_module *module, const char *name)
{
	static struct functions functions;
	struct symbol_frame frame;
	read_functions(&functions, "twin");
	const struct function *function = function_named(&functions, name);
	if (symbol_module_find(module, function->start, &frame, 1) == 0)
		return NULL;
	return frame.function;
}

static void test_stripped_library(void **state)
{
	(void)state;
	build("gcc", "-O2 -shared -fPIC", "library.c", "twin");
	assert_int_equal(run("cp twin ours && strip ours"), 0);
	struct symbol_module *module = open_module("ours", NULL);
	assert_string_equal(name_at(module, "library_allocate"), "library_allocate");
	assert_string_equal(name_at(module, "__library_release"), "library_release");
	/* hidden, behind exported ones that have a size: nobody's */
	assert_true(name_at(module, "hidden_allocate") == NULL ||
		    strcmp(name_at(module, "hidden_allocate"), "library_unsized") == 0);
	assert_string_equal(symbol_module_complaint(module), "it has no debug information");
	symbol_module_close(module);
}

static void test_exported_by_program(void **state)
{
	(void)state;
	build("gcc", "-O2 -rdynamic", "inlines.c", "twin");
	assert_int_equal(run("cp twin ours && strip ours"), 0);
	struct symbol_module *module = open_module("ours", NULL);
	assert_string_equal(name_at(module, "exported_sum"), "exported_sum");
	assert_null(name_at(module, "hidden"));
	symbol_module_close(module);
}

static void test_no_symbols(void **state)
{
	(void)state;
	static struct functions functions;
	struct symbol_frame frame;
	build("gcc", "-O2", "inlines.c", "twin");
	assert_int_equal(run("cp twin ours && strip ours"), 0);
	struct symbol_module *module = open_module("ours", NULL);
	read_functions(&functions, "twin");
	for (size_t i = 0; i < functions.count; i++)
		if (strcmp(functions.all[i].name, "_init") != 0)
			assert_int_equal(
			    symbol_module_find(module, functions.all[i].start, &frame, 1), 0);
	assert_int_equal(symbol_module_find(module, 0, &frame, 1), 0);
	assert_int_equal(symbol_module_find(module, UINT64_MAX, &frame, 1), 0);
	symbol_module_close(module);
}

/* ---- libc of the machine: dwz, partial units, assembly ---- */

static void test_libc(void **state)
{
	(void)state;
	const char *libc = "/lib/x86_64-linux-gnu/libc.so.6";
	const struct symbol_options options = {.debug_info = 1};
	struct symbol_module *module;
	struct symbol_frame frames[FRAMES_MAX];
	uint64_t address;
	int is_there = access(libc, R_OK) == 0 &&
		       run("nm -D --defined-only %s | grep ' qsort@@' > functions", libc) == 0;
	if (!is_there)
		return;
	FILE *file = fopen(in_folder("functions"), "r");
	assert_non_null(file);
	assert_int_equal(fscanf(file, "%" SCNx64, &address), 1);
	fclose(file);
	assert_int_equal(symbol_module_open(&module, libc, -1, NULL, 0, &options), 0);
	size_t count = symbol_module_find(module, address, frames, FRAMES_MAX);
	assert_true(count > 0);
	/* with libc6-dbg installed it also has a line: then DWARF's name is another */
	if (!frames[count - 1].file)
		assert_string_equal(frames[count - 1].function, "qsort");
	else
		assert_non_null(strstr(frames[count - 1].function, "qsort"));
	symbol_module_close(module);
}

static void test_vdso(void **state)
{
	(void)state;
	const struct symbol_options options = {.debug_info = 1};
	struct symbol_module *module;
	struct symbol_frame frame;
	size_t found = 0;
	assert_int_equal(symbol_module_open(&module, "linux-vdso.so.1", -1, NULL, 0, &options), 0);
	for (uint64_t address = 0; address < 65536; address += 16)
		if (symbol_module_find(module, address, &frame, 1) == 1 &&
		    strstr(frame.function, "clock_gettime"))
			found++;
	assert_true(found > 0);
	symbol_module_close(module);
}

/* ---- refusals ---- */

static void test_refusals(void **state)
{
	(void)state;
	const struct symbol_options options = {.debug_info = 1};
	struct symbol_module *module = NULL;
	build("gcc", "-O0 -Wl,--build-id=0x0102030405060708", "inlines.c", "ours");
	assert_int_equal(
	    symbol_module_open(&module, in_folder("ours"), -1, "\1\2\3\4\5\6\7\10", 8, &options),
	    0);
	symbol_module_close(module);
	module = NULL;
	assert_int_equal(
	    symbol_module_open(&module, in_folder("ours"), -1, "\1\2\3\4\5\6\7\11", 8, &options),
	    ERROR_FOREIGN);
	assert_int_equal(symbol_module_open(&module, in_folder("nowhere"), -1, NULL, 0, &options),
			 ERROR_SYSTEM);
	assert_int_equal(symbol_module_open(&module, folder, -1, NULL, 0, &options), ERROR_SYSTEM);
	assert_int_equal(run("mkfifo fifo; : > empty; echo text > text; head -c 100 ours > cut"),
			 0);
	assert_int_equal(symbol_module_open(&module, in_folder("fifo"), -1, NULL, 0, &options),
			 ERROR_SYSTEM);
	assert_int_equal(symbol_module_open(&module, in_folder("empty"), -1, NULL, 0, &options),
			 ERROR_DAMAGED);
	assert_int_equal(symbol_module_open(&module, in_folder("text"), -1, NULL, 0, &options),
			 ERROR_DAMAGED);
	assert_null(module);
}

static void test_deleted_file_by_descriptor(void **state)
{
	(void)state;
	const struct symbol_options options = {.debug_info = 1};
	struct symbol_module *module;
	build("gcc", "-O2 -g -gdwarf-4", "inlines.c", "twin");
	assert_int_equal(run("cp twin ours"), 0);
	int fd = open(in_folder("ours"), O_RDONLY);
	assert_true(fd >= 0);
	assert_int_equal(run("rm ours"), 0);
	assert_int_equal(symbol_module_open(&module, in_folder("ours"), fd, NULL, 0, &options), 0);
	assert_string_equal(name_at(module, "main"), "main");
	symbol_module_close(module);
	assert_int_equal(fcntl(fd, F_GETFD), 0);
	close(fd);
}

static void test_limits(void **state)
{
	(void)state;
	build("gcc", "-O2 -g -gz", "inlines.c", "twin");
	assert_int_equal(run("cp twin ours"), 0);
	struct symbol_options options = {.debug_info = 1, .memory = 1000};
	struct symbol_module *module;
	struct symbol_frame frame;
	assert_int_equal(symbol_module_open(&module, in_folder("ours"), -1, NULL, 0, &options), 0);
	assert_true(symbol_module_limited(module));
	assert_string_equal(name_at(module, "hidden"), "hidden");
	symbol_module_close(module);

	options = (struct symbol_options){.debug_info = 1, .deadline = 1};
	assert_int_equal(symbol_module_open(&module, in_folder("ours"), -1, NULL, 0, &options), 0);
	assert_string_equal(name_at(module, "hidden"), "hidden");
	assert_true(symbol_module_limited(module));
	assert_int_equal(symbol_module_find(module, 0, &frame, 1), 0);
	symbol_module_close(module);
}

static int set_up(void **state)
{
	(void)state;
	const char *tests = getenv("TESTS");
	char *here = realpath(tests ? tests : "tests", NULL);
	if (!here)
		return -1;
	snprintf(sources, sizeof(sources), "%s/unit/symbols", here);
	free(here);
	snprintf(folder, sizeof(folder), "/tmp/mallograph-symbolize.XXXXXX");
	const char *seed = getenv("SEED");
	random_state = seed ? strtoull(seed, NULL, 10) : (uint64_t)time(NULL);
	if (random_state == 0)
		random_state = 1;
	print_message("SEED=%" PRIu64 "\n", random_state);
	return mkdtemp(folder) ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	return run("cd / && rm -rf %s", folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_dwarf_4),
	    cmocka_unit_test(test_dwarf_5),
	    cmocka_unit_test(test_unoptimized),
	    cmocka_unit_test(test_compressed),
	    cmocka_unit_test(test_compressed_split_dwarf),
	    cmocka_unit_test(test_compressed_with_zstd),
	    cmocka_unit_test(test_collected_sections),
	    cmocka_unit_test(test_not_position_independent),
	    cmocka_unit_test(test_split_dwarf),
	    cmocka_unit_test(test_partly_indexed),
	    cmocka_unit_test(test_wrong_index),
	    cmocka_unit_test(test_swapped_index),
	    cmocka_unit_test(test_debug_link),
	    cmocka_unit_test(test_build_id_under_sysroot),
	    cmocka_unit_test(test_stripped_library),
	    cmocka_unit_test(test_exported_by_program),
	    cmocka_unit_test(test_no_symbols),
	    cmocka_unit_test(test_libc),
	    cmocka_unit_test(test_vdso),
	    cmocka_unit_test(test_refusals),
	    cmocka_unit_test(test_deleted_file_by_descriptor),
	    cmocka_unit_test(test_limits),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
