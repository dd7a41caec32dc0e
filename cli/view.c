/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/view.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "analyzer/model/combine.h"
#include "analyzer/model/resolve.h"
#include "analyzer/model/select.h"
#include "cli/input.h"
#include "cli/message.h"
#include "cli/view_rows.h"
#include "formats/error.h"

enum { COMPLAINT_BYTES = 512 };

/* All functions here return -1 to go on, or the exit status after a message. */

const struct option_choice view_identities[] = {
    {"function", LENS_FUNCTION}, {"line", LENS_LINE}, {"address", LENS_ADDRESS}, {NULL, 0}};

static int failed(const char *what, int error)
{
	if (error == ERROR_SYSTEM)
		return message_failed("%s: %s", what, strerror(errno));
	return message_failed("%s: %s", what, error_text(error));
}

static int add_terms(struct filter *filter, const struct option_list *list, const char *option,
		     int exclude)
{
	char complaint[COMPLAINT_BYTES];

	for (size_t i = 0; i < list->count; i++) {
		int error =
		    filter_add(filter, list->words[i], exclude, complaint, sizeof(complaint));

		if (error == ERROR_FOREIGN)
			return message_usage("option '%s': %s", option, complaint);
		if (error)
			return failed(option, error);
	}
	return -1;
}

static int add_functions(struct filter *filter, const struct option_list *list)
{
	for (size_t i = 0; i < list->count; i++) {
		char *term = NULL, complaint[COMPLAINT_BYTES];
		int error = ERROR_MEMORY;

		if (asprintf(&term, "function=%s", list->words[i]) >= 0)
			error = filter_add(filter, term, 0, complaint, sizeof(complaint));
		free(term);
		if (error == ERROR_FOREIGN)
			return message_usage("option '--filter-bt-function': %s", complaint);
		if (error)
			return failed("--filter-bt-function", error);
	}
	return -1;
}

static int build_filter(struct filter *filter, const struct view_options *options)
{
	int status = add_terms(filter, &options->filters, "--filter", 0);

	filter->temporary_threshold = options->temporary_threshold;
	if (status < 0)
		status = add_terms(filter, &options->excludes, "--exclude", 1);
	if (status < 0)
		status = add_functions(filter, &options->functions);
	return status;
}

static int add_suppressions(struct view *view, const struct view_options *options)
{
	const struct option_list *files = &options->suppression_files;
	char complaint[COMPLAINT_BYTES];
	int error = 0;

	for (size_t i = 0; i < files->count; i++) {
		error = suppressions_add_file(&view->suppressions, files->words[i], complaint,
					      sizeof(complaint));
		if (error == ERROR_FOREIGN)
			return message_failed("%s: %s", files->words[i], complaint);
		if (error)
			return failed(files->words[i], error);
	}
	if (!options->no_builtin)
		error = suppressions_add_builtin(&view->suppressions);
	return error ? failed("suppressions", error) : -1;
}

static int add_wrappers(struct view *view, const struct option_list *patterns)
{
	int error = 0;

	if (!patterns->count)
		return -1;
	for (size_t i = 0; i < patterns->count; i++)
		if (!*patterns->words[i])
			return message_usage("option '--wrapper' takes a function's name");
	view->wrappers = wrappers_new(1);
	if (!view->wrappers)
		return failed("--wrapper", ERROR_MEMORY);
	for (size_t i = 0; i < patterns->count && !error; i++)
		error = wrappers_add(view->wrappers, patterns->words[i]);
	return error ? failed("--wrapper", error) : -1;
}

/* Names from nowhere would be missing without a word. */
static int check_sysroot(const char *folder)
{
	struct stat status;

	if (!folder)
		return -1;
	if (stat(folder, &status))
		return message_failed("%s: %s", folder, strerror(errno));
	if (!S_ISDIR(status.st_mode))
		return message_failed("%s: it is no directory: --sysroot takes one", folder);
	return -1;
}

/* What the program itself says of its leaks. A rule that is wrong is not the user's
 * doing: it is told, and the others hold. */
static int add_embedded(struct view *view, const struct profile *profile, const char *path)
{
	char complaint[COMPLAINT_BYTES];

	for (size_t i = 0; i < profile->suppression_count; i++) {
		const char *rule = profile->suppressions[i];
		int error =
		    suppressions_add_text(&view->suppressions, rule, strlen(rule),
					  SUPPRESSION_EMBEDDED, complaint, sizeof(complaint));

		if (error == ERROR_FOREIGN)
			message("%s: suppressions of the program: %s", input_name(path), complaint);
		else if (error)
			return failed(input_name(path), error);
	}
	return -1;
}

static int load(struct view_side *side, const char *path, const struct view_options *options,
		int *status)
{
	const struct resolve_options resolve = {
	    .sysroot = options->sysroot,
	    .debuginfod = options->debuginfod,
	};
	const char *complaint;
	int error, loaded = input_load(&side->whole, path);

	if (loaded > *status)
		*status = loaded;
	if (!side->whole)
		return loaded;
	if (side->whole->kind == PROFILE_HEAPTRACK && (options->sysroot || options->debuginfod))
		message("%s: option '%s': heaptrack named all that it could as it recorded",
			input_name(path), options->sysroot ? "--sysroot" : "--debuginfod");
	error = profile_resolve(side->whole, &resolve, &complaint);
	if (complaint)
		message("%s: option '--debuginfod': %s", input_name(path), complaint);
	return error ? failed(input_name(path), error) : -1;
}

static int select_part(struct view_side *side, const char *path, const struct view_options *options)
{
	unsigned flags = options->by == LENS_BY_THREAD ? SELECT_BY_THREAD : 0;
	char complaint[COMPLAINT_BYTES] = "";
	int error;

	if (options->at) {
		error = filter_set_instant(&side->filter, options->at, side->whole->totals.end_tick,
					   complaint, sizeof(complaint));
		if (error == ERROR_FOREIGN)
			return message_usage("option '--at': %s", complaint);
		if (error)
			return failed("--at", error);
		if (side->filter.instant == FILTER_AT_TICK &&
		    side->filter.tick > side->whole->totals.end_tick)
			message("%s: ends before %s: shown as at its end", input_name(path),
				options->at);
	}
	if (options->whole || (!flags && filter_is_empty(&side->filter)))
		return -1;
	error = profile_select(&side->selected, side->whole, &side->filter, flags, complaint,
			       sizeof(complaint));
	if (error && *complaint)
		return message_failed("%s: %s", input_name(path), complaint);
	if (*complaint)
		message("%s: %s", input_name(path), complaint);
	return error ? failed(input_name(path), error) : -1;
}

static const struct profile *part_of(const struct view_side *side)
{
	return side->selected ? side->selected : side->whole;
}

/* What is the same in two traces is by default their functions: lines move. */
static void set_lens(struct view *view, const struct view_options *options)
{
	view->lens = (struct lens){
	    .identity = options->identity >= 0 ? (enum lens_identity)options->identity
			: options->base        ? LENS_FUNCTION
					       : LENS_LINE,
	    .by = options->by >= 0 ? (enum lens_by)options->by : LENS_BY_SITE,
	    .wrappers = view->wrappers,
	    .suppressions = &view->suppressions,
	    .match_similar = options->similar,
	};
}

static int prepare(struct view *view, const struct view_options *options)
{
	int status = build_filter(&view->fresh.filter, options);

	if (status < 0 && options->base && !strcmp(options->base, "-") &&
	    !strcmp(options->path, "-"))
		status = message_usage("standard input holds one trace: give FILE or BASE a name");
	if (status < 0 && options->base)
		status = build_filter(&view->base.filter, options);
	if (status < 0)
		status = add_wrappers(view, &options->wrappers);
	if (status < 0)
		status = add_suppressions(view, options);
	if (status < 0)
		status = check_sysroot(options->sysroot);
	return status;
}

static int open_side(struct view *view, struct view_side *side, const char *path,
		     const struct view_options *options, int *status)
{
	int result = load(side, path, options, status);

	if (result < 0)
		result = select_part(side, path, options);
	if (result < 0 && !options->no_embedded)
		result = add_embedded(view, side->whole, path);
	return result;
}

static const char *program_of(const struct profile *profile)
{
	const char *slash = profile->program ? strrchr(profile->program, '/') : NULL;

	return slash ? slash + 1 : profile->program;
}

/* Of two programs a diff is rarely meant; nothing but the names tells it from two builds. */
static void remark_programs(const struct profile *fresh, const struct profile *base)
{
	const char *program = program_of(fresh), *other = program_of(base);

	if (program && other && strcmp(program, other) != 0)
		message("the traces are of different programs: base %s, new %s", other, program);
}

int view_open(struct view *view, const struct view_options *options)
{
	const struct profile *shown;
	int result, error, status = STATUS_OK;

	*view = (struct view){0};
	result = prepare(view, options);
	if (result < 0)
		result = open_side(view, &view->fresh, options->path, options, &status);
	if (result < 0 && options->base)
		result = open_side(view, &view->base, options->base, options, &status);
	if (result >= 0)
		return result;
	set_lens(view, options);
	shown = part_of(&view->fresh);
	if (options->whole) {
		view->profile = shown;
		return status;
	}
	if (options->base) {
		error = profile_combine(&view->combined, shown, part_of(&view->base));
		if (error)
			return failed(options->base, error);
		shown = view->combined;
		remark_programs(view->fresh.whole, view->base.whole);
	}
	error = suppressions_apply(&view->suppressions, shown);
	if (error)
		return failed(options->path, error);
	view->profile = shown;
	return status;
}

static void close_side(struct view_side *side)
{
	profile_free(side->selected);
	profile_free(side->whole);
	filter_release(&side->filter);
}

void view_close(struct view *view)
{
	profile_free(view->combined);
	close_side(&view->fresh);
	close_side(&view->base);
	wrappers_free(view->wrappers);
	suppressions_release(&view->suppressions);
}
