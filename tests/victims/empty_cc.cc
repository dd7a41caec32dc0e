/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a C++ program allocates that allocates nothing: its runtime's emergency pool.
 * The other C++ victims name it as their base. */
#include <new>

#include "expect.h"

int main()
{
	std::set_new_handler(nullptr); /* so that the runtime is linked */
	return 0;
}
