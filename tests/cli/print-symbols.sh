# SPDX-License-Identifier: LGPL-2.1-or-later
# Addresses get names when the report is read: from a sysroot, from debuginfod's servers;
# the trace stays as it is.
. "$TESTS/lib.sh"
need gcc jq readelf strip

cat >program.c <<'END'
#include <stdlib.h>
static void *keep(void) { return malloc(10); }
int main(void) { return keep() == NULL; }
END
gcc -g -O0 -Wl,--build-id -o app program.c || fail "gcc"
cp app app.debug
strip app || fail "strip"
record --no-symbols -o t.mlg ./app
equal "status" "$status" 0
sum=$(cksum <t.mlg)
has() { # PATTERN OPTION...
	local pattern=$1
	shift
	"$MALLOGRAPH" print "$@" t.mlg >out 2>err || fail "print $*: $?"
	grep -qE "$pattern" out || fail "$*: no /$pattern/: $(cat out err)"
}
has '^app\+0x[0-9a-f]+$'
# which is said: keep's call, main's and _start's
nameless='^no function names in .*/app \(3 of 3 places\): its debug symbols bring them, or --debuginfod$'
has "$nameless" --only summary
"$MALLOGRAPH" print --json t.mlg | jq -e '.trace.nameless | .places == 3 and .of_places == 3' >jq.out ||
	fail "nameless in JSON: $(cat jq.out)"

# heaptrack's files have no addresses that names could be found for later
printf '%s\n' 'v 10400 3' 'X ./app' 's 8 /lib/app' 'i 1000 1' 't 1 0' 'a a 1' '+ 0' \
	'# strings: 2' >h.txt
"$MALLOGRAPH" print --only summary h.txt >out || fail "print h.txt: $?"
grep -qx 'no function names in /lib/app (1 of 1 places): heaptrack takes them from debug symbols as it records' \
	out || fail "$(cat out)"

# the whole file under a sysroot, at its path
mkdir -p "root$PWD"
cp app.debug "root$PWD/app"
has '^keep$' --sysroot root
has "^  at .*program\.c:2$" --sysroot root
! grep -q '^no function names' out || fail "$(grep '^no function names' out)"
# another program there is refused: its build-id is another
gcc -g -O0 -DOTHER=1 -x c -Wl,--build-id -o "root$PWD/app" - <<<'int main(void) { return OTHER; }' || fail "gcc"
has '^app\+0x[0-9a-f]+$' --sysroot root

# a server with the debug information
id=$(readelf -n app | sed -n 's/.*Build ID: *//p')
mkdir -p "server/buildid/$id"
cp app.debug "server/buildid/$id/debuginfo"
export DEBUGINFOD_CACHE_PATH=$PWD/cache
if ldconfig -p | grep -q libdebuginfod.so.1; then
	DEBUGINFOD_URLS=file://$PWD/server/ has '^keep$' --debuginfod
	DEBUGINFOD_URLS=file://$PWD/server/ has '^app\+0x[0-9a-f]+$'
	rm -rf cache
	DEBUGINFOD_URLS=file://$PWD/nowhere/ has '^app\+0x[0-9a-f]+$' --debuginfod
	[ ! -s err ] || fail "a server without the file: $(cat err)"
	DEBUGINFOD_URLS='' has '^app\+0x[0-9a-f]+$' --debuginfod
	equal "no server" "$(cat err)" \
		"mallograph: t.mlg: option '--debuginfod': DEBUGINFOD_URLS names no server"
	rm -rf cache
	DEBUGINFOD_URLS=http://127.0.0.1:1/ has '^app\+0x[0-9a-f]+$' --debuginfod
	equal "a server that is not there" "$(cat err)" \
		"mallograph: t.mlg: option '--debuginfod': a server could not be asked"
fi
equal "the trace after all that" "$(cksum <t.mlg)" "$sum"

# a trace with names, which come from the table of exports alone, gets the rest
gcc -O0 -rdynamic -Wl,--build-id -g -o app -xc - <program.c || fail "gcc"
cp app app.debug
strip app || fail "strip"
record -o t.mlg ./app
has '^ +main$'
! grep -q 'program\.c' out || fail "lines without debug information"
cp app.debug "root$PWD/app"
has '^keep$' --sysroot root
has '^      at .*:3$' --sysroot root
