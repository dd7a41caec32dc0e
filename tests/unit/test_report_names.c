/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/query/names.h"

static void test_shortened(void **state)
{
	static const struct {
		const char *name, *shortened;
	} names[] = {
	    {"", ""},
	    {"main", "main"},
	    {"vector<int>", "vector<>"},
	    {"std::vector<std::pair<int, A>, B>::push_back(std::vector<int> const&)",
	     "std::vector<>::push_back(std::vector<> const&)"},
	    {"bool operator< <int>(A<int> const&)", "bool operator< <>(A<> const&)"},
	    {"std::ostream& operator<< <std::char_traits<char> >(std::basic_ostream<char>&)",
	     "std::ostream& operator<< <>(std::basic_ostream<>&)"},
	    {"A::operator<(A const&)", "A::operator<(A const&)"},
	    {"A<int>::operator->() const", "A<>::operator->() const"},
	    {"A<int>::operator->*(int)", "A<>::operator->*(int)"},
	    {"operator>>(x<y>)", "operator>>(x<>)"},
	    {"std::operator<=><int>(a<b>)", "std::operator<=><>(a<>)"},
	    {"A::operator std::vector<int>()", "A::operator std::vector<>()"},
	    {"A::operator()<int>(int)", "A::operator()<>(int)"},
	    {"A::operator+<int>(int)", "A::operator+<>(int)"},
	    {"main()::<lambda(int)>::operator()(int) const",
	     "main()::<lambda(int)>::operator()(int) const"},
	    {"<lambda(std::vector<int>)>", "<lambda(std::vector<>)>"},
	    {"(anonymous namespace)::f<3>(x)", "(anonymous namespace)::f<>(x)"},
	    {"main::{lambda(std::vector<int>)#1}::operator()<int>(int) const",
	     "main::{lambda(std::vector<>)#1}::operator()<>(int) const"},
	    {"<alloc::vec::Vec<T> as core::Iterator<Item=u8>>::next",
	     "<alloc::vec::Vec<> as core::Iterator<>>::next"},
	    {"core::ptr::drop_in_place::<T>", "core::ptr::drop_in_place::<>"},
	    {"f<(4>3), bar<2> >::x", "f<>::x"},
	    {"f<&(A::operator<(A))>::g", "f<>::g"},
	    {"f<&A::operator-> >::g", "f<>::g"},
	    {"basic_string<char>::basic_string[abi:cxx11]<void>(x)",
	     "basic_string<>::basic_string[abi:cxx11]<>(x)"},
	    {"my_operator<int>", "my_operator<>"},
	    {"decltype (a->b) f<int>(T<U>*)", "decltype (a->b) f<>(T<>*)"},
	    {"A<int", "A<int"},
	    {"A<int>::B<x", "A<>::B<x"},
	    {"f<(>", "f<(>"},
	    {"><)(", "><)("},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		char out[256];
		size_t length = name_shorten(out, sizeof(out), names[i].name);

		assert_string_equal(out, names[i].shortened);
		assert_int_equal(length, strlen(out));
	}
}

/* Like snprintf where there is no room, and never longer than the name. */
static void test_bounds(void **state)
{
	char out[8] = "xxxxxxx", deep[4096], shortened[sizeof(deep)];

	(void)state;
	assert_int_equal(name_shorten(out, 4, "vector<int>"), 8);
	assert_string_equal(out, "vec");
	assert_int_equal(out[4], 'x');
	assert_int_equal(name_shorten(NULL, 0, "vector<int>"), 8);
	memset(deep, '<', sizeof(deep));
	deep[0] = 'f';
	deep[sizeof(deep) - 1] = '\0';
	assert_int_equal(name_shorten(shortened, sizeof(shortened), deep), strlen(deep));
	srand(1);
	for (int round = 0; round < 20000; round++) {
		static const char *const pieces[] = {"<",  ">", "(",  ")",       "operator", "a",
						     "->", " ", "::", "<lambda", "[]",       "="};
		char name[128] = "";

		for (int i = rand() % 12; i >= 0; i--)
			strcat(name, pieces[(unsigned)rand() % 12]);
		assert_true(name_shorten(shortened, sizeof(shortened), name) <= strlen(name));
	}
}

static void test_has(void **state)
{
	static const char name[] = "std::vector<int, std::allocator<int> >::at(unsigned long)";

	(void)state;
	assert_true(name_has(name, "vector<int"));
	assert_true(name_has(name, "std::vector<>::at"));
	assert_true(name_has(name, "std::vector<>::at(unsigned long)"));
	assert_true(name_has(name, "std::vector::at"));
	assert_false(name_has(name, "std::vector<>::end"));
	assert_false(name_has(name, "std::vector<std::string>::at"));
	assert_false(name_has("operator<(int)", "operator<>"));
}

static void test_kinds(void **state)
{
	(void)state;
	assert_true(name_ends_stack("main"));
	assert_true(name_ends_stack("__libc_start_main_impl"));
	assert_true(name_ends_stack("__libc_start_main@@GLIBC_2.34"));
	assert_true(name_ends_stack("__libc_start_call_main"));
	assert_true(name_ends_stack("__static_initialization_and_destruction_0(int, int)"));
	assert_false(name_ends_stack("main_loop"));
	assert_false(name_ends_stack(NULL));
	assert_string_equal(name_base("/a/b"), "b");
	assert_string_equal(name_base("b"), "b");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_shortened),
	    cmocka_unit_test(test_bounds),
	    cmocka_unit_test(test_has),
	    cmocka_unit_test(test_kinds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
