// SPDX-License-Identifier: GPL-2.0-only
/* vmdemoctl play: what to touch, from the command line or a file. */
#include "play.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "output.h"
#include "trace_map.h"

#define PLAY_WANTED	"want a page number, with w for a write: 12 or 12w"

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

/* "12" or "12w" */
static const char *play_parse(struct play_refs *refs, const char *text)
{
	struct play_ref ref = { 0 };
	const char *end, *why;
	__u64 page;

	why = ctl_scan_number(text, &end, &page);
	if (why)
		return isdigit((unsigned char)*text) ? why : PLAY_WANTED;
	if (page >> 62)
		return "the number is too large";
	ref.page = page;
	ref.write = *end == 'w' || *end == 'W';
	return end[ref.write] ? PLAY_WANTED : play_append(refs, ref);
}

static int play_bad_text(const char *text, const char *why)
{
	char shown[64];

	return ctl_usage("'%s': %s", ctl_printable(text, shown, sizeof(shown)), why);
}

static int play_add_words(struct play_refs *refs, char *words)
{
	char *save, *word;
	const char *why;

	for (word = strtok_r(words, " \t\n,", &save); word;
	     word = strtok_r(NULL, " \t\n,", &save)) {
		why = play_parse(refs, word);
		if (why)
			return play_bad_text(word, why);
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

/* Numbers in the order of first use, from 0. */
static const char *play_renumber(struct trace_map *map, u64 *page)
{
	u64 *number = trace_map_value(map, *page);

	if (!number)
		return "too many pages for the memory there is";
	if (!*number)
		*number = map->nr;
	*page = *number - 1;
	return NULL;
}

static int play_add_record(struct play_refs *refs, const struct trace_in *in,
			   struct trace_map *map, bool renumber)
{
	struct play_ref ref = { .write = !!in->ref.write };
	u64 page = in->ref.page;
	const char *why = renumber ? play_renumber(map, &page) : NULL;

	if (!why && page >> 62)
		why = "the number of a page is too large: --renumber may do";
	ref.page = page;
	if (!why)
		why = play_append(refs, ref);
	return why ? ctl_usage("%s: reference %llu: %s", in->name, (__u64)in->records, why) :
		     CTL_OK;
}

/* What left, leaves by itself when it is played. */
static int play_add_all(struct play_refs *refs, struct trace_in *in, bool renumber)
{
	struct trace_map map = { 0 };
	int status;

	while (!(status = trace_next(in))) {
		if (in->ref.kind == VMD_TRACE_EVICT)
			continue;
		status = play_add_record(refs, in, &map, renumber);
		if (status)
			break;
	}
	free(map.entries);
	return status == TRACE_END ? CTL_OK : status;
}

int play_add_file(struct play_refs *refs, const char *path,
		  const struct trace_options *options, bool renumber)
{
	struct trace_in in;
	int status = trace_open(&in, path, options);

	if (!status)
		status = play_add_all(refs, &in, renumber);
	if (!status)
		trace_warn(&in);
	trace_close(&in);
	return status;
}

void play_refs_free(struct play_refs *refs)
{
	free(refs->refs);
	*refs = (struct play_refs){ 0 };
}
