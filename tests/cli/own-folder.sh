# SPDX-License-Identifier: LGPL-2.1-or-later
# tier: test
# A program that serves the file system on which its child's trace is written: the recorder waits for
# the program, which waits for the recorder where it allocates more than there is room for.
. "$TESTS/lib.sh"
LEAF=50 # serves.c
[ "$(id -u)" = 0 ] || skip "only root mounts a file system"

mkdir served saved
serves() { # EACH
	unshare -m "$MALLOGRAPH" record -q -o served/x.mlg "$VICTIMS/serves" served "$PWD/saved" \
		"$1" 2>record.err
	status=$?
	[ $status != 77 ] || skip "no /dev/fuse here"
	equal "status" $status 42
	whole saved/x.2.mlg
	equal "allocations of the child" "$(figure allocations saved/x.2.mlg)" $LEAF
}
serves 10
[ ! -s record.err ] || fail "says $(cat record.err)"
whole served/x.mlg

# What fills the rings while a request is served: after 10 s the program goes on.
serves 300000
equal "says" "$(cat record.err)" "mallograph: served/x.mlg: recording was abandoned: the recorder \
gave no sign of life, the trace ends there"
"$MALLOGRAPH" info served/x.mlg | grep -q '^missing *recording abandoned' || fail "info"
