/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <sys/resource.h>
#include <sys/syscall.h>

#include "migrate/space/pending.h"
#include "proto/rawcall.h"

static struct rlimit wide, narrow;

void pending_init(void)
{
    getrlimit(RLIMIT_SIGPENDING, &wide);
    narrow = (struct rlimit){ .rlim_cur = wide.rlim_cur / 2, .rlim_max = wide.rlim_max };
}

void pending_narrow(void)
{
    RAW4(SYS_prlimit64, 0, RLIMIT_SIGPENDING, &narrow, 0);
}

void pending_widen(void)
{
    RAW4(SYS_prlimit64, 0, RLIMIT_SIGPENDING, &wide, 0);
}
