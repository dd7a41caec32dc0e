# SPDX-License-Identifier: LGPL-2.1-or-later
# timeout: 9000
# What goes wrong once in a while: forks, handlers, deaths, unloading, 50 times each.
. "$TESTS/lib.sh"

again() { # TEST...
	local run name
	for name; do
		for run in $(seq "${RUNS:-50}"); do
			mkdir again && cd again || exit 1
			timeout 120 bash "$TESTS/$name.sh" >../log 2>&1 || {
				tail -n 20 ../log
				fail "$name, run $run"
			}
			cd .. && rm -rf again
		done
		echo "$name: all ${RUNS:-50}"
	done
}
again cli/forks cli/deaths cli/offspring cli/confinement cli/cancel cli/signals cli/exchange
again cli/handler-storm cli/twins cli/terminal cli/own-reader

for victim in signals alarm_storm thread_keys thread_local_objects temporary_threads threads \
	short_threads thousand_threads cancel_async new_handler_throws small_signal_stack; do
	for run in $(seq "${RUNS:-50}"); do
		"$TESTS/check-victim" $victim >log 2>&1 || {
			cat log
			fail "$victim, run $run"
		}
	done
	echo "$victim: all ${RUNS:-50}"
done
