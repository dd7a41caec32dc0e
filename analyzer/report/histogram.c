/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "analyzer/report/histogram.h"

#include <inttypes.h>
#include <stdlib.h>

#include "formats/error.h"

struct bucket {
	uint64_t size;
	int64_t count;
};

static int compare_buckets(const void *a, const void *b)
{
	const struct bucket *left = a, *right = b;

	return left->size < right->size ? -1 : left->size > right->size;
}

int histogram_write(FILE *out, const struct profile *profile)
{
	struct bucket *buckets = calloc(profile->class_count, sizeof(*buckets));
	size_t count = 0;

	if (!buckets)
		return ERROR_MEMORY;
	for (size_t i = 1; i < profile->class_count; i++) {
		const struct profile_class *class_ = &profile->classes[i];
		int64_t allocations = (int64_t)class_->allocations;

		buckets[count++] =
		    (struct bucket){class_->size, class_->base ? -allocations : allocations};
	}
	qsort(buckets, count, sizeof(*buckets), compare_buckets);
	for (size_t i = 0, next; i < count; i = next) {
		int64_t sum = 0;

		for (next = i; next < count && buckets[next].size == buckets[i].size; next++)
			sum += buckets[next].count;
		if (sum)
			fprintf(out, "%" PRIu64 "\t%" PRId64 "\n", buckets[i].size, sum);
	}
	free(buckets);
	return 0;
}
