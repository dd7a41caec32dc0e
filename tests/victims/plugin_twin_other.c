/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* See plugin_twin.h. */
#include "plugin_twin.h"

TWIN(other_twin, 104)
