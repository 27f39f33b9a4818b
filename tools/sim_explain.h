/* SPDX-License-Identifier: GPL-2.0-only */
/* vmdemoctl simulate --explain. */
#ifndef _CTL_SIM_EXPLAIN_H
#define _CTL_SIM_EXPLAIN_H

#include "lab.h"

/* Print each reference of the string and why which page went for it. */
int sim_explain(const struct lab_trace *trace, const struct lab_policy *policy, u32 frames);

/* Add the member "why" to @object: code, numbers, the phrase. */
void why_json(struct json_object *object, u32 code, const u64 nr[VMD_WHY_NUMBERS]);

#endif /* _CTL_SIM_EXPLAIN_H */
