/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the tests of spaces on files share. The file is one without a name in
 * $VMD_TEST_DIR or, if $VMD_TEST_DEVICE is set, that block device.
 */
#ifndef _VMD_TEST_FILE_H
#define _VMD_TEST_FILE_H

#include "vmd_test.h"

/* How long a write-back that nobody waits for may take. */
#define VMD_BACK_MS	20000

int vmd_set_file(int fd, int file);
int vmd_punch(int fd, __u64 first, __u64 pages);
int vmd_set_size(int fd, __u64 bytes);
__s64 vmd_device_size(int fd);			/* BLKGETSIZE64, or -1 */
int vmd_poll(int fd);				/* revents now, or -1 */

/* The file: made or, of a device, overwritten with page i's content tag + i */
int vmd_make_file(__u64 bytes, __u64 tag);
int vmd_fill_file(int file, __u64 bytes, __u64 tag);
int vmd_reopen(int file, int flags);
__s64 vmd_file_size(int file);

/* A fresh space on that file, with so many frames: its descriptor, or -1 */
int vmd_open_on(int file, __u64 frames);
int vmd_open_again(int file, __u64 frames);	/* once the last one has gone */

/* What read(2) finds in the file, or in a space */
bool vmd_page_is(int file, __u64 page, __u64 tag);
bool vmd_page_is_zero(int file, __u64 page);
bool vmd_becomes(int file, __u64 page, __u64 tag);	/* in VMD_BACK_MS */
size_t vmd_bad_in_file(int file, size_t pages, __u64 tag);
bool vmd_bytes_are(int file, __u64 offset, size_t n, char c);

#endif /* _VMD_TEST_FILE_H */
