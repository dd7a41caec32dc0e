# SPDX-License-Identifier: LGPL-2.1-or-later
# What we say on standard error harms nobody: a pipe or socket without a reader, a full pipe, a limit
# of file sizes leave the status what it is.
. "$TESTS/lib.sh"
need python3

cat >says.py <<'END'
"""says.py WHERE COMMAND...: runs it with such a standard error, and ends with its status."""
import fcntl, os, resource, socket, subprocess, sys

where, command = sys.argv[1], sys.argv[2:]
limit = lambda: None
if where == "socket":
    read, write = (end.detach() for end in socket.socketpair())
elif where == "file":
    read, write = os.open("/dev/null", 0), os.open("said", os.O_WRONLY | os.O_CREAT)
    limit = lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
else:
    read, write = os.pipe()
if where == "full":
    os.write(write, bytes(fcntl.fcntl(write, 1032)))  # F_GETPIPE_SZ
else:
    os.close(read)
status = subprocess.run(command, stderr=write, preexec_fn=limit, timeout=20).returncode
sys.exit(status if status >= 0 else 128 - status)
END

# No recorder of that number: the library has something to say, and the program runs.
unheard=(env "LD_PRELOAD=$LIB" MALLOGRAPH_SESSION=1.1 "$VICTIMS/die" exit 5)
"${unheard[@]}" 2>err
equal "status without a recorder" $? 42
equal "lines" "$(wc -l <err)" 1
for where in pipe socket full file; do
	python3 says.py $where "${unheard[@]}"
	equal "status of a program that is told by $where" $? 42
done

# The summary and the warnings of record.
for where in pipe socket; do
	python3 says.py $where "$MALLOGRAPH" record -o $where.mlg "$VICTIMS/die" exit 6
	equal "status of record that tells by $where" $? 42
	whole $where.mlg
	equal "allocations of $where" "$(figure allocations $where.mlg)" 6
done
python3 says.py file "$MALLOGRAPH" record -o file.mlg "$VICTIMS/die" exit 6
equal "status of record that may write no file" $? 125
[ ! -e file.mlg ] || fail "a trace that could not be written"
