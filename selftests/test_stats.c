// SPDX-License-Identifier: GPL-2.0-only
/* One snapshot, three views: ioctl, debugfs and /proc tell the same. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/stat.h>

#include "vmd_harness.h"

#define PAGES	32
#define FRAMES	8
#define COMM	"vmd-stats"

FIXTURE(views) {
	int fd;
	__u64 id;
	char *map;
};

/*
 * A space that has seen a bit of everything, with nothing going on in it.
 * Under "fault" nothing is harvested in the background either.
 */
FIXTURE_SETUP(views)
{
	prctl(PR_SET_NAME, COMM);
	ASSERT_OPEN(self->fd);
	self->id = vmd_id(self->fd);
	ASSERT_EQ(0, vmd_set(self->fd, "lru", "fault", FRAMES));
	ASSERT_EQ(0, vmd_resize(self->fd, PAGES));
	ASSERT_MAP(self->map, self->fd, PAGES);
	vmd_fill_all(self->map, PAGES / 2, 1);
	ASSERT_EQ(0, vmd_bad_pages(self->map, PAGES / 2, 1));
	ASSERT_EQ(0, vmd_read_signal(self->map + (PAGES / 2 + 1) * vmd_ps));
	ASSERT_EQ(0, vmd_advise(self->fd, VMD_ADVICE_PIN, 0, 2));
}

FIXTURE_TEARDOWN(views)
{
	close(self->fd);
}

static int count_lines(const char *text)
{
	int n = 0;

	for (; text && *text; text++)
		n += *text == '\n';
	return n;
}

/* How many lines of @text begin with @name and a space. */
static int count_name(const char *text, const char *name)
{
	size_t len = strlen(name);
	int n = 0;

	while (text && *text) {
		n += !strncmp(text, name, len) && text[len] == ' ';
		text = strchr(text, '\n');
		text = text ? text + 1 : NULL;
	}
	return n;
}

/* The text has each counter once, with the value of the snapshot. */
static int differing_counters(const char *text, const struct vmd_stats *s)
{
	__u64 value;
	int i, bad = 0;

	for (i = 0; i < VMD_NR_COUNTERS; i++) {
		const char *name = vmd_counter_names[i];

		if (count_name(text, name) != 1 ||
		    !vmd_value(text, name, &value) ||
		    value != vmd_counter(s, name)) {
			fprintf(stderr, "# counter %s differs\n", name);
			bad++;
		}
	}
	return bad;
}

TEST_F(views, debugfs_tells_the_counters_of_a_space_as_the_ioctl_does)
{
	char *text = vmd_space_file(self->id, "stats");
	struct vmd_stats s;

	ASSERT_NE(NULL, text);
	ASSERT_EQ(0, vmd_stats(self->fd, &s));
	EXPECT_EQ(0, differing_counters(text, &s));
}

static int module_stats(int fd, struct vmd_stats *s)
{
	memset(s, 0, sizeof(*s));
	s->flags = VMD_STATS_MODULE;
	return ioctl(fd, VMD_IOC_GET_STATS, s);
}

TEST_F(views, proc_tells_the_counters_of_the_module_as_the_ioctl_does)
{
	struct vmd_stats s;
	char *text;

	ASSERT_EQ(0, module_stats(self->fd, &s));
	text = vmd_read_file(VMD_PROC "stats");
	ASSERT_NE(NULL, text);
	EXPECT_EQ(0, differing_counters(text, &s));
}

TEST_F(views, debugfs_tells_the_counters_of_the_module_as_the_ioctl_does)
{
	struct vmd_stats s;
	char *text;

	ASSERT_EQ(0, module_stats(self->fd, &s));
	text = vmd_read_file(VMD_DEBUGFS "stats");
	ASSERT_NE(NULL, text);
	EXPECT_EQ(0, differing_counters(text, &s));
}

TEST_F(views, proc_stats_is_the_spaces_the_counters_and_32_buckets_by_name)
{
	char *text = vmd_read_file(VMD_PROC "stats");
	struct vmd_stats s;
	char name[40];
	__u64 value;
	int i;

	ASSERT_NE(NULL, text);
	ASSERT_EQ(0, module_stats(self->fd, &s));
	EXPECT_EQ(1 + VMD_NR_COUNTERS + VMD_LATENCY_BUCKETS,
		  count_lines(text));
	EXPECT_TRUE(vmd_value(text, "spaces", &value));
	EXPECT_LE(1, value);
	for (i = 0; i < VMD_LATENCY_BUCKETS; i++) {
		snprintf(name, sizeof(name), "latency_ns_%llu", 1ULL << i);
		EXPECT_TRUE(vmd_value(text, name, &value)) {
			TH_LOG("no %s", name);
		}
		EXPECT_EQ(s.latency[i], value);
	}
}

TEST_F(views, proc_stats_counts_the_spaces)
{
	__u64 before = 0, with = 0, after = 0;
	int fd;

	vmd_value(vmd_read_file(VMD_PROC "stats"), "spaces", &before);
	ASSERT_OPEN(fd);
	vmd_value(vmd_read_file(VMD_PROC "stats"), "spaces", &with);
	close(fd);
	vmd_value(vmd_read_file(VMD_PROC "stats"), "spaces", &after);
	EXPECT_EQ(before + 1, with);
	EXPECT_EQ(before, after);
}

/* The value of " key=" in a line of /proc/vmdemo/spaces; comm goes to its end. */
static const char *field(const char *line, const char *key)
{
	static char value[128];
	char name[32];
	const char *at;
	size_t len;

	snprintf(name, sizeof(name), "%s=", key);
	at = strstr(line, name);
	if (!at)
		return "";
	at += strlen(name);
	len = strcspn(at, strcmp(key, "comm") ? " " : "\n");
	snprintf(value, sizeof(value), "%.*s", (int)len, at);
	return value;
}

TEST_F(views, proc_spaces_has_a_line_for_the_space)
{
	char *line = vmd_space_line(self->id);
	struct vmd_stats s;

	ASSERT_NE(NULL, line);
	ASSERT_EQ(0, vmd_stats(self->fd, &s));
	EXPECT_EQ(getuid(), strtoul(field(line, "uid"), NULL, 10));
	EXPECT_EQ(getpid(), atoi(field(line, "pid")));
	EXPECT_EQ(PAGES * vmd_ps, strtoul(field(line, "size"), NULL, 10));
	EXPECT_EQ(FRAMES, atoi(field(line, "budget")));
	EXPECT_EQ(s.resident, strtoul(field(line, "resident"), NULL, 10));
	EXPECT_EQ(s.dirty, strtoul(field(line, "dirty"), NULL, 10));
	EXPECT_STREQ("lru", field(line, "policy"));
	EXPECT_STREQ("fault", field(line, "observer"));
	EXPECT_STREQ("swap", field(line, "store"));
	EXPECT_STREQ(COMM, field(line, "comm"));
}

TEST_F(views, proc_spaces_fields_come_in_the_documented_order)
{
	static const char *const keys[] = {
		"uid=", "pid=", "size=", "budget=", "resident=", "dirty=",
		"policy=", "observer=", "store=", "flags=", "live=",
		"placement=", "comm=",
	};
	char *at = vmd_space_line(self->id);
	size_t i;

	ASSERT_NE(NULL, at);
	for (i = 0; i < ARRAY_SIZE(keys); i++) {
		ASSERT_EQ(0, strncmp(at, keys[i], strlen(keys[i]))) {
			TH_LOG("%s expected at '%s'", keys[i], at);
		}
		at += strcspn(at, " ");
		at += *at == ' ';
	}
}

TEST_F(views, a_strange_program_name_cannot_forge_a_line)
{
	int lines = count_lines(vmd_read_file(VMD_PROC "spaces"));
	int fd;

	prctl(PR_SET_NAME, "a\n77 uid=0");
	ASSERT_OPEN(fd);
	EXPECT_EQ(lines + 1, count_lines(vmd_read_file(VMD_PROC "spaces")));
	EXPECT_EQ(NULL, vmd_space_line(77));
	close(fd);
}

static int missing_policies(const char *path)
{
	char *text = vmd_read_file(path);
	const char *const *p;
	char about[256];
	int bad = 0;

	for (p = vmd_policy_names; *p; p++)
		bad += count_name(text, *p) != 1 ||
		       !vmd_word(text, *p, about, sizeof(about)) ||
		       strlen(about) < 4;
	free(text);
	return bad;
}

TEST(policies_are_listed_with_a_text_in_proc_and_debugfs)
{
	EXPECT_EQ(0, missing_policies(VMD_PROC "policies"));
	EXPECT_EQ(0, missing_policies(VMD_DEBUGFS "policies"));
}

TEST_F(views, debugfs_config_tells_how_the_space_is_set_up)
{
	char *text = vmd_space_file(self->id, "config");
	__u64 value;
	char word[80];

	ASSERT_NE(NULL, text);
	EXPECT_TRUE(vmd_value(text, "id", &value) && value == self->id);
	EXPECT_TRUE(vmd_value(text, "uid", &value) && value == getuid());
	EXPECT_TRUE(vmd_value(text, "pid", &value) &&
		    value == (__u64)getpid());
	EXPECT_TRUE(vmd_value(text, "size", &value) &&
		    value == PAGES * vmd_ps);
	EXPECT_TRUE(vmd_value(text, "budget", &value) && value == FRAMES);
	EXPECT_TRUE(vmd_word(text, "policy", word, sizeof(word)));
	EXPECT_STREQ("lru", word);
	EXPECT_TRUE(vmd_word(text, "observer", word, sizeof(word)));
	EXPECT_STREQ("fault", word);
	EXPECT_TRUE(vmd_word(text, "store", word, sizeof(word)));
	EXPECT_STREQ("swap", word);
}

static void format_page(char *line, size_t len, int i, const struct vmd_page *p)
{
	static const char *const states[] = {
		"absent", "filling", "resident", "evicting", "swapped"
	};
	char slot[24] = "-";

	if (p->flags & VMD_PAGE_SLOT)
		snprintf(slot, sizeof(slot), "%llu",
			 (unsigned long long)p->slot);
	snprintf(line, len,
		 "%d %s dirty=%d accessed=%d mapped=%d pinned=%d faults=%u slot=%s\n",
		 i, states[p->state],
		 !!(p->flags & VMD_PAGE_DIRTY),
		 !!(p->flags & VMD_PAGE_ACCESSED),
		 !!(p->flags & VMD_PAGE_MAPPED),
		 !!(p->flags & VMD_PAGE_PINNED), p->faults, slot);
}

/* A page without content may have no line; every other one has. */
TEST_F(views, debugfs_pages_tells_the_pages_as_the_ioctl_does)
{
	char *text = vmd_space_file(self->id, "pages"), *at;
	struct vmd_page page[PAGES];
	char line[160];
	int i, found = 0;

	ASSERT_NE(NULL, text);
	ASSERT_EQ(PAGES, vmd_pages(self->fd, 0, PAGES, page));
	for (i = 0; i < PAGES; i++) {
		format_page(line, sizeof(line), i, &page[i]);
		at = strstr(text, line);
		found += at && (at == text || at[-1] == '\n');
		if (page[i].state == VMD_PAGE_ABSENT)
			continue;
		EXPECT_NE(NULL, at) {
			TH_LOG("no line: %s", line);
		}
	}
	EXPECT_EQ(found, count_lines(text));
}

TEST_F(views, pages_and_counters_agree)
{
	struct vmd_page page[PAGES];
	__u64 misses = 0;
	struct vmd_stats s;
	int i;

	ASSERT_EQ(0, vmd_stats(self->fd, &s));
	ASSERT_EQ(PAGES, vmd_pages(self->fd, 0, PAGES, page));
	for (i = 0; i < PAGES; i++)
		misses += page[i].faults;
	EXPECT_EQ(s.misses, misses);
	EXPECT_EQ(s.resident, (__u64)
		  vmd_count_state(self->fd, 0, PAGES, VMD_PAGE_RESIDENT));
	EXPECT_EQ(2, vmd_count_flag(self->fd, 0, PAGES, VMD_PAGE_PINNED));
}

static const char *policy_view(__u64 id)
{
	return vmd_space_file(id, "policy") ?: "no such file";
}

TEST_F(views, debugfs_policy_lists_the_next_victim_first)
{
	static const int touched[] = { 1, 2, 3, 1 };
	static const char want[] = "policy lru\n2\n3\n1\n";
	__u64 id;
	char *map;
	int fd, i;

	ASSERT_OPEN(fd);
	id = vmd_id(fd);
	ASSERT_EQ(0, vmd_set(fd, "lru", "trap", 3));
	ASSERT_MAP(map, fd, 8);
	for (i = 0; i < 4; i++)
		ASSERT_EQ(0, vmd_read_signal(map + touched[i] * vmd_ps));
	EXPECT_STREQ(want, policy_view(id));
	EXPECT_STREQ(want, policy_view(id));
	ASSERT_EQ(0, vmd_read_signal(map + 4 * vmd_ps));
	EXPECT_STREQ("policy lru\n3\n1\n4\n", policy_view(id));
	close(fd);
}

TEST_F(views, counters_are_consistent_in_every_view)
{
	struct vmd_stats s;

	ASSERT_EQ(0, vmd_stats(self->fd, &s));
	EXPECT_EQ(s.references, s.hits + s.misses);
	EXPECT_EQ(s.misses, s.zero_fills + s.faults_major);
	EXPECT_EQ(s.evictions, s.evictions_clean + s.evictions_dirty);
	EXPECT_LE(s.faults_major, s.pages_read);
	EXPECT_LE(s.evictions_dirty, s.pages_written);
	EXPECT_LE(s.faults_write, vmd_faults(&s));
	EXPECT_LE(s.dirty, s.resident);
	EXPECT_LE(s.resident, s.budget);
	EXPECT_LT(0, s.evictions_dirty);
	EXPECT_LT(0, s.faults_major);
	EXPECT_EQ(0, s.io_errors);
}

TEST_F(views, the_latency_histogram_sums_to_the_number_of_faults)
{
	struct vmd_stats s;
	__u64 sum = 0;
	int i;

	ASSERT_EQ(0, vmd_stats(self->fd, &s));
	for (i = 0; i < VMD_LATENCY_BUCKETS; i++)
		sum += s.latency[i];
	EXPECT_LT(0, sum);
	EXPECT_EQ(vmd_faults(&s), sum);
}

static int is_level(const char *name)
{
	return !strcmp(name, "resident") || !strcmp(name, "dirty") ||
	       !strcmp(name, "budget") || !strcmp(name, "size");
}

TEST_F(views, reset_clears_what_grows_and_keeps_the_levels)
{
	struct vmd_stats before, s;
	__u64 sum = 0;
	int i;

	ASSERT_EQ(0, vmd_stats(self->fd, &before));
	ASSERT_EQ(0, vmd_reset(self->fd));
	ASSERT_EQ(0, vmd_stats(self->fd, &s));
	for (i = 0; i < VMD_NR_COUNTERS; i++) {
		const char *name = vmd_counter_names[i];

		EXPECT_EQ(is_level(name) ? vmd_counter(&before, name) : 0,
			  vmd_counter(&s, name));
	}
	for (i = 0; i < VMD_LATENCY_BUCKETS; i++)
		sum += s.latency[i];
	EXPECT_EQ(0, sum);
	EXPECT_EQ(0, differing_counters(vmd_space_file(self->id, "stats"),
					&s));
}

TEST(the_modules_counters_keep_those_of_spaces_that_are_gone)
{
	struct vmd_stats before, after;
	char *map;
	int fd;

	ASSERT_EQ(0, vmd_module_stats(&before));
	ASSERT_OPEN(fd);
	ASSERT_EQ(0, vmd_budget(fd, 4));
	ASSERT_MAP(map, fd, 16);
	vmd_fill_all(map, 16, 1);
	munmap(map, 16 * vmd_ps);
	close(fd);
	ASSERT_EQ(0, vmd_module_stats(&after));
	EXPECT_LE(before.zero_fills + 16, after.zero_fills);
	EXPECT_LE(before.evictions + 12, after.evictions);
	EXPECT_EQ(before.resident, after.resident);
}

static int cannot_read_debugfs(void *arg)
{
	static const char *const files[] = { "stats", "policies" };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(files); i++) {
		char path[128];

		snprintf(path, sizeof(path), VMD_DEBUGFS "%s", files[i]);
		if (vmd_read_file(path) || errno != EACCES)
			return 1;
	}
	return vmd_space_file(*(__u64 *)arg, "pages") || errno != EACCES;
}

TEST_F(views, debugfs_is_not_readable_by_others)
{
	EXPECT_EQ(0, vmd_as_user(VMD_NOBODY, cannot_read_debugfs, &self->id));
}

TEST_F(views, views_are_read_only)
{
	EXPECT_EQ(-1, vmd_write_file(VMD_PROC "stats", "0"));
	EXPECT_EQ(-1, vmd_write_file(VMD_PROC "spaces", "0"));
	EXPECT_EQ(-1, vmd_write_file(VMD_DEBUGFS "stats", "0"));
}

/* Whoever still has a file of a dead space open gets an end or an error. */
TEST_F(views, a_debugfs_file_kept_open_outlives_its_space_safely)
{
	char path[128], buffer[512];
	int file;

	snprintf(path, sizeof(path), VMD_DEBUGFS "spaces/%llu/pages",
		 (unsigned long long)self->id);
	file = open(path, O_RDONLY);
	ASSERT_LE(0, file);
	munmap(self->map, PAGES * vmd_ps);
	close(self->fd);
	EXPECT_GE((ssize_t)sizeof(buffer), read(file, buffer, sizeof(buffer)));
	close(file);
	EXPECT_EQ(-1, access(path, F_OK));
}

TEST_HARNESS_MAIN
