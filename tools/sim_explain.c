// SPDX-License-Identifier: GPL-2.0-only
/* vmdemoctl simulate --explain: each reference, and why which page had to go. */
#include "sim_explain.h"

#include <string.h>

#include "why.h"

/* What became of one reference. */
struct explained {
	u64 victim;
	u32 evicted;
	struct vmd_reason why;
};

static void explain_decided(void *arg, enum vmd_sim_decision what, u64 page)
{
	struct explained *e = arg;

	if (what != VMD_SIM_EVICTED)
		return;
	e->victim = page;
	e->evicted++;
}

static void explain_text(const struct lab_trace *trace, u32 ref, bool hit,
			 const struct explained *e)
{
	char text[WHY_TEXT];

	printf("%c %llu: %s", ref & 1 ? 'W' : 'R', (__u64)trace->keys[ref >> 1],
	       hit ? "hit" : "miss");
	if (e->evicted)
		printf("; %llu goes: %s", (__u64)trace->keys[e->victim],
		       why_text(text, e->why.code, e->why.nr));
	putchar('\n');
}

void why_json(struct json_object *object, u32 code, const u64 nr[VMD_WHY_NUMBERS])
{
	struct json_object *why = json_object_new_object();
	struct json_object *numbers = json_object_new_array();
	char text[WHY_TEXT];
	u32 i;

	ctl_json_add_u64(why, "code", code);
	for (i = 0; i < VMD_WHY_NUMBERS; i++)
		json_object_array_add(numbers, json_object_new_uint64(nr[i]));
	ctl_json_add(why, "numbers", numbers);
	ctl_json_add_text(why, "text", why_text(text, code, nr));
	ctl_json_add(object, "why", why);
}

static void explain_json(struct json_object *array, const struct lab_trace *trace, u32 ref,
			 bool hit, const struct explained *e)
{
	struct json_object *object = json_object_new_object();

	ctl_json_add_u64(object, "page", trace->keys[ref >> 1]);
	ctl_json_add(object, "write", json_object_new_boolean(ref & 1));
	ctl_json_add(object, "hit", json_object_new_boolean(hit));
	if (e->evicted) {
		ctl_json_add_u64(object, "victim", trace->keys[e->victim]);
		why_json(object, e->why.code, e->why.nr);
	}
	json_object_array_add(array, object);
}

/* All references, one after the other. */
static int explain_run(const struct lab_trace *trace, struct vmd_sim *sim,
		       struct explained *e, struct json_object *array)
{
	size_t i;

	sim->decided = explain_decided;
	sim->arg = e;
	sim->why = &e->why;
	for (i = 0; i < trace->nr; i++) {
		int hit;

		e->evicted = 0;
		hit = vmd_sim_reference(sim, trace->refs[i] >> 1, trace->refs[i] & 1);
		if (hit < 0)
			return ctl_fail("simulating: %s", strerror(-hit));
		if (array)
			explain_json(array, trace, trace->refs[i], hit, e);
		else
			explain_text(trace, trace->refs[i], hit, e);
	}
	return CTL_OK;
}

/* Belady's MIN is a policy like the others here: it is told the future. */
static struct vmd_policy_choice explain_choice(const struct lab_policy *policy)
{
	struct vmd_policy_choice choice = { 0 };
	const char *bad;

	if (!policy->opt)
		return policy->choice;
	vmd_policy_parse("opt", &choice, &bad);
	return choice;
}

static void explain_print_json(const struct lab_trace *trace, const struct lab_policy *policy,
			       u32 frames, struct json_object *array)
{
	struct json_object *object = json_object_new_object();

	lab_json_head(object, trace);
	ctl_json_add_text(object, "policy", policy->name);
	ctl_json_add_u64(object, "frames", frames);
	ctl_json_add(object, "explained", array);
	ctl_json_free(object, true);
}

int sim_explain(const struct lab_trace *trace, const struct lab_policy *policy, u32 frames)
{
	struct json_object *array = ctl_options.json ? json_object_new_array() : NULL;
	struct vmd_policy_choice choice = explain_choice(policy);
	struct explained explained = { 0 };
	struct vmd_sim sim;
	int error = vmd_sim_init(&sim, &choice, trace->pages, frames), status;

	sim.keys = trace->keys;
	if (!error && choice.ops->flags & VMD_POLICY_FUTURE)
		error = vmd_sim_future(&sim, trace->refs, trace->nr);
	if (error)
		status = ctl_fail("simulating %s: %s", policy->name, strerror(-error));
	else
		status = explain_run(trace, &sim, &explained, array);
	if (array && !status)
		explain_print_json(trace, policy, frames, array);
	else if (array)
		json_object_put(array);
	vmd_sim_exit(&sim);
	return status;
}
