// SPDX-License-Identifier: GPL-2.0-only
/* Which addresses stand for which pages of the space. */
#include <string.h>

#include "preload.h"

struct pre_area pre_area[PRE_AREAS];
int pre_areas;
int pre_area_lock;

static off_t area_end(const struct pre_area *area)
{
	return area->offset + area->length;
}

/* The first place that is large enough: low offsets keep the space small. */
off_t pre_area_gap(size_t length)
{
	off_t offset = 0;
	int i;

	for (i = 0; i < pre_areas; i++) {
		if ((size_t)(pre_area[i].offset - offset) >= length)
			return offset;
		offset = area_end(&pre_area[i]);
	}
	return pre_config.size - offset >= length ? offset : -1;
}

static int area_insert(int at, const struct pre_area *area)
{
	if (pre_areas == PRE_AREAS)
		return -1;
	memmove(&pre_area[at + 1], &pre_area[at], (pre_areas - at) * sizeof(*area));
	pre_area[at] = *area;
	pre_areas++;
	return 0;
}

int pre_area_add(char *start, size_t length, off_t offset)
{
	struct pre_area area = { start, length, offset };
	int i = 0;

	while (i < pre_areas && pre_area[i].offset < offset)
		i++;
	return area_insert(i, &area);
}

bool pre_area_piece(int i, const char *start, size_t length, struct pre_area *piece)
{
	const struct pre_area *area = &pre_area[i];
	const char *end = start + length, *area_stop = area->start + area->length;
	const char *from = start > area->start ? start : area->start;
	const char *to = end < area_stop ? end : area_stop;

	if (from >= to)
		return false;
	piece->start = (char *)from;
	piece->length = to - from;
	piece->offset = area->offset + (from - area->start);
	return true;
}

/* @piece is in area @i: what stays is on one side, both, or none. */
static void area_take(int i, const struct pre_area *piece)
{
	struct pre_area *area = &pre_area[i];
	struct pre_area rest = {
		.start = piece->start + piece->length,
		.length = area_end(area) - area_end(piece),
		.offset = area_end(piece),
	};

	/* Without room for two, the area keeps what it lost: that is only lost room. */
	if (piece->start > area->start && rest.length && area_insert(i + 1, &rest))
		return;
	if (piece->start > area->start)
		area->length = piece->start - area->start;
	else if (rest.length)
		*area = rest;
	else
		memmove(area, area + 1, (--pre_areas - i) * sizeof(*area));
}

void pre_area_cut(char *start, size_t length)
{
	struct pre_area piece;
	int i;

	for (i = pre_areas - 1; i > 0; i--) {
		if (!pre_area_piece(i, start, length, &piece))
			continue;
		pre_space_punch(piece.offset, piece.length);
		area_take(i, &piece);
	}
}

bool pre_area_has(const void *address)
{
	struct pre_area piece;
	int i;

	for (i = 0; i < pre_areas; i++)
		if (pre_area_piece(i, address, 1, &piece))
			return true;
	return false;
}
