/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * confined HOW: BLOCKS pairs of malloc and free before it takes something from itself, and
 * BLOCKS behind, from other stacks; ends with 6.
 *
 *   undumpable    nobody may look into this process
 *   user          a user namespace of its own
 *   namespaces    all the namespaces of a container, by setns()
 *   no_files      RLIMIT_NOFILE 0
 *   less_memory   RLIMIT_AS for twice of what it will need, set while it runs
 *   no_memory     RLIMIT_AS until malloc gives NULL
 *   locked        mlockall() of what is there and what will be: a few megabytes
 *   strict        seccomp: read, write, _exit and no other
 *   strict_thread a thread does that, while others are there
 *   filter        seccomp: what an allocator needs, and no other; what else comes is death
 *   no_futex      the same without futex
 *   no_map        the same without memory, for what needs none
 *   filter_lies   seccomp: no file is opened, but is said to be
 *   filter_exec   a filter for all but what a recording begins with, then another program
 *   filter_search one for all but what it takes to look for a program, which exec doesn't
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include "expect.h"

#define BLOCKS      60000
#define BLOCK_BYTES 48
#define LARGE       (64u << 20)
#define LOCKED_KB   (64u << 10)
#define DEPTH       40

static void __attribute__((noinline)) deep(int depth)
{
	free(malloc(BLOCK_BYTES));
	if (depth > 1)
		deep(depth - 1);
}

static void allocate(void)
{
	for (int i = 0; i < BLOCKS / DEPTH; i++)
		deep(DEPTH);
}

/* Behind: the same number of blocks, from another stack, half of them deeper than any before. */
static void __attribute__((noinline)) allocate_confined(void)
{
	for (int i = 0; i < BLOCKS / (2 * DEPTH); i++)
		deep(DEPTH);
	for (int i = 0; i < BLOCKS / (4 * DEPTH); i++)
		deep(2 * DEPTH);
}

static void limit(int resource, rlim_t least)
{
	struct rlimit limit = {least, least};

	MUST(!setrlimit(resource, &limit));
	MUST(!getrlimit(resource, &limit) && limit.rlim_cur == least && limit.rlim_max == least);
}

/* Of the process, in bytes: what it has as well when it is not recorded lies below 32 MB. */
static void with_less_memory(void)
{
	char *block;

	limit(RLIMIT_AS, 2 * LARGE);
	MUST((block = malloc(LARGE)));
	memset(block, 1, LARGE);
	free(block);
}

static void without_memory(void)
{
	struct rlimit before, none = {0, 0};
	char *list = NULL;

	MUST(!getrlimit(RLIMIT_AS, &before));
	none.rlim_max = before.rlim_max;
	MUST(!setrlimit(RLIMIT_AS, &none));
	for (char *block; (block = malloc(LARGE / 1024)); list = block)
		*(char **)block = list;
	MUST(errno == ENOMEM);
	MUST(!setrlimit(RLIMIT_AS, &before));
	while (list) {
		char *next = *(char **)list;

		free(list);
		list = next;
	}
}

static void lock_all(void)
{
	char line[256];
	FILE *status;

	MUST(!mlockall(MCL_CURRENT | MCL_FUTURE));
	MUST(status = fopen("/proc/self/status", "r"));
	while (fgets(line, sizeof(line), status))
		if (!strncmp(line, "VmLck:", 6))
			MUST(strtoul(line + 6, NULL, 10) < LOCKED_KB);
	fclose(status);
}

/* Into the namespaces that a child has made. */
static void other_namespaces(void)
{
	const int all = CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWNET;
	int ready[2], fd;
	char byte, path[64];
	pid_t child;

	MUST(!pipe(ready) && (child = fork()) >= 0);
	if (child == 0) {
		MUST(!unshare(all) && write(ready[1], "", 1) == 1);
		for (;;)
			pause();
	}
	MUST(read(ready[0], &byte, 1) == 1);
	snprintf(path, sizeof(path), "/proc/%d", (int)child);
	MUST((fd = (int)syscall(SYS_pidfd_open, child, 0)) >= 0);
	MUST(!setns(fd, all));
	kill(child, 9);
}

/* Its allocator has all that it needs from before; a strict thread can't end as others do. */
static void *strict_thread(void *unused)
{
	(void)unused;
	allocate();
	MUST(!prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT));
	allocate_confined();
	syscall(SYS_exit, 0);
	return NULL;
}

static void with_strict_thread(void)
{
	pthread_t thread;

	MUST(!pthread_create(&thread, NULL, strict_thread, NULL));
	MUST(!pthread_join(thread, NULL));
}

#define ALLOW(number)                                                                              \
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 1),                                         \
	    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)
#define KILL       BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS)
#define LOAD(what) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, what))

/* mmap only of memory that is neither shared nor executable, as such filters like to say. */
static void filter(int memory, int also)
{
	struct sock_filter code[] = {
	    LOAD(nr),
	    ALLOW(SYS_read),
	    ALLOW(SYS_write),
	    ALLOW(SYS_exit),
	    ALLOW(SYS_exit_group),
	    ALLOW((unsigned)also),
	    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_brk, (unsigned char)(memory ? 3 : 2), 0),
	    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_munmap, (unsigned char)(memory ? 2 : 1), 0),
	    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_mmap, (unsigned char)(memory ? 2 : 0), 0),
	    KILL,
	    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	    LOAD(args[2]),
	    BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, PROT_EXEC, 0, 1),
	    KILL,
	    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = {sizeof(code) / sizeof(*code), code};

	MUST(!prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
	if (also == SYS_futex)
		MUST(!syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program));
	else
		MUST(!prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program));
}

/* This for one system call. */
static void filter_one(unsigned number, unsigned verdict)
{
	struct sock_filter code[] = {
	    LOAD(nr),
	    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 1),
	    BPF_STMT(BPF_RET | BPF_K, verdict),
	    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = {sizeof(code) / sizeof(*code), code};

	MUST(!prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
	MUST(!prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program));
}

/* Who closes what it has not opened closes this. */
static void filter_lies(void)
{
	static char too_long[1u << 20];

	memset(too_long, 'x', sizeof(too_long) - 1);
	filter_one(SYS_openat, SECCOMP_RET_ERRNO | 0);
	MUST(execl("/bin/true", "true", too_long, (char *)NULL) < 0 && errno == E2BIG);
	MUST(fcntl(0, F_GETFD) >= 0);
}

static void filter_and_exec(const char *program_path)
{
	filter_one(SYS_shmat, SECCOMP_RET_KILL_PROCESS);
	execl(program_path, program_path, "no_files", (char *)NULL);
}

static void filter_and_search(void)
{
	filter_one(SYS_faccessat2, SECCOMP_RET_KILL_PROCESS);
	execlp("confined", "confined", "no_files", (char *)NULL);
}

int main(int argc, char **argv)
{
	const char *how = argc > 1 ? argv[1] : "";

	allocate();
	if (!strcmp(how, "undumpable"))
		MUST(!prctl(PR_SET_DUMPABLE, 0, 0, 0, 0));
	else if (!strcmp(how, "user"))
		MUST(!unshare(CLONE_NEWUSER));
	else if (!strcmp(how, "namespaces"))
		other_namespaces();
	else if (!strcmp(how, "no_files"))
		limit(RLIMIT_NOFILE, 0);
	else if (!strcmp(how, "less_memory"))
		with_less_memory();
	else if (!strcmp(how, "no_memory"))
		without_memory();
	else if (!strcmp(how, "locked"))
		lock_all();
	else if (!strcmp(how, "strict"))
		MUST(!prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT));
	else if (!strcmp(how, "strict_thread"))
		with_strict_thread();
	else if (!strcmp(how, "filter"))
		filter(1, SYS_futex);
	else if (!strcmp(how, "no_futex"))
		filter(1, SYS_exit);
	else if (!strcmp(how, "no_map"))
		filter(0, SYS_exit);
	else if (!strcmp(how, "filter_exec"))
		filter_and_exec(argv[0]);
	else if (!strcmp(how, "filter_lies"))
		filter_lies();
	else if (!strcmp(how, "filter_search"))
		filter_and_search();
	else
		return 99;
	allocate_confined();
	say("fine\n");
	if (!strcmp(how, "strict"))
		syscall(SYS_exit, 6);
	_exit(6);
}
