# SPDX-License-Identifier: LGPL-2.1-or-later
# A trace without names (--no-symbols, or still being written) gets them from the files it
# names when it is printed, if these are the same; info finds damage that print need not see.
. "$TESTS/lib.sh"

cp "$VICTIMS/leaks" program
record --no-symbols -o n.mlg ./program >out
equal "status" $status 0
"$MALLOGRAPH" print -l1 n.mlg >with || fail "print"
grep -q '^main$\|^    main$' with || fail "no name: $(head -n 12 with)"
grep -q 'leaks.c:' with || fail "no line"
# another file of that name is not believed
cp "$VICTIMS/peak" program
"$MALLOGRAPH" print -l1 n.mlg >without || fail "print of a trace whose program changed"
! grep -q '/leaks.c:\|/peak.c:' without || fail "names from another file"
grep -q 'program+0x' without || fail "no address: $(head -n 12 without)"

record --compress none -o d.mlg "$VICTIMS/threads" >out
"$MALLOGRAPH" info d.mlg >/dev/null 2>err || fail "info of a sound trace: $(cat err)"
python3 - d.mlg <<'END' || fail "no block of events"
import struct, sys
data = bytearray(open(sys.argv[1], "rb").read())
at = 16
while at < len(data):
    kind, stored = data[at + 4], struct.unpack_from("<I", data, at + 8)[0]
    if kind == 6 and stored > 100:
        data[at + 32 + stored // 2] ^= 1
        open(sys.argv[1], "wb").write(data)
        sys.exit(0)
    at += 32 + stored
sys.exit(1)
END
"$MALLOGRAPH" info d.mlg >/dev/null 2>err
equal "status of info with a damaged event" $? 1
grep -q damaged err || fail "says nothing: $(cat err)"

# A program that is gone at once, a library that it found by a relative path.
cat >grab.c <<'END'
#include <stdlib.h>
void *grab(void) { return malloc(100); }
END
cat >gone.c <<'END'
void *grab(void);
int main(void) { return grab() == 0; }
END
gcc -g -shared -fPIC -o libgrab.so grab.c && gcc -g -o gone gone.c -L. -lgrab || fail "gcc"
for _ in 1 2 3; do
	LD_LIBRARY_PATH=. record -o gone.mlg ./gone
	"$MALLOGRAPH" print --only leaks gone.mlg | grep -q '^  *at .*grab.c:2$' ||
		fail "no names in a library of a relative path: $("$MALLOGRAPH" print --only leaks gone.mlg)"
	"$MALLOGRAPH" info gone.mlg | grep -qE "^directory +$PWD\$" || fail "no directory"
done
