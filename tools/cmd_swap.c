// SPDX-License-Identifier: GPL-2.0-only
/* vmdemoctl swapout, swapin: all of a space at once. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <time.h>

#include "lab.h"
#include "output.h"
#include "procfs.h"
#include "procs.h"
#include "swap.h"

/* Stopping takes effect when a process is next looked at by its CPU. */
#define SWAP_PATIENCE_MS	2000
#define SWAP_STEP_MS		5
#define SWAP_CHUNK		4096

struct swap_args {
	struct ctl_words words;
	bool programs;			/* stop them, or let them go on */
};

/**
 * struct swap - one transfer
 * @space: of what
 * @range: all of its pages
 * @pid: who opened it, 0 if it is not listed
 * @list: what is moved
 * @pinned: resident pages that may not go
 * @before: counters before it
 * @after: counters after it
 * @seconds: how long it took
 * @processes: that were stopped before, or go on now
 */
struct swap {
	struct ctl_space space;
	struct ctl_range range;
	pid_t pid;
	struct swap_list list;
	__u64 pinned;
	struct vmd_stats before;
	struct vmd_stats after;
	double seconds;
	size_t processes;
};

static error_t swap_option(int key, char *arg, struct argp_state *state)
{
	struct swap_args *args = state->input;

	if (key != 's' && key != 'c')
		return ctl_word(key, arg, state, &args->words);
	args->programs = true;
	return 0;
}

static const struct argp_option swapout_options[] = {
	{ "stop", 's', NULL, 0, "Stop its programs first (SIGSTOP)", 0 },
	{ 0 },
};

static const struct argp swapout_argp = {
	.options = swapout_options,
	.parser = swap_option,
	.args_doc = "SPACE",
	.doc = "Write all that is dirty in SPACE to its store and take all of its pages out of\n"
	       "their frames, as systems did that swapped whole programs; tell what that took.\n"
	       "\vWhich pages these were is kept for swapin. Pinned pages stay. A program that\n"
	       "is not stopped brings its pages back one by one.\n",
	.children = ctl_common,
};

static const struct argp_option swapin_options[] = {
	{ "continue", 'c', NULL, 0, "Let its programs go on then (SIGCONT)", 0 },
	{ 0 },
};

static const struct argp swapin_argp = {
	.options = swapin_options,
	.parser = swap_option,
	.args_doc = "SPACE",
	.doc = "Bring the pages of SPACE back that swapout took out of their frames, as far\n"
	       "as the budget goes, and tell what that took.\n"
	       "\vWithout a swapout before it all pages in the store are meant.\n",
	.children = ctl_common,
};

static void swap_note_pid(void *arg, const struct ctl_space_line *line)
{
	struct swap *swap = arg;

	if (line->id == swap->space.info.space_id)
		swap->pid = (pid_t)line->pid;
}

static int swap_begin(struct swap *swap, const struct swap_args *args)
{
	int status = ctl_open_range(&swap->space, args->words.word[0], NULL, &swap->range);

	if (!status)
		status = ctl_proc_spaces(swap_note_pid, swap);
	return status;
}

static void swap_end(struct swap *swap)
{
	ctl_close(&swap->space);
	swap_free(&swap->list);
}

static int swap_signal(struct swap *swap, int signal)
{
	const struct timespec nap = { .tv_nsec = SWAP_STEP_MS * 1000000L };
	struct ctl_procs procs;
	int left = SWAP_PATIENCE_MS / SWAP_STEP_MS;

	ctl_find_procs(swap->pid, &procs);
	swap->processes = ctl_signal_procs(&procs, signal);
	if (!swap->processes)
		return ctl_fail("no process of space %llu found that may be %s",
				swap->space.info.space_id,
				signal == SIGSTOP ? "stopped" : "continued");
	while (signal == SIGSTOP && procs.stopped < procs.nr && left--) {
		nanosleep(&nap, NULL);
		ctl_find_procs(swap->pid, &procs);
	}
	return CTL_OK;
}

/* The pages that @wanted says are to be moved. */
static int swap_gather(struct swap *swap, struct swap_list *list,
		       bool (*wanted)(struct swap *swap, __u64 index, const struct vmd_page *page))
{
	struct vmd_page *pages = calloc(SWAP_CHUNK, sizeof(*pages));
	int status = pages ? CTL_OK : ctl_fail("out of memory");
	__u64 first, end = swap->range.first + swap->range.count, i;
	struct ctl_range part;

	for (first = swap->range.first; !status && first < end; first += part.count) {
		part.first = first;
		part.count = end - first < SWAP_CHUNK ? end - first : SWAP_CHUNK;
		status = ctl_get_pages(&swap->space, &part, pages);
		if (status || !part.count)
			break;
		for (i = 0; !status && i < part.count; i++)
			if (wanted(swap, first + i, &pages[i]))
				status = swap_add(list, first + i);
	}
	free(pages);
	return status;
}

static bool swap_is_resident(struct swap *swap, __u64 index, const struct vmd_page *page)
{
	(void)index;
	if (page->state != VMD_PAGE_RESIDENT)
		return false;
	if (page->flags & VMD_PAGE_PINNED)
		swap->pinned++;
	return !(page->flags & VMD_PAGE_PINNED);
}

/* Of those that were resident, if that is known, or of all. */
static bool swap_is_out(struct swap *swap, __u64 index, const struct vmd_page *page)
{
	return page->state == VMD_PAGE_SWAPPED &&
	       (!swap->list.nr || swap_has(&swap->list, index));
}

static void swap_json(const struct swap *swap, bool out, __u64 pages, __u64 moved)
{
	struct json_object *object = json_object_new_object();

	ctl_json_add_u64(object, "id", swap->space.info.space_id);
	ctl_json_add_u64(object, out ? "pages_out" : "pages_in", pages);
	ctl_json_add_u64(object, out ? "pages_written" : "pages_read", moved);
	ctl_json_add_u64(object, "bytes", moved * swap->space.info.page_size);
	ctl_json_add(object, "seconds", json_object_new_double(swap->seconds));
	ctl_json_add_u64(object, "resident", swap->after.resident);
	ctl_json_add_u64(object, "pinned", swap->pinned);
	if (out)
		ctl_json_add_u64(object, "stopped", swap->processes);
	ctl_json_free(object, true);
}

static void swap_show(const struct swap *swap, bool out)
{
	__u64 moved = out ? swap->after.pages_written - swap->before.pages_written :
			    swap->after.pages_read - swap->before.pages_read;
	__u64 less = out ? swap->after.resident : swap->before.resident;
	__u64 more = out ? swap->before.resident : swap->after.resident;
	__u64 pages = more > less ? more - less : 0;
	char size[CTL_SIZE_LEN];

	if (ctl_options.json) {
		swap_json(swap, out, pages, moved);
		return;
	}
	printf("space %llu: %llu pages %s in %.3f ms: %llu %s (%s", swap->space.info.space_id,
	       pages, out ? "out" : "in", swap->seconds * 1e3, moved, out ? "written" : "read",
	       ctl_format_size(moved * swap->space.info.page_size, size));
	if (swap->seconds > 0)
		printf(", %.1f MiB/s",
		       moved * swap->space.info.page_size / swap->seconds / (1 << 20));
	printf("); %llu resident", swap->after.resident);
	if (swap->pinned)
		printf(", %llu of them pinned", swap->pinned);
	if (swap->processes)
		printf("; %zu process%s stopped", swap->processes,
		       swap->processes == 1 ? "" : "es");
	putchar('\n');
}

/* As ctl_advise(), for what need not be told again. */
static void swap_advise_silently(struct swap *swap, const struct ctl_range *run,
				 enum vmd_advice advice)
{
	struct vmd_advise advise = {
		.offset = run->first * swap->space.info.page_size,
		.length = run->count * swap->space.info.page_size,
		.advice = advice,
	};

	ioctl(swap->space.fd, VMD_IOC_ADVISE, &advise);
}

/* One call a run; what fails is told once, and the others are moved still. */
static int swap_move(struct swap *swap, const struct swap_list *list, enum vmd_advice advice)
{
	int status, worst = CTL_OK;
	double start;
	size_t i;

	status = ctl_get_stats(&swap->space, 0, &swap->before);
	if (status)
		return status;
	start = lab_now();
	for (i = 0; i < list->nr; i++) {
		if (worst)
			swap_advise_silently(swap, &list->runs[i], advice);
		else
			worst = ctl_advise(&swap->space, &list->runs[i], advice);
	}
	swap->seconds = lab_now() - start;
	status = ctl_get_stats(&swap->space, 0, &swap->after);
	if (!status)
		swap_show(swap, advice == VMD_ADVICE_EVICT);
	return worst ? worst : status;
}

static int swap_out(struct swap *swap, const struct swap_args *args)
{
	int status = args->programs ? swap_signal(swap, SIGSTOP) : CTL_OK;

	if (!status)
		status = swap_gather(swap, &swap->list, swap_is_resident);
	/* Twice in a row: what is known from the first time still holds. */
	if (!status && swap->list.nr)
		status = swap_save(&swap->list, swap->space.info.space_id);
	return status ? status : swap_move(swap, &swap->list, VMD_ADVICE_EVICT);
}

static int swap_in(struct swap *swap, const struct swap_args *args)
{
	struct swap_list list = { 0 };
	bool found;
	int status = swap_load(&swap->list, swap->space.info.space_id, &found);

	if (!status)
		status = swap_gather(swap, &list, swap_is_out);
	if (!status)
		status = swap_move(swap, &list, VMD_ADVICE_WILLNEED);
	if (!status && found)
		swap_forget(swap->space.info.space_id);
	if (!status && args->programs)
		status = swap_signal(swap, SIGCONT);
	swap_free(&list);
	return status;
}

static int swap_run(const struct argp *argp, int argc, char **argv,
		    int (*move)(struct swap *swap, const struct swap_args *args))
{
	struct swap_args args = { .words = { .names = { "SPACE" }, .required = 1 } };
	struct swap swap = { .space = CTL_NO_SPACE };
	int status;

	ctl_parse_args(argp, argc, argv, &args);
	status = swap_begin(&swap, &args);
	if (!status)
		status = move(&swap, &args);
	swap_end(&swap);
	return status;
}

int cmd_swapout(int argc, char **argv)
{
	return swap_run(&swapout_argp, argc, argv, swap_out);
}

int cmd_swapin(int argc, char **argv)
{
	return swap_run(&swapin_argp, argc, argv, swap_in);
}
