/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tui/action.h"

/* In the order of the help. */
const struct action_key action_keys[ACTION_KEYS] = {
    {ACTION_UP, {KEY_CODE_UP, 'k'}, "up"},
    {ACTION_DOWN, {KEY_CODE_DOWN, 'j'}, "down"},
    {ACTION_PAGE_UP, {KEY_CODE_PAGE_UP, KEY_CONTROL('b'), KEY_CONTROL('u')}, "a page up"},
    {ACTION_PAGE_DOWN,
     {KEY_CODE_PAGE_DOWN, ' ', KEY_CONTROL('f'), KEY_CONTROL('d')},
     "a page down"},
    {ACTION_FIRST, {KEY_CODE_HOME, 'g'}, "to the first line"},
    {ACTION_LAST, {KEY_CODE_END, 'G'}, "to the last line"},
    {ACTION_LEFT, {KEY_CODE_LEFT, 'h'}, "fold a branch, or go to its parent; scroll to the left"},
    {ACTION_RIGHT, {KEY_CODE_RIGHT, 'l'}, "unfold a branch; scroll to the right"},
    {ACTION_WHEEL_UP, {KEY_CODE_WHEEL_UP}, "up; a click goes there, a second one goes in"},
    {ACTION_WHEEL_DOWN, {KEY_CODE_WHEEL_DOWN}, "down; with Shift the mouse is the terminal's"},
    {ACTION_OPEN, {KEY_CODE_ENTER, KEY_CODE_DOUBLE_CLICK}, "go into what is under the cursor"},
    {ACTION_BACK, {KEY_CODE_BACKSPACE}, "go back to where you were, filters too"},
    {ACTION_NEXT_VIEW, {KEY_CODE_TAB}, "the next view"},
    {ACTION_PREVIOUS_VIEW, {KEY_CODE_SHIFT_TAB}, "the view before"},
    {ACTION_BACKTRACE, {'b'}, "the full backtrace of what is under the cursor"},
    {ACTION_CALLERS, {'C'}, "callers and callees of the function under the cursor"},
    {ACTION_SEARCH, {'/'}, "search; a small letter stands for the capital, too"},
    {ACTION_SEARCH_NEXT, {'n'}, "the next that was searched for"},
    {ACTION_SEARCH_PREVIOUS, {'N'}, "the one before"},
    {ACTION_FILTER,
     {'f'},
     "show only what was allocated in 1s..2s, or is like KEY=VALUE; behind -, none of that"},
    {ACTION_ONLY, {'o'}, "show only what is under the cursor"},
    {ACTION_EVERYTHING, {'F'}, "show everything again"},
    {ACTION_COST, {'c'}, "the next cost: peak, leaked, allocations, temporary, bytes"},
    {ACTION_SORT, {'s'}, "sort by the next column"},
    {ACTION_THRESHOLD, {'t'}, "leave out what costs less than 10k, or 1%"},
    {ACTION_GROUP, {'v'}, "sites by function, line, file, module, thread, size, address"},
    {ACTION_HOTTEST, {'x'}, "unfold the path that costs most"},
    {ACTION_ZOOM_IN, {'+', '='}, "zoom in"},
    {ACTION_ZOOM_OUT, {'-'}, "zoom out"},
    {ACTION_ZOOM_ALL, {'0'}, "everything again, in a picture"},
    {ACTION_MARK, {'m'}, "mark one end of a range of time, then the other"},
    {ACTION_INSTANT, {'i'}, "show what is alive at the cursor's time"},
    {ACTION_EXPORT, {'e'}, "write the view to a file: text, .folded or .json"},
    {ACTION_HELP, {'?', KEY_CODE_F1}, "this page"},
    {ACTION_STOP, {KEY_CODE_ESCAPE}, "stop what is being counted"},
    {ACTION_REDRAW, {KEY_CONTROL('l')}, "draw the screen again"},
    {ACTION_INTERRUPT, {KEY_CODE_INTERRUPT}, NULL},
    {ACTION_QUIT, {'q'}, "quit; on this page and on a backtrace: go back"},
};

enum action action_of_key(uint32_t key)
{
	for (int i = 0; i < ACTION_KEYS; i++)
		for (int j = 0; j < 4 && action_keys[i].keys[j]; j++)
			if (action_keys[i].keys[j] == key)
				return action_keys[i].action;
	return ACTION_NONE;
}

uint32_t action_key(enum action action)
{
	for (int i = 0; i < ACTION_KEYS; i++)
		if (action_keys[i].action == action)
			return action_keys[i].keys[0];
	return 0;
}
