/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "migrate/bulk.h"
#include "migrate/memorypass.h"
#include "migrate/pagestore.h"

#define PIECE_PAGES 32UL                /* what was read should still be in the cache */
#define MESSAGE_PAGES 256UL             /* as many as a message may have */

int memorypass_open(pid_t number)
{
    char path[40];
    int fd;

    snprintf(path, sizeof(path), "/proc/%d/mem", (int)number);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    return fd < 0 ? -errno : fd;
}

int memorypass_pages(SSL *ssl, const uint8_t *bytes, size_t pages)
{
    int error = 0;

    for (size_t at = 0; !error && at < pages; at += MESSAGE_PAGES) {
        size_t part = pages - at < MESSAGE_PAGES ? pages - at : MESSAGE_PAGES;

        error = bulk_put_data(ssl, P_BULK_DATA, 0, bytes + at * PAGE_BYTES, part * PAGE_BYTES);
    }
    return error;
}

static int pages_read(int memory, uint64_t start, uint8_t *bytes, size_t len)
{
    while (len > 0) {
        ssize_t n = pread(memory, bytes, len, (off_t)start);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n < 0 ? -errno : -ESRCH;
        bytes += n;
        start += (uint64_t)n;
        len -= (size_t)n;
    }
    return 0;
}

int memorypass_batch(SSL *ssl, int memory, const struct memoryitem *item)
{
    uint8_t piece[PIECE_PAGES * PAGE_BYTES];
    size_t pages = 0;
    int error = 0;

    for (unsigned i = 0; !error && i < item->count; i++) {
        page_run run = item->runs[i];

        while (!error && run.pages > 0) {
            size_t part = PIECE_PAGES - pages < run.pages ? PIECE_PAGES - pages : run.pages;

            error = pages_read(memory, run.start, piece + pages * PAGE_BYTES, part * PAGE_BYTES);
            run.start += part * PAGE_BYTES;
            run.pages -= (unsigned)part;
            pages += part;
            if (!error && pages == PIECE_PAGES) {
                error = bulk_put_data(ssl, P_BULK_DATA, 0, piece, sizeof(piece));
                pages = 0;
            }
        }
    }
    return error || pages == 0 ? error
                               : bulk_put_data(ssl, P_BULK_DATA, 0, piece, pages * PAGE_BYTES);
}
