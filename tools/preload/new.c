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

/* std::get_new_handler() and std::__throw_bad_alloc() */
typedef void (*new_handler)(void);
new_handler _ZSt15get_new_handlerv(void);
void _ZSt17__throw_bad_allocv(void);

#pragma weak _ZSt15get_new_handlerv
#pragma weak _ZSt17__throw_bad_allocv

/* operator new and new[], each without and with std::align_val_t */
void *_Znwm(size_t size);
void *_Znam(size_t size);
void *_ZnwmSt11align_val_t(size_t size, size_t alignment);
void *_ZnamSt11align_val_t(size_t size, size_t alignment);

/* The program's handler finds memory, or throws, or there is none: then we throw. */
static void new_failed(size_t size)
{
	new_handler handler = _ZSt15get_new_handlerv ? _ZSt15get_new_handlerv() : NULL;

	if (handler) {
		handler();
		return;
	}
	if (_ZSt17__throw_bad_allocv)
		_ZSt17__throw_bad_allocv();
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

void *_Znwm(size_t size)
{
	return new_plain(size);
}

void *_Znam(size_t size)
{
	return new_plain(size);
}

void *_ZnwmSt11align_val_t(size_t size, size_t alignment)
{
	return new_aligned(size, alignment);
}

void *_ZnamSt11align_val_t(size_t size, size_t alignment)
{
	return new_aligned(size, alignment);
}
