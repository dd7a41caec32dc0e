# SPDX-License-Identifier: LGPL-2.1-or-later
# A setuid program, as an ordinary user: refused at the start, run unrecorded as a child.
. "$TESTS/lib.sh"
[ "$(id -u)" = 0 ] || skip "only root can make a setuid program"
become_user

# an installation that the other user may read
make -s -C "$TESTS/.." B="$(realpath --relative-to="$TESTS/.." "$BUILD")" install \
	DESTDIR="$PWD/i" PREFIX=/usr >make.out 2>&1 || {
	cat make.out
	fail "make install"
}
MALLOGRAPH=$PWD/i/usr/bin/mallograph
cat >who.c <<'END'
#include <stdio.h>
#include <unistd.h>
int main(void) { printf("%d\n", (int)geteuid()); return 4; }
END
gcc -o who who.c && chown root who && chmod 4755 who || fail "chmod"
chmod -R a+rX i
[ "$("${as_user[@]}" ./who)" = 0 ] || skip "this file system ignores the setuid bit"
expect_error 125 'who.*setuid|setuid.*who' "${as_user[@]}" "$MALLOGRAPH" record -o r.mlg ./who
"${as_user[@]}" "$MALLOGRAPH" record -o s.mlg sh -c './who; exit 6' >out 2>err
equal "status" $? 6
equal "effective user" "$(cat out)" 0
# setuid to oneself is nothing special
cp "$VICTIMS/die" . && chown nobody die && chmod 4755 die
"${as_user[@]}" "$MALLOGRAPH" record -q -o t.mlg ./die exit 12 2>err
status=$?
[ $status = 42 ] || [ $status = 125 ] || fail "setuid to oneself: $status, $(cat err)"
