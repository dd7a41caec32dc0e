# SPDX-License-Identifier: LGPL-2.1-or-later
# tier: test
# timeout: 120
# Every number on the screen is the one that print has for the same filter.
. "$TESTS/lib.sh"
need python3 gcc

# what is called python3 may be a script of a shell
python=$(python3 -c 'import sys; print(sys.executable)')
"$MALLOGRAPH" record -q -o a.mlg "$python" -c '
import json, re, threading
def work(n): return [json.dumps({"a": [i] * i}) for i in range(n)]
threads = [threading.Thread(target=work, args=(50 * n,)) for n in range(1, 4)]
[t.start() for t in threads]; [t.join() for t in threads]
re.compile("(a|b)*c{2,9}")' || fail "record"
"$MALLOGRAPH" record -q -o b.mlg "$python" -c '
import decimal, email.message, xml.sax
[str(decimal.Decimal(i) / 7) for i in range(150)]' || fail "record"
a=a.mlg
b=b.mlg

tui() { # KEYS OPTION...: what the view says, in the file `view`
	local keys=$1
	shift
	rm -f view
	timeout 60 "$MALLOGRAPH" tui --script - "$@" <<-END || fail "tui $*: $?"
		keys $keys
		keys eview<Enter>
	END
	[ -s view ] || fail "nothing is written: $keys $*"
}

# A list, row by row: figures of print's entries in print's order.
lists() { # OPTION...
	tui 8 "$@"
	"$MALLOGRAPH" print --only leaks -n 1000000 -s 0 "$@" >report || fail "print $*: $?"
	sed -n 's/^\([0-9.]*[BKMGT]\) leaked over \([0-9]*\) calls from$/\1 \2/p' report |
		diff - <(awk 'NR > 1 {print $2, $4}' view) || fail "leaks: $*: < print, > tui"
	tui 9 "$@"
	"$MALLOGRAPH" print --only temporary -n 1000000 -s 0 "$@" >report || fail "print $*: $?"
	sed -n 's/^\([0-9]*\) temporary allocations of \([0-9]*\) allocations in total (.*) from$/\1 \2/p' \
		report | diff - <(awk 'NR > 1 {print $2, $5}' view) || fail "temporary: $*"
	tui 3 "$@"
	"$MALLOGRAPH" print --only peak -n 1000000 -s 0 "$@" >report || fail "print $*: $?"
	sed -n 's/^\([0-9.]*[BKMGT]\) peak memory consumed over \([0-9]*\) calls from$/\1 \2/p' report |
		diff - <(awk 'NR > 1 {print $2, $4}' view) || fail "peak: $*"
	[ "$(wc -l <view)" -gt 1 ] || [ "$*" = "$empty" ] || fail "nothing is listed: $*"
}

# Each way to group, one v further.
groups() { # OPTION...
	local keys=3 by
	for by in function line file module thread size address; do
		keys=${keys}v
		tui $keys "$@"
		"$MALLOGRAPH" print --by $by --only peak -n 1000000 -s 0 "$@" >report ||
			fail "print $*: $?"
		sed -n 's/^\([0-9.]*[BKMGT]\) peak memory consumed over \([0-9]*\) calls from$/\1 \2/p' \
			report | diff - <(awk 'NR > 1 {print $2, $4}' view) || fail "by $by: $*"
		head -n 1 view | grep -q " $by\$" || fail "not by $by: $(head -n 1 view)"
	done
}

# The rows of a tree: each is a line of print's, figures and name.
trees() { # DIRECTION KEYS OPTION...
	local direction=$1 keys=$2
	shift 2
	tui "$keys" "$@"
	"$MALLOGRAPH" print --tree "$direction" --only summary --sort peak -n 1000000 "$@" |
		awk '/^ *[0-9]/ && NF > 5 {$1 = $1; print}' >report
	awk 'NR > 1 {
		name = ""
		for (i = 7; i <= NF; i++) name = name " " $i
		print $4, $5, $2, $3, $1 name
	}' view | head -n 15 >rows
	at_least "rows of a tree" "$(wc -l <rows)" 3
	while read -r row; do
		grep -qxF -- "$row" report || fail "$direction $*: print has no '$row'"
	done <rows
}

summaries() { # OPTION...
	tui 1 "$@"
	"$MALLOGRAPH" print --only summary "$@" >report || fail "print $*: $?"
	diff <(sed -n 's/^calls to allocation functions: //p; s/^temporary memory allocations: //p
		s/^peak heap memory consumption: //p; s/^total memory leaked: //p' report) \
		<(sed -n 's/^calls to allocation functions  *//p; s/^temporary allocations  *//p
		s/^peak heap memory  *\(.*\) at .*/\1/p; s/^leaked  *\(.*\) in .*/\1/p' view) ||
		fail "summary: $*: < print, > tui"
}

# -H of print has every size, the view has powers of two.
sizes() { # OPTION...
	tui zcc "$@"
	"$MALLOGRAPH" print -H - "$@" >histogram || fail "print -H: $?"
	python3 - <<-'END' || fail "sizes: $*"
		exact = [tuple(map(int, line.split())) for line in open("histogram")]
		for line in list(open("view"))[1:]:
		    words = line.split()
		    first = int(words[6])
		    last = int(words[8]) if words[7] == "to" else first
		    assert int(words[1]) == sum(n for size, n in exact if first <= size <= last), line
		    exact = [(size, n) for size, n in exact if not first <= size <= last]
		assert not exact
	END
}

empty='--filter size=999999999 '$a
end=$("$MALLOGRAPH" info "$a" | sed -n 's/^ended.* after \([0-9.]*\) s.*/\1/p')
half=$(python3 -c "print($end / 2)")
for filter in '' '--filter size=..100' '--exclude size=..100' "--filter time=..${half}s" \
	"--filter time=${half}s.." '--filter function=PyObject' '--filter lifetime=..2ms' \
	'--exclude function=PyDict' '--at 50%' '--at peak' \
	'--temporary-allocation-threshold 5' '--filter size=999999999'; do
	# shellcheck disable=SC2086
	{
		lists $filter "$a"
		summaries $filter "$a"
		sizes $filter "$a"
	}
done
for filter in '' '--filter size=100..' "--filter time=${half}s.."; do
	# shellcheck disable=SC2086
	groups $filter "$a"
done
trees top-down 4x "$a"
trees top-down '4x<Home>jlx' --filter size=..100 "$a"
trees bottom-up 5jx "$a"
trees bottom-up '5jxGlx' --exclude size=..100 "$a"

# Threads are listed whether or not they have anything at the peak: those with most allocations
# first where they have not.
cat >threads.c <<'END'
#include <pthread.h>
#include <stdlib.h>
static void *work(void *count)
{
	for (long i = 0; i < (long)count; i++)
		free(malloc(8));
	return NULL;
}
int main(void)
{
	void *kept = malloc(100);
	for (long i = 1; i <= 3; i++) {
		pthread_t thread;
		if (pthread_create(&thread, NULL, work, (void *)(i * 1000)) ||
		    pthread_join(thread, NULL))
			return 1;
	}
	kept = realloc(kept, 9999);
	return !kept;
}
END
gcc -O0 -o threads threads.c -pthread || fail "gcc"
"$MALLOGRAPH" record -q -o threads.mlg ./threads || fail "record threads"
tui T threads.mlg
equal "peaks of threads" "$(awk 'NR > 2 {print $2}' view | xargs)" "0B 0B 0B"
equal "allocations of threads" "$(awk 'NR > 2 {print $4}' view | xargs)" "3000 2000 1000"

# A filter that is typed is that of the command line.
lists "$a" && mv view whole.view
tui "fsize=..100<Enter>fsize=50..80<Enter>f-function=dict<Enter>3" "$a" && mv view typed
tui 3 --filter size=..100 --filter size=50..80 --exclude function=dict "$a"
diff view typed || fail "a filter that is typed"
tui "fsize=..100<Enter>F3" "$a"
diff view whole.view || fail "everything again"

# Of a diff: base, new and difference.
tui 3 -d "$b" "$a"
"$MALLOGRAPH" print --only peak -n 1000000 -s 0 -d "$b" "$a" >report || fail "print -d: $?"
sed -n 's/^\(-*[0-9.]*[BKMGT]\) peak memory consumed over \(-*[0-9]*\) calls from \[base \([^,]*\), new \([^],]*\).*/\3 \4 \1 \2/p' \
	report | diff - <(awk 'NR > 1 {print $1, $2, $3, $5}' view) || fail "diff: < print, > tui"
at_least "rows of a diff" "$(wc -l <view)" 5
