# SPDX-License-Identifier: LGPL-2.1-or-later
# timeout: 120
# tier: test
# The recorder out of memory, at each place where it asks for some (tests/fault.c): the program
# ends as ever, or is not started and one line says why; what is missing is said and
# counted; what is there can be read.
. "$TESTS/lib.sh"
need gcc
STEP=${STEP:-11}

gcc -O1 -shared -fPIC -fno-builtin -o fault.so "$TESTS/fault.c" || fail "gcc fault.c"
cat >many.c <<'END'
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>
enum { THREADS = 24, ROUNDS = 10, BLOCKS = 500 };
static void *work(void *argument)
{
	void *block[BLOCKS];
	for (int round = 0; round < ROUNDS; round++) {
		for (int i = 0; i < BLOCKS; i++)
			block[i] = malloc(16 + (i * 7 + (long)argument * 13) % 900);
		for (int i = 0; i < BLOCKS; i++)
			free(block[i]);
	}
	return NULL;
}
int main(void)
{
	pthread_t thread[THREADS];
	int status, sum = 0;
	for (int child = 0; child < 2; child++)
		if (fork() == 0) {
			work((void *)3);
			_exit(3);
		}
	for (long i = 0; i < THREADS; i++)
		if (pthread_create(&thread[i], NULL, work, (void *)i))
			return 1;
	for (int i = 0; i < THREADS; i++)
		pthread_join(thread[i], NULL);
	while (wait(&status) > 0)
		sum += WEXITSTATUS(status);
	return sum == 6 ? 9 : 1;
}
END
gcc -O1 -fno-builtin -pthread -w -o many many.c || fail "gcc many.c"
made=$((24 * 10 * 500)) # by the threads; stdio and libc make some more

fault() { # FAULT COMMAND...
	local fault=$1
	shift
	timeout -k 1 30 env FAULT="$fault" LD_PRELOAD="$PWD/fault.so" \
		"$MALLOGRAPH" record -q -o f.mlg "$@" >out 2>err </dev/null
	status=$?
}

LD_PRELOAD=$PWD/fault.so "$MALLOGRAPH" --version >out 2>err
[ ! -s err ] || skip "nothing can be preloaded here (a sanitizer)"

asked() { # COMMAND...: how often the recorder asks for memory
	rm -f count f*.mlg
	fault "count:$PWD/count" "$@"
	wait_for test -s count
	cat count
}

# after FAULT: STATUS and LEAST allocations, recorded or lost
check() {
	local fault=$1 expected=$2 least=$3 allocations lost
	if [ $status = 125 ]; then
		equal "lines with $fault" "$(wc -l <err)" 1
		grep -q '^mallograph: .*out of memory' err || fail "$fault: $(cat err)"
		[ ! -e f.mlg ] || fail "$fault: leaves a file: $(ls -l f.mlg)"
		refused=$((refused + 1))
		return
	fi
	equal "status with $fault" $status "$expected"
	"$MALLOGRAPH" info f.mlg >info.out 2>&1 || fail "$fault: info: $(cat info.out)"
	grep -qE '^state +complete$' info.out || fail "$fault: $(cat info.out)"
	# Events that stop where the totals go on are no contradiction.
	figures f.mlg >figures.out 2>&1 || grep -q 'events recorded up to' info.out ||
		fail "$fault: figures: $(cat figures.out)"
	allocations=$(sed -n 's/^allocations=//p' figures.out)
	lost=$(sed -n 's/^lost=//p' figures.out)
	at_least "allocations and lost events with $fault" $((allocations + lost)) "$least"
	[ "$lost" = 0 ] || {
		grep -q "^mallograph: f.mlg: $lost events could not be recorded" err ||
			fail "$fault: loses $lost events and says $(cat err)"
		lossy=$((lossy + 1))
	}
	grep -qE '^missing +nothing' info.out || lacking=$((lacking + 1))
}

sweep() { # STATUS LEAST COMMAND...
	local expected=$1 least=$2 most at after
	shift 2
	refused=0 lossy=0 lacking=0
	most=$(asked "$@") || exit 1
	at_least "allocations of the recorder" "$most" 100
	for after in '' +; do
		for ((at = 1; at <= most; at += step)); do
			rm -f f*.mlg
			fault "memory:$at$after" "$@"
			check "memory:$at$after of $*" "$expected" "$least"
		done
	done
	echo "$*: $most places; refused $refused, lossy $lossy, lacking $lacking"
	at_least "runs that were refused" $refused 1
	at_least "runs that lost events" $lossy 1
	at_least "runs that lack something" $lacking 1
}
step=$STEP
sweep 42 1000 "$VICTIMS/die" exit 1000
step=$((STEP * 6))
sweep 9 $made ./many

# Large tables alone can't be had: what the program leaves is counted all the same.
fault memory:1/1000000 perl -e 'my %h; $h{$_} = "x$_" for 1..60000; exit 7'
check "memory:1/1000000 of perl" 7 120000
exit 0
