/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A reference string that a space is to follow: policy "opt" goes by it.
 */
#ifndef _CTL_FUTURE_H
#define _CTL_FUTURE_H

#include <json-c/json.h>

#include "config.h"
#include "device.h"
#include "trace.h"

/* The pages of a reference string. */
struct ctl_future {
	__u32 *pages;
	size_t nr;
	size_t size;
};

/* Add a reference: NULL, or what is wrong. */
const char *ctl_future_add(struct ctl_future *future, __u64 page);

/* All references in a file, "-" for standard input. */
int ctl_future_read(struct ctl_future *future, const char *path,
		    const struct trace_options *options);
void ctl_future_free(struct ctl_future *future);

/* Does the policy that is asked for go by a string? */
bool ctl_future_needed(const struct ctl_request *request);

/* Take the policy out of @request, for ctl_future_load() to set; its bit. */
__u64 ctl_future_defer(struct ctl_request *request);

/* Let the space follow the string; what @mask names of @request is set then. */
int ctl_future_load(struct ctl_space *space, const struct ctl_future *future,
		    struct ctl_request *request, __u64 mask);

/* Follow none any more. */
int ctl_future_drop(struct ctl_space *space);

/* How it stands; as text, as members of an object. */
int ctl_future_get(struct ctl_space *space, struct vmd_future *state);
void ctl_future_print(const struct vmd_future *state);
struct json_object *ctl_future_json(const struct vmd_future *state);

/*
 * The same for what is shown of a space besides: nothing, where it follows no
 * string or the module knows of none.
 */
int ctl_future_show(struct ctl_space *space, struct json_object *object);

#endif /* _CTL_FUTURE_H */
