/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Small helpers on descriptors and whole files. All return 0 or a negative errno unless said
 * otherwise; those that touch files block.
 */
#ifndef BPROC_FD_H
#define BPROC_FD_H

#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>

int fd_nonblock(int fd);
int fd_cloexec(int fd, int on);

/* Closes *fd unless it is -1 and sets it to -1; errno is kept. */
void fd_close(int *fd);

/*
 * Connects, through EINTR. Blocks. -ETIMEDOUT: SO_SNDTIMEO has passed, which begins anew with each
 * signal.
 */
int fd_connect(int fd, const struct sockaddr *addr, socklen_t len);

/* Writes all of it, through short writes and EINTR. */
int fd_write_all(int fd, const void *bytes, size_t len);

/* Reads a file of at most `max` bytes; *text malloc'd and ended by a NUL. -EFBIG when longer. */
int fd_read_file(const char *path, size_t max, char **text, size_t *len);

/* Puts a file in place whole: a temporary beside it, fsync, rename, fsync of the folder. */
int fd_write_file(const char *path, const void *bytes, size_t len, mode_t mode);

/* Makes `path` and its parents. An existing folder is fine. */
int fd_mkdirs(const char *path, mode_t mode);

/* Raises the limit of open descriptors of this process to what is allowed. */
void fd_raise_limit(void);

#endif
