/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * serves FOLDER SAVED EACH: a file system of one folder, kept in memory, mounted on FOLDER: where a
 * child's trace then goes. Each of its requests costs EACH blocks, allocated and freed; the child
 * has LEAF of them. When the last file is closed they are saved in the folder SAVED, which must
 * exist. 77: no file system can be mounted here.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/fuse.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

enum { LEAF = 50, FILES = 8, FILE_BYTES = 1 << 22, REQUEST = 1 << 18 };

static struct file {
	char name[256];
	int there;
	size_t size;
	char *bytes;
} files[FILES];
static int device, opened, closed;
static char request[REQUEST];

static void reply(int error, const void *bytes, size_t size)
{
	const struct fuse_in_header *in = (void *)request;
	struct fuse_out_header out = {sizeof(out) + size, -error, in->unique};
	struct iovec parts[] = {{&out, sizeof(out)}, {(void *)bytes, size}};

	if (writev(device, parts, size ? 2 : 1) < 0)
		perror("reply");
}

/* Node 1 is the folder, node 2 + i file i. */
static struct fuse_attr attributes(uint64_t node)
{
	struct fuse_attr attr = {.ino = node, .mode = S_IFDIR | 0777, .nlink = 1, .blksize = 4096};

	if (node > 1) {
		attr.mode = S_IFREG | 0600;
		attr.size = files[node - 2].size;
		attr.nlink = (uint32_t)files[node - 2].there;
	}
	return attr;
}

static struct fuse_entry_out entry(int i)
{
	return (struct fuse_entry_out){.nodeid = (uint64_t)i + 2,
				       .attr = attributes((uint64_t)i + 2)};
}

static int find(const char *name)
{
	for (int i = 0; i < FILES; i++)
		if (files[i].there && !strcmp(files[i].name, name))
			return i;
	return -1;
}

static void create(const char *name)
{
	struct {
		struct fuse_entry_out entry;
		struct fuse_open_out open;
	} made = {0};
	int i = 0;

	while (i < FILES && files[i].bytes)
		i++;
	if (i == FILES)
		return reply(ENOSPC, NULL, 0);
	snprintf(files[i].name, sizeof(files[i].name), "%s", name);
	files[i].there = 1;
	files[i].bytes = calloc(1, FILE_BYTES);
	made.entry = entry(i);
	opened++;
	reply(0, &made, sizeof(made));
}

static void move_bytes(struct file *file, uint32_t operation, const void *body)
{
	const struct fuse_write_in *in = body;
	struct fuse_write_out out = {.size = in->size};
	size_t left = in->offset < file->size ? file->size - in->offset : 0;

	if (operation == FUSE_READ)
		return reply(0, file->bytes + in->offset, in->size < left ? in->size : left);
	if (in->offset + in->size > FILE_BYTES)
		return reply(ENOSPC, NULL, 0);
	memcpy(file->bytes + in->offset, in + 1, in->size);
	if (in->offset + in->size > file->size)
		file->size = in->offset + in->size;
	reply(0, &out, sizeof(out));
}

static void serve(void)
{
	const struct fuse_in_header *in = (void *)request;
	const void *body = in + 1;
	struct file *file = &files[in->nodeid > 1 ? in->nodeid - 2 : 0];
	struct fuse_init_out init = {
	    .major = FUSE_KERNEL_VERSION, .minor = FUSE_KERNEL_MINOR_VERSION, .max_write = 1 << 16};
	struct fuse_attr_out attr = {.attr = attributes(in->nodeid)};
	struct fuse_open_out open_out = {0};
	struct fuse_entry_out found;
	int i;

	switch (in->opcode) {
	case FUSE_INIT:
		return reply(0, &init, sizeof(init));
	case FUSE_LOOKUP:
		i = find(body);
		if (i < 0)
			return reply(ENOENT, NULL, 0);
		found = entry(i);
		return reply(0, &found, sizeof(found));
	case FUSE_SETATTR:
		if (((const struct fuse_setattr_in *)body)->valid & FATTR_SIZE)
			file->size = ((const struct fuse_setattr_in *)body)->size;
		attr.attr = attributes(in->nodeid);
		return reply(0, &attr, sizeof(attr));
	case FUSE_GETATTR:
		return reply(0, &attr, sizeof(attr));
	case FUSE_CREATE:
		return create((const char *)body + sizeof(struct fuse_create_in));
	case FUSE_OPEN:
		opened++;
		return reply(0, &open_out, sizeof(open_out));
	case FUSE_READ:
	case FUSE_WRITE:
		return move_bytes(file, in->opcode, body);
	case FUSE_UNLINK:
		i = find(body);
		if (i >= 0)
			files[i].there = 0;
		return reply(i < 0 ? ENOENT : 0, NULL, 0);
	case FUSE_FLUSH:
		return reply(0, NULL, 0);
	case FUSE_RELEASE:
		closed++;
		return reply(0, NULL, 0);
	case FUSE_FORGET:
	case FUSE_BATCH_FORGET:
		return;
	}
	reply(ENOSYS, NULL, 0);
}

static int save(const char *folder)
{
	for (int i = 0; i < FILES; i++) {
		FILE *out;

		if (!files[i].there)
			continue;
		if (chdir(folder) || !(out = fopen(files[i].name, "w")) ||
		    fwrite(files[i].bytes, 1, files[i].size, out) != files[i].size || fclose(out))
			return 1;
	}
	return 42;
}

int main(int argc, char **argv)
{
	char options[100], go;
	int gate[2], each = argc > 3 ? atoi(argv[3]) : 0;

	device = open("/dev/fuse", O_RDWR | O_CLOEXEC);
	snprintf(options, sizeof(options), "fd=%d,rootmode=40777,user_id=0,group_id=0", device);
	if (argc != 4 || device < 0 || pipe(gate) || mount("none", argv[1], "fuse", 0, options))
		return 77;
	if (fork() == 0) {
		close(device);
		read(gate[0], &go, 1);
		for (int i = 0; i < LEAF; i++)
			if (!malloc(16))
				abort();
		_exit(0);
	}
	while (!opened || closed < opened) {
		if (read(device, request, sizeof(request)) < 0)
			return 1;
		if (((struct fuse_in_header *)request)->opcode == FUSE_INIT)
			write(gate[1], "", 1);
		for (int i = 0; i < each; i++)
			free(malloc(16));
		serve();
	}
	umount2(argv[1], MNT_DETACH);
	return save(argv[2]);
}
