/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A translation unit heavy in templates, for the compiler that is measured. */
#include <algorithm>
#include <functional>
#include <iostream>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <tuple>
#include <unordered_map>
#include <vector>

template <int N> struct record {
	std::map<std::string, std::vector<std::tuple<int, std::string, record<N - 1>>>> entries;
	std::unordered_map<int, std::shared_ptr<record<N - 1>>> index;
	std::set<std::pair<std::string, int>> names;

	void add(const std::string &key, int number)
	{
		entries[key].emplace_back(number, key, record<N - 1>());
		index[number] = std::make_shared<record<N - 1>>();
		names.emplace(key, number);
		index[number]->add(key, number - 1);
	}

	int count(const std::function<bool(const std::string &)> &wanted) const
	{
		return (int)std::count_if(entries.begin(), entries.end(),
		                          [&](const auto &entry) { return wanted(entry.first); });
	}
};

template <> struct record<0> {
	void add(const std::string &, int)
	{
	}
};

int main()
{
	record<4> all;

	for (int i = 0; i < 10; i++)
		all.add("key" + std::to_string(i), i);
	std::cout << all.count([](const std::string &key) { return key > "key3"; });
}
