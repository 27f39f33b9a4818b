// SPDX-License-Identifier: GPL-2.0-only
/*
 * vmdemoctl play: which page is in which frame, as the kernel tells.
 *
 * The counters tell whether a reference missed and whether pages were evicted;
 * which, the states of the pages known to be resident tell, and these are read
 * only when something has gone or come that the reference itself does not
 * account for. Nothing here guesses what a policy would do.
 */
#include "play.h"

#include <stdlib.h>
#include <string.h>

/* Pages asked for with one call. */
#define PLAY_WINDOW	1024

/* Index in frames->sorted of the first page that is not below @page. */
static size_t play_search(const struct play_frames *frames, __u64 page)
{
	size_t low = 0, high = frames->nr;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (frames->sorted[middle] < page)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static bool play_known(const struct play_frames *frames, __u64 page)
{
	size_t i = play_search(frames, page);

	return i < frames->nr && frames->sorted[i] == page;
}

static size_t play_position(const struct play_frames *frames, __u64 page)
{
	size_t i;

	for (i = 0; i < frames->used; i++)
		if (frames->page[i] == page)
			break;
	return i;
}

/* There may be a few more than the budget: the reserve. */
static bool play_grow(struct play *play)
{
	struct play_frames *frames = &play->frames;
	size_t size = frames->size ? frames->size * 2 : 16;
	__u64 *page = realloc(frames->page, size * sizeof(*page));
	__u64 *sorted = page ? realloc(frames->sorted, size * sizeof(*sorted)) : NULL;
	__u64 *evicted = sorted ? realloc(play->event.evicted, size * sizeof(*evicted)) : NULL;

	if (page)
		frames->page = page;
	if (sorted)
		frames->sorted = sorted;
	if (!evicted)
		return false;
	play->event.evicted = evicted;
	frames->size = size;
	return true;
}

/* A page that comes takes the place of the one that went for it, if any. */
static int play_insert(struct play *play, __u64 page)
{
	struct play_frames *frames = &play->frames;
	size_t place = frames->hole, i = play_search(frames, page);

	if (i < frames->nr && frames->sorted[i] == page)
		return CTL_OK;
	if (frames->hole == PLAY_EMPTY)
		place = play_position(frames, PLAY_EMPTY);
	if (place == frames->size && !play_grow(play))
		return ctl_fail("out of memory");
	if (place == frames->used)
		frames->used++;
	memmove(&frames->sorted[i + 1], &frames->sorted[i],
		(frames->nr - i) * sizeof(*frames->sorted));
	frames->sorted[i] = page;
	frames->nr++;
	frames->page[place] = page;
	frames->hole = PLAY_EMPTY;
	return CTL_OK;
}

static void play_remove(struct play *play, __u64 page)
{
	struct play_frames *frames = &play->frames;
	size_t i = play_search(frames, page), place = play_position(frames, page);

	if (frames->hole == PLAY_EMPTY)
		frames->hole = place;
	frames->page[place] = PLAY_EMPTY;
	frames->nr--;
	memmove(&frames->sorted[i], &frames->sorted[i + 1],
		(frames->nr - i) * sizeof(*frames->sorted));
	play->event.evicted[play->event.nr_evicted++] = page;
}

/* One that is leaving may still be taken back: it goes when it is gone. */
static bool play_is_resident(const struct vmd_page *page)
{
	return page->state == VMD_PAGE_RESIDENT || page->state == VMD_PAGE_EVICTING;
}

/* The known pages from index @from on that one call can ask for. */
static struct ctl_range play_window(const struct play_frames *frames, size_t from)
{
	struct ctl_range window = { .first = frames->sorted[from] };

	for (; from < frames->nr; from++) {
		__u64 count = frames->sorted[from] - window.first + 1;

		if (count > PLAY_WINDOW)
			break;
		window.count = count;
	}
	return window;
}

/* Take out of the frames what the kernel says is no longer resident. */
static int play_find_evicted(struct play *play)
{
	struct play_frames *frames = &play->frames;
	struct vmd_page pages[PLAY_WINDOW];
	struct ctl_range window;
	size_t i = 0;
	int status;

	while (i < frames->nr) {
		window = play_window(frames, i);
		status = ctl_get_pages(&play->space, &window, pages);
		if (status)
			return status;
		while (i < frames->nr && frames->sorted[i] - window.first < window.count) {
			if (play_is_resident(&pages[frames->sorted[i] - window.first]))
				i++;
			else
				play_remove(play, frames->sorted[i]);
		}
	}
	return CTL_OK;
}

/* Pages may have come unasked: read ahead. Look for them around @page. */
static int play_find_others(struct play *play, __u64 page)
{
	struct vmd_page pages[PLAY_WINDOW];
	struct ctl_range window = { .count = PLAY_WINDOW };
	__u64 i;
	int status;

	window.first = page > PLAY_WINDOW / 2 ? page - PLAY_WINDOW / 2 : 0;
	status = ctl_get_pages(&play->space, &window, pages);
	for (i = 0; !status && i < window.count; i++)
		if (play_is_resident(&pages[i]))
			status = play_insert(play, window.first + i);
	return status;
}

static void play_compare(struct play *play, const struct vmd_stats *now)
{
	const struct vmd_stats *before = &play->stats;
	struct play_event *event = &play->event;

	event->ref = play->refs.refs[play->at];
	event->miss = now->misses != before->misses;
	event->clean = now->evictions_clean - before->evictions_clean;
	event->dirty = now->evictions_dirty - before->evictions_dirty;
	event->written = now->pages_written - before->pages_written;
	event->read = now->pages_read - before->pages_read;
	event->nr_evicted = 0;
}

static int play_update(struct play *play, const struct vmd_stats *now)
{
	struct play_frames *frames = &play->frames;
	bool evictions = now->evictions != play->stats.evictions;
	__u64 page = play->event.ref.page;
	int status = CTL_OK;

	frames->hole = PLAY_EMPTY;
	/* It had gone unseen since it was touched last, and has come back. */
	if (play->event.miss && play_known(frames, page))
		play_remove(play, page);
	if (evictions || now->resident != frames->nr + !play_known(frames, page))
		status = play_find_evicted(play);
	if (!status)
		status = play_insert(play, page);
	if (!status && now->resident > frames->nr)
		status = play_find_others(play, page);
	return status;
}

int play_look(struct play *play)
{
	struct vmd_stats now;
	int status = ctl_get_stats(&play->space, 0, &now);

	if (status)
		return status;
	play_compare(play, &now);
	status = play_update(play, &now);
	play->stats = now;
	return status;
}

void play_frames_free(struct play *play)
{
	free(play->frames.page);
	free(play->frames.sorted);
	free(play->event.evicted);
}
