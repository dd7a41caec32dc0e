# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash disable=SC2034
# For tests/cli and tests/soak. The current folder is an empty one of the test's own;
# MALLOGRAPH, LIB, BUILD and TESTS are absolute paths.
set -u

VICTIMS=$BUILD/victims

fail() {
	echo "FAIL: $*"
	exit 1
}

skip() {
	echo "$*"
	exit 77
}

# Where a sanitized tool can't do what the test asks of it.
not_sanitized() { # REASON
	[ -z "${SAN-}" ] || skip "$1"
}

need() { # COMMAND...
	local command
	for command; do
		command -v "$command" >/dev/null || skip "$command is not installed"
	done
}

equal() { # WHAT ACTUAL EXPECTED
	[ "$2" = "$3" ] || fail "$1: $2, expected $3"
}

at_least() { # WHAT ACTUAL LEAST
	[ "$2" -ge "$3" ] || fail "$1: $2, expected at least $3"
}

# Runs quietly and keeps the status in $status; what record says is in record.err.
record() { # ARG...
	"$MALLOGRAPH" record -q "$@" 2>record.err
	status=$?
	return 0
}

# Fails unless COMMAND ends with the status and says one line like the pattern on
# stderr, and nothing on stdout.
expect_error() { # STATUS PATTERN COMMAND...
	local expected=$1 pattern=$2 got lines
	shift 2
	timeout 20 "$@" >error.out 2>error.err </dev/null
	got=$?
	[ $got = "$expected" ] || {
		cat error.out error.err
		fail "status of '$*': $got, expected $expected"
	}
	lines=$(wc -l <error.err)
	grep -qE -- "$pattern" error.err || {
		cat error.err
		fail "'$*' does not say /$pattern/"
	}
	[ "$lines" = 1 ] || {
		cat error.err
		fail "'$*' says $lines lines instead of one"
	}
	grep -q '^mallograph: ' error.err || fail "no prefix: $(cat error.err)"
	[ ! -s error.out ] || fail "'$*' writes on stdout: $(head -n 3 error.out)"
}

# All totals of a trace as NAME=NUMBER (figures.c), and one of them.
figures() { # FILE
	"$BUILD/tests/figures" "$1"
}

figure() { # NAME FILE
	figures "$2" | sed -n "s/^$1=//p" | grep . || fail "no figure $1 in $2"
}

incomplete='cut off: |damaged \(|still recording|lost events|recording abandoned'

# The trace must be read without complaint.
read_through() { # FILE
	"$MALLOGRAPH" print "$1" >whole.out 2>whole.err ||
		fail "print $1: status $?, $(cat whole.err)"
	! grep -qE "$incomplete" whole.out whole.err || {
		grep -hE "$incomplete" whole.out whole.err
		fail "$1 is not whole"
	}
}

# And by the second reader.
whole() { # FILE
	read_through "$1"
	second_reader "$1"
}

# The reader that was written from the format page alone must find the same figures, and
# nothing wrong.
second_reader() { # FILE
	local names='^(allocations|deallocations|reallocations|temporary|bytes|peak_bytes|peak_blocks'
	names="$names|leaked_blocks|leaked_bytes|unknown_frees|inherited_frees)="
	python3 "$TESTS/second_reader.py" "$1" >second.out 2>second.err ||
		fail "the second reader: $(cat second.err)"
	diff <(figures "$1" | grep -E "$names" | sort) <(grep -E "$names" second.out | sort) ||
		fail "$1: < mallograph's figures, > the second reader's"
}

# Waits until the command succeeds, 20 s at most.
wait_for() { # COMMAND...
	local i
	for ((i = 0; i < 400; i++)); do
		"$@" >/dev/null 2>&1 && return 0
		sleep 0.05
	done
	fail "waited in vain for: $*"
}

recorder_of() { # LAUNCHER: sets recorder
	local child
	recorder=
	for child in $(cat "/proc/$1/task/$1/children"); do
		[ "$(cat "/proc/$child/comm")" != mallograph-rec ] || recorder=$child
	done
	[ -n "$recorder" ]
}

# What stands before a command to run it as a user who is not root; the current folder is
# made that user's.
become_user() { # sets as_user
	as_user=(env)
	[ "$(id -u)" = 0 ] || return 0
	need setpriv
	chmod 755 . && chown nobody . || fail "chown"
	as_user=(setpriv --reuid=nobody --regid=nogroup --clear-groups)
}

# The shares of all sites must be the totals: leaked bytes (what is suppressed is in neither) and
# the peak.
sums_agree() { # FILE
	"$MALLOGRAPH" print --bytes -n 10000000 -s 0 -a0 -T0 -p1 -l1 "$1" >sums.out || fail "print: $?"
	awk '
	function number(text) { sub(/B$/, "", text); return text + 0 }
	/^[0-9]+B? leaked over [0-9]+ calls from$/ { leaked += number($1) }
	/^[0-9]+B? peak memory consumed over [0-9]+ calls from$/ { peak += number($1) }
	/^peak heap memory consumption: / { peak_total = number($5) }
	/^total memory leaked: / { leaked_total += number($4) }
	END {
		if (leaked != leaked_total || peak != peak_total) {
			printf "leaked %d of %d, peak %d of %d\n", leaked, leaked_total, peak, peak_total
			exit 1
		}
	}' sums.out || fail "the shares of $1 do not sum to the totals"
}

# A real program, recorded: same output and status as alone, a whole trace whose shares
# sum up, and a report with a name that matches.
same() { # NAME PATTERN COMMAND...
	local name=$1 pattern=$2 native
	shift 2
	"$@" >"$name.native" 2>"$name.native.err"
	native=$?
	"$MALLOGRAPH" record -q -o "$name.mlg" "$@" >"$name.out" 2>"$name.err"
	equal "status of $name" $? $native
	cmp "$name.native" "$name.out" || fail "the output of $name differs"
	cmp "$name.native.err" "$name.err" || fail "what $name says on stderr differs: $(cat "$name.err")"
	whole "$name.mlg"
	sums_agree "$name.mlg"
	equal "unknown frees of $name" "$(figure unknown_frees "$name.mlg")" 0
	at_least "allocations of $name" "$(figure allocations "$name.mlg")" 100
	"$MALLOGRAPH" print -n 200 -l "$name.mlg" >"$name.report" || fail "print of $name"
	grep -qE "^ *[^ /].*($pattern)|$pattern" "$name.report" || {
		head -n 60 "$name.report"
		fail "no function of $name is named"
	}
}
