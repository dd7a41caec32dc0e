# SPDX-License-Identifier: LGPL-2.1-or-later
# Every file of the corpus through the target that it is for, as `make fuzz` has it: none may end
# the process, or be seen by a sanitizer where this is built with one.
. "$TESTS/lib.sh"

export TERM=xterm ASAN_OPTIONS=detect_leaks=1:allocator_may_return_null=1
"$BUILD/tests/fuzz/replay" >out 2>err || {
	tail -n 40 err
	fail "replay: status $?"
}
! grep 'no input' out || fail "a target has no corpus"
[ ! -s err ] || fail "$(head -n 20 err)"
