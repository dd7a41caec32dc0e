# SPDX-License-Identifier: LGPL-2.1-or-later
# The symbolizer starts while the program runs; what the program does later has names as well, also
# in files that it loads later, and nothing is waited for that isn't there.
. "$TESTS/lib.sh"

# The process that looks for names, the recorder's only child: sets symbolizer.
symbolizer_of() { # LAUNCHER
	recorder_of "$1" || return 1
	symbolizer=$(cat "/proc/$recorder/task/$recorder/children")
	symbolizer=${symbolizer% }
	[ -n "$symbolizer" ] && tr '\0' ' ' <"/proc/$symbolizer/cmdline" | grep -q ' symbolize '
}

is_asleep() { # PID
	grep -q '^State:	S' "/proc/$1/status"
}

begin() { # TRACE [ARG...]
	local trace=$1
	shift
	rm -f go
	cp "$VICTIMS/stages" "$VICTIMS/plugin_allocates.so" .
	"$MALLOGRAPH" record -o "$trace" ./stages "$PWD/go" "$@" >out 2>err &
	launcher=$!
	wait_for symbolizer_of $launcher
	wait_for is_asleep "$symbolizer"
}

finish() { # WHAT
	touch go
	wait $launcher
	equal "status, $1" $? 0
	wait_for [ ! -e "/proc/$symbolizer" ] # with idle time alone one takes a while to die
	rm stages plugin_allocates.so
}

# Whether the program has ended, and the symbolizer been asked for the rest.
is_asked_again() {
	! readlink "/proc/$recorder/fd/"* | grep -q '^pipe:'
}

# How many blocks a function leaked. What print could look the names up in is gone.
leaked_by() { # TRACE FUNCTION
	"$MALLOGRAPH" print --only leaks -n 1000 "$1" >print.out || fail "print: $?"
	awk -v name="$2" '/ leaked over / { blocks = $4 } $1 == name { sum += blocks; blocks = 0 }
		END { print sum + 0 }' print.out
}

begin e.mlg
finish "one program"
whole e.mlg
equal "blocks of the beginning" "$(leaked_by e.mlg allocate_early)" 50
equal "blocks of the end" "$(leaked_by e.mlg allocate_late)" 50

begin l.mlg ./plugin_allocates.so
finish "a plugin loaded late"
whole l.mlg
equal "blocks of the end, before the plugin" "$(leaked_by l.mlg allocate_late)" 50
equal "blocks of the plugin" "$(leaked_by l.mlg plugin_allocate)" 50

# Something ends the symbolizer, before the end or at it: the end has one of its own.
begin k.mlg
kill -KILL "$symbolizer"
finish "the symbolizer killed"
whole k.mlg
equal "blocks of the beginning, the symbolizer killed" "$(leaked_by k.mlg allocate_early)" 50
equal "blocks of the end, the symbolizer killed" "$(leaked_by k.mlg allocate_late)" 50
begin d.mlg
kill -STOP "$symbolizer"
touch go
wait_for is_asked_again
kill -KILL "$symbolizer"
finish "the symbolizer killed at the end"
whole d.mlg
equal "blocks of the end, the symbolizer killed at it" "$(leaked_by d.mlg allocate_late)" 50

# Where processes are scarce it is started at the end.
cp "$VICTIMS/stages" .
rm -f go
(
	ulimit -u 400
	exec "$MALLOGRAPH" record -o u.mlg ./stages "$PWD/go"
) >out 2>err &
launcher=$!
wait_for recorder_of $launcher
sleep 0.3
! symbolizer_of $launcher || fail "the symbolizer is a process too many"
touch go
wait $launcher
equal "status, few processes" $? 0
rm stages
equal "blocks of the end, few processes" "$(leaked_by u.mlg allocate_late)" 50
