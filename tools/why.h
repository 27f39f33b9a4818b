/* SPDX-License-Identifier: GPL-2.0-only */
/* Why a policy chose a page, as a phrase: of a code and its numbers. */
#ifndef _CTL_WHY_H
#define _CTL_WHY_H

#include "../module/policy/port.h"
#include "../uapi/vmdemo_why.h"

#define WHY_TEXT	160		/* room enough for any phrase */

/* The phrase for an enum vmd_why and its numbers, in @buf of WHY_TEXT. */
const char *why_text(char *buf, u32 code, const u64 nr[VMD_WHY_NUMBERS]);

#endif /* _CTL_WHY_H */
