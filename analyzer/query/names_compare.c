/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "analyzer/query/names.h"

#include <ctype.h>
#include <string.h>

#define RUST_HASH_DIGITS 16

static int is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static int is_identifier(char c)
{
	return isalnum((unsigned char)c) || c == '_' || c == '$' || (c & 0x80);
}

static int ends_with(const char *name, size_t length, const char *end)
{
	size_t size = strlen(end);

	return length >= size && !memcmp(name + length - size, end, size);
}

/* "foo.part.0" is foo; ".cold" may have a number or none. Returns the length without the
 * last such suffix, or length. */
static size_t without_part(const char *name, size_t length)
{
	static const char *const parts[] = {".part",  ".constprop",  ".isra",
					    ".cold",  ".lto_priv",   ".llvm",
					    ".clone", ".localalias", ".specialized"};
	size_t end = length;

	while (end && is_digit(name[end - 1]))
		end--;
	if (end < length && end && name[end - 1] == '.')
		end--;
	else
		end = length;
	for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++)
		if (ends_with(name, end, parts[i]) && end > strlen(parts[i]))
			return end - strlen(parts[i]);
	return length;
}

/* " [clone .cold]", as demanglers write them */
static size_t without_clone(const char *name, size_t length)
{
	static const char open[] = " [clone ";
	size_t at = length;

	if (!length || name[length - 1] != ']')
		return length;
	while (at && name[at - 1] != '[')
		at--;
	if (at < 2 || strncmp(name + at - 2, open, sizeof(open) - 1))
		return length;
	return at - 2;
}

static size_t without_rust_hash(const char *name, size_t length)
{
	size_t digits = RUST_HASH_DIGITS;

	if (length < digits + 4 || strncmp(name + length - digits - 3, "::h", 3))
		return length;
	for (size_t i = length - digits; i < length; i++)
		if (!is_digit(name[i]) && !(name[i] >= 'a' && name[i] <= 'f'))
			return length;
	return length - digits - 3;
}

/* "malloc@@GLIBC_2.2.5" */
static size_t without_version(const char *name, size_t length)
{
	size_t at = 0;

	while (at < length && is_identifier(name[at]))
		at++;
	return at && name[at] == '@' ? at : length;
}

/* How much of the name is left without what compilers and linkers append. */
static size_t proper_length(const char *name)
{
	size_t length = without_version(name, strlen(name)), before;

	do {
		before = length;
		length = without_clone(name, length);
		length = without_part(name, length);
		length = without_rust_hash(name, length);
	} while (length < before);
	return length;
}

static int starts(const char *text, const char *start)
{
	return !strncmp(text, start, strlen(start));
}

/* The length of what stands at `at` and ends in a number that compilers count up
 * through a file: "#3}", "$_0", "__anon_12", "_omp_fn.2". Sets what of it stays. 0: nothing. */
static size_t counted(const char *at, size_t *stays)
{
	static const struct {
		const char *start;
		char end; /* must follow the number; 0: anything */
	} kinds[] = {{"#", '}'}, {"$_", 0}, {"__anon_", 0}, {"_omp_fn.", 0}};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		size_t length = strlen(kinds[i].start), digits = length;

		if (!starts(at, kinds[i].start))
			continue;
		while (is_digit(at[digits]))
			digits++;
		if (digits == length || (kinds[i].end && at[digits] != kinds[i].end))
			continue;
		*stays = length - 1;
		return digits;
	}
	return 0;
}

void name_comparable(char *out, const char *name)
{
	const char *end = name + proper_length(name);

	while (name < end) {
		size_t stays = 0, length = counted(name, &stays);

		if (length) {
			memcpy(out, name, stays);
			out += stays;
			name += length;
		} else {
			*out++ = *name++;
		}
	}
	*out = '\0';
}

/* ".so" with a version behind it, and one before it as in libc-2.31.so. */
void module_comparable(char *out, const char *path)
{
	static const char gone[] = " (deleted)";
	const char *base = name_base(path), *so;
	size_t length = strlen(base), at;

	if (ends_with(base, length, gone))
		length -= sizeof(gone) - 1;
	memcpy(out, base, length);
	out[length] = '\0';
	so = strstr(out, ".so");
	while (so && so[3] && so[3] != '.')
		so = strstr(so + 3, ".so");
	if (!so)
		return;
	at = (size_t)(so - out);
	if (strspn(so + 3, ".0123456789") != strlen(so + 3))
		return;
	while (at && (is_digit(out[at - 1]) || out[at - 1] == '.'))
		at--;
	if (at < 2 || out[at - 1] != '-')
		at = (size_t)(so - out) + 1;
	strcpy(out + at - 1, ".so");
}

/* --- the bare name --------------------------------------------------------- */

/* Reads the name that name_shorten() has left and writes over it, behind its
 * reader: the result is never longer. */
struct strip {
	char *name, *read, *write;
	int in_operator; /* its type may have spaces: "operator unsigned long" */
};

/* The bracket that closes the one at open, or NULL. */
static char *closing_bracket(char *open)
{
	char close = *open == '(' ? ')' : *open == '{' ? '}' : *open == '[' ? ']' : '>';
	size_t depth = 0;

	for (char *at = open; *at; at++) {
		if (close == '>' && at > open && at[-1] == '-')
			continue;
		if (*at == *open)
			depth++;
		else if (*at == close && !--depth)
			return at;
	}
	return NULL;
}

static void copy(struct strip *strip, size_t count)
{
	memmove(strip->write, strip->read, count);
	strip->write += count;
	strip->read += count;
}

static int written_ends(const struct strip *strip, const char *end)
{
	return ends_with(strip->name, (size_t)(strip->write - strip->name), end);
}

/* At '('. Returns 0 where the name ends. */
static int strip_round(struct strip *strip)
{
	static const char anonymous[] = "(anonymous namespace)";
	char *close = closing_bracket(strip->read);

	if (starts(strip->read, anonymous)) {
		copy(strip, sizeof(anonymous) - 1);
		return 1;
	}
	if (starts(strip->read, "()") && written_ends(strip, "operator")) {
		copy(strip, 2);
		return 1;
	}
	if (!close)
		return 0;
	strip->in_operator = 0;
	if (strip->write == strip->name || written_ends(strip, "decltype")) {
		strip->read = close + 1;
		return 1;
	}
	for (close++; starts(close, " const") || starts(close, " volatile");)
		close += close[1] == 'c' ? 6 : 9;
	strip->read = close;
	return starts(close, "::");
}

/* "{lambda(int)#1}" becomes "{lambda}", "{{closure}}" stays. */
static void strip_curly(struct strip *strip)
{
	char *close = closing_bracket(strip->read);
	size_t open = strspn(strip->read, "{");

	if (!close) {
		copy(strip, strlen(strip->read));
		return;
	}
	copy(strip, strcspn(strip->read, "(#}"));
	memset(strip->write, '}', open);
	strip->write += open;
	strip->read = close + 1;
}

/* "<T as Trait>" and "<impl Trait for T>" belong to the name; in "<alloc::Vec>::push" the
 * brackets alone do not; "<>" has been arguments. */
static void strip_angle(struct strip *strip)
{
	char *close = closing_bracket(strip->read);
	const char *as;

	if (!close) {
		copy(strip, strlen(strip->read));
		return;
	}
	if (strip->read[1] == '>') {
		strip->read += 2;
		if (written_ends(strip, "::") && !starts(strip->read, "::"))
			strip->write -= 2;
		return;
	}
	if (strip->write == strip->name && starts(close, ">::")) {
		as = strstr(strip->read, " as ");
		if (!as || as > close) {
			memmove(close, close + 1, strlen(close));
			strip->read++;
			return;
		}
	}
	while (strip->read <= close) {
		if (starts(strip->read, "<>"))
			strip->read += 2;
		else
			copy(strip, 1);
	}
}

static int at_operator(const struct strip *strip)
{
	return starts(strip->read, "operator") && !is_identifier(strip->read[8]) &&
	       (strip->write == strip->name || !is_identifier(strip->write[-1]));
}

static void strip_operator(struct strip *strip)
{
	copy(strip, 8);
	if (starts(strip->read, "()"))
		copy(strip, 2);
	else if (*strip->read == ' ' || *strip->read == '"')
		strip->in_operator = 1;
	else
		copy(strip, starts(strip->read, "[]") ? 2 : strspn(strip->read, "+-*/%^&|~!=<>,"));
	if (written_ends(strip, "<>"))
		strip->write -= 2;
}

static int strip_next(struct strip *strip)
{
	switch (*strip->read) {
	case '(':
		return strip_round(strip);
	case '{':
		strip_curly(strip);
		return 1;
	case '<':
		strip_angle(strip);
		return 1;
	case '[':
		if (!starts(strip->read, "[abi:") || !closing_bracket(strip->read))
			break;
		strip->read = closing_bracket(strip->read) + 1;
		return 1;
	case ' ':
		if (strip->in_operator)
			break;
		if (starts(strip->read, " <>")) {
			strip->read += 3;
			return 1;
		}
		/* what was there is the type that it returns */
		strip->read++;
		strip->write = strip->name;
		return 1;
	case 'o':
		if (!at_operator(strip))
			break;
		strip_operator(strip);
		return 1;
	default:
		break;
	}
	copy(strip, 1);
	return 1;
}

/* Most of C is nothing else. */
static int is_of_identifier(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '_';
}

void name_bare(char *out, const char *name)
{
	struct strip strip = {.read = out, .name = out, .write = out};
	size_t length = 0;

	while (is_of_identifier(name[length]))
		length++;
	if (!name[length]) {
		memcpy(out, name, length + 1);
		return;
	}
	name_shorten(out, strlen(name) + 1, name);
	out[proper_length(out)] = '\0';
	if (!strpbrk(out, " <([{"))
		return;
	while (*strip.read && strip_next(&strip))
		;
	*strip.write = '\0';
}
