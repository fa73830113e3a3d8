/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <stdio.h>

#include "migrate/imagebound.h"
#include "migrate/imagerewrite.h"

/* The numbers of the fields are CRIU's: core.proto, rlimit.proto. */
#define CORE_TASK 3
#define TASK_LIMITS 8
#define TASK_LOGIN 13
#define LIMITS_ENTRY 1
#define ENTRY_SOFT 1
#define ENTRY_HARD 2

#define NO_LOGIN ((unsigned)-1)

/* One entry and the most that it may be. */
struct entry {
    uint64_t soft, hard;
};

static int entry_read(struct bytes content, struct entry *entry)
{
    struct message m;
    int error = message_read(content, 0, &m);

    if (error)
        return error;
    if (!(m.seen & 1u << ENTRY_SOFT) || !(m.seen & 1u << ENTRY_HARD))
        return -EPROTO;
    *entry = (struct entry){ m.fields[ENTRY_SOFT].value, m.fields[ENTRY_HARD].value };
    return 0;
}

static int entry_write(struct bytes none, const void *arg, FILE *out)
{
    const struct entry *entry = arg;

    (void)none;
    imagerewrite_number(out, ENTRY_SOFT, entry->soft);
    imagerewrite_number(out, ENTRY_HARD, entry->hard);
    return 0;
}

/* One that is not there would be whatever CRIU itself has. */
static int limits_edit(struct bytes limits, const void *arg, FILE *out)
{
    const process_bounds *bounds = arg;
    struct field field;

    for (unsigned i = 0; i < bounds->limits.limits_len; i++) {
        uint64_t most = bounds->limits.limits_val[i];
        struct entry entry = { most, most };
        int more = field_take(&limits, &field), error = more < 0 ? more : 0;

        if (more > 0)
            error = field.number == LIMITS_ENTRY ? entry_read(field.content, &entry) : -EPROTO;
        if (entry.hard > most)
            entry.hard = most;
        if (entry.soft > entry.hard)
            entry.soft = entry.hard;
        if (!error)
            error = imagerewrite_inside(LIMITS_ENTRY, limits, entry_write, &entry, out);
        if (error)
            return error;
    }
    return 0;
}

static int task_edit(struct bytes task, const void *arg, FILE *out)
{
    const process_bounds *bounds = arg;
    struct bytes limits = { NULL, 0 };
    struct field field;
    int more;

    while ((more = field_take(&task, &field)) > 0) {
        if (field.number == TASK_LIMITS)
            limits = field.content;
        else if (field.number != TASK_LOGIN)
            imagerewrite_bytes(out, field.whole.at, field.whole.len);
    }
    if (more < 0)
        return more;
    if (bounds->login != NO_LOGIN)
        imagerewrite_number(out, TASK_LOGIN, bounds->login);
    return imagerewrite_inside(TASK_LIMITS, limits, limits_edit, bounds, out);
}

static int core_edit(struct bytes core, const void *arg, FILE *out)
{
    struct field field;
    int more, error = 0;

    while (!error && (more = field_take(&core, &field)) != 0) {
        if (more < 0)
            return more;
        if (field.number == CORE_TASK)
            error = imagerewrite_inside(CORE_TASK, field.content, task_edit, arg, out);
        else
            imagerewrite_bytes(out, field.whole.at, field.whole.len);
    }
    return error;
}

int imagebound_set(int dir_fd, pid_t pid, const process_bounds *bounds)
{
    char name[32];

    snprintf(name, sizeof(name), "core-%d.img", pid);
    return imagerewrite_file(dir_fd, name, core_edit, bounds);
}
