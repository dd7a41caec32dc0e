# SPDX-License-Identifier: LGPL-2.1-or-later
# tier: test
# A library built by clang and without optimization: what must be entered by a jump still is.
. "$TESTS/lib.sh"
need make clang

make -s -C "$TESTS/.." B="$PWD/built" CC=clang CFLAGS='-O0 -g' "$PWD/built/libmallograph.so" \
	>make.out 2>&1 || fail "make: $(cat make.out)"
! grep warning: make.out || fail "warnings: $(cat make.out)"
cp "$MALLOGRAPH" built/mallograph || fail cp
usual=$MALLOGRAPH
MALLOGRAPH=$PWD/built/mallograph

# without a slash, found by load_past's own RUNPATH
for how in deep namespace plain; do
	record -o $how.mlg "$VICTIMS/load_past" $how plugin_allocates.so >out
	equal "status of $how" $status 0
	equal "output of $how" "$(cat out)" fine
	whole $how.mlg
done
# six arguments, errno, a child that leaves a syscall on another stack than it came on
cat >calls.c <<'END_C'
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static _Alignas(16) void *stack[4096];

static void child(void)
{
	syscall(SYS_exit, 7);
}

int main(int argc, char **argv)
{
	char bytes[64], name[16] = "";
	int fd = open(argv[0], O_RDONLY), status = 0;
	long at = syscall(SYS_mmap, NULL, 64, PROT_READ, MAP_PRIVATE, fd, 4096);

	if (at == -1 || pread(fd, bytes, 64, 4096) != 64 || memcmp((void *)at, bytes, 64))
		return 1;
	if (syscall(SYS_close, -1) != -1 || errno != EBADF)
		return 2;
	if (syscall(SYS_prctl, PR_SET_NAME, "by number") || prctl(PR_GET_NAME, name) ||
	    strcmp(name, "by number") || prctl(PR_SET_SECCOMP, 77, 0, 0, 0) != -1 || errno != EINVAL)
		return 3;
	stack[4000] = (void *)child;
	if (syscall(SYS_clone, CLONE_VM | CLONE_VFORK | SIGCHLD, &stack[4000], 0, 0, 0) < 0 ||
	    wait(&status) < 0 || WEXITSTATUS(status) != 7)
		return 4;
	return 5;
}
END_C
gcc -O1 -w -o calls calls.c || fail gcc
./calls
equal "status of calls alone" $? 5
record -o calls.mlg ./calls
equal "status of calls" $status 5
"$usual" record -q -o calls.2.mlg ./calls
equal "status of calls with the library as it is" $? 5
record -o filter.mlg "$VICTIMS/confined" filter >out
equal "status of filter" $status 6
equal "allocations of filter" "$(figure allocations filter.mlg)" 120000
