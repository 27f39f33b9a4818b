// SPDX-License-Identifier: GPL-2.0-only
/* vmdemoctl mrc: miss-ratio curves, the working set, reuse distances. */
#include "lab.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "parse.h"

#define MRC_SAMPLES	64
#define MRC_BAR		40

/* Points of a curve that is known everywhere. */
#define MRC_SMOOTH	200

enum mrc_table { MRC_CURVES, MRC_WS, MRC_REUSE };

static const char *const mrc_tables[] = { "curves", "ws", "reuse" };

struct mrc_args {
	struct lab_args lab;
	u64 window;
	u64 samples;
	const char *picture;
	enum mrc_table table;
};

/* A size with which there are more misses than with a smaller one. */
struct mrc_anomaly {
	const char *policy;
	u32 frames[2];
	u64 misses[2];
	size_t more;			/* of the same policy */
};

struct mrc {
	struct mrc_args *args;
	struct lab_trace trace;
	struct lab_run *runs;		/* policy by policy, all but lru simulated */
	struct lab_mrc shown;
};

static void mrc_take_number(struct argp_state *state, const char *name, const char *text,
			    u64 most, u64 *value)
{
	__u64 number;
	const char *why = ctl_parse_number(text, &number);

	if (!why && (!number || number > most))
		why = "out of bounds";
	if (why)
		argp_error(state, "%s '%s': %s: want 1 to %llu", name, text, why, (__u64)most);
	*value = number;
}

static void mrc_take_table(struct argp_state *state, struct mrc_args *args, const char *name)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(mrc_tables); i++) {
		if (!strcmp(mrc_tables[i], name)) {
			args->table = i;
			args->lab.csv = true;
			return;
		}
	}
	argp_error(state, "unknown table '%s': one of curves, ws, reuse", name);
}

static error_t mrc_option(int key, char *arg, struct argp_state *state)
{
	struct mrc_args *args = state->input;

	switch (key) {
	case 'w':
		mrc_take_number(state, "window", arg, LAB_NEVER, &args->window);
		return 0;
	case 's':
		mrc_take_number(state, "samples", arg, 1 << 20, &args->samples);
		return 0;
	case 'o':
		args->picture = arg;
		if (lab_check_picture(arg))
			exit(CTL_USAGE);
		return 0;
	case 'T':
		mrc_take_table(state, args, arg);
		return 0;
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &args->lab;
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp_option mrc_options[] = {
	{ "window", 'w', "N", 0,
	  "Working set of the last N references (default: 1%, 10 at least)", 0 },
	{ "samples", 's', "N", 0, "Samples of the working set (default: 64)", 0 },
	{ "output", 'o', "FILE", 0, "Draw a picture as well, FILE.svg or FILE.png (gnuplot)", 0 },
	{ "table", 'T', "TABLE", 0, "Print curves, ws or reuse as CSV (--csv: curves)", 0 },
	{ 0 },
};

static const struct argp mrc_argp = {
	.options = mrc_options,
	.parser = mrc_option,
	.args_doc = "TRACE",
	.doc = "Show how often policies miss at which budget: for lru exactly, at all\n"
	       "sizes in one pass, for the others by simulation at some; how the working\n"
	       "set changes over time; and how far apart uses of the same page are. Tells\n"
	       "where more frames mean more misses (Belady's anomaly).\n"
	       "\vWith --placement lru is simulated, too, at sizes of whole sets.\n"
	       "\n"
	       "Example:\n"
	       "  vmdemoctl mrc --policy lru,fifo,opt --output ls.svg ls.vmd",
	.children = lab_common,
};

static struct lab_run *mrc_run(const struct mrc *mrc, size_t policy, size_t size)
{
	return &mrc->runs[policy * mrc->args->lab.nr_frames + size];
}

static u64 mrc_lru_misses(const struct lab_stack *stack, u32 frames)
{
	return stack->misses[frames < stack->pages ? frames : stack->pages];
}

/* lru is known from the one pass; its evictions and writes are not asked. */
static void mrc_fill_lru(struct mrc *mrc, struct lab_run *run)
{
	u64 misses = mrc_lru_misses(&mrc->shown.stack, run->frames);

	run->totals.references = mrc->trace.nr;
	run->totals.misses = misses;
	run->totals.hits = mrc->trace.nr - misses;
	run->known = true;
}

static int mrc_simulate(struct mrc *mrc)
{
	struct lab_args *args = &mrc->args->lab;
	size_t i, nr = args->nr_policies * args->nr_frames;

	mrc->runs = lab_make_runs(args->policies, args->nr_policies, args->frames,
				  args->nr_frames);
	if (!mrc->runs)
		return CTL_FAILED;
	for (i = 0; i < nr; i++)
		if (!args->ways && !strcmp(mrc->runs[i].policy->name, "lru"))
			mrc_fill_lru(mrc, &mrc->runs[i]);
	return lab_sweep(&mrc->trace, mrc->runs, nr, args->jobs, lab_wants_progress(args));
}

static double mrc_ratio(const struct mrc *mrc, size_t policy, size_t size)
{
	return lab_ratio(mrc_run(mrc, policy, size)->totals.misses, mrc->trace.nr);
}

/* As many points of lru as can be told apart: they cost nothing. */
static void mrc_fill_smooth(struct mrc *mrc, struct lab_curve *curve)
{
	const struct lab_args *args = &mrc->args->lab;
	u32 first = args->frames[0], last = args->frames[args->nr_frames - 1], frames;
	bool wide = lab_is_wide(first, last);
	size_t i;

	for (i = 0; i < MRC_SMOOTH; i++) {
		double part = (double)i / (MRC_SMOOTH - 1);

		frames = lround(wide ? first * pow((double)last / first, part) :
				first + part * (last - first));
		if (curve->nr && frames == curve->x[curve->nr - 1])
			continue;
		curve->x[curve->nr] = frames;
		curve->y[curve->nr++] = lab_ratio(mrc_lru_misses(&mrc->shown.stack, frames),
						  mrc->trace.nr);
	}
}

static int mrc_make_curve(struct mrc *mrc, size_t policy, struct lab_curve *curve)
{
	const struct lab_args *args = &mrc->args->lab;
	size_t room = args->nr_frames > MRC_SMOOTH ? args->nr_frames : MRC_SMOOTH;

	*curve = (struct lab_curve){
		.name = args->policies[policy].name,
		.x = calloc(room, sizeof(double)),
		.y = calloc(room, sizeof(double)),
	};
	if (!curve->x || !curve->y)
		return ctl_fail("out of memory");
	if (mrc_run(mrc, policy, 0)->known)
		mrc_fill_smooth(mrc, curve);
	for (; !mrc_run(mrc, policy, 0)->known && curve->nr < args->nr_frames; curve->nr++) {
		curve->x[curve->nr] = args->frames[curve->nr];
		curve->y[curve->nr] = mrc_ratio(mrc, policy, curve->nr);
	}
	return CTL_OK;
}

static int mrc_make_curves(struct mrc *mrc)
{
	size_t i, nr = mrc->args->lab.nr_policies;
	int status = CTL_OK;

	mrc->shown.curves = calloc(nr, sizeof(*mrc->shown.curves));
	if (!mrc->shown.curves)
		return ctl_fail("out of memory");
	mrc->shown.nr_curves = nr;
	for (i = 0; !status && i < nr; i++)
		status = mrc_make_curve(mrc, i, &mrc->shown.curves[i]);
	return status;
}

/* Returns whether there is one; the first is told, and how many follow. */
static bool mrc_find_anomaly(const struct mrc *mrc, size_t policy, struct mrc_anomaly *anomaly)
{
	bool found = false;
	size_t i;

	*anomaly = (struct mrc_anomaly){ .policy = mrc->args->lab.policies[policy].name };
	for (i = 1; i < mrc->args->lab.nr_frames; i++) {
		const struct lab_run *less = mrc_run(mrc, policy, i - 1);
		const struct lab_run *more = mrc_run(mrc, policy, i);

		if (more->totals.misses <= less->totals.misses)
			continue;
		anomaly->more += found;
		if (found)
			continue;
		found = true;
		anomaly->frames[0] = less->frames;
		anomaly->frames[1] = more->frames;
		anomaly->misses[0] = less->totals.misses;
		anomaly->misses[1] = more->totals.misses;
	}
	return found;
}

static void mrc_print_anomalies(const struct mrc *mrc, FILE *to)
{
	struct mrc_anomaly a;
	size_t i;

	for (i = 0; i < mrc->args->lab.nr_policies; i++) {
		if (!mrc_find_anomaly(mrc, i, &a))
			continue;
		fprintf(to, "warning: Belady's anomaly: %s misses %llu times with %u frames, ",
			a.policy, (__u64)a.misses[0], a.frames[0]);
		fprintf(to, "but %llu with %u", (__u64)a.misses[1], a.frames[1]);
		if (a.more)
			fprintf(to, "; at %zu more sizes", a.more);
		fputc('\n', to);
	}
}

static void mrc_print_curves(const struct mrc *mrc)
{
	const struct lab_args *args = &mrc->args->lab;
	const char **heads = calloc(args->nr_policies + 1, sizeof(*heads));
	char (*names)[LAB_NAME + 1] = calloc(args->nr_policies, sizeof(*names));
	struct ctl_table *table;
	size_t i, p;

	if (heads && names) {
		heads[0] = ">frames";
		for (p = 0; p < args->nr_policies; p++) {
			snprintf(names[p], sizeof(names[p]), ">%s", args->policies[p].name);
			heads[p + 1] = names[p];
		}
		table = ctl_table_new(heads, args->nr_policies + 1);
		for (i = 0; i < args->nr_frames; i++) {
			ctl_cell(table, "%u", args->frames[i]);
			for (p = 0; p < args->nr_policies; p++)
				ctl_cell(table, "%.4f", mrc_ratio(mrc, p, i));
		}
		ctl_table_free(table, true);
	}
	free(heads);
	free(names);
}

static void mrc_plot_ws(const struct lab_ws *ws)
{
	struct lab_curve curve = { .nr = ws->nr };
	char name[96];
	size_t i;

	curve.x = calloc(ws->nr, sizeof(double));
	curve.y = calloc(ws->nr, sizeof(double));
	for (i = 0; curve.x && curve.y && i < ws->nr; i++) {
		curve.x[i] = ws->at[i];
		curve.y[i] = ws->size[i];
	}
	snprintf(name, sizeof(name), "working set of %llu references: mean %.1f pages, at most %u",
		 (__u64)ws->window, ws->mean, ws->most);
	if (curve.x && curve.y)
		lab_plot(&curve, 1, "references", name, false);
	free(curve.x);
	free(curve.y);
}

static void mrc_print_bar(const char *name, u64 count, u64 all)
{
	int bar = (double)count / all * MRC_BAR + 0.5;

	printf("%22s %12llu %6.2f%%%s", name, (__u64)count, 100.0 * count / all,
	       bar ? " " : "");
	while (bar--)
		putchar('#');
	putchar('\n');
}

static void mrc_print_reuse(const struct mrc *mrc)
{
	const struct lab_stack *stack = &mrc->shown.stack;
	u32 i, last = lab_last_bucket(stack);
	char name[48];

	printf("references by the different pages used since the last use of the page:\n");
	for (i = 0; i <= last; i++) {
		u64 from = lab_bucket_start(i), until = lab_bucket_start(i + 1) - 1;

		if (from == until)
			snprintf(name, sizeof(name), "%llu", (__u64)from);
		else
			snprintf(name, sizeof(name), "%llu-%llu", (__u64)from, (__u64)until);
		mrc_print_bar(name, stack->buckets[i], mrc->trace.nr);
	}
	mrc_print_bar("first use", stack->cold, mrc->trace.nr);
}

static void mrc_print(const struct mrc *mrc)
{
	const struct lab_curve *curve = &mrc->shown.curves[0];

	lab_print_head(&mrc->trace);
	lab_print_placement(&mrc->args->lab);
	putchar('\n');
	lab_plot(mrc->shown.curves, mrc->shown.nr_curves, "frames", "misses per reference",
		 lab_is_wide(curve->x[0], curve->x[curve->nr - 1]));
	putchar('\n');
	mrc_print_curves(mrc);
	putchar('\n');
	mrc_plot_ws(&mrc->shown.ws);
	putchar('\n');
	mrc_print_reuse(mrc);
	mrc_print_anomalies(mrc, stdout);
}

static void mrc_csv_curves(const struct mrc *mrc)
{
	const struct lab_args *args = &mrc->args->lab;
	size_t i;

	puts("policy,frames,misses,miss_ratio");
	for (i = 0; i < args->nr_policies * args->nr_frames; i++) {
		const struct lab_run *run = &mrc->runs[i];
		bool quote = strchr(run->policy->name, ',');

		printf("%s%s%s,%u,%llu,%.8f\n", quote ? "\"" : "", run->policy->name,
		       quote ? "\"" : "", run->frames, (__u64)run->totals.misses,
		       lab_ratio(run->totals.misses, mrc->trace.nr));
	}
}

static void mrc_csv(const struct mrc *mrc)
{
	const struct lab_stack *stack = &mrc->shown.stack;
	const struct lab_ws *ws = &mrc->shown.ws;
	size_t i;

	if (mrc->args->table == MRC_CURVES)
		mrc_csv_curves(mrc);
	if (mrc->args->table == MRC_WS)
		puts("references,pages");
	for (i = 0; mrc->args->table == MRC_WS && i < ws->nr; i++)
		printf("%llu,%u\n", (__u64)ws->at[i], ws->size[i]);
	if (mrc->args->table == MRC_REUSE) {
		puts("distance_from,distance_to,references");
		for (i = 0; i <= lab_last_bucket(stack); i++)
			printf("%llu,%llu,%llu\n", (__u64)lab_bucket_start(i),
			       (__u64)lab_bucket_start(i + 1) - 1, (__u64)stack->buckets[i]);
		printf(",,%llu\n", (__u64)stack->cold);
	}
	mrc_print_anomalies(mrc, stderr);
}

static struct json_object *mrc_json_curves(const struct mrc *mrc)
{
	struct json_object *curves = json_object_new_array();
	const struct lab_args *args = &mrc->args->lab;
	size_t p, i;

	for (p = 0; p < args->nr_policies; p++) {
		struct json_object *curve = json_object_new_object();
		struct json_object *points = json_object_new_array();

		for (i = 0; i < args->nr_frames; i++) {
			struct json_object *point = json_object_new_object();

			ctl_json_add_u64(point, "frames", args->frames[i]);
			ctl_json_add_u64(point, "misses", mrc_run(mrc, p, i)->totals.misses);
			ctl_json_add(point, "miss_ratio",
				     json_object_new_double(mrc_ratio(mrc, p, i)));
			json_object_array_add(points, point);
		}
		ctl_json_add_text(curve, "policy", args->policies[p].name);
		ctl_json_add(curve, "points", points);
		json_object_array_add(curves, curve);
	}
	return curves;
}

static struct json_object *mrc_json_ws(const struct lab_ws *ws)
{
	struct json_object *object = json_object_new_object();
	struct json_object *samples = json_object_new_array();
	size_t i;

	for (i = 0; i < ws->nr; i++) {
		struct json_object *sample = json_object_new_object();

		ctl_json_add_u64(sample, "references", ws->at[i]);
		ctl_json_add_u64(sample, "pages", ws->size[i]);
		json_object_array_add(samples, sample);
	}
	ctl_json_add_u64(object, "window", ws->window);
	ctl_json_add(object, "mean", json_object_new_double(ws->mean));
	ctl_json_add_u64(object, "max", ws->most);
	ctl_json_add(object, "samples", samples);
	return object;
}

static struct json_object *mrc_json_reuse(const struct lab_stack *stack)
{
	struct json_object *array = json_object_new_array();
	u32 i, last = lab_last_bucket(stack);

	for (i = 0; i <= last; i++) {
		struct json_object *bucket = json_object_new_object();

		ctl_json_add_u64(bucket, "distance_from", lab_bucket_start(i));
		ctl_json_add_u64(bucket, "distance_to", lab_bucket_start(i + 1) - 1);
		ctl_json_add_u64(bucket, "references", stack->buckets[i]);
		json_object_array_add(array, bucket);
	}
	return array;
}

static struct json_object *mrc_json_anomalies(const struct mrc *mrc)
{
	struct json_object *array = json_object_new_array();
	struct mrc_anomaly a;
	size_t i;

	for (i = 0; i < mrc->args->lab.nr_policies; i++) {
		struct json_object *object;

		if (!mrc_find_anomaly(mrc, i, &a))
			continue;
		object = json_object_new_object();
		ctl_json_add_text(object, "policy", a.policy);
		ctl_json_add_u64(object, "frames", a.frames[0]);
		ctl_json_add_u64(object, "misses", a.misses[0]);
		ctl_json_add_u64(object, "more_frames", a.frames[1]);
		ctl_json_add_u64(object, "more_misses", a.misses[1]);
		ctl_json_add_u64(object, "further", a.more);
		json_object_array_add(array, object);
	}
	return array;
}

static void mrc_json(const struct mrc *mrc)
{
	struct json_object *object = json_object_new_object();
	char placement[VMD_PLACE_LEN];

	lab_json_head(object, &mrc->trace);
	vmd_place_format(mrc->args->lab.ways, placement);
	ctl_json_add_text(object, "placement", placement);
	ctl_json_add(object, "curves", mrc_json_curves(mrc));
	ctl_json_add(object, "working_set", mrc_json_ws(&mrc->shown.ws));
	ctl_json_add(object, "reuse", mrc_json_reuse(&mrc->shown.stack));
	ctl_json_add_u64(object, "first_uses", mrc->shown.stack.cold);
	ctl_json_add(object, "anomalies", mrc_json_anomalies(mrc));
	ctl_json_free(object, true);
}

static int mrc_count(struct mrc *mrc)
{
	struct mrc_args *args = mrc->args;
	u64 part = mrc->trace.nr / 100 > 10 ? mrc->trace.nr / 100 : 10;
	u64 window = args->window ? args->window : part;
	int status = lab_resolve(&args->lab, &mrc->trace, "auto");

	if (!status)
		status = lab_stack(&mrc->trace, &mrc->shown.stack,
				   lab_wants_progress(&args->lab));
	if (!status)
		status = lab_ws(&mrc->trace, window, args->samples, &mrc->shown.ws);
	if (!status)
		status = mrc_simulate(mrc);
	return status ? status : mrc_make_curves(mrc);
}

static int mrc_show(struct mrc *mrc)
{
	if (ctl_options.json)
		mrc_json(mrc);
	else if (mrc->args->lab.csv)
		mrc_csv(mrc);
	else
		mrc_print(mrc);
	return mrc->args->picture ? lab_picture(&mrc->shown, mrc->args->picture) : CTL_OK;
}

static void mrc_free(struct mrc *mrc)
{
	while (mrc->shown.nr_curves--) {
		free(mrc->shown.curves[mrc->shown.nr_curves].x);
		free(mrc->shown.curves[mrc->shown.nr_curves].y);
	}
	free(mrc->shown.curves);
	free(mrc->runs);
	lab_stack_free(&mrc->shown.stack);
	lab_ws_free(&mrc->shown.ws);
	lab_unload(&mrc->trace);
	lab_args_free(&mrc->args->lab);
}

int cmd_mrc(int argc, char **argv)
{
	struct mrc_args args = { .samples = MRC_SAMPLES };
	struct mrc mrc = { .args = &args };
	int status;

	ctl_parse_args(&mrc_argp, argc, argv, &args);
	if (!args.lab.nr_policies)
		lab_add_all(&args.lab, true);
	mrc.shown.trace = &mrc.trace;
	status = lab_load(&mrc.trace, args.lab.words.word[0], &args.lab.options,
			  lab_wants_progress(&args.lab));
	if (!status)
		status = mrc_count(&mrc);
	if (!status)
		status = mrc_show(&mrc);
	mrc_free(&mrc);
	return status;
}
