# SPDX-License-Identifier: LGPL-2.1-or-later
# Programs that exec each other while the recorder looks away: each trace has its own
# program's name, command, stacks, origin and end; the summary is the last one's.
. "$TESTS/lib.sh"
need perl

value() { # LABEL TRACE
	"$MALLOGRAPH" info "$2" | sed -n "s/^$1  *//p"
}

# The recorder sleeps from before the first exec until the last program runs ("alive"), or
# until the whole process is over ("over").
chain() { # HOW
	local launcher trace program name chain=0 perl=0 wait=()
	[ "$1" = over ] || wait=(wait)
	mkdir "$1" && cd "$1" || exit 1
	mkfifo start stop
	"$MALLOGRAPH" record bash -c 'read -r line <start; exec env env -u X env "$@"' x \
		perl -e 'open F, ">up"; close F; if (@ARGV) { open G, "<stop"; <G> } exit 3' \
		"${wait[@]}" 2>err &
	launcher=$!
	wait_for recorder_of $launcher
	# bash has a session when it reads
	exec 5>start
	kill -STOP "$recorder"
	echo >&5
	exec 5>&-
	wait_for test -e up
	[ "$1" = alive ] || wait_for only_ours "$launcher"
	kill -CONT "$recorder"
	if [ "$1" = alive ]; then
		wait_for perl_is_seen
		echo >stop
	fi
	wait $launcher
	equal "status ($1)" $? 3
	for trace in ./*.mlg; do
		whole "$trace"
		program=$(value program "$trace")
		name=${program##*/}
		equal "command of $trace" "$(value command "$trace" | sed 's/^\([^ ]*\).*/\1/')" "$name"
		case $name in
		bash)
			equal "origin of $trace" "$(value origin "$trace")" "started by mallograph record"
			;;
		env | perl)
			value origin "$trace" | grep -q '(exec)$' || fail "$trace: $(value origin "$trace")"
			;;
		*) fail "$trace is of $program" ;;
		esac
		if [ "$name" = perl ]; then
			value ended "$trace" | grep -q 'exit status 3,' || fail "perl: $(value ended "$trace")"
			perl=$((perl + 1))
			grep -q 'program  *perl  (after exec; ' err || fail "summary: $(cat err)"
			grep -q "^next: .* print ${trace#./}$" err || fail "next is not $trace: $(cat err)"
			grep -q 'perl' whole.out || fail "$trace has no stacks of perl's"
		else
			value ended "$trace" | grep -q '(exec)' || fail "$trace: $(value ended "$trace")"
			! grep -q '[ /]perl\(+\|$\)' whole.out || fail "$trace has stacks of perl's"
			case $trace in *perl*) fail "$trace is not perl's" ;; esac
		fi
		[ "$name" != env ] || chain=$((chain + 1))
		! grep -q 'peak RSS.*unknown' whole.out || fail "$trace: no RSS"
		grep -qE '^total runtime: (0\.[0-9]{3}|[0-9]+\.[0-9]{2})s\.$' whole.out ||
			fail "$trace: $(grep runtime whole.out)"
	done
	equal "images of env ($1)" $chain 3
	equal "images of perl ($1)" $perl 1
	cd ..
}

perl_is_seen() {
	ls ./*perl*.mlg
}

# The program is over: the launcher's children are mallograph's.
only_ours() { # PID
	local child
	for child in $(cat "/proc/$1/task/$1/children"); do
		[[ $(cat "/proc/$child/comm") =~ ^(mallograph|group-witness) ]] || return 1
	done
}

chain alive
chain over

# The time is the whole process's.
"$MALLOGRAPH" record sh -c 'sleep 0.3; exec perl -e 1' 2>err || fail "status $?"
grep -qE '^mallograph: sh finished, exit status 0, (0\.[3-9]|[1-9])' err || fail "time: $(cat err)"
