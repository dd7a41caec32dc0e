/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tui/tui.h"

#include <malloc.h>
#include <signal.h>
#include <string.h>

#include "analyzer/model/scan.h"
#include "formats/error.h"
#include "tui/dispatch.h"
#include "tui/frame.h"
#include "tui/screen.h"
#include "tui/script.h"
#include "tui/state.h"

/* How often the progress of a job is shown. */
enum { PROGRESS_MILLISECONDS = 100 };

/* Blocks from so many bytes on go back to the system when they are freed, however often views come
 * and go. (Left to itself malloc learns to keep them.) */
enum { LARGE_BYTES = 256 * 1024 };

static int fit(struct tui *tui)
{
	int rows, columns;

	screen_size(&rows, &columns);
	if (rows == tui->grid.rows && columns == tui->grid.columns)
		return 0;
	return grid_resize(&tui->grid, rows, columns);
}

static int run_terminal(struct tui *tui)
{
	int error = 0;

	while (!tui->quit && !(error = fit(tui))) {
		struct key key;

		frame_draw(tui);
		screen_show(&tui->grid);
		key = screen_key(tui->job.kind ? PROGRESS_MILLISECONDS : -1);
		if (key.code == KEY_CODE_CLOSED)
			break;
		if (key.code != KEY_CODE_WAKE && key.code != KEY_CODE_RESIZE)
			dispatch_key(tui, &key);
		job_poll(tui);
	}
	return error;
}

static int reads_input(const struct tui_options *options)
{
	return !strcmp(options->path, "-") ||
	       (options->base_path && !strcmp(options->base_path, "-"));
}

int tui_run(const struct tui_options *options, char *complaint, size_t complaint_bytes)
{
	struct tui tui;
	int error, signal = 0;

	*complaint = '\0';
	mallopt(M_MMAP_THRESHOLD, LARGE_BYTES);
	/* what is read until then may be told on the terminal as it is */
	error = tui_init(&tui, options, complaint, complaint_bytes);
	scan_watch_set(NULL);
	if (!error)
		error = options->script
			    ? script_open_screen(complaint, complaint_bytes)
			    : screen_open(reads_input(options), complaint, complaint_bytes);
	if (!error) {
		tui.grid.ascii = screen_is_ascii();
		error = options->script
			    ? script_run(&tui, options->script, complaint, complaint_bytes)
			    : run_terminal(&tui);
		signal = screen_signal();
	}
	tui_release(&tui);
	screen_close();
	if (signal) {
		(void)!sigaction(signal, &(struct sigaction){.sa_handler = SIG_DFL}, NULL);
		raise(signal);
	}
	return error;
}
