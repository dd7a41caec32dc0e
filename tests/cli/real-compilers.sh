# SPDX-License-Identifier: LGPL-2.1-or-later
# tier: test
# timeout: 200
# cc1plus and clang: large, without debug information, symbolized in bounded time.
. "$TESTS/lib.sh"
need g++ clang

cat >program.cc <<'END'
#include <map>
#include <regex>
#include <string>
#include <vector>
int count(const std::map<std::string, std::vector<int>> &table)
{
	int sum = 0;
	for (const auto &[name, values] : table)
		if (std::regex_match(name, std::regex("a.*")))
			sum += values.size();
	return sum;
}
END
record -o 'c.%n.mlg' g++ -std=c++17 -c -o recorded.o program.cc
equal "status of g++" $status 0
g++ -std=c++17 -c -o native.o program.cc
cmp native.o recorded.o || fail "g++ makes another object"
whole c.cc1plus.mlg
sums_agree c.cc1plus.mlg
"$MALLOGRAPH" print -n 50 c.cc1plus.mlg >report
grep -qE 'xmalloc|xrealloc|ggc_|_cpp_|cpp_|vec|hash' report || {
	head -n 40 report
	fail "no function of cc1plus is named"
}

compile=$(clang -### -c -o recorded2.o program.cc -std=c++17 2>&1 | grep -E '"-cc1"' | tail -n 1)
eval "set -- $compile"
record -o clang.mlg "$@"
equal "status of clang" $status 0
clang -c -o native2.o program.cc -std=c++17 || fail "clang alone"
cmp native2.o recorded2.o || fail "clang makes another object"
whole clang.mlg
sums_agree clang.mlg
"$MALLOGRAPH" print -n 50 clang.mlg >report
grep -qE 'clang::|llvm::' report || {
	head -n 40 report
	fail "no function of clang is named"
}
