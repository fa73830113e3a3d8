/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <stdint.h>
#include <stdlib.h>
#include <uthash.h>

#include "masterd/master.h"
#include "masterd/rights.h"
#include "masterd/stays.h"

#define MOMENT_MS 60000

struct stay_key {
    int node;
    uid_t uid;
};

struct stay {
    struct stay_key key;
    struct rights *rights;      /* of the latest process */
    unsigned count;
    int64_t left;               /* by the last of them */
    UT_hash_handle hh;
};

static struct stay *stays;
static int64_t tidied;

static struct stay *stay_find(int node, uid_t uid)
{
    struct stay_key key = { node, uid };
    struct stay *stay;

    HASH_FIND(hh, stays, &key, sizeof(key), stay);
    return stay;
}

static int is_past(const struct stay *stay)
{
    return stay->count == 0 && master_now() - stay->left > MOMENT_MS;
}

static void stays_tidy(void)
{
    struct stay *stay, *next;

    if (master_now() - tidied < MOMENT_MS)
        return;
    tidied = master_now();
    HASH_ITER(hh, stays, stay, next) {
        if (!is_past(stay))
            continue;
        HASH_DEL(stays, stay);
        rights_release(stay->rights);
        free(stay);
    }
}

struct stay *stay_enter(int node, struct rights *rights)
{
    struct stay *stay;

    stays_tidy();
    stay = stay_find(node, rights_uid(rights));
    if (!stay) {
        stay = calloc(1, sizeof(*stay));
        if (!stay)
            return NULL;
        stay->key = (struct stay_key){ node, rights_uid(rights) };
        HASH_ADD(hh, stays, key, sizeof(stay->key), stay);
    }
    rights_hold(rights);
    rights_release(stay->rights);
    stay->rights = rights;
    stay->count++;
    return stay;
}

void stay_leave(struct stay *stay)
{
    if (stay && --stay->count == 0)
        stay->left = master_now();
}

struct rights *stay_rights(int node, uid_t uid)
{
    struct stay *stay = stay_find(node, uid);

    if (!stay || is_past(stay))
        stay = stay_find(node, 0);
    return stay && !is_past(stay) ? stay->rights : NULL;
}
