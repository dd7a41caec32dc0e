# SPDX-License-Identifier: LGPL-2.1-or-later
# timeout: 120
# A disk that is full, and --max-size: events stop, the totals are right all the same, and
# every view says up to when there are events.
. "$TESTS/lib.sh"
need perl gcc

program=(perl -e 'my %h; $h{$_} = "x$_" for 1..100000; exit 7')
record -o whole.mlg "${program[@]}"
equal "status" $status 7
least=$(($(figure allocations whole.mlg) - 100))
# Where events were written up to, in bytes of the file.
cat >events_end.py <<'END'
import struct, sys
data = open(sys.argv[1], "rb").read()
at, end = 16, 0
while at < len(data):
    kind, stored = data[at + 4], struct.unpack_from("<I", data, at + 8)[0]
    at += 32 + stored
    if kind == 6:
        end = at
if at != len(data):
    sys.exit("the last block is not whole")
print(end)
END
events_end() {
	python3 events_end.py "$1" || fail "$1"
}

stopped() { # FILE WHY
	"$MALLOGRAPH" info "$1" >out 2>err || fail "info $1: $? $(cat err)"
	grep -qE "^state +complete$" out || fail "info $1: $(tail -n 6 out)"
	grep -qE "events recorded up to: [0-9.]+ s \\($2\\)" out || fail "info $1: $(tail -n 6 out)"
	! grep -qE '^missing +nothing' out || fail "info $1 misses nothing"
	"$MALLOGRAPH" print "$1" >out 2>err || fail "print $1: $? $(cat err)"
	grep -qE "events recorded up to: [0-9.]+ s \\($2\\)" out || fail "print $1: $(tail -n 6 out)"
	at_least "allocations of $1" "$(figure allocations "$1")" "$least"
	sums_agree "$1"
}

for size in 1000 20000 40000 60000; do
	record --max-size $size -o m.mlg "${program[@]}"
	equal "status with --max-size" $status 7
	equal "lines on stderr" "$(wc -l <record.err)" 1
	grep -qE 'max-size: events stop at [0-9.]+ s' record.err || fail "$(cat record.err)"
	stopped m.mlg 'the size limit'
	end=$(events_end m.mlg)
	[ "$end" -le $size ] || fail "events up to byte $end with --max-size $size"
	[ $size -lt 20000 ] || at_least "end of the events" "$end" $((size - 3000))
done
record --max-size 100M -o m.mlg "${program[@]}"
"$MALLOGRAPH" info m.mlg | grep -qE '^missing +nothing' || fail "100M: not whole"

(
	ulimit -f 60 # of 1024 bytes
	record -o l.mlg "${program[@]}"
	equal "status with a limit of file size" $status 7
	stopped l.mlg 'the disk was full'
) || exit 1

# a quota, of which statvfs() says nothing
gcc -O1 -shared -fPIC -fno-builtin -o fault.so "$TESTS/fault.c" || fail "gcc fault.c"
LD_PRELOAD=$PWD/fault.so "$MALLOGRAPH" --version >out 2>preload.err
if [ ! -s preload.err ]; then # not so under a sanitizer
	FAULT=quota:60000 LD_PRELOAD=$PWD/fault.so "$MALLOGRAPH" record -q -o q.mlg "${program[@]}" 2>err
	equal "status over a quota" $? 7
	grep -q 'Disk quota exceeded: events stop at' err || fail "over a quota: $(cat err)"
	stopped q.mlg 'the disk was full'
	[ "$(stat -c %s q.mlg)" -le 60000 ] || fail "larger than its quota"
	FAULT=quota:0 LD_PRELOAD=$PWD/fault.so "$MALLOGRAPH" record -q -o none.mlg "${program[@]}" 2>err
	equal "status without any quota" $? 125
	[ ! -e none.mlg ] || fail "a file that could not be written is left"
fi

# damage: the state says it
cp whole.mlg damaged.mlg
printf 'AAAABBBB' | dd of=damaged.mlg bs=1 seek=$(($(events_end whole.mlg) - 100)) \
	conv=notrunc 2>/dev/null
"$MALLOGRAPH" info damaged.mlg >out 2>err
equal "status of info of damaged events" $? 1
grep -qE '^state +damaged: the figures are sound' out || fail "info: $(tail -n 3 out)"
! grep -q 'nothing' out || fail "info: $(tail -n 3 out)"
equal "lines on stderr" "$(wc -l <err)" 1

# cut in the middle: what precedes it is there. Events are written in pieces of 1 MiB, before
# they are compressed, or of a second.
record -o long.mlg perl -e 'my %h; $h{$_} = "x$_" for 1..500000'
head -c $(($(stat -c %s long.mlg) * 3 / 4)) long.mlg >most.mlg
"$MALLOGRAPH" print most.mlg >out 2>/dev/null
most=$(sed -n 's/^calls to allocation functions: \([0-9]*\).*/\1/p' out)
at_least "allocations in three quarters of a trace" "$most" $(($(figure allocations long.mlg) / 5))

mkdir disk
if [ "$(id -u)" != 0 ] || ! mount -t tmpfs -o size=64k none disk 2>/dev/null; then
	echo "no small disk here: left out"
	exit 0
fi
trap 'umount disk' EXIT
record -o disk/x.mlg "${program[@]}"
equal "status on a full disk" $status 7
grep -qE 'No space left on device: events stop at' record.err || fail "$(cat record.err)"
equal "lines on stderr" "$(wc -l <record.err)" 1
stopped disk/x.mlg 'the disk was full'
at_least "bytes of the trace" "$(stat -c %s disk/x.mlg)" 30000
rm disk/x.mlg
head -c 65536 /dev/zero >disk/full
record -o disk/x.mlg "${program[@]}"
equal "status where nothing fits" $status 125
equal "what is left on the disk" "$(ls disk)" full
