/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "analyzer/report/text_parts.h"

#include "analyzer/report/tree_walk.h"

/* Nodes below 1 % of the tree are gathered: nobody reads ten thousand lines. */
#define LEAST_PART    100
#define INDENT_WIDEST 120

static const enum cost_kind columns[] = {COST_ALLOCATIONS, COST_TEMPORARY, COST_PEAK, COST_LEAKED};
#define COLUMNS (sizeof(columns) / sizeof(*columns))

struct tree_text {
	struct text *text;
	const struct report_tree *tree;
	enum cost_kind kind;
	int64_t whole; /* of the root, in kind */
};

static void print_costs(const struct tree_text *tree, const struct cost *cost,
			const struct cost *base, size_t depth)
{
	const struct report *report = tree->text->report;
	FILE *out = tree->text->out;
	size_t indent = 2 * depth;

	for (size_t i = 0; i < COLUMNS; i++) {
		int64_t figure = report_figure(report, cost, base, columns[i]);

		fprintf(out, "%12s ",
			report_in_bytes(columns[i])
			    ? report_bytes_text(report->options, figure).text
			    : report_count_text(report->options, figure).text);
	}
	if (!report->diff)
		fprintf(out, "%8s ",
			number_percent(report_figure(report, cost, base, tree->kind), tree->whole)
			    .text);
	fprintf(out, " %*s", (int)(indent < INDENT_WIDEST ? indent : INDENT_WIDEST), "");
}

static void end_costs(const struct tree_text *tree, const struct cost *cost,
		      const struct cost *base)
{
	const struct text_sides sides = {
	    .fresh = (int64_t)cost_of(cost, tree->kind),
	    .base = (int64_t)cost_of(base, tree->kind),
	    .in_bytes = report_in_bytes(tree->kind),
	    .only_fresh = !base->allocations,
	    .only_base = !cost->allocations,
	};

	text_end_line(tree->text, &sides);
}

static void enter(void *context, const struct tree_node *node, size_t depth)
{
	struct tree_text *tree = context;
	struct frame_printer *frames = &tree->text->frames;

	print_costs(tree, &node->cost, &node->base, depth);
	if (!depth) {
		frame_print_text(frames, tree->tree->function ? tree->tree->function : "[all]");
	} else {
		frame_print_name(frames, node->node, node->frame);
		frame_print_where(frames, node->node, node->frame);
	}
	end_costs(tree, &node->cost, &node->base);
}

/* In any of the columns. */
static int differs(const struct cost *cost, const struct cost *base)
{
	for (size_t i = 0; i < COLUMNS; i++)
		if (cost_difference(cost, base, columns[i]))
			return 1;
	return 0;
}

static void others(void *context, const struct tree_others *rest, size_t depth)
{
	struct tree_text *tree = context;

	if (!rest->count || (tree->text->report->diff && !differs(&rest->cost, &rest->base)))
		return;
	print_costs(tree, &rest->cost, &rest->base, depth);
	fprintf(tree->text->out, "[%zu other%s]", rest->count, rest->count == 1 ? "" : "s");
	end_costs(tree, &rest->cost, &rest->base);
}

/* What a node has of its own stands below its children, which with it are all. */
static void leave(void *context, const struct tree_node *node, size_t depth)
{
	struct tree_text *tree = context;

	if (!node->first_child ||
	    !report_figure(tree->text->report, &node->own, &node->own_base, tree->kind))
		return;
	print_costs(tree, &node->own, &node->own_base, depth + 1);
	fputs("[itself]", tree->text->out);
	end_costs(tree, &node->own, &node->own_base);
}

static void print_title(struct text *text, const struct report_tree *tree, enum cost_kind kind)
{
	int top_down = tree->direction == TREE_TOP_DOWN;

	if (tree->function) {
		fprintf(text->out, "%s OF ", top_down ? "CALLEES" : "CALLERS");
		frame_print_text(&text->frames, tree->function);
	} else {
		fprintf(text->out, "CALL TREE, %s", top_down ? "TOP DOWN" : "BOTTOM UP");
	}
	fprintf(text->out, ", by %s; --sort takes another cost", cost_name(kind));
	fprintf(text->out, "\n%12s %12s %12s %12s %s function\n", "allocations", "temporary",
		"peak", "leaked", text->report->diff ? "" : "   share ");
}

int text_tree(struct text *text, struct report_tree *tree)
{
	static const struct tree_visitor visitor = {
	    .enter = enter, .others = others, .leave = leave};
	const struct report *report = text->report;
	const struct tree_node *root = &tree->tree.nodes[0]; /* until the walk begins */
	struct tree_text context = {.text = text, .tree = tree, .kind = report_tree_kind(report)};
	int error;

	context.whole = report_figure(report, &root->cost, &root->base, context.kind);
	print_title(text, tree, context.kind);
	error =
	    tree_walk(report, &tree->tree, context.kind,
		      report->diff ? report->options->least : (uint64_t)context.whole / LEAST_PART,
		      &visitor, &context);
	fputc('\n', text->out);
	return error;
}
