/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <stdlib.h>
#include <string.h>
#include <uthash.h>

#include "masterd/owner.h"

struct owner {
    unsigned uid;
    unsigned count;
    UT_hash_handle hh;
};

static struct owner *owners;

struct owner *owner_take(unsigned uid)
{
    struct owner *owner;

    HASH_FIND(hh, owners, &uid, sizeof(uid), owner);
    if (!owner) {
        owner = calloc(1, sizeof(*owner));
        if (!owner)
            return NULL;
        owner->uid = uid;
        HASH_ADD(hh, owners, uid, sizeof(owner->uid), owner);
    }
    if (owner->count >= OWNER_MOST)
        return NULL;
    owner->count++;
    return owner;
}

void owner_drop(struct owner *owner)
{
    if (!owner || --owner->count > 0)
        return;
    HASH_DEL(owners, owner);
    free(owner);
}
