# SPDX-License-Identifier: LGPL-2.1-or-later
# timeout: 1200
# Programs in other languages, as Debian builds them: same output and status as alone, their
# functions named, figures by arithmetic; what could not be walked or named is counted.
. "$TESTS/lib.sh"
need gfortran rustc go clang node java ruby musl-gcc jq

# "ALLOCATIONS BYTES" of those that a filter selects.
share() { # TRACE FILTER
	"$MALLOGRAPH" print --json --filter "$2" "$1" | jq -r '"\(.totals.allocations) \(.totals.bytes)"'
}

# Never a name as the linker has it.
demangled() { # NAME
	! grep -nE '^ *(_ZN|_R[A-Z])' "$1.report" || fail "mangled names in $1"
}

# How many frames of JIT code are named by a pattern, each of them marked as guessed.
guessed() { # NAME PATTERN
	"$MALLOGRAPH" print -n 1000 -s 5 -l "$1.mlg" >"$1.report" || fail "print $1"
	grep -qE "$2.*\[guessed\]" "$1.report" || fail "no guessed frame of $1 is named $2"
	grep -q '^stacks with guessed frames: ' "$1.report" || fail "guesses of $1 are not counted"
}

# Code that a program describes in /tmp/perf-PID.map has names.
named() { # NAME PATTERN COMMAND...
	local name=$1 pattern=$2
	shift 2
	record -o "$name.mlg" "$@" >"$name.out"
	rm -f "/tmp/perf-$("$MALLOGRAPH" print --json "$name.mlg" | jq .trace.pid).map"
	equal "status of $name" "$status" 3
	whole "$name.mlg"
	guessed "$name" "$pattern"
}

# --- Fortran ----------------------------------------------------------------------
cat >lists.f90 <<'END'
module lists
	implicit none
	type list
		real(8), allocatable :: values(:)
	end type
contains
	subroutine fill(all, n)
		type(list), allocatable, intent(out) :: all(:)
		integer, intent(in) :: n
		integer :: i
		allocate(all(n))
		do i = 1, n
			allocate(all(i)%values(i))
			all(i)%values = i
		end do
	end subroutine
end module
program main
	use lists
	implicit none
	type(list), allocatable :: all(:)
	integer :: i
	call fill(all, 1000)
	do i = 1, 1000, 2
		deallocate(all(i)%values)
	end do
	print '(i0)', storage_size(all(1)) / 8
	call exit(3)
end program
END
for level in 0 2; do
	gfortran -g -O$level -o "fortran$level" lists.f90 || fail "gfortran"
	same fortran$level 'lists\.f90:[0-9]+' ./fortran$level
	# the array of lists, and 8 * (1 + 2 + ... + 1000)
	equal "allocations of fill -O$level" "$(share fortran$level.mlg function=fill)" \
		"1001 $((1000 * $(cat fortran$level.out) + 8 * 500500))"
done
grep -q '__lists_MOD_fill' fortran0.report || fail "fill is not named"
# those with even numbers
"$MALLOGRAPH" print --json --filter function=fill --filter size=..8001 fortran0.mlg >fortran.json
equal "leaked blocks" "$(jq .totals.leaked_blocks fortran.json)" 500
equal "leaked bytes" "$(jq .totals.leaked_bytes fortran.json)" $((8 * 2 * 500 * 501 / 2))

# --- Rust -------------------------------------------------------------------------
cat >boxes.rs <<'END'
struct Node<T> { value: T, next: Option<Box<Node<T>>> }
#[inline(never)]
fn push<T>(head: Option<Box<Node<T>>>, value: T) -> Option<Box<Node<T>>> {
	Some(Box::new(Node { value, next: head }))
}
trait Grow { fn grow(&self, n: usize) -> Vec<Box<u64>>; }
struct Plain;
impl Grow for Plain {
	#[inline(never)]
	fn grow(&self, n: usize) -> Vec<Box<u64>> {
		let mut all = Vec::with_capacity(n);
		for i in 0..n { all.push(Box::new(i as u64)); }
		all
	}
}
fn main() {
	let mut head: Option<Box<Node<[u64; 3]>>> = None;
	for i in 0..1000u64 { head = push(head, [i, i, i]); }
	let mut sum = 0;
	let mut at = &head;
	while let Some(node) = at { sum += node.value[1]; at = &node.next; }
	let threads: Vec<_> = (0..4).map(|_| std::thread::spawn(|| Plain.grow(500).len() as u64)).collect();
	for thread in threads { sum += thread.join().unwrap(); }
	let caught = std::panic::catch_unwind(|| { let b = vec![1u8; 77]; if b.len() == 77 { panic!("as planned"); } });
	println!("{} {} {}", sum, caught.is_err(), std::mem::size_of::<Node<[u64; 3]>>());
	while let Some(mut node) = head { head = node.next.take(); }
	std::process::exit(3);
}
END
export RUST_BACKTRACE=0
for mangling in legacy v0; do
	RUSTC_BOOTSTRAP=1 /usr/bin/rustc -g -Z unstable-options \
		-C symbol-mangling-version=$mangling -o rust_$mangling boxes.rs || fail "rustc"
	same rust_$mangling 'boxes::push' ./rust_$mangling
	equal "allocations of push ($mangling)" "$(share rust_$mangling.mlg function=boxes::push)" \
		"1000 $((1000 * $(cut -d' ' -f3 rust_$mangling.out)))"
	equal "allocations of grow ($mangling)" "$(share rust_$mangling.mlg function=grow)" \
		"2004 $((4 * (500 * 8 + 500 * 8)))"
	grep -q '<boxes::Plain as boxes::Grow>::grow' rust_$mangling.report || fail "grow is not named"
	demangled rust_$mangling
done

# --- Go with cgo --------------------------------------------------------------------
mkdir cgo && cat >cgo/main.go <<'END'
package main

/*
#include <stdlib.h>
#include <string.h>
static void *keep(size_t n) { void *p = malloc(n); memset(p, 1, n); return p; }
int callBack(int n);
*/
import "C"

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"sync"
	"unsafe"
)

//export goCallBack
func goCallBack(n C.int) C.int {
	C.free(C.malloc(24))
	return n + 1
}

func work(n int) int {
	sum := 0
	for i := 0; i < n; i++ {
		p := C.keep(100)
		sum += int(*(*byte)(p))
		C.free(p)
		s := C.CString("hello")
		sum += len(C.GoString(s))
		C.free(unsafe.Pointer(s))
		if i%10 == 0 {
			sum += int(C.callBack(C.int(i))) - i
		}
	}
	return sum
}

func main() {
	var wait sync.WaitGroup
	total := make([]int, 8)
	for t := range total {
		wait.Add(1)
		go func(t int) {
			defer wait.Done()
			total[t] = work(1000)
			runtime.GC()
		}(t)
	}
	wait.Wait()
	fmt.Println(total)
	if len(os.Args) > 1 {
		output, err := exec.Command(os.Args[1]).Output()
		fmt.Println(string(output), err)
	}
	os.Exit(3)
}
END
cat >cgo/back.c <<'END'
int goCallBack(int);
int callBack(int n) { return goCallBack(n); }
END
printf 'module example\ngo 1.19\n' >cgo/go.mod
(cd cgo && GOCACHE=$PWD/cache GOPROXY=off GOFLAGS=-mod=mod /usr/bin/go build -o ../go .) ||
	fail "go build"
same go 'runtime\.asmcgocall|runtime\.' ./go
equal "allocations of keep" "$(share go.mlg function=keep)" "8000 800000"
# "hello" with its NUL, and the 24 of the call back; Go's own frames have no unwind information
equal "allocations of CString" "$(share go.mlg size=6..7)" "8000 48000"
equal "allocations of the call back" "$(share go.mlg size=24..25 | cut -d' ' -f1)" \
	"$(($(share go.mlg size=24..25 | cut -d' ' -f2) / 24))"
at_least "allocations of the call back" "$(share go.mlg size=24..25 | cut -d' ' -f1)" 800
grep -q '^stacks not walked to their end: ' go.report || fail "Go's stacks are not counted"
# os/exec is a raw execve.
echo 'int main(void) { return 4; }' >four.c
musl-gcc -o musl four.c && gcc -o four four.c && gcc -static -o static four.c || fail "gcc"
for program in ./four ./musl ./static; do
	record -o child.mlg ./go $program >out
	equal "status of Go with $program" "$status" 3
	grep -q 'exit status 4' out || fail "$program as Go's child: $(cat out record.err)"
done

# --- clang's sanitizers ---------------------------------------------------------------
printf '#include <stdlib.h>\nint main(void) { free(malloc(10)); return 3; }\n' >run.c
for sanitizer in address leak thread memory; do
	clang -fno-builtin -fsanitize=$sanitizer -o s_$sanitizer run.c || fail "clang $sanitizer"
	expect_error 125 'sanitizer' "$MALLOGRAPH" record ./s_$sanitizer
	"$MALLOGRAPH" record -o s.mlg sh -c "./s_$sanitizer; exit \$?" >out 2>err
	equal "status of $sanitizer as a child" $? 3
	grep -qE '^  unrecorded +1 ' err || fail "$sanitizer as a child is not counted"
done
clang -fno-builtin -fsanitize=address -shared-libsan -o s_shared run.c || fail "clang -shared-libsan"
expect_error 125 'sanitizer' "$MALLOGRAPH" record ./s_shared
clang -fno-builtin -fsanitize=undefined -o s_undefined run.c || fail "clang undefined"
record -o u.mlg ./s_undefined
equal "status with UBSan" "$status" 3
whole u.mlg

# --- interpreters and JIT compilers -----------------------------------------------------
# What none of them would allocate by itself: blocks of this size, and how many.
odd=size=1000003..1000040
cat >work.py <<'END'
import sys
import numpy as np
kept = [np.empty(1000003, dtype=np.uint8) for i in range(50)]
a = np.concatenate([np.ones(1000 + i) for i in range(200)])
b = np.random.default_rng(1).random((200, 200))
print(len(a), round(float(np.linalg.eigvalsh(b @ b.T).sum()), 3), np.sort(a)[:2])
sys.exit(3)
END
PYTHONMALLOC=malloc same numpy 'Py[A-Z_]' /usr/bin/python3 work.py
equal "numpy's arrays" "$(share numpy.mlg $odd)" "50 $((50 * 1000003))"

cat >work.rb <<'END'
kept = (0...50).map { "x" * 1000003 }
words = (0...20000).map { |i| "k#{i % 997}" * 3 }
table = Hash.new { |h, k| h[k] = [] }
words.each_with_index { |word, i| table[word] << i }
threads = (0...4).map { |t| Thread.new { (0...2000).map { |i| (i * t).to_s }.join.length } }
puts table.size, threads.map(&:value).sum, kept.size
begin
	raise ArgumentError, "as planned"
rescue => error
	puts error.message
end
puts words.map { |word| word =~ /(\d+)k/ ? $1.to_i : 0 }.sum
exit 3
END
same ruby 'rb_|ruby_' ruby work.rb
equal "ruby's strings" "$(share ruby.mlg $odd | cut -d' ' -f1)" 50
if ruby --yjit -e 1 2>/dev/null; then
	same yjit 'rb_|ruby_' ruby --yjit work.rb
	equal "ruby's strings with its JIT" "$(share yjit.mlg $odd | cut -d' ' -f1)" 50
	guessed yjit 'rb_'
fi

cat >work.js <<'END'
const zlib = require('zlib');
function tree(n) { return n ? { left: tree(n - 1), right: tree(n - 1), name: 'n' + n } : null; }
function work() {
	let sum = 0;
	for (let i = 0; i < 60; i++)
		sum += zlib.deflateSync(Buffer.from(JSON.stringify(tree(8)))).length > 0 ? 1 : 0;
	return sum;
}
const kept = [];
for (let i = 0; i < 50; i++) kept.push(Buffer.allocUnsafeSlow(1000003));
console.log(work(), kept.length);
process.exit(3);
END
same node 'node::' node work.js
equal "node's buffers" "$(share node.mlg $odd)" "50 $((50 * 1000003))"
demangled node
named node_named 'JS:.*work\.js' node --perf-basic-prof work.js

cat >Work.java <<'END'
import java.nio.ByteBuffer;
import java.util.*;
import java.util.concurrent.*;
import java.util.zip.*;

public class Work {
	static int work(int seed) {
		Map<String, List<Integer>> table = new HashMap<>();
		for (int i = 0; i < 20000; i++)
			table.computeIfAbsent("k" + (i * seed) % 997, k -> new ArrayList<>()).add(i);
		Deflater deflater = new Deflater();
		deflater.setInput(table.toString().getBytes());
		deflater.finish();
		int size = deflater.deflate(new byte[1 << 16]);
		deflater.end();
		return size;
	}
	public static void main(String[] arguments) throws Exception {
		List<ByteBuffer> kept = new ArrayList<>();
		for (int i = 0; i < 50; i++)
			kept.add(ByteBuffer.allocateDirect(1000003));
		ExecutorService pool = Executors.newFixedThreadPool(4);
		List<Future<Integer>> results = new ArrayList<>();
		for (int i = 1; i <= 12; i++) {
			final int seed = i;
			results.add(pool.submit(() -> work(seed)));
		}
		int sum = 0;
		for (Future<Integer> result : results)
			sum += result.get() > 0 ? 1 : 0;
		pool.shutdown();
		System.out.println(sum + " " + kept.size());
		System.exit(3);
	}
}
END
same java 'os::malloc|JavaThread|ClassFileParser' java Work.java
equal "java's buffers" "$(share java.mlg $odd | cut -d' ' -f1)" 50
demangled java
guessed java '0x[0-9a-f]+'
named java_named 'Interpreter' java -XX:+UnlockDiagnosticVMOptions -XX:+DumpPerfMapAtExit Work.java

# --- the compilers themselves -------------------------------------------------------------
same rustc 'rustc|LLVM|llvm' /usr/bin/rustc --edition 2021 --emit metadata -o boxes.rmeta boxes.rs
demangled rustc
"$MALLOGRAPH" record -o version.mlg /usr/bin/go version >out 2>err
status=$?
[ $status = 0 ] || grep -q 'statically linked' err || fail "go version: $status, $(cat err)"
