/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/record_options.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/options.h"
#include "libcollect/recorder/output.h"

enum { DEPTH_MAX = 1100, DEPTH_DEFAULT = 1024, PATH_BYTES = 4096 };

static struct {
	const char *output, *compress;
	int quiet, no_symbols, follow_fork;
	uint64_t max_depth, max_size;
} values = {.follow_fork = 1, .max_depth = DEPTH_DEFAULT};

static const struct option table[] = {
    {
	.letter = 'o',
	.name = "output",
	.kind = OPTION_TEXT,
	.value = &values.output,
	.argument = "FILE",
	.help = "the trace (mallograph.%n.%p.mlg): %p is\n"
		"the pid, %n the name, %h the host, %% a %;\n"
		"further processes get .2, .3 before .mlg",
    },
    {
	.letter = 'q',
	.name = "quiet",
	.kind = OPTION_FLAG,
	.value = &values.quiet,
	.number = 1,
	.help = "no summary at the end",
    },
    {
	.name = "compress",
	.kind = OPTION_TEXT,
	.value = &values.compress,
	.argument = "CODEC[:LEVEL]",
	.help = (HAVE_ZSTD ? "zstd (the default), zlib or none;\n"
			     "level 1 unless said otherwise"
			   : "zlib (the default) or none;\n"
			     "level 1 unless said otherwise"),
    },
    {
	.name = "no-symbols",
	.kind = OPTION_FLAG,
	.value = &values.no_symbols,
	.number = 1,
	.help = "names are left for print to look up",
    },
    {
	.name = "follow-fork",
	.kind = OPTION_SWITCH,
	.value = &values.follow_fork,
	.help = "record the processes that it starts, each\n"
		"in its own file (1)",
    },
    {
	.name = "max-depth",
	.kind = OPTION_NUMBER,
	.value = &values.max_depth,
	.argument = "N",
	.help = "frames kept of a stack, the innermost\n"
		"(1024; 1 to 1100)",
    },
    {
	.name = "max-size",
	.kind = OPTION_SIZE,
	.value = &values.max_size,
	.argument = "SIZE",
	.help = "write no events beyond this size of the\n"
		"trace (k, M, G); totals go on",
    },
    {0},
};

const struct option_set record_option_set = {
    .command = "record",
    .words = "[options] [--] PROGRAM [ARG...]",
    .summary = "Runs PROGRAM and records its heap allocations.",
    .options = table,
    .epilog = "The exit status is the program's, 128 + N when signal N killed it; 125 when it\n"
	      "was not started because it cannot be recorded, 126 when it cannot be run, 127\n"
	      "when it is not found.",
    .stop_at_word = 1,
};

int record_quiet(void)
{
	return values.quiet;
}

static int parse_codec(struct recorder_options *options)
{
	static const struct {
		const char *name;
		enum trace_codec codec;
		uint64_t highest;
	} codecs[] = {
		{"zlib", TRACE_CODEC_ZLIB, 9},
#if HAVE_ZSTD
		{"zstd", TRACE_CODEC_ZSTD, 19},
#endif
		{"none", TRACE_CODEC_NONE, 0},
	};
	const char *text = values.compress != NULL ? values.compress : HAVE_ZSTD ? "zstd" : "zlib";
	size_t length = strcspn(text, ":");
	uint64_t level = 0;

	for (size_t i = 0; i < sizeof(codecs) / sizeof(codecs[0]); i++) {
		if (strlen(codecs[i].name) != length || strncmp(codecs[i].name, text, length) != 0)
			continue;
		if (text[length] == ':' && (options_number(text + length + 1, &level) != 0 ||
					    level == 0 || level > codecs[i].highest))
			return -1;
		options->codec = codecs[i].codec;
		options->level = level != 0 ? (int)level : 1;
		return 0;
	}
	return -1;
}

const char *program_folder(void)
{
	static char path[PATH_BYTES];
	ssize_t length = readlink("/proc/self/exe", path, sizeof(path) - 1);
	char *slash;

	if (length <= 0)
		return NULL;
	path[length] = '\0';
	slash = strrchr(path, '/');
	if (slash == NULL)
		return NULL;
	*slash = '\0';
	return path;
}

int record_options(struct recorder_options *options, char *complaint, size_t bytes)
{
	static char folder[PATH_BYTES], program[PATH_BYTES];
	ssize_t length = readlink("/proc/self/exe", program, sizeof(program) - 1);
	const char *field;

	program[length > 0 ? length : 0] = '\0';
	memset(options, 0, sizeof(*options));
	if (parse_codec(options) != 0) {
		snprintf(complaint, bytes, "--compress '%s': use %szlib[:1-9] or none",
			 values.compress, HAVE_ZSTD ? "zstd[:1-19], " : "");
		return -1;
	}
	if (values.max_depth < 1 || values.max_depth > DEPTH_MAX) {
		snprintf(complaint, bytes, "--max-depth: 1 to %d frames", DEPTH_MAX);
		return -1;
	}
	if (values.output != NULL && (field = output_unknown_field(values.output)) != NULL) {
		snprintf(complaint, bytes,
			 "--output '%s': '%.2s' stands for nothing: use %%p, %%n, %%h, or %%%% for "
			 "a %%",
			 values.output, field);
		return -1;
	}
	if (getcwd(folder, sizeof(folder)) == NULL) {
		snprintf(complaint, bytes, "the current directory %s: change to another",
			 errno == ENOENT ? "is gone" : "has too long a path");
		return -1;
	}
	options->output = values.output;
	options->folder = folder;
	options->symbols = !values.no_symbols;
	options->follow_fork = values.follow_fork;
	options->max_depth = (unsigned)values.max_depth;
	options->max_size = values.max_size;
	options->program = program;
	return 0;
}
