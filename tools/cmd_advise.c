// SPDX-License-Identifier: GPL-2.0-only
/* vmdemoctl advise: read in, evict, pin or unpin pages of a space now. */
#include "device.h"
#include "output.h"

#include <stdio.h>
#include <string.h>

static const struct advise_name {
	const char *name;
	enum vmd_advice advice;
} advise_names[] = {
	{ "willneed", VMD_ADVICE_WILLNEED },
	{ "dontneed", VMD_ADVICE_DONTNEED },
	{ "pin",      VMD_ADVICE_PIN },
	{ "unpin",    VMD_ADVICE_UNPIN },
	{ "evict",    VMD_ADVICE_EVICT },
	{ "unmap",    VMD_ADVICE_UNMAP },
	{ "write",    VMD_ADVICE_WRITE },
};

static const struct argp advise_argp = {
	.parser = ctl_words_only,
	.args_doc = "SPACE ADVICE [RANGE]",
	.doc = "Do something now to the pages of RANGE, or to all of SPACE's.\n"
	       "\vADVICE is one of:\n"
	       "  willneed  read them in, as far as the budget goes\n"
	       "  dontneed  clean ones leave their frames now, dirty ones in their turn\n"
	       "  pin       read them in and never evict them\n"
	       "  unpin     undo pin\n"
	       "  evict     write the dirty ones and take all out of their frames\n"
	       "  unmap     only take them out of the page tables: the next touch faults\n"
	       "  write     begin to write the dirty ones, and do not wait for it\n"
	       "RANGE counts pages: A, A-B (B included) or A+N (N pages). No advice ever\n"
	       "loses content.\n",
	.children = ctl_common,
};

static const struct advise_name *advise_find(const char *name)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(advise_names); i++)
		if (!strcmp(advise_names[i].name, name))
			return &advise_names[i];
	return NULL;
}

static int advise_unknown(const char *name)
{
	char list[128] = "";
	size_t i, used = 0;

	for (i = 0; i < ARRAY_SIZE(advise_names); i++)
		used += snprintf(list + used, sizeof(list) - used, "%s%s",
				 used ? ", " : "", advise_names[i].name);
	return ctl_usage("unknown advice '%s': one of %s", name, list);
}

static void advise_show(__u64 id, const char *advice, const struct ctl_range *range)
{
	struct json_object *object;

	if (!ctl_options.json)
		return;
	object = json_object_new_object();
	ctl_json_add_u64(object, "id", id);
	ctl_json_add_text(object, "advice", advice);
	ctl_json_add_u64(object, "first", range->first);
	ctl_json_add_u64(object, "count", range->count);
	ctl_json_free(object, true);
}

int cmd_advise(int argc, char **argv)
{
	struct ctl_words words = { .names = { "SPACE", "ADVICE", "RANGE" }, .required = 2 };
	struct ctl_space space = CTL_NO_SPACE;
	const struct advise_name *advice;
	struct ctl_range range;
	int status;

	ctl_parse_args(&advise_argp, argc, argv, &words);
	advice = advise_find(words.word[1]);
	if (!advice)
		return advise_unknown(words.word[1]);
	status = ctl_open_range(&space, words.word[0], words.word[2], &range);
	if (status)
		return status;
	status = ctl_advise(&space, &range, advice->advice);
	if (!status)
		advise_show(space.info.space_id, advice->name, &range);
	ctl_close(&space);
	return status;
}
