/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Encryption of what goes to a store: see crypt.c.
 */
#ifndef _VMD_CRYPT_H
#define _VMD_CRYPT_H

#include <linux/types.h>

struct bio_vec;
struct vmd_crypt;
struct vmd_io;
struct vmd_space;

struct vmd_crypt *vmd_crypt_alloc(void);
void vmd_crypt_free(struct vmd_crypt *crypt);
int vmd_crypt_switch(struct vmd_space *space, struct vmd_crypt **crypt);

/* Places held by a space: while it has any its key does not change. */
void vmd_places_hold(struct vmd_space *space, u32 nr);
void vmd_places_let_go(struct vmd_space *space, u32 nr);

void vmd_crypt_write(struct vmd_space *space, struct vmd_io *ios, u32 nr);
void vmd_crypt_written(struct vmd_space *space, struct bio_vec *bvec, u32 nr);
int vmd_crypt_read(struct vmd_space *space, struct vmd_io *io);

#endif /* _VMD_CRYPT_H */
