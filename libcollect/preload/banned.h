/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Included last. What must not be called inside the program: it allocates,
 * locks, ends the process, or changes errno. rawio.h has what we use instead. */
#ifndef MALLOGRAPH_BANNED_H
#define MALLOGRAPH_BANNED_H

#pragma GCC poison malloc calloc realloc free strdup strndup asprintf
#pragma GCC poison printf fprintf snprintf sprintf puts fputs fopen fwrite perror
#pragma GCC poison exit abort _exit assert
#pragma GCC poison dl_iterate_phdr pthread_mutex_lock pthread_getattr_np pthread_atfork
#pragma GCC poison setenv putenv getenv strerror open read write close mmap

#endif
