/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * "auto": not a policy but a choice among policies, which changes.
 *
 *	auto[:of=A+B[+C...][,interval=N][,margin=N][,sample=N]]
 *
 * The policies named run as shadows (module/shadow.h). Every so many references
 * what each of them missed since is added to half of what it had before. The
 * best of them becomes the live one if it has fewer by a margin: so much in a
 * hundred less than the live one's own shadow, and by at least one miss in
 * VMD_AUTO_LEAST references. Between two switches there are thus as many
 * references as there are between two looks, and a burst is half forgotten with
 * each. Ties and small leads change nothing: of two policies that are equally
 * good the live one stays.
 *
 * Pure C as the policies are, for the module and for user space.
 */
#ifndef _VMD_POLICY_AUTO_H
#define _VMD_POLICY_AUTO_H

#include "policy.h"

#define VMD_AUTO_MAX		8	/* policies to choose from */
#define VMD_AUTO_INTERVAL	10000
#define VMD_AUTO_INTERVAL_MIN	100
#define VMD_AUTO_INTERVAL_MAX	1000000000
#define VMD_AUTO_MARGIN		10
#define VMD_AUTO_MARGIN_MAX	90
#define VMD_AUTO_SAMPLE_MAX	65536
#define VMD_AUTO_LEAST		256
/* Where no sample is given: the smallest that leaves this many frames. */
#define VMD_AUTO_FRAMES		1024

#define VMD_AUTO_SYNTAX	\
	"auto[:of=POLICY+POLICY...,interval=REFERENCES,margin=PERCENT,sample=N]"

/**
 * struct vmd_auto_choice - "auto" and its parameters, parsed
 * @nr: policies to choose from; 0 where it is not "auto" at all
 * @interval: references between two looks
 * @margin: percent by which another one has to be better
 * @sample: one page in so many is looked at, a power of two; 0: as fits
 * @of: the policies
 */
struct vmd_auto_choice {
	u32 nr;
	u32 interval;
	u32 margin;
	u32 sample;
	struct vmd_policy_choice of[VMD_AUTO_MAX];
};

/**
 * struct vmd_auto_state - what it goes by
 * @score: a policy's misses, of late: 16 for each, halved at each look
 */
struct vmd_auto_state {
	u64 score[VMD_AUTO_MAX];
};

/**
 * vmd_auto_named - is this text meant to be "auto"?
 * @text: what the user wrote
 */
bool vmd_auto_named(const char *text);

/**
 * vmd_auto_parse - read "auto" or "auto:key=value,..."
 * @text: what the user wrote
 * @choice: filled; on error @choice->nr is 0
 * @bad: set to the first thing in @text that is wrong, or to NULL
 *
 * Returns 0; -ENOENT for an unknown policy, -EOPNOTSUPP for one that has to know
 * the future; -EINVAL for an unknown or doubled parameter or policy, a
 * malformed value, or one policy alone; -ERANGE for a value out of its bounds.
 */
int vmd_auto_parse(const char *text, struct vmd_auto_choice *choice,
		   const char **bad);

/**
 * vmd_auto_format - write a choice the way vmd_auto_parse() reads it
 * @choice: what to write; parameters that have their default are left out
 * @buf: where to, always terminated if @len is not 0
 * @len: bytes in @buf
 *
 * Never longer than the shortest text that means the same.
 */
void vmd_auto_format(const struct vmd_auto_choice *choice, char *buf,
		     size_t len);

/**
 * vmd_auto_shift - as what power of two the sample is to be taken
 * @choice: how
 * @frames: budget of the space
 */
u32 vmd_auto_shift(const struct vmd_auto_choice *choice, u64 frames);

/**
 * vmd_auto_judge - one look: which should be live?
 * @state: zeroed before the first look
 * @choice: how
 * @misses: of each policy, since the last look
 * @references: how many there were since, of the same sample
 * @live: which is live now, as its number in @choice
 */
u32 vmd_auto_judge(struct vmd_auto_state *state,
		   const struct vmd_auto_choice *choice, const u64 *misses,
		   u64 references, u32 live);

#endif /* _VMD_POLICY_AUTO_H */
