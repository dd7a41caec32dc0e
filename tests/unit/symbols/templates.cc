/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* C++: templates, lambdas, anonymous namespaces, constructors, the library's inlines. */
#include <algorithm>
#include <functional>
#include <iostream>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace
{
struct hidden_thing {
	explicit hidden_thing(std::string n) : name(std::move(n))
	{
	}
	std::string name;
};

int hidden_length(const hidden_thing &thing)
{
	return static_cast<int>(thing.name.size());
}
} // namespace

namespace shapes
{
template <typename T, int N> class box
{
      public:
	void put(const T &value)
	{
		if (values.size() < N)
			values.push_back(value);
	}
	template <typename F> auto fold(F &&f) const
	{
		T sum{};
		for (const auto &value : values)
			sum = f(sum, value);
		return sum;
	}

      private:
	std::vector<T> values;
};

template <typename T> T twice(T value)
{
	box<T, 4> two;
	two.put(value);
	two.put(value);
	return two.fold([](const T &a, const T &b) { return a + b; });
}
} // namespace shapes

int main(int argc, char **argv)
{
	std::map<std::string, std::unique_ptr<hidden_thing>> things;
	for (int i = 0; i < argc + 3; i++) {
		auto name = "thing " + std::to_string(i) + argv[0];
		things[name] = std::make_unique<hidden_thing>(name);
	}
	std::function<int(int)> add = [&](int n) {
		for (const auto &thing : things)
			n += hidden_length(*thing.second);
		return n;
	};
	std::vector<int> numbers{3, 1, argc};
	std::sort(numbers.begin(), numbers.end(), [](int a, int b) { return b < a; });
	std::cout << add(numbers[0]) << shapes::twice(2.5) << shapes::twice(std::string("x"))
		  << shapes::twice(7) << '\n';
	return 0;
}
