// SPDX-License-Identifier: GPL-2.0-only
/*
 * "auto"; see auto.h.
 *
 * As strict as table.c is: no blanks, nothing empty, nothing twice. Policies
 * are named alone: their parameters have signs that are taken here.
 */
#include "auto.h"

#define AUTO_UNIT	16		/* what a miss counts in a score */

static const char * const auto_default[] = { "lru", "mru", "sieve", "arc" };

enum auto_key {
	AUTO_OF,
	AUTO_INTERVAL,
	AUTO_MARGIN,
	AUTO_SAMPLE,
	AUTO_KEYS,
};

static const struct vmd_policy_param auto_params[AUTO_KEYS] = {
	[AUTO_OF] = { "of", "policies to choose from" },
	[AUTO_INTERVAL] = {
		"interval", "references between two looks",
		VMD_AUTO_INTERVAL_MIN, VMD_AUTO_INTERVAL_MAX,
		VMD_AUTO_INTERVAL,
	},
	[AUTO_MARGIN] = {
		"margin", "percent by which another one has to be better",
		0, VMD_AUTO_MARGIN_MAX, VMD_AUTO_MARGIN,
	},
	[AUTO_SAMPLE] = {
		"sample", "one page in so many is looked at",
		1, VMD_AUTO_SAMPLE_MAX, 0,
	},
};

bool vmd_auto_named(const char *text)
{
	return !strncmp(text, "auto", 4) && (!text[4] || text[4] == ':');
}

/* A policy with its defaults; @name is of @len characters. */
static int auto_policy(const char *name, size_t len,
		       struct vmd_policy_choice *out)
{
	char text[32];
	const char *bad;

	if (len >= sizeof(text) || memchr(name, ':', len))
		return -ENOENT;
	memcpy(text, name, len);
	text[len] = 0;
	if (vmd_policy_parse(text, out, &bad))
		return -ENOENT;
	return out->ops->flags & VMD_POLICY_FUTURE ? -EOPNOTSUPP : 0;
}

/* One more to choose from, if it is none of those there are. */
static int auto_add(const char *name, size_t len, struct vmd_auto_choice *to)
{
	u32 i;
	int err;

	if (to->nr == VMD_AUTO_MAX)
		return -ERANGE;
	err = auto_policy(name, len, &to->of[to->nr]);
	if (err)
		return err;
	for (i = 0; i < to->nr; i++)
		if (to->of[i].ops == to->of[to->nr].ops)
			return -EINVAL;
	to->nr++;
	return 0;
}

static int auto_parse_of(const char *text, struct vmd_auto_choice *to,
			 const char **bad)
{
	size_t len;
	int err;

	to->nr = 0;
	for (;; text += len + 1) {
		len = strcspn(text, "+,");
		*bad = text;
		err = auto_add(text, len, to);
		if (err)
			return err;
		if (text[len] != '+')
			return to->nr > 1 ? 0 : -EINVAL;
	}
}

/* Decimal digits up to a ',' or the end, and no 0 before others. */
static int auto_number(const char *text, u64 *out)
{
	const char *at = text;

	*out = 0;
	for (; *at >= '0' && *at <= '9'; at++) {
		*out = *out * 10 + (u64)(*at - '0');
		if (*out > VMD_AUTO_INTERVAL_MAX)
			return -ERANGE;
	}
	if (at == text || (*at && *at != ',') || (*text == '0' && at > text + 1))
		return -EINVAL;
	return 0;
}

static int auto_parse_value(const char *text, enum auto_key key,
			    struct vmd_auto_choice *to)
{
	const struct vmd_policy_param *param = &auto_params[key];
	u64 value;
	int err = auto_number(text, &value);

	if (err)
		return err;
	if (value < param->min || value > param->max)
		return -ERANGE;
	if (key == AUTO_SAMPLE && value & (value - 1))
		return -EINVAL;
	if (key == AUTO_INTERVAL)
		to->interval = (u32)value;
	else if (key == AUTO_MARGIN)
		to->margin = (u32)value;
	else
		to->sample = (u32)value;
	return 0;
}

static u32 auto_key(const char *text, size_t len)
{
	u32 key;

	for (key = 0; key < AUTO_KEYS; key++)
		if (strlen(auto_params[key].name) == len &&
		    !memcmp(auto_params[key].name, text, len))
			break;
	return key;
}

/* One "key=value", the text behind a ':' or ','. */
static int auto_parse_param(const char *text, u32 *seen,
			    struct vmd_auto_choice *to, const char **bad)
{
	size_t len = strcspn(text, "=,");
	u32 key = auto_key(text, len);

	*bad = text;
	if (key == AUTO_KEYS || *seen & (u32)1 << key || text[len] != '=')
		return -EINVAL;
	*seen |= (u32)1 << key;
	text += len + 1;
	if (key == AUTO_OF)
		return auto_parse_of(text, to, bad);
	*bad = text;
	return auto_parse_value(text, (enum auto_key)key, to);
}

static void auto_init(struct vmd_auto_choice *to)
{
	u32 i;

	memset(to, 0, sizeof(*to));
	to->interval = VMD_AUTO_INTERVAL;
	to->margin = VMD_AUTO_MARGIN;
	for (i = 0; i < ARRAY_SIZE(auto_default); i++)
		auto_add(auto_default[i], strlen(auto_default[i]), to);
}

int vmd_auto_parse(const char *text, struct vmd_auto_choice *choice,
		   const char **bad)
{
	u32 seen = 0;
	int err;

	*bad = text;
	choice->nr = 0;
	if (!vmd_auto_named(text))
		return -EINVAL;
	/* In place: it is too big to be on the stack of the kernel twice. */
	auto_init(choice);
	text += 4;
	/* What stands here is the ':' or a ',' before a parameter, or the end. */
	while (*text) {
		err = auto_parse_param(text + 1, &seen, choice, bad);
		if (err) {
			choice->nr = 0;
			return err;
		}
		text += 1 + strcspn(text + 1, ",");
	}
	*bad = NULL;
	return 0;
}

/* A buffer that is full takes no more. */
struct auto_out {
	char *buf;
	size_t len;
	size_t at;
	char before;
};

static void auto_put(struct auto_out *out, const char *text)
{
	for (; *text; text++)
		if (out->at + 1 < out->len)
			out->buf[out->at++] = *text;
}

static void auto_put_key(struct auto_out *out, enum auto_key key)
{
	char before[2] = { out->before, 0 };

	auto_put(out, before);
	auto_put(out, auto_params[key].name);
	auto_put(out, "=");
	out->before = ',';
}

static void auto_put_number(struct auto_out *out, enum auto_key key, u32 value)
{
	char text[12];
	char *c = text + sizeof(text) - 1;

	if (value == auto_params[key].def)
		return;
	auto_put_key(out, key);
	*c = 0;
	do {
		*--c = (char)('0' + value % 10);
		value /= 10;
	} while (value);
	auto_put(out, c);
}

static bool auto_is_default(const struct vmd_auto_choice *choice)
{
	u32 i;

	if (choice->nr != ARRAY_SIZE(auto_default))
		return false;
	for (i = 0; i < choice->nr; i++)
		if (strcmp(choice->of[i].ops->name, auto_default[i]))
			return false;
	return true;
}

void vmd_auto_format(const struct vmd_auto_choice *choice, char *buf,
		     size_t len)
{
	struct auto_out out = { .buf = buf, .len = len, .before = ':' };
	u32 i;

	auto_put(&out, "auto");
	if (!auto_is_default(choice)) {
		auto_put_key(&out, AUTO_OF);
		for (i = 0; i < choice->nr; i++) {
			auto_put(&out, i ? "+" : "");
			auto_put(&out, choice->of[i].ops->name);
		}
	}
	auto_put_number(&out, AUTO_INTERVAL, choice->interval);
	auto_put_number(&out, AUTO_MARGIN, choice->margin);
	auto_put_number(&out, AUTO_SAMPLE, choice->sample);
	if (len)
		buf[out.at] = 0;
}

u32 vmd_auto_shift(const struct vmd_auto_choice *choice, u64 frames)
{
	u32 shift = 0;

	if (choice->sample)
		while ((u32)1 << (shift + 1) <= choice->sample)
			shift++;
	else
		while (frames >> (shift + 1) >= VMD_AUTO_FRAMES && shift < 16)
			shift++;
	return shift;
}

u32 vmd_auto_judge(struct vmd_auto_state *state,
		   const struct vmd_auto_choice *choice, const u64 *misses,
		   u64 references, u32 live)
{
	u64 *score = state->score;
	u32 best = live, i;

	for (i = 0; i < choice->nr; i++)
		score[i] = (score[i] >> 1) + misses[i] * AUTO_UNIT;
	for (i = 0; i < choice->nr; i++)
		if (score[i] < score[best])
			best = i;
	if (score[best] * 100 >= score[live] * (100 - choice->margin) ||
	    (score[live] - score[best]) * VMD_AUTO_LEAST <
	    references * AUTO_UNIT)
		return live;
	return best;
}
