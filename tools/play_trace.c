// SPDX-License-Identifier: GPL-2.0-only
/* vmdemoctl play: what to touch, from the command line or a file. */
#include "play.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "output.h"

#define PLAY_WANTED	"want a page number, with w for a write: 12 or 12w"

/* The longest line of a trace file, its end included. */
#define PLAY_LINE	1024

static const char *play_append(struct play_refs *refs, struct play_ref ref)
{
	size_t size = refs->size ? refs->size * 2 : 64;
	struct play_ref *more;

	if (refs->nr == refs->size) {
		more = realloc(refs->refs, size * sizeof(*more));
		if (!more)
			return "too many references for the memory there is";
		refs->refs = more;
		refs->size = size;
	}
	refs->refs[refs->nr++] = ref;
	if (ref.page > refs->last_page)
		refs->last_page = ref.page;
	return NULL;
}

/* "12" or "12w", where blanks may come before the w if @blanks. */
static const char *play_parse(struct play_refs *refs, const char *text, bool blanks)
{
	struct play_ref ref = { 0 };
	const char *end, *why;
	__u64 page;

	why = ctl_scan_number(text, &end, &page);
	if (why)
		return isdigit((unsigned char)*text) ? why : PLAY_WANTED;
	if (page >> 62)
		return "the number is too large";
	if (blanks)
		end += strspn(end, " \t");
	ref.page = page;
	ref.write = *end == 'w' || *end == 'W';
	return end[ref.write] ? PLAY_WANTED : play_append(refs, ref);
}

static int play_bad_text(const char *where, const char *text, const char *why)
{
	char shown[64];

	return ctl_usage("%s'%s': %s", where, ctl_printable(text, shown, sizeof(shown)),
			 why);
}

static int play_add_words(struct play_refs *refs, char *words)
{
	char *save, *word;
	const char *why;

	for (word = strtok_r(words, " \t\n,", &save); word;
	     word = strtok_r(NULL, " \t\n,", &save)) {
		why = play_parse(refs, word, false);
		if (why)
			return play_bad_text("", word, why);
	}
	return CTL_OK;
}

int play_add_text(struct play_refs *refs, const char *text)
{
	char *words = strdup(text);
	int status = words ? play_add_words(refs, words) : ctl_fail("out of memory");

	free(words);
	return status;
}

/* Cut off the comment and the blanks on both sides. */
static char *play_strip(char *line)
{
	size_t length;

	line[strcspn(line, "#")] = 0;
	line += strspn(line, " \t\r\n");
	length = strlen(line);
	while (length && isspace((unsigned char)line[length - 1]))
		line[--length] = 0;
	return line;
}

static int play_add_line(struct play_refs *refs, char *line, const char *path,
			 size_t number)
{
	const char *text = play_strip(line);
	const char *why = *text ? play_parse(refs, text, true) : NULL;
	char where[128];

	if (!why)
		return CTL_OK;
	snprintf(where, sizeof(where), "%.90s:%zu: ", path, number);
	return play_bad_text(where, text, why);
}

/* fgets() hides a NUL in the line; either way the end of the line is missing. */
static bool play_whole_line(const char *line, FILE *file)
{
	return strchr(line, '\n') || (feof(file) && *line);
}

static int play_read(struct play_refs *refs, FILE *file, const char *path)
{
	char line[PLAY_LINE];
	size_t number = 0;
	int status = CTL_OK;

	while (!status && fgets(line, sizeof(line), file)) {
		number++;
		if (play_whole_line(line, file))
			status = play_add_line(refs, line, path, number);
		else
			status = ctl_usage("%s:%zu: not text, or longer than %d characters",
					   path, number, PLAY_LINE - 2);
	}
	if (!status && ferror(file))
		status = ctl_fail("%s: %s", path, strerror(errno));
	return status;
}

int play_add_file(struct play_refs *refs, const char *path)
{
	FILE *file;
	int status;

	if (!strcmp(path, "-"))
		return play_read(refs, stdin, "standard input");
	file = fopen(path, "re");
	if (!file)
		return ctl_fail("%s: %s", path, strerror(errno));
	status = play_read(refs, file, path);
	fclose(file);
	return status;
}

void play_refs_free(struct play_refs *refs)
{
	free(refs->refs);
	*refs = (struct play_refs){ 0 };
}
