// SPDX-License-Identifier: GPL-2.0-only
/* vmdemoctl sync: write a space's dirty pages to its store and wait. */
#include "device.h"
#include "output.h"

static const struct argp sync_argp = {
	.parser = ctl_words_only,
	.args_doc = "SPACE [RANGE]",
	.doc = "Write the dirty pages of RANGE, or of all of SPACE, to the backing\n"
	       "store, and wait for that. They stay in their frames.\n"
	       "\vRANGE counts pages: A, A-B (B included) or A+N (N pages).",
	.children = ctl_common,
};

static void sync_show(__u64 id, const struct ctl_range *range)
{
	struct json_object *object;

	if (!ctl_options.json)
		return;
	object = json_object_new_object();
	ctl_json_add_u64(object, "id", id);
	ctl_json_add_u64(object, "first", range->first);
	ctl_json_add_u64(object, "count", range->count);
	ctl_json_free(object, true);
}

int cmd_sync(int argc, char **argv)
{
	struct ctl_words words = { .names = { "SPACE", "RANGE" }, .required = 1 };
	struct ctl_space space = CTL_NO_SPACE;
	struct ctl_range range;
	int status;

	ctl_parse_args(&sync_argp, argc, argv, &words);
	status = ctl_open_range(&space, words.word[0], words.word[1], &range);
	if (status)
		return status;
	status = ctl_sync(&space, &range);
	if (!status)
		sync_show(space.info.space_id, &range);
	ctl_close(&space);
	return status;
}
