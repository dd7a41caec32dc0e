# SPDX-License-Identifier: LGPL-2.1-or-later
# Programs whose unwind tables are worthless, as packers leave them (they never throw): they run
# as they do alone, and every allocation counts. One whose debug information unpacks to hundreds of
# megabytes: names come from their symbols, and it is said.
. "$TESTS/lib.sh"
need python3

cat >p.c <<'END'
#include <stdlib.h>
static void *volatile keep;
static void leaf(int i)
{
	keep = malloc(10 + i);
}
static void deep(int depth, int i)
{
	if (depth)
		deep(depth - 1, i);
	else
		leaf(i);
}
int main(void)
{
	for (int i = 0; i < 100; i++)
		deep(i % 7, i);
	return 5;
}
END
gcc -g -O1 -fno-inline -gz=zlib -o p p.c || fail "gcc"
for kind in entry length cie cie-length count header; do
	python3 "$TESTS/fuzz/hostile_elf.py" unwind-$kind p hostile || fail "hostile_elf.py $kind: $?"
	chmod +x hostile
	./hostile
	equal "status alone with $kind" $? 5
	record -o $kind.mlg ./hostile
	equal "status with $kind" $status 5
	[ ! -s record.err ] || fail "with $kind: $(cat record.err)"
	equal "allocations with $kind" "$(figure allocations $kind.mlg)" 100
	equal "bytes with $kind" "$(figure bytes $kind.mlg)" $((100 * 10 + 99 * 100 / 2))
	whole $kind.mlg
done

python3 "$TESTS/fuzz/hostile_elf.py" bomb p bomb || fail "hostile_elf.py bomb: $?"
chmod +x bomb
[ "$(stat -c %s bomb)" -lt 4000000 ] || fail "this is no bomb: $(stat -c %s bomb) bytes"
record -o b.mlg ./bomb
equal "status of the bomb" $status 5
"$MALLOGRAPH" print -a1 -p0 -T0 b.mlg >out || fail "print: $?"
grep -qx leaf out || fail "leaf is not named"
"$MALLOGRAPH" info b.mlg >out || fail "info: $?"
grep -qi 'symbols' out || fail "nothing is said of its symbols: $(cat out)"
cat >within.py <<'END'
import os, resource, subprocess, sys
status = subprocess.run(sys.argv[2:], stdout=subprocess.DEVNULL).returncode
most = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
if most > int(sys.argv[1]) and "address" not in os.environ["BUILD"]:
    sys.exit(f"{most} kB")
sys.exit(status)
END
record --no-symbols -o n.mlg ./bomb
python3 within.py 256000 "$MALLOGRAPH" print n.mlg || fail "print in 256 MB: $?"
