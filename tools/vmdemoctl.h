/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * vmdemoctl: what its files share - verbs, common options, errors.
 *
 * Functions that can fail return 0 or an exit status (enum ctl_status) and
 * have told the user by then; the caller only passes the status on.
 */
#ifndef _VMDEMOCTL_H
#define _VMDEMOCTL_H

#include <argp.h>
#include <stdbool.h>
#include <stddef.h>

#include "../module/policy/port.h"
#include "../uapi/vmdemo.h"

#define __printf(a, b)	__attribute((__format__(__printf__, a, b)))

enum ctl_status {
	CTL_OK	   = 0,
	CTL_FAILED = 1,		/* the operation failed */
	CTL_USAGE  = 2,		/* it was asked for in a wrong way */
};

/**
 * struct ctl_verb - one verb of the command line
 * @name: as the user writes it
 * @text: what it does, in a phrase
 * @run: gets the arguments from the verb on, returns an exit status
 */
struct ctl_verb {
	const char *name;
	const char *text;
	int (*run)(int argc, char **argv);
};

int cmd_advise(int argc, char **argv);
int cmd_compare(int argc, char **argv);
int cmd_convert(int argc, char **argv);
int cmd_exec(int argc, char **argv);
int cmd_future(int argc, char **argv);
int cmd_heatmap(int argc, char **argv);
int cmd_run(int argc, char **argv);
int cmd_info(int argc, char **argv);
int cmd_list(int argc, char **argv);
int cmd_pages(int argc, char **argv);
int cmd_mrc(int argc, char **argv);
int cmd_play(int argc, char **argv);
int cmd_policies(int argc, char **argv);
int cmd_punch(int argc, char **argv);
int cmd_quiz(int argc, char **argv);
int cmd_record(int argc, char **argv);
int cmd_report(int argc, char **argv);
int cmd_set(int argc, char **argv);
int cmd_shadow(int argc, char **argv);
int cmd_simulate(int argc, char **argv);
int cmd_stats(int argc, char **argv);
int cmd_step(int argc, char **argv);
int cmd_swapin(int argc, char **argv);
int cmd_swapout(int argc, char **argv);
int cmd_sync(int argc, char **argv);
int cmd_slots(int argc, char **argv);
int cmd_tables(int argc, char **argv);
int cmd_tlb(int argc, char **argv);
int cmd_walk(int argc, char **argv);
int cmd_watch(int argc, char **argv);
int cmd_top(int argc, char **argv);

/* Options that every verb takes, before or after its name. */
struct ctl_options {
	const char *device;
	bool json;
};

extern struct ctl_options ctl_options;

/* The parser of the common options, as the children of a verb's own. */
extern const struct argp_child ctl_common[];

/* argp_parse() for a verb: never returns after --help or a bad option. */
void ctl_parse_args(const struct argp *argp, int argc, char **argv, void *input);

/* The same for a verb behind whose first word options are no more its own. */
void ctl_parse_command(const struct argp *argp, int argc, char **argv, void *input);

#define CTL_WORDS	3

/**
 * struct ctl_words - the arguments of a verb that are no options
 * @names: what they are called in errors, NULL behind the last one allowed
 * @required: how many must be given
 * @nr: how many were
 * @word: these
 */
struct ctl_words {
	const char *names[CTL_WORDS + 1];
	int required;
	int nr;
	const char *word[CTL_WORDS];
};

/* What a verb's argp parser leaves to this: gathers and counts the words. */
error_t ctl_word(int key, const char *arg, struct argp_state *state,
		 struct ctl_words *words);

/* The number that an option's @text is, from @least to @most; else a usage error. */
__u64 ctl_option_number(struct argp_state *state, const char *name, const char *text,
			__u64 least, __u64 most);

/* An argp parser for verbs with no options of their own; input: the words. */
error_t ctl_words_only(int key, char *arg, struct argp_state *state);

/* Behind "no such file: ". */
#define CTL_LOADED	"is the module loaded (modprobe vmdemo)?"

/* Print "vmdemoctl VERB: ..." on stderr; return CTL_FAILED, CTL_USAGE. */
__printf(1, 2) int ctl_fail(const char *fmt, ...);
__printf(1, 2) int ctl_usage(const char *fmt, ...);

#endif /* _VMDEMOCTL_H */
