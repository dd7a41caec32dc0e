# SPDX-License-Identifier: LGPL-2.1-or-later
# timeout: 120
# tier: test
# Programs that take something from themselves: output and status are as alone, and the
# trace is exact, or says what is missing.
. "$TESTS/lib.sh"
ulimit -c 0
BLOCKS=60000 # confined.c

confined() { # HOW ALLOCATIONS
	"$VICTIMS/confined" "$1" >native 2>&1
	if [ $? != 6 ]; then
		echo "$1: not possible here: $(cat native)"
		return
	fi
	record -o "$1.mlg" "$VICTIMS/confined" "$1" >out
	equal "status of $1" $status 6
	cmp native out || fail "the output of $1 differs: $(cat out)"
	[ ! -s record.err ] || fail "$1: says $(cat record.err)"
	whole "$1.mlg"
	[ -n "$2" ] && equal "allocations of $1" "$(figure allocations "$1.mlg")" "$2"
	equal "lost of $1" "$(figure lost "$1.mlg")" 0
	equal "unknown frees of $1" "$(figure unknown_frees "$1.mlg")" 0
	equal "leaked by $1" "$(figure leaked_blocks "$1.mlg")" 0
	"$MALLOGRAPH" print -s 1000 "$1.mlg" >"$1.report" || fail "print $1"
	grep -q allocate_confined "$1.report" || fail "$1: no stack from behind"
	! grep -qiE 'incomplete|without a stack' "$1.report" ||
		fail "$1: $(grep -iE 'incomplete|without a stack' "$1.report")"
}

for how in undumpable user namespaces no_files strict filter no_futex no_map filter_lies; do
	confined $how $((2 * BLOCKS))
done
confined less_memory $((2 * BLOCKS + 1))
# fopen's block and its buffer
confined locked $((2 * BLOCKS + 2))
# as many as there was memory for
confined no_memory ""

# Strict mode takes a thread's clock away: beside others its events have no place, and are counted.
record -o thread.mlg "$VICTIMS/confined" strict_thread >out
equal "status of strict_thread" $status 6
equal "output of strict_thread" "$(cat out)" fine
equal "allocations of strict_thread" "$(figure allocations thread.mlg)" $((3 * BLOCKS + 1))
equal "lost of strict_thread" "$(figure lost thread.mlg)" $((2 * BLOCKS))
record -o delete.mlg "$VICTIMS/strict_delete" 10
equal "status of strict_delete" $status 0
equal "lost of strict_delete" "$(figure lost delete.mlg)" 10
"$MALLOGRAPH" print thread.mlg 2>&1 | grep -q "lost events: $((2 * BLOCKS)) " ||
	fail "print does not say what is lost: $("$MALLOGRAPH" print thread.mlg 2>&1 | tail -n 5)"

# A filter that forbids what a recording begins with, or to look for it: the next program is not
# recorded, and counted.
PATH=$VICTIMS:$PATH
for how in filter_exec filter_search; do
	"$VICTIMS/confined" $how >native
	equal "status of $how alone" $? 6
	"$MALLOGRAPH" record -o $how.mlg "$VICTIMS/confined" $how >out 2>err
	equal "status of $how" $? 6
	cmp native out || fail "the output of $how differs"
	equal "allocations before the exec" "$(figure allocations $how.mlg)" $BLOCKS
	[ "$(ls $how*.mlg)" = $how.mlg ] || fail "traces: $(ls $how*.mlg)"
	grep -qE '^ +unrecorded +1 ' err || fail "says nothing of the program: $(cat err)"
done

# RLIMIT_AS before the start: the program has what it asks for; or is told that it is
# not recorded, where the shared memory doesn't fit.
record -o as.mlg bash -c "ulimit -v 300000; exec '$VICTIMS/confined' no_files" >out
equal "status with 300 MB" $status 6
equal "output with 300 MB" "$(cat out)" fine
if [ -s record.err ]; then
	grep -q 'address space limit' record.err || fail "with 300 MB: says $(cat record.err)"
else
	equal "allocations with 300 MB" "$(figure allocations as.2.mlg)" $((2 * BLOCKS))
fi
cat >large.c <<'END_C'
#include <stdlib.h>
int main(void)
{
	return malloc(900 << 20) ? 6 : 1;
}
END_C
gcc -O0 -g -w -o large large.c || fail "gcc"
large='ulimit -v 1228800; exec ./large'
bash -c "$large"
equal "900 of 1200 MB alone" $? 6
record -o large.mlg bash -c "$large"
equal "900 of 1200 MB" $status 6
equal "bytes of the one block" "$(figure bytes large.2.mlg)" $((900 << 20))

# More threads, one after another and all alive, than there are rings in what may be locked: what is
# lost is counted, and the program waits for none of them but the first.
cat >locked.c <<'END_C'
#define _GNU_SOURCE
#include <pthread.h>
#include <stdlib.h>
#include <sys/mman.h>
enum { THREADS = 200, BLOCKS = 10 };
static pthread_barrier_t next, end;
static void *run(void *unused)
{
	for (int i = 0; i < BLOCKS; i++)
		free(malloc(40));
	pthread_barrier_wait(&next);
	pthread_barrier_wait(&end);
	return unused;
}
int main(void)
{
	pthread_attr_t small;
	pthread_t thread;
	free(malloc(1));
	if (mlockall(MCL_CURRENT | MCL_FUTURE))
		return 1;
	pthread_attr_init(&small);
	pthread_attr_setstacksize(&small, 64 << 10);
	pthread_barrier_init(&next, NULL, 2);
	pthread_barrier_init(&end, NULL, THREADS + 1);
	for (int i = 0; i < THREADS; i++) {
		if (pthread_create(&thread, &small, run, NULL))
			return 2;
		pthread_barrier_wait(&next);
	}
	pthread_barrier_wait(&end);
	pthread_exit(NULL);
}
END_C
gcc -O0 -fno-builtin -pthread -w -o locked_threads locked.c || fail "gcc"
timeout 20 "$MALLOGRAPH" record -q -o threads.mlg ./locked_threads 2>err
equal "status of locked_threads" $? 0
lost=$(figure lost threads.mlg)
at_least "events lost" "$lost" 20
equal "events lost of a thread that got no ring" "$((lost % 20))" 0
