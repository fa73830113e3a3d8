/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "migrate/imageedit.h"
#include "migrate/imagefile.h"
#include "migrate/imagerewrite.h"

/* The numbers of the fields are CRIU's, in fdinfo.proto, regfile.proto and pstree.proto. */
#define FDINFO_ID 1
#define FILE_ID 2
#define FILE_REGULAR 3
#define REGULAR_NAME 6
#define REGULAR_SIZE 8
#define REGULAR_MODE 10
#define REGULAR_CHECKSUM_LAST 14        /* build-id and checksum follow the mode */
#define TREE_PID 1
#define TREE_SESSION 4
#define TREE_THREAD 5
#define REMAP_ID 2
#define REMAP_TYPE 3

#define REMAP_GHOST 1                   /* a type: the file has no name */
#define GHOST_BITS 8                    /* of a number, below those of the pid */

struct ids {
    uint32_t *list;
    size_t count;
};

static int id_find(struct bytes record, unsigned number, uint32_t *id)
{
    struct field field;

    while (field_take(&record, &field) > 0) {
        if (field.number == number) {
            *id = (uint32_t)field.value;
            return 0;
        }
    }
    return -EPROTO;
}

static int ids_have(const struct ids *ids, uint32_t id)
{
    for (size_t i = 0; i < ids->count; i++)
        if (ids->list[i] == id)
            return 1;
    return 0;
}

static int ids_add(struct ids *ids, struct bytes in)
{
    struct bytes record;
    int more, error = magic_skip(&in);

    while (!error && (more = record_take(&in, &record)) != 0) {
        uint32_t *list = more > 0 ? realloc(ids->list, (ids->count + 1) * sizeof(*list)) : NULL;

        if (!list)
            return more > 0 ? -ENOMEM : more;
        ids->list = list;
        error = id_find(record, FDINFO_ID, &list[ids->count++]);
    }
    return error;
}

static int ids_read(int dir_fd, struct ids *ids)
{
    DIR *dir = fdopendir(openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    struct dirent *entry;
    int error = dir ? 0 : -errno;

    while (!error && (entry = readdir(dir))) {
        struct bytes file = { NULL, 0 };

        if (strncmp(entry->d_name, "fdinfo-", 7) != 0)
            continue;
        error = imagefile_read(dir_fd, entry->d_name, &file);
        if (!error)
            error = ids_add(ids, file);
        free(file.at);
    }
    if (dir)
        closedir(dir);
    return error;
}

/*
 * The same path in words that are not those of the files that were sent: CRIU would give the
 * process the copy from the cache, without offset and flags, if it is mapped as well.
 */
static void name_edit(const struct field *name, FILE *out)
{
    static const char other[] = "/.";
    size_t more = name->content.len > 1 && name->content.at[0] == '/' ? strlen(other) : 0;

    imagerewrite_head(out, REGULAR_NAME, name->content.len + more);
    imagerewrite_bytes(out, other, more);
    imagerewrite_bytes(out, name->content.at, name->content.len);
}

static int is_demand(unsigned number)
{
    return number == REGULAR_SIZE || (number >= REGULAR_MODE && number <= REGULAR_CHECKSUM_LAST);
}

/* Out of a regular file's entry, whatever says how the file must be. */
static int regular_edit(struct bytes regular, const void *arg, FILE *out)
{
    struct field field;
    int more;

    (void)arg;
    while ((more = field_take(&regular, &field)) > 0) {
        if (field.number == REGULAR_NAME)
            name_edit(&field, out);
        else if (!is_demand(field.number))
            imagerewrite_bytes(out, field.whole.at, field.whole.len);
    }
    return more;
}

static int file_edit(struct bytes record, const void *arg, FILE *out)
{
    const struct ids *ids = arg;
    struct field field;
    uint32_t id;
    int more = 0, error = id_find(record, FILE_ID, &id);

    while (!error && (more = field_take(&record, &field)) > 0) {
        if (field.number == FILE_REGULAR && ids_have(ids, id))
            error = imagerewrite_inside(FILE_REGULAR, field.content, regular_edit, NULL,
                                        out);
        else
            imagerewrite_bytes(out, field.whole.at, field.whole.len);
    }
    return error ? error : more;
}

static int session_edit(struct bytes record, const void *arg, FILE *out)
{
    const pid_t *sid = arg;
    struct field field;
    int more;

    while ((more = field_take(&record, &field)) > 0) {
        if (field.number == TREE_SESSION)
            imagerewrite_number(out, TREE_SESSION, (uint32_t)*sid);
        else
            imagerewrite_bytes(out, field.whole.at, field.whole.len);
    }
    return more;
}

struct ghosts {
    int dir_fd;
    pid_t pid;
};

/* The number in one record, 0 if the record is of no file without a name. */
static int ghost_find(struct bytes record, uint32_t *id)
{
    struct field field;
    uint64_t type = 0;
    int more;

    *id = 0;
    while ((more = field_take(&record, &field)) > 0) {
        if (field.number == REMAP_ID)
            *id = (uint32_t)field.value;
        else if (field.number == REMAP_TYPE)
            type = field.value;
    }
    if (type != REMAP_GHOST || *id >> GHOST_BITS)
        *id = 0;
    return more;
}

/* Its content is an image file with the number in its name, done already if it was open twice. */
static int ghost_rename(int dir_fd, uint32_t from, uint32_t to)
{
    char before[32], after[32];

    snprintf(before, sizeof(before), "ghost-file-%x.img", from);
    snprintf(after, sizeof(after), "ghost-file-%x.img", to);
    if (renameat(dir_fd, before, dir_fd, after) == 0)
        return 0;
    return errno == ENOENT && faccessat(dir_fd, after, F_OK, 0) == 0 ? 0 : -errno;
}

static int ghost_edit(struct bytes record, const void *arg, FILE *out)
{
    const struct ghosts *ghosts = arg;
    struct field field;
    uint32_t id, own;
    int more, error = ghost_find(record, &id);

    if (error)
        return error;
    own = (uint32_t)ghosts->pid << GHOST_BITS | id;
    while ((more = field_take(&record, &field)) > 0) {
        if (id != 0 && field.number == REMAP_ID)
            imagerewrite_number(out, REMAP_ID, own);
        else
            imagerewrite_bytes(out, field.whole.at, field.whole.len);
    }
    return more || id == 0 ? more : ghost_rename(ghosts->dir_fd, id, own);
}

int imageedit_open_files(int dir_fd)
{
    struct ids ids = { NULL, 0 };
    int error = ids_read(dir_fd, &ids);

    if (!error && ids.count > 0)
        error = imagerewrite_file(dir_fd, "files.img", file_edit, &ids);
    free(ids.list);
    return error;
}

int imageedit_nameless(int dir_fd, pid_t pid)
{
    struct ghosts ghosts = { .dir_fd = dir_fd, .pid = pid };
    int error = imagerewrite_file(dir_fd, "remap-fpath.img", ghost_edit, &ghosts);

    return error == -ENOENT ? 0 : error;
}

int imageedit_session(int dir_fd, pid_t sid)
{
    return imagerewrite_file(dir_fd, "pstree.img", session_edit, &sid);
}

struct numbers {
    pid_t from, to;
};

static int number_edit(struct bytes record, const void *arg, FILE *out)
{
    const struct numbers *numbers = arg;
    struct field field;
    int more;

    while ((more = field_take(&record, &field)) > 0) {
        int is_it = (field.number == TREE_PID || field.number == TREE_THREAD) &&
                    field.content.len == 0 && field.value == (uint64_t)numbers->from;

        if (is_it)
            imagerewrite_number(out, field.number, (uint64_t)numbers->to);
        else
            imagerewrite_bytes(out, field.whole.at, field.whole.len);
    }
    return more;
}

/* Others have numbers in their names, too, but not of processes. */
static int files_rename(int dir_fd, pid_t from, pid_t to)
{
    static const char *const kinds[] = {
        "core", "creds", "fs", "ids", "itimers", "mm", "pagemap", "posix-timers", "rlimit",
        "sigacts", "signal-p", "signal-s", "vmas"
    };
    char before[64], after[64];

    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        snprintf(before, sizeof(before), "%s-%d.img", kinds[i], (int)from);
        snprintf(after, sizeof(after), "%s-%d.img", kinds[i], (int)to);
        if (renameat(dir_fd, before, dir_fd, after) < 0 && errno != ENOENT)
            return -errno;
    }
    return 0;
}

int imageedit_number(int dir_fd, pid_t from, pid_t to)
{
    struct numbers numbers = { from, to };
    int error = imagerewrite_file(dir_fd, "pstree.img", number_edit, &numbers);

    return error ? error : files_rename(dir_fd, from, to);
}
