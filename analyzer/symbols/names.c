/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "analyzer/symbols/names.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/symbols/symbolize.h"

void names_init(struct names *names)
{
	memset(names, 0, sizeof(*names));
	string_pool_init(&names->raw);
	string_pool_init(&names->pretty);
}

void names_release(struct names *names)
{
	string_pool_release(&names->raw);
	string_pool_release(&names->pretty);
	free(names->pretty_of);
	names_init(names);
}

const char *names_text(struct names *names, const char *text)
{
	char *cut = strnlen(text, NAMES_BYTES_MAX + 1) > NAMES_BYTES_MAX
			? strndup(text, NAMES_BYTES_MAX)
			: NULL;
	uint32_t id = string_pool_add(&names->pretty, cut ? cut : text);
	free(cut);
	return id ? string_pool_text(&names->pretty, id) : NULL;
}

static const char **pretty_slot(struct names *names, uint32_t raw)
{
	if (raw >= names->pretty_of_count) {
		size_t count = names->pretty_of_count ? names->pretty_of_count : 256;
		while (count <= raw)
			count *= 2;
		const char **grown = reallocarray(names->pretty_of, count, sizeof(*grown));
		if (!grown)
			return NULL;
		memset(grown + names->pretty_of_count, 0,
		       (count - names->pretty_of_count) * sizeof(*grown));
		names->pretty_of = grown;
		names->pretty_of_count = count;
	}
	return &names->pretty_of[raw];
}

static const char *make_pretty(struct names *names, const char *mangled)
{
	const char *version = strchr(mangled + 1, '@');
	char *bare = version ? strndup(mangled, (size_t)(version - mangled)) : strdup(mangled);
	char *text = bare ? symbol_demangle(bare) : NULL;
	const char *pretty = text ? names_text(names, text) : NULL;
	free(text);
	free(bare);
	return pretty;
}

const char *names_function(struct names *names, const char *mangled)
{
	if (!*mangled)
		return NULL;
	if (strnlen(mangled, NAMES_BYTES_MAX + 1) > NAMES_BYTES_MAX)
		return names_text(names, mangled);
	uint32_t raw = string_pool_add(&names->raw, mangled);
	const char **slot = raw ? pretty_slot(names, raw) : NULL;
	if (slot && !*slot)
		*slot = make_pretty(names, mangled);
	return slot ? *slot : NULL;
}

static char *drop_last(char *root, char *end)
{
	while (end > root && end[-1] != '/')
		end--;
	return end > root ? end - 1 : end;
}

static int ends_in_parent(const char *root, const char *end)
{
	return end - root >= 2 && memcmp(end - 2, "..", 2) == 0 &&
	       (end - root == 2 || end[-3] == '/');
}

/* By text alone, as the compiler saw it: the folders may not exist here. */
static void normalise(char *path)
{
	char *root = path + (*path == '/');
	char *out = root;
	for (char *in = root; *in;) {
		size_t bytes = strcspn(in, "/");
		int parent = bytes == 2 && memcmp(in, "..", 2) == 0;
		if (parent && (out > root ? !ends_in_parent(root, out) : root > path)) {
			out = drop_last(root, out);
		} else if (bytes > 0 && !(bytes == 1 && *in == '.')) {
			if (out > root)
				*out++ = '/';
			memmove(out, in, bytes);
			out += bytes;
		}
		in += bytes;
		in += strspn(in, "/");
	}
	*out = '\0';
}

/*
 * libdw puts the folder before a relative name. Compilers told to map paths
 * (Debian's are) write a relative folder, and name it in the line table once
 * more: "./math/./math/ldexp.c".
 */
static const char *without_double(const char *folder, const char *file)
{
	size_t bytes = folder ? strlen(folder) : 0;
	if (bytes > 0 && *folder != '/' && strncmp(file, folder, bytes) == 0 &&
	    file[bytes] == '/' && strncmp(file + bytes + 1, folder, bytes) == 0 &&
	    file[2 * bytes + 1] == '/')
		return file + bytes + 1;
	return file;
}

const char *names_path(struct names *names, const char *folder, const char *file)
{
	char path[2 * PATH_MAX];
	size_t folder_bytes = folder ? strlen(folder) : 0;
	int bytes;

	file = without_double(folder, file);
	if (*file == '/' || folder_bytes == 0 || strncmp(file, folder, folder_bytes) == 0)
		bytes = snprintf(path, sizeof(path), "%s", file);
	else
		bytes = snprintf(path, sizeof(path), "%s/%s", folder, file);
	if (bytes < 0 || (size_t)bytes >= sizeof(path))
		return names_text(names, file);
	normalise(path);
	return names_text(names, path);
}
