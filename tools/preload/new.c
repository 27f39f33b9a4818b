// SPDX-License-Identifier: GPL-2.0-only
/*
 * operator new: as mimalloc's, but for what comes when there is no memory.
 *
 * Debian's mimalloc is made of C and cannot throw: it ends the program. The
 * program's C++ library can, if there is one; this file is compiled with tables
 * for exceptions to pass through (-fexceptions).
 */
#include <stdlib.h>

#include "preload.h"

/* mimalloc.h */
extern void *mi_malloc(size_t size) __attribute__((weak));
extern void *mi_malloc_aligned(size_t size, size_t alignment) __attribute__((weak));

/* std::get_new_handler(), std::__throw_bad_alloc() */
extern void (*get_handler(void))(void) __asm__("_ZSt15get_new_handlerv") __attribute__((weak));
extern void throw_bad_alloc(void) __asm__("_ZSt17__throw_bad_allocv") __attribute__((weak));

/* The program's handler finds memory, or throws, or there is none: then we throw. */
static void new_failed(size_t size)
{
	void (*handler)(void) = get_handler ? get_handler() : NULL;

	if (handler) {
		handler();
		return;
	}
	if (throw_bad_alloc)
		throw_bad_alloc();
	pre_say("no memory for operator new(%zu), and no C++ library to throw", size);
	abort();
}

static void *new_plain(size_t size)
{
	void *p;

	while (!(p = mi_malloc ? mi_malloc(size) : malloc(size)))
		new_failed(size);
	return p;
}

static void *new_aligned(size_t size, size_t alignment)
{
	void *p;

	while (!(p = mi_malloc_aligned ? mi_malloc_aligned(size, alignment) :
		 aligned_alloc(alignment, (size + alignment - 1) / alignment * alignment)))
		new_failed(size);
	return p;
}

/* operator new and new[], each without and with std::align_val_t. */
void *pre_new(size_t size) __asm__("_Znwm");
void *pre_new_array(size_t size) __asm__("_Znam");
void *pre_new_align(size_t size, size_t alignment) __asm__("_ZnwmSt11align_val_t");
void *pre_new_array_align(size_t size, size_t alignment) __asm__("_ZnamSt11align_val_t");

void *pre_new(size_t size)
{
	return new_plain(size);
}

void *pre_new_array(size_t size)
{
	return new_plain(size);
}

void *pre_new_align(size_t size, size_t alignment)
{
	return new_aligned(size, alignment);
}

void *pre_new_array_align(size_t size, size_t alignment)
{
	return new_aligned(size, alignment);
}
