# SPDX-License-Identifier: LGPL-2.1-or-later
# tier: test
# timeout: 120
# Small files that unpack to gigabytes (heaptrack's up to 1.8 MB), numbers of 2^60, and pipes that never end: one line,
# status 1, in less than 256 MB; the symbolizer says that it left something out.
. "$TESTS/lib.sh"

record -o good.mlg "$VICTIMS/leaks" >/dev/null
python3 "$TESTS/fuzz/bombs.py" good.mlg . || fail "bombs.py: $?"

# The memory of a command and of what it starts; sanitizers take more for themselves.
cat >within.py <<'END'
import os, resource, subprocess, sys
status = subprocess.run(sys.argv[2:], stdin=subprocess.DEVNULL).returncode
most = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
if most > int(sys.argv[1]) and "address" not in os.environ["BUILD"]:
    sys.exit(f"{most} kB")
sys.exit(status)
END
within=(python3 "$PWD/within.py" 256000)

for bomb in bomb-*; do
	case $bomb in
	*heaptrack*) ;; # both read it the same way
	*) expect_error 1 "$bomb: (it would take far more memory than a file of its size|damaged|the file is damaged)" \
		"${within[@]}" "$MALLOGRAPH" info "$bomb" ;;
	esac
	expect_error 1 "$bomb: (it would take far more memory than a file of its size|damaged|the file is damaged)" \
		"${within[@]}" "$MALLOGRAPH" print --tree bottom-up --timeline "$bomb"
done
"$MALLOGRAPH" print --bytes -a0 -p0 -l0 -T0 honest.zst >out 2>err
equal "status of an honest trace that compresses well" $? 0
grep -q '^calls to allocation functions: 3000000 ' out || fail "honest: $(head -n 20 out)"
for count in count-*; do
	"${within[@]}" "$MALLOGRAPH" print --timeline "$count" >out 2>err
	status=$?
	equal "status of $count" $status 1
	equal "lines of $count" "$(wc -l <err)" 1
	grep -q "^mallograph: $count: " err || fail "$count: $(cat err)"
done

# What never ends is refused by its first bytes, or when it has taken half of the room.
yes | timeout 20 "$MALLOGRAPH" print - >out 2>err
equal "status of yes" $? 1
grep -q '^mallograph: standard input: not a file that mallograph knows' err || fail "$(cat err)"
if [ "$(id -u)" = 0 ] && mkdir room && unshare -m mount -t tmpfs none room 2>/dev/null; then
	for begin in 'head -c 16 good.mlg' 'echo v 10400 2'; do
		unshare -m bash -c '
			mount -t tmpfs -o size=32m none room || exit 99
			{ $1; yes "t 1 0"; } | TMPDIR=$PWD/room timeout 30 "$MALLOGRAPH" print -
			exit "${PIPESTATUS[1]}"' endless "$begin" >out 2>err
		equal "status of a pipe without end" $? 1
		grep -q '^mallograph: standard input: it does not end' err || fail "$(cat err)"
		equal "lines" "$(wc -l <err)" 1
	done
fi
