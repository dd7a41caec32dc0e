/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "analyzer/symbols/debug_image.h"

#include <libdeflate.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#if HAVE_ZSTD
#include <zstd.h>
#endif

#include "formats/error.h"

#define SECTIONS_MAX 12
/* elf.h knows it since glibc 2.36 */
#define COMPRESS_ZSTD 2
/* What a byte of deflate can stand for; zstd has no such limit, its frame says. */
#define DEFLATE_RATIO 1032
#define ZSTD_RATIO    65536
/* Packed bytes that are worth a thread, and its stack. */
#define THREAD_WORTH (64u << 10)
#define THREAD_STACK (256u << 10)
#define HUGE_PAGE    ((size_t)2 << 20)

struct section {
	const char *name;
	const unsigned char *bytes; /* in the file */
	size_t packed;
	uint32_t compression; /* 0: none */
	size_t offset, size;  /* in the image */
	size_t name_offset;
};

struct plan {
	struct section sections[SECTIONS_MAX];
	size_t count, names_offset, names_size, headers_offset, size;
	int compressed;
};

/* Who takes sections, each the next that nobody has. */
struct unpacker {
	struct debug_image *image;
	struct libdeflate_decompressor *inflater;
	int error;
};

struct debug_image {
	struct plan plan;
	GElf_Ehdr like;
	unsigned char *memory;
	char *path;
	atomic_size_t next; /* in the plan's sections, those that take longest first */
	struct unpacker here, there;
	pthread_t thread; /* runs there */
	int has_thread;
};

/* What is read of a file's DWARF: units, scopes, lines, names. Locations are not. */
static int is_wanted(const char *name)
{
	static const char *const wanted[] = {
	    ".debug_info",    ".debug_types",      ".debug_abbrev", ".debug_line",
	    ".debug_str",     ".debug_line_str",   ".debug_ranges", ".debug_rnglists",
	    ".debug_aranges", ".gnu_debugaltlink",
	};

	for (size_t i = 0; i < sizeof(wanted) / sizeof(*wanted); i++)
		if (!strcmp(name, wanted[i]))
			return 1;
	return 0;
}

static int add_section(struct plan *plan, Elf_Scn *scn, const GElf_Shdr *header, const char *name)
{
	struct section *section = &plan->sections[plan->count];
	Elf_Data *data = elf_rawdata(scn, NULL);
	GElf_Chdr packed;

	if (plan->count == SECTIONS_MAX)
		return ERROR_UNSUPPORTED;
	if (!data || !data->d_buf)
		return ERROR_DAMAGED;
	*section = (struct section){
	    .name = name, .bytes = data->d_buf, .packed = data->d_size, .size = data->d_size};
	if (header->sh_flags & SHF_COMPRESSED) {
		size_t most;

		if (!gelf_getchdr(scn, &packed) || section->packed < sizeof(Elf64_Chdr))
			return ERROR_DAMAGED;
		section->bytes += sizeof(Elf64_Chdr);
		section->packed -= sizeof(Elf64_Chdr);
		section->compression = packed.ch_type;
		if (packed.ch_type == ELFCOMPRESS_ZLIB)
			most = section->packed * DEFLATE_RATIO;
		else if (HAVE_ZSTD && packed.ch_type == COMPRESS_ZSTD)
			most = section->packed * ZSTD_RATIO;
		else
			return ERROR_UNSUPPORTED;
		if (packed.ch_size > most)
			return ERROR_DAMAGED;
		section->size = packed.ch_size;
		plan->compressed = 1;
	}
	plan->count++;
	return 0;
}

/* Split DWARF is found by the place of its file, which memory has not; sections compressed in
 * the old way are for libdw. */
static int is_refused(const char *name)
{
	return !strcmp(name, ".debug_addr") || !strncmp(name, ".zdebug_", 8);
}

static int find_sections(struct plan *plan, Elf *elf)
{
	size_t names;

	if (gelf_getclass(elf) != ELFCLASS64 || elf_getident(elf, NULL)[EI_DATA] != ELFDATA2LSB)
		return ERROR_UNSUPPORTED;
	if (elf_getshdrstrndx(elf, &names) != 0)
		return ERROR_DAMAGED;
	for (Elf_Scn *scn = NULL; (scn = elf_nextscn(elf, scn)) != NULL;) {
		GElf_Shdr header;
		const char *name;
		int error;

		if (!gelf_getshdr(scn, &header) || header.sh_type == SHT_NOBITS)
			continue;
		name = elf_strptr(elf, names, header.sh_name);
		if (name && is_refused(name))
			return ERROR_UNSUPPORTED;
		if (!name || !is_wanted(name))
			continue;
		error = add_section(plan, scn, &header, name);
		if (error)
			return error;
	}
	return plan->compressed ? 0 : ERROR_UNSUPPORTED;
}

/* header, sections, their names, their headers: of none, of each, of the names */
static int lay_out(struct plan *plan)
{
	size_t at = sizeof(Elf64_Ehdr);

	plan->names_size = 1 + sizeof(".shstrtab");
	for (size_t i = 0; i < plan->count; i++) {
		struct section *section = &plan->sections[i];

		section->offset = at;
		if (section->size > SIZE_MAX / 2 / SECTIONS_MAX)
			return ERROR_DAMAGED;
		at = (at + section->size + 7) & ~(size_t)7;
		section->name_offset = plan->names_size;
		plan->names_size += strlen(section->name) + 1;
	}
	plan->names_offset = at;
	plan->headers_offset = (at + plan->names_size + 7) & ~(size_t)7;
	plan->size = plan->headers_offset + (plan->count + 2) * sizeof(Elf64_Shdr);
	return 0;
}

static int unpack(struct libdeflate_decompressor *inflater, const struct section *section, void *to)
{
	if (!section->compression) {
		memcpy(to, section->bytes, section->size);
		return 0;
	}
#if HAVE_ZSTD
	if (section->compression == COMPRESS_ZSTD)
		return ZSTD_decompress(to, section->size, section->bytes, section->packed) ==
			       section->size
			   ? 0
			   : ERROR_DAMAGED;
#endif
	return libdeflate_zlib_decompress(inflater, section->bytes, section->packed, to,
					  section->size, NULL) == LIBDEFLATE_SUCCESS
		   ? 0
		   : ERROR_DAMAGED;
}

static void write_headers(const struct plan *plan, unsigned char *image, const GElf_Ehdr *like)
{
	Elf64_Ehdr header = {
	    .e_type = like->e_type,
	    .e_machine = like->e_machine,
	    .e_version = EV_CURRENT,
	    .e_shoff = plan->headers_offset,
	    .e_ehsize = sizeof(Elf64_Ehdr),
	    .e_shentsize = sizeof(Elf64_Shdr),
	    .e_shnum = (Elf64_Half)(plan->count + 2),
	    .e_shstrndx = (Elf64_Half)(plan->count + 1),
	};
	Elf64_Shdr headers[SECTIONS_MAX + 2] = {{0}};
	char *names = (char *)image + plan->names_offset;

	memcpy(header.e_ident, like->e_ident, EI_NIDENT);
	memcpy(image, &header, sizeof(header));
	names[0] = '\0';
	memcpy(names + 1, ".shstrtab", sizeof(".shstrtab"));
	for (size_t i = 0; i < plan->count; i++) {
		const struct section *section = &plan->sections[i];

		strcpy(names + section->name_offset, section->name);
		headers[i + 1] = (Elf64_Shdr){
		    .sh_name = (Elf64_Word)section->name_offset,
		    .sh_type = SHT_PROGBITS,
		    .sh_offset = section->offset,
		    .sh_size = section->size,
		    .sh_addralign = 1,
		};
	}
	headers[plan->count + 1] = (Elf64_Shdr){
	    .sh_name = 1,
	    .sh_type = SHT_STRTAB,
	    .sh_offset = plan->names_offset,
	    .sh_size = plan->names_size,
	    .sh_addralign = 1,
	};
	memcpy(image + plan->headers_offset, headers, (plan->count + 2) * sizeof(*headers));
}

static int compare_work(const void *left, const void *right)
{
	const struct section *a = left, *b = right;

	return (a->packed < b->packed) - (a->packed > b->packed);
}

static void *unpack_sections(void *context)
{
	struct unpacker *unpacker = context;
	struct debug_image *image = unpacker->image;
	size_t i;

	while (!unpacker->error && (i = atomic_fetch_add(&image->next, 1)) < image->plan.count) {
		const struct section *section = &image->plan.sections[i];

		unpacker->error =
		    unpack(unpacker->inflater, section, image->memory + section->offset);
	}
	return NULL;
}

/* In the background there is no hurry, and a thread would stay there when its process leaves it. */
static void start_thread(struct debug_image *image)
{
	pthread_attr_t attributes;
	sigset_t all, before;
	size_t packed = 0;

	for (size_t i = 0; i < image->plan.count; i++)
		packed += image->plan.sections[i].compression ? image->plan.sections[i].packed : 0;
	if (packed < THREAD_WORTH || sched_getscheduler(0) == SCHED_IDLE ||
	    pthread_attr_init(&attributes) != 0)
		return;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	image->has_thread =
	    pthread_attr_setstacksize(&attributes, THREAD_STACK) == 0 &&
	    pthread_create(&image->thread, &attributes, unpack_sections, &image->there) == 0;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	pthread_attr_destroy(&attributes);
}

static void release(struct debug_image *image)
{
	libdeflate_free_decompressor(image->here.inflater);
	libdeflate_free_decompressor(image->there.inflater);
	free(image->memory);
	free(image->path);
	free(image);
}

/* In huge pages, of which the kernel has a few to clear, not thousands. */
static void *allocate(size_t size)
{
	void *memory;

	if (size < HUGE_PAGE)
		return malloc(size);
	memory = aligned_alloc(HUGE_PAGE, (size + HUGE_PAGE - 1) / HUGE_PAGE * HUGE_PAGE);
	if (memory)
		madvise(memory, size, MADV_HUGEPAGE);
	return memory;
}

static int prepare(struct debug_image *image, const struct elf_file *file)
{
	struct plan *plan = &image->plan;
	int error = find_sections(plan, file->elf);

	if (error)
		return error;
	if (!gelf_getehdr(file->elf, &image->like))
		return ERROR_DAMAGED;
	qsort(plan->sections, plan->count, sizeof(*plan->sections), compare_work);
	error = lay_out(plan);
	if (error)
		return error;
	image->memory = allocate(plan->size);
	image->path = strdup(file->path);
	image->here.image = image->there.image = image;
	image->here.inflater = libdeflate_alloc_decompressor();
	image->there.inflater = libdeflate_alloc_decompressor();
	return image->memory && image->path && image->here.inflater && image->there.inflater
		   ? 0
		   : ERROR_MEMORY;
}

int debug_image_start(struct debug_image **started, const struct elf_file *file)
{
	struct debug_image *image = calloc(1, sizeof(*image));
	int error = image ? prepare(image, file) : ERROR_MEMORY;

	*started = NULL;
	if (!error) {
		start_thread(image);
		*started = image;
	} else if (image) {
		release(image);
	}
	return error;
}

static void wait_for(struct debug_image *image)
{
	if (image->has_thread)
		pthread_join(image->thread, NULL);
	image->has_thread = 0;
}

int debug_image_finish(struct debug_image *image, struct elf_file *file)
{
	int error;

	memset(file, 0, sizeof(*file));
	file->fd = -1;
	unpack_sections(&image->here);
	wait_for(image);
	error = image->here.error ? image->here.error : image->there.error;
	if (!error) {
		write_headers(&image->plan, image->memory, &image->like);
		file->elf = elf_memory((char *)image->memory, image->plan.size);
		error = file->elf ? 0 : ERROR_DAMAGED;
	}
	if (!error) {
		file->memory = image->memory;
		file->path = image->path;
		image->memory = NULL;
		image->path = NULL;
	}
	release(image);
	return error;
}

void debug_image_abandon(struct debug_image *image)
{
	if (!image)
		return;
	atomic_store(&image->next, SECTIONS_MAX);
	wait_for(image);
	release(image);
}
