/* SPDX-License-Identifier: LGPL-2.1-or-later */
#define _GNU_SOURCE
#include "libcollect/recorder/modules.h"

#include <elf.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "libcollect/recorder/crew.h"
#include "libcollect/recorder/procfs.h"

enum { MODULES_MOST = 0xffffff, PATH_MOST = 4096, BUILD_ID_MOST = 256 };
#define NO_MEMORY UINT32_MAX

/* --- descriptors -------------------------------------------------------------- */

/* Takes over fd; returns a number + 1, or 0 when it is not kept. */
static uint32_t keep_file(struct module_files *files, int fd)
{
	struct stat status;
	uint32_t unused = files->count;

	if (fstat(fd, &status) != 0 || !S_ISREG(status.st_mode))
		goto drop;
	for (uint32_t i = 0; i < files->count; i++) {
		struct module_file *file = &files->files[i];

		if (file->fd < 0) {
			unused = i;
		} else if (file->device == status.st_dev && file->inode == status.st_ino) {
			file->uses++;
			close(fd);
			return i + 1;
		}
	}
	if (unused == files->count) {
		struct module_file *more;

		if (files->count >= files->most)
			goto drop;
		if (files->count == files->room) {
			uint32_t room = files->room != 0 ? files->room * 2 : 64;

			more = realloc(files->files, room * sizeof(*more));
			if (more == NULL)
				goto drop;
			files->files = more;
			files->room = room;
		}
		files->count++;
	}
	files->files[unused] = (struct module_file){
	    .device = status.st_dev, .inode = status.st_ino, .fd = fd, .uses = 1};
	return unused + 1;
drop:
	close(fd);
	return 0;
}

static void drop_file(struct module_files *files, uint32_t number)
{
	struct module_file *file;

	if (number == 0)
		return;
	file = &files->files[number - 1];
	if (--file->uses == 0) {
		close(file->fd);
		file->fd = -1;
	}
}

void module_files_release(struct module_files *files)
{
	for (uint32_t i = 0; i < files->count; i++)
		if (files->files[i].fd >= 0)
			close(files->files[i].fd);
	free(files->files);
	*files = (struct module_files){0};
}

/* 1 when a note in these bytes is another build-id than this one. */
static int is_other(const char *notes, size_t size, const char *build_id, size_t bytes)
{
	size_t at = 0;

	while (size - at > sizeof(Elf64_Nhdr)) {
		Elf64_Nhdr note;

		memcpy(&note, notes + at, sizeof(note));
		if (note.n_namesz > size || note.n_descsz > size)
			return 0;
		at += sizeof(note) + ((note.n_namesz + 3) & ~3u);
		if (at > size || note.n_descsz > size - at)
			return 0;
		if (note.n_type == NT_GNU_BUILD_ID)
			return note.n_descsz != bytes || memcmp(notes + at, build_id, bytes) != 0;
		at += (note.n_descsz + 3) & ~3u;
		if (at > size)
			return 0;
	}
	return 0;
}

/* 0 when the file surely is another: it says so in the beginning of its notes. */
static int can_be(int fd, const char *build_id, size_t bytes)
{
	char notes[1024];
	Elf64_Ehdr header;
	Elf64_Phdr segment;

	if (bytes == 0 || pread(fd, &header, sizeof(header), 0) != sizeof(header) ||
	    header.e_phentsize != sizeof(segment))
		return 1;
	for (unsigned i = 0; i < header.e_phnum && i < 64; i++) {
		off_t at = (off_t)(header.e_phoff + i * sizeof(segment));
		ssize_t got;

		if (pread(fd, &segment, sizeof(segment), at) != sizeof(segment))
			return 1;
		if (segment.p_type != PT_NOTE)
			continue;
		got = pread(fd, notes,
			    segment.p_filesz < sizeof(notes) ? segment.p_filesz : sizeof(notes),
			    (off_t)segment.p_offset);
		if (got > 0 && is_other(notes, (size_t)got, build_id, bytes))
			return 0;
	}
	return 1;
}

/* fd, or -1 when it is not the module's file. Without a build-id the program itself is told by
 * its path. */
static int if_right(int fd, const struct modules *modules, const struct shared_module *record,
		    const char *build_id, const char *path)
{
	char link[64], name[PATH_MOST + 1];
	ssize_t length;
	int right;

	if (fd < 0)
		return -1;
	right = can_be(fd, build_id, record->build_id_bytes);
	if (right && record->build_id_bytes == 0 && path[0] == '\0' && modules->program != NULL) {
		snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
		length = readlink(link, name, sizeof(name) - 1);
		name[length > 0 ? length : 0] = '\0';
		right = strcmp(name, modules->program) == 0;
	}
	if (right)
		return fd;
	close(fd);
	return -1;
}

/* As it is mapped, where we may look and it still is; else by its path as the process
 * sees it. Each may be another file by now: of the next program, or put in its place. */
static int open_module(const struct modules *modules, const char *maps,
		       const struct shared_module *record, const char *build_id, const char *path)
{
	const int flags = O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK;
	const char *outside = path[0] == '\0' ? modules->program : path;
	char inside[2 * PATH_MOST + 64];
	int fd = -1;

	if (modules->pid != 0) {
		fd = if_right(proc_open_mapped(modules->pid, maps, record->start, record->end),
			      modules, record, build_id, path);
		if (path[0] == '\0')
			snprintf(inside, sizeof(inside), "/proc/%d/exe", (int)modules->pid);
		else
			snprintf(inside, sizeof(inside), "/proc/%d/%s/%s", (int)modules->pid,
				 path[0] == '/' ? "root" : "cwd", path);
		/* It may have gone to another folder since: there is the build-id to tell. */
		if (fd < 0 && (path[0] == '\0' || path[0] == '/' || record->build_id_bytes != 0))
			fd = if_right(open(inside, flags), modules, record, build_id, path);
	}
	if (fd < 0 && outside != NULL && outside[0] == '/')
		fd = if_right(open(outside, flags), modules, record, build_id, path);
	/* Of a process that is gone, where it began. */
	if (fd < 0 && path[0] != '\0' && path[0] != '/' && record->build_id_bytes != 0 &&
	    modules->folder != NULL) {
		snprintf(inside, sizeof(inside), "%s/%s", modules->folder, path);
		fd = if_right(open(inside, flags), modules, record, build_id, path);
	}
	return fd;
}

/* --- records -------------------------------------------------------------------- */

void modules_release(struct modules *modules)
{
	for (uint32_t i = 0; i < modules->count; i++) {
		drop_file(modules->files, modules->list[i].file);
		free(modules->list[i].text);
	}
	free(modules->list);
	modules->list = NULL;
	modules->count = modules->room = 0;
}

static int add(struct modules *modules, const char *maps, const struct shared_module *record,
	       const char *build_id, const char *path_bytes)
{
	char path[PATH_MOST + 1];
	const char *shown = path;
	struct module *module;
	int fd;

	if (modules->count == modules->room) {
		uint32_t room = modules->room != 0 ? modules->room * 2 : 32;
		struct module *more = realloc(modules->list, room * sizeof(*more));

		if (more == NULL)
			return -1;
		modules->list = more;
		modules->room = room;
	}
	memcpy(path, path_bytes, record->path_bytes);
	path[record->path_bytes] = '\0';
	if (path[0] == '\0' && modules->program != NULL)
		shown = modules->program;
	module = &modules->list[modules->count];
	*module = (struct module){.start = record->start,
				  .end = record->end,
				  .base = record->base,
				  .path_bytes = (uint16_t)strnlen(shown, PATH_MOST),
				  .build_id_bytes = record->build_id_bytes};
	module->text = malloc((size_t)module->path_bytes + module->build_id_bytes + 1);
	if (module->text == NULL)
		return -1;
	memcpy(module->text, shown, module->path_bytes);
	memcpy(module->text + module->path_bytes, build_id, module->build_id_bytes);
	fd = open_module(modules, maps, record, build_id, path);
	if (fd >= 0)
		module->file = keep_file(modules->files, fd);
	modules->count++;
	return 0;
}

/* Reads the record at an offset. Returns its length, what is left of its chunk
 * when there is none, 0 when it makes no sense, or NO_MEMORY. */
static uint32_t read_record(struct modules *modules, const char *maps, uint32_t at)
{
	const char *chunk =
	    shared_chunk(modules->shared, modules->session->module_chunk[at / CHUNK_BYTES]);
	uint32_t left = CHUNK_BYTES - at % CHUNK_BYTES;
	struct shared_module record;

	if (chunk == NULL)
		return 0;
	chunk += at % CHUNK_BYTES;
	memcpy(&record.record_bytes, chunk, sizeof(record.record_bytes));
	if (record.record_bytes == 0)
		return left;
	if (left < sizeof(record))
		return 0;
	memcpy(&record, chunk, sizeof(record));
	if (record.record_bytes > left || record.record_bytes % 8 != 0 ||
	    record.path_bytes > PATH_MOST || record.build_id_bytes > BUILD_ID_MOST ||
	    record.start > record.end ||
	    sizeof(record) + record.path_bytes + record.build_id_bytes > record.record_bytes)
		return 0;
	if (add(modules, maps, &record, chunk + sizeof(record),
		chunk + sizeof(record) + record.build_id_bytes) != 0)
		return NO_MEMORY;
	return record.record_bytes;
}

void modules_read(struct modules *modules)
{
	uint32_t end = atomic_load_explicit(&modules->session->module_bytes, memory_order_acquire);
	char *maps;

	if (end == modules->read_bytes || modules->bad)
		return;
	maps = modules->pid != 0 ? proc_read(modules->pid, "maps", NULL) : NULL;
	while (modules->read_bytes < end) {
		uint32_t step = 0;

		if (modules->read_bytes / CHUNK_BYTES < MODULE_CHUNKS &&
		    modules->count < MODULES_MOST)
			step = read_record(modules, maps, modules->read_bytes);
		modules->bad = step == 0;
		if (step == 0 || step == NO_MEMORY)
			break;
		modules->read_bytes += step;
	}
	free(maps);
}

/* The trace's id of an equal module that is defined already. */
static uint32_t find_equal(const struct modules *modules, const struct module *module)
{
	size_t bytes = (size_t)module->path_bytes + module->build_id_bytes;

	for (uint32_t i = 0; i < modules->count; i++) {
		const struct module *other = &modules->list[i];

		if (other->file_id != 0 && other->start == module->start &&
		    other->end == module->end && other->base == module->base &&
		    other->path_bytes == module->path_bytes &&
		    other->build_id_bytes == module->build_id_bytes &&
		    memcmp(other->text, module->text, bytes) == 0)
			return other->file_id;
	}
	return 0;
}

const struct module *modules_use(struct modules *modules, struct trace_writer *writer,
				 struct crew *crew, uint32_t id)
{
	struct module *module;

	if (id > modules->count)
		modules_read(modules);
	if (id == 0 || id > modules->count)
		return NULL;
	module = &modules->list[id - 1];
	if (module->file_id == 0)
		module->file_id = find_equal(modules, module);
	if (module->file_id == 0) {
		module->file_id = ++modules->file_count;
		crew_wait(crew);
		if (writer != NULL)
			trace_writer_module(writer, module->start, module->end, module->base,
					    module->text, module->path_bytes,
					    module->text + module->path_bytes,
					    module->build_id_bytes);
	}
	return module;
}

int modules_fd(const struct modules *modules, uint32_t file_id)
{
	for (uint32_t i = 0; i < modules->count; i++)
		if (modules->list[i].file_id == file_id && modules->list[i].file != 0)
			return modules->files->files[modules->list[i].file - 1].fd;
	return -1;
}
