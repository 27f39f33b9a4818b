// SPDX-License-Identifier: GPL-2.0-only
/* vmdemoctl top: watch the spaces there are on a whole screen. */
#include <curses.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "lab.h"
#include "top.h"

#define TOP_OPTION_ONCE		0x100
#define TOP_OPTION_NO_COLOUR	0x101

/* A screen larger than any: what LINES and COLUMNS may say. */
#define TOP_MOST		1000

struct top_args {
	struct ctl_words words;
	double seconds;
	bool once;
	bool plain;
};

static bool top_enough;

static void top_signal(int number)
{
	(void)number;
	__atomic_store_n(&top_enough, true, __ATOMIC_RELAXED);
}

static error_t top_option(int key, char *arg, struct argp_state *state)
{
	struct top_args *args = state->input;
	char *end;

	switch (key) {
	case 'd':
		args->seconds = strtod(arg, &end);
		if (*end || !(args->seconds >= 0.05 && args->seconds <= 3600))
			argp_error(state, "delay '%s': want 0.05 to 3600 seconds", arg);
		return 0;
	case TOP_OPTION_ONCE:
		args->once = true;
		return 0;
	case TOP_OPTION_NO_COLOUR:
		args->plain = true;
		return 0;
	case ARGP_KEY_END:
		if (ctl_options.json && !args->once)
			argp_error(state, "--json goes with --once");
		return 0;
	default:
		return ctl_word(key, arg, state, &args->words);
	}
}

static const struct argp_option top_options[] = {
	{ "delay", 'd', "SECONDS", 0, "Time between two frames (default: 1)", 0 },
	{ "once", TOP_OPTION_ONCE, NULL, 0,
	  "Print one frame as text, with the rates of SECONDS, and end", 0 },
	{ "no-color", TOP_OPTION_NO_COLOUR, NULL, 0, "No colours ($NO_COLOR does the same)", 0 },
	{ 0 },
};

static const struct argp top_argp = {
	.options = top_options,
	.parser = top_option,
	.args_doc = "[SPACE]",
	.doc = "Watch all spaces, with their rates, and SPACE, or the one chosen with the\n"
	       "arrow keys, with a map of its pages, its frames, the pages that missed most,\n"
	       "the queues of its policy, the misses over time and how long faults take.\n"
	       "\vKeys:\n"
	       "  Up, Down, k, j  choose a space\n"
	       "  p, b, o         change its policy, budget, observer\n"
	       "  s               hold its faults: who needs a page waits; or let them go on\n"
	       "  d               change the time between two frames\n"
	       "  q               end; what is held goes on, also if this is killed\n"
	       "The screen needs 80 columns and 24 rows. Rates are those since the frame\n"
	       "before; of other users' spaces only what 'list' shows is known.\n",
	.children = ctl_common,
};

static int top_start_colours(bool plain)
{
	static const short colours[TOP_STATES] = {
		[TOP_ABSENT] = -1, [TOP_SWAPPED] = COLOR_BLUE, [TOP_CLEAN] = COLOR_GREEN,
		[TOP_CLEAN_ACCESSED] = COLOR_GREEN, [TOP_DIRTY] = COLOR_RED,
		[TOP_DIRTY_ACCESSED] = COLOR_RED, [TOP_SHARED] = COLOR_YELLOW,
		[TOP_HUGE] = COLOR_MAGENTA, [TOP_PINNED] = COLOR_MAGENTA,
		[TOP_WRITING] = COLOR_YELLOW, [TOP_FILLING] = COLOR_CYAN,
	};
	const char *no = getenv("NO_COLOR");
	short i;

	if (plain || (no && *no) || !has_colors() || start_color() == ERR ||
	    use_default_colors() == ERR)
		return 0;
	for (i = 0; i < TOP_STATES; i++)
		init_pair(i + 1, colours[i], -1);
	return 1;
}

static attr_t top_attribute(u8 look, bool colours)
{
	u8 state = look - TOP_FIRST_STATE;
	attr_t attribute = A_NORMAL;

	if (look == TOP_PLAIN)
		return A_NORMAL;
	if (look < TOP_FIRST_STATE)
		return look == TOP_CHOSEN ? A_REVERSE : A_BOLD;
	if (state == TOP_CLEAN_ACCESSED || state == TOP_DIRTY_ACCESSED)
		attribute = A_BOLD;
	return colours ? attribute | COLOR_PAIR(state + 1) : attribute;
}

static void top_show(const struct top_screen *screen, bool colours)
{
	int row, column;

	erase();
	for (row = 0; row < screen->rows; row++) {
		for (column = 0; column < screen->columns; column++) {
			size_t at = (size_t)row * screen->columns + column;

			/* A blank that looks like any is there already. */
			if (screen->text[at] != ' ' || screen->look[at])
				mvaddch(row, column, (unsigned char)screen->text[at] |
					top_attribute(screen->look[at], colours));
		}
	}
	refresh();
}

static int top_frame(struct top *top, bool colours)
{
	struct top_screen screen;
	int rows, columns, status;

	getmaxyx(stdscr, rows, columns);
	status = top_screen_make(&screen, rows, columns);
	if (status)
		return status;
	top_draw(top, &screen);
	top_show(&screen, colours);
	top_screen_free(&screen);
	return CTL_OK;
}

/* One frame after the other, until a key or a signal ends it. */
static int top_loop(struct top *top, bool colours)
{
	int rows, columns, status = CTL_OK, key = KEY_RESIZE;
	double next = 0;
	bool due;

	while (!status && !__atomic_load_n(&top_enough, __ATOMIC_RELAXED)) {
		getmaxyx(stdscr, rows, columns);
		/* Another space, or size, wants another map at once. */
		due = lab_now() >= next;
		if (key != ERR || due)
			status = top_sample(top, top_cells(top, rows, columns), due);
		if (due)
			next = lab_now() + top->interval;
		if (!status)
			status = top_frame(top, colours);
		timeout(next > lab_now() ? (int)((next - lab_now()) * 1000) + 1 : 1);
		key = getch();
		if (key != ERR && key != KEY_RESIZE && !top_key(top, key))
			break;
		/* Typing need not wait for the module. */
		if (top->ask)
			key = ERR;
	}
	return status;
}

static void top_catch_signals(void)
{
	struct sigaction action = { .sa_handler = top_signal };

	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGHUP, &action, NULL);
}

static int top_screenful(struct top *top, const struct top_args *args)
{
	const char *term = getenv("TERM");
	SCREEN *screen;
	int status;

	if (!isatty(STDOUT_FILENO) || !isatty(STDIN_FILENO))
		return ctl_usage("this is no terminal: give --once");
	/* What fails at once is told on a screen that is still the user's. */
	status = top_sample(top, 1, true);
	if (status)
		return status;
	top_catch_signals();
	screen = newterm(NULL, stdout, stdin);
	if (!screen)
		return ctl_usage("terminal type '%s' is not known: set TERM, or give --once",
				 term ? term : "");
	cbreak();
	noecho();
	keypad(stdscr, TRUE);
	set_escdelay(50);
	curs_set(0);
	status = top_loop(top, top_start_colours(args->plain));
	endwin();
	delscreen(screen);
	top_release(top);
	return status;
}

static int top_size(const char *name, int fallback)
{
	const char *text = getenv(name);
	int value = text ? atoi(text) : 0;

	return value > 0 && value <= TOP_MOST ? value : fallback;
}

/* Blanks at the ends of lines, and lines with nothing to tell, are left out. */
static void top_print(const struct top_screen *screen)
{
	int row, length;

	for (row = 0; row < screen->rows - 2; row++) {
		const char *line = screen->text + (size_t)row * screen->columns;

		for (length = screen->columns; length && line[length - 1] == ' '; length--)
			;
		printf("%.*s\n", length, line);
	}
}

static int top_once(struct top *top, const struct top_args *args)
{
	int rows = top_size("LINES", TOP_ROWS), columns = top_size("COLUMNS", TOP_COLUMNS);
	struct timespec nap = {
		.tv_sec = (time_t)args->seconds,
		.tv_nsec = (long)((args->seconds - (time_t)args->seconds) * 1e9),
	};
	struct top_screen screen;
	int status = top_sample(top, 1, true);

	if (status)
		return status;
	nanosleep(&nap, NULL);
	status = top_sample(top, top_cells(top, rows, columns), true);
	if (status)
		return status;
	if (ctl_options.json) {
		top_json(top);
		return CTL_OK;
	}
	status = top_screen_make(&screen, rows, columns);
	if (status)
		return status;
	top_draw(top, &screen);
	top_print(&screen);
	top_screen_free(&screen);
	return CTL_OK;
}

int cmd_top(int argc, char **argv)
{
	struct top_args args = { .words.names = { "SPACE" }, .seconds = 1 };
	struct top top = { 0 };
	int status = CTL_OK;
	__u64 id = 0;

	ctl_parse_args(&top_argp, argc, argv, &args);
	if (args.words.nr && (ctl_parse_number(args.words.word[0], &id) || !id))
		return ctl_usage("space '%s': not an id as 'vmdemoctl list' shows them (1 and up)",
				 args.words.word[0]);
	top.interval = args.seconds;
	top.selected = id;
	if (id) {
		status = top_sample(&top, 1, true);
		if (!status && top.selected != id)
			status = ctl_fail("space %llu: there is no such space: %s", id,
					  "'vmdemoctl list' shows those there are");
	}
	if (!status)
		status = args.once ? top_once(&top, &args) : top_screenful(&top, &args);
	top_free(&top);
	return status;
}
