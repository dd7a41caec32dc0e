/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* folder OLD [NEW]: gives the folder OLD the name NEW, or removes it with the files `*.mlg` in it;
 * allocates before and after. */
#include <dirent.h>
#include <stdio.h>

#include "expect.h"

#define BLOCKS      50
#define BLOCK_BYTES 64

static void allocate(void)
{
	for (unsigned i = 0; i < BLOCKS; i++)
		MUST(malloc(BLOCK_BYTES));
}

static void remove_folder(const char *name)
{
	DIR *folder = opendir(name);
	struct dirent *entry;

	MUST(folder);
	while ((entry = readdir(folder)) != NULL)
		if (strstr(entry->d_name, ".mlg"))
			MUST(!unlinkat(dirfd(folder), entry->d_name, 0));
	MUST(!closedir(folder) && !rmdir(name));
}

int main(int argc, char **argv)
{
	MUST(argc > 1);
	allocate();
	if (argc > 2)
		MUST(!rename(argv[1], argv[2]));
	else
		remove_folder(argv[1]);
	allocate();
	return 42;
}
