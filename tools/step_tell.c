// SPDX-License-Identifier: GPL-2.0-only
/*
 * vmdemoctl step: a fault, from the access to the instruction restarted: in its
 * phases, or all at once where it was told of only then.
 */
#include "step.h"

#include <string.h>

#include "output.h"
#include "sim_explain.h"
#include "why.h"

#define STEP_LINE	"  %-13s "

static const char *const step_kinds[] = {
	[VMD_STEP_SOFT] = "soft",
	[VMD_STEP_ZERO] = "zero",
	[VMD_STEP_READ] = "read",
	[VMD_STEP_ILLEGAL] = "illegal",
	[VMD_STEP_FAILED] = "failed",
};

static const char *const step_phases[] = {
	[VMD_STEP_END] = "end",
	[VMD_STEP_BEGIN] = "begin",
	[VMD_STEP_VICTIM] = "victim",
};

static const char *step_kind(const struct vmd_step_fault *f)
{
	bool known = f->kind < ARRAY_SIZE(step_kinds) && step_kinds[f->kind];

	return known ? step_kinds[f->kind] : "unknown";
}

/* Why it is not halted, or NULL. */
static const char *step_not_halted(const struct vmd_step_fault *f)
{
	if (f->flags & VMD_STEP_HALTED)
		return NULL;
	if (f->flags & VMD_STEP_KERNEL)
		return "it is in a system call, which may hold locks";
	if (f->flags & VMD_STEP_OWN)
		return "it is of the process that steps";
	if (f->flags & VMD_STEP_SIGNAL)
		return "a signal came";
	return "it may not be tried again once more";
}

static void step_entry(const char *name, const struct vmd_page *page)
{
	printf(STEP_LINE "%s", name, ctl_page_state(page));
	if (page->flags & VMD_PAGE_DIRTY)
		printf(", dirty");
	if (page->flags & VMD_PAGE_SLOT)
		printf(", %sin slot %llu", page->state == VMD_PAGE_SWAPPED ? "" :
		       page->flags & VMD_PAGE_DIRTY ? "an old copy " : "a copy ",
		       (__u64)page->slot);
}

static void step_tell_room(const struct vmd_step_fault *f)
{
	if (f->used < f->frames)
		printf(STEP_LINE "%llu of %llu free\n", "frames", f->frames - f->used,
		       f->frames);
	else
		printf(STEP_LINE "none free: %llu of %llu in use\n", "frames", f->used, f->frames);
}

static void step_tell_victim(const struct vmd_step_fault *f)
{
	char text[WHY_TEXT];

	printf(STEP_LINE "page %llu in frame %u. %.*s: %s\n", "victim", f->victim,
	       f->victim_frame, (int)sizeof(f->policy), f->policy,
	       why_text(text, f->why, (const u64 *)f->numbers));
}

static void step_tell_dirty(const struct vmd_step_fault *f)
{
	bool dirty = f->victim_entry.flags & VMD_PAGE_DIRTY;

	if (dirty && f->phase == VMD_STEP_VICTIM)
		printf(STEP_LINE "yes: it has to be written before its frame is free\n", "dirty");
	else if (dirty)
		printf(STEP_LINE "yes: written to slot %llu\n", "dirty", f->victim_slot);
	else if (f->victim_slot != ~0ULL)
		printf(STEP_LINE "no: slot %llu has its content\n", "dirty", f->victim_slot);
	else
		printf(STEP_LINE "no: never written to, it has no content but zeros\n", "dirty");
}

/* Is what was told before still true of the page that went? */
static bool step_as_told(const struct step_story *story, const struct vmd_step_fault *f)
{
	return story->victim_of == f->number && story->victim == f->victim &&
	       !memcmp(story->policy, f->policy, sizeof(f->policy));
}

/* Who had to go, if anybody. */
static void step_tell_evicted(const struct step_story *story, const struct vmd_step_fault *f)
{
	if (f->passed)
		printf(STEP_LINE "%u chosen but not taken: accessed meanwhile, or in use\n",
		       "victim", f->passed);
	if (!(f->flags & VMD_STEP_EVICTED)) {
		if (story->victim_of == f->number)
			printf(STEP_LINE "none after all: a frame became free\n", "victim");
		return;
	}
	if (step_as_told(story, f))
		printf(STEP_LINE "page %llu has left frame %u\n", "evicted", f->victim,
		       f->victim_frame);
	else
		step_tell_victim(f);
	step_tell_dirty(f);
	if (f->evicted > 1)
		printf(STEP_LINE "%u went in all; this was the last\n", "evicted", f->evicted);
}

static void step_tell_content(const struct vmd_step_fault *f)
{
	switch (f->kind) {
	case VMD_STEP_READ:
		if (f->before.flags & VMD_PAGE_SLOT)
			printf(STEP_LINE "read from slot %llu\n", "content", (__u64)f->before.slot);
		else
			printf(STEP_LINE "read from the store\n", "content");
		break;
	case VMD_STEP_ZERO:
		printf(STEP_LINE "zero-filled\n", "content");
		break;
	case VMD_STEP_SOFT:
		printf(STEP_LINE "is there: the page only has to be mapped\n", "content");
		break;
	case VMD_STEP_FAILED:
		printf(STEP_LINE "could not be had: %s\n", "content", strerror(f->error));
		break;
	}
}

static void step_tell_begin(const struct vmd_step_fault *f)
{
	printf("fault %llu: thread %u %s page %llu, address 0x%llx", f->number, f->thread,
	       f->flags & VMD_STEP_WRITE ? "writes" : "reads", f->page, f->address);
	if (f->ip)
		printf(", instruction 0x%llx", f->ip);
	putchar('\n');
	step_entry("entry before", &f->before);
	putchar('\n');
	printf(STEP_LINE "%s\n", "legal", f->kind == VMD_STEP_ILLEGAL ?
	       "no: the space has no such page: SIGBUS" : "yes");
	/* A soft fault needs no frame. */
	if (f->kind == VMD_STEP_ZERO || f->kind == VMD_STEP_READ || f->kind == VMD_STEP_FAILED)
		step_tell_room(f);
}

static void step_tell_end(const struct step_story *story, const struct vmd_step_fault *f)
{
	const char *why_not = step_not_halted(f);

	step_tell_evicted(story, f);
	step_tell_content(f);
	if (f->kind != VMD_STEP_ILLEGAL && f->kind != VMD_STEP_FAILED) {
		step_entry("entry after", &f->after);
		printf(", in frame %u\n", f->frame);
	}
	if (why_not)
		printf(STEP_LINE "the thread did not halt: %s\n", "restart", why_not);
	else if (f->kind == VMD_STEP_ILLEGAL)
		printf(STEP_LINE "none: the thread is sent the signal once it goes on\n",
		       "restart");
	else
		printf(STEP_LINE "the instruction, once the thread goes on\n", "restart");
}

/* Its beginning was told before, unless it could not halt. */
static bool step_was_begun(const struct step_story *story, const struct vmd_step_fault *f)
{
	return story->phases && f->phase != VMD_STEP_BEGIN &&
	       f->flags & (VMD_STEP_HALTED | VMD_STEP_SIGNAL);
}

void step_tell_text(struct step_story *story, const struct vmd_step_fault *f)
{
	if (!step_was_begun(story, f))
		step_tell_begin(f);
	else if (story->last != f->number)
		printf("fault %llu, of thread %u, goes on: page %llu\n", f->number, f->thread,
		       f->page);
	story->last = f->number;
	if (f->phase == VMD_STEP_END) {
		step_tell_end(story, f);
	} else if (f->phase == VMD_STEP_VICTIM) {
		step_tell_victim(f);
		step_tell_dirty(f);
		story->victim_of = f->number;
		story->victim = f->victim;
		memcpy(story->policy, f->policy, sizeof(story->policy));
	}
	if (f->phase != VMD_STEP_END && f->flags & VMD_STEP_SIGNAL)
		printf(STEP_LINE "a signal came: the thread takes it, and faults anew\n", "halt");
	if (f->lost)
		printf(STEP_LINE "%llu faults so far, as nobody read of them\n", "lost", f->lost);
}

static void step_json_page(struct json_object *object, const char *name,
			   const struct vmd_page *page)
{
	struct json_object *entry = json_object_new_object();

	ctl_json_add_text(entry, "state", ctl_page_state(page));
	ctl_json_add(entry, "dirty", json_object_new_boolean(page->flags & VMD_PAGE_DIRTY));
	if (page->flags & VMD_PAGE_SLOT)
		ctl_json_add_u64(entry, "slot", page->slot);
	ctl_json_add(object, name, entry);
}

static void step_json_victim(struct json_object *object, const struct vmd_step_fault *f)
{
	struct json_object *victim = json_object_new_object();
	char policy[VMD_NAME_LEN + 1] = "";

	memcpy(policy, f->policy, VMD_NAME_LEN);
	ctl_json_add_u64(victim, "page", f->victim);
	ctl_json_add_u64(victim, "frame", f->victim_frame);
	ctl_json_add(victim, "dirty",
		     json_object_new_boolean(f->victim_entry.flags & VMD_PAGE_DIRTY));
	if (f->victim_slot != ~0ULL)
		ctl_json_add_u64(victim, "slot", f->victim_slot);
	ctl_json_add_text(victim, "policy", policy);
	why_json(victim, f->why, (const u64 *)f->numbers);
	ctl_json_add(object, "victim", victim);
}

static void step_json_end(struct json_object *object, const struct vmd_step_fault *f)
{
	step_json_page(object, "after", &f->after);
	ctl_json_add_u64(object, "frame", f->frame);
	ctl_json_add_u64(object, "passed", f->passed);
	ctl_json_add_u64(object, "evicted", f->evicted);
}

void step_tell_json(const struct vmd_step_fault *f)
{
	struct json_object *object = json_object_new_object();

	ctl_json_add_u64(object, "number", f->number);
	ctl_json_add_u64(object, "time", f->time);
	ctl_json_add_u64(object, "thread", f->thread);
	ctl_json_add_u64(object, "address", f->address);
	ctl_json_add_u64(object, "page", f->page);
	ctl_json_add_u64(object, "ip", f->ip);
	ctl_json_add(object, "write", json_object_new_boolean(f->flags & VMD_STEP_WRITE));
	ctl_json_add(object, "halted", json_object_new_boolean(f->flags & VMD_STEP_HALTED));
	if (step_not_halted(f))
		ctl_json_add_text(object, "not_halted", step_not_halted(f));
	ctl_json_add_text(object, "phase", f->phase < ARRAY_SIZE(step_phases) ?
			  step_phases[f->phase] : "unknown");
	ctl_json_add_text(object, "kind", step_kind(f));
	if (f->kind == VMD_STEP_FAILED)
		ctl_json_add_text(object, "error", strerror(f->error));
	step_json_page(object, "before", &f->before);
	ctl_json_add_u64(object, "used", f->used);
	ctl_json_add_u64(object, "frames", f->frames);
	if (f->phase == VMD_STEP_END)
		step_json_end(object, f);
	if (f->flags & VMD_STEP_EVICTED || f->phase == VMD_STEP_VICTIM)
		step_json_victim(object, f);
	ctl_json_add_u64(object, "lost", f->lost);
	puts(json_object_to_json_string_ext(object, JSON_C_TO_STRING_PLAIN));
	json_object_put(object);
}
