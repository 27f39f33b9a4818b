// SPDX-License-Identifier: GPL-2.0-only
/* A page in a policy's queue, in a few characters. */
#include "queue_text.h"

#include <stdio.h>

const char *queue_text(char *buf, u64 page, u32 flags, u64 number)
{
	bool ghost = flags & VMD_QUEUED_GHOST;
	int at;

	at = snprintf(buf, QUEUE_TEXT, "%s%s%s%s%llu%s%s%s%s%s",
		      flags & VMD_QUEUED_HAND_HOT ? "hot>" : "",
		      flags & VMD_QUEUED_HAND_TEST ? "test>" : "",
		      flags & VMD_QUEUED_HAND ? ">" : "", ghost ? "(" : "", (__u64)page,
		      flags & VMD_QUEUED_HOT ? "h" : "", flags & VMD_QUEUED_TEST ? "t" : "",
		      flags & VMD_QUEUED_REFERENCED ? "r" : "",
		      flags & VMD_QUEUED_MODIFIED ? "m" : "", ghost ? ")" : "");
	if (flags & VMD_QUEUED_NUMBER && at < QUEUE_TEXT)
		snprintf(buf + at, QUEUE_TEXT - at, ":%llu", (__u64)number);
	return buf;
}
