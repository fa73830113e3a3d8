/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>

#include "tools/idname.h"

/* The last that was looked up; the highest id is nobody's. */
struct memory {
    id_t id;
    char *name;
};

static const char *name_keep(struct memory *last, id_t id, const char *name)
{
    free(last->name);
    last->name = name ? strdup(name) : NULL;
    last->id = id;
    return last->name;
}

const char *idname_user(uid_t uid)
{
    static struct memory last = { .id = (id_t)-1 };
    const struct passwd *user;

    if (uid == last.id)
        return last.name;
    user = getpwuid(uid);
    return name_keep(&last, uid, user ? user->pw_name : NULL);
}

const char *idname_group(gid_t gid)
{
    static struct memory last = { .id = (id_t)-1 };
    const struct group *group;

    if (gid == last.id)
        return last.name;
    group = getgrgid(gid);
    return name_keep(&last, gid, group ? group->gr_name : NULL);
}
