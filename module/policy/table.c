// SPDX-License-Identifier: GPL-2.0-only
/*
 * All policies, and how one is named in text: "lru", "random:seed=7".
 *
 * Strict, so that a typing error is never taken for something else: no blanks,
 * nothing empty, nothing twice, no digits after a leading 0 (is 010 eight or
 * ten?), nothing that does not fit.
 */
#include "table.h"

/* In the order of lists. */
const struct vmd_policy_ops *const vmd_policies[] = {
	&vmd_policy_fifo,
	&vmd_policy_lru,
	&vmd_policy_clock,
	&vmd_policy_clock_a,
	&vmd_policy_second,
	&vmd_policy_clocke,
	&vmd_policy_nru,
	&vmd_policy_aging,
	&vmd_policy_wsclock,
	&vmd_policy_lfu,
	&vmd_policy_mru,
	&vmd_policy_random,
	&vmd_policy_sieve,
	&vmd_policy_sieve_a,
	&vmd_policy_s3fifo,
	&vmd_policy_twoq,
	&vmd_policy_arc,
	&vmd_policy_slru,
	&vmd_policy_car,
	&vmd_policy_lruk,
	&vmd_policy_lirs,
	&vmd_policy_clockpro,
	&vmd_policy_lfuda,
	&vmd_policy_tinylfu,
	&vmd_policy_mglru,
	&vmd_policy_linux,
	&vmd_policy_opt,
};

const u32 vmd_nr_policies = ARRAY_SIZE(vmd_policies);

/* Whether the @len characters at @text are @name, no more and no less. */
static bool table_is(const char *text, size_t len, const char *name)
{
	return strlen(name) == len && !memcmp(text, name, len);
}

static const struct vmd_policy_ops *table_find(const char *text, size_t len)
{
	u32 i;

	for (i = 0; i < vmd_nr_policies; i++) {
		if (table_is(text, len, vmd_policies[i]->name))
			return vmd_policies[i];
	}
	return NULL;
}

/* Which of the policy's parameters it is; nr_params if none. */
static u32 table_find_param(const struct vmd_policy_ops *ops, const char *text,
			    size_t len)
{
	u32 i;

	for (i = 0; i < ops->nr_params; i++) {
		if (table_is(text, len, ops->params[i].name))
			break;
	}
	return i;
}

/* The value of a digit in base 16; 16 if it is none. */
static u32 table_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return 16;
}

/* The @len characters at @text, all of them, as decimal or 0x hexadecimal. */
static int table_number(const char *text, size_t len, u64 *value)
{
	u64 sum = 0, limit = ~0ULL / 10;
	u32 base = 10, digit;
	bool over = false;

	if (len > 1 && text[0] == '0') {
		if (text[1] != 'x')
			return -EINVAL;
		base = 16;
		limit = ~0ULL / 16;
		text += 2;
		len -= 2;
	}
	if (!len)
		return -EINVAL;
	while (len--) {
		digit = table_digit(*text++);
		if (digit >= base)
			return -EINVAL;
		over |= sum > limit;
		sum *= base;
		over |= sum + digit < sum;
		sum += digit;
	}
	*value = sum;
	return over ? -ERANGE : 0;
}

/*
 * One "key=value" that ends at a ',' or with the text. Returns where it ends,
 * or NULL with the error in @err and what is wrong in @bad.
 */
static const char *table_parse_param(const char *text, u32 *seen,
				     struct vmd_policy_choice *choice,
				     int *err, const char **bad)
{
	const struct vmd_policy_ops *ops = choice->ops;
	size_t key = strcspn(text, "=,"), len;
	u32 i = table_find_param(ops, text, key);
	u64 value = 0;

	*bad = text;
	*err = -EINVAL;
	if (i == ops->nr_params || *seen & (u32)1 << i)
		return NULL;
	text += key;
	*bad = text;
	if (*text != '=')
		return NULL;
	*bad = ++text;
	len = strcspn(text, ",");
	*err = table_number(text, len, &value);
	if (!*err && (value < ops->params[i].min || value > ops->params[i].max))
		*err = -ERANGE;
	if (*err)
		return NULL;
	choice->params[i] = value;
	*seen |= (u32)1 << i;
	return text + len;
}

int vmd_policy_parse(const char *text, struct vmd_policy_choice *choice,
		     const char **bad)
{
	struct vmd_policy_choice found = { };
	size_t len = strcspn(text, ":");
	u32 i, seen = 0;
	int err = 0;

	*bad = text;
	found.ops = table_find(text, len);
	if (!found.ops)
		return -ENOENT;
	for (i = 0; i < found.ops->nr_params; i++)
		found.params[i] = found.ops->params[i].def;
	text += len;
	/* What stands here is the ':' or a ',' before a parameter, or the end. */
	while (*text) {
		text = table_parse_param(text + 1, &seen, &found, &err, bad);
		if (!text)
			return err;
	}
	*bad = NULL;
	*choice = found;
	return 0;
}

/* A buffer that counts on when it is full. */
struct table_out {
	char *buf;
	size_t len;
	size_t at;
};

static void table_put(struct table_out *out, const char *text)
{
	for (; *text; text++, out->at++) {
		if (out->at + 1 < out->len)
			out->buf[out->at] = *text;
	}
}

static void table_put_number(struct table_out *out, u64 value)
{
	char text[24];
	char *c = text + sizeof(text) - 1;
	u64 digit;

	*c = 0;
	do {
		digit = vmd_mod64(value, 10);
		*--c = (char)('0' + digit);
		value = vmd_div64(value, 10);
	} while (value);
	table_put(out, c);
}

size_t vmd_policy_format(const struct vmd_policy_choice *choice, char *buf,
			 size_t len)
{
	struct table_out out = { .buf = buf, .len = len };
	const struct vmd_policy_ops *ops = choice->ops;
	const char *before = ":";
	u32 i;

	table_put(&out, ops->name);
	for (i = 0; i < ops->nr_params; i++) {
		if (choice->params[i] == ops->params[i].def)
			continue;
		table_put(&out, before);
		table_put(&out, ops->params[i].name);
		table_put(&out, "=");
		table_put_number(&out, choice->params[i]);
		before = ",";
	}
	if (len)
		buf[out.at < len ? out.at : len - 1] = 0;
	return out.at;
}
