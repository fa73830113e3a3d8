/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The stream of a copy: what a node sends, root may read on the master. With -close_fd_mask=2 it
 * does not tell about each file that it could not write.
 */
#include "config.h"

#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>

#include "tools/bpcp_target.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

/* A file in memory, by its path. */
static const char *path_make(void)
{
    static char path[32];

    snprintf(path, sizeof(path), "/proc/self/fd/%d", memfd_create("copy", MFD_CLOEXEC));
    return path;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    char *asked[] = { (char *)(uintptr_t)"a", (char *)(uintptr_t)"*", NULL };
    struct target target = { .suffix = "", .preserve = true, .asked = asked,
                             .report = { .label = "" } };
    static const char *path;

    if (!path)
        path = path_make();
    target.path = path;
    target.in = len > 0 ? fmemopen((void *)(uintptr_t)bytes, len, "r") : NULL;
    if (!target.in)
        return 0;
    target_receive(&target);
    fclose(target.in);
    return 0;
}
