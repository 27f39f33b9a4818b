// SPDX-License-Identifier: GPL-2.0-only
/*
 * vmdemoctl step: the terminal, one key at a time. It is put back at every exit:
 * signals only ask the loop to end, so that exit() is always come by.
 */
#include "step.h"

#include <stdio.h>
#include <stdlib.h>
#include <termios.h>
#include <unistd.h>

static struct termios step_lines;
static bool step_changed;

void step_keys_off(void)
{
	if (step_changed)
		tcsetattr(STDIN_FILENO, TCSADRAIN, &step_lines);
	step_changed = false;
}

/* Ctrl-C goes on to work; Ctrl-Z would leave the terminal as it is. */
void step_keys_on(void)
{
	static bool registered;
	struct termios keys;

	if (step_changed || tcgetattr(STDIN_FILENO, &step_lines))
		return;
	if (!registered)
		atexit(step_keys_off);
	registered = true;
	keys = step_lines;
	keys.c_lflag &= ~(ICANON | ECHO);
	keys.c_cc[VMIN] = 1;
	keys.c_cc[VTIME] = 0;
	keys.c_cc[VSUSP] = _POSIX_VDISABLE;
	step_changed = !tcsetattr(STDIN_FILENO, TCSADRAIN, &keys);
}

enum step_key step_key(void)
{
	char c;

	if (read(STDIN_FILENO, &c, 1) != 1)
		return STEP_KEY_QUIT;
	switch (c) {
	case 'n':
	case ' ':
	case '\n':
	case '\r':
		return STEP_KEY_NEXT;
	case 'c':
		return STEP_KEY_CONTINUE;
	case 'e':
		return STEP_KEY_EVICTION;
	case 'p':
		return STEP_KEY_POLICY;
	case 'q':
	case 4:
		return STEP_KEY_QUIT;
	}
	puts("keys: n, Space, Enter: next halt; c: continue; e: until an eviction;\n"
	     "      p: another policy; q: leave, everything goes on. While it runs any of\n"
	     "      n, Space, Enter: halt at the next fault");
	return STEP_KEY_NONE;
}
