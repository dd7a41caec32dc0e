# SPDX-License-Identifier: LGPL-2.1-or-later
# timeout: 180
# tier: test
# What happens to the recorder, and what its disk does to it: the program ends as ever, the user
# is told what is missing, and what was written can be read.
. "$TESTS/lib.sh"
need gcc

cat >busy.c <<'END'
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
/* busy COUNT [FILE]: that many allocations; waits for FILE half-way */
int main(int argc, char **argv)
{
	static void *live[4096];
	unsigned long state = 1, count = strtoul(argv[1], NULL, 10);
	for (unsigned long i = 0; i < count; i++) {
		state = state * 6364136223846793005u + 1442695040888963407u;
		void **slot = &live[state >> 52];
		free(*slot);
		*slot = malloc(state >> 33 & 1023);
		if (argc > 2 && i == count / 2) {
			write(1, "half\n", 5);
			while (access(argv[2], F_OK) != 0)
				usleep(10000);
		}
	}
	write(1, "done\n", 5);
	return 5;
}
END
gcc -O1 -fno-builtin -w -o busy busy.c || fail "gcc busy.c"
gcc -O1 -shared -fPIC -fno-builtin -o fault.so "$TESTS/fault.c" || fail "gcc fault.c"

# Starts record in the background and waits until the program is half-way: sets launcher, recorder.
begin() { # FILE
	rm -f go out # that of the one before
	"$MALLOGRAPH" record -q -o "$1" ./busy 60000 "$PWD/go" >out 2>err &
	launcher=$!
	wait_for grep -q half out
	recorder_of $launcher || fail "no recorder"
}

ends() { # WHAT: as ever
	wait $launcher
	equal "status, $1" $? 5
	equal "output, $1" "$(cat out)" "$(printf 'half\ndone')"
}

# killed: what was written by then is there, and both say so
begin k.mlg
sleep 1 # events are written after half a second
kill -KILL "$recorder"
touch go
ends "recorder killed"
equal "lines" "$(wc -l <err)" 1
grep -q '^mallograph: the recorder was killed or hangs: the trace holds what was written' err ||
	fail "recorder killed: $(cat err)"
"$MALLOGRAPH" print k.mlg >print.out 2>print.err
equal "status of print" $? 1
grep -q 'k.mlg: cut off: figures up to' print.err || fail "print: $(cat print.err)"
equal "allocations before the kill" "$(figures k.mlg | sed -n 's/^allocations=//p')" 30001

# stopped, and continued in time: nothing is lost
begin s.mlg
kill -STOP "$recorder"
touch go
sleep 1
kill -CONT "$recorder"
ends "recorder stopped"
[ ! -s err ] || fail "recorder stopped: $(cat err)"
at_least "allocations" "$(figure allocations s.mlg)" 60000
whole s.mlg

# signals that end others don't end it
begin t.mlg
kill -TERM "$recorder"
kill -HUP "$recorder"
kill -INT "$recorder"
touch go
ends "recorder signalled"
whole t.mlg

# the launcher killed: program and recorder go on, and the trace gets whole behind it
begin l.mlg
kill -KILL $launcher
{ wait $launcher; } 2>/dev/null
touch go
wait_for grep -q "done" out
wait_for sh -c '! "$0" print l.mlg 2>&1 | grep -q "still recording"' "$MALLOGRAPH"
at_least "allocations behind the launcher's death" "$(figure allocations l.mlg)" 60000
whole l.mlg

# the program stopped, its recorder killed, the program continued
begin p.mlg
program=$(pgrep -P $launcher -x busy) || fail "no program"
kill -STOP "$program"
kill -KILL "$recorder"
touch go
kill -CONT "$program"
ends "recorder killed while the program was stopped"
grep -q '^mallograph: the recorder was killed or hangs' err || fail "not said: $(cat err)"

# two of one name: both traces are whole, and the second says where it is
begin two.mlg
"$MALLOGRAPH" record -q -o two.mlg "$VICTIMS/die" exit 77 2>second.err
equal "status of the second" $? 42
equal "the second says" "$(cat second.err)" \
	"mallograph: another recording is being written under this name: this trace is 'two.2.mlg'"
touch go
ends "two recorders"
[ ! -s err ] || fail "the first says $(cat err)"
at_least "allocations of the first" "$(figure allocations two.mlg)" 60000
equal "allocations of the second" "$(figure allocations two.2.mlg)" 77
whole two.mlg
whole two.2.mlg

# so are those of who begin at one time, one over an older trace
four_half() {
	[ "$(cat same.out? | grep -c half)" = 4 ]
}
for round in {1..10}; do
	rm -f go same.*
	[ $((round % 2)) = 0 ] || : >same.mlg
	for i in 1 2 3 4; do
		"$MALLOGRAPH" record -q -o same.mlg ./busy 100 "$PWD/go" >same.out$i 2>same.err$i &
	done
	wait_for four_half
	touch go
	wait
	for i in same.mlg same.2.mlg same.3.mlg same.4.mlg; do
		equal "allocations of $i, round $round" "$(figure allocations $i)" 100
	done
done

# the folder is removed: the loss is said
mkdir folder
begin folder/x.mlg
rm -r folder
touch go
ends "folder removed"
equal "says" "$(cat err)" \
	"mallograph: 'folder/x.mlg' was removed or replaced while it was written: the trace is lost"

# a folder that may not be written to, by one who isn't root: nothing is started
mkdir -m 755 closed public
become_user
if [ "$(id -u)" = 0 ]; then
	make -s -C "$TESTS/.." B="$(realpath --relative-to="$TESTS/.." "$BUILD")" install \
		DESTDIR="$PWD/i" PREFIX=/usr >make.out 2>&1 || fail "make install: $(cat make.out)"
	chmod -R a+rX i
	expect_error 125 "cannot write 'closed/x.mlg': Permission denied" \
		"${as_user[@]}" "$PWD/i/usr/bin/mallograph" record -o closed/x.mlg sh -c 'touch ran'
	[ ! -e ran ] || fail "the program was started"
	if mount -t tmpfs -o ro none closed 2>/dev/null; then
		expect_error 125 "cannot write 'closed/x.mlg': Read-only file system" \
			"$MALLOGRAPH" record -o closed/x.mlg sh -c 'touch ran'
		umount closed
		[ ! -e ran ] || fail "the program was started"
	fi
fi

LD_PRELOAD=$PWD/fault.so "$MALLOGRAPH" --version >out 2>preload.err
[ ! -s preload.err ] || {
	echo "nothing can be preloaded here (a sanitizer): slow disks left out"
	exit 0
}
faulty() { # FAULT RECORD'S ARGUMENT...
	local fault=$1
	shift
	FAULT=$fault LD_PRELOAD=$PWD/fault.so "$MALLOGRAPH" record -q "$@" >out 2>err
	status=$?
	equal "output with $fault" "$(cat out)" "done"
	equal "status with $fault" $status 5
}

# slow: the program waits, nothing is lost
faulty write:4+:150 -o slow.mlg ./busy 600000
[ ! -s err ] || fail "a slow disk: $(cat err)"
at_least "allocations" "$(figure allocations slow.mlg)" 600000
"$MALLOGRAPH" info slow.mlg >info.out || fail "info: $?"
grep -qE '^missing +nothing' info.out || fail "a slow disk: $(cat info.out)"

# hung for longer than 10 s: the program goes on, and the trace says what it lacks
start=$SECONDS
faulty write:4:13000 -o hung.mlg ./busy 600000
at_least "seconds" $((SECONDS - start)) 10
equal "says" "$(cat err)" "mallograph: hung.mlg: recording was abandoned: the recorder gave no sign \
of life, the trace ends there"
"$MALLOGRAPH" info hung.mlg >info.out || fail "info: $?"
grep -q '^missing *recording abandoned' info.out || fail "$(cat info.out)"
at_least "allocations" "$(figure allocations hung.mlg)" 1000
[ "$(figure allocations hung.mlg)" -lt 600000 ] || fail "nothing is missing: the test tests nothing"
