/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Finding a CRIU that works on the running kernel: the configured one, or else the build's own
 * place for it, or else the one in PATH. It has to be new enough (4.0; 4.2 from Linux 6.16 on,
 * where inet sockets look different) and to pass its own `criu check`.
 */
#ifndef BPROC_CRIUPROBE_H
#define BPROC_CRIUPROBE_H

#include <stddef.h>

/*
 * `configured` NULL or empty: look for one; else nothing but that one. 0 with its path in
 * path[path_len], or -ENOSYS with the reason in text[text_len]. Blocks for some 0.1 s: for the
 * start of a daemon, before it has other children.
 */
int criuprobe_find(const char *configured, char *path, size_t path_len, char *text,
                   size_t text_len);

/*
 * CRIU keeps what it learnt about the kernel in /run only if that is a tmpfs; without it each
 * transfer is some 40 ms slower. 1 if it is so, else 0.
 */
int criuprobe_cache_works(void);

#endif
