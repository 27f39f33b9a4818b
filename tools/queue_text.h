/* SPDX-License-Identifier: GPL-2.0-only */
/* A page in a policy's queue, in a few characters. */
#ifndef _CTL_QUEUE_TEXT_H
#define _CTL_QUEUE_TEXT_H

#include "../module/policy/port.h"
#include "../uapi/vmdemo_queues.h"

#define QUEUE_TEXT	48

/*
 * In @buf of QUEUE_TEXT: what points at it (>, of CLOCK-Pro's other hands hot> and
 * test>), the page, h for hot, t for in test, r for referenced, m for modified,
 * :N for its number; a ghost is in parentheses.
 */
const char *queue_text(char *buf, u64 page, u32 flags, u64 number);

#endif /* _CTL_QUEUE_TEXT_H */
