// SPDX-License-Identifier: GPL-2.0-only
/* vmdemoctl list: the spaces there are, from /proc/vmdemo/spaces. */
#include "output.h"
#include "parse.h"
#include "procfs.h"

#include <string.h>

static const char *const list_heads[] = {
	">ID", ">UID", ">PID", ">SIZE", ">BUDGET", ">RESIDENT", ">DIRTY",
	"POLICY", "OBSERVER", "PLACEMENT", "STORE", "FLAGS", "COMM",
};

static void list_row(void *arg, const struct ctl_space_line *line)
{
	struct ctl_table *table = arg;
	char buf[CTL_SIZE_LEN], text[256];

	ctl_cell(table, "%llu", line->id);
	ctl_cell(table, "%llu", line->uid);
	ctl_cell(table, "%llu", line->pid);
	ctl_cell(table, "%s", ctl_format_size(line->size, buf));
	ctl_cell(table, "%llu", line->budget);
	ctl_cell(table, "%llu", line->resident);
	ctl_cell(table, "%llu", line->dirty);
	/* What decides, and who chose it: "auto[mru]". */
	if (*line->live && strcmp(line->live, line->policy))
		ctl_cell(table, "%s[%s]", line->policy, line->live);
	else
		ctl_cell(table, "%s", line->policy);
	ctl_cell(table, "%s", line->observer);
	ctl_cell(table, "%s", *line->placement ? line->placement : "full");
	ctl_cell(table, "%s", line->store);
	ctl_cell(table, "%s", *line->flags ? line->flags : "-");
	ctl_cell(table, "%s", ctl_printable(line->comm, text, sizeof(text)));
}

static int list_text(void)
{
	struct ctl_table *table = ctl_table_new(list_heads, ARRAY_SIZE(list_heads));
	int status = ctl_proc_spaces(list_row, table);

	ctl_table_free(table, !status);
	return status;
}

/* As `vmdemoctl info` has them: an array of names. */
static struct json_object *list_flags(const char *flags)
{
	struct json_object *array = json_object_new_array();
	const char *at = strcmp(flags, "-") ? flags : "";
	size_t length;

	for (; *at; at += length + (at[length] == ',')) {
		length = strcspn(at, ",");
		json_object_array_add(array, json_object_new_string_len(at, length));
	}
	return array;
}

static void list_object(void *arg, const struct ctl_space_line *line)
{
	struct json_object *object = json_object_new_object();

	ctl_json_add_u64(object, "id", line->id);
	ctl_json_add_u64(object, "uid", line->uid);
	ctl_json_add_u64(object, "pid", line->pid);
	ctl_json_add_u64(object, "size", line->size);
	ctl_json_add_u64(object, "budget", line->budget);
	ctl_json_add_u64(object, "resident", line->resident);
	ctl_json_add_u64(object, "dirty", line->dirty);
	ctl_json_add_text(object, "policy", line->policy);
	ctl_json_add_text(object, "live", *line->live ? line->live : line->policy);
	ctl_json_add_text(object, "observer", line->observer);
	ctl_json_add_text(object, "store", line->store);
	ctl_json_add_text(object, "placement", *line->placement ? line->placement : "full");
	ctl_json_add(object, "flags", list_flags(line->flags));
	ctl_json_add_text(object, "comm", line->comm);
	json_object_array_add(arg, object);
}

static int list_json(void)
{
	struct json_object *spaces = json_object_new_array();
	int status = ctl_proc_spaces(list_object, spaces);

	ctl_json_free(spaces, !status);
	return status;
}

static const struct argp list_argp = {
	.parser = ctl_words_only,
	.doc = "List the spaces there are: id, owner, opener, size, frames, setup.\n"
	       "\vSTORE is swap, or file for a space on a file; FLAGS are encrypt, readonly,\n"
	       "private.\n"
	       "POLICY auto has behind it in brackets which it has chosen.\n"
	       "BUDGET, RESIDENT and DIRTY are counted in frames. PID and COMM are\n"
	       "the process that opened the space; it may be gone.",
	.children = ctl_common,
};

int cmd_list(int argc, char **argv)
{
	struct ctl_words words = { 0 };

	ctl_parse_args(&list_argp, argc, argv, &words);
	return ctl_options.json ? list_json() : list_text();
}
