/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * heaptrack's files: small ones whose figures are worked out here, in each version
 * of the format and each compression; what is refused; cut and wrong ones.
 * HEAPTRACK_MUTATIONS=N sets how many random changes are tried, SEED=N which.
 */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>
#include <zlib.h>
#ifndef HAVE_ZSTD
#define HAVE_ZSTD 1
#endif
#if HAVE_ZSTD
#include <zstd.h>
#endif

#include "analyzer/model/load_heaptrack.h"
#include "analyzer/model/profile.h"
#include "formats/error.h"
#include "tests/unit/seed.h"

static uint64_t seed;

static uint64_t draw(uint64_t below)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed % below;
}

/* --- files ----------------------------------------------------------------- */

/* main at x.c:5 calls f at x.c:9, into which g (y.h:3) was inlined; and an address without a
 * name. Of version 3, except for the first line and the lengths of its strings. */
#define DEFINITIONS                                                                                \
	"i 401000 2 3 4 5\n"                                                                       \
	"t 1 0\n"                                                                                  \
	"i 401020 2 6 7 3 5 4 9\n"                                                                 \
	"t 2 1\n"                                                                                  \
	"i 7f0000001000 1\n"                                                                       \
	"t 3 1\n"                                                                                  \
	"a 10 2\n"                                                                                 \
	"a 20 2\n"                                                                                 \
	"a 400 3\n"
/*
 *             live    in
 *   + 10       16      1 block
 *   - 10        0      temporary
 *   + 400    1024
 *   + 20     1056
 *   c 10 ms
 *   + 10     1072      3 blocks: the peak, at 10 ms
 *   - 400      48
 *   - 10       32      not temporary: a deallocation came between
 *   c 20 ms
 *   + 10 + 10  64
 *   - 10       48      temporary
 *   - 10       32      not
 *   c 40 ms, R 3 pages
 *
 * 6 allocations, 5 deallocations, 4 * 16 + 32 + 1024 = 1120 bytes requested, 32 leaked.
 */
#define EVENTS                                                                                     \
	"c 0\nR 2\n"                                                                               \
	"+ 0\n- 0\n+ 2\n+ 1\n"                                                                     \
	"c a\nR 5\n"                                                                               \
	"+ 0\n- 2\n- 0\n"                                                                          \
	"c 14\n"                                                                                   \
	"+ 0\n+ 0\n- 0\n- 0\n"                                                                     \
	"c 28\nR 3\n"
#define CLOSING "\n# strings: 7\n# ips: 3\n"
#define SIZED_STRINGS                                                                              \
	"s 8 /lib/a b\n"                                                                           \
	"s 6 /bin/x\n"                                                                             \
	"s 4 main\n"                                                                               \
	"s 3 x.c\n"                                                                                \
	"s 6 f(int)\n"                                                                             \
	"s 9 g<A, B>()\n"                                                                          \
	"s 3 y.h\n"
#define STRINGS "s /lib/a b\ns /bin/x\ns main\ns x.c\ns f(int)\ns g<A, B>()\ns y.h\n"
#define SYSTEM  "X ./x --of 'a b'\nI 1000 fffff\n"

static const char version3[] =
    "v 10400 3\n" SYSTEM "S b leak:foobar\n" SIZED_STRINGS DEFINITIONS EVENTS CLOSING;
static const char version2[] =
    "v 10250 2\n" SYSTEM "S leak:foobar\n" STRINGS DEFINITIONS EVENTS CLOSING;
/* no inlined frames and no suppressions yet */
#define DEFINITIONS_1                                                                              \
	"i 401000 2 3 4 5\nt 1 0\ni 401020 2 6 7 3\nt 2 1\ni 7f0000001000 1\nt 3 1\n"              \
	"a 10 2\na 20 2\na 400 3\n"
static const char version1[] = "v 10000 1\n" SYSTEM STRINGS DEFINITIONS_1 EVENTS CLOSING;
/* when the version of the format was not a number of its own */
static const char version1_early[] = "v 10200\n" SYSTEM STRINGS DEFINITIONS_1 EVENTS CLOSING;

struct file {
	int fd;
	char path[64];
};

static struct file make_file(const void *bytes, size_t size)
{
	struct file file = {.fd = memfd_create("heaptrack", MFD_CLOEXEC)};

	assert_true(file.fd >= 0);
	assert_int_equal(write(file.fd, bytes, size), (ssize_t)size);
	snprintf(file.path, sizeof(file.path), "/proc/self/fd/%d", file.fd);
	return file;
}

static int load(struct profile **profile, const void *bytes, size_t size)
{
	struct file file = make_file(bytes, size);
	int error = profile_load(profile, file.path);

	close(file.fd);
	return error;
}

static struct profile *loaded(const char *text)
{
	struct profile *profile;

	assert_int_equal(load(&profile, text, strlen(text)), 0);
	return profile;
}

/* One gzip member. */
static size_t gzip(const char *text, size_t size, unsigned char *out, size_t room)
{
	z_stream stream = {0};

	assert_int_equal(deflateInit2(&stream, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY),
			 Z_OK);
	stream.next_in = (Bytef *)(uintptr_t)text;
	stream.avail_in = (uInt)size;
	stream.next_out = out;
	stream.avail_out = (uInt)room;
	assert_int_equal(deflate(&stream, Z_FINISH), Z_STREAM_END);
	deflateEnd(&stream);
	return stream.total_out;
}

/* --- figures --------------------------------------------------------------- */

static void check_figures(const struct profile *profile)
{
	const struct profile_totals *totals = &profile->totals;

	assert_int_equal(profile->state, TRACE_COMPLETE);
	assert_int_equal(profile->kind, PROFILE_HEAPTRACK);
	assert_int_equal(totals->allocations, 6);
	assert_int_equal(totals->deallocations, 5);
	assert_int_equal(totals->temporary, 2);
	assert_int_equal(totals->bytes, 4 * 16 + 32 + 1024);
	assert_int_equal(totals->peak_bytes, 1024 + 32 + 16);
	assert_int_equal(totals->peak_blocks, 3);
	assert_int_equal(totals->peak_tick, 10);
	assert_int_equal(totals->leaked_bytes, 32);
	assert_int_equal(totals->leaked_blocks, 1);
	assert_int_equal(totals->peak_rss, 5 * 4096);
	assert_int_equal(totals->end_tick, 41);
	assert_int_equal(profile->class_count, 1 + 3);
	assert_int_equal(profile->classes[1].size, 16);
	assert_int_equal(profile->classes[1].node, 2);
	assert_int_equal(profile->classes[1].allocations, 4);
	assert_int_equal(profile->classes[1].deallocations, 4);
	assert_int_equal(profile->classes[1].temporary, 2);
	assert_int_equal(profile->classes[1].peak_live, 1);
	assert_int_equal(profile->classes[2].allocations, 1);
	assert_int_equal(profile->classes[2].peak_live, 1);
	assert_int_equal(profile->classes[2].deallocations, 0);
	assert_int_equal(profile->classes[3].size, 1024);
	assert_int_equal(profile->classes[3].node, 3);
	assert_int_equal(profile->classes[3].peak_live, 1);
	assert_int_equal(profile->classes[3].temporary, 0);
}

static void check_frame(const struct profile *profile, uint32_t node, uint32_t i,
			const char *function, const char *file, uint32_t line)
{
	const struct profile_location *location =
	    &profile->locations[profile->nodes[node].location];
	const struct profile_frame *frame = &profile->frames[location->frame + i];

	assert_true(i < location->frame_count);
	assert_string_equal(frame->function, function);
	assert_string_equal(frame->file, file);
	assert_int_equal(frame->line, line);
}

static void check_stacks(const struct profile *profile, int inlined)
{
	const struct profile_location *nameless;

	assert_int_equal(profile->node_count, 1 + 3);
	assert_int_equal(profile->nodes[1].parent, 0);
	assert_int_equal(profile->nodes[2].parent, 1);
	assert_int_equal(profile->nodes[3].parent, 1);
	check_frame(profile, 1, 0, "main", "x.c", 5);
	check_frame(profile, 2, 0, "g<A, B>()", "y.h", 3);
	if (inlined)
		check_frame(profile, 2, 1, "f(int)", "x.c", 9);
	nameless = &profile->locations[profile->nodes[3].location];
	assert_int_equal(nameless->frame_count, 0);
	assert_int_equal(nameless->offset, 0x7f0000001000);
	assert_string_equal(profile->modules[nameless->module].path, "/lib/a b");
	assert_string_equal(
	    profile->modules[profile->locations[profile->nodes[1].location].module].path, "/bin/x");
	/* one module for both addresses in it */
	assert_int_equal(profile->module_count, 1 + 2);
}

static void check_rest(const struct profile *profile)
{
	char *command = profile_command(profile);

	assert_string_equal(command, "./x --of 'a b'");
	free(command);
	assert_int_equal(profile->point_count, 4);
	assert_int_equal(profile->points[0].rss, 2 * 4096);
	assert_int_equal(profile->points[1].tick, 10);
	assert_int_equal(profile->points[1].live_bytes, 1056);
	assert_int_equal(profile->points[1].live_blocks, 2);
	assert_int_equal(profile->points[1].rss, 5 * 4096);
	assert_int_equal(profile->points[2].live_bytes, 32);
	assert_int_equal(profile->points[3].tick, 40);
	assert_int_equal(profile->points[3].live_bytes, 32);
	assert_true(profile->lacks & PROFILE_LACKS_THREADS);
	assert_false(profile->lacks & PROFILE_LACKS_BEGINNING);
	assert_non_null(profile_lack_text(profile, PROFILE_LACKS_LIFETIMES));
	assert_null(profile_lack_text(profile, PROFILE_LACKS_BEGINNING));
}

static void test_versions(void **state)
{
	const char *const texts[] = {version3, version2, version1, version1_early};

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		struct profile *profile = loaded(texts[i]);

		check_figures(profile);
		check_stacks(profile, i < 2);
		check_rest(profile);
		assert_int_equal(profile->suppression_count, i < 2);
		if (i < 2)
			assert_string_equal(profile->suppressions[0], "leak:foobar");
		profile_free(profile);
	}
}

/* Compression is told from the content; members and frames in a row are one text. */
static void test_compressions(void **state)
{
	static unsigned char bytes[8192];
	size_t half = sizeof(version3) / 2, size = gzip(version3, half, bytes, sizeof(bytes));
	struct profile *profile;

	(void)state;
	size += gzip(version3 + half, strlen(version3 + half), bytes + size, sizeof(bytes) - size);
	assert_int_equal(load(&profile, bytes, size), 0);
	check_figures(profile);
	check_stacks(profile, 1);
	assert_int_equal(profile->file_bytes, size);
	assert_int_equal(profile->used_bytes, size);
	profile_free(profile);
#if HAVE_ZSTD
	size = ZSTD_compress(bytes, sizeof(bytes), version3, half, 3);
	size += ZSTD_compress(bytes + size, sizeof(bytes) - size, version3 + half,
			      strlen(version3 + half), 3);
	assert_int_equal(load(&profile, bytes, size), 0);
	check_figures(profile);
	check_stacks(profile, 1);
	profile_free(profile);
	/* a wrong byte in the middle */
	size = ZSTD_compress(bytes, sizeof(bytes), version3, strlen(version3), 3);
	bytes[size / 2] ^= 0x55;
	if (load(&profile, bytes, size) == 0) {
		assert_int_not_equal(profile->state, TRACE_COMPLETE);
		profile_free(profile);
	}
#endif
}

static void test_standard_input(void **state)
{
	static unsigned char bytes[8192];
	size_t size = gzip(version3, strlen(version3), bytes, sizeof(bytes));
	int saved = dup(STDIN_FILENO), ends[2];
	struct profile *profile;

	(void)state;
	for (int packed = 0; packed < 2; packed++) {
		const void *from = packed ? (const void *)bytes : version3;
		size_t count = packed ? size : strlen(version3);

		assert_int_equal(pipe(ends), 0);
		assert_int_equal(write(ends[1], from, count), (ssize_t)count);
		close(ends[1]);
		dup2(ends[0], STDIN_FILENO);
		close(ends[0]);
		assert_int_equal(profile_load(&profile, "-"), 0);
		check_figures(profile);
		assert_null(profile->path);
		assert_int_equal(profile->file_bytes, count);
		profile_free(profile);
		assert_int_equal(heaptrack_scan("-", NULL, NULL), ERROR_SYSTEM);
		assert_int_equal(errno, ESPIPE);
	}
	dup2(saved, STDIN_FILENO);
	close(saved);
}

/* --- events ---------------------------------------------------------------- */

struct seen {
	char text[256];
	size_t calls;
};

static int write_events(void *context, const struct trace_event *events, size_t count)
{
	struct seen *seen = context;
	size_t length = strlen(seen->text);

	seen->calls++;
	for (size_t i = 0; i < count && length < sizeof(seen->text); i++)
		length +=
		    (size_t)snprintf(seen->text + length, sizeof(seen->text) - length, "%s%u@%u%s ",
				     events[i].operation == TRACE_OPERATION_ALLOCATION ? "+" : "-",
				     events[i].class_id, (unsigned)events[i].tick,
				     events[i].operation == TRACE_OPERATION_DEALLOCATION &&
					     events[i].age_allocations == 0
					 ? "t"
					 : "");
	return 0;
}

static int stop(void *context, const struct trace_event *events, size_t count)
{
	(void)context, (void)events, (void)count;
	return 77;
}

static void test_scan(void **state)
{
	struct file file = make_file(version3, strlen(version3));
	struct seen seen = {.calls = 0};

	(void)state;
	assert_int_equal(heaptrack_scan(file.path, write_events, &seen), 0);
	assert_string_equal(seen.text, "+1@0 -1@0t +3@0 +2@0 +1@10 -3@10 -1@10 "
				       "+1@20 +1@20 -1@20t -1@20 ");
	assert_int_equal(seen.calls, 3);
	assert_int_equal(heaptrack_scan(file.path, stop, NULL), 77);
	assert_int_equal(heaptrack_scan("/nonexistent", stop, NULL), ERROR_SYSTEM);
	close(file.fd);
}

/* Defects of heaptrack that ours must not have (docs/heaptrack.md). */
static void test_better(void **state)
{
	/* class 0 is "none" to heaptrack, which so takes its second deallocation for temporary */
	struct profile *profile = loaded("v 10400 3\ns 1 f\ni 1 0 1\nt 1 0\na 8 1\na 9 1\n"
					 "+ 0\n+ 1\n- 1\n- 0\n# strings: 1\n");

	(void)state;
	assert_int_equal(profile->state, TRACE_COMPLETE);
	assert_int_equal(profile->totals.temporary, 1);
	assert_int_equal(profile->classes[1].temporary, 0);
	assert_int_equal(profile->classes[2].temporary, 1);
	profile_free(profile);
	/* a name with a line's end in it */
	profile =
	    loaded("v 10400 3\ns 3 a\nb\ns 0 \ns 0\ni 1 1 2\nt 1 0\na 8 1\n+ 0\n# strings: 2\n");
	assert_int_equal(profile->state, TRACE_COMPLETE);
	assert_string_equal(profile->modules[1].path, "a\nb");
	profile_free(profile);
	profile = loaded("v 10400 3\nA\na 8 0\n+ 0\n# strings: 0\n");
	assert_int_equal(profile->classes[1].node, 0);
	assert_int_equal(profile->totals.peak_bytes, 8);
	assert_int_equal(profile->totals.end_tick, 1);
	assert_true(profile->lacks & PROFILE_LACKS_BEGINNING);
	profile_free(profile);
}

/* --- what is wrong --------------------------------------------------------- */

static void test_refused(void **state)
{
	static const struct {
		const char *text;
		int error;
	} cases[] = {
		{"v 10550 3\nx 6 /bin/x\nX ./x\n+ 8 0 55550000\n", ERROR_RAW},
		{"v 10550 3\nm 1 -\n", ERROR_RAW},
		{"v 10600 4\nX ./x\n", ERROR_NEWER},
		{"v 10600 4 y\n", ERROR_NEWER},
		{"v 10400\n", ERROR_FOREIGN},
		{"v 10400 0\n", ERROR_FOREIGN},
		{"v 10400 x\n", ERROR_FOREIGN},
		{"v 10400 3", ERROR_FOREIGN},
		{"v x\n", ERROR_FOREIGN},
		{"v", ERROR_FOREIGN},
		{"v \n", ERROR_FOREIGN},
		{"vi is an editor\n", ERROR_FOREIGN},
		{"some text\n", ERROR_FOREIGN},
		{"\x1f\x8b\x08", ERROR_CUT_OFF},
		{"\x1f\x8b\x77garbage", ERROR_DAMAGED},
#if HAVE_ZSTD
		{"\x28\xb5\x2f\xfd", ERROR_CUT_OFF},
#endif
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct profile *profile;

		assert_int_equal(load(&profile, cases[i].text, strlen(cases[i].text)),
				 cases[i].error);
		assert_null(profile);
	}
}

/* Wrong records: what precedes them is used, here one allocation of 16 bytes. */
static void test_wrong(void **state)
{
#define BEGIN "v 10400 3\ns 1 f\ni 1 0 1\nt 1 0\na 10 1\n+ 0\n"
	static const struct {
		const char *text, *fault;
	} cases[] = {
	    {"+ 1\n", "not defined"},
	    {"+ ffffffff\n", "not defined"},
	    {"+ 100000000\n", "without its number"},
	    {"+ \n", "without its number"},
	    {"+\n", "without its number"},
	    {"+ 0 1\n", "without its number"},
	    {"+ G\n", "without its number"},
	    {"- 0\n- 0\n", "without its allocation"},
	    {"t 2 0\n", "refers to nothing"},
	    {"t 1 2\n", "refers to nothing"},
	    {"t 1\n", "refers to nothing"},
	    {"a 10 2\n", "refers to nothing"},
	    {"a 8000000000000000 1\n", "refers to nothing"},
	    {"a 7fffffffffffffff 1\n+ 1\n", "beyond all bounds"},
	    {"i\n", "refers to nothing"},
	    {"i 1 2\n", "refers to nothing"},
	    {"i 1 0 2\n", "refers to nothing"},
	    {"i 1 0 1 2\n", "refers to nothing"},
	    {"i 1 0 1 1 100000000\n", "refers to nothing"},
	    {"s 5 abc\nxxxxxxxxx\n", "another length"},
	    {"s 2 abc\n", "another length"},
	    {"s x\n", "another length"},
	    {"s\n", "another length"},
	    {"s ffffffffffffffff abc\n", "another length"},
	    {"c 5\nc 4\n", "goes back"},
	    {"c ffffffffffffffff\n", "goes back"},
	    {"R ffffffffffffffff\n", "RSS"},
	    {"I 1000\nR 7fffffffffffffff\n", "beyond all bounds"},
	    {"I\n", "page size"},
	    {"X a\nX b\n", "two commands"},
	    {"q 1\n", "no known kind"},
	    {"\xff\n", "no known kind"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct profile *profile;
		char text[256];

		snprintf(text, sizeof(text), BEGIN "%s+ 0\n# strings: 1\n", cases[i].text);
		profile = loaded(text);
		assert_int_equal(profile->state, TRACE_DAMAGED);
		assert_non_null(strstr(profile->fault, cases[i].fault));
		assert_int_equal(profile->totals.allocations, 1);
		assert_int_equal(profile->totals.bytes, 16);
		profile_free(profile);
	}
#undef BEGIN
}

/* Cut anywhere: whatever lines are whole are used, and it is said. */
static void test_cut_anywhere(void **state)
{
	size_t closing =
	    (size_t)(strstr(version3, "# strings") - version3) + strlen("# strings: 7");

	(void)state;
	for (size_t size = strlen("v 10400 3\n"); size < strlen(version3); size++) {
		uint64_t allocations = 0;
		struct profile *profile;

		for (const char *at = version3; (at = strstr(at, "\n+ ")) != NULL; at++)
			allocations += (size_t)(at + 5 - version3) <= size;
		assert_int_equal(load(&profile, version3, size), 0);
		assert_int_equal(profile->state, size > closing && version3[size - 1] == '\n'
						     ? TRACE_COMPLETE
						     : TRACE_CUT);
		assert_int_equal(profile->totals.allocations, allocations);
		profile_free(profile);
	}
}

/* A compressed one that is cut: some figures, and never taken for whole. */
static void test_cut_compressed(void **state)
{
	static unsigned char bytes[8192];
	size_t size = gzip(version3, strlen(version3), bytes, sizeof(bytes));

	(void)state;
	for (size_t kept = 3; kept < size; kept++) {
		struct profile *profile;
		int error = load(&profile, bytes, kept);

		if (error) {
			assert_true(error == ERROR_CUT_OFF || error == ERROR_FOREIGN);
			continue;
		}
		assert_int_equal(profile->state, TRACE_CUT);
		assert_true(profile->totals.allocations <= 6);
		profile_free(profile);
	}
}

/* A small file that unpacks to a gigabyte of definitions is given up in time. */
static void test_bomb(void **state)
{
	enum { LINES = 1 << 16, TIMES = 2048 };
	static unsigned char out[4 << 20];
	z_stream stream = {.next_out = out, .avail_out = sizeof(out)};
	char *lines = malloc(LINES * 6 + 1);
	struct profile *profile;
#ifndef __SANITIZE_ADDRESS__
	struct rusage usage;
#endif

	(void)state;
	assert_int_equal(deflateInit2(&stream, 1, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY),
			 Z_OK);
	stream.next_in = (Bytef *)(uintptr_t) "v 10400 3\n";
	stream.avail_in = 10;
	deflate(&stream, Z_NO_FLUSH);
	for (size_t i = 0; i < LINES; i++)
		memcpy(lines + i * 6, "a 1 0\n", 7);
	for (size_t i = 0; i < TIMES && stream.avail_out > 1000; i++) {
		stream.next_in = (Bytef *)lines;
		stream.avail_in = LINES * 6;
		deflate(&stream, i < TIMES - 1 ? Z_NO_FLUSH : Z_FINISH);
	}
	deflateEnd(&stream);
	free(lines);
	assert_true(stream.total_in > 500000000);
	assert_int_equal(load(&profile, out, stream.total_out), ERROR_SWOLLEN);
#ifndef __SANITIZE_ADDRESS__
	getrusage(RUSAGE_SELF, &usage);
	assert_true(usage.ru_maxrss < 256000);
#endif
}

/* A line that never ends. */
static void test_long_line(void **state)
{
	size_t size = 20 << 20;
	char *text = malloc(size);
	struct profile *profile;

	(void)state;
	memset(text, 'x', size);
	memcpy(text, "v 10400 2\ns ", 12);
	assert_int_equal(load(&profile, text, size), 0);
	assert_int_equal(profile->state, TRACE_DAMAGED);
	profile_free(profile);
	/* long, but within bounds */
	text[1 << 20] = '\n';
	memcpy(text + (1 << 20) + 1, "# strings: 1\n", 13);
	assert_int_equal(load(&profile, text, (1 << 20) + 14), 0);
	assert_int_equal(profile->state, TRACE_COMPLETE);
	assert_int_equal(strlen(profile->strings[1]), (1 << 20) - 12);
	profile_free(profile);
	free(text);
}

/* Batches and buffers end in the middle of everything. */
static void test_many_events(void **state)
{
	enum { PAIRS = 200000 };
	char *text = malloc(PAIRS * 16 + 4096), *at = text;
	struct profile *profile;
	uint64_t live = 0, peak = 0, bytes = 0;

	(void)state;
	at += sprintf(at, "v 10400 3\n");
	for (unsigned i = 0; i < 300; i++)
		at += sprintf(at, "a %x 0\n", i + 1);
	for (unsigned i = 0; i < PAIRS; i++) {
		unsigned class = (unsigned)draw(300);

		at += sprintf(at, "+ %x\n", class);
		bytes += class + 1;
		live += class + 1;
		peak = live > peak ? live : peak;
		if (i % 100) {
			at += sprintf(at, "- %x\n", class);
			live -= class + 1;
		}
	}
	at += sprintf(at, "# strings: 0\n");
	assert_int_equal(load(&profile, text, (size_t)(at - text)), 0);
	assert_int_equal(profile->state, TRACE_COMPLETE);
	assert_int_equal(profile->totals.allocations, PAIRS);
	assert_int_equal(profile->totals.temporary, PAIRS - PAIRS / 100);
	assert_int_equal(profile->totals.bytes, bytes);
	assert_int_equal(profile->totals.leaked_bytes, live);
	assert_int_equal(profile->totals.peak_bytes, peak);
	profile_free(profile);
	free(text);
}

/* An hour's clock beats: the timeline stays small and evenly spread. */
static void test_many_points(void **state)
{
	enum { BEATS = 360000 };
	char *text = malloc(BEATS * 24 + 64), *at = text;
	struct profile *profile;

	(void)state;
	at += sprintf(at, "v 10400 3\nI 1000 1\na 1 0\n+ 0\n");
	for (unsigned i = 0; i < BEATS; i++)
		at += sprintf(at, "c %x\nR %x\n", i * 10, i == 4321 ? 9 : 3);
	at += sprintf(at, "# strings: 0\n");
	assert_int_equal(load(&profile, text, (size_t)(at - text)), 0);
	assert_in_range(profile->point_count, 1 << 12, 1 << 14);
	assert_int_equal(profile->totals.peak_rss, 9 * 4096);
	assert_int_equal(profile->totals.end_tick, (BEATS - 1) * 10 + 1);
	for (size_t i = 1; i < profile->point_count; i++)
		assert_in_range(profile->points[i].tick - profile->points[i - 1].tick, 1,
				4 * 3600000 / (1 << 13));
	profile_free(profile);
	free(text);
}

/* Sums that every profile keeps, however wrong its file was. */
static void check_sums(const struct profile *profile)
{
	uint64_t allocations = 0, leaked = 0, peak = 0;

	for (size_t i = 1; i < profile->class_count; i++) {
		const struct profile_class *class = &profile->classes[i];

		assert_true(class->deallocations <= class->allocations);
		assert_true(class->temporary <= class->deallocations);
		assert_true(class->node < profile->node_count);
		allocations += class->allocations;
		leaked += (class->allocations - class->deallocations) * class->size;
		peak += class->peak_live * class->size;
	}
	assert_int_equal(allocations, profile->totals.allocations);
	assert_int_equal(leaked, profile->totals.leaked_bytes);
	assert_int_equal(peak, profile->totals.peak_bytes);
	for (size_t i = 1; i < profile->node_count; i++)
		assert_true(profile->nodes[i].parent < i);
}

static void mutate(char *text, size_t *size)
{
	static const char likely[] = "+-sitacRIXSAv#x \n0123456789abcdef";

	for (uint64_t i = 1 + draw(4); i; i--) {
		size_t at = draw(*size), count = 1 + draw(*size - at > 20 ? 20 : *size - at);

		switch (draw(3)) {
		case 0:
			text[at] = likely[draw(sizeof(likely) - 1)];
			break;
		case 1:
			text[at] = (char)draw(256);
			break;
		case 2:
			memmove(text + at, text + at + count, *size - at - count);
			*size -= count;
			*size += !*size;
			break;
		}
	}
}

static void test_mutations(void **state)
{
	const char *given = getenv("HEAPTRACK_MUTATIONS");
	unsigned long count = given ? strtoul(given, NULL, 10) : 20000;
	static unsigned char packed[8192];
	char text[sizeof(version3)];

	(void)state;
	for (unsigned long i = 0; i < count; i++) {
		size_t size = strlen(version3);
		struct profile *profile;
		const void *bytes = text;

		memcpy(text, version3, sizeof(text));
		if (i % 4) {
			mutate(text, &size);
		} else {
			size = gzip(version3, size, packed, sizeof(packed));
			mutate((char *)packed, &size);
			bytes = packed;
		}
		if (load(&profile, bytes, size) == 0) {
			check_sums(profile);
			profile_free(profile);
		} else {
			assert_null(profile);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_versions),       cmocka_unit_test(test_compressions),
	    cmocka_unit_test(test_standard_input), cmocka_unit_test(test_scan),
	    cmocka_unit_test(test_better),         cmocka_unit_test(test_refused),
	    cmocka_unit_test(test_wrong),          cmocka_unit_test(test_cut_anywhere),
	    cmocka_unit_test(test_cut_compressed), cmocka_unit_test(test_bomb),
	    cmocka_unit_test(test_long_line),      cmocka_unit_test(test_many_events),
	    cmocka_unit_test(test_many_points),    cmocka_unit_test(test_mutations),
	};

	seed = seed_choose();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
