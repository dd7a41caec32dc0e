/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "libcollect/program.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

enum { INTERPRETER_DEPTH = 4, PATH_BYTES = 256, SEGMENTS_MAX = 64 };

/* Little memory: this also runs on signal stacks, inside the profiled program. */
struct image {
	int fd;
	Elf64_Ehdr header;
};

static int read_at(int fd, void *buffer, size_t bytes, uint64_t offset)
{
	return pread(fd, buffer, bytes, (off_t)offset) == (ssize_t)bytes ? 0 : -1;
}

static int read_segment(const struct image *image, unsigned i, Elf64_Phdr *segment)
{
	return read_at(image->fd, segment, sizeof(*segment),
		       image->header.e_phoff + i * sizeof(*segment));
}

/* File offset of a virtual address, or 0. */
static uint64_t offset_of(const struct image *image, uint64_t address)
{
	Elf64_Phdr segment;

	for (unsigned i = 0; i < image->header.e_phnum; i++)
		if (read_segment(image, i, &segment) == 0 && segment.p_type == PT_LOAD &&
		    address - segment.p_vaddr < segment.p_filesz)
			return address - segment.p_vaddr + segment.p_offset;
	return 0;
}

static int find_segment(const struct image *image, uint32_t type, Elf64_Phdr *segment)
{
	for (unsigned i = 0; i < image->header.e_phnum; i++)
		if (read_segment(image, i, segment) == 0 && segment->p_type == type)
			return 0;
	return -1;
}

struct dynamic {
	uint64_t strings, symbols, needed[64];
	unsigned needed_count;
	uint64_t hash; /* DT_GNU_HASH */
};

static void read_dynamic(const struct image *image, const Elf64_Phdr *segment,
			 struct dynamic *dynamic)
{
	Elf64_Dyn entry;

	memset(dynamic, 0, sizeof(*dynamic));
	for (uint64_t at = 0; at + sizeof(entry) <= segment->p_filesz; at += sizeof(entry)) {
		if (read_at(image->fd, &entry, sizeof(entry), segment->p_offset + at) != 0 ||
		    entry.d_tag == DT_NULL)
			break;
		if (entry.d_tag == DT_STRTAB)
			dynamic->strings = offset_of(image, entry.d_un.d_ptr);
		else if (entry.d_tag == DT_SYMTAB)
			dynamic->symbols = offset_of(image, entry.d_un.d_ptr);
		else if (entry.d_tag == DT_GNU_HASH)
			dynamic->hash = offset_of(image, entry.d_un.d_ptr);
		else if (entry.d_tag == DT_NEEDED && dynamic->needed_count < 64)
			dynamic->needed[dynamic->needed_count++] = entry.d_un.d_val;
	}
}

static int needs(const struct image *image, const struct dynamic *dynamic, const char *prefix)
{
	char name[32];
	size_t length = strlen(prefix);

	for (unsigned i = 0; i < dynamic->needed_count; i++)
		if (read_at(image->fd, name, length, dynamic->strings + dynamic->needed[i]) == 0 &&
		    memcmp(name, prefix, length) == 0)
			return 1;
	return 0;
}

/* Looks `name` up as the dynamic loader would, in the file's GNU hash table. */
static int defines(const struct image *image, const struct dynamic *dynamic, const char *name)
{
	uint32_t table[4], hash = 5381, entry, value;
	uint64_t buckets, chains;
	size_t length = strlen(name) + 1;

	for (const char *c = name; *c != '\0'; c++)
		hash = hash * 33 + (unsigned char)*c;
	if (dynamic->hash == 0 || dynamic->symbols == 0 || dynamic->strings == 0 ||
	    read_at(image->fd, table, sizeof(table), dynamic->hash) != 0 || table[0] == 0)
		return 0;
	buckets = dynamic->hash + 16 + (uint64_t)table[2] * 8;
	chains = buckets + (uint64_t)table[0] * 4;
	if (read_at(image->fd, &entry, 4, buckets + (uint64_t)(hash % table[0]) * 4) != 0 ||
	    entry < table[1])
		return 0;
	for (unsigned step = 0; step < 100000; step++, entry++) {
		Elf64_Sym symbol;
		char found[32];

		if (read_at(image->fd, &value, 4, chains + (uint64_t)(entry - table[1]) * 4) != 0)
			return 0;
		if ((value | 1) == (hash | 1) &&
		    read_at(image->fd, &symbol, sizeof(symbol),
			    dynamic->symbols + (uint64_t)entry * sizeof(symbol)) == 0 &&
		    symbol.st_shndx != SHN_UNDEF &&
		    read_at(image->fd, found, length, dynamic->strings + symbol.st_name) == 0 &&
		    memcmp(found, name, length) == 0)
			return 1;
		if ((value & 1) != 0)
			return 0;
	}
	return 0;
}

static enum program_kind elf_kind(struct image *image)
{
	const Elf64_Ehdr *h = &image->header;
	Elf64_Phdr segment;
	struct dynamic dynamic;
	char path[PATH_BYTES];
	size_t length;

	if (h->e_ident[EI_CLASS] != ELFCLASS64 || h->e_machine != EM_X86_64)
		return PROGRAM_OTHER_CPU;
	if (h->e_phentsize != sizeof(Elf64_Phdr) || h->e_phnum > SEGMENTS_MAX)
		return PROGRAM_RECORDABLE; /* the kernel has the last word */
	if (find_segment(image, PT_INTERP, &segment) != 0)
		return PROGRAM_STATIC;
	length = segment.p_filesz < PATH_BYTES ? segment.p_filesz : PATH_BYTES - 1;
	if (read_at(image->fd, path, length, segment.p_offset) != 0)
		return PROGRAM_RECORDABLE;
	path[length] = '\0';
	if (strstr(path, "ld-linux") == NULL)
		return PROGRAM_OTHER_LIBC;
	if (find_segment(image, PT_DYNAMIC, &segment) != 0)
		return PROGRAM_RECORDABLE;
	read_dynamic(image, &segment, &dynamic);
	if (needs(image, &dynamic, "libasan.so") || needs(image, &dynamic, "libclang_rt.asan") ||
	    needs(image, &dynamic, "liblsan.so"))
		return PROGRAM_SANITIZED;
	if (defines(image, &dynamic, "__asan_init") || defines(image, &dynamic, "__lsan_init"))
		return PROGRAM_SANITIZED;
	if (defines(image, &dynamic, "malloc"))
		return PROGRAM_OWN_MALLOC;
	return PROGRAM_RECORDABLE;
}

/* The loader drops LD_PRELOAD where the file gives rights that the caller lacks. */
static int privileged(const char *path, const struct stat *status)
{
	char capabilities[64];

	if ((status->st_mode & S_ISUID) != 0 && status->st_uid != geteuid())
		return 1;
	if ((status->st_mode & (S_ISGID | S_IXGRP)) == (S_ISGID | S_IXGRP) &&
	    status->st_gid != getegid())
		return 1;
	return geteuid() != 0 &&
	       getxattr(path, "security.capability", capabilities, sizeof(capabilities)) > 0;
}

/* The interpreter that "#! /path argument" names. Returns 0 when there is one. */
static int script_interpreter(int fd, char *path)
{
	char line[PATH_BYTES];
	ssize_t got = pread(fd, line, sizeof(line) - 1, 0);
	char *from, *to;

	if (got < 3 || line[0] != '#' || line[1] != '!')
		return -1;
	line[got] = '\0';
	from = line + 2 + strspn(line + 2, " \t");
	to = from + strcspn(from, " \t\n");
	*to = '\0';
	memcpy(path, from, (size_t)(to - from) + 1);
	return *path != '\0' ? 0 : -1;
}

/* What the file itself is; a script's interpreter goes to `interpreter`. */
static enum program_kind file_kind(const char *path, char *interpreter)
{
	enum program_kind kind = PROGRAM_RECORDABLE;
	struct image image;
	struct stat status;

	*interpreter = '\0';
	if (stat(path, &status) != 0)
		return errno == EACCES ? PROGRAM_DENIED : PROGRAM_MISSING;
	if (S_ISDIR(status.st_mode))
		return PROGRAM_FOLDER;
	if (!S_ISREG(status.st_mode) || (status.st_mode & (S_IXUSR | S_IXGRP | S_IXOTH)) == 0)
		return PROGRAM_NOT_EXECUTABLE;
	if (faccessat(AT_FDCWD, path, X_OK, AT_EACCESS) != 0)
		return PROGRAM_DENIED;
	if (privileged(path, &status))
		return PROGRAM_PRIVILEGED;
	image.fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (image.fd < 0)
		return PROGRAM_RECORDABLE; /* executable, but not readable */
	/* What is neither, execvp hands to /bin/sh. */
	if (read_at(image.fd, &image.header, sizeof(image.header), 0) == 0 &&
	    memcmp(image.header.e_ident, ELFMAG, SELFMAG) == 0)
		kind = elf_kind(&image);
	else if (script_interpreter(image.fd, interpreter) != 0)
		*interpreter = '\0';
	close(image.fd);
	return kind;
}

enum program_kind program_kind(const char *path)
{
	char interpreter[2][PATH_BYTES];
	enum program_kind kind = file_kind(path, interpreter[0]);

	for (int depth = 0; depth < INTERPRETER_DEPTH && interpreter[depth % 2][0] != '\0';
	     depth++) {
		kind = file_kind(interpreter[depth % 2], interpreter[(depth + 1) % 2]);
		if (kind == PROGRAM_MISSING)
			kind = PROGRAM_NO_INTERPRETER;
	}
	return kind;
}

int program_interpreter(const char *path, char *interpreter, size_t bytes)
{
	char name[2][PATH_BYTES];

	for (int depth = 0; depth < INTERPRETER_DEPTH; depth++) {
		char *found = name[depth % 2];
		int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
		int error = fd >= 0 ? script_interpreter(fd, found) : -1;

		if (fd >= 0)
			close(fd);
		if (error != 0 || strlen(found) >= bytes)
			return -1;
		path = found;
		if (access(path, F_OK) != 0) {
			memcpy(interpreter, found, strlen(found) + 1);
			return 0;
		}
	}
	return -1;
}

int program_preloads_sanitizer(const char *preload)
{
	return preload != NULL && (strstr(preload, "libasan.so") != NULL ||
				   strstr(preload, "libclang_rt.asan") != NULL);
}

const char *program_text(enum program_kind kind)
{
	static const char *const text[PROGRAM_KINDS] = {
	    [PROGRAM_RECORDABLE] = "can be recorded",
	    [PROGRAM_MISSING] = "no such program",
	    [PROGRAM_FOLDER] = "is a directory, not a program",
	    [PROGRAM_NOT_EXECUTABLE] = "is not executable: chmod +x makes it so",
	    [PROGRAM_DENIED] = "permission denied: you may not execute it",
	    [PROGRAM_NO_INTERPRETER] = "is a script, and its interpreter is not there",
	    [PROGRAM_STATIC] = "is statically linked: nothing can be preloaded into it; "
			       "link it dynamically to record it",
	    [PROGRAM_OTHER_LIBC] = "is built for another libc than glibc (musl?): build it for "
				   "glibc to record it",
	    [PROGRAM_OTHER_CPU] = "is built for another CPU than x86-64",
	    [PROGRAM_PRIVILEGED] = "is setuid, setgid or has file capabilities: the system "
				   "ignores preloading; record it as its owner",
	    [PROGRAM_SANITIZED] =
		"is built with a sanitizer that replaces malloc itself "
		"(AddressSanitizer, LeakSanitizer): build it without to record it",
	    [PROGRAM_OWN_MALLOC] = "defines malloc inside its own executable (an allocator or a "
				   "sanitizer is linked in): its allocations cannot be seen; link "
				   "the allocator as a shared library",
	};

	return kind < PROGRAM_KINDS ? text[kind] : text[PROGRAM_RECORDABLE];
}
