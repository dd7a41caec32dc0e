# SPDX-License-Identifier: LGPL-2.1-or-later
# timeout: 9000
# What goes wrong once in a while: forks, handlers, deaths, unloading, 50 times each (RUNS=N:
# others). Says of each how often it went well.
. "$TESTS/lib.sh"

runs=${RUNS:-50}
failures=0

again() { # NAME COMMAND...
	local run name=$1 well=0
	shift
	for ((run = 1; run <= runs; run++)); do
		rm -rf again && mkdir again
		if (cd again && timeout 120 "$@") >log 2>&1; then
			well=$((well + 1))
		else
			echo "$name, run $run:"
			tail -n 20 log
		fi
	done
	echo "$name: $well of $runs"
	[ $well = "$runs" ] || failures=$((failures + 1))
}

for name in forks family offspring confinement deaths cancel signals handler-storm terminal own-reader \
	descriptors growing preload twins exchange late-thread early-names; do
	again "cli/$name" bash "$TESTS/cli/$name.sh"
done
for victim in signals alarm_storm thread_keys thread_local_objects temporary_threads threads \
	short_threads thousand_threads cancel_async new_handler_throws small_signal_stack; do
	again "victims/$victim" "$TESTS/check-victim" $victim
done
for name in test_rings test_hands test_recorder_rings test_recorder_life; do
	STREAMS=20 again "unit/$name" "$BUILD/tests/unit/$name"
done
[ $failures = 0 ] || fail "$failures of these are racy"
