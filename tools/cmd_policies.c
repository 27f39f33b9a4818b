// SPDX-License-Identifier: GPL-2.0-only
/*
 * vmdemoctl policies: the loaded module's, and those this tool was built with,
 * which are the same if both are of one version. Parameters are known of the
 * latter only.
 */
#include "output.h"
#include "procfs.h"

#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../module/policy/policy.h"

struct policy_entry {
	char *name;
	char *text;
	bool loaded;
	const struct vmd_policy_ops *ops;	/* NULL: only the module has it */
};

struct policy_list {
	struct policy_entry *entries;
	size_t nr;
	bool module;				/* there is one to ask */
};

static struct policy_entry *policies_find(struct policy_list *list, const char *name)
{
	size_t i;

	for (i = 0; i < list->nr; i++)
		if (!strcmp(list->entries[i].name, name))
			return &list->entries[i];
	return NULL;
}

static struct policy_entry *policies_add(struct policy_list *list, const char *name,
					 const char *text)
{
	struct policy_entry *entry;

	entry = realloc(list->entries, (list->nr + 1) * sizeof(*entry));
	if (!entry)
		errx(CTL_FAILED, "out of memory");
	list->entries = entry;
	entry += list->nr++;
	*entry = (struct policy_entry){ .name = strdup(name), .text = strdup(text) };
	if (!entry->name || !entry->text)
		errx(CTL_FAILED, "out of memory");
	return entry;
}

static void policies_add_loaded(void *arg, const char *name, const char *text)
{
	policies_add(arg, name, text)->loaded = true;
}

static void policies_add_linked(struct policy_list *list)
{
	u32 i;

	for (i = 0; i < vmd_nr_policies; i++) {
		const struct vmd_policy_ops *ops = vmd_policies[i];
		struct policy_entry *entry = policies_find(list, ops->name);

		if (!entry)
			entry = policies_add(list, ops->name, ops->text);
		entry->ops = ops;
	}
}

static int policies_gather(struct policy_list *list)
{
	int status = CTL_OK;

	list->module = ctl_proc_has("policies");
	if (list->module)
		status = ctl_proc_policies(policies_add_loaded, list);
	policies_add_linked(list);
	return status;
}

static void policies_free(struct policy_list *list)
{
	while (list->nr--) {
		free(list->entries[list->nr].name);
		free(list->entries[list->nr].text);
	}
	free(list->entries);
}

/* A space can have it only while it follows a string. */
static bool needs_future(const struct policy_entry *entry)
{
	return entry->ops && entry->ops->flags & VMD_POLICY_FUTURE;
}

static void policies_print_params(const struct vmd_policy_ops *ops)
{
	u32 i;

	for (i = 0; ops && i < ops->nr_params; i++) {
		const struct vmd_policy_param *param = &ops->params[i];

		printf("    %s=%llu  %s (%llu to %llu)\n", param->name,
		       (__u64)param->def, param->text, (__u64)param->min,
		       (__u64)param->max);
	}
}

static void policies_print(const struct policy_list *list, bool verbose)
{
	char text[256];
	size_t i;

	for (i = 0; i < list->nr; i++) {
		const struct policy_entry *entry = &list->entries[i];
		bool missing = list->module && !entry->loaded;

		printf("%-13s %s%s\n", entry->name,
		       ctl_printable(entry->text, text, sizeof(text)),
		       missing ? " (not in the loaded module)" : "");
		if (verbose)
			policies_print_params(entry->ops);
	}
}

static struct json_object *policies_json_params(const struct vmd_policy_ops *ops)
{
	struct json_object *params = json_object_new_array();
	u32 i;

	for (i = 0; ops && i < ops->nr_params; i++) {
		struct json_object *object = json_object_new_object();

		ctl_json_add_text(object, "name", ops->params[i].name);
		ctl_json_add_text(object, "text", ops->params[i].text);
		ctl_json_add_u64(object, "min", ops->params[i].min);
		ctl_json_add_u64(object, "max", ops->params[i].max);
		ctl_json_add_u64(object, "default", ops->params[i].def);
		json_object_array_add(params, object);
	}
	return params;
}

static void policies_print_json(const struct policy_list *list)
{
	struct json_object *policies = json_object_new_array();
	size_t i;

	for (i = 0; i < list->nr; i++) {
		const struct policy_entry *entry = &list->entries[i];
		struct json_object *object = json_object_new_object();

		ctl_json_add_text(object, "name", entry->name);
		ctl_json_add_text(object, "text", entry->text);
		ctl_json_add(object, "loaded", json_object_new_boolean(entry->loaded));
		ctl_json_add(object, "needs_future",
			     json_object_new_boolean(needs_future(entry)));
		ctl_json_add(object, "parameters", policies_json_params(entry->ops));
		json_object_array_add(policies, object);
	}
	ctl_json_free(policies, true);
}

struct policies_args {
	struct ctl_words words;
	bool verbose;
};

static error_t policies_option(int key, char *arg, struct argp_state *state)
{
	struct policies_args *args = state->input;

	if (key != 'v')
		return ctl_word(key, arg, state, &args->words);
	args->verbose = true;
	return 0;
}

static const struct argp_option policies_options[] = {
	{ "verbose", 'v', NULL, 0, "Show parameters, their defaults and bounds, too", 0 },
	{ 0 },
};

static const struct argp policies_argp = {
	.options = policies_options,
	.parser = policies_option,
	.doc = "List the replacement policies of the loaded module, or of this tool if\n"
	       "none is loaded.",
	.children = ctl_common,
};

int cmd_policies(int argc, char **argv)
{
	struct policies_args args = { 0 };
	struct policy_list list = { 0 };
	int status;

	ctl_parse_args(&policies_argp, argc, argv, &args);
	status = policies_gather(&list);
	if (!status && ctl_options.json)
		policies_print_json(&list);
	else if (!status)
		policies_print(&list, args.verbose);
	policies_free(&list);
	return status;
}
