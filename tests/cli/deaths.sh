# SPDX-License-Identifier: LGPL-2.1-or-later
# timeout: 180
# Every way to die: the trace holds exactly what was allocated, says how the program
# ended, and record's status is the program's.
. "$TESTS/lib.sh"
ulimit -c 0

dies() { # HOW STATUS ENDING COUNT
	local how=$1 expected=$2 ended=$3 count=$4
	record -o "$how.mlg" "$VICTIMS/die" "$how" "$count"
	equal "status of $how" $status "$expected"
	[ ! -s record.err ] || fail "$how: says $(cat record.err)"
	whole "$how.mlg"
	equal "allocations of $how" "$(figure allocations "$how.mlg")" "$count"
	equal "leaked by $how" "$(figure leaked_blocks "$how.mlg")" "$count"
	"$MALLOGRAPH" info "$how.mlg" | grep -qE "$ended" ||
		fail "$how: info does not say /$ended/: $("$MALLOGRAPH" info "$how.mlg")"
}

for count in 1 1000 100003; do
	dies return 42 'exit(ed)?.*42' $count
	dies exit 42 'exit(ed)?.*42' $count
	dies _exit 42 'exit(ed)?.*42' $count
	dies quick_exit 42 'exit(ed)?.*42' $count
	dies abort 134 'SIGABRT' $count
	dies kill 137 'SIGKILL' $count
	dies term 143 'SIGTERM' $count
	dies segv 139 'SIGSEGV' $count
	dies trap 132 'SIGILL' $count
	dies thread 42 'exit(ed)?.*42' $count
	[ $count = 1 ] || dies overflow 42 'exit(ed)?.*42' $count
	dies exec_false 42 'exit(ed)?.*42' $count
done

# exec, of the same program and of another: two images, two traces
for count in 1 100003; do
	for how in exec exec_thread exec_other; do
		record -o $how.mlg "$VICTIMS/die" $how $count
		equal "status of $how" $status 42
		equal "allocations before $how" "$(figure allocations $how.mlg)" $count
		whole $how.mlg
		"$MALLOGRAPH" info $how.mlg | grep -qi 'exec' || fail "info does not say exec"
		[ $how = exec_other ] ||
			equal "allocations behind $how" "$(figure allocations $how.2.mlg)" 7
		whole $how.2.mlg
		rm -f $how.mlg $how.2.mlg
	done
done
