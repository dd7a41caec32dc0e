# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash disable=SC2154
# For cli/exact.sh and soak/exact.sh: programs with every captured stack compared with a full
# walk by libunwind (libcollect/preload/check.h), and a table of what came of it.

# Why a program may have differences, or more walks by libunwind than one in 1,000: a name is
# explained here or its numbers must be as promised.
declare -A differs falls_back
differs[bare_assembly]='its unwind information is wrong: each walk strays in its own way'
falls_back[odd_rules]='made for it: CFA in other registers, or read by expressions'

# Runs a program, which must end with 0, and notes its numbers.
exact() { # NAME COMMAND...
	local name=$1 status
	shift
	if ! command -v "$1" >/dev/null; then
		exact_absent "$name"
		return
	fi
	rm -f "$name.check" "$name.driver"
	MALLOGRAPH_CHECK_FILE=$PWD/$name.check "$BUILD/bench/driver" --check -o "$name.driver" "$@" \
		>"$name.out" 2>"$name.err" </dev/null
	status=$?
	[ $status = 0 ] || echo "$name ends with $status: $(tail -n 3 "$name.err")" | tee -a exact.bad
	[ -s "$name.check" ] || {
		echo "$name: nothing was compared" | tee -a exact.bad
		return
	}
	# the last sums of each process
	awk -v name="$name" '
	/ equal, .* not compared$/ {
		for (i = 4; i <= NF; i += 2) {
			word = $i
			sub(/,$/, "", word)
			if (word == "not")
				word = "none"
			sum[$2, word] = $(i - 1)
		}
	}
	END {
		for (key in sum) {
			split(key, part, SUBSEP)
			total[part[2]] += sum[key]
		}
		printf "%s %d %d %d %d ", name, total["equal"], total["different"],
			total["guesses"], total["none"]
	}' "$name.check" >>exact.rows
	awk '/: all [0-9]+ sessions: / {
		for (i = 1; i <= NF; i++)
			if (sub(/^stack-fallback=/, "", $i))
				count = $i
	}
	END { print count + 0 }' "$name.driver" >>exact.rows
}

exact_absent() { # NAME
	echo "$1 -" >>exact.rows
}

# VICTIM [ARGUMENT...]
exact_victim() {
	local victim=$1
	shift
	"$VICTIMS/$victim" "$@" >/dev/null 2>&1
	[ $? = 77 ] && exact_absent "$victim" && return
	exact "$victim" "$VICTIMS/$victim" "$@"
}

# A line a program; below it each kind of difference, and how often it was among the printed ones.
exact_table() {
	local name equal different guesses none fallback
	printf '%-18s %10s %9s %9s %12s %9s\n' program compared different guessed 'not compared' 'fell back'
	while read -r name equal different guesses none fallback; do
		[ "$equal" != - ] || { printf '%-18s not here\n' "$name" && continue; }
		printf '%-18s %10d %9d %9d %12d %9d\n' "$name" $((equal + different + guesses)) \
			"$different" "$guesses" "$none" "$fallback"
		[ -z "${differs[$name]-}" ] || echo "    differs: ${differs[$name]}"
		[ -z "${falls_back[$name]-}" ] || echo "    falls back: ${falls_back[$name]}"
		sed -n 's/^mallograph-check: [0-9]*:  #[0-9]* \* /    /p' "$name.check" |
			sed 's/0x[0-9a-f]* (\([^)]*\))/\1/g' | sort | uniq -c | sort -nr | head -n 20
	done <exact.rows
}

# Fails where numbers are not as promised: a difference in 100,000 stacks, a walk by
# libunwind in 1,000; and a stack in 100 that could not be compared.
exact_verdict() {
	local name equal different guesses none fallback all
	while read -r name equal different guesses none fallback; do
		[ "$equal" != - ] || continue
		all=$((equal + different + guesses + none))
		[ $((different * 100000)) -le $all ] || [ -n "${differs[$name]-}" ] ||
			echo "$name: $different of $all stacks differ" >>exact.bad
		[ $((fallback * 1000)) -le $all ] || [ -n "${falls_back[$name]-}" ] ||
			echo "$name: $fallback of $all stacks fell back" >>exact.bad
		[ $((none * 100)) -le $all ] ||
			echo "$name: $none of $all stacks could not be compared" >>exact.bad
	done <exact.rows
	[ ! -s exact.bad ] || fail "$(cat exact.bad)"
}
