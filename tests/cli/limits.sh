# SPDX-License-Identifier: LGPL-2.1-or-later
# Programs with tight limits, without a view of the file system, or with other users.
. "$TESTS/lib.sh"

limited() { # NAME SETUP
	record -o "$1.mlg" bash -c "$2; exec '$VICTIMS/die' exit 4321"
	equal "status with $1" $status 42
	[ ! -s record.err ] || fail "with $1: says $(cat record.err)"
	equal "allocations with $1" "$(figure allocations "$1.2.mlg")" 4321
	whole "$1.2.mlg"
}
limited files 'ulimit -f 0'
limited descriptors 'ulimit -n 4'
limited processes 'ulimit -u 1'
limited stack 'ulimit -s 256'
limited core 'ulimit -c 0'
limited memory 'ulimit -v 2000000'
limited locked 'ulimit -l 0'

# The launcher itself may have them as well.
(
	ulimit -n 64 -s 512
	record -o n.mlg "$VICTIMS/die" exit 10
	equal "status with few descriptors" $status 42
	equal "allocations" "$(figure allocations n.mlg)" 10
) || exit 1

# A process that leaves its root and its user behind keeps being recorded, in a child too.
if [ "$(id -u)" = 0 ]; then
	cat >leave.c <<-'END'
		#include <stdlib.h>
		#include <sys/wait.h>
		#include <unistd.h>
		int main(void)
		{
			int status = 0;
			for (int i = 0; i < 100; i++)
				malloc(10);
			if (chroot("empty") || chdir("/") || setgid(65534) || setuid(65534))
				return 1;
			for (int i = 0; i < 100; i++)
				malloc(20);
			if (fork() == 0) {
				for (int i = 0; i < 50; i++)
					malloc(30);
				_exit(4);
			}
			wait(&status);
			return WEXITSTATUS(status);
		}
	END
	gcc -O0 -g -w -o leave leave.c && mkdir empty || fail "gcc"
	record -o l.mlg ./leave
	equal "status" $status 4
	equal "allocations" "$(figure allocations l.mlg)" 200
	equal "allocations of the child" "$(figure allocations l.2.mlg)" 50
	"$MALLOGRAPH" print l.mlg | grep -qx main || fail "main is not named"
fi

# seccomp: any call but what an allocator needs, and we, ends the program
cat >filter.c <<'END'
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>
#define ALLOW(number) \
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 1), \
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)
static void deep(int depth)
{
	free(malloc(50));
	if (depth)
		deep(depth - 1);
}
int main(void)
{
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0),
		ALLOW(SYS_brk), ALLOW(SYS_mmap), ALLOW(SYS_munmap), ALLOW(SYS_futex),
		ALLOW(SYS_rt_sigprocmask), ALLOW(SYS_exit_group),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
	};
	struct sock_fprog program = {sizeof(filter) / sizeof(*filter), filter};
	free(malloc(100000));
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || prctl(PR_SET_SECCOMP, 2, &program))
		return 1;
	for (int i = 0; i < 50000; i++)
		free(malloc(50));
	deep(99);
	return 6;
}
END
gcc -O0 -g -w -o filter filter.c || fail "gcc"
record -o s.mlg ./filter
equal "status under seccomp" $status 6
equal "allocations under seccomp" "$(figure allocations s.mlg)" $((1 + 50000 + 100))
whole s.mlg
