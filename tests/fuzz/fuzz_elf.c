/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The reader of build ids: any user's file can be mapped by a process that root looks at. */
#include "config.h"

#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

#include "migrate/filehash.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    static int fd = -1;
    uint8_t id[64];

    if (fd < 0)
        fd = memfd_create("elf", 0);
    if (ftruncate(fd, 0) == 0 && pwrite(fd, bytes, len, 0) == (ssize_t)len)
        filehash_build_id(fd, id, sizeof(id));
    return 0;
}
