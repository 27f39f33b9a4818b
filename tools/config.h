/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A space's configuration as the user asks for it: gathered key by key, then
 * checked against what the module allows, then set with one call.
 */
#ifndef _CTL_CONFIG_H
#define _CTL_CONFIG_H

#include "device.h"

/**
 * struct ctl_request - what shall be changed
 * @config: the values; config.mask says which
 * @budget_bytes: config.budget is still in bytes: the page size was not known
 * @any_size: config.size need not be a multiple of the page size: it is a file's
 */
struct ctl_request {
	struct vmd_config config;
	bool budget_bytes;
	bool any_size;
};

/* Does @text ask for the policy "auto"? */
bool ctl_names_auto(const char *text);

/* Put @text in as the value of @key, one of those that "set" knows. */
int ctl_request_set(struct ctl_request *request, const char *key, const char *text);

/*
 * Flags change together: what was not asked for stays as it is @now. And what
 * the space is made of decides what sizes it may have.
 */
void ctl_request_keep(struct ctl_request *request, const struct vmd_config *now);

/*
 * Make @space one with the page size that is asked for, if one is: before all
 * else, as frames are counted in it.
 */
int ctl_request_page_size(struct ctl_request *request, struct ctl_space *space);

/* Make the space private, which it stays; nothing of it is mapped yet. */
int ctl_make_private(struct ctl_space *space);

/* Is the budget one of whole sets? What is not asked for stays as @space has it. */
int ctl_request_fits(const struct ctl_request *request, struct ctl_space *space);

/* Make frames of bytes and hold everything against the module's limits. */
int ctl_request_check(struct ctl_request *request, const struct vmd_info *info);

#endif /* _CTL_CONFIG_H */
