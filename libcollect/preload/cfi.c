/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Call frame information as DWARF 5 §6.4 and the LSB's .eh_frame describe it,
 * read for two registers: of each row we keep the CFA, where rbp is, and
 * whether there is a return address at all. Rules for other registers are
 * skipped over.
 */
#include "libcollect/preload/cfi.h"

#include <stddef.h>

#include "libcollect/preload/rules.h"

#include "libcollect/preload/banned.h"

enum { REG_RBP = 6, REG_RSP = 7, REG_RA = 16 };
enum { OP_BREG_RBP = 0x76, OP_DEREF = 0x06 };
enum { PE_OMIT = 0xff, PE_PCREL = 0x10, PE_INDIRECT = 0x80 };

struct cursor {
	const unsigned char *at, *end;
	int bad; /* something was cut short or is beyond us */
};

enum cfa_kind { CFA_REGISTER, CFA_DEREF_RBP, CFA_OTHER };
enum rbp_kind { RBP_SAME, RBP_AT_CFA, RBP_AT_RBP, RBP_OTHER };

struct row {
	enum cfa_kind cfa;
	unsigned cfa_register;
	int64_t cfa_offset;
	enum rbp_kind rbp;
	int64_t rbp_offset;
	int ra_undefined;
	int ra_other;
};

enum { STATES = 12 };
struct program {
	const struct cfi_bounds *bounds;
	struct row row, initial, stack[STATES];
	unsigned depth;
	uint64_t code_align;
	int64_t data_align;
	uintptr_t location;
	uintptr_t pc;      /* that is looked for */
	unsigned encoding; /* of pointers in the FDE */
};

/* The bytes of an entry: its length, which must lie within the bounds, and what follows. */
static struct cursor entry(const struct cfi_bounds *bounds, uintptr_t at)
{
	struct cursor c = {.bad = 1};
	uint32_t length;

	if (at < bounds->from || at > bounds->to || bounds->to - at < sizeof(length))
		return c;
	__builtin_memcpy(&length, (const void *)at, sizeof(length));
	at += sizeof(length);
	if (length == 0 || length >= 0xfffffff0u || length > bounds->to - at)
		return c;
	return (struct cursor){(const unsigned char *)at, (const unsigned char *)at + length, 0};
}

static uint64_t get(struct cursor *c, unsigned bytes)
{
	uint64_t value = 0;

	if ((size_t)(c->end - c->at) < bytes) {
		c->bad = 1;
		return 0;
	}
	for (unsigned i = 0; i < bytes; i++)
		value |= (uint64_t)c->at[i] << (8 * i);
	c->at += bytes;
	return value;
}

static uint64_t get_uleb(struct cursor *c)
{
	uint64_t value = 0;

	for (unsigned shift = 0; c->at < c->end; shift += 7) {
		unsigned byte = *c->at++;

		if (shift < 64)
			value |= (uint64_t)(byte & 0x7f) << shift;
		if ((byte & 0x80) == 0)
			return value;
	}
	c->bad = 1;
	return 0;
}

static int64_t get_sleb(struct cursor *c)
{
	uint64_t value = 0;

	for (unsigned shift = 0; c->at < c->end;) {
		unsigned byte = *c->at++;

		if (shift < 64)
			value |= (uint64_t)(byte & 0x7f) << shift;
		shift += 7;
		if ((byte & 0x80) != 0)
			continue;
		if (shift < 64 && (byte & 0x40) != 0)
			value |= ~UINT64_C(0) << shift;
		return (int64_t)value;
	}
	c->bad = 1;
	return 0;
}

static uintptr_t get_pointer(struct cursor *c, unsigned encoding)
{
	uintptr_t here = (uintptr_t)c->at, value;

	switch (encoding & 0x0f) {
	case 0x00:
	case 0x04:
	case 0x0c:
		value = get(c, 8);
		break;
	case 0x03:
		value = get(c, 4);
		break;
	case 0x0b:
		value = (uintptr_t)(intptr_t)(int32_t)get(c, 4);
		break;
	case 0x02:
		value = get(c, 2);
		break;
	case 0x0a:
		value = (uintptr_t)(intptr_t)(int16_t)get(c, 2);
		break;
	default:
		c->bad = 1;
		return 0;
	}
	if ((encoding & 0x70) == PE_PCREL)
		value += here;
	else if ((encoding & 0x70) != 0)
		c->bad = 1;
	if ((encoding & PE_INDIRECT) != 0)
		c->bad = 1;
	return value;
}

/* An expression "rbp + offset", and whether it is then read from there. */
static int rbp_expression(struct cursor *c, int64_t *offset, int *deref)
{
	uint64_t bytes = get_uleb(c);
	struct cursor e = *c;

	if (c->bad || bytes > (uint64_t)(c->end - c->at)) {
		c->bad = 1;
		return 0;
	}
	e.end = c->at + bytes;
	c->at = e.end;
	if (e.at == e.end || *e.at++ != OP_BREG_RBP)
		return 0;
	*offset = get_sleb(&e);
	*deref = e.at < e.end && *e.at == OP_DEREF;
	return !e.bad && e.at + *deref == e.end;
}

/* An offset in units of the CIE's; a senseless one wraps. */
static int64_t scaled(const struct program *p, uint64_t units)
{
	return (int64_t)(units * (uint64_t)p->data_align);
}

static void set_register(struct program *p, uint64_t reg, int64_t offset)
{
	if (reg == REG_RBP) {
		p->row.rbp = RBP_AT_CFA;
		p->row.rbp_offset = offset;
	} else if (reg == REG_RA) {
		p->row.ra_undefined = 0;
		p->row.ra_other = offset != -8;
	}
}

static void other_register(struct program *p, uint64_t reg)
{
	if (reg == REG_RBP)
		p->row.rbp = RBP_OTHER;
	else if (reg == REG_RA)
		p->row.ra_other = 1;
}

static void restore_register(struct program *p, uint64_t reg)
{
	if (reg == REG_RBP) {
		p->row.rbp = p->initial.rbp;
		p->row.rbp_offset = p->initial.rbp_offset;
	} else if (reg == REG_RA) {
		p->row.ra_undefined = p->initial.ra_undefined;
		p->row.ra_other = p->initial.ra_other;
	}
}

static void def_cfa(struct program *p, uint64_t reg, int64_t offset)
{
	p->row.cfa = CFA_REGISTER;
	p->row.cfa_register = (unsigned)reg;
	p->row.cfa_offset = offset;
}

/*
 * The CFA of a procedure linkage table, one expression for all its entries:
 * rsp + 8, and 8 more once the entry has pushed its number, which it has when
 * (pc & 15) >= N. For one pc that is a plain offset.
 */
static int plt_expression(const struct cursor *c, uintptr_t pc, int64_t *offset)
{
	static const unsigned char wanted[] = {11,   0x77, 8,    0x80, 0,    0x3f,
					       0x1a, 0,    0x2a, 0x33, 0x24, 0x22};

	if ((size_t)(c->end - c->at) < sizeof(wanted))
		return 0;
	for (size_t i = 0; i < sizeof(wanted); i++)
		if (c->at[i] != wanted[i] && i != 7)
			return 0;
	if (c->at[7] < 0x30 || c->at[7] > 0x3f)
		return 0;
	*offset = (pc & 15) >= (uintptr_t)(c->at[7] - 0x30) ? 16 : 8;
	return 1;
}

static void run_expression(struct program *p, struct cursor *c, unsigned op)
{
	struct cursor whole = *c;
	uint64_t reg = op == 0x0f ? 0 : get_uleb(c);
	int64_t offset = 0;
	int deref = 0, simple = rbp_expression(c, &offset, &deref);

	if (op == 0x0f) { /* def_cfa_expression */
		if (plt_expression(&whole, p->pc, &offset)) {
			def_cfa(p, REG_RSP, offset);
			return;
		}
		p->row.cfa = simple && deref ? CFA_DEREF_RBP : CFA_OTHER;
		p->row.cfa_offset = offset;
	} else if (op == 0x10 && reg == REG_RBP && simple && !deref) { /* expression */
		p->row.rbp = RBP_AT_RBP;
		p->row.rbp_offset = offset;
	} else {
		other_register(p, reg);
	}
}

static void run_extended(struct program *p, struct cursor *c, unsigned op)
{
	uint64_t reg;

	switch (op) {
	case 0x00: /* nop */
		break;
	case 0x05: /* offset_extended */
		reg = get_uleb(c);
		set_register(p, reg, scaled(p, get_uleb(c)));
		break;
	case 0x06: /* restore_extended */
		restore_register(p, get_uleb(c));
		break;
	case 0x07: /* undefined */
		reg = get_uleb(c);
		if (reg == REG_RA)
			p->row.ra_undefined = 1;
		else if (reg == REG_RBP)
			p->row.rbp = RBP_SAME; /* nobody needs it above */
		break;
	case 0x08: /* same_value */
		reg = get_uleb(c);
		if (reg == REG_RBP)
			p->row.rbp = RBP_SAME;
		else
			other_register(p, reg);
		break;
	case 0x09: /* register */
		other_register(p, get_uleb(c));
		get_uleb(c);
		break;
	case 0x0a: /* remember_state */
		if (p->depth == STATES)
			c->bad = 1;
		else
			p->stack[p->depth++] = p->row;
		break;
	case 0x0b: /* restore_state */
		if (p->depth == 0)
			c->bad = 1;
		else
			p->row = p->stack[--p->depth];
		break;
	case 0x0c: /* def_cfa */
		reg = get_uleb(c);
		def_cfa(p, reg, (int64_t)get_uleb(c));
		break;
	case 0x0d: /* def_cfa_register */
		p->row.cfa_register = (unsigned)get_uleb(c);
		break;
	case 0x0e: /* def_cfa_offset */
		p->row.cfa_offset = (int64_t)get_uleb(c);
		break;
	case 0x0f:
	case 0x10:
	case 0x16: /* val_expression */
		run_expression(p, c, op);
		break;
	case 0x11: /* offset_extended_sf */
		reg = get_uleb(c);
		set_register(p, reg, scaled(p, (uint64_t)get_sleb(c)));
		break;
	case 0x12: /* def_cfa_sf */
		reg = get_uleb(c);
		def_cfa(p, reg, scaled(p, (uint64_t)get_sleb(c)));
		break;
	case 0x13: /* def_cfa_offset_sf */
		p->row.cfa_offset = scaled(p, (uint64_t)get_sleb(c));
		break;
	case 0x14: /* val_offset */
	case 0x15: /* val_offset_sf */
		other_register(p, get_uleb(c));
		get_uleb(c);
		break;
	case 0x2e: /* GNU_args_size */
		get_uleb(c);
		break;
	default:
		c->bad = 1;
	}
}

/* Runs to the row that holds at pc. */
static void run(struct program *p, struct cursor *c, uintptr_t pc)
{
	while (c->at < c->end && !c->bad) {
		unsigned op = *c->at++;
		uintptr_t next = p->location;

		if (op >> 6 == 1) {
			next += (op & 0x3f) * p->code_align;
		} else if (op >> 6 == 2) {
			set_register(p, op & 0x3f, scaled(p, get_uleb(c)));
		} else if (op >> 6 == 3) {
			restore_register(p, op & 0x3f);
		} else if (op == 0x01) {
			next = get_pointer(c, p->encoding);
		} else if (op >= 0x02 && op <= 0x04) {
			next += get(c, 1u << (op - 2)) * p->code_align;
		} else {
			run_extended(p, c, op);
		}
		if (next > pc)
			return;
		p->location = next;
	}
}

/* What the letters behind 'z' announce; -1: something unknown. */
static int read_augmentation(struct cursor *c, const char *letters, struct program *p, int *signal)
{
	for (; *letters != '\0'; letters++) {
		if (*letters == 'R')
			p->encoding = (unsigned)get(c, 1);
		else if (*letters == 'P')
			get_pointer(c, (unsigned)get(c, 1) & 0x0f);
		else if (*letters == 'L')
			get(c, 1);
		else if (*letters == 'S')
			*signal = 1;
		else if (*letters != 'B')
			return -1;
	}
	return 0;
}

/* Sets up p from the CIE, whose initial instructions it runs. */
static int read_cie(uintptr_t cie, struct program *p, int *augmented, int *signal)
{
	struct cursor c = entry(p->bounds, cie);
	const char *augmentation;

	if (c.bad || get(&c, 4) != 0)
		return -1;
	get(&c, 1); /* version 1 or 3; in .eh_frame they differ in what follows only for RA > 127 */
	augmentation = (const char *)c.at;
	while (get(&c, 1) != 0)
		;
	p->code_align = get_uleb(&c);
	p->data_align = get_sleb(&c);
	if (get_uleb(&c) != REG_RA || c.bad)
		return -1;
	*augmented = augmentation[0] == 'z';
	*signal = 0;
	if (*augmented) {
		uint64_t bytes = get_uleb(&c);
		const unsigned char *start = c.at;

		if (c.bad || bytes > (uint64_t)(c.end - c.at) ||
		    read_augmentation(&c, augmentation + 1, p, signal) != 0)
			return -1;
		c.at = start + bytes;
	} else if (augmentation[0] != '\0') {
		return -1;
	}
	run(p, &c, UINTPTR_MAX);
	p->initial = p->row;
	return c.bad ? -1 : 0;
}

static int fits(int64_t offset, unsigned bits)
{
	int64_t words = offset / 8, most = INT64_C(1) << (bits - 1);

	return offset % 8 == 0 && words >= -most && words < most;
}

static uint64_t pack(const struct row *row)
{
	uint64_t rule;

	if (row->ra_undefined)
		return RULE_END;
	if (row->ra_other || row->rbp == RBP_OTHER || !fits(row->cfa_offset, 20) ||
	    !fits(row->rbp_offset, 15))
		return RULE_OTHER;
	rule = (uint64_t)(row->cfa_offset / 8 & 0xfffff) << 5;
	if (row->rbp != RBP_SAME)
		rule |= 1u << 4 | (uint64_t)(row->rbp_offset / 8 & 0x7fff) << 25;
	if (row->cfa == CFA_DEREF_RBP && row->rbp == RBP_AT_RBP)
		return rule | RULE_REALIGNED;
	if (row->cfa != CFA_REGISTER || row->rbp == RBP_AT_RBP)
		return RULE_OTHER;
	if (row->cfa_register == REG_RBP)
		rule |= 1u << 3;
	else if (row->cfa_register != REG_RSP)
		return RULE_OTHER;
	return rule | RULE_STANDARD;
}

static uint64_t fde_rule(const struct cfi_bounds *bounds, uintptr_t fde, uintptr_t pc)
{
	struct cursor c = entry(bounds, fde);
	struct program p = {.bounds = bounds, .row = {.cfa = CFA_OTHER}, .pc = pc};
	uintptr_t begin, bytes;
	uint64_t back;
	int augmented, signal;

	if (c.bad)
		return RULE_OTHER;
	back = get(&c, 4);
	if (back == 0 || read_cie((uintptr_t)c.at - 4 - back, &p, &augmented, &signal) != 0)
		return RULE_OTHER;
	begin = get_pointer(&c, p.encoding);
	bytes = get_pointer(&c, p.encoding & 0x0f);
	if (c.bad)
		return RULE_OTHER;
	if (pc - begin >= bytes)
		return RULE_NONE;
	if (signal)
		return RULE_SIGNAL;
	if (augmented) {
		uint64_t skip = get_uleb(&c);

		if (c.bad || skip > (uint64_t)(c.end - c.at))
			return RULE_OTHER;
		c.at += skip;
	}
	p.location = begin;
	run(&p, &c, pc);
	return c.bad ? RULE_OTHER : pack(&p.row);
}

struct found { /* an entry of the sorted table; both are relative to the header */
	int32_t start, fde;
};

static struct found table_at(const unsigned char *table, uint64_t i)
{
	struct found found;

	__builtin_memcpy(&found, table + i * sizeof(found), sizeof(found));
	return found;
}

uint64_t cfi_rule(uintptr_t eh_frame_hdr, const struct cfi_bounds *bounds, uintptr_t pc)
{
	enum { VERSION = 1, TABLE = 0x3b /* datarel, sdata4 */, COUNT = 0x03 };
	enum { HEAD = 4, NUMBERS_MOST = 16 };
	const unsigned char *header = (const unsigned char *)eh_frame_hdr;
	int64_t want = (int64_t)(pc - eh_frame_hdr);
	uint64_t low = 0, high, left;
	struct cursor c;

	if (eh_frame_hdr < bounds->from || eh_frame_hdr > bounds->to ||
	    bounds->to - eh_frame_hdr < HEAD || header[0] != VERSION || header[1] == PE_OMIT ||
	    header[2] != COUNT || header[3] != TABLE)
		return RULE_OTHER;
	left = bounds->to - eh_frame_hdr - HEAD;
	c = (struct cursor){.at = header + HEAD,
			    .end = header + HEAD + (left < NUMBERS_MOST ? left : NUMBERS_MOST)};
	get_pointer(&c, header[1] & 0x7f);
	high = get(&c, 4);
	if (c.bad || high > (bounds->to - (uintptr_t)c.at) / sizeof(struct found))
		return RULE_OTHER;
	if (high == 0)
		return RULE_NONE;
	while (high - low > 1) {
		uint64_t middle = low + (high - low) / 2;

		if (table_at(c.at, middle).start <= want)
			low = middle;
		else
			high = middle;
	}
	if (table_at(c.at, low).start > want)
		return RULE_NONE;
	return fde_rule(bounds, eh_frame_hdr + (uintptr_t)(intptr_t)table_at(c.at, low).fde, pc);
}
