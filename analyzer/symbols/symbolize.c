/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "analyzer/symbols/symbolize.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/symbols/debug_info.h"
#include "analyzer/symbols/debuginfod.h"
#include "analyzer/symbols/elf_file.h"
#include "analyzer/symbols/literal.h"
#include "analyzer/symbols/names.h"
#include "analyzer/symbols/symbol_table.h"
#include "formats/error.h"

struct symbol_module {
	struct elf_file file;
	struct elf_file debug; /* separate debug file; may not be open */
	struct symbol_table symbols;
	struct debug_info *info; /* NULL: none */
	struct names names;
	const char *complaint;
	int limited; /* the complaint is about a limit or damage */
};

struct wanted {
	const void *build_id;
	size_t build_id_bytes;
};

static int is_vdso(const char *path)
{
	return strcmp(path, "linux-vdso.so.1") == 0 || strcmp(path, "[vdso]") == 0;
}

/* Keeps the file open only if it is the one that was recorded. */
static int accept_file(struct elf_file *file, int status, const struct wanted *wanted)
{
	if (status < 0 || wanted->build_id_bytes == 0 ||
	    elf_file_has_build_id(file, wanted->build_id, wanted->build_id_bytes))
		return status;
	elf_file_close(file);
	return ERROR_FOREIGN;
}

/* The more telling of two failures: a wrong file says more than none. */
static int worse(int before, int status)
{
	return before == ERROR_SYSTEM || before == 0 ? status : before;
}

static int open_joined(struct elf_file *file, const char *folder, const char *name,
		       const struct wanted *wanted)
{
	char *path;
	if (asprintf(&path, "%s/%s", folder, name) < 0)
		return ERROR_MEMORY;
	int status = accept_file(file, elf_file_open(file, path, -1), wanted);
	free(path);
	return status;
}

static int open_file(struct elf_file *file, const char *path, int fd, const struct wanted *wanted,
		     const char *sysroot)
{
	if (is_vdso(path))
		return accept_file(file, elf_file_open_vdso(file), wanted);
	int status = ERROR_SYSTEM;
	if (fd >= 0)
		status = accept_file(file, elf_file_open(file, path, fd), wanted);
	if (status < 0 && sysroot)
		status = worse(status, open_joined(file, sysroot, path, wanted));
	if (status < 0 && sysroot && strrchr(path, '/'))
		status = worse(status, open_joined(file, sysroot, strrchr(path, '/') + 1, wanted));
	/* without a build-id a file outside the sysroot is anybody's */
	if (status < 0 && (!sysroot || wanted->build_id_bytes > 0))
		status = worse(status, accept_file(file, elf_file_open(file, path, -1), wanted));
	if (status < 0 && debug_file_open_by_build_id(file, wanted->build_id,
						      wanted->build_id_bytes, sysroot) == 0)
		status = 0;
	return status;
}

static int open_symbols(struct symbol_module *module)
{
	int status = symbol_table_add(&module->symbols, &module->file);
	if (status == 0 && elf_file_is_open(&module->debug))
		status = symbol_table_add(&module->symbols, &module->debug);
	return status < 0 ? status : symbol_table_finish(&module->symbols);
}

static int open_debug_info(struct symbol_module *module, const struct symbol_options *options)
{
	struct debug_limits limits = {options->deadline, options->memory};
	int status =
	    debug_info_open(&module->info, &module->file, &module->file, &limits, &module->names);
	if (status == ERROR_UNSUPPORTED && elf_file_is_open(&module->debug))
		status = debug_info_open(&module->info, &module->debug, &module->file, &limits,
					 &module->names);
	return status;
}

/* status: what open_debug_info() returned. */
static void read_debug_info(struct symbol_module *module, const struct symbol_options *options,
			    int status)
{
	if (status == 0)
		status = debug_info_read(module->info, options->sysroot);
	if (status == 0)
		return;
	debug_info_close(module->info);
	module->info = NULL;
	module->limited = status != ERROR_UNSUPPORTED;
	if (status == ERROR_LIMIT)
		module->complaint = "its debug information needs more memory than allowed";
	else if (status == ERROR_DAMAGED)
		module->complaint = "its debug information is damaged";
	else if (module->symbols.count == 0)
		module->complaint = "it has neither symbols nor debug information";
	else
		module->complaint = "it has no debug information";
}

static void open_debug_file(struct symbol_module *module, const struct symbol_options *options)
{
	if (debug_file_open(&module->debug, &module->file, options->sysroot) != 0 &&
	    options->debuginfod)
		debuginfod_open(&module->debug, module->file.build_id, module->file.build_id_bytes,
				DEBUGINFOD_DEBUG);
}

int symbol_module_open(struct symbol_module **opened, const char *path, int fd,
		       const void *build_id, size_t build_id_bytes,
		       const struct symbol_options *options)
{
	struct wanted wanted = {build_id, build_id_bytes};
	struct symbol_module *module = calloc(1, sizeof(*module));
	if (!module)
		return ERROR_MEMORY;
	module->debug.fd = module->file.fd = -1;
	symbol_table_init(&module->symbols);
	names_init(&module->names);

	int status = open_file(&module->file, path, fd, &wanted, options->sysroot);
	if (status < 0 && options->debuginfod &&
	    debuginfod_open(&module->file, build_id, build_id_bytes, DEBUGINFOD_MODULE) == 0)
		status = 0;
	if (status < 0)
		goto failed;
	int has_debug_info = elf_file_has_section(&module->file, ".debug_info") ||
			     elf_file_has_section(&module->file, ".zdebug_info");
	if ((options->debug_info && !has_debug_info) ||
	    !elf_file_has_section(&module->file, ".symtab"))
		open_debug_file(module, options);
	/* the debug information is unpacked while the symbols are sorted */
	int info_status = options->debug_info ? open_debug_info(module, options) : 0;
	status = open_symbols(module);
	if (status < 0)
		goto failed;
	if (options->debug_info)
		read_debug_info(module, options, info_status);
	*opened = module;
	return 0;
failed:
	symbol_module_close(module);
	return status;
}

void symbol_module_close(struct symbol_module *module)
{
	if (!module)
		return;
	int error = errno;
	debug_info_close(module->info);
	symbol_table_release(&module->symbols);
	names_release(&module->names);
	elf_file_close(&module->debug);
	elf_file_close(&module->file);
	free(module);
	errno = error;
}

/* A name as the linker sees it, which says more than a bare one of DWARF's. */
static int is_mangled(const char *name)
{
	return name[0] == '_' && (name[1] == 'Z' || name[1] == 'R' || name[1] == 'D');
}

/* The compiler's own suffixes (".part.0", ".cold") are no part of what a
 * function that DWARF describes is called. */
static const char *name_without_suffix(struct symbol_module *module, const char *symbol)
{
	size_t bytes = 1 + strcspn(symbol + 1, ".@");
	char *bare = strndup(symbol, bytes);
	const char *name = bare ? names_function(&module->names, bare) : NULL;
	free(bare);
	return name;
}

size_t symbol_module_find(struct symbol_module *module, uint64_t address,
			  struct symbol_frame *frames, size_t max)
{
	size_t count = 0;
	int mangled = 0;
	if (max == 0)
		return 0;
	if (module->info) {
		count = debug_info_find(module->info, address, frames, max, &mangled);
		if (debug_info_limited(module->info)) {
			module->limited = 1;
			module->complaint =
			    "its debug information was not read to the end: out of time or memory";
		}
	}
	const char *symbol = symbol_table_find(&module->symbols, address);
	if (count == 0 && symbol) {
		memset(&frames[0], 0, sizeof(frames[0]));
		count = 1;
	}
	if (count == 0)
		return 0;
	struct symbol_frame *last = &frames[count - 1];
	if (symbol && !last->function)
		last->function = names_function(&module->names, symbol);
	else if (symbol && !mangled && is_mangled(symbol))
		last->function = name_without_suffix(module, symbol);
	return count;
}

int symbol_module_suppressions(const struct symbol_module *module, char **text)
{
	uint64_t function = module->symbols.default_suppressions;
	*text = NULL;
	if (function == 0)
		return 0;
	int status = literal_returned(&module->file, function, text);
	return status == ERROR_MEMORY ? status : 1;
}

const char *symbol_module_complaint(const struct symbol_module *module)
{
	return module->complaint;
}

int symbol_module_limited(const struct symbol_module *module)
{
	return module->limited;
}

void symbol_module_allow(struct symbol_module *module, uint64_t memory)
{
	if (module->info)
		debug_info_allow(module->info, memory);
}
