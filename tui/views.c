/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tui/view.h"

#include <stddef.h>

const struct view_ops *const views[] = {
    &view_summary, &view_timeline, &view_sites, &view_top_down,  &view_bottom_up,
    &view_callers, &view_flame,    &view_leaks, &view_temporary, &view_sizes,
    &view_threads, &view_source,   &view_stack, &view_help,      NULL,
};
