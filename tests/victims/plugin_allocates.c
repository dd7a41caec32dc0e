/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A plugin that allocates; loaded, used and unloaded many times. */
#include <stdlib.h>

void *plugin_allocate(size_t size);

void *plugin_allocate(size_t size)
{
	return malloc(size);
}
