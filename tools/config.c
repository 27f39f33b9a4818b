// SPDX-License-Identifier: GPL-2.0-only
/* A space's configuration as the user asks for it. */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "../module/policy/auto.h"
#include "../module/policy/place.h"
#include "../module/policy/policy.h"
#include "procfs.h"

static const char *const ctl_observers[] = { "fault", "accessed", "trap" };

/* Append a name to a list in @buf; a list that is too long is cut. */
static void ctl_append(char *buf, size_t size, const char *name)
{
	size_t used = strlen(buf);

	snprintf(buf + used, size - used, "%s%s", used ? ", " : "", name);
}

/* The policies of the loaded module, whatever this tool was linked with. */
struct ctl_names {
	const char *wanted;
	bool found;
	char list[512];
};

static void ctl_note_policy(void *arg, const char *name, const char *text)
{
	struct ctl_names *names = arg;

	(void)text;
	ctl_append(names->list, sizeof(names->list), name);
	if (!strcmp(name, names->wanted))
		names->found = true;
}

static void ctl_find_policy(struct ctl_names *names)
{
	u32 i;

	if (ctl_proc_has("policies") && !ctl_proc_policies(ctl_note_policy, names) &&
	    *names->list)
		return;
	for (i = 0; i < vmd_nr_policies; i++)
		ctl_note_policy(names, vmd_policies[i]->name, NULL);
}

static const struct vmd_policy_ops *ctl_linked_policy(const char *name)
{
	u32 i;

	for (i = 0; i < vmd_nr_policies; i++)
		if (!strcmp(vmd_policies[i]->name, name))
			return vmd_policies[i];
	return NULL;
}

static int ctl_bad_params(const char *text, const struct vmd_policy_ops *ops,
			  const char *bad, int error)
{
	char list[512] = "", param[128];
	u32 i;

	if (!ops->nr_params)
		return ctl_usage("policy '%s': %s takes no parameters", text, ops->name);
	for (i = 0; i < ops->nr_params; i++) {
		const struct vmd_policy_param *p = &ops->params[i];

		snprintf(param, sizeof(param), "%s=%llu..%llu", p->name,
			 (__u64)p->min, (__u64)p->max);
		ctl_append(list, sizeof(list), param);
	}
	return ctl_usage("policy '%s': '%s' is %s: %s takes %s", text, bad ? bad : "",
			 error == -ERANGE ? "out of bounds" : "wrong", ops->name, list);
}

bool ctl_names_auto(const char *text)
{
	return vmd_auto_named(text);
}

static int ctl_check_auto(const char *text)
{
	struct vmd_auto_choice choice;
	const char *bad = NULL;
	int error = vmd_auto_parse(text, &choice, &bad);

	if (error == -EOPNOTSUPP)
		return ctl_usage("policy '%s': '%s' has to know the future: only a simulator does",
				 text, bad);
	if (error == -ENOENT)
		return ctl_usage("policy '%s': no policy at '%s': see 'vmdemoctl policies'",
				 text, bad);
	if (error)
		return ctl_usage("policy '%s': '%s' is %s: want " VMD_AUTO_SYNTAX
				 ", 2 to %u policies, interval=%u..%u, margin=0..%u, sample a power of two up to %u",
				 text, bad, error == -ERANGE ? "out of bounds" : "wrong",
				 VMD_AUTO_MAX, VMD_AUTO_INTERVAL_MIN, VMD_AUTO_INTERVAL_MAX,
				 VMD_AUTO_MARGIN_MAX, VMD_AUTO_SAMPLE_MAX);
	return CTL_OK;
}

/*
 * The module judges; but it only says EINVAL, so what can be known to be wrong
 * is told here. A policy that only the module knows goes to it unchecked.
 */
static int ctl_check_policy(const char *text)
{
	char name[VMD_POLICY_LEN] = "";
	struct ctl_names names = { .wanted = name };
	const struct vmd_policy_ops *ops;
	struct vmd_policy_choice choice;
	const char *bad = NULL;
	int error;

	if (ctl_names_auto(text))
		return ctl_check_auto(text);
	strncat(name, text, strcspn(text, ":"));
	ops = ctl_linked_policy(name);
	ctl_find_policy(&names);
	if (!names.found)
		return ctl_usage("unknown policy '%s': one of %s", name, names.list);
	error = ops ? vmd_policy_parse(text, &choice, &bad) : 0;
	return error ? ctl_bad_params(text, ops, bad, error) : CTL_OK;
}

static int ctl_set_policy(struct ctl_request *request, const char *text)
{
	char *to = request->config.policy;

	if (strlen(text) >= VMD_POLICY_LEN)
		return ctl_usage("policy '%.20s...': longer than %d characters",
				 text, VMD_POLICY_LEN - 1);
	memcpy(to, text, strlen(text) + 1);
	return ctl_check_policy(text);
}

static int ctl_set_observer(struct ctl_request *request, const char *text)
{
	char list[64] = "";
	size_t i;

	for (i = 0; i < ARRAY_SIZE(ctl_observers); i++) {
		if (!strcmp(ctl_observers[i], text)) {
			memcpy(request->config.observer, text, strlen(text) + 1);
			return CTL_OK;
		}
		ctl_append(list, sizeof(list), ctl_observers[i]);
	}
	return ctl_usage("unknown observer '%s': one of %s", text, list);
}

static int ctl_set_budget(struct ctl_request *request, const char *text)
{
	const char *why;
	__u64 value;

	why = ctl_parse_size(text, &value, &request->budget_bytes);
	if (why)
		return ctl_usage("budget '%s': %s", text, why);
	if (!value)
		return ctl_usage("budget '%s': a space needs at least 1 frame", text);
	request->config.budget = value;
	return CTL_OK;
}

static int ctl_set_size(struct ctl_request *request, const char *text)
{
	bool suffix;
	const char *why;
	__u64 value;

	why = ctl_parse_size(text, &value, &suffix);
	if (why)
		return ctl_usage("size '%s': %s", text, why);
	request->config.size = value;
	return CTL_OK;
}

static int ctl_set_placement(struct ctl_request *request, const char *text)
{
	u32 ways;

	if (vmd_place_parse(text, &ways))
		return ctl_usage("placement '%s': want full, direct or set:N, N from 1 to %u",
				 text, VMD_POLICY_MAX_SLOTS);
	request->config.ways = ways;
	return CTL_OK;
}

static int ctl_set_page_bytes(struct ctl_request *request, const char *text)
{
	bool suffix;
	__u64 value;

	if (ctl_parse_size(text, &value, &suffix) ||
	    (value != 4096 && value != 65536 && value != 2097152))
		return ctl_usage("page-size '%s': one of 4K, 64K, 2M", text);
	request->config.page_size = value;
	return CTL_OK;
}

static int ctl_set_encrypt(struct ctl_request *request, const char *text)
{
	if (!strcmp(text, "on"))
		request->config.flags |= VMD_SPACE_ENCRYPT;
	else if (strcmp(text, "off"))
		return ctl_usage("encrypt '%s': on or off", text);
	return CTL_OK;
}

static const struct ctl_key {
	const char *name;
	__u64 bit;
	int (*set)(struct ctl_request *request, const char *text);
} ctl_keys[] = {
	{ "policy",   VMD_CONFIG_POLICY,   ctl_set_policy },
	{ "budget",   VMD_CONFIG_BUDGET,   ctl_set_budget },
	{ "observer", VMD_CONFIG_OBSERVER, ctl_set_observer },
	{ "size",     VMD_CONFIG_SIZE,	   ctl_set_size },
	{ "encrypt",  VMD_CONFIG_FLAGS,	   ctl_set_encrypt },
	{ "placement", VMD_CONFIG_PLACEMENT, ctl_set_placement },
	{ "page-size", VMD_CONFIG_PAGE_SIZE, ctl_set_page_bytes },
};

int ctl_request_set(struct ctl_request *request, const char *key, const char *text)
{
	char list[96] = "";
	size_t i;

	for (i = 0; i < ARRAY_SIZE(ctl_keys); i++) {
		ctl_append(list, sizeof(list), ctl_keys[i].name);
		if (strcmp(ctl_keys[i].name, key))
			continue;
		if (request->config.mask & ctl_keys[i].bit)
			return ctl_usage("'%s' is given twice", key);
		request->config.mask |= ctl_keys[i].bit;
		return ctl_keys[i].set(request, text);
	}
	return ctl_usage("unknown key '%s': one of %s", key, list);
}

static int ctl_check_multiple(const char *key, __u64 bytes, const struct vmd_info *info)
{
	if (!(bytes % info->page_size))
		return CTL_OK;
	return ctl_fail("%s of %llu bytes: not a multiple of the page size, %u",
			key, bytes, info->page_size);
}

static int ctl_check_budget(struct ctl_request *request, const struct vmd_info *info)
{
	__u64 most;
	int status;

	if (request->budget_bytes) {
		status = ctl_check_multiple("budget", request->config.budget, info);
		if (status)
			return status;
		request->config.budget /= info->page_size;
		request->budget_bytes = false;
	}
	/* That one is in pages of 4 KiB, whatever the space's are. */
	most = info->max_frames / (info->page_size / 4096);
	if (request->config.budget <= most)
		return CTL_OK;
	return ctl_fail("budget of %llu frames: the module allows at most %llu (max_frames)",
			request->config.budget, most);
}

static int ctl_check_size(struct ctl_request *request, const struct vmd_info *info)
{
	char most[CTL_SIZE_LEN];
	int status = CTL_OK;

	if (!request->any_size)
		status = ctl_check_multiple("size", request->config.size, info);
	if (status || request->config.size <= info->max_size)
		return status;
	return ctl_fail("size of %llu bytes: the module allows at most %s (max_size)",
			request->config.size, ctl_format_size(info->max_size, most));
}

void ctl_request_keep(struct ctl_request *request, const struct vmd_config *now)
{
	request->config.flags |= now->flags & ~(__u64)VMD_SPACE_ENCRYPT;
	request->any_size = !strcmp(now->store, "file");
}

int ctl_make_private(struct ctl_space *space)
{
	struct vmd_config config;
	int status;

	if (!(space->info.features & VMD_FEATURE_PRIVATE))
		return ctl_fail("the loaded module knows no private spaces: it is an older one");
	status = ctl_get_config(space, &config);
	if (status)
		return status;
	config.mask = VMD_CONFIG_FLAGS;
	config.flags |= VMD_SPACE_PRIVATE;
	return ctl_set_config(space, &config);
}

int ctl_request_check(struct ctl_request *request, const struct vmd_info *info)
{
	int status = CTL_OK;

	if (request->config.mask & VMD_CONFIG_BUDGET)
		status = ctl_check_budget(request, info);
	if (!status && (request->config.mask & VMD_CONFIG_SIZE))
		status = ctl_check_size(request, info);
	return status;
}

/* Larger pages and what does not go with them. */
static int ctl_check_page_size(const struct vmd_config *to)
{
	if (to->page_size == 4096)
		return CTL_OK;
	if (to->mask & VMD_CONFIG_OBSERVER && !strcmp(to->observer, "trap"))
		return ctl_usage("observer '%s': sees pages of 4K only: want fault or accessed",
				 to->observer);
	if (to->flags & VMD_SPACE_ENCRYPT)
		return ctl_usage("encryption: of pages of 4K only");
	return CTL_OK;
}

int ctl_request_page_size(struct ctl_request *request, struct ctl_space *space)
{
	struct vmd_config config = request->config;
	int status;

	if (!(config.mask & VMD_CONFIG_PAGE_SIZE))
		return CTL_OK;
	status = ctl_check_page_size(&config);
	request->config.mask &= ~VMD_CONFIG_PAGE_SIZE;
	config.mask &= VMD_CONFIG_PAGE_SIZE | VMD_CONFIG_OBSERVER | VMD_CONFIG_FLAGS;
	return status ? status : ctl_set_page_size(space, &config);
}

int ctl_request_fits(const struct ctl_request *request, struct ctl_space *space)
{
	const struct vmd_config *to = &request->config;
	struct vmd_config now;
	__u64 budget, ways, less;
	char placement[VMD_PLACE_LEN];
	int status;

	if (!(to->mask & (VMD_CONFIG_BUDGET | VMD_CONFIG_PLACEMENT)))
		return CTL_OK;
	if (to->mask & VMD_CONFIG_PLACEMENT && !(space->info.features & VMD_FEATURE_PLACEMENT))
		return ctl_fail("the loaded module knows no placement: it is an older one");
	status = ctl_get_config(space, &now);
	if (status)
		return status;
	budget = to->mask & VMD_CONFIG_BUDGET ? to->budget : now.budget;
	ways = to->mask & VMD_CONFIG_PLACEMENT ? to->ways : now.ways;
	if (vmd_place_fits(ways, budget))
		return CTL_OK;
	vmd_place_format(ways, placement);
	less = budget / ways * ways;
	if (!less)
		return ctl_usage("budget of %llu frames: placement %s needs %llu at least",
				 budget, placement, ways);
	return ctl_usage("budget of %llu frames: placement %s needs a multiple: %llu or %llu",
			 budget, placement, less, less + ways);
}
