/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tui/picture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/model/combine.h"
#include "analyzer/model/select.h"
#include "formats/error.h"

int filter_copy(struct filter *copy, const struct filter *filter)
{
	*copy = *filter;
	copy->count = 0;
	copy->terms = calloc(filter->count + 1, sizeof(*copy->terms));
	if (!copy->terms)
		return ERROR_MEMORY;
	for (; copy->count < filter->count; copy->count++) {
		struct filter_term *term = &copy->terms[copy->count];

		*term = filter->terms[copy->count];
		if (!term->text)
			continue;
		term->text = strdup(term->text);
		if (!term->text) {
			filter_release(copy);
			return ERROR_MEMORY;
		}
	}
	return 0;
}

/* The same rules, for another profile. */
static int copy_rules(struct suppressions *copy, const struct suppressions *rules)
{
	char complaint[256], *line = NULL;
	int error = 0;

	for (size_t i = 0; rules && i < rules->count && !error; i++) {
		int length = asprintf(&line, "leak:%s", rules->rules[i].pattern);

		if (length < 0)
			return ERROR_MEMORY;
		error = suppressions_add_text(copy, line, (size_t)length, rules->rules[i].origin,
					      complaint, sizeof(complaint));
		free(line);
	}
	return error;
}

static int select_side(struct picture *picture, const struct profile **shown, int side,
		       const struct profile *whole, unsigned flags, char *complaint,
		       size_t complaint_bytes)
{
	int error;

	*shown = whole;
	if (!whole || (!flags && filter_is_empty(&picture->filters[side])))
		return 0;
	error = profile_select(&picture->selected[side], whole, &picture->filters[side], flags,
			       complaint, complaint_bytes);
	*shown = picture->selected[side];
	return error;
}

static int make(struct picture *picture, const struct tui_options *options, unsigned flags,
		char *complaint, size_t complaint_bytes)
{
	const struct profile *shown, *base;
	int error =
	    select_side(picture, &shown, 0, options->fresh, flags, complaint, complaint_bytes);

	if (!error)
		error = select_side(picture, &base, 1, options->base, flags, complaint,
				    complaint_bytes);
	if (!error && options->base) {
		error = profile_combine(&picture->combined, shown, base);
		shown = picture->combined;
	}
	if (error)
		return error;
	picture->profile = shown;
	picture->lens = options->lens;
	picture->lens.suppressions = &picture->suppressions;
	error = copy_rules(&picture->suppressions, options->suppressions);
	return error ? error : suppressions_apply(&picture->suppressions, shown);
}

int picture_new(struct picture **picture, const struct tui_options *options,
		struct filter filters[2], unsigned flags, char *complaint, size_t complaint_bytes)
{
	int error;

	*complaint = '\0';
	*picture = calloc(1, sizeof(**picture));
	if (!*picture)
		return ERROR_MEMORY;
	for (int i = 0; i < 2; i++) {
		(*picture)->filters[i] = filters[i];
		filters[i] = (struct filter){0};
	}
	error = make(*picture, options, flags, complaint, complaint_bytes);
	if (error) {
		picture_free(*picture);
		*picture = NULL;
	}
	return error;
}

void picture_forget_sites(struct picture *picture)
{
	if (picture->sites)
		sites_release(picture->sites);
	free(picture->sites);
	picture->sites = NULL;
}

void picture_free(struct picture *picture)
{
	if (!picture)
		return;
	picture_forget_sites(picture);
	suppressions_release(&picture->suppressions);
	profile_free(picture->combined);
	for (int i = 0; i < 2; i++) {
		profile_free(picture->selected[i]);
		filter_release(&picture->filters[i]);
	}
	free(picture);
}

const struct sites *picture_sites(struct picture *picture, enum lens_by by)
{
	struct lens lens = picture->lens;

	if (picture->sites && picture->sites_by == by)
		return picture->sites;
	picture_forget_sites(picture);
	picture->sites = calloc(1, sizeof(*picture->sites));
	if (!picture->sites)
		return NULL;
	lens.by = picture->sites_by = by;
	if (sites_init(picture->sites, picture->profile, &lens))
		picture_forget_sites(picture);
	return picture->sites;
}
