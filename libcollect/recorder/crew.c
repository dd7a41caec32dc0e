/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "libcollect/recorder/crew.h"

#include <signal.h>
#include <stdlib.h>

#include "libcollect/recorder/account.h"

/* What helpers and the draining thread share; all of it under the lock. A batch's contents go from
 * hand to hand by it. */
struct crew_state {
	pthread_mutex_t lock;
	pthread_cond_t work;    /* there may be some */
	pthread_cond_t done;    /* a batch may be finished */
	unsigned idle, waiting; /* threads that wait for the one and the other */
	int stop;

	struct crew *crew;
	uint64_t submitted;
	unsigned shares;
	struct line { /* a row of batches that one hand at a time works along */
		uint64_t next;
		int busy;
	} pair[CREW_MOST], finish;
};

/* Some batches in a row, so that the lock is seldom taken; not many, so that all have some. */
enum { TASK_BATCHES = 4, WAKE_BATCHES = 4 };
struct task {
	struct line *line; /* NULL: nothing to do */
	uint64_t first, end;
	unsigned share, shares;
};

/* --- pieces of work ----------------------------------------------------------------------- */

static uint64_t paired(const struct crew_state *state)
{
	uint64_t least = state->pair[0].next;

	for (unsigned i = 1; i < state->shares; i++)
		if (state->pair[i].next < least)
			least = state->pair[i].next;
	return least;
}

/* The piece that others wait for most. */
static struct task choose(struct crew_state *state)
{
	struct task task = {.shares = state->shares, .end = paired(state)};

	if (!state->finish.busy && state->finish.next < task.end)
		task.line = &state->finish;
	for (unsigned i = 0; i < state->shares && task.line != &state->finish; i++) {
		struct line *line = &state->pair[i];

		if (line->busy || line->next >= state->submitted ||
		    (task.line != NULL && task.line->next <= line->next))
			continue;
		task.line = line;
		task.share = i;
		task.end = state->submitted;
	}
	if (task.line == NULL)
		return task;
	task.first = task.line->next;
	if (task.end > task.first + TASK_BATCHES)
		task.end = task.first + TASK_BATCHES;
	task.line->busy = 1;
	return task;
}

static void work_at(struct crew_state *state, const struct task *task)
{
	struct crew *crew = state->crew;
	struct account *account = crew->account;

	pthread_mutex_unlock(&state->lock);
	for (uint64_t number = task->first; number < task->end; number++) {
		struct batch *batch = crew->batch[number % CREW_DEPTH];

		if (task->line == &state->finish)
			account_finish(account, batch);
		else
			pairing_run(&account->pairing, batch, task->share, task->shares);
	}
	pthread_mutex_lock(&state->lock);
	task->line->busy = 0;
	task->line->next = task->end;
	if (state->waiting != 0)
		pthread_cond_signal(&state->done);
	if (state->idle != 0)
		pthread_cond_signal(&state->work);
}

static void *help(void *argument)
{
	struct crew_state *state = argument;

	pthread_mutex_lock(&state->lock);
	while (!state->stop) {
		struct task task = choose(state);

		if (task.line != NULL) {
			work_at(state, &task);
			continue;
		}
		state->idle++;
		pthread_cond_wait(&state->work, &state->lock);
		state->idle--;
	}
	pthread_mutex_unlock(&state->lock);
	return NULL;
}

/* Works, or waits for those who do, until at most so many batches are on their way. */
static void work_down(struct crew_state *state, uint64_t most)
{
	pthread_mutex_lock(&state->lock);
	while (state->submitted - state->finish.next > most) {
		struct task task = choose(state);

		if (task.line != NULL) {
			work_at(state, &task);
			continue;
		}
		state->waiting++;
		pthread_cond_wait(&state->done, &state->lock);
		state->waiting--;
	}
	pthread_mutex_unlock(&state->lock);
}

/* --- hands ---------------------------------------------------------------------------------- */

static int make_state(struct crew *crew)
{
	struct crew_state *state;

	if (crew->state != NULL)
		return 0;
	state = calloc(1, sizeof(*state));
	if (state == NULL)
		return -1;
	pthread_mutex_init(&state->lock, NULL);
	pthread_cond_init(&state->work, NULL);
	pthread_cond_init(&state->done, NULL);
	state->crew = crew;
	crew->state = state;
	return 0;
}

/* Threads stay: they sleep while they are not needed. */
static void make_threads(struct crew *crew, unsigned count)
{
	sigset_t all, before;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	while (crew->threads < count &&
	       pthread_create(&crew->thread[crew->threads], NULL, help, crew->state) == 0)
		crew->threads++;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
}

void crew_hire(struct crew *crew, unsigned hands)
{
	struct crew_state *state;
	unsigned shares = 1;

	if (hands <= 1 || make_state(crew) != 0) {
		crew_wait(crew);
		crew->hands = 1;
		return;
	}
	if (hands > CREW_MOST)
		hands = CREW_MOST;
	if (hands == crew->hands)
		return;
	crew_wait(crew);
	make_threads(crew, hands - 1);
	state = crew->state;
	crew->hands = hands <= crew->threads + 1 ? hands : crew->threads + 1;
	while (shares * 2 <= crew->hands)
		shares *= 2;
	pthread_mutex_lock(&state->lock);
	state->shares = shares;
	for (unsigned i = 0; i < shares; i++)
		state->pair[i].next = crew->submitted;
	state->submitted = state->finish.next = crew->submitted;
	pthread_mutex_unlock(&state->lock);
}

void crew_release(struct crew *crew)
{
	crew_wait(crew);
	if (crew->state != NULL) {
		pthread_mutex_lock(&crew->state->lock);
		crew->state->stop = 1;
		pthread_cond_broadcast(&crew->state->work);
		pthread_mutex_unlock(&crew->state->lock);
	}
	for (unsigned i = 0; i < crew->threads; i++)
		pthread_join(crew->thread[i], NULL);
	if (crew->state != NULL) {
		pthread_mutex_destroy(&crew->state->lock);
		pthread_cond_destroy(&crew->state->work);
		pthread_cond_destroy(&crew->state->done);
	}
	free(crew->state);
	for (unsigned i = 0; i < CREW_DEPTH; i++)
		if (crew->batch[i] != NULL) {
			batch_release(crew->batch[i]);
			free(crew->batch[i]);
		}
	*crew = (struct crew){0};
}

/* --- batches --------------------------------------------------------------------------------- */

struct batch *crew_batch(struct crew *crew, struct account *account)
{
	struct batch **batch;

	if (crew->account != account) {
		crew_wait(crew);
		crew->account = account;
	}
	if (crew->hands > 1)
		work_down(crew->state, CREW_DEPTH - 1);
	/* Alone, one will do. */
	else
		crew->submitted = 0;
	batch = &crew->batch[crew->submitted % CREW_DEPTH];
	if (*batch == NULL)
		*batch = calloc(1, sizeof(**batch));
	if (*batch != NULL)
		batch_clear(*batch);
	return *batch;
}

void crew_submit(struct crew *crew)
{
	struct crew_state *state = crew->state;
	struct batch *batch = crew->batch[crew->submitted % CREW_DEPTH];

	if (crew->hands <= 1) {
		pairing_run(&crew->account->pairing, batch, 0, 1);
		account_finish(crew->account, batch);
		return;
	}
	crew->submitted++;
	pthread_mutex_lock(&state->lock);
	state->submitted = crew->submitted;
	if (state->idle != 0 && state->submitted - state->finish.next >= WAKE_BATCHES)
		pthread_cond_signal(&state->work);
	pthread_mutex_unlock(&state->lock);
}

void crew_wait(struct crew *crew)
{
	if (crew != NULL && crew->hands > 1)
		work_down(crew->state, 0);
}
