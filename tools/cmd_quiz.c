// SPDX-License-Identifier: GPL-2.0-only
/* vmdemoctl quiz: ask what a policy does next, and tell why it does. */
#include "quiz.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "parse.h"
#include "play.h"

#define QUIZ_FRAMES_DEFAULT	3
#define QUIZ_QUESTIONS		10
#define QUIZ_MOST_QUESTIONS	1000
#define QUIZ_OPTION_SEED	0x100
#define QUIZ_OPTION_ANSWERS	0x101

/*
 * Where no string is given: of textbooks. The first is L. A. Belady et al., "An
 * anomaly in space-time characteristics of certain programs running in a paging
 * machine", CACM 12(6), 1969; the second is common in lectures.
 */
static const char *const quiz_strings[] = {
	"1 2 3 4 1 2 5 1 2 3 4 5",
	"7 0 1 2 0 3 0 4 2 3 0 3 2 1 2 0 1 7 0 1",
};

struct quiz_args {
	struct trace_options options;
	const char *path;
	const char *policy;
	u64 frames;
	u64 questions;
	u64 seed;
	bool seeded;
	bool answers;
	bool kinds[QUIZ_KINDS];
	struct play_refs refs;
	int status;
};

static void quiz_take_kinds(struct quiz_args *args, struct argp_state *state, char *list)
{
	char *word;
	size_t i;

	while ((word = strsep(&list, ","))) {
		for (i = 0; i < QUIZ_KINDS && strcmp(word, quiz_kinds[i]); i++)
			;
		if (i == QUIZ_KINDS)
			argp_error(state, "unknown question '%s': one of hit, victim, frames",
				   word);
		args->kinds[i] = true;
	}
}

static error_t quiz_option(int key, char *arg, struct argp_state *state)
{
	struct quiz_args *args = state->input;

	switch (key) {
	case 'p':
		args->policy = arg;
		return 0;
	case 'f':
		args->frames = ctl_option_number(state, "frames", arg, 1, QUIZ_MOST_FRAMES);
		return 0;
	case 'n':
		args->questions = ctl_option_number(state, "questions", arg, 1,
						    QUIZ_MOST_QUESTIONS);
		return 0;
	case 'a':
		quiz_take_kinds(args, state, arg);
		return 0;
	case 't':
		args->path = arg;
		return 0;
	case QUIZ_OPTION_SEED:
		args->seed = ctl_option_number(state, "seed", arg, 0, ~(u64)0);
		args->seeded = true;
		return 0;
	case QUIZ_OPTION_ANSWERS:
		args->answers = true;
		return 0;
	case ARGP_KEY_ARG:
		if (!args->status)
			args->status = play_add_text(&args->refs, arg);
		return 0;
	case ARGP_KEY_END:
		if (args->path && args->refs.nr)
			argp_error(state, "give either references or --trace, not both");
		if (ctl_options.json && !args->answers)
			argp_error(state, "--json goes with --answers");
		return 0;
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &args->options;
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp_option quiz_options[] = {
	{ "policy", 'p', "POLICY", 0, "The policy, with parameters, or opt (default: lru)", 0 },
	{ "frames", 'f', "N", 0, "Frames, 1 to 64 (default: 3)", 0 },
	{ "trace", 't', "FILE", 0, "Ask about this reference string or recording", 0 },
	{ "questions", 'n', "N", 0, "At most so many questions (default: 10)", 0 },
	{ "ask", 'a', "KIND,...", 0, "Only these: hit, victim, frames (default: all)", 0 },
	{ "seed", QUIZ_OPTION_SEED, "N", 0, "Choose the same questions again", 0 },
	{ "answers", QUIZ_OPTION_ANSWERS, NULL, 0, "Show the answers, and ask nothing", 0 },
	{ 0 },
};

static const struct argp quiz_argp = {
	.options = quiz_options,
	.parser = quiz_option,
	.args_doc = "[REF...]",
	.doc = "Ask whether a reference hits or misses, which page goes and what is in the\n"
	       "frames then, and show the answer with its reason.\n"
	       "\vREFs are pages as in play: '7 0 1w'. Without REFs and --trace a string from\n"
	       "textbooks is taken. The seed chooses the questions, and that string; it is\n"
	       "shown, so that teachers can print the answers:\n"
	       "  vmdemoctl quiz --policy clock --seed 7 --answers\n",
	.children = trace_common,
};

/* Marsaglia's xorshift64* is good enough to choose questions. */
static u64 quiz_random(u64 *state)
{
	*state ^= *state >> 12;
	*state ^= *state << 25;
	*state ^= *state >> 27;
	return *state * 0x2545F4914F6CDD1DULL;
}

static u64 quiz_start(u64 seed)
{
	u64 state = (seed + 1) * 0x9E3779B97F4A7C15ULL;

	return state ? state : 1;
}

static int quiz_take_policy(struct quiz *quiz, const char *text)
{
	const char *bad = NULL;

	if (vmd_policy_parse(text, &quiz->policy.choice, &bad))
		return ctl_usage("policy '%s': '%s' is wrong (%s)", text, bad ? bad : text,
				 "'vmdemoctl policies -v' tells what is right");
	vmd_policy_format(&quiz->policy.choice, quiz->policy.name, sizeof(quiz->policy.name));
	return CTL_OK;
}

/* Small numbers for pages, as lab_load() gives them: the strings are short. */
static int quiz_take_refs(struct quiz *quiz, const struct play_refs *refs)
{
	struct lab_trace *trace = &quiz->trace;
	size_t i;
	u32 page;

	trace->name = "the command line";
	trace->refs = calloc(refs->nr, sizeof(*trace->refs));
	trace->keys = calloc(refs->nr, sizeof(*trace->keys));
	if (!trace->refs || !trace->keys)
		return ctl_fail("out of memory");
	for (i = 0; i < refs->nr; i++) {
		for (page = 0; page < trace->pages && trace->keys[page] != refs->refs[i].page;)
			page++;
		if (page == trace->pages)
			trace->keys[trace->pages++] = refs->refs[i].page;
		trace->refs[trace->nr++] = VMD_SIM_REF(page, refs->refs[i].write);
	}
	return CTL_OK;
}

static int quiz_load(struct quiz *quiz, struct quiz_args *args)
{
	u64 random = quiz_start(quiz->seed);
	size_t which = quiz_random(&random) % ARRAY_SIZE(quiz_strings);
	int status = CTL_OK;

	if (args->path)
		return lab_load(&quiz->trace, args->path, &args->options, false);
	if (!args->refs.nr)
		status = play_add_text(&args->refs, quiz_strings[which]);
	return status ? status : quiz_take_refs(quiz, &args->refs);
}

static void quiz_decided(void *arg, enum vmd_sim_decision what, u64 page)
{
	struct quiz *quiz = arg;

	quiz->now.evicted = what == VMD_SIM_EVICTED;
	quiz->now.victim = page;
}

/* A simulation of the string from its beginning. */
static int quiz_begin(struct quiz *quiz, u32 frames)
{
	const struct lab_trace *trace = &quiz->trace;
	int error = vmd_sim_init(&quiz->sim, &quiz->policy.choice, trace->pages, frames);

	quiz->sim.keys = trace->keys;
	quiz->sim.decided = quiz_decided;
	quiz->sim.arg = quiz;
	quiz->sim.why = &quiz->now.why;
	if (!error && quiz->policy.choice.ops->flags & VMD_POLICY_FUTURE)
		error = vmd_sim_future(&quiz->sim, trace->refs, trace->nr);
	free(quiz->pages);
	quiz->pages = calloc(trace->pages, sizeof(*quiz->pages));
	return error || !quiz->pages ? ctl_fail("out of memory") : CTL_OK;
}

/* What is in the frames, in the order it came. */
static u32 quiz_frames(const struct quiz *quiz, u32 pages[QUIZ_MOST_FRAMES])
{
	u32 slot, i, nr = 0;

	for (slot = 0; slot < quiz->sim.slots; slot++) {
		u32 page = quiz->sim.page_of[slot];

		/* A slot that never held anything has the number of any page. */
		if (page >= quiz->trace.pages || quiz->sim.slot_of[page] != slot)
			continue;
		for (i = nr++; i && quiz->pages[pages[i - 1]].came > quiz->pages[page].came; i--)
			pages[i] = pages[i - 1];
		pages[i] = page;
	}
	return nr;
}

/* Make the reference, and note what it did and why. */
static int quiz_step(struct quiz *quiz, size_t i)
{
	struct quiz_question *now = &quiz->now;
	u32 ref = quiz->trace.refs[i];
	struct quiz_page *page = &quiz->pages[ref >> 1];
	int hit;

	*now = (struct quiz_question){ .at = i + 1, .page = ref >> 1, .write = ref & 1 };
	now->kind = quiz->asked ? quiz->asked[i] : QUIZ_KINDS;
	now->nr_before = quiz_frames(quiz, now->before);
	hit = vmd_sim_reference(&quiz->sim, ref >> 1, ref & 1);
	if (hit < 0)
		return ctl_fail("%s: the policy proposed no page to evict", quiz->policy.name);
	now->hit = hit;
	if (now->kind < QUIZ_KINDS)
		quiz_explain(quiz);
	if (!hit) {
		page->came = i + 1;
		page->uses = 0;
	}
	page->used = i + 1;
	page->uses++;
	now->nr_after = quiz_frames(quiz, now->after);
	return CTL_OK;
}

/* What can be asked of a reference: nothing that is clear from the start. */
static void quiz_note_kinds(const struct quiz *quiz, const struct quiz_args *args, u8 *kinds)
{
	bool all = !args->kinds[QUIZ_HIT] && !args->kinds[QUIZ_VICTIM] &&
		   !args->kinds[QUIZ_FRAMES];

	*kinds = 0;
	if ((all || args->kinds[QUIZ_HIT]) && quiz->now.nr_before)
		*kinds |= BIT(QUIZ_HIT);
	if ((all || args->kinds[QUIZ_VICTIM]) && quiz->now.evicted)
		*kinds |= BIT(QUIZ_VICTIM);
	if ((all || args->kinds[QUIZ_FRAMES]) && quiz->now.nr_before)
		*kinds |= BIT(QUIZ_FRAMES);
}

static u8 quiz_pick_kind(u8 kinds, u64 *random)
{
	u8 kind;

	do {
		kind = quiz_random(random) % QUIZ_KINDS;
	} while (!(kinds & BIT(kind)));
	return kind;
}

/* Of all references there is something to ask about, choose some. */
static u32 quiz_choose(struct quiz *quiz, u8 *kinds, u64 questions)
{
	u64 random = quiz_start(quiz->seed), possible = 0;
	u32 asked = 0;
	size_t i;

	for (i = 0; i < quiz->trace.nr; i++)
		possible += !!kinds[i];
	for (i = 0; i < quiz->trace.nr; i++) {
		u8 can = kinds[i];

		kinds[i] = QUIZ_KINDS;
		if (!can)
			continue;
		if (quiz_random(&random) % possible-- < questions - asked) {
			kinds[i] = quiz_pick_kind(can, &random);
			asked++;
		}
	}
	return asked;
}

/* A first run tells what can be asked where. */
static int quiz_prepare(struct quiz *quiz, const struct quiz_args *args, u32 *asked)
{
	u8 *kinds = calloc(quiz->trace.nr, 1);
	int status = kinds ? quiz_begin(quiz, args->frames) : ctl_fail("out of memory");
	size_t i;

	for (i = 0; !status && i < quiz->trace.nr; i++) {
		status = quiz_step(quiz, i);
		quiz_note_kinds(quiz, args, &kinds[i]);
	}
	if (!status) {
		*asked = quiz_choose(quiz, kinds, args->questions);
		if (!*asked)
			status = ctl_usage("there is nothing to ask: %s",
					   "want more references, or fewer frames");
	}
	vmd_sim_exit(&quiz->sim);
	quiz->asked = kinds;
	return status ? status : quiz_begin(quiz, args->frames);
}

/* Ask until it is understood; -1: there are no more answers. */
static int quiz_ask(const struct quiz *quiz)
{
	char line[1024];
	int right;

	do {
		printf("   > ");
		fflush(stdout);
		if (!fgets(line, sizeof(line), stdin))
			return -1;
		line[strcspn(line, "\r\n")] = 0;
		right = quiz_check(quiz, line);
		if (right < 0)
			printf("   want %s\n", quiz->now.kind == QUIZ_HIT ? "hit or miss" :
			       quiz->now.kind == QUIZ_VICTIM ? "a page" : "pages, blanks between");
	} while (right < 0);
	return right;
}

static int quiz_put(struct quiz *quiz, u32 number, bool answers, u32 *score)
{
	int right = 0;

	quiz_show_question(quiz, number);
	if (!answers)
		right = quiz_ask(quiz);
	if (right < 0) {
		putchar('\n');
		return right;
	}
	*score += right;
	printf("   %s", answers ? "Answer: " : right ? "Right: " : "No: ");
	quiz_show_answer(quiz);
	return 0;
}

static struct json_object *quiz_json(const struct quiz *quiz)
{
	struct json_object *object = json_object_new_object();

	ctl_json_add_text(object, "policy", quiz->policy.name);
	ctl_json_add_u64(object, "frames", quiz->sim.frames);
	ctl_json_add_u64(object, "seed", quiz->seed);
	return object;
}

static int quiz_run(struct quiz *quiz, const struct quiz_args *args, u32 asked)
{
	struct json_object *questions = json_object_new_array(), *all;
	u32 number = 0, score = 0;
	int status = CTL_OK;
	size_t i;

	if (!ctl_options.json)
		quiz_show_head(quiz, asked);
	for (i = 0; !status && i < quiz->trace.nr; i++) {
		status = quiz_step(quiz, i);
		if (status || quiz->now.kind == QUIZ_KINDS)
			continue;
		if (ctl_options.json)
			json_object_array_add(questions, quiz_json_question(quiz));
		else if (quiz_put(quiz, ++number, args->answers, &score))
			break;
	}
	if (i < quiz->trace.nr && number)
		number--;
	if (!status && !ctl_options.json && !args->answers)
		printf("\n%u of %u right.\n", score, number);
	all = quiz_json(quiz);
	ctl_json_add(all, "questions", questions);
	ctl_json_free(all, ctl_options.json && !status);
	return status;
}

int cmd_quiz(int argc, char **argv)
{
	struct quiz_args args = {
		.policy = "lru", .frames = QUIZ_FRAMES_DEFAULT, .questions = QUIZ_QUESTIONS,
	};
	struct quiz quiz = { 0 };
	u32 asked = 0;
	int status;

	ctl_parse_args(&quiz_argp, argc, argv, &args);
	quiz.seed = args.seeded ? args.seed : (u64)time(NULL);
	status = args.status ? args.status : quiz_take_policy(&quiz, args.policy);
	if (!status)
		status = quiz_load(&quiz, &args);
	if (!status)
		status = quiz_prepare(&quiz, &args, &asked);
	if (!status)
		status = quiz_run(&quiz, &args, asked);
	vmd_sim_exit(&quiz.sim);
	free(quiz.pages);
	free(quiz.asked);
	lab_unload(&quiz.trace);
	play_refs_free(&args.refs);
	return status;
}
