/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A trace with wrong bytes: each byte of a small trace, and random changes
 * behind checksums that are right again, so that the contents are what has to
 * be checked. Nothing may crash, and the state must be the right one.
 * TRACE_MUTATIONS=N sets how many of the random ones, TRACE_SEED=N their seed.
 */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <time.h>
#include <zlib.h>

#include "formats/trace/bytes.h"
#include "tests/unit/trace_sample.h"

/* The bytes of a trace that has all but its end. */
static uint8_t *end_trace(struct trace_writer *writer, int fd, size_t *size)
{
	uint8_t *bytes;

	assert_int_equal(sample_write_end(writer), 0);
	assert_int_equal(trace_writer_finish(writer), 0);
	bytes = sample_bytes(fd, size);
	trace_writer_free(writer);
	close(fd);
	return bytes;
}

static uint8_t *make_trace(enum trace_codec codec, size_t *size)
{
	int fd = memfd_create("trace", 0);
	struct trace_writer *writer = trace_writer_new(fd, codec, 0);

	assert_int_equal(sample_write_start(writer), 0);
	return end_trace(writer, fd, size);
}

/* Events that repeat themselves, so that guesses are among them. */
static uint8_t *make_guessed(size_t *size)
{
	int fd = memfd_create("trace", 0);
	struct trace_writer *writer = trace_writer_new(fd, TRACE_CODEC_NONE, 0);
	uint64_t sequence = 5; /* those of the start */

	assert_int_equal(sample_write_start(writer), 0);
	for (unsigned i = 0; i < 40; i++) {
		uint32_t thread = i / 10 % 2 + 1;
		struct trace_deallocation recent = {1, thread, 0, 0, 0, sequence};
		struct trace_deallocation old = {2, 2, i, i + 1, 0, 0};

		assert_int_equal(trace_writer_temporary(writer, 301, thread, 2, 0), 0);
		assert_int_equal(trace_writer_allocation(writer, 301 + i, thread, 1, 0), 0);
		recent.sequence = sequence + 2;
		sequence += 2;
		if (i != 20)
			assert_int_equal(
			    trace_writer_deallocation(writer, 301 + i, thread, &recent), 0);
		else
			assert_int_equal(trace_writer_deallocation(writer, 301 + i, thread, &old),
					 0);
	}
	return end_trace(writer, fd, size);
}

static void check_header_byte(const struct sample_reading *reading, size_t at)
{
	if (at < 8)
		assert_int_equal(reading->open_error, ERROR_FOREIGN);
	else if (at < 10)
		assert_true(reading->open_error == ERROR_NEWER ||
			    reading->open_error == ERROR_OLDER ||
			    reading->open_error == ERROR_FOREIGN);
	else if (at < 12)
		assert_int_equal(reading->state, TRACE_COMPLETE);
	else
		assert_int_equal(reading->open_error, ERROR_NEWER);
}

static void each_byte(enum trace_codec codec)
{
	static const uint8_t changes[] = {0x01, 0x80, 0xff};
	size_t size;
	uint8_t *bytes = make_trace(codec, &size);

	for (size_t at = 0; at < size; at++) {
		for (size_t i = 0; i < sizeof(changes); i++) {
			struct sample_reading reading;

			bytes[at] ^= changes[i];
			sample_read_bytes(&reading, bytes, size);
			bytes[at] ^= changes[i];
			if (at < TRACE_HEADER_BYTES) {
				check_header_byte(&reading, at);
			} else {
				assert_int_equal(reading.read_error, 0);
				assert_int_equal(reading.state, TRACE_DAMAGED);
				assert_true(reading.fault[0] != '\0');
				assert_true(reading.used <= at);
				assert_int_equal(strncmp(reading.text, SAMPLE_START SAMPLE_END,
							 strlen(reading.text)),
						 0);
			}
			free(reading.text);
		}
	}
	free(bytes);
}

static void test_each_byte(void **state)
{
	(void)state;
	each_byte(TRACE_CODEC_NONE);
	each_byte(TRACE_CODEC_ZLIB);
}

static uint64_t random_state;

static uint64_t random_number(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return random_state;
}

static const char *setting(const char *name, const char *otherwise)
{
	const char *value = getenv(name);

	return value ? value : otherwise;
}

/* Makes the checksums of all blocks right again, as far as the lengths lead. */
static void repair(uint8_t *bytes, size_t size)
{
	size_t at = TRACE_HEADER_BYTES;

	while (size - at >= TRACE_BLOCK_HEADER_BYTES) {
		size_t stored = trace_get_u32(bytes + at + 8);

		memcpy(bytes + at, TRACE_BLOCK_MAGIC, 4);
		if (stored <= size - at - TRACE_BLOCK_HEADER_BYTES)
			trace_put_u32(bytes + at + 24,
				      (uint32_t)crc32(0, bytes + at + TRACE_BLOCK_HEADER_BYTES,
						      (uInt)stored));
		trace_put_u32(bytes + at + 28, (uint32_t)crc32(0, bytes + at, 28));
		if (stored > size - at - TRACE_BLOCK_HEADER_BYTES)
			return;
		at += TRACE_BLOCK_HEADER_BYTES + stored;
	}
}

/* Changes a byte of a payload, or seldom one of a header. */
static void mutate(uint8_t *bytes, size_t size)
{
	static const uint8_t likely[] = {0, 1, 2, 3, 0x7f, 0x80, 0xff};
	size_t at = TRACE_HEADER_BYTES + random_number() % (size - TRACE_HEADER_BYTES);
	uint64_t choice = random_number() % 4;

	if (choice == 0)
		bytes[at] = (uint8_t)random_number();
	else if (choice == 1)
		bytes[at] = likely[random_number() % sizeof(likely)];
	else
		bytes[at] ^= (uint8_t)(1u << random_number() % 8);
}

static void check_outcome(const struct sample_reading *reading)
{
	assert_int_equal(reading->open_error, 0);
	assert_true(reading->read_error == 0 || reading->read_error == ERROR_NEWER ||
		    reading->read_error == ERROR_UNSUPPORTED);
	assert_true(reading->used <= reading->size);
	assert_int_equal(reading->fault[0] != '\0',
			 reading->state == TRACE_DAMAGED && !reading->read_error);
	if (reading->state == TRACE_COMPLETE)
		assert_int_equal(reading->complete, 1);
	if (reading->state == TRACE_CUT)
		assert_int_equal(reading->complete, 0);
}

static void test_random(void **state)
{
	unsigned long rounds = strtoul(setting("TRACE_MUTATIONS", "30000"), NULL, 0);
	uint64_t seed = strtoull(setting("TRACE_SEED", "0"), NULL, 0);
	unsigned outcomes[4] = {0};
	size_t size[3];
	uint8_t *original[3], *bytes;

	(void)state;
	if (!seed)
		seed = (uint64_t)time(NULL) * 2654435761u + (uint64_t)getpid();
	printf("TRACE_SEED=%" PRIu64 " TRACE_MUTATIONS=%lu\n", seed, rounds);
	random_state = seed | 1;
	original[0] = make_trace(TRACE_CODEC_NONE, &size[0]);
	original[1] = make_trace(TRACE_CODEC_ZLIB, &size[1]);
	original[2] = make_guessed(&size[2]);
	for (unsigned long round = 0; round < rounds; round++) {
		unsigned which = round % 8 == 0 ? 1 : round % 2 * 2;
		struct sample_reading reading;
		size_t length = size[which];

		/* As long as it needs, so that a read behind its end is one behind the block. */
		bytes = malloc(length);
		memcpy(bytes, original[which], length);
		for (uint64_t i = random_number() % 3 + 1; i; i--)
			mutate(bytes, length);
		if (random_number() % 16 == 0)
			length =
			    TRACE_HEADER_BYTES + random_number() % (length - TRACE_HEADER_BYTES);
		repair(bytes, length);
		sample_read_bytes(&reading, bytes, length);
		check_outcome(&reading);
		outcomes[reading.state]++;
		free(reading.text);
		free(bytes);
	}
	/* The changes reach beyond the checksums, both ways. */
	if (rounds >= 1000) {
		assert_true(outcomes[TRACE_COMPLETE] > rounds / 100);
		assert_true(outcomes[TRACE_DAMAGED] > rounds / 100);
		assert_true(outcomes[TRACE_CUT] > 0);
	}
	free(original[0]);
	free(original[1]);
	free(original[2]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_each_byte),
	    cmocka_unit_test(test_random),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
