# SPDX-License-Identifier: LGPL-2.1-or-later
# timeout: 3000
# The terminal UI at length: a hundred thousand random keys at random sizes, and every script of its
# tests under valgrind. `make SAN=address,undefined soak` runs the same instrumented (and no
# valgrind). SEED=7 KEYS=5000: other keys, or fewer.
. "$TESTS/lib.sh"
need python3

here=$PWD
again() { # TEST: one of tests/cli, in a folder of its own
	mkdir -p "$here/$1/home" && cd "$here/$1" || fail "mkdir $1"
	command timeout 2400 bash "$TESTS/cli/$1.sh" >"$here/$1.out" 2>&1 || fail "$1: $?, $(cat "$here/$1.out")"
	cd "$here" && rm -rf "${here:?}/$1"
}

# six traces share them
KEYS=$((${KEYS:-100000} / 6 + 1)) SEED=${SEED:-$RANDOM} again tui-keys
grep '^SEED=' tui-keys.out
scripts='tui-page tui-flame tui-timeline tui-screens tui-views'
if nm -D "$MALLOGRAPH" | grep -q __asan_init; then
	for test in $scripts tui-numbers; do
		again $test
	done
	exit 0
fi

need valgrind
cat >valgrind.sh <<END
#!/bin/sh
[ "\$1" = tui ] || exec "$MALLOGRAPH" "\$@"
exec valgrind -q --error-exitcode=99 --leak-check=full --errors-for-leak-kinds=definite \\
	--log-file="$here/valgrind.%p" "$MALLOGRAPH" "\$@"
END
chmod +x valgrind.sh
export MALLOGRAPH=$here/valgrind.sh
export KEYS=300 SEED=1
# what they allow a run of the tool is not meant for valgrind
timeout() {
	shift
	command timeout 1000 "$@"
}
export -f timeout
for test in $scripts tui-keys; do
	again $test
done
find . -maxdepth 1 -name 'valgrind.[0-9]*' -size +0 -exec cat {} + >findings
[ ! -s findings ] || fail "valgrind: $(head -n 60 findings)"
