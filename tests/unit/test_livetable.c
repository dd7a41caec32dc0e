/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The recorder's tables, each against something too simple to be wrong. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "formats/error.h"
#include "libcollect/recorder/classes.h"
#include "libcollect/recorder/clock.h"
#include "libcollect/recorder/livetable.h"
#include "libcollect/recorder/looseends.h"
#include "libcollect/ring.h"

static uint64_t seed = 88172645463325252u;

static uint64_t next_random(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed >> 11;
}

/* --- blocks ------------------------------------------------------------------------- */

enum { BLOCKS = 50000 };

/* Close together, a page apart, huge, at the very top. */
static uint64_t address_of(uint64_t i)
{
	switch (i % 4) {
	case 0:
		return 0x555555550000 + i * 8;
	case 1:
		return 0x7f0000000000 + (i << 12);
	case 2:
		return 1 + (i << 30);
	default:
		return (UINT64_C(1) << 48) - 1 - i;
	}
}

static void test_blocks(void **state)
{
	static uint64_t expected[BLOCKS]; /* the number, 0: none */
	struct livetable table = {0};
	uint32_t count = 0;

	(void)state;
	assert_null(livetable_find(&table, 16));
	for (uint64_t step = 1; step < 1000000; step++) {
		uint64_t i = next_random() % (step < 500000 ? BLOCKS : BLOCKS / 10);
		uint32_t *link = livetable_find(&table, address_of(i));
		struct live_block *block;

		if (expected[i] == 0) {
			assert_null(link);
			block = livetable_claim(&table, address_of(i));
			expected[i] = step << 20; /* beyond 32 bits */
			live_block_set_number(block, expected[i]);
			count++;
		} else {
			assert_non_null(link);
			block = livetable_at(&table, *link);
			assert_int_equal(live_block_address(block), address_of(i));
			assert_int_equal(live_block_number(block), expected[i]);
			livetable_remove(&table, link);
			expected[i] = 0;
			count--;
		}
		assert_int_equal(table.count, count);
	}
	livetable_release(&table);
}

static void test_bytes_a_block(void **state)
{
	struct livetable table = {0};

	(void)state;
	for (uint64_t i = 1; i <= 100000; i++) {
		assert_non_null(livetable_claim(&table, i * 4096));
		if (i >= 2048) {
			uint64_t bytes = table.used * sizeof(struct live_block) +
					 (sizeof(uint32_t) << table.bits);

			assert_true(bytes <= 48 * i + 48);
		}
	}
	livetable_release(&table);
}

/* --- classes ------------------------------------------------------------------------- */

enum { CLASSES = 300 };

/* The classes of some nodes, sizes and functions. */
static void find_classes(struct classes *classes, uint32_t count, const uint32_t *node,
			 const uint64_t *what, uint32_t *found)
{
	static struct batch batch;

	assert_true(count <= BATCH_EVENTS);
	batch_clear(&batch);
	for (uint32_t i = 0; i < count; i++) {
		batch.event[i] = (struct batch_event){
		    .node = node[i], .number = what[i], .operation = BATCH_ALLOCATION};
		batch.unknown[i] = (struct batch_unknown){.number = i + 77, .at = i};
	}
	batch.count = batch.unknown_count = count;
	classes_resolve(classes, &batch);
	assert_int_equal(batch.lost, 0);
	assert_int_equal(batch.classes, classes->count);
	for (uint32_t i = 0; i < count; i++) {
		found[i] = batch.event[i].class_id;
		assert_int_equal(batch.event[i].number, i + 77);
	}
}

static uint32_t find_class(struct classes *classes, uint32_t node, uint64_t what)
{
	uint32_t found;

	find_classes(classes, 1, &node, &what, &found);
	return found;
}

static void assert_peak(const struct classes *classes, const uint64_t *peak)
{
	for (uint32_t i = 1; i <= CLASSES; i++) {
		struct class_figures figures;

		classes_figures(classes, i, &figures);
		assert_int_equal(figures.peak_live, peak[i]);
		assert_int_equal(figures.size, i * UINT64_C(3) << i % 36);
		assert_int_equal(figures.node, i);
		assert_int_equal(figures.function, i % 3);
	}
}

/* At each new maximum everything is copied. The peak number begins anew once on the way. */
static void test_peak(void **state)
{
	static uint64_t live[CLASSES + 1], peak[CLASSES + 1];
	struct classes classes = {0};
	uint64_t bytes = 0, most = 0, tick = 0;

	(void)state;
	for (uint32_t i = 1; i <= CLASSES; i++)
		assert_int_equal(
		    find_class(&classes, i, CLASS_WHAT(i * UINT64_C(3) << i % 36, i % 3)), i);
	classes_count_up_to(&classes, CLASSES);
	classes.peak_number = UINT32_MAX - 20;
	for (uint64_t step = 0; step < 300000; step++) {
		uint32_t id = (uint32_t)(next_random() % CLASSES) + 1;
		struct class_counts *class_ = classes_at(&classes, id);

		if (live[id] == 0 || next_random() % (step % 20000 < 10000 ? 3 : 2) != 0) {
			classes_allocate(&classes, class_, step);
			live[id]++;
			bytes += class_size(class_);
		} else {
			classes_deallocate(&classes, class_, 0);
			live[id]--;
			bytes -= class_size(class_);
		}
		if (bytes > most) {
			most = bytes;
			tick = step;
			memcpy(peak, live, sizeof(peak));
		}
		if (step % 10000 == 0 || step < 50)
			assert_peak(&classes, peak);
	}
	assert_true(classes.peak_number < UINT32_MAX - 20);
	assert_int_equal(classes.peak_bytes, most);
	assert_int_equal(classes.peak_tick, tick);
	assert_int_equal(classes.live_bytes, bytes);
	classes_release(&classes);
}

static void test_many_classes(void **state)
{
	enum { MANY = 200000 };
	struct classes classes = {0};
	uint32_t node[BATCH_EVENTS], found[BATCH_EVENTS];
	uint64_t what[BATCH_EVENTS];

	(void)state;
	for (uint32_t i = 1; i <= 2 * MANY;) {
		uint32_t count = 0;

		for (; count < BATCH_EVENTS && i <= 2 * MANY; count++, i++) {
			node[count] = (i - 1) % MANY % 1000;
			what[count] = CLASS_WHAT((i - 1) % MANY / 1000, 1);
		}
		find_classes(&classes, count, node, what, found);
		for (uint32_t k = 0; k < count; k++)
			assert_int_equal(found[k], (i - count + k - 1) % MANY + 1);
		assert_int_equal(classes.count, i - 1 < MANY ? i - 1 : MANY);
	}
	/* What the header says, but for the counts, which are 32. */
	assert_true(classes.count * sizeof(struct class_key) + (sizeof(uint32_t) << classes.bits) <=
		    24 * (uint64_t)MANY + 4 * BATCH_EVENTS);
	classes_release(&classes);
}

/* --- loose ends ------------------------------------------------------------------------ */

static void add(struct looseends *loose, enum loose_kind kind, uint64_t address, uint64_t time)
{
	struct loose_end end = {
	    .address = address, .time = time, .arrived = time, .thread = 1, .kind = (uint8_t)kind};

	assert_int_equal(looseends_add(loose, &end), 0);
}

static void test_loose_ends(void **state)
{
	struct looseends loose = {0};
	struct loose_end *end;

	(void)state;
	assert_null(looseends_waiting(&loose, 16, 0, UINT64_MAX, 0));
	add(&loose, LOOSE_WAITING_FREE, 16, 30);
	add(&loose, LOOSE_WAITING_FREE, 16, 20);
	add(&loose, LOOSE_MISSING_FREE, 16, 50);
	add(&loose, LOOSE_MISSING_FREE, 16, 40);
	add(&loose, LOOSE_WAITING_FREE, 32, 25);
	assert_null(looseends_waiting(&loose, 48, 0, UINT64_MAX, 0));
	assert_null(looseends_waiting(&loose, 16, 31, UINT64_MAX, 0));
	assert_null(looseends_waiting(&loose, 16, 0, 20, 0));
	assert_null(looseends_waiting(&loose, 16, 0, UINT64_MAX, 1));
	assert_int_equal(looseends_waiting(&loose, 16, 0, UINT64_MAX, 0)->time, 20);
	assert_int_equal(looseends_waiting(&loose, 16, 21, UINT64_MAX, 0)->time, 30);
	assert_null(looseends_missing(&loose, 16, 50));
	assert_int_equal(looseends_missing(&loose, 16, 49)->time, 50);
	end = looseends_missing(&loose, 16, 3);
	assert_int_equal(end->time, 40);
	looseends_remove(&loose, end);
	assert_int_equal(looseends_missing(&loose, 16, 3)->time, 50);
	assert_int_equal(looseends_oldest(&loose, 31)->time, 30);
	assert_null(looseends_oldest(&loose, 30));
	while ((end = looseends_oldest(&loose, UINT64_MAX)) != NULL)
		looseends_remove(&loose, end);
	assert_int_equal(loose.waiting + loose.missing, 0);
	assert_null(looseends_waiting(&loose, 16, 0, UINT64_MAX, 0));
	looseends_release(&loose);
}

static void test_loose_ends_bounded(void **state)
{
	struct looseends loose = {0};
	struct loose_end end = {.kind = LOOSE_WAITING_FREE, .thread = 1};
	uint64_t taken = 0;

	(void)state;
	for (uint64_t i = 1; i < 500000; i++) {
		end.address = 16 * i;
		end.time = end.arrived = i;
		if (looseends_add(&loose, &end) == ERROR_LIMIT) {
			looseends_remove(&loose, looseends_oldest(&loose, UINT64_MAX));
			assert_int_equal(looseends_add(&loose, &end), 0);
			taken++;
		}
		assert_non_null(looseends_waiting(&loose, 16 * i, 0, UINT64_MAX, 0));
		assert_int_equal(looseends_waiting(&loose, 16 * i, 0, UINT64_MAX, 0)->time, i);
		assert_int_equal(loose.waiting, i - taken);
	}
	assert_true(taken > 0);
	looseends_release(&loose);
}

/* --- ticks -------------------------------------------------------------------------------- */

static void test_ticks(void **state)
{
	struct clock clock;
	struct ticks ticks;
	uint64_t last = 0, start = 1000000;

	(void)state;
	clock_start(&clock, CLOCK_NANOSECONDS);
	ticks_start(&ticks, &clock, start);
	assert_int_equal(ticks_at(&ticks, 0), 0);
	assert_int_equal(ticks_at(&ticks, start + 999999), 0);
	assert_int_equal(ticks_at(&ticks, start + 1000000), 1);
	assert_int_equal(ticks_at(&ticks, start + 5 * 1000000 + 1), 5);
	assert_int_equal(ticks_at(&ticks, start), 5); /* never back */
	for (uint64_t i = 0; i < 1000; i++) {
		uint64_t now = ticks_at(&ticks, start + next_random() % (i * 1000000 + 1));

		assert_true(now >= last);
		last = now;
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_blocks),     cmocka_unit_test(test_bytes_a_block),
	    cmocka_unit_test(test_peak),       cmocka_unit_test(test_many_classes),
	    cmocka_unit_test(test_loose_ends), cmocka_unit_test(test_loose_ends_bounded),
	    cmocka_unit_test(test_ticks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
