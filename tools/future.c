// SPDX-License-Identifier: GPL-2.0-only
/* A reference string that a space is to follow: loaded, and how it stands. */
#include "future.h"

#include <stdlib.h>
#include <string.h>

#include "../module/policy/policy.h"
#include "output.h"

/* References in one call: 4 MiB, so that it is not long in the kernel. */
#define FUTURE_AT_ONCE	((__u64)1 << 20)

const char *ctl_future_add(struct ctl_future *future, __u64 page)
{
	size_t size = future->size ? future->size * 2 : 4096;
	__u32 *more;

	if (page > UINT32_MAX)
		return "the number of a page is too large: a string that is followed has 32 bits";
	if (future->nr == VMD_FUTURE_MAX)
		return "too many references: a string that is followed has at most 2^26";
	if (future->nr == future->size) {
		more = realloc(future->pages, size * sizeof(*more));
		if (!more)
			return "too many references for the memory there is";
		future->pages = more;
		future->size = size;
	}
	future->pages[future->nr++] = (__u32)page;
	return NULL;
}

static int future_read_all(struct ctl_future *future, struct trace_in *in)
{
	const char *why;
	int status;

	while (!(status = trace_next(in))) {
		if (in->ref.kind == VMD_TRACE_EVICT)
			continue;
		why = ctl_future_add(future, in->ref.page);
		if (why)
			return ctl_usage("%s: reference %llu: %s", in->name,
					 (__u64)in->records, why);
	}
	return status == TRACE_END ? CTL_OK : status;
}

int ctl_future_read(struct ctl_future *future, const char *path,
		    const struct trace_options *options)
{
	struct trace_in in;
	int status = trace_open(&in, path, options);

	if (!status)
		status = future_read_all(future, &in);
	if (!status && !future->nr)
		status = ctl_usage("%s: no references in it", in.name);
	if (!status)
		trace_warn(&in);
	trace_close(&in);
	return status;
}

void ctl_future_free(struct ctl_future *future)
{
	free(future->pages);
	*future = (struct ctl_future){ 0 };
}

bool ctl_future_needed(const struct ctl_request *request)
{
	struct vmd_policy_choice choice;
	const char *bad;

	return request->config.mask & VMD_CONFIG_POLICY &&
	       !vmd_policy_parse(request->config.policy, &choice, &bad) &&
	       choice.ops->flags & VMD_POLICY_FUTURE;
}

__u64 ctl_future_defer(struct ctl_request *request)
{
	__u64 mask = request->config.mask & VMD_CONFIG_POLICY;

	request->config.mask &= ~mask;
	return mask;
}

static int future_load(struct ctl_space *space, const struct ctl_future *future)
{
	struct vmd_future call;
	int status = CTL_OK;
	__u64 done;

	for (done = 0; !status && done < future->nr; done += call.count) {
		call = (struct vmd_future){
			.pages = (uintptr_t)(future->pages + done),
			.first = done,
			.count = future->nr - done,
			.total = future->nr,
		};
		if (call.count > FUTURE_AT_ONCE)
			call.count = FUTURE_AT_ONCE;
		status = ctl_future_call(space, &call, "loading the reference string");
	}
	return status;
}

int ctl_future_load(struct ctl_space *space, const struct ctl_future *future,
		    struct ctl_request *request, __u64 mask)
{
	struct vmd_config config;
	int status = future_load(space, future);

	if (status || !mask)
		return status;
	config = request->config;
	config.mask = mask;
	return ctl_set_config(space, &config);
}

int ctl_future_drop(struct ctl_space *space)
{
	struct vmd_future call = { .flags = VMD_FUTURE_DROP };

	return ctl_future_call(space, &call, "dropping the reference string");
}

int ctl_future_get(struct ctl_space *space, struct vmd_future *state)
{
	*state = (struct vmd_future){ 0 };
	return ctl_future_call(space, state, "reading how the reference string stands");
}

static void future_print_page(const char *name, __u64 page)
{
	if (page == VMD_FUTURE_NONE)
		ctl_print_value(name, "none: the string was at its end");
	else
		ctl_print_value(name, "%llu", page);
}

void ctl_future_print(const struct vmd_future *state)
{
	ctl_print_value("future", "%llu references", state->length);
	ctl_print_size("future_memory", state->bytes);
	ctl_print_value("position", "%llu", state->position);
	ctl_print_value("followed", "%llu", state->followed);
	ctl_print_value("skipped", "%llu", state->skipped);
	ctl_print_value("strayed", "%llu", state->strayed);
	ctl_print_value("departures", "%llu", state->departures);
	if (!state->departures)
		return;
	ctl_print_value("first_position", "%llu", state->first_position);
	future_print_page("first_expected", state->first_expected);
	ctl_print_value("first_page", "%llu", state->first_page);
}

/* null for what there is not. */
static void future_add(struct json_object *object, const char *name, __u64 value)
{
	if (value == VMD_FUTURE_NONE)
		ctl_json_add(object, name, NULL);
	else
		ctl_json_add_u64(object, name, value);
}

struct json_object *ctl_future_json(const struct vmd_future *state)
{
	struct json_object *object = json_object_new_object();

	ctl_json_add_u64(object, "length", state->length);
	ctl_json_add_u64(object, "bytes", state->bytes);
	ctl_json_add_u64(object, "position", state->position);
	ctl_json_add_u64(object, "followed", state->followed);
	ctl_json_add_u64(object, "skipped", state->skipped);
	ctl_json_add_u64(object, "strayed", state->strayed);
	ctl_json_add_u64(object, "departures", state->departures);
	future_add(object, "first_position", state->first_position);
	future_add(object, "first_expected", state->first_expected);
	future_add(object, "first_page", state->first_page);
	return object;
}

int ctl_future_show(struct ctl_space *space, struct json_object *object)
{
	struct vmd_future state;
	int status;

	if (!(space->info.features & VMD_FEATURE_FUTURE))
		return CTL_OK;
	status = ctl_future_get(space, &state);
	if (status || !state.length)
		return status;
	if (object)
		ctl_json_add(object, "future", ctl_future_json(&state));
	else
		ctl_future_print(&state);
	return CTL_OK;
}
