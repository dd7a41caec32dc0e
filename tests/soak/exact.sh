# SPDX-License-Identifier: LGPL-2.1-or-later
# timeout: 3000
# Every stack of many programs, compared with a full walk by libunwind. The table is left in
# exact.txt in the build folder.
. "$TESTS/lib.sh"
. "$TESTS/exact.sh"

# --- victims ----------------------------------------------------------------
# libunwind, which blocks all signals now and then, can't be stepped through: only the
# functions of the victim itself are (0 rounds).
for victim in "$TESTS"/victims/*.c "$TESTS"/victims/*.cc; do
	victim=$(basename "$victim")
	case $victim in empty*) continue ;; esac # allocates nothing
	arguments=()
	[ "$victim" != single_step.c ] || arguments=(0)
	grep -q 'announce(' "$TESTS/victims/$victim" && exact_victim "${victim%.c*}" "${arguments[@]}"
done
exact_victim realign_o3
exact_victim exchange 8 200000
exact_victim reload "$VICTIMS/plugin_allocates.so"
exact_victim reload "$VICTIMS/plugin_allocates.so" fork
exact_victim twins "$VICTIMS/plugin_twin_first.so" "$VICTIMS/plugin_twin_other.so"

# --- scripts ----------------------------------------------------------------
cat >work.py <<'END'
import collections, ctypes, decimal, json, queue, random, re, threading, xml.etree.ElementTree

random.seed(1)
words = ["".join(random.choices("abcdefghij", k=random.randint(3, 12))) for _ in range(3000)]

def count(text, results):
    table = collections.Counter(re.findall(r"\b(?P<first>[a-e]\w+?)(?:[f-j]+)?\b", text))
    results.put(json.dumps(table.most_common(50)))

def deep(n):
    return [n] + deep(n - 1) if n else []

results = queue.Queue()
threads = [threading.Thread(target=count, args=(" ".join(words[i::4]), results)) for i in range(4)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
total = sum(len(json.loads(results.get())) for _ in threads)
for i in range(200):
    try:
        total += len(deep(i)) + json.loads("[" * i + "]" * i).__len__()
        int(words[i])
    except ValueError as error:
        total += len(str(error))
root = xml.etree.ElementTree.fromstring("<a>" + "<b c='1'>x</b>" * 2000 + "</a>")
total += len(root.findall("b")) + len(str(decimal.Decimal(2) ** 500))
# libffi's closures and libc's qsort: C that calls Python again
compare = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_int), ctypes.POINTER(ctypes.c_int))
array = (ctypes.c_int * 300)(*random.sample(range(1000), 300))
ctypes.CDLL(None).qsort(array, 300, 4, compare(lambda a, b: a[0] - b[0]))
print(total, array[0] <= array[299])
END
export PYTHONMALLOC=malloc
exact python3 /usr/bin/python3 work.py
unset PYTHONMALLOC
exact python3-threads /usr/bin/python3 -c 'import asyncio, concurrent.futures, hashlib, sqlite3, zlib
async def main():
    return await asyncio.gather(*(asyncio.sleep(0.0001, i) for i in range(500)))
with concurrent.futures.ThreadPoolExecutor(4) as pool:
    print(sum(asyncio.run(main())), len(list(pool.map(lambda i: zlib.compress(b"x" * i), range(300)))))'

cat >work.pl <<'END'
my (%count, @stack);
for my $i (1 .. 30000) {
	my $word = join "", map { chr(97 + ($i * $_) % 26) } 1 .. 6;
	$count{$word} .= $i;
	$word =~ s/([aeiou])(\w)/uc($2) . $1/ge;
	push @stack, [$word, { n => $i }] if $i % 7 == 0;
}
sub down { my $n = shift; return $n ? 1 + down($n - 1) : eval { die { code => 1 } } || 0 }
my @sorted = sort { $count{$a} cmp $count{$b} || $a cmp $b } keys %count;
print scalar(@sorted), " ", down(80), " ", sprintf("%.3f", 22 / 7), "\n";
END
exact perl perl work.pl
exact bash bash -c 'f() { local n=$1; [ $n = 0 ] || f $((n - 1)); }; a=()
	for i in {1..60}; do a+=("$(echo $i)"); f 10; done; echo ${#a[@]} ${a[*]//1/one}'
exact awk awk 'BEGIN { for (i = 0; i < 50000; i++) t[i % 999] = t[i % 999] i; print length(t) }'

# --- databases, archives, tools ----------------------------------------------
exact sqlite3 sqlite3 :memory: "create table t(a,b); with recursive n(i) as (select 1 union all
	select i+1 from n where i<20000) insert into t select i, hex(i*i) from n; create index x on
	t(b); select count(*), max(b), group_concat(a) from t where b like '%3%' group by a%7 order by 2;"
export GIT_CONFIG_NOSYSTEM=1 GIT_CONFIG_GLOBAL=/dev/null GIT_PAGER=cat
git init -q repo && git -C repo config user.name x && git -C repo config user.email x@example.org
for i in $(seq 40); do
	seq $i 17 $((i * 200)) >repo/file$((i % 9))
	git -C repo add . && git -C repo commit -q -m "commit $i" || fail "git commit"
done
exact git-log git -C repo log --stat -p
exact git-gc git -C repo -c pack.threads=3 gc -q --aggressive
exact git-blame git -C repo blame file3
seq 200000 >text
exact xz xz -k -c -T2 --block-size=200000 text
exact sort sort --parallel=2 -S 1M -r text
exact openssl openssl speed -seconds 1 -bytes 64 -evp aes-128-gcm
exact openssl-req openssl req -x509 -newkey rsa:2048 -nodes -keyout k.pem -out c.pem -subj /CN=x
exact gdb gdb -nx -q -batch -ex 'info line main' -ex 'disassemble main' -ex 'ptype struct figures' \
	-ex 'python print(gdb.execute("info functions main", to_string=True))' "$VICTIMS/threads"

# --- compilers ----------------------------------------------------------------
cat >program.cc <<'END'
#include <map>
#include <regex>
#include <string>
int count(const std::map<std::string, int> &table)
{
	int sum = 0;
	for (const auto &[name, value] : table)
		if (std::regex_match(name, std::regex("a.*")))
			sum += value;
	return sum;
}
END
g++ -std=c++17 -E program.cc -o program.ii || fail "g++ -E"
exact cc1plus "$(g++ -print-prog-name=cc1plus)" -quiet -O1 -fpreprocessed program.ii -o program.s
if command -v clang >/dev/null; then
	compile=$(clang -### -std=c++17 -O1 -c -o program.o program.cc 2>&1 | grep -E '"-cc1"' | tail -n 1)
	eval "exact clang $compile"
fi

# --- a server -------------------------------------------------------------------
redis_load() {
	wait_for redis-cli -s redis.sock ping
	redis-benchmark -s redis.sock -q -n 5000 -c 20 -P 4 -t set,get,lpush,lrange_100,mset
	redis-cli -s redis.sock eval 'local t = {} for i = 1, 2000 do t[i] = tostring(i) end return #t' 0
	redis-cli -s redis.sock shutdown nosave
}
if command -v redis-server >/dev/null && command -v redis-benchmark >/dev/null; then
	redis_load >redis.load 2>&1 &
	exact redis redis-server --port 0 --unixsocket redis.sock --io-threads 3 \
		--io-threads-do-reads yes --save '' --dir "$PWD"
	wait $!
else
	exact_absent redis
fi

# --- code made at run time -----------------------------------------------------------
cat >work.js <<'END'
const { Worker, isMainThread, parentPort } = require('worker_threads');
const zlib = require('zlib'), crypto = require('crypto');
function tree(n) { return n ? { left: tree(n - 1), right: tree(n - 1), name: 'n' + n } : null; }
function work() {
	let sum = 0;
	for (let i = 0; i < 60; i++) {
		const text = JSON.stringify(tree(8));
		sum += Object.keys(JSON.parse(text)).length + (text.match(/n[3-7]/g) || []).length;
		sum += zlib.deflateSync(Buffer.from(text)).length;
		sum += crypto.createHash('sha256').update(text).digest('hex').length;
		sum += [3, 1, 2].sort((a, b) => a - b)[0] + new Map([[i, text]]).size;
	}
	return sum;
}
async function main() {
	const gone = Array.from({ length: 200 }, (_, i) => new Promise(done => setImmediate(done, i)));
	const worker = new Worker(__filename);
	const other = await new Promise(done => worker.on('message', done));
	const sum = (await Promise.all(gone)).reduce((a, b) => a + b, 0);
	console.log(sum, work() === other);
}
if (isMainThread) main(); else parentPort.postMessage(work());
END
exact node node work.js

cat >Work.java <<'END'
import java.util.*;
import java.util.concurrent.*;
import java.util.regex.*;
import java.util.zip.*;

public class Work {
	static int work(int seed) throws Exception {
		Map<String, List<Integer>> table = new HashMap<>();
		for (int i = 0; i < 20000; i++)
			table.computeIfAbsent("k" + (i * seed) % 997, k -> new ArrayList<>()).add(i);
		Deflater deflater = new Deflater();
		byte[] out = new byte[1 << 16];
		deflater.setInput(table.toString().getBytes());
		deflater.finish();
		int sum = deflater.deflate(out);
		deflater.end();
		Matcher matcher = Pattern.compile("k(\\d+)").matcher(table.keySet().toString());
		while (matcher.find())
			sum += matcher.group(1).length();
		return sum;
	}
	public static void main(String[] arguments) throws Exception {
		ExecutorService pool = Executors.newFixedThreadPool(4);
		List<Future<Integer>> results = new ArrayList<>();
		for (int i = 0; i < 12; i++) {
			final int seed = i + 1;
			results.add(pool.submit(() -> work(seed)));
		}
		int sum = 0;
		for (Future<Integer> result : results)
			sum += result.get() > 0 ? 1 : 0;
		pool.shutdown();
		System.out.println(sum);
	}
}
END
exact java java Work.java

exact_table | tee "$BUILD/exact.txt"
exact_verdict
