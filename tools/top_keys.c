// SPDX-License-Identifier: GPL-2.0-only
/* vmdemoctl top: keys, what they ask for and what they change. */
#include <curses.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config.h"
#include "top.h"

#define TOP_KEY_ESCAPE	27

/* What the functions below tell on stderr shall not go across the screen. */
static FILE *top_hush(int *saved)
{
	FILE *file = tmpfile();

	fflush(stderr);
	*saved = dup(STDERR_FILENO);
	if (file && *saved >= 0)
		dup2(fileno(file), STDERR_FILENO);
	return file;
}

static void top_hear(struct top *top, FILE *file, int saved)
{
	fflush(stderr);
	if (saved >= 0) {
		dup2(saved, STDERR_FILENO);
		close(saved);
	}
	if (!file)
		return;
	rewind(file);
	if (fgets(top->message, sizeof(top->message), file))
		top->message[strcspn(top->message, "\n")] = 0;
	fclose(file);
}

static int top_set(struct top *top, const char *key, const char *value)
{
	struct ctl_space space = CTL_NO_SPACE;
	struct ctl_request request = { 0 };
	struct vmd_config now = { 0 };
	int status = ctl_request_set(&request, key, value);

	if (!status)
		status = ctl_attach(&space, top->selected);
	if (!status)
		status = ctl_get_config(&space, &now);
	if (!status) {
		ctl_request_keep(&request, &now);
		status = ctl_request_check(&request, &space.info);
	}
	if (!status)
		status = ctl_set_config(&space, &request.config);
	ctl_close(&space);
	return status;
}

static void top_change(struct top *top, const char *key)
{
	int saved, status;
	FILE *file;

	*top->message = 0;
	file = top_hush(&saved);
	status = top_set(top, key, top->answer);
	top_hear(top, file, saved);
	if (!status)
		snprintf(top->message, TOP_TEXT, "space %llu: %s is %s now", top->selected, key,
			 top->answer);
}

static void top_change_interval(struct top *top)
{
	char *end;
	double seconds = strtod(top->answer, &end);

	if (*end || !(seconds >= 0.05 && seconds <= 3600)) {
		snprintf(top->message, TOP_TEXT, "'%s': want 0.05 to 3600 seconds", top->answer);
		return;
	}
	top->interval = seconds;
	*top->message = 0;
}

static void top_answer(struct top *top)
{
	switch (top->ask) {
	case 'p':
		top_change(top, "policy");
		break;
	case 'b':
		top_change(top, "budget");
		break;
	case 'o':
		top_change(top, "observer");
		break;
	case 'd':
		top_change_interval(top);
		break;
	}
	top->ask = 0;
}

static void top_type(struct top *top, int key)
{
	size_t length = strlen(top->answer);

	switch (key) {
	case TOP_KEY_ESCAPE:
		top->ask = 0;
		break;
	case '\n':
	case '\r':
	case KEY_ENTER:
		top_answer(top);
		break;
	case KEY_BACKSPACE:
	case '\b':
	case 0x7f:
		if (length)
			top->answer[length - 1] = 0;
		break;
	default:
		if (key >= ' ' && key < 0x7f && length + 1 < sizeof(top->answer)) {
			top->answer[length] = (char)key;
			top->answer[length + 1] = 0;
		}
	}
}

static void top_move(struct top *top, int by)
{
	size_t i;

	for (i = 0; i < top->nr && top->spaces[i].line.id != top->selected; i++)
		;
	if (by < 0 && i > 0)
		top->selected = top->spaces[i - 1].line.id;
	if (by > 0 && i + 1 < top->nr)
		top->selected = top->spaces[i + 1].line.id;
}

static void top_ask(struct top *top, int key)
{
	if (!top_current(top) && key != 'd') {
		snprintf(top->message, TOP_TEXT, "there is no space");
		return;
	}
	top->ask = key;
	*top->answer = 0;
}

bool top_key(struct top *top, int key)
{
	if (top->ask) {
		top_type(top, key);
		return true;
	}
	*top->message = 0;
	switch (key) {
	case 'q':
		return false;
	case KEY_UP:
	case 'k':
		top_move(top, -1);
		break;
	case KEY_DOWN:
	case 'j':
		top_move(top, 1);
		break;
	case 'p':
	case 'b':
	case 'o':
	case 'd':
		top_ask(top, key);
		break;
	case 's':
		top_hold_or_go(top);
		break;
	}
	return true;
}
