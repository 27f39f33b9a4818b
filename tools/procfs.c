// SPDX-License-Identifier: GPL-2.0-only
/* The module's files below /proc/vmdemo, read line by line. */
#include "procfs.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "output.h"
#include "parse.h"

/* Takes a line without its end; returns false if it cannot be understood. */
typedef bool (*ctl_line_t)(char *line, void *arg);

static void ctl_proc_path(const char *name, char path[PATH_MAX])
{
	const char *dir = getenv("VMDEMO_PROC");

	snprintf(path, PATH_MAX, "%s/%s", dir && *dir ? dir : "/proc/vmdemo", name);
}

bool ctl_proc_has(const char *name)
{
	char path[PATH_MAX];

	ctl_proc_path(name, path);
	return !access(path, R_OK);
}

static int ctl_proc_failed(const char *path)
{
	if (errno == ENOENT)
		return ctl_fail("%s: no such file: " CTL_LOADED, path);
	return ctl_fail("%s: %s", path, strerror(errno));
}

static int ctl_read_lines(FILE *file, const char *path, ctl_line_t each, void *arg)
{
	char *line = NULL;
	size_t size = 0;
	int status = 0;

	while (!status && getline(&line, &size, file) > 0) {
		line[strcspn(line, "\n")] = 0;
		if (!each(line, arg))
			status = ctl_fail("%s: '%s' is not what this tool expects there",
					  path, line);
	}
	if (!status && ferror(file))
		status = ctl_proc_failed(path);
	free(line);
	return status;
}

static int ctl_proc_read(const char *name, ctl_line_t each, void *arg)
{
	char path[PATH_MAX];
	int status;
	FILE *file;

	ctl_proc_path(name, path);
	file = fopen(path, "re");
	if (!file)
		return ctl_proc_failed(path);
	status = ctl_read_lines(file, path, each, arg);
	fclose(file);
	return status;
}

/* Cut @text behind its first word; returns what follows the blanks, or "". */
static char *ctl_cut_word(char *text)
{
	char *end = text + strcspn(text, " \t");

	if (*end)
		*end++ = 0;
	return end + strspn(end, " \t");
}

static bool ctl_copy(char *to, size_t size, const char *text)
{
	return snprintf(to, size, "%s", text) < (int)size;
}

struct ctl_field {
	const char *name;
	size_t at;
	size_t size;		/* of a text; 0 for a number */
};

#define NUMBER(name)	{ #name, offsetof(struct ctl_space_line, name), 0 }
#define TEXT(name, size)	{ #name, offsetof(struct ctl_space_line, name), size }
static const struct ctl_field ctl_fields[] = {
	NUMBER(uid), NUMBER(pid), NUMBER(size), NUMBER(budget), NUMBER(resident),
	NUMBER(dirty), TEXT(policy, VMD_POLICY_LEN),
	TEXT(observer, VMD_NAME_LEN), TEXT(store, VMD_NAME_LEN),
	TEXT(flags, sizeof(((struct ctl_space_line *)NULL)->flags)), TEXT(comm, CTL_COMM_LEN),
	TEXT(live, VMD_POLICY_LEN),
	TEXT(placement, VMD_NAME_LEN),
};

#undef NUMBER
#undef TEXT

/* A field that this tool does not know is a newer module's: passed over. */
static bool ctl_set_field(struct ctl_space_line *line, const char *name,
			  const char *value)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(ctl_fields); i++) {
		const struct ctl_field *field = &ctl_fields[i];
		char *to = (char *)line + field->at;

		if (strcmp(field->name, name))
			continue;
		if (field->size)
			return ctl_copy(to, field->size, value);
		return !ctl_parse_number(value, (__u64 *)to);
	}
	return true;
}

/* "name=value name=value ... comm=the rest of the line". */
static bool ctl_parse_fields(char *text, struct ctl_space_line *line)
{
	while (*text) {
		bool last = !strncmp(text, "comm=", 5);
		char *next = last ? "" : ctl_cut_word(text);
		char *value = strchr(text, '=');

		if (!value)
			return false;
		*value++ = 0;
		if (!ctl_set_field(line, text, value))
			return false;
		text = next;
	}
	return true;
}

struct ctl_spaces_reader {
	void (*each)(void *arg, const struct ctl_space_line *line);
	void *arg;
};

static bool ctl_space_line(char *text, void *arg)
{
	struct ctl_spaces_reader *reader = arg;
	struct ctl_space_line line = { 0 };
	char *copy = strdup(text);	/* @text stays whole for the error */
	char *rest = copy ? ctl_cut_word(copy) : NULL;
	bool good = copy && !ctl_parse_number(copy, &line.id) &&
		    ctl_parse_fields(rest, &line);

	free(copy);
	if (good)
		reader->each(reader->arg, &line);
	return good;
}

int ctl_proc_spaces(void (*each)(void *arg, const struct ctl_space_line *line),
		    void *arg)
{
	struct ctl_spaces_reader reader = { each, arg };

	return ctl_proc_read("spaces", ctl_space_line, &reader);
}

struct ctl_stats_reader {
	__u64 *spaces;
	struct vmd_stats *stats;
};

static void ctl_set_counter(struct ctl_stats_reader *reader, const char *name,
			    __u64 value)
{
	const struct ctl_counter *c;
	char bucket[32];
	int i;

	if (!strcmp(name, "spaces"))
		*reader->spaces = value;
	for (c = ctl_counters; c->name; c++)
		if (!strcmp(name, c->name))
			*ctl_counter_value(reader->stats, c) = value;
	for (i = 0; i < VMD_LATENCY_BUCKETS; i++) {
		snprintf(bucket, sizeof(bucket), "latency_ns_%llu", (__u64)1 << i);
		if (!strcmp(name, bucket))
			reader->stats->latency[i] = value;
	}
}

static bool ctl_stats_line(char *line, void *arg)
{
	char *value = ctl_cut_word(line);
	__u64 number;

	if (ctl_parse_number(value, &number))
		return false;
	ctl_set_counter(arg, line, number);
	return true;
}

int ctl_proc_stats(__u64 *spaces, struct vmd_stats *stats)
{
	struct ctl_stats_reader reader = { spaces, stats };

	*spaces = 0;
	memset(stats, 0, sizeof(*stats));
	return ctl_proc_read("stats", ctl_stats_line, &reader);
}

struct ctl_policies_reader {
	void (*each)(void *arg, const char *name, const char *text);
	void *arg;
};

static bool ctl_policy_line(char *line, void *arg)
{
	struct ctl_policies_reader *reader = arg;
	char *text = ctl_cut_word(line);

	reader->each(reader->arg, line, text);
	return *line;
}

int ctl_proc_policies(void (*each)(void *arg, const char *name, const char *text),
		      void *arg)
{
	struct ctl_policies_reader reader = { each, arg };

	return ctl_proc_read("policies", ctl_policy_line, &reader);
}
