/* SPDX-License-Identifier: LGPL-2.1-or-later */
#define _GNU_SOURCE
#include "libcollect/recorder/naming.h"

#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define FIRST_LOOK_NS UINT64_C(8000000)
#define KEPT_MOST_NS  UINT64_C(10000000000)
#define PATIENCE_NS   UINT64_C(100000000)
/* With more stacks than this to ask for is long work, while their events wait. */
enum { NODES_MOST = 1 << 15, PROCESSES_FEW = 512 };

static void drop_early(struct naming *naming)
{
	naming->early.asked_ns = 0;
	if (!naming->early.waits)
		return;
	naming->early.waits = 0;
	symbolizer_stop(&naming->symbolizer);
	close(naming->question_fd);
}

/* Whether the symbolizer waits for the rest of this recording's places. It can't open files that
 * have been loaded since. */
static int is_ready(struct naming *naming, const struct recording *recording, uint64_t now_ns)
{
	int status;

	return naming->early.waits && naming->early.epoch == recording->epoch &&
	       naming->early.files == recording->stacks.modules.file_count &&
	       !symbolizer_ended(&naming->symbolizer, now_ns, &status);
}

/* Starts the symbolizer with all that is missing. Returns the question's number or 0. */
static uint32_t ask(struct naming *naming, const struct recording *recording, int later,
		    uint64_t now_ns)
{
	const struct stacks *stacks = &recording->stacks;
	int fd = memfd_create("mallograph question", MFD_CLOEXEC);
	int64_t question;

	if (fd < 0)
		return 0;
	question = symcache_question(&naming->cache, stacks, 0, fd);
	if (question > 0 &&
	    symbolizer_start(&naming->symbolizer, recording->common->options->program, fd, later,
			     recording->own_pid, &stacks->modules, now_ns) == 0) {
		naming->question_fd = fd;
		return (uint32_t)question;
	}
	close(fd);
	return 0;
}

/* Asks the symbolizer that is ready for the rest. */
static int ask_the_rest(struct naming *naming, const struct recording *recording, uint64_t now_ns)
{
	if (symcache_question(&naming->cache, &recording->stacks, naming->early.question,
			      naming->symbolizer.later_fd) < 0)
		return -1;
	symbolizer_go_on(&naming->symbolizer);
	naming->early.waits = 0;
	naming->early.asked_ns = now_ns;
	return 0;
}

int naming_start(struct naming *naming, struct recording *recording, uint64_t now_ns)
{
	const struct stacks *stacks = &recording->stacks;

	if (symcache_begin(&naming->cache, stacks, recording->epoch) == 0) {
		int asked;

		if (symcache_missing(&naming->cache, stacks) == 0)
			return 0;
		asked = is_ready(naming, recording, now_ns) &&
			ask_the_rest(naming, recording, now_ns) == 0;
		if (!asked) {
			drop_early(naming);
			asked = ask(naming, recording, 0, now_ns) != 0;
		}
		if (asked) {
			naming->recording = recording;
			return 1;
		}
	}
	recording->symbols_skipped = stacks->modules.file_count;
	return 0;
}

/* One process more while the program runs is not to be the one too many. */
static int processes_are_scarce(void)
{
	struct rlimit limit;

	return getrlimit(RLIMIT_NPROC, &limit) == 0 && limit.rlim_cur < PROCESSES_FEW;
}

void naming_early(struct naming *naming, const struct recording *recording, uint64_t now_ns)
{
	struct naming_early *early = &naming->early;
	const struct stacks *stacks = recording != NULL ? &recording->stacks : NULL;
	uint32_t files = early->files;

	symbolizer_reap(&naming->symbolizer);
	if (early->waits && now_ns - early->since_ns > KEPT_MOST_NS)
		drop_early(naming);
	if (recording == NULL)
		return;
	if (early->epoch != recording->epoch) {
		drop_early(naming);
		*early = (struct naming_early){.epoch = recording->epoch,
					       .since_ns = now_ns,
					       .due_ns = now_ns + FIRST_LOOK_NS};
	}
	if (now_ns < early->due_ns || early->question != 0 || stacks->node_count > NODES_MOST)
		return;
	early->due_ns = now_ns + (now_ns - early->since_ns);
	early->files = stacks->modules.file_count;
	if (files == early->files && !processes_are_scarce() &&
	    symcache_begin(&naming->cache, stacks, early->epoch) == 0 &&
	    symcache_missing(&naming->cache, stacks) != 0)
		early->question = ask(naming, recording, 1, now_ns);
	early->waits = early->question != 0;
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
	/* What became of one that was started early may have to do with the time it spent. */
	if (!whole && naming->early.asked_ns != 0) {
		naming->early.asked_ns = 0;
		if (ask(naming, recording, 0, now_ns) != 0)
			naming->recording = recording;
	}
	return naming->recording == NULL ? recording : NULL;
}

void naming_background(struct naming *naming, int in_background, uint64_t now_ns)
{
	const struct recording *recording = naming->recording;

	if ((recording == NULL && !naming->early.waits) ||
	    symbolizer_background(&naming->symbolizer, in_background) == 0)
		return;
	/* It stays where it gets little where much is going on: another one does it. */
	if (in_background || recording == NULL || naming->early.asked_ns == 0 ||
	    now_ns < naming->early.asked_ns + PATIENCE_NS)
		return;
	symbolizer_stop(&naming->symbolizer);
}

void naming_release(struct naming *naming)
{
	drop_early(naming);
	symcache_release(&naming->cache);
}
