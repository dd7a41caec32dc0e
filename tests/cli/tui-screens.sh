# SPDX-License-Identifier: LGPL-2.1-or-later
# Screens of the terminal UI, as text: every number is arithmetic of the program below.
. "$TESTS/lib.sh"
need gcc

cat >box.c <<'END'
#include <stdlib.h>

static void *kept[1000], *worked[10];

__attribute__((noinline)) static void leaker(void)
{
	for (int i = 0; i < 1000; i++)
		kept[i] = malloc(48); /* line 8 */
}

__attribute__((noinline)) static void worker(void)
{
	for (int i = 0; i < 10; i++)
		worked[i] = malloc(5000); /* line 14 */
	for (int i = 0; i < 10; i++)
		free(worked[i]);
}

__attribute__((noinline)) static void churn(void)
{
	for (int i = 0; i < 4000; i++)
		free(malloc(16)); /* line 22 */
}

int main(void)
{
	leaker(); /* line 27 */
	worker(); /* the peak: 1000 x 48 + 10 x 5000 = 98000 */
	churn();
	return 0;
}
END
gcc -g -O0 -o box box.c || fail "gcc"
record -o box.mlg ./box
equal "status" $status 0

# Runs the script on standard input; what it saves goes to the file `screen`. Tabs and the
# status line are left out: they are compared apart.
screens() { # FILE OPTION...
	rm -f screen
	timeout 30 "$MALLOGRAPH" tui --script - "$@" >out 2>err || fail "tui $*: $?, $(cat err)"
	[ ! -s err ] || fail "tui $*: $(cat err)"
}
inner() {
	sed '1d;$d' screen | sed -e :a -e '/^\n*$/{$d;N;ba' -e '}'
}
is() { # WHAT, and the screen on standard input
	diff - <(inner) || fail "$1: < expected, > shown"
}

screens box.mlg <<'END'
keys 3
save screen
END
is sites <<'END'
   share     peak   leaked allocations temporary  site 1/2
  51.02%   50.00K       0B          10         1  worker (box.c:14)
  48.98%   48.00K   48.00K        1000         0  leaker (box.c:8)
END
equal "lines of a screen" "$(wc -l <screen)" 24
head -n 1 screen | grep -qx '1Sum 2Time 3Sites 4Down 5Up 6Calls 7Flame 8Leaks 9Temp zSizes TThr SSrc *' || fail "tabs: $(head -n 1 screen)"
tail -n 1 screen | grep -q '^? help  q quit .* peak$' || fail "status: $(tail -n 1 screen)"

screens box.mlg <<'END'
keys 3cc
save screen
END
is "sites by allocations" <<'END'
   share     peak   leaked allocations temporary  site 1/3
  79.84%       0B       0B        4000      4000  churn (box.c:22)
  19.96%   48.00K   48.00K        1000         0  leaker (box.c:8)
   0.20%   50.00K       0B          10         1  worker (box.c:14)
END

# sorted by allocations, without what is below 49 %
screens box.mlg <<'END'
keys 3s
save screen
END
equal "first by allocations" "$(inner | sed -n 2p | awk '{print $6}')" leaker
screens box.mlg <<'END'
keys 3t49%<Enter>
save screen
END
is "a threshold" <<'END'
   share     peak   leaked allocations temporary  site 1/1
  51.02%   50.00K       0B          10         1  worker (box.c:14)
END

screens box.mlg <<'END'
keys 8
save screen
END
is leaks <<'END'
   share     peak   leaked allocations temporary  site 1/1
 100.00%   48.00K   48.00K        1000         0  leaker (box.c:8)
END
screens box.mlg <<'END'
keys 9
save screen
END
# of the ten blocks the last one is given back before another is allocated
is temporary <<'END'
   share     peak   leaked allocations temporary  site 1/2
  99.98%       0B       0B        4000      4000  churn (box.c:22)
   0.02%   50.00K       0B          10         1  worker (box.c:14)
END

screens box.mlg <<'END'
size 160x50
keys 4x
save screen
END
equal "lines of a screen" "$(wc -l <screen)" 50
# 51.02 % of sixteen columns are 65.3 eighths, 48.98 % are 62.7
is "top-down" <<'END'
   share                      peak   leaked allocations temporary    bytes  function
 100.00% ████████████████   98.00K   48.00K        5010      4001  162.00K  ▾ [all]
  51.02% ████████▏          50.00K       0B          10         1   50.00K    ▾ main (box.c:28)
  51.02% ████████▏          50.00K       0B          10         1   50.00K        worker (box.c:14)
  48.98% ███████▊           48.00K   48.00K        1000         0   48.00K    ▸ main (box.c:27)
END

screens box.mlg <<'END'
keys 5jl
save screen
END
is "bottom-up" <<'END'
   share     peak   leaked allocations temporary  function
 100.00%   98.00K   48.00K        5010      4001  ▾ [all]
  51.02%   50.00K       0B          10         1    ▾ worker (box.c:14)
  51.02%   50.00K       0B          10         1        main (box.c:28)
  48.98%   48.00K   48.00K        1000         0    ▸ leaker (box.c:8)
END

# folded again, unfolded by Enter; a cost changes numbers, not what is unfolded
screens box.mlg <<'END'
keys 5jlh<Enter>cc
save screen
END
is "bottom-up by allocations" <<'END'
   share     peak   leaked allocations temporary  function
 100.00%   98.00K   48.00K        5010      4001  ▾ [all]
  79.84%       0B       0B        4000      4000    ▸ churn (box.c:22)
  19.96%   48.00K   48.00K        1000         0    ▸ leaker (box.c:8)
   0.20%   50.00K       0B          10         1    ▾ worker (box.c:14)
   0.20%   50.00K       0B          10         1        main (box.c:28)
END

# one function: chosen where the cursor is, then its callee, and back again
screens box.mlg <<'END'
keys 3jC
save screen
END
is callers <<'END'
   share     peak   leaked allocations temporary  function
  48.98%   48.00K   48.00K        1000         0  ▾ callers of leaker
  48.98%   48.00K   48.00K        1000         0      main (box.c:27)

  48.98%   48.00K   48.00K        1000         0    callees of leaker
END
screens box.mlg <<'END'
keys 3jCj<Enter>
save screen
END
is "callees" <<'END'
   share     peak   leaked allocations temporary  function
 100.00%   98.00K   48.00K        5010      4001    callers of main

 100.00%   98.00K   48.00K        5010      4001  ▾ callees of main
  51.02%   50.00K       0B          10         1      worker (box.c:14)
  48.98%   48.00K   48.00K        1000         0      leaker (box.c:8)
END
screens box.mlg <<'END'
keys 3jCj<Enter><Backspace>
save screen
END
inner | sed -n 2p | grep -q 'callers of leaker$' || fail "back: $(inner)"
# who asks for the callers of a leak sees leaks, and what he had when he is back
screens box.mlg <<'END'
keys 8C
save screen
END
is "callers of a leak" <<'END'
   share     peak   leaked allocations temporary  function
 100.00%   48.00K   48.00K        1000         0  ▾ callers of leaker
 100.00%   48.00K   48.00K        1000         0      main (box.c:27)

 100.00%   48.00K   48.00K        1000         0    callees of leaker
END
tail -n 1 screen | grep -q ' leaked$' || fail "callers of a leak: $(tail -n 1 screen)"
screens box.mlg <<'END'
keys 8C<Backspace><Backspace>4
save screen
END
tail -n 1 screen | grep -q ' peak$' || fail "back from leaks: $(tail -n 1 screen)"

screens box.mlg <<'END'
keys zcc
save screen
END
is sizes <<'END'
   share     peak   leaked allocations temporary  bytes of a block
  79.84%       0B       0B        4000      4000  16 to 31            ██████████
  19.96%   48.00K   48.00K        1000         0  32 to 63            ██▌
   0.20%   50.00K       0B          10         1  4096 to 8191        ▏
END

screens box.mlg <<'END'
keys T
save screen
END
equal threads "$(inner | tail -n 1 | sed 's/[a-z]* (\([0-9]*\))$/\1/')" \
	" 100.00%   98.00K   48.00K        5010      4001  $("$MALLOGRAPH" info box.mlg |
		sed -n 's/^process *\([0-9]*\),.*/\1/p')"

# a backtrace, and what the columns have no room for
screens box.mlg <<'END'
keys 3<Enter>
save screen
END
inner | sed 's/  */ /g' >backtrace
diff <(head -n 3 backtrace) - <<'END' || fail "backtrace"
backtrace, 50.00K peak
 1 worker (box.c:14)
 2 main (box.c:28)
END
grep -qF " at $PWD/box.c:14" backtrace || fail "no file: $(cat backtrace)"
grep -qF " in $PWD/box" backtrace || fail "no module: $(cat backtrace)"

# one step back from what is alive at an instant; and what was unfolded still is
screens box.mlg <<'END'
keys 4x2<Enter><Backspace>
save screen
END
head -n 1 screen | grep -q ' 2Timeline ' || fail "one step back: $(head -n 1 screen)"
screens box.mlg <<'END'
keys 5jlfsize=..1000<Enter>
save screen
END
# 1000 x 48 + 16, of the first that churns
is "what was unfolded is not there" <<'END'
   share     peak   leaked allocations temporary  function
 100.00%   48.02K   48.00K        5000      4000  ▾ [all]
  99.97%   48.00K   48.00K        1000         0    ▸ leaker (box.c:8)
   0.03%      16B       0B        4000      4000    ▸ churn (box.c:22)
END
screens box.mlg <<'END'
keys 5jlfsize=..1000<Enter><Backspace>f-size=48<Enter>
save screen
END
is "what was unfolded still is" <<'END'
   share     peak   leaked allocations temporary  function
 100.00%   50.00K       0B        4010      4001  ▾ [all]
 100.00%   50.00K       0B          10         1    ▾ worker (box.c:14)
 100.00%   50.00K       0B          10         1        main (box.c:28)
END

# filters: typed, by completion, by what is under the cursor; back again, and everything
for keys in 'fsize=48<Enter>' 'f0..1000<Enter>F<Backspace>Ffsize=48<Enter>' 'fsi<Tab>48<Enter>' 'f-function=wor<Tab><Enter>f-size=16<Enter>' \
	'jo' 'f-size=48<Enter><Backspace>jo' 'fsize=16<Enter>Ffsize=17..1k<Enter>' \
	'fsize=16<Enter>f-<Enter>fsize=48<Enter>'; do
	screens box.mlg <<END
keys 3$keys
save screen
END
	tail -n 1 screen | grep -q '^only .* 19.96% of allocations, peak$' ||
		fail "$keys: status: $(tail -n 1 screen)"
	is "$keys" <<'END'
   share     peak   leaked allocations temporary  site 1/1
 100.00%   48.00K   48.00K        1000         0  leaker (box.c:8)
END
done
screens box.mlg <<'END'
keys 3fsize=16<Enter>F
save screen
END
is "everything again" <<'END'
   share     peak   leaked allocations temporary  site 1/2
  51.02%   50.00K       0B          10         1  worker (box.c:14)
  48.98%   48.00K   48.00K        1000         0  leaker (box.c:8)
END
screens box.mlg <<'END'
keys 3fcolour=red<Enter>
save screen
END
tail -n 1 screen | grep -q 'colour' || fail "a wrong key: $(tail -n 1 screen)"
# the prompt has half of the screen, and is whole there
screens box.mlg <<'END'
keys 3fx
save screen
END
tail -n 1 screen | grep -qx 'only \[-\]KEY=VALUE, 1s..2s (-: all; Tab): x *' || fail "the prompt: $(tail -n 1 screen)"

# a filter from the command line; a search; a resize in the middle
screens --filter function=leaker box.mlg <<'END'
keys 3
save screen
END
is "--filter" <<'END'
   share     peak   leaked allocations temporary  site 1/1
 100.00%   48.00K   48.00K        1000         0  leaker (box.c:8)
END
screens box.mlg <<'END'
keys 3/LEAK<Enter>
size 50x6
keys /leak<Enter>
save screen
END
is "search" <<'END'
   share     peak  site 2/2
  51.02%   50.00K  worker (box.c:14)
  48.98%   48.00K  leaker (box.c:8)
END
# what stands there is found, wherever it comes from: the file, its line, both names
for text in 'box.c:8' ' (box.c:8' 'er (box.c:8)' 'leaker (b' ':8'; do
	screens box.mlg <<END
keys 3/$text<Enter><Enter>
save screen
END
	inner | grep -q '^  1 leaker ' || fail "search for '$text': $(cat screen)"
done
screens box.mlg <<'END'
keys 3/nowhere<Enter>
save screen
END
tail -n 1 screen | grep -q '^not found: nowhere' || fail "not found: $(tail -n 1 screen)"

# In the help the keys stand whole beside what they do.
screens box.mlg <<'END'
size 80x60
keys ?
save screen
END
grep -q 'Ctrl-F, Ctrl-D  a page down' screen || fail "help: $(cat screen)"

# Twenty columns, five rows; one; nothing but ASCII.
screens box.mlg <<'END'
size 20x5
keys 3
save screen
END
is "20x5" <<'END'
     peak site 1/2
   50.00K worker
   48.00K leaker
END
screens box.mlg <<'END'
size 1x1
keys 123456789zT?
size 80x24
ascii
keys q5x
save screen
END
! grep -q '[^ -~]' screen || fail "not only ASCII: $(cat screen)"
grep -qF ' - worker (box.c:14)' screen || fail "ASCII: $(cat screen)"

# A diff: base has half of the leaks.
mkdir less || fail "mkdir"
sed 's/i < 1000; i++/i < 500; i++/' box.c >less/box.c
gcc -g -O0 -o less/box less/box.c || fail "gcc"
record -o less.mlg less/box
screens -d less.mlg box.mlg <<'END'
size 120x24
keys 3c
save screen
END
is "diff" <<'END'
       base        new difference     peak allocations temporary    bytes  site 1/1
     24.00K     48.00K    +24.00K  +24.00K        +500         0  +24.00K  leaker (box.c:8)
END
screens -d box.mlg less.mlg <<'END'
size 120x24
keys 3
save screen
END
is "diff, the other way round" <<'END'
       base        new difference   leaked allocations temporary    bytes  site 1/1
     48.00K     24.00K    -24.00K  -24.00K        -500         0  -24.00K  leaker (box.c:8)
END

# The summary: times are those of the run.
screens box.mlg <<'END'
save screen
END
inner | sed 's/[0-9.]*s, peak RSS .*/TIME/; s/([0-9]*\/s)/(RATE)/; s/ at [0-9.]*s$/ at TIME/' >summary
diff - summary <<END || fail "summary"
./box
total runtime                  TIME
calls to allocation functions  5010 (RATE)
temporary allocations          4001 (RATE)
peak heap memory               98.00K at TIME
leaked                         48.00K in 1000 blocks
Peak memory consumers
     50.00K   51.02%  worker (box.c:14)
     48.00K   48.98%  leaker (box.c:8)
Memory leaks
     48.00K  100.00%  leaker (box.c:8)
Most calls to allocation functions
       4000   79.84%  churn (box.c:22)
       1000   19.96%  leaker (box.c:8)
         10    0.20%  worker (box.c:14)
Most temporary allocations
       4000   99.98%  churn (box.c:22)
          1    0.02%  worker (box.c:14)
END

# Nothing was allocated: every view says so, and none fails.
record -o empty.mlg "$VICTIMS/empty" >/dev/null
for key in 1 3 4 5 6 8 9 z T '?'; do
	screens empty.mlg <<END
keys $key/x<Enter>bCoxl<Enter><Backspace>
save screen
END
done
screens empty.mlg <<'END'
keys 3
save screen
END
is "nothing" <<'END'
   share     peak   leaked allocations temporary  site 0/0
 nothing: peak is 0 here
END

# What is written is what is shown.
screens box.mlg <<'END'
keys 3ccesites.txt<Enter>
keys eall.folded<Enter>
keys eall.json<Enter>
save screen
END
tail -n 1 screen | grep -q '^written: all.json' || fail "export: $(tail -n 1 screen)"
awk 'NR > 1 {print $2, $3, $4, $5, $6, $7}' sites.txt | diff - <(cat <<'END'
4000 0B 0B 4000 64.00K churn
1000 48.00K 48.00K 0 48.00K leaker
10 50.00K 0B 1 50.00K worker
END
) || fail "sites.txt: $(cat sites.txt)"
"$MALLOGRAPH" export --format=folded box.mlg | diff - all.folded || fail "all.folded"
"$MALLOGRAPH" print --json -l -n 1000000 box.mlg | diff - all.json || fail "all.json"

cp sites.txt before
screens box.mlg <<'END'
keys esites.txt<Enter>
save screen
END
tail -n 1 screen | grep -q '^sites.txt: it is there already' || fail "written over: $(tail -n 1 screen)"
cmp sites.txt before || fail "a file that was there is written over"

# Scripts that are wrong are refused, with the line.
wrong() { # PATTERN LINE
	printf '# a script\n%s\n' "$2" >wrong.script
	expect_error 1 "^mallograph: wrong.script: line 2: $1" "$MALLOGRAPH" tui --script wrong.script box.mlg
}
wrong "size, ascii, keys, click, save or random, not 'sleep'" 'sleep 1'
wrong 'a size is COLUMNSxROWS' 'size 80'
wrong 'too small or too large' 'size 0x24'
wrong "no key is called '<Foo>'" 'keys <Foo>'
wrong 'save needs' 'save'
wrong 'No such file or directory' 'save no/such/folder'
expect_error 1 '^mallograph: nothing.script: No such file' "$MALLOGRAPH" tui --script nothing.script box.mlg
expect_error 1 'standard (in|out)put is no terminal' "$MALLOGRAPH" tui box.mlg
expect_error 2 'colour' "$MALLOGRAPH" tui --filter colour=red box.mlg
