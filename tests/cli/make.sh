# SPDX-License-Identifier: LGPL-2.1-or-later
# tier: test
# timeout: 100
# make -j2 of a small project: same result, a trace for each process.
. "$TESTS/lib.sh"
need make gcc

generate() {
	mkdir "$1" && cd "$1" || exit 1
	for i in 1 2 3 4 5 6; do
		echo "int f$i(int x) { return x * $i; }" >f$i.c
	done
	cat >main.c <<-'END'
		#include <stdio.h>
		int f1(int), f2(int), f3(int), f4(int), f5(int), f6(int);
		int main(void) { printf("%d\n", f1(f2(f3(f4(f5(f6(1))))))); return 0; }
	END
	cat >Makefile <<-'END'
		.RECIPEPREFIX := >
		OBJECTS := f1.o f2.o f3.o f4.o f5.o f6.o main.o
		program: $(OBJECTS)
		>gcc -o $@ $^
		%.o: %.c
		>gcc -O1 -c -o $@ $<
	END
	cd ..
}
generate native
generate recorded
make -s -j2 -C native >native.out 2>&1 || fail "make alone"
record -o 'trace.%n.%p.mlg' make -s -j2 -C recorded >recorded.out 2>&1
cat recorded.out record.err
equal "status" $status 0
equal "the program's output" "$(recorded/program)" 720
for object in native/*.o; do
	cmp "$object" "recorded/${object#native/}" || fail "$object differs"
done
equal "traces of cc1" "$(ls trace.cc1.*.mlg | wc -l)" 7
equal "traces of as" "$(ls trace.*as.*.mlg | wc -l)" 7
at_least "traces of ld" "$(ls trace.*ld.*.mlg | wc -l)" 1
equal "traces of make" "$(ls trace.*make.*.mlg | wc -l)" 1
for trace in trace.*.mlg; do
	whole "$trace"
	equal "unknown frees in $trace" "$(figure unknown_frees "$trace")" 0
done
