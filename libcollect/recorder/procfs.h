/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MALLOGRAPH_PROCFS_H
#define MALLOGRAPH_PROCFS_H

/*
 * What /proc says of a process. Processes go away at any moment: nothing here
 * is an error worth more than "not known".
 */

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* A whole file /proc/PID/NAME, with a NUL behind; to be freed. NULL: cannot be
 * read. *size without the NUL, may be NULL. */
char *proc_read(pid_t pid, const char *name, size_t *size);
/* Where a link /proc/PID/NAME points to, to be freed, or NULL. */
char *proc_link(pid_t pid, const char *name);
/* The path of its executable, to be freed, or NULL. */
char *proc_program(pid_t pid);

/* A number of /proc/PID/status ("PPid", "VmHWM"); 0 when it is not there. */
uint64_t proc_status_number(pid_t pid, const char *name);
/* The exit code of a process not yet reaped, as waitpid() gives it. 0, or a
 * negative error when it is not known. */
int proc_zombie_status(pid_t pid, int *status);
/* A thread's name. 0, or a negative error. */
int proc_thread_name(pid_t pid, pid_t tid, char *name, size_t size);

/* Whether a process has a System V segment mapped. */
enum proc_mapped { PROC_NOT_MAPPED, PROC_MAPPED, PROC_UNKNOWN, PROC_GONE };
enum proc_mapped proc_maps_segment(pid_t pid, int id);

/* The process that calls itself `pid` in a pid namespace below ours and has the
 * segment mapped; 0: none. */
pid_t proc_find_inside(pid_t pid, int id);

/* The numbers that the threads of a process have in its own pid namespace, to be freed. Returns
 * how many, or a negative error. */
int proc_inner_threads(pid_t pid, pid_t **tids);

/* The file mapped at [start, end), or the lowest part of it: a descriptor, or -1.
 * maps is the text of /proc/PID/maps. */
int proc_open_mapped(pid_t pid, const char *maps, uint64_t start, uint64_t end);

/* pidfd_open(2). */
int proc_pidfd(pid_t pid);
/* A number of the process that no other has or will have (older kernels: the same for
 * all); 0: none. */
uint64_t proc_pidfd_number(int pidfd);
/* How a process ended, as waitpid() gives it, from the kernel's memory of it,
 * which is there once it has been reaped (Linux 6.15). 0 or a negative error. */
int proc_pidfd_status(int pidfd, int *status);

#endif
