/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _VMD_VERSION_H
#define _VMD_VERSION_H

#define VMD_VERSION	"0.1.0"

#endif /* _VMD_VERSION_H */
