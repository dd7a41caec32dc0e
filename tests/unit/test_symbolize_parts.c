/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The pieces behind analyzer/symbols/symbolize.h, and symbolize_trace() as a whole. */
#include "analyzer/symbols/symbolize.h"

#include <fcntl.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "analyzer/symbols/names.h"
#include "analyzer/symbols/perf_map.h"
#include "analyzer/symbols/range_table.h"
#include "analyzer/symbols/string_pool.h"
#include "formats/error.h"
#include "formats/trace/reader.h"
#include "formats/trace/writer.h"

static char folder[] = "/tmp/mallograph-symbols.XXXXXX";
static uint64_t random_state;

static uint64_t next_random(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return random_state;
}

static const char *in_folder(const char *name)
{
	static char path[256];
	snprintf(path, sizeof(path), "%s/%s", folder, name);
	return path;
}

/* ---- ranges, against trying them all ---- */

#define RANGES      60
#define ADDRESS_MAX 200

static uint32_t best_range(const struct range *ranges, size_t count, uint64_t address)
{
	const struct range *best = NULL;
	for (size_t i = 0; i < count; i++) {
		const struct range *at = &ranges[i];
		if (address < at->start || address >= at->end)
			continue;
		if (!best || at->rank > best->rank ||
		    (at->rank == best->rank && (at->start > best->start ||
						(at->start == best->start && at->end < best->end))))
			best = at;
	}
	return best ? best->value : RANGE_NONE;
}

static void test_ranges(void **state)
{
	(void)state;
	for (int round = 0; round < 2000; round++) {
		struct range ranges[RANGES];
		struct range_table table;
		size_t count = next_random() % RANGES;
		range_table_init(&table);
		for (size_t i = 0; i < count; i++) {
			uint64_t start = next_random() % ADDRESS_MAX;
			ranges[i] = (struct range){start, start + next_random() % 40,
						   (uint32_t)(next_random() % 4), (uint32_t)i};
			assert_int_equal(range_table_add(&table, start, ranges[i].end,
							 ranges[i].rank, (uint32_t)i),
					 0);
		}
		assert_int_equal(range_table_finish(&table), 0);
		for (uint64_t address = 0; address < ADDRESS_MAX + 50; address++)
			assert_int_equal(range_table_find(&table, address),
					 best_range(ranges, count, address));
		range_table_release(&table);
	}
}

static void test_range_edges(void **state)
{
	(void)state;
	struct range_table table;
	range_table_init(&table);
	assert_int_equal(range_table_finish(&table), 0);
	assert_int_equal(range_table_find(&table, 5), RANGE_NONE);
	assert_int_equal(range_table_add(&table, 0, UINT64_MAX, 0, 1), 0);
	assert_int_equal(range_table_add(&table, 9, 3, 0, 2), 0);
	assert_int_equal(range_table_finish(&table), 0);
	assert_int_equal(range_table_find(&table, 0), 1);
	assert_int_equal(range_table_find(&table, UINT64_MAX - 1), 1);
	assert_int_equal(range_table_find(&table, UINT64_MAX), RANGE_NONE);
	range_table_release(&table);
}

static void test_string_pool(void **state)
{
	(void)state;
	struct string_pool pool;
	char text[32];
	string_pool_init(&pool);
	for (uint32_t i = 1; i <= 5000; i++) {
		snprintf(text, sizeof(text), "string %u", i);
		assert_int_equal(string_pool_add(&pool, text), i);
	}
	for (uint32_t i = 1; i <= 5000; i++) {
		snprintf(text, sizeof(text), "string %u", i);
		assert_int_equal(string_pool_add(&pool, text), i);
		assert_string_equal(string_pool_text(&pool, i), text);
	}
	char *large = malloc(200001);
	assert_non_null(large);
	memset(large, 'x', 200000);
	large[200000] = '\0';
	assert_int_equal(string_pool_add(&pool, large), 5001);
	assert_int_equal(string_pool_add(&pool, ""), 5002);
	assert_string_equal(string_pool_text(&pool, 5001), large);
	free(large);
	string_pool_release(&pool);
}

/* ---- names ---- */

static void test_paths(void **state)
{
	(void)state;
	static const struct {
		const char *folder, *file, *path;
	} cases[] = {
	    {NULL, "/usr/src/a.c", "/usr/src/a.c"},
	    {"/usr/src", "a.c", "/usr/src/a.c"},
	    {"/usr/src", "/other/a.c", "/other/a.c"},
	    {"/usr/src", "./sub/../a.c", "/usr/src/a.c"},
	    {"/usr/src", "../include//a.h", "/usr/include/a.h"},
	    {"/", "../../a.h", "/a.h"},
	    {NULL, "/a/./b/../../..", "/"},
	    {NULL, "../a/../../b.c", "../../b.c"},
	    {NULL, "a/b/../..", ""},
	    {"./math", "./math/./math/ldexp.c", "math/ldexp.c"},
	    {"./math", "./math/ldexp.c", "math/ldexp.c"},
	    {"./math", "ldexp.c", "math/ldexp.c"},
	    {NULL, "..a/...", "..a/..."},
	    {"", "a.c", "a.c"},
	};
	struct names names;
	names_init(&names);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_string_equal(names_path(&names, cases[i].folder, cases[i].file),
				    cases[i].path);
	names_release(&names);
}

static void test_function_names(void **state)
{
	(void)state;
	static const struct {
		const char *mangled, *name;
	} cases[] = {
	    {"main", "main"},
	    {"memcpy@@GLIBC_2.14", "memcpy"},
	    {"_ZN3foo3barEi", "foo::bar(int)"},
	    {"_ZNK3box3getERKSs@VERSION", "box::get(std::string const&) const"},
	    {"_ZN4core3fmt9Formatter3pad17h0123456789abcdefE", "core::fmt::Formatter::pad"},
	    {"_RNvCs1234_7mycrate3foo", "mycrate::foo"},
	    {"_D3std5stdio7writelnFAyaZv", "std.stdio.writeln(immutable(char)[])"},
	    {"_Dmain", "D main"},
	    {"_Znot_mangled", "_Znot_mangled"},
	    {"_", "_"},
	    {"@", "@"},
	};
	struct names names;
	names_init(&names);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_string_equal(names_function(&names, cases[i].mangled), cases[i].name);
		assert_ptr_equal(names_function(&names, cases[i].mangled),
				 names_function(&names, cases[i].mangled));
	}
	assert_null(names_function(&names, ""));
	names_release(&names);
}

/* Each parameter is a pair of the one before: the last is 2^34 words long. */
static void test_exploding_name(void **state)
{
	(void)state;
	char name[2000] = "_Z1fSt4pairIiiE";
	size_t used = strlen(name);
	const char digits[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";
	for (int i = 0; i < 34; i++)
		used += (size_t)snprintf(name + used, sizeof(name) - used, "S_IS%c_S%c_E",
					 digits[i], digits[i]);
	char *text = symbol_demangle(name);
	assert_non_null(text);
	assert_string_equal(text, name);
	free(text);
	name[15 + 2 * 10] = '\0';
	text = symbol_demangle(name);
	assert_string_equal(text, "f(std::pair<int, int>, std::pair<std::pair<int, int>, "
				  "std::pair<int, int> >, std::pair<std::pair<std::pair<int, int>, "
				  "std::pair<int, int> >, std::pair<std::pair<int, int>, "
				  "std::pair<int, int> > >)");
	free(text);

	/* long nests: recursion stays within the stack */
	static const char *const nests[] = {"P",   "IX",   "N",   "I",  "F",
					    "DpT", "XadL", "Xcv", "_R", "_D"};
	for (size_t i = 0; i < sizeof(nests) / sizeof(nests[0]); i++) {
		char nest[5000] = "_Z1f";
		size_t at = 4;
		while (at + 10 < 4096) {
			memcpy(nest + at, nests[i], strlen(nests[i]));
			at += strlen(nests[i]);
		}
		nest[at] = '\0';
		text = symbol_demangle(nest);
		assert_non_null(text);
		free(text);
	}
}

/* ---- perf maps ---- */

static void write_file(const char *name, const char *text)
{
	FILE *file = fopen(in_folder(name), "w");
	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

static void test_perf_map(void **state)
{
	(void)state;
	struct perf_map_name names[] = {{.address = 0x0fff}, {.address = 0x1000},
					{.address = 0x101f}, {.address = 0x1020},
					{.address = 0x2005}, {.address = UINT64_MAX}};
	write_file("map", "1000 20 first function\n"
			  "2000 10 old\n"
			  "rubbish\n\n 3000 10 leading\nzz 10 x\n1000\n1000 \n1000 20\n1000 20 \n"
			  "0x2000 10 newer\r\n"
			  "ffffffffffffffff ffffffffffffffff top\n"
			  "fff 0 empty");
	assert_int_equal(perf_map_read(in_folder("map"), names, 6, 0), 0);
	assert_null(names[0].name);
	assert_string_equal(names[1].name, "first function");
	assert_string_equal(names[2].name, "first function");
	assert_null(names[3].name);
	assert_string_equal(names[4].name, "newer");
	assert_string_equal(names[5].name, "top");
	for (size_t i = 0; i < 6; i++)
		free(names[i].name);
	assert_int_equal(perf_map_read(in_folder("none"), names, 6, 0), ERROR_SYSTEM);
	assert_int_equal(perf_map_read(folder, names, 6, 0), ERROR_FOREIGN);
}

static void test_perf_map_long_line(void **state)
{
	(void)state;
	struct perf_map_name name = {.address = 0x1000};
	FILE *file = fopen(in_folder("map"), "w");
	assert_non_null(file);
	fputs("1000 10 ", file);
	for (int i = 0; i < 100000; i++)
		fputs("1000 10 x", file);
	fputs("\n2000 10 other\n", file);
	fclose(file);
	assert_int_equal(perf_map_read(in_folder("map"), &name, 1, 0), 0);
	assert_non_null(name.name);
	assert_true(strlen(name.name) < 5000);
	free(name.name);
}

/* ---- a whole trace ---- */

static uint64_t address_in_file(const char *program, const char *function)
{
	char command[1024];
	uint64_t address = 0;
	snprintf(command, sizeof(command), "nm %s | sed -n 's/ [tT] %s$//p'", program, function);
	FILE *output = popen(command, "r");
	assert_non_null(output);
	assert_int_equal(fscanf(output, "%" SCNx64, &address), 1);
	pclose(output);
	return address;
}

struct seen {
	char strings[64][128];
	uint32_t string_count;
	size_t symbols;
	struct {
		uint32_t module;
		int64_t offset;
		size_t frames;
		struct trace_frame frame[8];
	} symbol[16];
};

static int see_string(void *context, uint32_t id, const struct trace_text *string)
{
	struct seen *seen = context;
	assert_int_equal(id, seen->string_count + 1);
	seen->string_count = id;
	snprintf(seen->strings[id], sizeof(seen->strings[id]), "%.*s", (int)string->size,
		 string->bytes);
	return 0;
}

static int see_symbol(void *context, uint32_t module, int64_t offset,
		      const struct trace_frame *frames, size_t count)
{
	struct seen *seen = context;
	assert_true(seen->symbols < 16);
	seen->symbol[seen->symbols].module = module;
	seen->symbol[seen->symbols].offset = offset;
	seen->symbol[seen->symbols].frames = count;
	memcpy(seen->symbol[seen->symbols].frame, frames,
	       (count < 8 ? count : 8) * sizeof(*frames));
	seen->symbols++;
	return 0;
}

#define START 0x7f0000001000u
#define BASE  0x7f0000000000u

/* Module 1 is gone, 2 and 3 are the same program mapped twice. */
static void write_trace(const char *path, const char *program, uint64_t hidden)
{
	int fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
	assert_true(fd >= 0);
	struct trace_writer *writer = trace_writer_new(fd, TRACE_CODEC_NONE, 0);
	assert_non_null(writer);
	int64_t in_module = (int64_t)(hidden + BASE - START);
	assert_int_equal(trace_writer_module(writer, 0x1000, 0x2000, 0x1000, "/gone", 5, "", 0), 0);
	for (int i = 0; i < 2; i++)
		assert_int_equal(trace_writer_module(
				     writer, START + i * 0x100000u, START + i * 0x100000u + 0x80000,
				     BASE + i * 0x100000u, program, strlen(program), "", 0),
				 0);
	assert_int_equal(trace_writer_node(writer, 0, 1, 16, 0), 0);
	assert_int_equal(trace_writer_node(writer, 1, 2, in_module + 1, 0), 0);
	assert_int_equal(trace_writer_node(writer, 2, 2, in_module + 1, 0), 0);
	assert_int_equal(trace_writer_node(writer, 3, 3, in_module + 1, 0), 0);
	assert_int_equal(trace_writer_node(writer, 4, 0, 0x555000, 0), 0);
	assert_int_equal(trace_writer_flush(writer), 0);
	trace_writer_free(writer);
	close(fd);
}

static void read_back(const char *blocks, struct seen *seen)
{
	char bytes[65536];
	int fd = open(blocks, O_RDONLY);
	assert_true(fd >= 0);
	ssize_t size = read(fd, bytes, sizeof(bytes));
	assert_true(size > 0 && size < (ssize_t)sizeof(bytes));
	close(fd);

	/* SYMBOLS name modules, so they go behind the modules of the trace */
	fd = open(in_folder("trace"), O_RDWR);
	assert_true(fd >= 0);
	assert_true(lseek(fd, 0, SEEK_END) > 0);
	assert_int_equal(write(fd, bytes, (size_t)size), size);
	close(fd);

	const struct trace_visitor visitor = {.string = see_string, .symbol = see_symbol};
	struct trace_reader *reader;
	enum trace_state trace_state;
	assert_int_equal(trace_reader_open(&reader, in_folder("trace")), 0);
	assert_int_equal(trace_reader_read(reader, &visitor, seen, &trace_state), 0);
	assert_int_equal(trace_state, TRACE_CUT);
	assert_int_equal(trace_reader_used(reader), trace_reader_size(reader));
	trace_reader_close(reader);
}

static void test_trace(void **state)
{
	(void)state;
	struct seen seen = {.symbols = 0};
	char program[512], command[1024], trace[256];
	unsigned skipped = 99;
	const char *tests = getenv("TESTS");
	snprintf(program, sizeof(program), "%s", in_folder("program"));
	snprintf(trace, sizeof(trace), "%s", in_folder("trace"));
	snprintf(command, sizeof(command), "gcc -O1 -g -o %s %s/unit/symbols/inlines.c", program,
		 tests ? tests : "tests");
	assert_int_equal(system(command), 0);
	uint64_t hidden = address_in_file(program, "hidden");
	write_trace(trace, program, hidden);

	snprintf(command, sizeof(command), "/tmp/perf-%d.map", (int)getpid());
	FILE *map = fopen(command, "w");
	assert_non_null(map);
	fputs("555000 100 interpreted\n554f00 100 before\n", map);
	fclose(map);
	int out = open(in_folder("blocks"), O_RDWR | O_CREAT | O_TRUNC, 0600);
	assert_true(out >= 0);
	const struct symbolize_options options = {
	    .seconds = 60, .megabytes = 1000, .perf_map_pid = (int)getpid()};
	int status = symbolize_trace(trace, out, &options, &skipped);
	remove(command);
	close(out);
	assert_int_equal(status, 0);
	assert_int_equal(skipped, 1);
	read_back(in_folder("blocks"), &seen);

	assert_int_equal(seen.symbols, 3);
	/* a return address at 0x555000 belongs to the call before it */
	assert_int_equal(seen.symbol[0].module, 0);
	assert_string_equal(seen.strings[seen.symbol[0].frame[0].function], "before");
	for (size_t i = 1; i < 3; i++) {
		const struct trace_frame *frame = &seen.symbol[i].frame[0];
		assert_int_equal(seen.symbol[i].module, i + 1);
		assert_int_equal(seen.symbol[i].frames, 1);
		assert_string_equal(seen.strings[frame->function], "hidden");
		assert_non_null(strstr(seen.strings[frame->file], "/unit/symbols/inlines.c"));
		assert_int_equal(frame->line, 26);
	}
	assert_int_equal(symbolize_trace(in_folder("none"), 1, &options, &skipped), ERROR_SYSTEM);
}

static int set_up(void **state)
{
	(void)state;
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
	static const char *const files[] = {"map", "program", "trace", "blocks"};
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		remove(in_folder(files[i]));
	return rmdir(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_ranges),         cmocka_unit_test(test_range_edges),
	    cmocka_unit_test(test_string_pool),    cmocka_unit_test(test_paths),
	    cmocka_unit_test(test_function_names), cmocka_unit_test(test_exploding_name),
	    cmocka_unit_test(test_perf_map),       cmocka_unit_test(test_perf_map_long_line),
	    cmocka_unit_test(test_trace),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
