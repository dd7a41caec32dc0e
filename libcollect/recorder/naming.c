/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "libcollect/recorder/naming.h"

#include <sys/wait.h>
#include <unistd.h>

int naming_start(struct naming *naming, struct recording *recording, uint64_t now_ns)
{
	const struct stacks *stacks = &recording->stacks;
	const char *program = recording->common->options->program;
	uint32_t missing = 0;

	if (symcache_begin(&naming->cache, stacks, recording->epoch) != 0) {
		recording->symbols_skipped = stacks->modules.file_count;
		return 0;
	}
	naming->question_fd = symcache_question(&naming->cache, stacks, &missing);
	if (missing == 0)
		return 0;
	if (naming->question_fd >= 0 &&
	    symbolizer_start(&naming->symbolizer, program, naming->question_fd, recording->own_pid,
			     &stacks->modules, now_ns) == 0) {
		naming->recording = recording;
		return 1;
	}
	if (naming->question_fd >= 0)
		close(naming->question_fd);
	recording->symbols_skipped = stacks->modules.file_count;
	return 0;
}

struct recording *naming_ended(struct naming *naming, uint64_t now_ns)
{
	struct recording *recording = naming->recording;
	size_t size = 0;
	uint32_t skipped;
	void *output;
	int status, whole;

	if (recording == NULL || !symbolizer_ended(&naming->symbolizer, now_ns, &status))
		return NULL;
	output = symbolizer_output(&naming->symbolizer, &size);
	skipped = WIFEXITED(status) && WEXITSTATUS(status) > SYMBOLIZE_SKIPPED
		      ? (uint32_t)WEXITSTATUS(status) - SYMBOLIZE_SKIPPED
		      : 0;
	whole = status == 0 || skipped > 0;
	recording->symbols_skipped = skipped;
	if (symcache_answer(&naming->cache, &recording->stacks, naming->question_fd, output, size,
			    whole) != 0 ||
	    !whole)
		recording->symbols_skipped = recording->stacks.modules.file_count;
	symbolizer_release(&naming->symbolizer, output, size);
	close(naming->question_fd);
	naming->recording = NULL;
	return recording;
}

void naming_background(struct naming *naming, int in_background)
{
	if (naming->recording != NULL)
		symbolizer_background(&naming->symbolizer, in_background);
}

void naming_release(struct naming *naming)
{
	symcache_release(&naming->cache);
}
