/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The open files in an image that a node has sent: of kinds only that give nobody a right. Part of
 * imageguest.h.
 */
#ifndef BPROC_IMAGEKINDS_H
#define BPROC_IMAGEKINDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* One that has a path, whether a descriptor or a mapping refers to it. */
struct image_file {
    uint32_t id;
    uint32_t flags;
    uint64_t offset;                    /* UINT64_MAX: none */
    char *path;
    bool is_sent;                       /* CRIU has it from elsewhere */
    bool is_read, is_written;           /* as it is mapped */
    bool is_program, is_folder;         /* that it executes, that it is in */
    bool is_nameless;                   /* with the bytes in ghost-file-NAMELESS.img */
    uint32_t nameless;
    mode_t mode;                        /* of a nameless one */
    int made;                           /* while a nameless one is made; -1 */
    int fd;                             /* once it is open; -1 */
};

struct image_files {
    struct image_file *list;
    unsigned count;
};

/*
 * 0 with the files that have a path, for imagekinds_free(), on failure as well. Results else as
 * imageguest_check(). `uid` is whose the process is. Does not block.
 */
int imagekinds_check(int dir_fd, uid_t uid, struct image_files *files, char *text, size_t len);

/* NULL when there is none with that number. */
struct image_file *imagekinds_find(struct image_files *files, uint32_t id);

void imagekinds_free(struct image_files *files);

#endif
