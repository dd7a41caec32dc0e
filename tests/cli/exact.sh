# SPDX-License-Identifier: LGPL-2.1-or-later
# tier: test
# timeout: 100
# Every captured stack is what libunwind says, on odd programs and some real ones; soak/exact
# has the long list.
. "$TESTS/lib.sh"
. "$TESTS/exact.sh"
need sqlite3 perl git

for victim in throws jumps coroutines cut_stacks alternate_stack alarm_storm alloca realign \
	realign_o3 no_frame_pointer tail_calls never_return two_paths random_walk short_threads \
	raw_clone jit bare_assembly odd_rules signals gaps; do
	exact_victim $victim
done
exact_victim single_step 0
exact_victim twins "$VICTIMS/plugin_twin_first.so" "$VICTIMS/plugin_twin_other.so"
exact_victim reload "$VICTIMS/plugin_allocates.so"

export PYTHONMALLOC=malloc
exact python3 /usr/bin/python3 -c 'import json, re, threading
results = []
def work(n):
    results.append(len(re.sub("[3-7]", "x", json.dumps([{"n": i} for i in range(n)]))))
threads = [threading.Thread(target=work, args=(n * 50,)) for n in range(4)]
for thread in threads: thread.start()
for thread in threads: thread.join()
print(sum(results))'
exact perl perl -e 'my %h; $h{$_ % 503} .= "x$_" for 1 .. 3000; my $n = 0;
	sub down { my $d = shift; return $d ? 1 + down($d - 1) : eval { die { a => 1 } } || 0 }
	for (sort { $h{$a} cmp $h{$b} } keys %h) { s/(\d)/<$1>/g; $n += length($h{$_}) + down(20) }
	print "$n\n"'
exact sqlite3 sqlite3 :memory: "create table t(a,b); with recursive n(i) as
	(select 1 union all select i+1 from n where i<2000) insert into t select i, hex(i*i) from n;
	create index x on t(b); select count(*), max(b) from t where b like '%3%';"

export GIT_CONFIG_NOSYSTEM=1 GIT_CONFIG_GLOBAL=/dev/null GIT_PAGER=cat
git init -q repo && git -C repo config user.name x && git -C repo config user.email x@example.org
for i in 1 2 3 4; do
	seq $((i * 50)) >repo/file$i
	git -C repo add . && git -C repo commit -q -m "commit $i" || fail "git commit"
done
exact git git -C repo log --stat -p

exact_table
exact_verdict
