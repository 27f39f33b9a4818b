// SPDX-License-Identifier: GPL-2.0-only
/* vmdemoctl set: change a space's configuration, all of it or nothing. */
#include "config.h"
#include "output.h"

#include <string.h>

struct set_args {
	const char *space;
	struct ctl_request request;
	int status;
};

static int set_key(struct set_args *args, const char *word)
{
	const char *equals = strchr(word, '=');
	char key[32] = "";

	if (!equals || equals == word)
		return ctl_usage("'%s': not key=value", word);
	strncat(key, word, equals - word < 31 ? equals - word : 31);
	if (!strcmp(key, "page-size"))
		return ctl_usage("%s: is chosen when a space is made: 'vmdemoctl exec --page-size'",
				 key);
	return ctl_request_set(&args->request, key, equals + 1);
}

static error_t set_option(int key, char *arg, struct argp_state *state)
{
	struct set_args *args = state->input;

	switch (key) {
	case 'e':
		if (!args->status)
			args->status = ctl_request_set(&args->request, "encrypt", arg);
		return 0;
	case ARGP_KEY_ARG:
		if (!args->space)
			args->space = arg;
		else if (!args->status)
			args->status = set_key(args, arg);
		return 0;
	case ARGP_KEY_END:
		if (!args->space)
			argp_error(state, "SPACE is missing");
		if (!args->status && !args->request.config.mask)
			argp_error(state, "nothing to set: give key=value");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp_option set_options[] = {
	{ "encrypt", 'e', "on|off", 0, "The same as encrypt=on|off", 0 },
	{ 0 },
};

static const struct argp set_argp = {
	.options = set_options,
	.parser = set_option,
	.args_doc = "SPACE KEY=VALUE...",
	.doc = "Change how SPACE is set up, while programs use it. Everything named\n"
	       "changes together; if one value is refused nothing changes.\n"
	       "\vKeys:\n"
	       "  policy=NAME[:KEY=VALUE,...]  as 'vmdemoctl policies -v' lists them\n"
	       "  policy=auto[:KEY=VALUE,...]  the best of some, see vmdemoctl(8)\n"
	       "  budget=FRAMES                or bytes, with K, M, G or T behind it\n"
	       "  observer=NAME                fault, accessed or trap\n"
	       "  size=BYTES                   also with K, M, G or T behind it; whole pages,\n"
	       "                               but any number for a space on a regular file,\n"
	       "                               which is made as long, or cut off\n"
	       "  encrypt=on|off               what is evicted; while nothing was yet\n"
	       "  placement=full|set:N|direct  which frames a page may use; the budget has\n"
	       "                               to be a multiple of N\n",
	.children = ctl_common,
};

static int set_show(struct ctl_space *space)
{
	struct json_object *object;
	struct vmd_config config;
	int status;

	if (!ctl_options.json)
		return CTL_OK;
	status = ctl_get_config(space, &config);
	if (status)
		return status;
	object = json_object_new_object();
	ctl_json_add_u64(object, "id", space->info.space_id);
	ctl_json_add_config(object, &config);
	ctl_json_free(object, true);
	return CTL_OK;
}

int cmd_set(int argc, char **argv)
{
	struct ctl_space space = CTL_NO_SPACE;
	struct set_args args = { 0 };
	struct vmd_config now = { 0 };
	int status;

	ctl_parse_args(&set_argp, argc, argv, &args);
	if (args.status)
		return args.status;
	status = ctl_open_named(&space, args.space);
	if (status)
		return status;
	status = ctl_get_config(&space, &now);
	ctl_request_keep(&args.request, &now);
	if (!status)
		status = ctl_request_check(&args.request, &space.info);
	if (!status)
		status = ctl_request_fits(&args.request, &space);
	if (!status)
		status = ctl_set_config(&space, &args.request.config);
	if (!status)
		status = set_show(&space);
	ctl_close(&space);
	return status;
}
