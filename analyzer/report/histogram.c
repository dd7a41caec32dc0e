/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "analyzer/report/histogram.h"

#include <inttypes.h>
#include <stdlib.h>

#include "formats/error.h"

static int compare_buckets(const void *a, const void *b)
{
	const struct histogram_bucket *left = a, *right = b;

	return left->size < right->size ? -1 : left->size > right->size;
}

int histogram_collect(struct histogram_bucket **collected, size_t *found,
		      const struct profile *profile)
{
	struct histogram_bucket *buckets = calloc(profile->class_count, sizeof(*buckets));
	size_t count = 0, kept = 0;

	*collected = buckets;
	*found = 0;
	if (!buckets)
		return ERROR_MEMORY;
	for (size_t i = 1; i < profile->class_count; i++) {
		const struct profile_class *class_ = &profile->classes[i];
		int64_t allocations = (int64_t)class_->allocations;

		buckets[count++] = (struct histogram_bucket){
		    class_->size, class_->base ? -allocations : allocations};
	}
	qsort(buckets, count, sizeof(*buckets), compare_buckets);
	for (size_t i = 0, next; i < count; i = next) {
		struct histogram_bucket sum = {.size = buckets[i].size};

		for (next = i; next < count && buckets[next].size == sum.size; next++)
			sum.count += buckets[next].count;
		if (sum.count)
			buckets[kept++] = sum;
	}
	*found = kept;
	return 0;
}

int histogram_write(FILE *out, const struct profile *profile)
{
	struct histogram_bucket *buckets;
	size_t count;
	int error = histogram_collect(&buckets, &count, profile);

	for (size_t i = 0; i < count; i++)
		fprintf(out, "%" PRIu64 "\t%" PRId64 "\n", buckets[i].size, buckets[i].count);
	free(buckets);
	return error;
}
