# SPDX-License-Identifier: LGPL-2.1-or-later
# Nothing of ours is in the program, and what it does with descriptors harms neither side.
. "$TESTS/lib.sh"

# Descriptors and ignored signals that the caller happens to have would be counted.
clean() {
	python3 - "$@" <<-'END'
		import os, signal, sys
		for number in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}:
		    signal.signal(number, signal.SIG_DFL)
		signal.pthread_sigmask(signal.SIG_SETMASK, [])
		os.closerange(3, 256)
		os.execv(sys.argv[1], sys.argv[1:])
	END
}
clean "$VICTIMS/descriptors" >out 2>&1 </dev/null || {
	fail "alone, the victim ends with $?: $(cat out)"
}
rm -f out.*
clean "$MALLOGRAPH" record -q -o d.mlg "$VICTIMS/descriptors" >out 2>&1 </dev/null || {
	fail "recorded, the victim ends with $?: $(cat out)"
}
equal "output" "$(cat out)" fine
whole d.mlg
# The block that it allocates with all descriptors closed is there.
"$MALLOGRAPH" print --bytes -n 1000 d.mlg >report || fail "print"
grep -q descriptors.c report || grep -q main report || fail "the report does not name main"

"$MALLOGRAPH" record -q -o w.mlg "$VICTIMS/waiter" >out 2>&1 || {
	cat out
	fail "waiter ends with $?"
}
equal "output of waiter" "$(cat out)" fine
equal "traces of waiter" "$(ls w*.mlg | wc -l)" 21

# A pipe that record inherits ends with the program, also when a daemon of it and the recorder live on.
mkfifo end
timeout 20 cat end >read.out &
reader=$!
exec 6>end
"$MALLOGRAPH" record -q -o daemon.mlg sh -c 'sleep 30 6>&- & echo $! >pid; echo heard >&6' 6>&6
exec 6>&-
for ((i = 0; i < 100; i++)); do
	kill -0 $reader 2>/dev/null || break
	sleep 0.05
done
kill -0 "$(cat pid)" || fail "the daemon has not outlived the pipe: the test tests nothing"
kill "$(cat pid)"
wait $reader
equal "status of the pipe's reader" $? 0
[ $i -lt 100 ] || fail "the recorder keeps a pipe open that it has inherited"
equal "what came by the pipe" "$(cat read.out)" heard
