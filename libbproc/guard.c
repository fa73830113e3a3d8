/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include <pthread.h>

#include "libbproc/guard.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static __thread unsigned depth;

void guard_enter(void)
{
    if (depth++ == 0)
        pthread_mutex_lock(&lock);
}

void guard_leave(void)
{
    if (--depth == 0)
        pthread_mutex_unlock(&lock);
}

/* A child has the lock as the forking thread had it, so each side lets go for itself. */
__attribute__((constructor))
static void guard_setup(void)
{
    pthread_atfork(guard_enter, guard_leave, guard_leave);
}
