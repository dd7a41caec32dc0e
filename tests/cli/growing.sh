# SPDX-License-Identifier: LGPL-2.1-or-later
# timeout: 90
# A trace can be read while it is written: it grows, and says that it is being recorded.
. "$TESTS/lib.sh"
need redis-server redis-cli

"$MALLOGRAPH" record -q -o redis.mlg redis-server --port 0 --unixsocket "$PWD/s" --save '' \
	--dir "$PWD" >redis.log 2>&1 &
launcher=$!
trap 'kill $launcher 2>/dev/null' EXIT
ask() {
	redis-cli -s "$PWD/s" "$@"
}
wait_for ask ping
fill() { # FROM TO
	for ((i = $1; i < $2; i++)); do
		echo "set key:$i some-value-that-takes-room-$i"
	done | ask >/dev/null
}
look() { # OUTPUT
	"$MALLOGRAPH" print --bytes redis.mlg >"$1" 2>"$1.err"
	equal "status while recording" $? 0
	grep -qh 'still recording' "$1" "$1.err" || {
		cat "$1.err"
		fail "does not say still recording"
	}
	grep -qE '^total memory leaked: [0-9]+ \(in use so far\)$' "$1" || fail "$(grep leaked "$1")"
	grep -qE '^[0-9]+ blocks in use so far; --only leaks lists them$' "$1" || fail "$(tail -n 1 "$1")"
}
total() {
	sed -n 's/^calls to allocation functions: \([0-9]*\).*/\1/p' "$1"
}
leaked() {
	sed -n 's/^total memory leaked: \([0-9]*\).*/\1/p' "$1"
}
fill 0 2000
sleep 1.5
look first
fill 2000 6000
sleep 1.5
look second
"$MALLOGRAPH" print - <redis.mlg >out 2>err
equal "status of standard input while recording" $? 0
grep -q '^mallograph: standard input: still recording' err || fail "$(cat err)"
at_least "allocations seen first" "$(total first)" 2000
at_least "allocations seen later" "$(total second)" $(($(total first) + 4000))
at_least "growth in bytes" $(($(leaked second) - $(leaked first))) 100000
ask shutdown nosave
wait $launcher
equal "status of redis-server" $? 0
trap - EXIT
whole redis.mlg
"$MALLOGRAPH" print --bytes redis.mlg >out || fail "print"
! grep -q 'in use so far' out || fail "$(grep 'in use' out)"
at_least "allocations at the end" "$(figure allocations redis.mlg)" "$(total second)"
