// SPDX-License-Identifier: GPL-2.0-only
/* Many simulations of one string: a thread a CPU takes one after the other. */
#include "lab.h"

#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

struct sweep {
	const struct lab_trace *trace;
	struct lab_run *runs;
	size_t nr;
	size_t next;			/* the run to be taken next */
	size_t ended;
	lab_done_t done;
};

double lab_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec + now.tv_nsec / 1e9;
}

static double sweep_cpu_seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return now.tv_sec + now.tv_nsec / 1e9;
}

void lab_progress_init(struct lab_progress *progress, bool wanted)
{
	*progress = (struct lab_progress){ .wanted = wanted, .next = lab_now() + 0.5 };
}

bool lab_progress_due(struct lab_progress *progress)
{
	double now;

	if (!progress->wanted)
		return false;
	now = lab_now();
	if (now < progress->next)
		return false;
	progress->next = now + 0.2;
	progress->shown = true;
	return true;
}

void lab_progress_end(struct lab_progress *progress)
{
	if (progress->shown)
		fputs(isatty(STDERR_FILENO) ? "\r\033[K" : "\n", stderr);
	progress->shown = false;
}

static int sweep_policy(struct sweep *sweep, struct lab_run *run)
{
	const struct lab_trace *trace = sweep->trace;
	struct vmd_policy_choice choice = run->policy->choice;
	struct vmd_sim sim;
	size_t at, nr;
	const char *bad;
	int error = run->policy->opt ? vmd_policy_parse("opt", &choice, &bad) : 0;

	if (error)
		return error;
	error = vmd_sim_init_placed(&sim, &choice, trace->pages, run->frames,
				    run->policy->ways);
	sim.keys = trace->keys;
	if (!error && run->policy->opt)
		error = vmd_sim_future(&sim, trace->refs, trace->nr);
	for (at = 0; !error && at < trace->nr; at += nr) {
		nr = trace->nr - at < LAB_CHUNK ? trace->nr - at : LAB_CHUNK;
		error = vmd_sim_run(&sim, trace->refs + at, nr);
		__atomic_fetch_add(&sweep->done, nr, __ATOMIC_RELAXED);
	}
	run->totals = sim.totals;
	vmd_sim_exit(&sim);
	return error;
}

static void sweep_run(struct sweep *sweep, struct lab_run *run)
{
	double start = sweep_cpu_seconds();

	/* In sets, opt is the policy of that name in each of them. */
	if (run->policy->opt && !run->policy->ways)
		run->error = lab_opt(sweep->trace, run->frames, &run->totals, &sweep->done);
	else
		run->error = sweep_policy(sweep, run);
	run->seconds = sweep_cpu_seconds() - start;
}

static void *sweep_thread(void *arg)
{
	struct sweep *sweep = arg;
	size_t i;

	while ((i = __atomic_fetch_add(&sweep->next, 1, __ATOMIC_RELAXED)) < sweep->nr) {
		if (!sweep->runs[i].known)
			sweep_run(sweep, &sweep->runs[i]);
		__atomic_fetch_add(&sweep->ended, 1, __ATOMIC_RELEASE);
	}
	return NULL;
}

static void sweep_show(struct sweep *sweep)
{
	u64 done = __atomic_load_n(&sweep->done, __ATOMIC_RELAXED);
	double all = (double)sweep->nr * sweep->trace->nr;

	fprintf(stderr, "\rsimulating: %zu of %zu runs, %.0f%% ",
		__atomic_load_n(&sweep->ended, __ATOMIC_RELAXED), sweep->nr,
		100 * done / all);
}

static void sweep_wait(struct sweep *sweep, bool wanted)
{
	const struct timespec nap = { .tv_nsec = 50 * 1000 * 1000 };
	struct lab_progress progress;

	if (!wanted)
		return;
	lab_progress_init(&progress, true);
	while (__atomic_load_n(&sweep->ended, __ATOMIC_ACQUIRE) < sweep->nr) {
		if (lab_progress_due(&progress))
			sweep_show(sweep);
		nanosleep(&nap, NULL);
	}
	lab_progress_end(&progress);
}

/* CPUs this process may use. */
static unsigned int sweep_cpus(void)
{
	cpu_set_t set;

	if (!sched_getaffinity(0, sizeof(set), &set))
		return CPU_COUNT(&set);
	return 1;
}

static int sweep_all(struct sweep *sweep, unsigned int jobs, bool progress)
{
	pthread_t *threads = calloc(jobs, sizeof(*threads));
	unsigned int nr = 0;

	if (!threads)
		return ctl_fail("out of memory");
	while (nr < jobs && !pthread_create(&threads[nr], NULL, sweep_thread, sweep))
		nr++;
	/* With no thread at all it is done here, without progress. */
	if (nr)
		sweep_wait(sweep, progress);
	else
		sweep_thread(sweep);
	while (nr)
		pthread_join(threads[--nr], NULL);
	free(threads);
	return CTL_OK;
}

static int sweep_check(const struct sweep *sweep)
{
	size_t i;

	for (i = 0; i < sweep->nr; i++) {
		const struct lab_run *run = &sweep->runs[i];

		if (run->error)
			return ctl_fail("%s with %u frames: %s", run->policy->name, run->frames,
					run->error == -ENOMEM ? "out of memory" :
					"the policy proposed no page to evict");
	}
	return CTL_OK;
}

int lab_sweep(struct lab_trace *trace, struct lab_run *runs, size_t nr, unsigned int jobs,
	      bool progress)
{
	struct sweep sweep = { .trace = trace, .runs = runs, .nr = nr };
	int status = CTL_OK;
	size_t i;

	for (i = 0; !status && i < nr; i++)
		if (runs[i].policy->opt && !runs[i].policy->ways)
			status = lab_look_ahead(trace);
	if (!jobs)
		jobs = sweep_cpus();
	if (!status)
		status = sweep_all(&sweep, jobs < nr ? jobs : nr, progress);
	return status ? status : sweep_check(&sweep);
}

struct lab_run *lab_make_runs(const struct lab_policy *policies, size_t nr_policies,
			      const u32 *frames, size_t nr_frames)
{
	struct lab_run *runs = calloc(nr_policies * nr_frames + 1, sizeof(*runs));
	size_t i;

	for (i = 0; runs && i < nr_policies * nr_frames; i++) {
		runs[i].policy = &policies[i / nr_frames];
		runs[i].frames = frames[i % nr_frames];
	}
	if (!runs)
		ctl_fail("out of memory");
	return runs;
}

double lab_rate(const struct lab_run *run)
{
	return run->seconds > 0 ? run->totals.references / run->seconds : 0;
}

const char *lab_format_rate(double rate, char buf[LAB_RATE_LEN])
{
	if (rate >= 1e6)
		snprintf(buf, LAB_RATE_LEN, "%.1fM/s", rate / 1e6);
	else
		snprintf(buf, LAB_RATE_LEN, "%.1fk/s", rate / 1e3);
	return buf;
}

void lab_json_run(struct json_object *object, const struct lab_run *run)
{
	const struct vmd_sim_totals *t = &run->totals;
	char placement[VMD_PLACE_LEN];

	vmd_place_format(run->policy->ways, placement);
	ctl_json_add_text(object, "policy", run->policy->name);
	ctl_json_add_u64(object, "frames", run->frames);
	ctl_json_add_text(object, "placement", placement);
	ctl_json_add_u64(object, "references", t->references);
	ctl_json_add_u64(object, "hits", t->hits);
	ctl_json_add_u64(object, "misses", t->misses);
	ctl_json_add(object, "miss_ratio",
		     json_object_new_double(lab_ratio(t->misses, t->references)));
	ctl_json_add_u64(object, "misses_compulsory", t->misses_compulsory);
	ctl_json_add_u64(object, "misses_capacity", t->misses_capacity);
	ctl_json_add_u64(object, "misses_conflict", t->misses_conflict);
	ctl_json_add_u64(object, "evictions", t->evictions);
	ctl_json_add_u64(object, "evictions_dirty", t->evictions_dirty);
	ctl_json_add_u64(object, "pages_written", t->pages_written);
	ctl_json_add(object, "references_per_second", json_object_new_double(lab_rate(run)));
}

void lab_print_placement(const struct lab_args *args)
{
	char placement[VMD_PLACE_LEN];

	vmd_place_format(args->ways, placement);
	if (args->ways)
		printf("placement %s: page p in set p mod (frames / %u)\n", placement, args->ways);
}

void lab_print_head(const struct lab_trace *trace)
{
	printf("%s: %zu references, %llu of them writes, to %u pages\n", trace->name,
	       trace->nr, (__u64)trace->writes, trace->pages);
}

void lab_json_head(struct json_object *object, const struct lab_trace *trace)
{
	ctl_json_add_text(object, "trace", trace->name);
	ctl_json_add_u64(object, "references", trace->nr);
	ctl_json_add_u64(object, "writes", trace->writes);
	ctl_json_add_u64(object, "pages", trace->pages);
	ctl_json_add_u64(object, "lost", trace->lost);
}
