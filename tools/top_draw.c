// SPDX-License-Identifier: GPL-2.0-only
/*
 * vmdemoctl top: a frame, as characters with attributes. What it tells never
 * hangs on an attribute alone: on a screen without colours, and in text, the
 * letters say the same.
 */
#include "top.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "output.h"
#include "queue_text.h"

/* Rows: title and heads above the spaces; head and legend above the map; below. */
#define TOP_ABOVE	2
#define TOP_BETWEEN	2
#define TOP_BELOW	8

/* What stands left of the map, and of lines with a name. */
#define TOP_MARGIN	11

/* From no faults to as many as ever. */
static const char top_spark[] = "_.:-=+*#%@";

int top_screen_make(struct top_screen *screen, int rows, int columns)
{
	size_t size = (size_t)rows * columns;

	*screen = (struct top_screen){ .rows = rows, .columns = columns };
	screen->text = malloc(size);
	screen->look = calloc(size, 1);
	if (!screen->text || !screen->look) {
		top_screen_free(screen);
		return ctl_fail("out of memory");
	}
	memset(screen->text, ' ', size);
	return CTL_OK;
}

void top_screen_free(struct top_screen *screen)
{
	free(screen->text);
	free(screen->look);
	*screen = (struct top_screen){ 0 };
}

static void top_put_char(struct top_screen *screen, int row, int column, u8 look, char c)
{
	if (row < 0 || row >= screen->rows || column < 0 || column >= screen->columns)
		return;
	screen->text[row * screen->columns + column] = c;
	screen->look[row * screen->columns + column] = look;
}

/* What does not fit is cut off. */
__printf(5, 6) static void top_put(struct top_screen *screen, int row, int column, u8 look,
				   const char *fmt, ...)
{
	char line[1024];
	va_list args;
	const char *c;

	va_start(args, fmt);
	vsnprintf(line, sizeof(line), fmt, args);
	va_end(args);
	for (c = line; *c; c++)
		top_put_char(screen, row, column++, look, *c);
}

/* Rows for the list of spaces. */
static int top_list_rows(const struct top *top, int rows)
{
	int most = rows / 6 > 3 ? rows / 6 : 3;

	return top->nr < 1 ? 1 : top->nr < (size_t)most ? (int)top->nr : most;
}

/* As many as there are, if that leaves the map a fifth of the screen. */
static int top_queue_rows(const struct top *top, int rows)
{
	int most = rows / 6, nr = top->queues.known ? (int)top->queues.ask.nr : 0;

	return nr < most ? nr : most;
}

static int top_map_rows(const struct top *top, int rows)
{
	return rows - TOP_ABOVE - top_list_rows(top, rows) - TOP_BETWEEN - TOP_BELOW -
	       top_queue_rows(top, rows);
}

/* A round number of cells a row is easier to count. */
static int top_map_columns(int columns)
{
	return (columns - TOP_MARGIN) / 16 * 16;
}

size_t top_cells(const struct top *top, int rows, int columns)
{
	int high = top_map_rows(top, rows), wide = top_map_columns(columns);

	return high > 0 && wide > 0 ? (size_t)high * wide : 1;
}

static void top_draw_title(const struct top *top, struct top_screen *screen)
{
	__u64 resident = 0, budget = 0;
	size_t i;

	for (i = 0; i < top->nr; i++) {
		resident += top->spaces[i].line.resident;
		budget += top->spaces[i].line.budget;
	}
	top_put(screen, 0, 0, TOP_STRONG,
		"vmdemo: %zu space%s, %llu pages resident, budgets %llu frames, every %.3g s",
		top->nr, top->nr == 1 ? "" : "s", resident, budget, top->interval);
	top_put(screen, 1, 0, TOP_STRONG, "%6s %-11s %-8s %5s %7s %7s %6s %6s %7s %s", "ID",
		"POLICY", "OBSERVER", "SIZE", "FRAMES", "BUDGET", "REF/s", "MISS/s", "WRITE/s",
		"COMM");
}

/* Six characters at most. */
static const char *top_short(double rate, char buf[16])
{
	if (rate >= 1e7)
		snprintf(buf, 16, "%.0fM", rate / 1e6);
	else if (rate >= 1e4)
		snprintf(buf, 16, "%.0fk", rate / 1e3);
	else
		snprintf(buf, 16, "%.0f", rate);
	return buf;
}

static void top_draw_space(const struct top *top, const struct top_space *space,
			   struct top_screen *screen, int row)
{
	const struct ctl_space_line *line = &space->line;
	u8 look = line->id == top->selected ? TOP_CHOSEN : TOP_PLAIN;
	char size[CTL_SIZE_LEN], comm[64], rate[3][16] = { "-", "-", "-" };
	char policy[VMD_POLICY_LEN];

	if (space->known && space->seconds > 0) {
		top_short(TOP_RATE(space, references), rate[0]);
		top_short(TOP_RATE(space, misses), rate[1]);
		top_short(TOP_RATE(space, pages_written), rate[2]);
	}
	top_put(screen, row, 0, look, "%c%5llu %-11.11s %-8.8s %5s %7llu %7llu %6s %6s %7s %s",
		look == TOP_CHOSEN ? '>' : ' ', line->id,
		ctl_printable(line->policy, policy, sizeof(policy)), line->observer,
		ctl_format_size(line->size, size), line->resident, line->budget, rate[0], rate[1],
		rate[2], ctl_printable(line->comm, comm, sizeof(comm)));
}

/* As many as there is room for, the selected one among them. */
static void top_draw_list(const struct top *top, struct top_screen *screen)
{
	size_t rows = top_list_rows(top, screen->rows), first = 0, i;

	if (!top->nr)
		top_put(screen, TOP_ABOVE, 0, TOP_PLAIN,
			"       (no spaces: programs make them by opening %s)", ctl_options.device);
	while (first + rows < top->nr && top->spaces[first + rows - 1].line.id < top->selected)
		first++;
	for (i = 0; i < rows && first + i < top->nr; i++)
		top_draw_space(top, &top->spaces[first + i], screen, TOP_ABOVE + i);
}

static void top_draw_legend(struct top_screen *screen, int row)
{
	static const struct {
		u8 state;
		u8 state_too;
		const char *text;
	} legend[] = {
		{ TOP_ABSENT, 0, "absent" }, { TOP_SWAPPED, 0, "swapped" },
		{ TOP_CLEAN, 0, "clean" }, { TOP_DIRTY, 0, "dirty" },
		{ TOP_CLEAN_ACCESSED, TOP_DIRTY_ACCESSED, "acc" },
		{ TOP_SHARED, 0, "shared" }, { TOP_HUGE, 0, "huge" }, { TOP_PINNED, 0, "pin" },
		{ TOP_WRITING, 0, "write" }, { TOP_FILLING, 0, "fill" },
	};
	int column = 0;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(legend); i++) {
		top_put_char(screen, row, column, TOP_FIRST_STATE + legend[i].state,
			     top_letters[legend[i].state]);
		if (legend[i].state_too)
			top_put_char(screen, row, ++column, TOP_FIRST_STATE + legend[i].state_too,
				     top_letters[legend[i].state_too]);
		top_put(screen, row, column + 2, TOP_PLAIN, "%s", legend[i].text);
		column += 3 + strlen(legend[i].text);
	}
}

static void top_draw_map(const struct top *top, struct top_screen *screen, int row)
{
	const struct top_map *map = &top->map;
	int rows = top_map_rows(top, screen->rows), wide = top_map_columns(screen->columns);
	size_t i;

	if (*top->map_error) {
		top_put(screen, row, TOP_MARGIN, TOP_PLAIN, "%s", top->map_error);
		return;
	}
	for (i = 0; i < map->nr && (int)(i / wide) < rows; i++) {
		if (!(i % wide))
			top_put(screen, row + i / wide, 0, TOP_PLAIN, "%*llu ", TOP_MARGIN - 1,
				i * map->group);
		top_put_char(screen, row + i / wide, TOP_MARGIN + i % wide,
			     TOP_FIRST_STATE + map->cell[i], top_letters[map->cell[i]]);
	}
}

static void top_draw_head(const struct top *top, const struct top_space *space,
			  struct top_screen *screen, int row)
{
	const struct ctl_space_line *line = &space->line;
	const struct top_held *held = top_held(top, line->id);
	char policy[VMD_POLICY_LEN], state[64] = "";

	if (held)
		snprintf(state, sizeof(state), "  [HELD] %llu wait", held->waiting);
	else if (top->stopped)
		snprintf(state, sizeof(state), "  [STOPPED]");
	top_put(screen, row, 0, TOP_STRONG,
		"space %llu: %s, observer %s, store %s, %llu page%s a cell%s%s", line->id,
		ctl_printable(line->policy, policy, sizeof(policy)), line->observer, line->store,
		top->map.group, top->map.group == 1 ? "" : "s",
		top->map.looked < top->map.pages ? " (a sample of them)" : "",
		state);
}

static void top_draw_frames(const struct top *top, const struct top_space *space,
			    struct top_screen *screen, int row)
{
	const __u64 *n = top->map.counts;

	top_put(screen, row, 0, TOP_PLAIN,
		"%-10s %llu of %llu: clean %llu+%llu accessed, dirty %llu+%llu accessed, pinned %llu",
		"frames", space->line.resident, space->line.budget, n[TOP_CLEAN],
		n[TOP_CLEAN_ACCESSED], n[TOP_DIRTY], n[TOP_DIRTY_ACCESSED], n[TOP_PINNED]);
	top_put(screen, row + 1, 0, TOP_PLAIN,
		"%-10s mapped %llu, swapped %llu, absent %llu, filling %llu, writing %llu",
		"pages", top->map.mapped, n[TOP_SWAPPED], n[TOP_ABSENT], n[TOP_FILLING],
		n[TOP_WRITING]);
}

static void top_draw_hot(const struct top *top, struct top_screen *screen, int row)
{
	int column = TOP_MARGIN;
	char text[64];
	size_t i;

	top_put(screen, row, 0, TOP_PLAIN, "most missed");
	for (i = 0; i < top->map.nr_hot; i++) {
		snprintf(text, sizeof(text), " %llu (%u)", top->map.hot[i].page,
			 top->map.hot[i].faults);
		if (column + (int)strlen(text) > screen->columns)
			break;
		top_put(screen, row, column, TOP_PLAIN, "%s", text);
		column += strlen(text);
	}
}

static void top_draw_order(const struct top *top, struct top_screen *screen, int row)
{
	int column = TOP_MARGIN;
	char text[64];
	size_t i;

	top_put(screen, row, 0, TOP_PLAIN, "next to go");
	if (!top->map.order_known)
		top_put(screen, row, column + 1, TOP_PLAIN, "(only root sees it, in debugfs)");
	for (i = 0; i < top->map.nr_order; i++) {
		snprintf(text, sizeof(text), " %llu", top->map.order[i]);
		if (column + (int)strlen(text) > screen->columns)
			break;
		top_put(screen, row, column, TOP_PLAIN, "%s", text);
		column += strlen(text);
	}
}

static void top_queue_name(const struct vmd_queue *queue, char buf[64])
{
	int at = snprintf(buf, 64, "%.*s", (int)sizeof(queue->name), queue->name);

	if (queue->pages != VMD_QUEUE_UNKNOWN)
		at += snprintf(buf + at, 64 - at, " %u", queue->pages);
	if (queue->share != VMD_QUEUE_UNKNOWN)
		snprintf(buf + at, 64 - at, "/%u", queue->share);
}

/* From the end at which pages go; what does not fit is left out. */
static void top_draw_queue(const struct top_queues *queues, const struct vmd_queue *queue,
			   struct top_screen *screen, int row)
{
	const struct vmd_queued *page = queues->queued + queue->first;
	char name[64], text[QUEUE_TEXT];
	int column;
	u32 i;

	top_queue_name(queue, name);
	top_put(screen, row, 0, TOP_PLAIN, "%-10s", name);
	column = strlen(name) > 10 ? strlen(name) : 10;
	for (i = 0; i < queue->shown; i++) {
		queue_text(text, page[i].page, page[i].flags, page[i].number);
		if (column + 1 + (int)strlen(text) > screen->columns)
			break;
		top_put(screen, row, column + 1, TOP_PLAIN, "%s", text);
		column += 1 + strlen(text);
	}
}

static void top_draw_queues(const struct top *top, struct top_screen *screen, int row)
{
	int rows = top_queue_rows(top, screen->rows), i;

	for (i = 0; i < rows; i++)
		top_draw_queue(&top->queues, &top->queues.ask.queues[i], screen, row + i);
}

static void top_draw_spark(const struct top_space *space, struct top_screen *screen, int row)
{
	int room = screen->columns - TOP_MARGIN - 18, column = TOP_MARGIN;
	size_t first = space->nr_faults > (size_t)room ? space->nr_faults - room : 0, i;
	double most = 0;

	for (i = first; i < space->nr_faults; i++)
		if (space->faults[i] > most)
			most = space->faults[i];
	top_put(screen, row, 0, TOP_PLAIN, "misses/s");
	for (i = first; i < space->nr_faults; i++) {
		int level = most > 0 ? space->faults[i] / most * (sizeof(top_spark) - 2) + 0.5 : 0;

		top_put_char(screen, row, column++, TOP_PLAIN, top_spark[level]);
	}
	top_put(screen, row, column + 1, TOP_PLAIN, "most %.0f", most);
}

static const char *top_time(__u64 ns, char buf[24])
{
	if (!ns)
		snprintf(buf, 24, "-");
	else if (ns < 10000)
		snprintf(buf, 24, "<%llu ns", ns);
	else if (ns < 10000000)
		snprintf(buf, 24, "<%llu us", ns / 1000);
	else
		snprintf(buf, 24, "<%llu ms", ns / 1000000);
	return buf;
}

static void top_draw_latency(const struct top_space *space, struct top_screen *screen, int row)
{
	static const double parts[] = { 0.5, 0.9, 0.99, 1 };
	char b[ARRAY_SIZE(parts)][24];
	size_t i;

	for (i = 0; i < ARRAY_SIZE(parts); i++)
		top_time(top_latency(space, parts[i]), b[i]);
	top_put(screen, row, 0, TOP_PLAIN,
		"%-10s 50%% %s, 90%% %s, 99%% %s, all %s; evict/s %.0f",
		"fault time", b[0], b[1], b[2], b[3], TOP_RATE(space, evictions));
}

static const char *top_question(int ask)
{
	switch (ask) {
	case 'p':
		return "policy (name or name:key=value)";
	case 'b':
		return "budget (frames, or bytes with K, M, G)";
	case 'o':
		return "observer (fault, accessed, trap)";
	default:
		return "seconds between frames";
	}
}

static void top_draw_keys(const struct top *top, struct top_screen *screen)
{
	int row = screen->rows - 2;
	char text[TOP_TEXT];

	if (top->ask)
		top_put(screen, row, 0, TOP_STRONG, "%s: %s_", top_question(top->ask), top->answer);
	else
		top_put(screen, row, 0, TOP_STRONG, "%s",
			ctl_printable(top->message, text, sizeof(text)));
	top_put(screen, row + 1, 0, TOP_CHOSEN, "%s", top->ask ?
		"Enter: do it  Esc: leave it                                              " :
		"Up/Down space  p policy  b budget  o observer  s hold/go  d delay  q quit");
}

void top_draw(const struct top *top, struct top_screen *screen)
{
	const struct top_space *space = top_current(top);
	int row = TOP_ABOVE + top_list_rows(top, screen->rows);

	if (screen->rows < TOP_ROWS || screen->columns < TOP_COLUMNS) {
		top_put(screen, 0, 0, TOP_PLAIN, "%d columns of %d rows: at least %dx%d are needed",
			screen->columns, screen->rows, TOP_COLUMNS, TOP_ROWS);
		return;
	}
	top_draw_title(top, screen);
	top_draw_list(top, screen);
	top_draw_keys(top, screen);
	if (!space)
		return;
	top_draw_head(top, space, screen, row++);
	top_draw_legend(screen, row++);
	top_draw_map(top, screen, row);
	row = screen->rows - TOP_BELOW;
	top_draw_queues(top, screen, row - top_queue_rows(top, screen->rows));
	top_draw_frames(top, space, screen, row);
	top_draw_hot(top, screen, row + 2);
	top_draw_order(top, screen, row + 3);
	top_draw_spark(space, screen, row + 4);
	top_draw_latency(space, screen, row + 5);
}
