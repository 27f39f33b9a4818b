/* SPDX-License-Identifier: GPL-2.0-only */
/* What glibc calls its own malloc() and the like; in none of its headers. */
#ifndef _VMD_DEMO_LIBC_H
#define _VMD_DEMO_LIBC_H

#include <stddef.h>

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *p, size_t size);
void __libc_free(void *p);

#endif /* _VMD_DEMO_LIBC_H */
