/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tui/view.h"

#include <stddef.h>

const struct view_ops *const views[] = {
    &view_sites, &view_leaks, &view_temporary, &view_threads, &view_stack, &view_help, NULL,
};
