/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include "migrate/memoryruns.h"
#include "migrate/pagestore.h"

size_t memoryruns_pages(const page_run *runs, unsigned count)
{
    size_t pages = 0;

    for (unsigned i = 0; i < count; i++) {
        const page_run *run = &runs[i];

        if (run->pages == 0 || run->pages > BPROC_MAX_BATCH || run->start % PAGE_BYTES)
            return 0;
        pages += run->pages;
    }
    return pages <= BPROC_MAX_BATCH ? pages : 0;
}
