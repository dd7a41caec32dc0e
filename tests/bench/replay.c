/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * replay [-n ROUNDS] [-o FILE] [-c CODEC] [-s SEGMENTS] [-t HANDS]
 * CAPTURE|churn...: what the recorder
 * does for each event, from the words of a ring to the trace's bytes, without a program. The
 * words come from a capture (driver --save FILE PROGRAM), or are made up; the trace goes to
 * FILE, or to /dev/null. Prints events a second of the fastest of the rounds, nanoseconds an
 * event, bytes of the trace an allocation, and figures that must not change.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "formats/trace/codec.h"
#include "tests/bench/play.h"

enum { CHURN_PAIRS = 5000000 };

static int measure(const struct capture *capture, const char *name, const char *path, int rounds,
		   const struct play_options *options)
{
	struct play_result best = {0}, result;
	double cpu = 0;

	for (int round = 0; round < rounds; round++) {
		int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0666);

		if (fd < 0 || play(capture, options, fd, &result) != 0 || close(fd) != 0) {
			fprintf(stderr, "replay: '%s': %s\n", path, strerror(errno));
			return -1;
		}
		if (round == 0 || result.cpu_seconds < cpu)
			cpu = result.cpu_seconds;
		if (round == 0 || result.seconds < best.seconds)
			best = result;
	}
	printf("%-14s %-4s %9ju events %6.1f M/s %6.1f ns, %6.1f of CPU, %6.3f B/allocation; peak "
	       "%ju in %ju, "
	       "temporary %ju, classes %ju, nodes %ju, bad %ju, figures %016jx\n",
	       name, trace_codec_name(options->codec), (uintmax_t)capture->events,
	       (double)capture->events / best.seconds / 1e6,
	       best.seconds * 1e9 / (double)capture->events, cpu * 1e9 / (double)capture->events,
	       (double)best.bytes / (double)capture->allocations, (uintmax_t)best.peak_bytes,
	       (uintmax_t)best.peak_blocks, (uintmax_t)best.totals.temporary,
	       (uintmax_t)best.classes, (uintmax_t)best.nodes, (uintmax_t)best.bad,
	       (uintmax_t)best.figures);
	return 0;
}

static int usage(void)
{
	fputs("usage: replay [-n ROUNDS] [-o FILE] [-c none|zlib|zstd] [-s SEGMENTS] "
	      "[-t HANDS] CAPTURE|churn...\n",
	      stderr);
	return 2;
}

static int codec_by_name(const char *name, enum trace_codec *codec)
{
	static const enum trace_codec codecs[] = {TRACE_CODEC_ZLIB, TRACE_CODEC_ZSTD,
						  TRACE_CODEC_NONE};

	for (size_t i = 0; i < sizeof(codecs) / sizeof(codecs[0]); i++)
		if (strcmp(name, trace_codec_name(codecs[i])) == 0) {
			*codec = codecs[i];
			return trace_codec_supported(*codec) ? 0 : -1;
		}
	return -1;
}

int main(int argc, char **argv)
{
	struct play_options options = {.codec = TRACE_CODEC_ZLIB, .level = 1};
	const char *path = "/dev/null";
	int rounds = 5, option, status = 0;

	if (trace_codec_supported(TRACE_CODEC_ZSTD))
		options.codec = TRACE_CODEC_ZSTD;
	while ((option = getopt(argc, argv, "n:o:c:s:t:")) != -1) {
		if (option == 'n')
			rounds = atoi(optarg);
		else if (option == 'o')
			path = optarg;
		else if (option == 's')
			options.segments = (unsigned)atoi(optarg);
		else if (option == 't')
			options.hands = (unsigned)atoi(optarg);
		else if (option != 'c' || codec_by_name(optarg, &options.codec) != 0)
			return usage();
	}
	if (options.codec == TRACE_CODEC_NONE)
		options.level = 0;
	if (optind == argc || options.segments > RING_SEGMENTS)
		return usage();
	for (; optind < argc; optind++) {
		struct capture capture;
		const char *name = strrchr(argv[optind], '/');

		if (strcmp(argv[optind], "churn") == 0) {
			capture_churn(&capture, CHURN_PAIRS);
		} else if (capture_load(&capture, argv[optind]) != 0) {
			status = 1;
			continue;
		}
		if (measure(&capture, name != NULL ? name + 1 : argv[optind], path, rounds,
			    &options) != 0)
			status = 1;
		capture_release(&capture);
	}
	return status;
}
