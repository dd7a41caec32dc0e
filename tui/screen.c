/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Signals write a byte into a pipe, and so does a job that has news: the main loop waits for the
 * terminal and for that pipe, and does the rest where anything may be called. Ctrl-Z and the
 * window's size are curses' own affair: it has handlers for SIGTSTP and SIGWINCH, which
 * interrupt the wait.
 */
#include "tui/screen.h"

#include <errno.h>
#include <fcntl.h>
#include <langinfo.h>
#include <locale.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <curses.h>
#include <termcap.h>

#include "formats/error.h"

enum { CLOSED_AFTER = 64, ESCAPE_MILLISECONDS = 25, COLOURS_NONE = 0, COLOURS_8 = 8 };

static struct {
	SCREEN *terminal;
	FILE *nowhere; /* of a hidden one */
	FILE *keys;    /* where keys are typed; NULL: nowhere */
	int colours;   /* 0, 8 or 256 */
	int wake[2];
	unsigned failures; /* of reading, in a row */
} screen = {.wake = {-1, -1}};

static volatile sig_atomic_t ending; /* the signal that asked for it */

/* --- how roles look ------------------------------------------------------------------------ */

static const struct look {
	short plain[2]; /* foreground and background of 8 colours; -1: the terminal's own */
	short rich[2];  /* and of 256 */
	attr_t attributes;
	attr_t colourless; /* where there are no colours */
} looks[ROLES] = {
    [ROLE_NORMAL] = {{-1, -1}, {-1, -1}, 0, 0},
    [ROLE_DIM] = {{-1, -1}, {245, -1}, 0, 0},
    [ROLE_BAR_LINE] = {{COLOR_WHITE, COLOR_BLUE}, {252, 237}, 0, A_REVERSE},
    [ROLE_TAB] = {{COLOR_BLACK, COLOR_WHITE}, {231, 25}, A_BOLD, A_BOLD},
    [ROLE_HEADING] = {{COLOR_CYAN, -1}, {110, -1}, A_BOLD, A_BOLD},
    [ROLE_SORTED] = {{COLOR_YELLOW, -1}, {221, -1}, A_BOLD | A_UNDERLINE, A_BOLD | A_UNDERLINE},
    [ROLE_STATUS] = {{COLOR_WHITE, COLOR_BLUE}, {252, 237}, 0, A_REVERSE},
    [ROLE_WARNING] = {{COLOR_YELLOW, -1}, {214, -1}, A_BOLD, A_BOLD},
    [ROLE_KEY] = {{COLOR_GREEN, -1}, {114, -1}, A_BOLD, A_BOLD},
    [ROLE_BAR] = {{COLOR_CYAN, -1}, {68, -1}, 0, 0},
    [ROLE_MODULE] = {{COLOR_BLUE, -1}, {245, -1}, 0, 0},
    [ROLE_GROWTH] = {{COLOR_RED, -1}, {203, -1}, 0, A_BOLD},
    [ROLE_SHRINK] = {{COLOR_GREEN, -1}, {114, -1}, 0, 0},
    [ROLE_HEAT_0] = {{COLOR_BLACK, COLOR_CYAN}, {16, 186}, 0, A_REVERSE},
    [ROLE_HEAT_1] = {{COLOR_BLACK, COLOR_GREEN}, {16, 179}, 0, A_REVERSE | A_BOLD},
    [ROLE_HEAT_2] = {{COLOR_BLACK, COLOR_YELLOW}, {16, 173}, 0, A_REVERSE},
    [ROLE_HEAT_3] = {{COLOR_WHITE, COLOR_RED}, {231, 167}, 0, A_REVERSE | A_BOLD},
    [ROLE_BOX_GROWTH] = {{COLOR_WHITE, COLOR_RED}, {231, 167}, 0, A_REVERSE | A_BOLD},
    [ROLE_BOX_SHRINK] = {{COLOR_BLACK, COLOR_GREEN}, {16, 114}, 0, A_REVERSE},
};

/* https://no-color.org: set and not empty */
static void start_colours(void)
{
	const char *none = getenv("NO_COLOR");

	screen.colours = COLOURS_NONE;
	if ((none && *none) || !has_colors() || start_color() == ERR)
		return;
	use_default_colors();
	if (COLOR_PAIRS <= ROLES)
		return;
	screen.colours = COLORS >= 256 ? 256 : COLOURS_8;
	for (int role = 0; role < ROLES; role++) {
		const short *pair = screen.colours == 256 ? looks[role].rich : looks[role].plain;

		init_pair((short)(role + 1), pair[0], pair[1]);
	}
}

static attr_t attributes_of(const struct cell *cell, short *pair)
{
	const struct look *look = &looks[cell->role < ROLES ? cell->role : ROLE_NORMAL];
	attr_t attributes = screen.colours ? look->attributes : look->colourless;

	*pair = screen.colours ? (short)(cell->role + 1) : 0;
	if (cell->flags & CELL_MATCH)
		attributes |= A_BOLD | A_UNDERLINE;
	if (cell->flags & CELL_CURSOR)
		attributes ^= A_REVERSE;
	return attributes;
}

/* --- signals ---------------------------------------------------------------------------- */

void screen_wake(void)
{
	int saved_errno = errno;

	/* full: it is awake already */
	if (screen.wake[1] >= 0 && write(screen.wake[1], "", 1) < 0)
		errno = saved_errno;
	errno = saved_errno;
}

static void on_signal(int signal)
{
	ending = signal;
	screen_wake();
}

static void catch_signals(void)
{
	static const int signals[] = {SIGTERM, SIGHUP, SIGINT, SIGQUIT};
	struct sigaction action = {.sa_handler = on_signal}, before;

	sigemptyset(&action.sa_mask);
	for (size_t i = 0; i < sizeof(signals) / sizeof(*signals); i++)
		/* what whoever started us wants ignored stays ignored */
		if (!sigaction(signals[i], NULL, &before) && before.sa_handler != SIG_IGN)
			sigaction(signals[i], &action, NULL);
}

int screen_signal(void)
{
	return ending;
}

/* --- begin and end ------------------------------------------------------------------------ */

static int complain(char *complaint, size_t complaint_bytes, const char *why)
{
	snprintf(complaint, complaint_bytes, "%s", why);
	return ERROR_UNSUPPORTED;
}

static int open_pipe(void)
{
	return pipe2(screen.wake, O_CLOEXEC | O_NONBLOCK);
}

/* What nearly all terminals send, whatever TERM says: a serial line is often called vt100 and has
 * keys that a vt100 had not. Without this the 5 of PgUp's ESC [ 5 ~ would be taken for a key. */
static void define_keys(void)
{
	static const struct {
		const char *sequence;
		int key;
	} known[] = {
	    {"\033[A", KEY_UP},     {"\033[B", KEY_DOWN},   {"\033[C", KEY_RIGHT},
	    {"\033[D", KEY_LEFT},   {"\033OA", KEY_UP},     {"\033OB", KEY_DOWN},
	    {"\033OC", KEY_RIGHT},  {"\033OD", KEY_LEFT},   {"\033[H", KEY_HOME},
	    {"\033[F", KEY_END},    {"\033OH", KEY_HOME},   {"\033OF", KEY_END},
	    {"\033[1~", KEY_HOME},  {"\033[7~", KEY_HOME},  {"\033[4~", KEY_END},
	    {"\033[8~", KEY_END},   {"\033[3~", KEY_DC},    {"\033[5~", KEY_PPAGE},
	    {"\033[6~", KEY_NPAGE}, {"\033[2~", KEY_IC},    {"\033[Z", KEY_BTAB},
	    {"\033OP", KEY_F(1)},   {"\033[11~", KEY_F(1)}, {"\033[[A", KEY_F(1)},
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
		if (!key_defined(known[i].sequence))
			define_key(known[i].sequence, known[i].key);
}

static void set_up(void)
{
	set_term(screen.terminal);
	start_colours();
	cbreak();
	noecho();
	nonl();
	curs_set(0);
	keypad(stdscr, TRUE);
	define_keys();
	nodelay(stdscr, TRUE);
	leaveok(stdscr, TRUE);
	set_escdelay(ESCAPE_MILLISECONDS);
	mousemask(BUTTON1_CLICKED | BUTTON1_PRESSED | BUTTON1_DOUBLE_CLICKED | BUTTON4_PRESSED |
		      BUTTON5_PRESSED,
		  NULL);
	mouseinterval(0);
}

/* What can't put its cursor anywhere shows one line at best. */
static int is_too_dumb(void)
{
	return !tgetstr("cm", NULL);
}

static int complain_of_terminal(char *complaint, size_t complaint_bytes, const char *term,
				const char *why)
{
	snprintf(complaint, complaint_bytes,
		 "the terminal '%s' %s: set TERM to xterm or vt100, or take print", term, why);
	screen_close();
	return ERROR_UNSUPPORTED;
}

/* Keys come from standard input, or, where that is the trace, from the terminal by its name. */
static int open_keys(int input_is_taken, char *complaint, size_t complaint_bytes)
{
	screen.keys = input_is_taken ? fopen("/dev/tty", "r+e") : stdin;
	if (!screen.keys || !isatty(fileno(screen.keys)))
		return complain(complaint, complaint_bytes,
				input_is_taken
				    ? "there is no terminal to type on: take print, or --script"
				    : "standard input is no terminal: take print, or --script");
	if (!isatty(STDOUT_FILENO))
		return complain(complaint, complaint_bytes,
				"standard output is no terminal: take print, or --script");
	return 0;
}

int screen_open(int input_is_taken, char *complaint, size_t complaint_bytes)
{
	const char *term = getenv("TERM");
	int error;

	setlocale(LC_CTYPE, "");
	error = open_keys(input_is_taken, complaint, complaint_bytes);
	if (error)
		return error;
	if (open_pipe())
		return ERROR_SYSTEM;
	catch_signals();
	term = term && *term ? term : "vt100";
	screen.terminal = newterm(term, stdout, screen.keys);
	if (!screen.terminal)
		return complain_of_terminal(complaint, complaint_bytes, term, "is not known here");
	if (is_too_dumb())
		return complain_of_terminal(complaint, complaint_bytes, term,
					    "can't move its cursor");
	set_up();
	return 0;
}

int screen_open_hidden(int rows, int columns, char *complaint, size_t complaint_bytes)
{
	static const char *const terms[] = {"xterm-256color", "xterm", "vt100", "dumb"};

	if (!setlocale(LC_CTYPE, "C.UTF-8"))
		setlocale(LC_CTYPE, "");
	if (open_pipe())
		return ERROR_SYSTEM;
	screen.nowhere = fopen("/dev/null", "r+e");
	use_env(FALSE);
	for (size_t i = 0; screen.nowhere && !screen.terminal && i < 4; i++)
		screen.terminal = newterm(terms[i], screen.nowhere, screen.nowhere);
	if (!screen.terminal) {
		screen_close();
		return complain(complaint, complaint_bytes,
				"no terminal is known here: install ncurses-base");
	}
	set_up();
	resizeterm(rows, columns);
	return 0;
}

void screen_close(void)
{
	if (screen.terminal) {
		endwin();
		delscreen(screen.terminal);
		screen.terminal = NULL;
	}
	if (screen.nowhere)
		fclose(screen.nowhere);
	if (screen.keys && screen.keys != stdin)
		fclose(screen.keys);
	screen.nowhere = screen.keys = NULL;
	for (int i = 0; i < 2; i++)
		if (screen.wake[i] >= 0)
			close(screen.wake[i]);
	screen.wake[0] = screen.wake[1] = -1;
}

void screen_size(int *rows, int *columns)
{
	getmaxyx(stdscr, *rows, *columns);
}

void screen_resize(int rows, int columns)
{
	resizeterm(rows, columns);
}

int screen_is_ascii(void)
{
	return strcmp(nl_langinfo(CODESET), "UTF-8") != 0;
}

/* --- drawing ---------------------------------------------------------------------------- */

/* curses ignores Ctrl-Z while it draws: blocked, it comes when that is done. */
static void refresh_undisturbed(void)
{
	sigset_t stop, before;

	sigemptyset(&stop);
	sigaddset(&stop, SIGTSTP);
	pthread_sigmask(SIG_BLOCK, &stop, &before);
	refresh();
	pthread_sigmask(SIG_SETMASK, &before, NULL);
}

void screen_show(const struct grid *grid)
{
	for (int row = 0; row < grid->rows; row++)
		for (int column = 0; column < grid->columns; column++) {
			const struct cell *cell =
			    &grid->cells[(size_t)row * (size_t)grid->columns + (size_t)column];
			wchar_t text[CELL_CHARACTERS + 1] = {0};
			short pair;
			attr_t attributes = attributes_of(cell, &pair);
			cchar_t character;

			if (!cell->width)
				continue;
			memcpy(text, cell->text, sizeof(cell->text));
			setcchar(&character, text, attributes, pair, NULL);
			mvadd_wch(row, column, &character);
		}
	refresh_undisturbed();
}

void screen_redraw(void)
{
	clearok(stdscr, TRUE);
}

/* --- keys ------------------------------------------------------------------------------- */

static const struct {
	int curses;
	uint32_t code;
} keys[] = {
    {KEY_UP, KEY_CODE_UP},
    {KEY_DOWN, KEY_CODE_DOWN},
    {KEY_LEFT, KEY_CODE_LEFT},
    {KEY_RIGHT, KEY_CODE_RIGHT},
    {KEY_PPAGE, KEY_CODE_PAGE_UP},
    {KEY_NPAGE, KEY_CODE_PAGE_DOWN},
    {KEY_HOME, KEY_CODE_HOME},
    {KEY_END, KEY_CODE_END},
    {KEY_FIND, KEY_CODE_HOME}, /* some terminals' names of these two */
    {KEY_SELECT, KEY_CODE_END},
    {KEY_DC, KEY_CODE_DELETE},
    {KEY_BACKSPACE, KEY_CODE_BACKSPACE},
    {KEY_BTAB, KEY_CODE_SHIFT_TAB},
    {KEY_ENTER, KEY_CODE_ENTER},
    {KEY_F(1), KEY_CODE_F1},
    {KEY_RESIZE, KEY_CODE_RESIZE},
};

static struct key mouse_key(void)
{
	struct key key = {.code = KEY_CODE_WAKE};
	MEVENT event;

	if (getmouse(&event) == ERR)
		return key;
	key.row = event.y;
	key.column = event.x;
	if (event.bstate & BUTTON4_PRESSED)
		key.code = KEY_CODE_WHEEL_UP;
	else if (event.bstate & BUTTON5_PRESSED)
		key.code = KEY_CODE_WHEEL_DOWN;
	else if (event.bstate & BUTTON1_DOUBLE_CLICKED)
		key.code = KEY_CODE_DOUBLE_CLICK;
	else if (event.bstate & (BUTTON1_CLICKED | BUTTON1_PRESSED))
		key.code = KEY_CODE_CLICK;
	return key;
}

static struct key translate(int status, wint_t read)
{
	struct key key = {.code = KEY_CODE_WAKE};

	if (status == OK) {
		key.code = read == '\r' ? KEY_CODE_ENTER : read == '\b' ? KEY_CODE_BACKSPACE : read;
		return key;
	}
	if (read == KEY_MOUSE)
		return mouse_key();
	for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++)
		if (keys[i].curses == (int)read)
			key.code = keys[i].code;
	return key;
}

/* 1: there is one. */
static int read_key(struct key *key)
{
	wint_t read = 0;
	int status = get_wch(&read);

	if (status == ERR)
		return 0;
	screen.failures = 0;
	*key = translate(status, read);
	return 1;
}

static struct key end_key(void)
{
	struct key key = {.code = KEY_CODE_CLOSED};

	if (ending == SIGINT) {
		ending = 0;
		key.code = KEY_CODE_INTERRUPT;
	}
	return key;
}

struct key screen_key(int milliseconds)
{
	struct pollfd wait[2] = {{.fd = fileno(screen.keys), .events = POLLIN},
				 {.fd = screen.wake[0], .events = POLLIN}};
	struct key key = {.code = KEY_CODE_WAKE};
	char bytes[64];

	if (ending)
		return end_key();
	/* what curses has read ahead is no longer in the terminal */
	if (read_key(&key))
		return key;
	poll(wait, 2, milliseconds);
	while (read(screen.wake[0], bytes, sizeof(bytes)) > 0)
		;
	if (ending)
		return end_key();
	if (read_key(&key))
		return key;
	if (wait[0].revents && ++screen.failures > CLOSED_AFTER)
		key.code = KEY_CODE_CLOSED;
	return key;
}
