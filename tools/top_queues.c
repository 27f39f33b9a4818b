// SPDX-License-Identifier: GPL-2.0-only
/* vmdemoctl top: the queues that a space's policy keeps its pages in. */
#include <sys/ioctl.h>

#include "top.h"

/* An older module does not know the call: they are unknown then. */
void top_read_queues(struct top_queues *queues, int fd)
{
	queues->ask = (struct vmd_queues){
		.queued = (uintptr_t)queues->queued,
		.count = ARRAY_SIZE(queues->queued),
		.each = TOP_QUEUED,
	};
	queues->known = !ioctl(fd, VMD_IOC_QUEUES, &queues->ask);
}
