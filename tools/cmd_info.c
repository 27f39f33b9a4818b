// SPDX-License-Identifier: GPL-2.0-only
/* vmdemoctl info: the module's limits, or one space's setup. */
#include "config.h"
#include "future.h"
#include "output.h"

#include <stdio.h>

static const struct {
	__u64 bit;
	const char *name;
} info_features[] = {
	{ VMD_FEATURE_ACCESSED, "accessed" },
	{ VMD_FEATURE_TRAP,	"trap" },
	{ VMD_FEATURE_PIN,	"pin" },
	{ VMD_FEATURE_ATTACH,	"attach" },
	{ VMD_FEATURE_FILE,	"file" },
	{ VMD_FEATURE_PUNCH,	"punch" },
	{ VMD_FEATURE_ENCRYPT,	"encrypt" },
	{ VMD_FEATURE_RECORD,	"record" },
	{ VMD_FEATURE_WRITE,	"write" },
	{ VMD_FEATURE_SHADOW,	"shadow" },
	{ VMD_FEATURE_FUTURE,	"future" },
	{ VMD_FEATURE_PLACEMENT, "placement" },
	{ VMD_FEATURE_WALK,	"walk" },
	{ VMD_FEATURE_STEP,	"step" },
	{ VMD_FEATURE_SLOTS,	"slots" },
	{ VMD_FEATURE_HUGE,	"huge" },
	{ VMD_FEATURE_PRIVATE,	"private" },
	{ VMD_FEATURE_SHARED,	"shared" },
	{ VMD_FEATURE_QUEUES,	"queues" },
	{ VMD_FEATURE_STEP_PHASES, "step-phases" },
};

static void info_print_features(__u64 features)
{
	char list[256] = "";
	size_t i, used = 0;

	for (i = 0; i < ARRAY_SIZE(info_features); i++)
		if (features & info_features[i].bit)
			used += snprintf(list + used, sizeof(list) - used, "%s%s",
					 used ? " " : "", info_features[i].name);
	ctl_print_value("features", "%s", list);
}

static void info_print_module(const struct vmd_info *info)
{
	char version[4 * VMD_NAME_LEN + 1];

	ctl_print_value("version", "%s",
			ctl_printable(info->version, version, sizeof(version)));
	ctl_print_value("abi_version", "%u", info->abi_version);
	info_print_features(info->features);
	ctl_print_value("page_size", "%u", info->page_size);
	ctl_print_size("max_size", info->max_size);
	ctl_print_value("max_frames", "%llu", info->max_frames);
	ctl_print_value("reserve_frames", "%u", info->reserve_frames);
	ctl_print_value("user_spaces", "%llu", info->user_spaces);
	ctl_print_value("user_frames", "%llu", info->user_frames);
	ctl_print_value("user_slots", "%llu", info->user_slots);
	ctl_print_value("frame_bytes", "%u", info->frame_bytes);
	ctl_print_value("page_bytes", "%u", info->page_bytes);
}

static void info_json_module(struct json_object *object, const struct vmd_info *info)
{
	struct json_object *features = json_object_new_array();
	size_t i;

	for (i = 0; i < ARRAY_SIZE(info_features); i++)
		if (info->features & info_features[i].bit)
			json_object_array_add(features,
					      json_object_new_string(info_features[i].name));
	ctl_json_add_text(object, "version", info->version);
	ctl_json_add_u64(object, "abi_version", info->abi_version);
	ctl_json_add(object, "features", features);
	ctl_json_add_u64(object, "page_size", info->page_size);
	ctl_json_add_u64(object, "max_size", info->max_size);
	ctl_json_add_u64(object, "max_frames", info->max_frames);
	ctl_json_add_u64(object, "reserve_frames", info->reserve_frames);
	ctl_json_add_u64(object, "user_spaces", info->user_spaces);
	ctl_json_add_u64(object, "user_frames", info->user_frames);
	ctl_json_add_u64(object, "user_slots", info->user_slots);
	ctl_json_add_u64(object, "frame_bytes", info->frame_bytes);
	ctl_json_add_u64(object, "page_bytes", info->page_bytes);
}

static void info_module_text(const struct vmd_info *info,
			     const struct vmd_config *config)
{
	info_print_module(info);
	printf("\na new space starts with:\n");
	ctl_print_config(config);
}

static void info_module_json(const struct vmd_info *info,
			     const struct vmd_config *config)
{
	struct json_object *object = json_object_new_object();
	struct json_object *defaults = json_object_new_object();

	info_json_module(object, info);
	ctl_json_add_config(defaults, config);
	ctl_json_add(object, "defaults", defaults);
	ctl_json_free(object, true);
}

/* Of the policy "auto": what it has chosen. Another policy, or module, has none. */
static int info_space_text(struct ctl_space *space,
			   const struct vmd_config *config,
			   const struct vmd_shadow_get *live)
{
	ctl_print_value("id", "%llu", space->info.space_id);
	ctl_print_value("uid", "%u", space->info.owner_uid);
	ctl_print_config(config);
	if (live->count) {
		ctl_print_value("live", "%s", live->live);
		ctl_print_value("switches", "%llu", live->switches);
	}
	return ctl_future_show(space, NULL);
}

static int info_space_json(struct ctl_space *space,
			   const struct vmd_config *config,
			   const struct vmd_shadow_get *live)
{
	struct json_object *object = json_object_new_object();
	int status;

	ctl_json_add_u64(object, "id", space->info.space_id);
	ctl_json_add_u64(object, "uid", space->info.owner_uid);
	ctl_json_add_config(object, config);
	if (live->count) {
		ctl_json_add_text(object, "live", live->live);
		ctl_json_add_u64(object, "switches", live->switches);
	}
	status = ctl_future_show(space, object);
	ctl_json_free(object, !status);
	return status;
}

static int info_show(struct ctl_space *space, const struct vmd_config *config,
		     const struct vmd_shadow_get *live, bool one)
{
	if (one && ctl_options.json)
		return info_space_json(space, config, live);
	if (one)
		return info_space_text(space, config, live);
	if (ctl_options.json)
		info_module_json(&space->info, config);
	else
		info_module_text(&space->info, config);
	return CTL_OK;
}

static const struct argp info_argp = {
	.parser = ctl_words_only,
	.args_doc = "[SPACE]",
	.doc = "Show how SPACE is set up; without SPACE, the module's version,\n"
	       "features and limits, and what a new space starts with.",
	.children = ctl_common,
};

int cmd_info(int argc, char **argv)
{
	struct ctl_words words = { .names = { "SPACE" } };
	struct ctl_space space = CTL_NO_SPACE;
	struct vmd_shadow_get live = { .flags = VMD_SHADOW_AUTO };
	struct vmd_config config;
	int status;

	ctl_parse_args(&info_argp, argc, argv, &words);
	status = ctl_open_named(&space, words.word[0]);
	if (status)
		return status;
	status = ctl_get_config(&space, &config);
	if (!status && ctl_names_auto(config.policy))
		status = ctl_get_shadows(&space, &live);
	if (!status)
		status = info_show(&space, &config, &live, words.word[0]);
	ctl_close(&space);
	return status;
}
