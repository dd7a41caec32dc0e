# SPDX-License-Identifier: LGPL-2.1-or-later
# tier: test
# timeout: 200
# Allocations, deallocations and bytes of whole programs are valgrind memcheck's, to the
# unit, with nothing subtracted.
. "$TESTS/lib.sh"
need valgrind sqlite3 sort grep xz git openssl file

# memcheck counts a realloc that fails (realloc_fail), does not know pvalloc, cannot throw
# from operator new (new_fails, new_nothrow_fails), would write all of a large calloc,
# and reads thread-local slots that our library adds to (threads). Victims that count
# what time allows are out as well.
victims="malloc_free calloc realloc_grow realloc_shrink realloc_null realloc_zero
	reallocarray aligned zero_sizes large failures leaks peak temporary libc_functions
	strdup usable_size constructors deep empty empty_cc new_delete new_zero"

wrong=0

# setenv() copies the environment: a program that calls it (git) must find as many
# variables here as there, where memcheck adds some of its own.
variables() { # COMMAND...
	"$@" env -0 2>/dev/null | tr -cd '\0' | wc -c
}
padding=()
for ((i = $(variables "$MALLOGRAPH" record -q -o env.mlg); i < $(variables valgrind -q); i++)); do
	padding+=("PADDING_$i=")
done

compare() { # NAME COMMAND...
	local name=$1 memcheck_status line ours theirs
	shift
	valgrind --tool=memcheck --run-libc-freeres=no --run-cxx-freeres=no --undef-value-errors=no \
		--log-file=memcheck.log "$@" >memcheck.out 2>/dev/null
	memcheck_status=$?
	line=$(grep 'total heap usage' memcheck.log | tail -n 1)
	[ -n "$line" ] || {
		tail -n 5 memcheck.log
		fail "memcheck says nothing about $name"
	}
	theirs=$(echo "$line" | tr -d , |
		sed 's/.*usage: \([0-9]*\) allocs \([0-9]*\) frees \([0-9]*\) bytes.*/\1 \2 \3/')
	[ ${#padding[@]} = 0 ] || export "${padding[@]}"
	record -o "$name.mlg" "$@" >record.out
	unset "${!PADDING_@}"
	[ $status = $memcheck_status ] || fail "$name: status $status, under memcheck $memcheck_status"
	ours="$(figure allocations "$name.mlg") $(figure deallocations "$name.mlg") $(figure bytes "$name.mlg")"
	if [ "$ours" = "$theirs" ]; then
		echo "same  $name: $ours"
	else
		echo "WRONG $name: $ours, memcheck: $theirs"
		wrong=1
	fi
}

for victim in $victims; do
	"$VICTIMS/$victim" >/dev/null 2>&1
	[ $? = 77 ] && continue
	compare "$victim" "$VICTIMS/$victim"
done

# Real programs, with what they need made here.
for i in $(seq 3000); do
	echo "line $((i * 7919 % 3001)) of some text $((i * 31 % 17))"
done >text
compare sort sort text
compare grep grep -c 'line .*7' text
compare xz xz -k -c -1 text
compare openssl openssl dgst -sha256 text
compare file file text
compare sqlite3 sqlite3 :memory: "create table t(a,b); with recursive n(i) as
	(select 1 union all select i+1 from n where i<2000) insert into t select i, hex(i*i) from n;
	create index x on t(b); select count(*), max(b) from t where b like '%3%' order by a;"

export GIT_CONFIG_NOSYSTEM=1 GIT_CONFIG_GLOBAL=/dev/null GIT_PAGER=cat
export GIT_AUTHOR_DATE='2020-01-01 00:00:00 +0000' GIT_COMMITTER_DATE='2020-01-01 00:00:00 +0000'
git init -q repo && cd repo || fail "git init"
git config user.name someone && git config user.email someone@example.org
for i in 1 2 3 4 5; do
	echo "text $i" >"file$i"
	git add . && git commit -q -m "commit $i" || fail "git commit"
done
compare git git log --stat
[ $wrong = 0 ] || fail "figures differ from memcheck's"
