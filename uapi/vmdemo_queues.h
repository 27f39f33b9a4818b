/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/*
 * vmdemo - what is known of a page in a queue of its replacement policy, for
 * those who look at it (VMD_IOC_QUEUES) and for the policies themselves.
 */
#ifndef _UAPI_VMDEMO_QUEUES_H
#define _UAPI_VMDEMO_QUEUES_H

/* vmd_queued.flags */
#define VMD_QUEUED_REFERENCED	0x001	/* used since its mark was cleared */
#define VMD_QUEUED_MODIFIED	0x002	/* known to be written */
#define VMD_QUEUED_GHOST	0x004	/* is gone, and remembered */
#define VMD_QUEUED_NUMBER	0x008	/* vmd_queued.number is told */
#define VMD_QUEUED_HOT		0x010	/* hot (CLOCK-Pro), LIR (LIRS) */
#define VMD_QUEUED_TEST		0x020	/* in its test period (CLOCK-Pro) */
#define VMD_QUEUED_HAND		0x040	/* the hand points at it; HAND_cold */
#define VMD_QUEUED_HAND_HOT	0x080	/* HAND_hot points at it */
#define VMD_QUEUED_HAND_TEST	0x100	/* HAND_test points at it */

#endif /* _UAPI_VMDEMO_QUEUES_H */
