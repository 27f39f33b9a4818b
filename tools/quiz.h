/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * vmdemoctl quiz: what happens next in a simulated space?
 *
 *	quiz_reason.c	why it is so
 *	quiz_show.c	questions and answers, as text and JSON
 *	cmd_quiz.c	options, what is asked, the answers given
 */
#ifndef _CTL_QUIZ_H
#define _CTL_QUIZ_H

#include "lab.h"

/* More frames than that nobody wants to name. */
#define QUIZ_MOST_FRAMES	64
#define QUIZ_TEXT		512

enum quiz_kind {
	QUIZ_HIT,			/* hit or miss? */
	QUIZ_VICTIM,			/* which page goes? */
	QUIZ_FRAMES,			/* which pages are in the frames then? */
	QUIZ_KINDS,
};

/* What is known of a page; references count from 1, 0 is none. */
struct quiz_page {
	u32 came;			/* at which reference */
	u32 used;			/* last */
	u32 uses;			/* since it came */
};

/**
 * struct quiz_question - one reference, and what is asked about it
 * @kind: what is asked
 * @at: the reference's number, from 1
 * @page: what it refers to, as a small number
 * @write: it is a write
 * @before: the pages in the frames before it, in the order they came
 * @nr_before: how many
 * @after: those after it
 * @nr_after: how many
 * @hit: the page was in a frame
 * @evicted: a page had to go
 * @victim: which one
 * @why: why that one, as the policy tells it
 * @reason: all of it, for the reader
 */
struct quiz_question {
	enum quiz_kind kind;
	u32 at;
	u32 page;
	bool write;
	u32 before[QUIZ_MOST_FRAMES];
	u32 nr_before;
	u32 after[QUIZ_MOST_FRAMES];
	u32 nr_after;
	bool hit;
	bool evicted;
	u32 victim;
	struct vmd_reason why;
	char reason[QUIZ_TEXT];
};

/**
 * struct quiz - a run
 * @trace: the string
 * @policy: who decides
 * @sim: the space
 * @pages: by small number
 * @now: the question under way
 * @asked: by reference: whether, and what, is asked there; QUIZ_KINDS: nothing
 * @seed: what chose these
 */
struct quiz {
	struct lab_trace trace;
	struct lab_policy policy;
	struct vmd_sim sim;
	struct quiz_page *pages;
	struct quiz_question now;
	u8 *asked;
	u64 seed;
};

/* The true number of a page. */
static inline __u64 quiz_key(const struct quiz *quiz, u32 page)
{
	return quiz->trace.keys[page];
}

/* Fill quiz->now.reason, from what was known before the reference. */
void quiz_explain(struct quiz *quiz);

extern const char *const quiz_kinds[QUIZ_KINDS];

void quiz_show_head(const struct quiz *quiz, u32 asked);
void quiz_show_question(const struct quiz *quiz, u32 number);
void quiz_show_answer(const struct quiz *quiz);
struct json_object *quiz_json_question(const struct quiz *quiz);

/* Whether what the user wrote is right; -1: it cannot be understood. */
int quiz_check(const struct quiz *quiz, const char *answer);

#endif /* _CTL_QUIZ_H */
