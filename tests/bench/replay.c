/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * replay [-n ROUNDS] [-o FILE] [-c CODEC] TRACE|churn...: what the recorder does for each event,
 * measured without a program and without rings. The events of a recorded trace (or a made-up
 * stream) lie in memory, and go through the books (account.h) into a trace that is
 * written to FILE, or to /dev/null, with each codec. Prints for each the events a second of
 * the fastest of the rounds, nanoseconds an event, bytes of the trace an allocation.
 *
 * A trace holds no addresses, so they are invented as an allocator would give them:
 * what was freed last of a size is used first. Reallocations move.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "formats/trace/codec.h"
#include "tests/bench/replay.h"

enum { AHEAD_HEAD = 16, AHEAD_BLOCK = 8 };

struct result {
	double seconds;
	uint64_t bytes;
	uint64_t peak_bytes, peak_blocks, temporary;
};

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static void define(const struct stream *stream, struct trace_writer *writer,
		   struct account *account, struct account_node *nodes)
{
	trace_writer_module(writer, 0x1000, UINT64_C(1) << 40, 0, "program", 7, "", 0);
	for (uint32_t id = 1; id <= stream->nodes; id++) {
		const struct stream_node *node = &stream->node[id];

		trace_writer_node(writer, node->parent, 1, node->offset, node->flags);
		nodes[id] = (struct account_node){.node = id, .flags = (uint8_t)node->flags};
	}
	for (uint32_t id = 1; id <= stream->threads; id++)
		account_thread_new(account, (int32_t)id, "thread");
}

static inline void feed(const struct stream *stream, struct account *account,
			struct account_node *nodes)
{
	const struct step *step = stream->step, *end = step + stream->steps;

	for (; step < end; step++) {
		struct account_event event = {step->time, step->address, step->thread,
					      step->realloc};
		const struct step *next = step + 1;

		livetable_prefetch_head(&account->live, step[AHEAD_HEAD].address);
		livetable_prefetch_block(&account->live, step[AHEAD_BLOCK].address);
		if (step->tick != account->ticks.now) {
			account->ticks.now = step->tick;
			account_settle(account, step->time);
			if (step->tick % 1000 == 0)
				trace_writer_flush(account->writer);
		}
		if (step->is_free) {
			account_deallocation(account, &event);
		} else if (next < end && next->is_free && next->address == step->address &&
			   next->thread == step->thread && next->tick == step->tick) {
			struct account_event gone = {next->time, next->address, next->thread,
						     next->realloc};

			account_temporary(account, &event, &gone, &nodes[step->node], step->size,
					  step->function);
			step = next;
		} else {
			account_allocation(account, &event, &nodes[step->node], step->size,
					   step->function);
		}
	}
}

/* What a recording's end writes, the symbols aside. */
static void finish(struct account *account, struct trace_writer *writer)
{
	for (uint32_t id = 1; id <= account->classes.count; id++) {
		const struct class_counts *class_ = classes_at(&account->classes, id);

		trace_writer_class_counters(
		    writer, &(struct trace_class_counters){
				class_->allocations, class_->deallocations, class_->temporary,
				classes_peak_live(&account->classes, class_)});
	}
	for (uint32_t id = 1; id <= account->thread_count; id++) {
		const struct account_thread *thread = account_thread_at(account, id);

		trace_writer_thread_counters(writer, &(struct trace_thread_counters){
							 thread->allocations, thread->deallocations,
							 thread->temporary, thread->bytes});
	}
	trace_writer_finish(writer);
}

static int play(const struct stream *stream, const char *path, enum trace_codec codec,
		struct result *result)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0666);
	struct account_node *nodes = calloc(stream->nodes + 1, sizeof(*nodes));
	struct account account = {.with_events = 1, .wait = stream->threads > 1 ? 1u << 20 : 0};
	struct account_totals totals;
	uint64_t start;

	if (fd >= 0)
		account.writer = trace_writer_new(fd, codec, codec == TRACE_CODEC_NONE ? 0 : 1);
	if (account.writer == NULL || nodes == NULL) {
		free(nodes);
		return -1;
	}
	define(stream, account.writer, &account, nodes);
	start = now_ns();
	feed(stream, &account, nodes);
	account_settle(&account, UINT64_MAX);
	trace_writer_flush(account.writer);
	result->seconds = (double)(now_ns() - start) / 1e9;
	finish(&account, account.writer);
	account_total(&account, &totals);
	result->bytes = trace_writer_size(account.writer);
	result->temporary = totals.temporary;
	result->peak_bytes = account.classes.peak_bytes;
	result->peak_blocks = account.classes.peak_blocks;
	trace_writer_free(account.writer);
	account_release(&account);
	free(nodes);
	return close(fd);
}

static int measure(const struct stream *stream, const char *name, const char *path, int rounds,
		   const char *codec)
{
	static const enum trace_codec codecs[] = {TRACE_CODEC_ZLIB, TRACE_CODEC_ZSTD,
						  TRACE_CODEC_NONE};

	for (size_t i = 0; i < sizeof(codecs) / sizeof(codecs[0]); i++) {
		struct result best = {0}, result;

		if (!trace_codec_supported(codecs[i]) ||
		    (codec != NULL && strcmp(codec, trace_codec_name(codecs[i])) != 0))
			continue;
		for (int round = 0; round < rounds; round++) {
			if (play(stream, path, codecs[i], &result) != 0) {
				fprintf(stderr, "replay: '%s': %s\n", path, strerror(errno));
				return -1;
			}
			if (round == 0 || result.seconds < best.seconds)
				best = result;
		}
		printf("%-12s %-4s %9zu events %6.1f M/s %6.1f ns %7.3f B/allocation"
		       "  temporary %llu, peak %llu bytes %llu blocks\n",
		       name, trace_codec_name(codecs[i]), stream->steps,
		       (double)stream->steps / best.seconds / 1e6,
		       best.seconds * 1e9 / (double)stream->steps,
		       (double)best.bytes / (double)stream->allocations,
		       (unsigned long long)best.temporary, (unsigned long long)best.peak_bytes,
		       (unsigned long long)best.peak_blocks);
	}
	return 0;
}

int main(int argc, char **argv)
{
	const char *path = "/dev/null", *codec = NULL;
	int rounds = 5, option, status = 0;

	while ((option = getopt(argc, argv, "n:o:c:")) != -1) {
		if (option == 'n')
			rounds = atoi(optarg);
		else if (option == 'o')
			path = optarg;
		else if (option == 'c')
			codec = optarg;
		else
			return 2;
	}
	for (; optind < argc; optind++) {
		struct stream stream;
		const char *name = strrchr(argv[optind], '/');

		if (stream_load(&stream, argv[optind], AHEAD_HEAD) != 0) {
			fprintf(stderr, "replay: '%s' could not be read\n", argv[optind]);
			status = 1;
			continue;
		}
		if (measure(&stream, name != NULL ? name + 1 : argv[optind], path, rounds, codec) !=
		    0)
			status = 1;
		stream_release(&stream);
	}
	return status;
}
