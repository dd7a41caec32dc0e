# SPDX-License-Identifier: LGPL-2.1-or-later
# What cannot be recorded, and what cannot be read: one clear line, the right status, and
# no program started.
. "$TESTS/lib.sh"
need musl-gcc gcc

expect_error 127 'nowhere/nothing' "$MALLOGRAPH" record /nowhere/nothing
expect_error 127 'no-such-program' "$MALLOGRAPH" record no-such-program
mkdir folder
expect_error 126 'folder: is a directory' "$MALLOGRAPH" record ./folder
echo text >text
chmod 644 text
expect_error 126 'text' "$MALLOGRAPH" record ./text
expect_error 125 '/nowhere/x.mlg' "$MALLOGRAPH" record -o /nowhere/x.mlg "$VICTIMS/die" exit 1
expect_error 125 'folder' "$MALLOGRAPH" record -o folder "$VICTIMS/die" exit 1
mkdir closed
chmod 555 closed
if [ "$(id -u)" != 0 ]; then
	expect_error 125 'closed/x.mlg' "$MALLOGRAPH" record -o closed/x.mlg "$VICTIMS/die" exit 1
fi

cat >ran.c <<'END'
#include <fcntl.h>
int main(void) { return open("it-ran", O_CREAT | O_WRONLY, 0600) < 0; }
END
refuses() { # STATUS PATTERN PROGRAM
	expect_error "$1" "$2" "$MALLOGRAPH" record -o r.mlg "$3"
	[ ! -e it-ran ] || fail "$3 was started"
}
gcc -static -o static ran.c || fail "gcc -static"
refuses 125 'static' ./static
musl-gcc -o musl ran.c || fail "musl-gcc"
refuses 125 'musl' ./musl
gcc -fsanitize=address -o asan ran.c || fail "gcc -fsanitize"
refuses 125 'asan' ./asan
cat >own.c <<'END'
#include <stddef.h>
static char arena[1 << 20];
static size_t used;
void *malloc(size_t size) { void *p = arena + used; used += (size + 15) & ~15ul; return p; }
void free(void *p) { (void)p; }
void *realloc(void *p, size_t size) { (void)p; return malloc(size); }
void *calloc(size_t n, size_t s) { return malloc(n * s); }
END
gcc -fno-builtin -rdynamic -o own own.c ran.c || fail "gcc own malloc"
refuses 125 'malloc' ./own
if gcc -m32 -o thirtytwo ran.c 2>/dev/null; then
	refuses 125 'thirtytwo' ./thirtytwo
fi
printf '\177ELF\002\001\001' >broken
chmod +x broken
expect_error 126 'broken' "$MALLOGRAPH" record -o r.mlg ./broken
printf '#!/nowhere/sh\n' >badscript
chmod +x badscript
expect_error 126 "badscript: .*'/nowhere/sh'" "$MALLOGRAPH" record -o r.mlg ./badscript
printf '#!%s/badscript\n' "$PWD" >badscript2
chmod +x badscript2
expect_error 126 "badscript2: .*'/nowhere/sh'" "$MALLOGRAPH" record -o r.mlg ./badscript2
if [ "$(id -u)" = 0 ] && command -v setpriv >/dev/null; then
	cp /bin/true private
	chmod 700 private
	chmod 755 .
	expect_error 126 'private: permission denied' setpriv --reuid=nobody --regid=nogroup \
		--clear-groups "$MALLOGRAPH" record -o /nowhere/r.mlg ./private
fi

# A child that cannot be recorded runs all the same, and is counted.
for program in ./static ./musl ./asan; do
	rm -f it-ran
	"$MALLOGRAPH" record -o r.mlg sh -c "$program; exit 9" >out 2>err
	equal "status of sh" $? 9
	[ -e it-ran ] || {
		cat err
		fail "$program was not run as a child"
	}
	grep -qiE 'unrecorded|could not be recorded|not recorded' err || fail "$program is not counted: $(cat err)"
done

# By a raw execve (Go does so) our variables reach it all the same: a program of another libc runs
# unrecorded, and says so once.
cat >raw.c <<'END'
#include <sys/syscall.h>
#include <unistd.h>
extern char **environ;
int main(int argc, char **argv)
{
	(void)argc;
	syscall(SYS_execve, argv[1], argv + 1, environ);
	return 9;
}
END
gcc -o raw raw.c || fail "gcc"
cat >busy.c <<'END'
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>
static void *work(void *argument)
{
	for (int i = 0; i < 1000; i++)
		free(realloc(malloc(i), 2 * i + 1));
	return argument;
}
int main(void)
{
	pthread_t thread;
	void *aligned = aligned_alloc(64, 128), *other = NULL;
	int status = 0;
	if (!aligned || posix_memalign(&other, 64, 100) || (unsigned long)other % 64)
		return 1;
	pthread_create(&thread, NULL, work, NULL);
	work(NULL);
	pthread_join(thread, NULL);
	free(aligned);
	free(other);
	if (fork() == 0)
		exit(work(NULL) == NULL ? 5 : 6);
	wait(&status);
	printf("%x\n", status);
	fflush(stdout);
	execl("/bin/sh", "sh", "-c", "exit 3", (char *)NULL);
	return 2;
}
END
musl-gcc -o busy busy.c || fail "musl-gcc"
"$MALLOGRAPH" record -o r.mlg ./raw ./busy >out 2>err
equal "status of musl by a raw execve" $? 3
equal "its output" "$(cat out)" 500
equal "times that it is told" "$(grep -c 'libc is not glibc: it runs unprofiled' err)" 1

# reading
: >empty.mlg
echo 'no trace at all, but some text' >foreign.mlg
head -c 5000 /dev/urandom >random.mlg
printf '\x89MLG\r\n\x1a\n\x01\x00\x01\x00\x00\x00\x00\x00' >older.mlg
printf '\x89MLG\r\n\x1a\n\x03\x00\x00\x00\x00\x00\x00\x00' >newer.mlg
for file in empty.mlg foreign.mlg random.mlg older.mlg newer.mlg folder missing.mlg; do
	for command in print info; do
		expect_error 1 "$file" "$MALLOGRAPH" $command $file
	done
done
expect_error 1 'foreign.mlg' "$MALLOGRAPH" print -f foreign.mlg
expect_error 1 'an older version of mallograph' "$MALLOGRAPH" print older.mlg
expect_error 1 'newer format than this mallograph knows' "$MALLOGRAPH" print newer.mlg
