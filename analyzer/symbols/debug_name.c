/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "analyzer/symbols/debug_info.h"

#include <dwarf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define REFERENCES_MAX 16
#define NAME_BYTES     1024
#define NESTED_MAX     8 /* lambdas in lambdas */

static const char *function_name(Dwarf_Die *die, struct names *names, int *mangled, int nested);

static const char *string_of(Dwarf_Die *die, unsigned name)
{
	Dwarf_Attribute attribute;
	return dwarf_formstring(dwarf_attr_integrate(die, name, &attribute));
}

/* Where the function was declared: that DIE lies in the scopes of its name. */
static Dwarf_Die declaration_of(const Dwarf_Die *die)
{
	Dwarf_Die at = *die;
	for (int i = 0; i < REFERENCES_MAX; i++) {
		Dwarf_Attribute attribute;
		Dwarf_Die next;
		if (!dwarf_attr(&at, DW_AT_abstract_origin, &attribute) &&
		    !dwarf_attr(&at, DW_AT_specification, &attribute))
			break;
		if (!dwarf_formref_die(&attribute, &next))
			break;
		at = next;
	}
	return at;
}

static int has_scoped_names(Dwarf_Die *die)
{
	Dwarf_Die unit;
	if (!dwarf_diecu(die, &unit, NULL, NULL))
		return 0;
	switch (dwarf_srclang(&unit)) {
	case DW_LANG_C_plus_plus:
	case DW_LANG_C_plus_plus_03:
	case DW_LANG_C_plus_plus_11:
	case DW_LANG_C_plus_plus_14:
	case DW_LANG_ObjC_plus_plus:
	case DW_LANG_Rust:
	case DW_LANG_D:
	case DW_LANG_Swift:
		return 1;
	default:
		return 0;
	}
}

static const char *scope_name(Dwarf_Die *scope)
{
	const char *name = dwarf_diename(scope);
	switch (dwarf_tag(scope)) {
	case DW_TAG_namespace:
		return name ? name : "(anonymous namespace)";
	case DW_TAG_class_type:
	case DW_TAG_structure_type:
	case DW_TAG_union_type:
	case DW_TAG_enumeration_type:
	case DW_TAG_interface_type:
	case DW_TAG_module:
		return name ? name : "(anonymous)";
	default:
		return NULL;
	}
}

static int append(char *text, size_t *used, const char *part, const char *behind)
{
	int bytes = snprintf(text + *used, NAME_BYTES - *used, "%s%s", part, behind);
	if (bytes < 0 || (size_t)bytes >= NAME_BYTES - *used)
		return -1;
	*used += (size_t)bytes;
	return 0;
}

/* A lambda's class has no name: it is told from those of other functions by the one it is in.
 * Returns how many of the scopes are inside of that. */
static int append_function(char *text, size_t *used, Dwarf_Die *scopes, int count,
			   struct names *names, int nested)
{
	int at = 1, mangled;
	while (at < count && dwarf_tag(&scopes[at]) != DW_TAG_subprogram)
		at++;
	if (at >= count || nested == NESTED_MAX)
		return count;
	const char *name = function_name(&scopes[at], names, &mangled, nested + 1);
	if (!name || append(text, used, name, "::") < 0)
		return count;
	return at;
}

static const char *qualified(Dwarf_Die *declaration, const char *name, struct names *names,
			     int nested)
{
	Dwarf_Die *scopes = NULL;
	int count = dwarf_getscopes_die(declaration, &scopes);
	char text[NAME_BYTES] = "";
	size_t used = 0;
	for (int i = append_function(text, &used, scopes, count, names, nested) - 1; i > 0; i--) {
		const char *part = scope_name(&scopes[i]);
		if (part && append(text, &used, part, "::") < 0) {
			used = 0;
			break;
		}
	}
	if (count > 0)
		free(scopes);
	if (used == 0 || append(text, &used, name, "") < 0)
		return names_text(names, name);
	return names_text(names, text);
}

static const char *function_name(Dwarf_Die *die, struct names *names, int *mangled, int nested)
{
	*mangled = 1;
	const char *name = string_of(die, DW_AT_linkage_name);
	if (!name)
		name = string_of(die, DW_AT_MIPS_linkage_name);
	if (name && *name)
		return names_function(names, name);

	name = string_of(die, DW_AT_name);
	if (!name || !*name)
		return NULL;
	Dwarf_Die declaration = declaration_of(die);
	if (!has_scoped_names(&declaration))
		return names_text(names, name);
	*mangled = 0;
	return qualified(&declaration, name, names, nested);
}

const char *debug_function_name(Dwarf_Die *die, struct names *names, int *mangled)
{
	return function_name(die, names, mangled, 0);
}
