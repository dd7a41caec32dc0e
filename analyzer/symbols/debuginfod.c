/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "analyzer/symbols/debuginfod.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "formats/error.h"

/* elfutils/debuginfod.h, as it is since elfutils 0.178: it need not be there to build. */
typedef void *(*begin_function)(void);
typedef int (*find_function)(void *client, const unsigned char *build_id, int bytes, char **path);

struct client {
	void *library, *handle;
	find_function find[2];
};

static enum debuginfod_trouble trouble;

/* One for the whole process: it keeps its connections. */
static struct client *the_client(void)
{
	static struct client client;
	static int tried;
	begin_function begin;

	if (tried)
		return client.handle ? &client : NULL;
	tried = 1;
	client.library = dlopen("libdebuginfod.so.1", RTLD_NOW | RTLD_LOCAL);
	if (!client.library) {
		trouble = DEBUGINFOD_NO_LIBRARY;
		return NULL;
	}
	begin = (begin_function)dlsym(client.library, "debuginfod_begin");
	client.find[DEBUGINFOD_MODULE] =
	    (find_function)dlsym(client.library, "debuginfod_find_executable");
	client.find[DEBUGINFOD_DEBUG] =
	    (find_function)dlsym(client.library, "debuginfod_find_debuginfo");
	if (begin && client.find[DEBUGINFOD_MODULE] && client.find[DEBUGINFOD_DEBUG])
		client.handle = begin();
	return client.handle ? &client : NULL;
}

int debuginfod_open(struct elf_file *file, const void *build_id, size_t bytes,
		    enum debuginfod_kind kind)
{
	struct client *client = the_client();
	char *path = NULL;
	int fd, status;

	memset(file, 0, sizeof(*file));
	file->fd = -1;
	if (!client || !bytes || bytes > 64)
		return ERROR_SYSTEM;
	fd = client->find[kind](client->handle, build_id, (int)bytes, &path);
	if (fd < 0) {
		if (fd == -ENOSYS)
			trouble = DEBUGINFOD_NO_SERVERS;
		else if (fd != -ENOENT)
			trouble = DEBUGINFOD_NO_ANSWER;
		return ERROR_SYSTEM;
	}
	close(fd);
	status = elf_file_open(file, path, -1);
	free(path);
	if (status == 0 && !elf_file_has_build_id(file, build_id, bytes)) {
		elf_file_close(file);
		status = ERROR_FOREIGN;
	}
	return status;
}

enum debuginfod_trouble debuginfod_trouble(void)
{
	return trouble;
}

const char *debuginfod_trouble_text(int kind)
{
	switch (kind) {
	case DEBUGINFOD_NO_LIBRARY:
		return "libdebuginfod.so.1 is not installed";
	case DEBUGINFOD_NO_SERVERS:
		return "DEBUGINFOD_URLS names no server";
	case DEBUGINFOD_NO_ANSWER:
		return "a server could not be asked";
	}
	return NULL;
}
