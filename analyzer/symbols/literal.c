/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Compilers say `return "literal";` in one instruction that brings the address into rax, before
 * and behind it at most a frame that is made and left again:
 *
 *     [endbr64] [push rbp; mov rbp,rsp]
 *     lea rax,[rip+X]  or  mov eax,X  or  mov rax,[rip+X]
 *     [pop rbp] ret
 *
 * None of the other instructions touches rax, so their order does not matter. Anything that is not
 * in the table, a call or a jump above all, makes the function one that would have to be run. Text
 * and pointer must be constant in the running program as well: in a section that is never written,
 * or only by the loader (RELRO).
 */
#include "analyzer/symbols/literal.h"

#include <stdlib.h>
#include <string.h>

#include "formats/error.h"

enum { INSTRUCTIONS_MOST = 12, OPCODE_MAX = 4 };

enum effect {
	NOTHING,
	ADDRESS,     /* rax = rip + signed 32 bits */
	POINTER,     /* rax = what lies there */
	NUMBER,      /* rax = 32 bits */
	WIDE_NUMBER, /* rax = 64 bits */
	ZERO,        /* rax = 0 */
	RETURN
};

static const struct instruction {
	enum effect effect;
	unsigned bytes;
	uint8_t opcode[OPCODE_MAX];
} instructions[] = {
    {NOTHING, 4, {0xf3, 0x0f, 0x1e, 0xfa}}, /* endbr64 */
    {NOTHING, 1, {0x90}},                   /* nop */
    {NOTHING, 1, {0x55}},                   /* push rbp */
    {NOTHING, 3, {0x48, 0x89, 0xe5}},       /* mov rbp,rsp */
    {NOTHING, 3, {0x48, 0x8b, 0xec}},       /* the same */
    {NOTHING, 1, {0x5d}},                   /* pop rbp */
    {NOTHING, 1, {0xc9}},                   /* leave */
    {ADDRESS, 3, {0x48, 0x8d, 0x05}},       /* lea rax,[rip+X] */
    {POINTER, 3, {0x48, 0x8b, 0x05}},       /* mov rax,[rip+X] */
    {NUMBER, 3, {0x48, 0xc7, 0xc0}},        /* mov rax,X */
    {NUMBER, 1, {0xb8}},                    /* mov eax,X */
    {WIDE_NUMBER, 2, {0x48, 0xb8}},         /* movabs rax,X */
    {ZERO, 2, {0x31, 0xc0}},                /* xor eax,eax */
    {RETURN, 1, {0xc3}},                    /* ret */
    {RETURN, 2, {0xf3, 0xc3}},              /* rep ret */
};

/* --- what lies in the file -------------------------------------------------------- */

static int is_relro(const struct elf_file *file, uint64_t address)
{
	size_t count = 0;

	if (elf_getphdrnum(file->elf, &count) != 0)
		return 0;
	for (size_t i = 0; i < count; i++) {
		GElf_Phdr header;

		if (gelf_getphdr(file->elf, (int)i, &header) && header.p_type == PT_GNU_RELRO &&
		    address >= header.p_vaddr && address - header.p_vaddr < header.p_memsz)
			return 1;
	}
	return 0;
}

/* The bytes at an address, as far as its section goes, which the program does not write; NULL:
 * there are none. */
static const uint8_t *constant_at(const struct elf_file *file, uint64_t address, size_t *left)
{
	for (Elf_Scn *section = NULL; (section = elf_nextscn(file->elf, section)) != NULL;) {
		GElf_Shdr header;
		Elf_Data *data;
		uint64_t offset;

		if (!gelf_getshdr(section, &header) || !(header.sh_flags & SHF_ALLOC) ||
		    header.sh_flags & (SHF_COMPRESSED | SHF_TLS) || header.sh_type == SHT_NOBITS ||
		    address < header.sh_addr || address - header.sh_addr >= header.sh_size)
			continue;
		offset = address - header.sh_addr;
		data = elf_rawdata(section, NULL);
		if (!data || !data->d_buf || offset >= data->d_size ||
		    (header.sh_flags & SHF_WRITE && !is_relro(file, address)))
			return NULL;
		*left = data->d_size - offset;
		return (const uint8_t *)data->d_buf + offset;
	}
	return NULL;
}

static uint64_t number_at(const uint8_t *bytes, unsigned size)
{
	uint64_t number = 0;

	memcpy(&number, bytes, size); /* x86-64 is all there is: same byte order */
	return number;
}

/* What the loader adds to the file's place and puts at an address; 0: nothing. */
static uint64_t relocated(const struct elf_file *file, uint64_t address)
{
	for (Elf_Scn *section = NULL; (section = elf_nextscn(file->elf, section)) != NULL;) {
		GElf_Shdr header;
		Elf_Data *data;
		GElf_Rela entry;

		if (!gelf_getshdr(section, &header) || header.sh_type != SHT_RELA ||
		    !(data = elf_getdata(section, NULL)))
			continue;
		for (int i = 0; gelf_getrela(data, i, &entry); i++)
			if (entry.r_offset == address &&
			    GELF_R_TYPE(entry.r_info) == R_X86_64_RELATIVE)
				return (uint64_t)entry.r_addend;
	}
	return 0;
}

/* A pointer that the file holds: in its place, or in its relocation. */
static int follow(const struct elf_file *file, uint64_t address, uint64_t *value)
{
	size_t left;
	const uint8_t *bytes = constant_at(file, address, &left);

	if (!bytes || left < sizeof(*value))
		return ERROR_UNSUPPORTED;
	*value = number_at(bytes, sizeof(*value));
	if (*value == 0)
		*value = relocated(file, address);
	return *value ? 0 : ERROR_UNSUPPORTED;
}

/* --- what the code does ------------------------------------------------------------ */

static unsigned operand_bytes(enum effect effect)
{
	return effect == WIDE_NUMBER ? 8 : effect >= ADDRESS && effect <= NUMBER ? 4 : 0;
}

static const struct instruction *instruction_at(const uint8_t *code, size_t left)
{
	for (size_t i = 0; i < sizeof(instructions) / sizeof(*instructions); i++) {
		const struct instruction *known = &instructions[i];

		if (left >= known->bytes + operand_bytes(known->effect) &&
		    memcmp(code, known->opcode, known->bytes) == 0)
			return known;
	}
	return NULL;
}

/* Addresses as numbers are those of a file with a place of its own; 0 is 0 everywhere. */
static int take_number(const struct elf_file *file, uint64_t number, uint64_t *value)
{
	GElf_Ehdr header;

	*value = number;
	return number == 0 || (gelf_getehdr(file->elf, &header) && header.e_type == ET_EXEC)
		   ? 0
		   : ERROR_UNSUPPORTED;
}

static int value_returned(const struct elf_file *file, uint64_t at, uint64_t *value)
{
	size_t left;
	const uint8_t *code = constant_at(file, at, &left);
	int known = 0;

	for (unsigned i = 0; code && i < INSTRUCTIONS_MOST; i++) {
		const struct instruction *found = instruction_at(code, left);
		unsigned operand = found ? operand_bytes(found->effect) : 0, bytes;
		uint64_t number;
		int error = 0;

		if (!found)
			return ERROR_UNSUPPORTED;
		bytes = found->bytes + operand;
		number = number_at(code + found->bytes, operand);
		code += bytes;
		left -= bytes;
		at += bytes;
		switch (found->effect) {
		case NOTHING:
			continue;
		case RETURN:
			return known ? 0 : ERROR_UNSUPPORTED;
		case ADDRESS:
			*value = at + (uint64_t)(int64_t)(int32_t)number;
			break;
		case POINTER:
			error = follow(file, at + (uint64_t)(int64_t)(int32_t)number, value);
			break;
		case NUMBER:
		case WIDE_NUMBER:
			error = take_number(file, number, value);
			break;
		case ZERO:
			*value = 0;
			break;
		}
		if (error)
			return error;
		known = 1;
	}
	return ERROR_UNSUPPORTED;
}

static int is_x86_64(const struct elf_file *file)
{
	GElf_Ehdr header;

	return gelf_getehdr(file->elf, &header) && header.e_machine == EM_X86_64 &&
	       gelf_getclass(file->elf) == ELFCLASS64;
}

int literal_returned(const struct elf_file *file, uint64_t function, char **text)
{
	const uint8_t *bytes = (const uint8_t *)"", *end;
	size_t left = 1;
	uint64_t value;
	int error = is_x86_64(file) ? value_returned(file, function, &value) : ERROR_UNSUPPORTED;

	if (error)
		return error;
	if (value != 0)
		bytes = constant_at(file, value, &left);
	if (!bytes)
		return ERROR_UNSUPPORTED;
	end = memchr(bytes, '\0', left <= LITERAL_MAX ? left : LITERAL_MAX + 1);
	if (!end)
		return ERROR_UNSUPPORTED;
	*text = malloc((size_t)(end - bytes) + 1);
	if (!*text)
		return ERROR_MEMORY;
	memcpy(*text, bytes, (size_t)(end - bytes) + 1);
	return 0;
}
