# SPDX-License-Identifier: LGPL-2.1-or-later
# tier: test
# timeout: 150
# Real programs: same output and status as alone, their functions are named, and the
# shares of the sites sum to the totals.
. "$TESTS/lib.sh"
need python3 perl jq sqlite3 git

PYTHONMALLOC=malloc same python 'Py[A-Z_]' /usr/bin/python3 -c '
import json, collections
table = collections.defaultdict(list)
for i in range(20000):
    table[i % 97].append(str(i) * 3)
print(len(json.dumps(table)), sum(map(len, table.values())))
raise SystemExit(3)'

same apt_pkg 'Configuration|pkg[A-Z]|apt_pkg' /usr/bin/python3 -c '
import apt_pkg
apt_pkg.init_config()
print(apt_pkg.VERSION, len(apt_pkg.config.keys()))'

same perl 'Perl_' perl -e '
my %h; $h{$_ % 5003} .= "x$_" for 1..60000;
my $n = 0; $n += length $h{$_} for sort keys %h; print "$n\n"; exit 5;'

same sqlite 'sqlite3_' sqlite3 :memory: "create table t(a,b); with recursive n(i) as
	(select 1 union all select i+1 from n where i<20000) insert into t select i, hex(i*i) from n;
	create index x on t(b); select count(*), max(b) from t where b like '%3%';"

python3 -c 'import json; print(json.dumps([{"id": i, "name": "n%d" % i, "tags": [i, i * 2]} for i in range(8000)]))' >data.json
same jq 'jv_|jq_' jq '[.[] | select(.id % 3 == 0) | .tags[1]] | add' data.json

export GIT_CONFIG_NOSYSTEM=1 GIT_CONFIG_GLOBAL=/dev/null GIT_PAGER=cat
git init -q repo && cd repo || fail "git init"
git config user.name someone && git config user.email someone@example.org
for i in 1 2 3 4 5 6 7 8; do
	seq $((i * 50)) >"file$i"
	git add . && git commit -q -m "commit $i" || fail "git commit"
done
same git 'inflate|deflate|git\+0x|bin/git' git log --stat -p
