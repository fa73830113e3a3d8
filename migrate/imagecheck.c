/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "migrate/imagecheck.h"
#include "migrate/imagefile.h"

/* The numbers of the fields are CRIU's, in core.proto and creds.proto. */
#define CORE_THREAD 5
#define THREAD_CREDS 10
#define CREDS_ALL 0x1fe                 /* fields 1 to 8: four user ids and as many of the group */
#define CREDS_CAPABILITIES 9            /* inheritable ones, in words; then permitted, effective */
#define CREDS_EFFECTIVE 11
#define CREDS_GROUPS 14
#define CREDS_AMBIENT 19

/*
 * The field of that number in the message; -EPROTO if there is none, or a second one: CRIU would
 * put both together.
 */
static int message_find(struct bytes message, unsigned number, struct bytes *content)
{
    struct field field;
    int more, error = -EPROTO;

    while ((more = field_take(&message, &field)) > 0) {
        if (field.number != number)
            continue;
        if (!error)
            return -EPROTO;
        *content = field.content;
        error = 0;
    }
    return more < 0 ? more : error;
}

/* Words one by one, or all in one field. */
static int words_are_zero(const struct field *field)
{
    for (size_t i = 0; i < field->content.len; i++)
        if (field->content.at[i])
            return 0;
    return field->value == 0;
}

/* One by one, as CRIU writes them. */
static int is_group(const struct image_owner *owner, const struct field *field)
{
    if (field->content.len > 0)
        return 0;
    for (unsigned i = 0; i < owner->ngroups; i++)
        if (owner->groups[i] == field->value)
            return 1;
    return field->value == owner->gid;
}

/* What only some may have; root may have any. */
static int right_is_good(const struct image_owner *owner, const struct field *field)
{
    if (owner->uid == 0)
        return 1;
    if ((field->number >= CREDS_CAPABILITIES && field->number <= CREDS_EFFECTIVE) ||
        field->number == CREDS_AMBIENT)
        return words_are_zero(field);
    return field->number != CREDS_GROUPS || is_group(owner, field);
}

/* User and group ids take turns, the user's first. */
static int creds_check(struct bytes creds, const struct image_owner *owner)
{
    struct field field;
    unsigned seen = 0;
    int more;

    while ((more = field_take(&creds, &field)) > 0) {
        if (field.number > 8 && !right_is_good(owner, &field))
            return -EPERM;
        if (field.number > 8)
            continue;
        if (field.value != (field.number % 2 ? owner->uid : owner->gid))
            return -EPERM;
        seen |= 1u << field.number;
    }
    return more < 0 || seen != CREDS_ALL ? -EPROTO : 0;
}

static int core_check(struct bytes core, const struct image_owner *owner)
{
    struct bytes record, thread, creds;
    int error = magic_skip(&core);

    if (!error)
        error = record_take(&core, &record) > 0 ? 0 : -EPROTO;
    if (!error)
        error = message_find(record, CORE_THREAD, &thread);
    if (!error)
        error = message_find(thread, THREAD_CREDS, &creds);
    return error ? error : creds_check(creds, owner);
}

int imagecheck_owner(int dir_fd, const struct image_owner *owner)
{
    DIR *dir = fdopendir(openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    struct dirent *entry;
    unsigned count = 0;
    int error = dir ? 0 : -errno;

    while (!error && (entry = readdir(dir))) {
        struct bytes core = { NULL, 0 };

        if (strncmp(entry->d_name, "core-", 5) != 0)
            continue;
        count++;
        error = imagefile_read(dir_fd, entry->d_name, &core);
        if (!error)
            error = core_check(core, owner);
        free(core.at);
    }
    if (dir)
        closedir(dir);
    return error ? error : count ? 0 : -EPROTO;
}
