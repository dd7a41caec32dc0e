/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * maps THREADS INSERTS: threads fill maps of strings together, look up, erase every other
 * entry. Says how long an insert took, in nanoseconds of wall time, in the file that
 * BENCH_INSIDE names.
 */
#include "tests/bench/inside.h"

#include <map>
#include <string>
#include <thread>
#include <vector>

static void fill(unsigned long inserts, unsigned long seed, unsigned long *found)
{
	std::map<std::string, std::string> map;

	for (unsigned long i = 0; i < inserts; i++) {
		std::string key = "a key that is too long for its object " +
				  std::to_string((i * 7919 + seed) % 5003);

		map[key] += "and a value ";
		*found += map.count(key);
		if (i % 2)
			map.erase(key);
	}
}

int main(int argc, char **argv)
{
	unsigned long count = argc == 3 ? strtoul(argv[1], NULL, 10) : 0;
	unsigned long share = count ? strtoul(argv[2], NULL, 10) / count : 0, sum = 0;
	std::vector<unsigned long> found(count);
	std::vector<std::thread> threads;

	if (count == 0 || count > 64) {
		fputs("usage: maps THREADS INSERTS (THREADS up to 64)\n", stderr);
		return 2;
	}
	double start = inside_now();
	for (unsigned long i = 0; i < count; i++)
		threads.emplace_back(fill, share, i, &found[i]);
	for (auto &thread : threads)
		thread.join();
	inside_report((inside_now() - start) / (double)(share * count));
	for (unsigned long one : found)
		sum += one;
	printf("%lu found\n", sum);
	return 0;
}
