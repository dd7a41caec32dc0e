/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * random_program SEED turns|free: a program that does what a seed says, with all that allocates: in
 * threads that come and go, in children that it forks or starts, in signal handlers, in an image
 * that follows by exec; and that ends in any way. Each process image writes the file model.PID
 * (model.PID.2 behind an exec) with the figures that its trace must have (random_model.h). The
 * first process says on its output how it will end: the status of record.
 *
 * In turns threads run one after another, as the seed says, so that every figure is known; free
 * they all run at once, and the peak and what is temporary are known within bounds.
 *
 * SEED 0 does nothing, and writes nothing: what its trace holds is what a C++ program allocates by
 * itself.
 */
#include <climits>
#include <csignal>
#include <pthread.h>
#include <semaphore.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "random_sites.h"

enum { ALIVE_MOST = 6, STACK_BYTES = 256 << 10, DEPTH_MOST = 5, CHILDREN_MOST = 3 };
enum { GENERATIONS_MOST = 3 };
static const uint64_t EXCEPTION_BYTES = 128; /* libstdc++'s header in front of an exception */

extern char **environ;

struct worker {
	pthread_t thread;
	sem_t go, done;
	bool leave, alive;
	struct slot kept; /* until the thread ends */
};

static struct worker workers[ACTORS]; /* workers[i] is actors[i]; 0 is none */
static unsigned worker_count;         /* ever, in this process */
static unsigned stacks, stacks_used;  /* that libc has for threads */
static bool on_thread_stack;          /* the first: a forked thread's */
static pthread_key_t key;

static char path[PATH_MAX]; /* of this program */
static uint64_t seed;
static bool in_turns, forked;
static unsigned generation; /* of the first process: 0 */
static unsigned image = 1;  /* of this process: 2 behind an exec */
static unsigned slots_used, budget_most;
static unsigned children;
static pid_t running[CHILDREN_MOST];
static thread_local unsigned budget;
static thread_local uint64_t thrown;

static void live();

static void begin_actor(struct actor *actor, uint64_t number)
{
	me = actor;
	*me = {};
	me->nodes = mapped<struct node>(NODES);
	me->node_count = 1;
	me->tid = gettid();
	me->random = (seed * 1000 + number + 1) * UINT64_C(0x9e3779b97f4a7c15) | 1;
	for (int i = 0; i < 10; i++)
		dice(2);
}

/* --- children and other images --------------------------------------------------------------- */

static void number_text(char *digits, uint64_t value)
{
	struct text text = {-1, 0, digits};

	text_number(&text, value);
	digits[text.used] = '\0';
}

/* How another image is started. */
struct arguments {
	char numbers[3][24];
	char *words[6];

	explicit arguments(unsigned image_then)
	{
		number_text(numbers[0], 1 + dice(1000000000));
		number_text(numbers[1], generation + 1);
		number_text(numbers[2], image_then);
		words[0] = path;
		words[1] = numbers[0];
		words[2] = const_cast<char *>(in_turns ? "turns" : "free");
		words[3] = numbers[1];
		words[4] = numbers[2];
		words[5] = nullptr;
	}
};

/* In a child all actors are gone but the one that forked; libc has the stacks of the others, even
 * that of the first where it was a forked thread itself. */
static void begin_child()
{
	if (me != &actors[0]) {
		stacks -= !on_thread_stack;
		on_thread_stack = true;
		actors[0] = *me;
		me = &actors[0];
	}
	me->tid = getpid();
	me->random = (me->random + children) * UINT64_C(0x9e3779b97f4a7c15) | 1;
	for (unsigned i = 1; i < ACTORS; i++)
		actors[i] = {}, workers[i] = {};
	for (struct slot &slot : slots)
		slot.number = INHERITED;
	memset(running, 0, sizeof(running));
	event_count = stacks_used = worker_count = children = 0;
	image = 1;
	forked = true;
	generation++;
}

static void must_have_ended(pid_t child)
{
	int status;

	MUST(waitpid(child, &status, 0) == child);
	/* 98 and 99 are what expect.h ends with */
	MUST(WIFSIGNALED(status) || WEXITSTATUS(status) < 90);
}

static void site_fork(unsigned number)
{
	frame here(__func__);
	pid_t child = fork();

	MUST(child >= 0);
	if (child == 0) {
		begin_child();
		live();
	}
	running[number] = child;
}

static void site_spawn(unsigned number)
{
	struct arguments arguments(1);

	MUST(posix_spawn(&running[number], path, nullptr, nullptr, arguments.words, environ) == 0);
}

static void start_child()
{
	frame here(__func__);
	unsigned number;

	if (generation == GENERATIONS_MOST)
		return;
	number = __atomic_fetch_add(&children, 1, __ATOMIC_SEQ_CST);
	if (number >= CHILDREN_MOST)
		return;
	if (dice(4) == 0)
		site_spawn(number);
	else
		site_fork(number);
	if (dice(2) == 0) {
		must_have_ended(running[number]);
		running[number] = 0;
	}
}

/* --- what an actor does ---------------------------------------------------------------------- */

static void use_slot()
{
	frame here(__func__);
	struct slot *slot = &slots[dice(slots_used)];

	if (!claim(slot))
		return;
	if (slot->block)
		change(slot);
	else
		allocate(slot);
	leave(slot);
}

static void on_signal(int)
{
	frame here(__func__);

	for (uint64_t i = 1 + dice(3); i > 0; i--)
		use_slot();
}

static void site_raise()
{
	frame here(__func__);

	raise(SIGUSR1);
}

static void site_throw()
{
	frame here(__func__);

	thrown = log_allocation("malloc", EXCEPTION_BYTES + sizeof(int));
	throw 1;
}

static void operate()
{
	frame here(__func__);

	switch (dice(100)) {
	case 0:
		site_nothing();
		break;
	case 1:
	case 2:
	case 3:
		site_at_once();
		break;
	case 4:
		site_raise();
		break;
	case 5:
		if (dice(8) == 0)
			start_child();
		break;
	case 6:
		site_throw();
		break;
	default:
		use_slot();
		break;
	}
}

static void walk(unsigned depth);

static void walk_left(unsigned depth)
{
	frame here(__func__);

	walk(depth);
}

static void walk_right(unsigned depth)
{
	frame here(__func__);
	volatile char room[500];

	room[0] = 0;
	walk(depth + static_cast<unsigned>(room[0]));
}

static void walk(unsigned depth)
{
	frame here(__func__);

	while (budget > 0 && dice(5) != 0) {
		budget--;
		operate();
		if (depth == DEPTH_MOST || dice(2) == 0)
			continue;
		if (dice(2) == 0)
			walk_left(depth + 1);
		else
			walk_right(depth + 1);
	}
}

static void burst()
{
	frame here(__func__);

	budget = 1 + static_cast<unsigned>(dice(budget_most));
	while (budget > 0) {
		try {
			walk(0);
		} catch (int) {
			log_deallocation(thrown);
		}
	}
}

/* --- threads --------------------------------------------------------------------------------- */

/* Runs when the thread is almost gone. */
static void let_go(void *kept)
{
	frame here(__func__);

	site_release(static_cast<struct slot *>(kept));
	use_slot();
}

static void *work(void *argument)
{
	struct worker *worker = static_cast<struct worker *>(argument);
	unsigned number = static_cast<unsigned>(worker - workers);

	begin_actor(&actors[number], number);
	frame here(__func__);
	sem_post(&worker->done);
	for (;;) {
		while (sem_wait(&worker->go) != 0)
			;
		if (worker->leave)
			break;
		burst();
		sem_post(&worker->done);
	}
	if (dice(2) == 0) {
		site_malloc(&worker->kept, dice(1000));
		pthread_setspecific(key, &worker->kept);
	}
	return nullptr;
}

static void await(struct worker *worker)
{
	while (sem_wait(&worker->done) != 0)
		;
}

static void start_worker()
{
	frame here(__func__);
	struct worker *worker;
	pthread_attr_t attributes;

	if (worker_count == ACTORS - 1 || stacks_used == ALIVE_MOST)
		return;
	worker = &workers[++worker_count];
	worker->alive = true;
	sem_init(&worker->go, 0, 0);
	sem_init(&worker->done, 0, 0);
	MUST(!pthread_attr_init(&attributes));
	MUST(!pthread_attr_setstacksize(&attributes, STACK_BYTES));
	MUST(!pthread_create(&worker->thread, &attributes, work, worker));
	if (stacks_used++ == stacks) {
		stacks++;
		log_allocation("calloc", thread_block_bytes());
	}
	await(worker);
}

static void end_worker(struct worker *worker)
{
	worker->leave = true;
	sem_post(&worker->go);
	MUST(!pthread_join(worker->thread, nullptr));
	worker->alive = false;
	stacks_used--;
}

static void take_turn(struct worker *worker)
{
	sem_post(&worker->go);
	await(worker);
}

static void run_all()
{
	frame here(__func__);

	for (unsigned i = 1; i <= worker_count; i++)
		if (workers[i].alive)
			sem_post(&workers[i].go);
	burst();
	for (unsigned i = 1; i <= worker_count; i++)
		if (workers[i].alive)
			await(&workers[i]);
}

static void round()
{
	frame here(__func__);
	struct worker *worker = &workers[dice(worker_count + 1)];

	log_event(BARRIER, 0, 0, false);
	if (dice(8) == 0)
		start_worker();
	else if (dice(16) == 0 && worker->alive)
		end_worker(worker);
	if (!in_turns)
		run_all();
	else if (worker->alive)
		take_turn(worker);
	else
		burst();
}

/* --- the end --------------------------------------------------------------------------------- */

static void write_model()
{
	struct text text = {-1, 0, mapped<char>(TEXT_BYTES)};
	char name[64] = "model.";
	struct model model = {};

	number_text(name + strlen(name), static_cast<uint64_t>(getpid()));
	if (image > 1) {
		strcat(name, ".");
		number_text(name + strlen(name), image);
	}
	text.fd = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	MUST(text.fd >= 0);
	count_everything(&model);
	say_totals(&text, &model, in_turns);
	for (struct actor &actor : actors)
		say_actor(&text, &actor, in_turns);
	if (!forked)
		text_add(&text, "runtime\t1\n");
	text_flush(&text);
	close(text.fd);
}

enum end { END_EXIT, END_BARE_EXIT, END_QUICK_EXIT, END_ABORT, END_KILL, END_SEGV, END_EXEC, ENDS };

static void say_status(enum end end)
{
	static const int signals[ENDS] = {0, 0, 0, SIGABRT, SIGKILL, SIGSEGV, 0};
	char digits[24];

	number_text(digits, static_cast<uint64_t>(signals[end] != 0 ? 128 + signals[end] : end));
	say("status ");
	say(digits);
	say("\n");
}

[[noreturn]] static void finish()
{
	enum end end = static_cast<enum end>(dice(generation < GENERATIONS_MOST ? ENDS : END_EXEC));
	struct arguments arguments(image + 1);

	for (pid_t child : running)
		if (child > 0)
			must_have_ended(child);
	write_model();
	if (end == END_EXEC)
		execv(path, arguments.words);
	if (image == generation + 1)
		say_status(end);
	switch (end) {
	case END_BARE_EXIT:
		_exit(end);
	case END_QUICK_EXIT:
		quick_exit(end);
	case END_ABORT:
		abort();
	case END_KILL:
		raise(SIGKILL);
		break;
	case END_SEGV:
		raise(SIGSEGV);
		break;
	default:
		break;
	}
	exit(end);
}

static void live()
{
	frame here(__func__);

	slots_used = 1 + static_cast<unsigned>(dice(SLOTS));
	budget_most = 1 + static_cast<unsigned>(dice(100));
	for (uint64_t i = 1 + dice(uint64_t{1} << dice(forked ? 6 : 9)); i > 0; i--)
		if (event_count < EVENTS / 4)
			round();
	finish();
}

/* --- the beginning --------------------------------------------------------------------------- */

/* SEED turns|free [GENERATION IMAGE] */
int main(int argc, char **argv)
{
	const struct rlimit no_core = {0, 0};
	struct sigaction action = {};
	ssize_t length = readlink("/proc/self/exe", path, sizeof(path) - 1);

	MUST(argc > 2 && length > 0);
	seed = strtoull(argv[1], nullptr, 10);
	in_turns = strcmp(argv[2], "turns") == 0;
	if (argc == 5) {
		generation = static_cast<unsigned>(strtoul(argv[3], nullptr, 10));
		image = static_cast<unsigned>(strtoul(argv[4], nullptr, 10));
	}
	begin_actor(&actors[0], 0);
	frame here(__func__);
	events = mapped<struct event>(EVENTS);
	memset(letters, 'x', sizeof(letters) - 1);
	action.sa_handler = on_signal;
	MUST(!sigaction(SIGUSR1, &action, nullptr));
	MUST(!pthread_key_create(&key, let_go));
	MUST(!setrlimit(RLIMIT_CORE, &no_core));
	if (seed != 0)
		live();
	return 0;
}
