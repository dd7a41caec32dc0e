# SPDX-License-Identifier: LGPL-2.1-or-later
# tier: test
# timeout: 120
# redis-server (threads, jemalloc as a shared library) under redis-benchmark.
. "$TESTS/lib.sh"
need redis-server redis-benchmark redis-cli

port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
"$MALLOGRAPH" record -q -o redis.mlg redis-server --port "$port" --bind 127.0.0.1 --save '' \
	--dir "$PWD" >redis.log 2>record.err &
launcher=$!
trap 'kill $launcher 2>/dev/null' EXIT
wait_for redis-cli -p "$port" ping
redis-benchmark -p "$port" -q -n 20000 -t set,get,lpush,lrange_100,mset >benchmark.out 2>&1 ||
	fail "redis-benchmark: $(tail -n 3 benchmark.out)"
equal "answer" "$(redis-cli -p "$port" set a b)" OK
redis-cli -p "$port" shutdown nosave
wait $launcher
equal "status" $? 0
trap - EXIT
whole redis.mlg
sums_agree redis.mlg
equal "unknown frees" "$(figure unknown_frees redis.mlg)" 0
"$MALLOGRAPH" print -n 40 redis.mlg >report
grep -qE 'zmalloc|sdsnew|redis|createObject|je_' report || {
	head -n 40 report
	fail "no function of redis is named"
}
