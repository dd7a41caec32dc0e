# SPDX-License-Identifier: LGPL-2.1-or-later
# timeout: 1200
# The recorder out of memory at every single place.
STEP=1 exec bash "$TESTS/cli/recorder-memory.sh"
