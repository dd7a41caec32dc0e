# SPDX-License-Identifier: LGPL-2.1-or-later
# timeout: 90
# What others on the machine can see, take or put in: nothing. (With root: tried as another user.)
. "$TESTS/lib.sh"
need gcc pgrep

# a trace is its owner's, whatever the mask; a link in its place is replaced, not followed
(umask 0 && record -o u.mlg "$VICTIMS/fork_chain" 2)
for trace in u.mlg u.2.mlg u.3.mlg; do
	equal "mode of $trace" "$(stat -c %a $trace)" 600
done
echo precious >precious
ln -s precious l.mlg
ln -s /dev/null n.mlg
record -o l.mlg "$VICTIMS/die" exit 10
equal "status" $status 42
equal "what the link was to" "$(cat precious)" precious
[ ! -L l.mlg ] || fail "the trace is a link still"
equal "mode of a trace where a link was" "$(stat -c %a l.mlg)" 600
whole l.mlg
expect_error 125 "cannot write 'n.mlg': exists and is not a regular file" \
	"$MALLOGRAPH" record -o n.mlg "$VICTIMS/die" exit 10
ln -s /proc/self/fd/1 out.mlg
"$MALLOGRAPH" record -q -o out.mlg "$VICTIMS/die" exit 10 >out 2>out.err
equal "status of a trace to /dev/stdout, or its like" $? 125
grep -q "cannot write 'out.mlg': exists and is not a regular file" out.err || fail "$(cat out.err)"
[ -L out.mlg ] || fail "the link to standard output was replaced"
mkfifo pipe.mlg
expect_error 125 "cannot write 'pipe.mlg': exists and is not a regular file" \
	"$MALLOGRAPH" record -o pipe.mlg "$VICTIMS/die" exit 10

# while a program is recorded
cat >wait.c <<'END'
#include <stdio.h>
#include <stdlib.h>
int main(void)
{
	char *volatile block = malloc(10);
	puts("up");
	fflush(stdout);
	getchar();
	return 3;
}
END
gcc -O0 -w -o wait wait.c || fail "gcc"
mkfifo go
"$MALLOGRAPH" record -q -o w.mlg ./wait <go >up 2>err &
launcher=$!
exec 5>go
wait_for grep -q up up
recorder_of $launcher || fail "no recorder"
# no file but the trace, wherever others may write
for fd in /proc/"$recorder"/fd/* /proc/"$launcher"/fd/*; do
	case $(readlink "$fd") in
	"$PWD"/*) ;;
	/tmp/* | /var/tmp/* | /dev/shm/*) fail "has $(readlink "$fd") open" ;;
	esac
done
program=$(pgrep -x -P "$launcher" wait) || fail "no program"
segment=$(sed -n 's|^[^ ]* [^ ]* [^ ]* [^ ]* \([0-9]*\) */SYSV00000000 (deleted)$|\1|p' "/proc/$program/maps" | head -n 1)
[ -n "$segment" ] || fail "no segment: $(grep SYSV "/proc/$program/maps")"
# key shmid perms: no key to ask for, and 01000 says that it goes with its last user
awk -v id="$segment" '$2 == id { print $1, $3 }' /proc/sysvipc/shm >shm
equal "key and mode of the segment" "$(cat shm)" "0 1600"
# its sockets have no name that another could connect to
for fd in /proc/"$recorder"/fd/* /proc/"$launcher"/fd/*; do
	socket=$(readlink "$fd" | sed -n 's/^socket:\[\(.*\)\]$/\1/p')
	[ -n "$socket" ] || continue
	sockets=$((${sockets-0} + 1))
	equal "name of a socket" "$(awk -v inode="$socket" '$7 == inode { print $8 }' /proc/net/unix)" ""
done
at_least "sockets" "${sockets-0}" 2
cat >attach.c <<'END'
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/shm.h>
int main(int argc, char **argv)
{
	void *at = shmat(atoi(argv[1]), 0, SHM_RDONLY);
	puts(at == (void *)-1 ? strerror(errno) : "attached");
	return 0;
}
END
gcc -w -o attach attach.c || fail "gcc attach.c"
equal "attaching as oneself" "$(./attach "$segment")" attached
if [ "$(id -u)" = 0 ]; then
	become_user
	equal "attaching as another" "$("${as_user[@]}" ./attach "$segment")" 'Permission denied'
	! "${as_user[@]}" cat w.mlg >/dev/null 2>&1 || fail "another user reads the trace"
	! "${as_user[@]}" ls "/proc/$recorder/fd" >/dev/null 2>&1 || fail "another user sees the recorder's files"
fi
echo >&5
exec 5>&-
wait $launcher
equal "status" $? 3
whole w.mlg

# What a program of another user gets of our variables
cat >variables.c <<'END'
#include <stdio.h>
#include <unistd.h>
extern char **environ;
int main(void)
{
	char bytes[65536];
	FILE *file = fopen("/proc/self/environ", "r");
	size_t got = file ? fread(bytes, 1, sizeof(bytes), file) : 0;
	for (size_t i = 0; i < got; i++)
		putchar(bytes[i] ? bytes[i] : '\n');
	for (char **e = environ; *e; e++)
		puts(*e);
	printf("user %d\n", (int)geteuid());
	return 0;
}
END
gcc -w -o variables variables.c || fail "gcc variables.c"
cat >start.c <<'END'
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
extern char **environ;
int main(int argc, char **argv)
{
	char *const arguments[] = {"./variables", 0};
	pid_t pid;
	if (!strcmp(argv[1], "system"))
		return system("./variables");
	if (!strcmp(argv[1], "spawn"))
		return posix_spawn(&pid, "./variables", 0, 0, arguments, environ) || wait(0) < 0;
	if (!strcmp(argv[1], "execvp"))
		execvp("./variables", arguments);
	if (!strcmp(argv[1], "execl"))
		execl("./variables", "./variables", (char *)0);
	execve("./variables", arguments, environ);
	return 1;
}
END
gcc -w -o start start.c || fail "gcc start.c"
if [ "$(id -u)" = 0 ]; then
	make -s -C "$TESTS/.." B="$(realpath --relative-to="$TESTS/.." "$BUILD")" install \
		DESTDIR="$PWD/i" PREFIX=/usr >make.out 2>&1 || fail "make install: $(cat make.out)"
	chmod -R a+rX i
	chown root variables && chmod 4755 variables || fail "chmod"
	for how in system spawn execvp execl execve; do
		"${as_user[@]}" env KEPT=kept "$PWD/i/usr/bin/mallograph" record -q -o "s.$how.mlg" ./start $how >out 2>err
		equal "status of $how" $? 0
		grep -qx 'user 0' out || skip "this file system ignores the setuid bit"
		equal "the user's own variable, by $how" "$(grep -cx KEPT=kept out)" 2
		! grep -E 'MALLOGRAPH_|LD_PRELOAD' out || fail "a setuid program gets our variables by $how"
	done
fi
exit 0
