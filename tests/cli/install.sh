# SPDX-License-Identifier: LGPL-2.1-or-later
# make install: the binary finds its library under any prefix, and uninstall leaves nothing.
. "$TESTS/lib.sh"
not_sanitized 'what is installed is not sanitized'

build=$(realpath --relative-to="$TESTS/.." "$BUILD")
run_make() {
	make -s -C "$TESTS/.." B="$build" DESTDIR="$PWD/root" PREFIX=/opt/some/where "$@" \
		>make.out 2>&1 || {
		cat make.out
		fail "make $*"
	}
}
run_make install
installed=$PWD/root/opt/some/where
[ -x "$installed/bin/mallograph" ] || fail "no binary"
[ -e "$installed/lib/mallograph/libmallograph.so" ] || fail "no library"
"$installed/bin/mallograph" record -q -o i.mlg "$VICTIMS/die" exit 66
equal "status" $? 42
equal "allocations" "$(figure allocations i.mlg)" 66
PATH=$installed/bin:$PATH mallograph print i.mlg >/dev/null || fail "found by PATH: $?"
run_make uninstall
left=$(find root -type f)
equal "files left" "$left" ""
