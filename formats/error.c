/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "formats/error.h"

#include <stddef.h>

static const char *const texts[] = {
    [-ERROR_NONE] = "no error",
    [-ERROR_MEMORY] = "out of memory",
    [-ERROR_SYSTEM] = "system error",
    [-ERROR_FOREIGN] = "not a file that mallograph knows",
    [-ERROR_EMPTY] = "the file is empty",
    [-ERROR_NEWER] = "in a newer format than this mallograph knows",
    [-ERROR_OLDER] =
	"written by an older version of mallograph, in a format that is no longer read",
    [-ERROR_DAMAGED] = "the file is damaged",
    [-ERROR_CUT_OFF] = "the file is cut off",
    [-ERROR_LIMIT] = "over a limit of mallograph",
    [-ERROR_UNSUPPORTED] = "this build of mallograph cannot read its compression",
    [-ERROR_DIRECTORY] = "it is a directory",
    [-ERROR_RAW] = "a raw file of heaptrack",
    [-ERROR_CANCELLED] = "it was stopped",
    [-ERROR_SWOLLEN] = "it would take far more memory than a file of its size accounts for",
};

const char *error_text(int error)
{
	size_t i = error <= 0 ? (size_t) - (long)error : sizeof(texts);

	if (i >= sizeof(texts) / sizeof(texts[0]) || !texts[i])
		return "unknown error";
	return texts[i];
}
