/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* loader PLUGIN...: a C program that loads C++ plugins. */
#include <dlfcn.h>

#include "expect.h"

int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		if (!dlopen(argv[i], RTLD_NOW | RTLD_LOCAL))
			_exit(98);
	say("fine\n");
	return argc > 1 ? 0 : 97;
}
