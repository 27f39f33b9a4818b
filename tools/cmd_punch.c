// SPDX-License-Identifier: GPL-2.0-only
/* vmdemoctl punch: drop the content of pages of a space. */
#include "device.h"
#include "output.h"

#include <string.h>

static const struct argp punch_argp = {
	.parser = ctl_words_only,
	.args_doc = "SPACE OFFSET LENGTH",
	.doc = "Drop the content of LENGTH bytes of SPACE from OFFSET on: they read as\n"
	       "zeros then, and what held them is given back: frames, slots, and, of a\n"
	       "space on a file, the file's blocks. There is no way back.\n"
	       "\vOFFSET and LENGTH are bytes, also with K, M, G or T behind them, and whole\n"
	       "pages. LENGTH may be 'end': up to the end of the space.",
	.children = ctl_common,
};

/* "end" becomes 0, which the call takes for just that. */
static int punch_parse(struct ctl_words *words, __u64 *offset, __u64 *length)
{
	const char *why;
	bool suffix;

	why = ctl_parse_size(words->word[1], offset, &suffix);
	if (why)
		return ctl_usage("offset '%s': %s", words->word[1], why);
	*length = 0;
	if (!strcmp(words->word[2], "end"))
		return CTL_OK;
	why = ctl_parse_size(words->word[2], length, &suffix);
	if (!why && !*length)
		why = "nothing to drop (up to the end of the space: 'end')";
	if (!why && *offset + *length < *offset)
		why = "the number is too large";
	return why ? ctl_usage("length '%s': %s", words->word[2], why) : CTL_OK;
}

static int punch_whole_pages(const char *what, __u64 bytes, __u64 page)
{
	if (!(bytes % page))
		return CTL_OK;
	return ctl_fail("%s of %llu bytes: not a multiple of the page size, %llu (but %llu, %llu)",
			what, bytes, page, bytes / page * page,
			(bytes / page + 1) * page);
}

/* The last page may be one that the space's size cuts in two. */
static int punch_check(struct ctl_space *space, __u64 offset, __u64 length)
{
	__u64 page = space->info.page_size, end;
	struct vmd_config config;
	int status;

	status = punch_whole_pages("offset", offset, page);
	if (!status)
		status = punch_whole_pages("length", length, page);
	if (!status)
		status = ctl_get_config(space, &config);
	if (status)
		return status;
	end = (config.size + page - 1) / page * page;
	if (offset + length <= end && offset < end)
		return CTL_OK;
	return ctl_fail("byte %llu is past the end: the space has %llu bytes",
			offset < end ? offset + length - 1 : offset, config.size);
}

static void punch_show(__u64 id, __u64 offset, __u64 length)
{
	struct json_object *object;

	if (!ctl_options.json)
		return;
	object = json_object_new_object();
	ctl_json_add_u64(object, "id", id);
	ctl_json_add_u64(object, "offset", offset);
	if (length)
		ctl_json_add_u64(object, "length", length);
	else
		ctl_json_add_text(object, "length", "end");
	ctl_json_free(object, true);
}

int cmd_punch(int argc, char **argv)
{
	struct ctl_words words = {
		.names = { "SPACE", "OFFSET", "LENGTH" }, .required = 3,
	};
	struct ctl_space space = CTL_NO_SPACE;
	__u64 offset, length;
	int status;

	ctl_parse_args(&punch_argp, argc, argv, &words);
	status = punch_parse(&words, &offset, &length);
	if (!status)
		status = ctl_open_named(&space, words.word[0]);
	if (status)
		return status;
	status = punch_check(&space, offset, length);
	if (!status)
		status = ctl_punch(&space, offset, length);
	if (!status)
		punch_show(space.info.space_id, offset, length);
	ctl_close(&space);
	return status;
}
