/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "libcollect/recorder/images.h"

#include <unistd.h>

#include "libcollect/recorder/procfs.h"

/* One that is killed while it fills its session in stays so. */
enum { LOOKS_MOST = 64 };

static int is_there(const struct session *session)
{
	uint32_t state = atomic_load_explicit(&session->state, memory_order_acquire);

	return state == SESSION_OPEN || state == SESSION_ABANDONED;
}

void images_meet(struct images *images, const struct shared *shared)
{
	struct region *region = shared->region;
	uint32_t epochs = atomic_load(&region->epochs);
	int unfinished = 0;

	if (epochs != images->epochs)
		images->looks = LOOKS_MOST;
	else if (images->looks == 0)
		return;
	images->epochs = epochs;
	images->looks--;
	for (uint32_t i = 0; i < SESSIONS_MAX; i++) {
		const struct session *session = &region->session[i];
		struct image_met *met = &images->met[i];

		if (!is_there(session)) {
			unfinished |= atomic_load(&session->state) == SESSION_CLAIMED;
			continue;
		}
		if (met->epoch == session->epoch)
			continue;
		if (met->epoch != 0 && met->pidfd >= 0)
			close(met->pidfd);
		*met = (struct image_met){session->epoch, proc_pidfd(session->pid), 0};
		met->number = proc_pidfd_number(met->pidfd);
	}
	if (!unfinished)
		images->looks = 0;
}

int images_take(struct images *images, uint32_t slot, uint32_t epoch)
{
	struct image_met *met = &images->met[slot];
	int pidfd = met->pidfd;

	if (met->epoch != epoch)
		return -1;
	met->pidfd = -1;
	return pidfd;
}

void images_release(struct images *images)
{
	for (uint32_t i = 0; i < SESSIONS_MAX; i++)
		if (images->met[i].epoch != 0 && images->met[i].pidfd >= 0)
			close(images->met[i].pidfd);
	*images = (struct images){0};
}

static int differ(uint64_t a, uint64_t b)
{
	return a != 0 && b != 0 && a != b;
}

int images_have_next(const struct images *images, const struct recording *recording)
{
	const struct region *region = recording->common->shared.region;

	if (recording->other_namespace)
		return 0;
	for (uint32_t i = 0; i < SESSIONS_MAX; i++) {
		const struct session *session = &region->session[i];
		const struct image_met *met = &images->met[i];

		if (is_there(session) && session->pid == recording->own_pid &&
		    session->origin == ORIGIN_FIRST && session->epoch > recording->epoch &&
		    (met->epoch != session->epoch || !differ(met->number, recording->pidfd_number)))
			return 1;
	}
	return 0;
}

/* Numbers are those that processes see: in pid namespaces they may be equal for
 * different ones, which the numbers that we see tell apart; and used again later, which
 * the kernel's own tell. */
int images_same_process(const struct recording *a, const struct recording *b)
{
	return a->own_pid == b->own_pid && (a->pid == 0 || b->pid == 0 || a->pid == b->pid) &&
	       !differ(a->pidfd_number, b->pidfd_number);
}

struct recording *images_before(struct recording *const *all, size_t count,
				const struct recording *image)
{
	struct recording *before = NULL;

	for (size_t i = 0; i < count; i++)
		if (all[i] != image && all[i]->state != RECORDING_WAITING &&
		    all[i]->epoch < image->epoch && images_same_process(all[i], image) &&
		    (before == NULL || all[i]->epoch > before->epoch))
			before = all[i];
	return before;
}

struct recording *images_parent(struct recording *const *all, size_t count,
				const struct session *session)
{
	for (size_t i = 0; session->parent_epoch != 0 && i < count; i++)
		if (all[i]->epoch == session->parent_epoch)
			return all[i];
	return NULL;
}

struct recording *images_relative(struct recording *const *all, size_t count,
				  const struct session *session, const struct recording *self)
{
	for (size_t i = 0; i < count; i++)
		if (all[i] != self && all[i]->state != RECORDING_WAITING &&
		    (all[i]->own_pid == session->pid || all[i]->own_pid == session->parent_pid))
			return all[i];
	return NULL;
}
