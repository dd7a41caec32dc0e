/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/query/names.h"
#include "analyzer/query/pattern.h"
#include "analyzer/query/wrappers.h"

static void test_bare_names(void **state)
{
	static const struct {
		const char *name, *bare;
	} names[] = {
	    {"", ""},
	    {"main", "main"},
	    {"malloc@@GLIBC_2.2.5", "malloc"},
	    {"operator new(unsigned long)", "operator new"},
	    {"operator new[](unsigned long, std::nothrow_t const&)", "operator new[]"},
	    {"A::operator new(unsigned long)", "A::operator new"},
	    {"std::__new_allocator<std::pair<int, A<x> > >::allocate(unsigned long, void const*)",
	     "std::__new_allocator::allocate"},
	    {"Node<int>* Table<std::allocator<int> >::node<int const&>(int const&)", "Table::node"},
	    {"unsigned long f<3>(void) volatile", "f"},
	    {"decltype (x.y) f<int>(int)", "f"},
	    {"decltype(auto) f<int>(int)", "f"},
	    {"main::{lambda(int, x)#3}::operator()(int) const", "main::{lambda}::operator()"},
	    {"f(int)::{lambda()#1}::operator()() const [clone .part.0] [clone .cold]",
	     "f::{lambda}::operator()"},
	    {"A::operator()(int) const::{lambda()#1}::operator()() const",
	     "A::operator()::{lambda}::operator()"},
	    {"xmalloc.constprop.0.isra.3.cold", "xmalloc"},
	    {"alloc::alloc::alloc::h0123456789abcdef", "alloc::alloc::alloc"},
	    {"alloc::alloc::alloc::h0123456789abcdeg", "alloc::alloc::alloc::h0123456789abcdeg"},
	    {"<alloc::alloc::Global as core::alloc::Allocator>::allocate",
	     "<alloc::alloc::Global as core::alloc::Allocator>::allocate"},
	    {"<alloc::vec::Vec<u8>>::push", "alloc::vec::Vec::push"},
	    {"core::ptr::drop_in_place::<T>", "core::ptr::drop_in_place"},
	    {"a::f::{{closure}}::{closure#2}", "a::f::{{closure}}::{closure}"},
	    {"std::(anonymous namespace)::pool::get(long)",
	     "std::(anonymous namespace)::pool::get"},
	    {"A::operator unsigned long() const", "A::operator unsigned long"},
	    {"std::ostream& std::operator<< <char>(std::ostream&)", "std::operator<<"},
	    {"bool std::operator<=><int>(a<b>)", "std::operator<=>"},
	    {"X f[abi:cxx11](int)", "f"},
	    {"non-virtual thunk to B::get(int)", "B::get"},
	    {"f(int (*)(long)) const", "f"},
	    {".cold", ".cold"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		char out[256];

		name_bare(out, names[i].name);
		assert_string_equal(out, names[i].bare);
	}
}

static void test_comparable_names(void **state)
{
	static const char *const same[][2] = {
	    {"f", "f.part.0"},
	    {"f.cold", "f.isra.0.constprop.12.cold.3"},
	    {"f.lto_priv.0", "f.lto_priv.17"},
	    {"a::f(int) [clone .part.0]", "a::f(int) [clone .isra.3] [clone .cold]"},
	    {"a::f::h0123456789abcdef", "a::f::hfedcba9876543210"},
	    {"f(int)::{lambda(int)#1}::operator()(int) const",
	     "f(int)::{lambda(int)#12}::operator()(int) const"},
	    {"a::{closure#0}", "a::{closure#1}"},
	    {"main::$_0::operator()() const", "main::$_3::operator()() const"},
	    {"f._omp_fn.0", "f._omp_fn.1"},
	    {"list__anon_1234", "list__anon_77"},
	    {"malloc@@GLIBC_2.2.5", "malloc"},
	};
	static const char *const different[][2] = {
	    {"f(int)", "f(long)"},
	    {"f<1>()", "f<2>()"},
	    {"f.1", "f.2"},
	    {"f.cold_start", "f"},
	    {"{lambda(int)#1}::f()", "{lambda(long)#1}::f()"},
	    {"a::h123", "a::h124"},
	    {"f", "f._omp_fn.0"},
	};
	char one[128], other[128];

	(void)state;
	for (size_t i = 0; i < sizeof(same) / sizeof(*same); i++) {
		name_comparable(one, same[i][0]);
		name_comparable(other, same[i][1]);
		assert_string_equal(one, other);
	}
	for (size_t i = 0; i < sizeof(different) / sizeof(*different); i++) {
		name_comparable(one, different[i][0]);
		name_comparable(other, different[i][1]);
		assert_string_not_equal(one, other);
	}
}

static void test_comparable_modules(void **state)
{
	static const char *const modules[][2] = {
	    {"/usr/lib/libfoo.so.1.2.3", "libfoo.so"},
	    {"/opt/new/libfoo.so.2", "libfoo.so"},
	    {"libfoo.so", "libfoo.so"},
	    {"/lib/libc-2.31.so", "libc.so"},
	    {"libglib-2.0.so.0.7400", "libglib.so"},
	    {"libpython3.11.so.1.0", "libpython3.11.so"},
	    {"lib.sort.so.1", "lib.sort.so"},
	    {"/tmp/app (deleted)", "app"},
	    {"/tmp/a.so.d/app", "app"},
	    {"foo.sock", "foo.sock"},
	    {"app-1.2", "app-1.2"},
	    {"-1.so", "-1.so"},
	    {"", ""},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(modules) / sizeof(*modules); i++) {
		char out[64];

		module_comparable(out, modules[i][0]);
		assert_string_equal(out, modules[i][1]);
	}
}

/* Never longer than the name, whatever it is made of. */
static void test_any_bytes(void **state)
{
	static const char *const pieces[] = {"<",  ">",  "(",  ")",       "operator", "a",
					     "->", " ",  "::", "<lambda", "[abi:",    "]",
					     "{",  "#1", "}",  " as ",    ".part.0",  " [clone x]"};
	const size_t count = sizeof(pieces) / sizeof(*pieces);

	(void)state;
	srand(1);
	for (int round = 0; round < 50000; round++) {
		char name[192] = "", *exact;

		for (int i = rand() % 12; i >= 0; i--)
			strcat(name, pieces[(size_t)rand() % count]);
		exact = malloc(strlen(name) + 1);
		assert_non_null(exact);
		name_bare(exact, name);
		assert_true(strlen(exact) <= strlen(name));
		name_comparable(exact, name);
		assert_true(strlen(exact) <= strlen(name));
		module_comparable(exact, name);
		assert_true(strlen(exact) <= strlen(name));
		free(exact);
	}
}

static void test_patterns(void **state)
{
	(void)state;
	assert_true(pattern_matches("a*b*c", "a-b-bc"));
	assert_false(pattern_matches("a*b*c", "a-b-cb"));
	assert_true(pattern_matches("*", ""));
	assert_true(pattern_matches("a**", "a"));
	assert_false(pattern_matches("", "a"));
	assert_false(pattern_matches("ab", "abc"));
	assert_true(pattern_finds("b", "abc"));
	assert_true(pattern_finds("^a", "abc"));
	assert_false(pattern_finds("^b", "abc"));
	assert_true(pattern_finds("foo$", "foofoo"));
	assert_false(pattern_finds("foo$", "food"));
	assert_true(pattern_finds("^a*c$", "abc"));
	assert_false(pattern_finds("^a*b$", "abc"));
	assert_true(pattern_finds("b*d", "abcde"));
	assert_false(pattern_finds("d*b", "abcde"));
	assert_true(pattern_finds("a$b", "a$bc"));
}

/* A slow second opinion: every way to place the stars. */
static int slow_match(const char *pattern, const char *text)
{
	if (*pattern == '*')
		return slow_match(pattern + 1, text) || (*text && slow_match(pattern, text + 1));
	if (!*pattern || !*text)
		return *pattern == *text;
	return *pattern == *text && slow_match(pattern + 1, text + 1);
}

static void test_random_patterns(void **state)
{
	unsigned found = 0;

	(void)state;
	srand(2);
	for (int round = 0; round < 100000; round++) {
		char pattern[8] = "", text[16] = "", wide[16], held[16];

		for (int i = rand() % 7; i > 0; i--)
			strcat(pattern, &"a\0b\0*"[2 * (rand() % 3)]);
		for (int i = rand() % 9; i > 0; i--)
			strcat(text, &"a\0b"[2 * (rand() % 2)]);
		assert_int_equal(pattern_matches(pattern, text), slow_match(pattern, text));
		snprintf(wide, sizeof(wide), "*%s*", pattern);
		assert_int_equal(pattern_finds(pattern, text), slow_match(wide, text));
		snprintf(wide, sizeof(wide), "%s*", pattern);
		snprintf(held, sizeof(held), "^%s", pattern);
		assert_int_equal(pattern_finds(held, text), slow_match(wide, text));
		snprintf(wide, sizeof(wide), "*%s", pattern);
		snprintf(held, sizeof(held), "%s$", pattern);
		assert_int_equal(pattern_finds(held, text), slow_match(wide, text));
		snprintf(held, sizeof(held), "^%s$", pattern);
		assert_int_equal(pattern_finds(held, text), slow_match(pattern, text));
		found += (unsigned)pattern_matches(pattern, text);
	}
	assert_in_range(found, 1000, 99000);
}

static void test_builtin(void **state)
{
	/* D18: all that C++17 has, mangled and not */
	static const char *const wrappers[] = {
	    "operator new",
	    "operator new(unsigned long)",
	    "operator new(unsigned long, std::nothrow_t const&)",
	    "operator new(unsigned long, std::align_val_t)",
	    "operator new(unsigned long, std::align_val_t, std::nothrow_t const&)",
	    "operator new[](unsigned long)",
	    "operator new[](unsigned long, std::nothrow_t const&)",
	    "operator new[](unsigned long, std::align_val_t)",
	    "operator new[](unsigned long, std::align_val_t, std::nothrow_t const&)",
	    "_Znwm",
	    "_ZnwmRKSt9nothrow_t",
	    "_ZnamSt11align_val_tRKSt9nothrow_t",
	    "_Znaj",
	    "calloc",
	    "__GI___strdup",
	    "g_strdup",
	    "xstrdup",
	    "std::allocator_traits<std::allocator<char> >::allocate(std::allocator<char>&, long)",
	    "__gnu_cxx::new_allocator<char>::allocate(unsigned long, void const*)",
	    "std::_Vector_base<int, std::allocator<int> >::_M_allocate(unsigned long)",
	    "std::__cxx11::basic_string<char, std::char_traits<char>, std::allocator<char> >::"
	    "_M_create(unsigned long&, unsigned long)",
	    "std::unique_ptr<A, std::default_delete<A> > std::make_unique<A, int>(int&&)",
	    "alloc::raw_vec::RawVec<T,A>::reserve::do_reserve_and_handle::h0123456789abcdef",
	    "_cgo_1a2b3c_Cfunc__Cmalloc",
	};
	static const char *const others[] = {
	    "",
	    "malloc_info",
	    "__GI_setlocale",
	    "operator newer(int)",
	    "A::operator new(unsigned long)",
	    "my::malloc(int)",
	    "std::vector<int>::push_back(int const&)",
	    "operator delete(void*)",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(wrappers) / sizeof(*wrappers); i++)
		assert_true(wrappers_match(NULL, wrappers[i]));
	for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++)
		assert_false(wrappers_match(NULL, others[i]));
	assert_false(wrappers_match(NULL, NULL));
	for (const struct wrapper_group *group = wrapper_groups; group->title; group++)
		for (const char *const *at = group->patterns; *at; at++)
			assert_true(wrappers_match(NULL, *at));
}

static void test_added(void **state)
{
	struct wrappers *all = wrappers_new(1), *own = wrappers_new(0);
	char *name = malloc(5000);

	(void)state;
	assert_non_null(all);
	assert_non_null(own);
	assert_false(wrappers_match(own, "malloc"));
	assert_true(wrappers_match(all, "malloc"));
	assert_int_equal(wrappers_add(all, "my_alloc"), 0);
	assert_int_equal(wrappers_add(own, "pool::*::allocate"), 0);
	assert_true(wrappers_match(all, "my_alloc.isra.0"));
	assert_false(wrappers_match(own, "my_alloc"));
	assert_true(wrappers_match(own, "void* pool::small<64>::allocate<int>(long)"));
	assert_false(wrappers_match(own, "pool::allocate(long)"));
	/* a name that is longer than what lies on the stack for it */
	assert_non_null(name);
	memset(name, 'x', 4999);
	memcpy(name, "f<", 2);
	strcpy(name + 4990, ">::y()");
	assert_int_equal(wrappers_add(own, "f::y"), 0);
	assert_true(wrappers_match(own, name));
	free(name);
	wrappers_free(all);
	wrappers_free(own);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_bare_names),
	    cmocka_unit_test(test_comparable_names),
	    cmocka_unit_test(test_comparable_modules),
	    cmocka_unit_test(test_any_bytes),
	    cmocka_unit_test(test_patterns),
	    cmocka_unit_test(test_random_patterns),
	    cmocka_unit_test(test_builtin),
	    cmocka_unit_test(test_added),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
