/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "migrate/imagerestrain.h"
#include "migrate/imagerewrite.h"

/* The numbers of the fields are CRIU's: core.proto, creds.proto. */
#define CORE_THREAD 5
#define THREAD_CREDS 10
#define CREDS_NO_NEW_PRIVS 18
#define CREDS_FIELDS 20
/* Capabilities, each in words that are repeated: four kinds of them, and the ambient ones. */
#define CREDS_CAPABILITIES (1u << 9 | 1u << 10 | 1u << 11 | 1u << 12 | 1u << 19)

static int is_capabilities(unsigned number)
{
    return number < CREDS_FIELDS && CREDS_CAPABILITIES >> number & 1;
}

/* CRIU writes word by word; a field with all of them is none of its. */
static int words_edit(const struct field *field, unsigned word, uint64_t kept, FILE *out)
{
    if (field->content.len > 0 || word > 1)
        return -EPROTO;
    imagerewrite_number(out, field->number, field->value & (uint32_t)(kept >> 32 * word));
    return 0;
}

static int creds_edit(struct bytes creds, const void *arg, FILE *out)
{
    const restraint *least = arg;
    unsigned words[CREDS_FIELDS] = { 0 };
    struct field field;
    int more, error = 0;

    while (!error && (more = field_take(&creds, &field)) != 0) {
        if (more < 0)
            return more;
        if (is_capabilities(field.number))
            error = words_edit(&field, words[field.number]++, least->capabilities, out);
        else if (field.number != CREDS_NO_NEW_PRIVS || !least->no_new_privs)
            imagerewrite_bytes(out, field.whole.at, field.whole.len);
    }
    if (least->no_new_privs)
        imagerewrite_number(out, CREDS_NO_NEW_PRIVS, 1);
    return error;
}

/* A message whose field of that number is edited. */
static int inside_edit(struct bytes message, unsigned number, record_editor *edit, const void *arg,
                       FILE *out)
{
    struct field field;
    int more, error = 0;

    while (!error && (more = field_take(&message, &field)) != 0) {
        if (more < 0)
            return more;
        if (field.number == number)
            error = imagerewrite_inside(number, field.content, edit, arg, out);
        else
            imagerewrite_bytes(out, field.whole.at, field.whole.len);
    }
    return error;
}

static int thread_edit(struct bytes thread, const void *arg, FILE *out)
{
    return inside_edit(thread, THREAD_CREDS, creds_edit, arg, out);
}

static int core_edit(struct bytes core, const void *arg, FILE *out)
{
    return inside_edit(core, CORE_THREAD, thread_edit, arg, out);
}

static int is_core(const struct dirent *entry)
{
    return strncmp(entry->d_name, "core-", 5) == 0;
}

/* A file that is written anew may be found once more, so all are found before. */
int imagerestrain_set(int dir_fd, const restraint *least)
{
    struct dirent **entries;
    int count, error = 0;

    if (!least->no_new_privs && least->capabilities == ~0ULL)
        return 0;
    count = scandirat(dir_fd, ".", &entries, is_core, NULL);
    if (count < 0)
        return -errno;
    for (int i = 0; i < count; i++) {
        if (!error)
            error = imagerewrite_file(dir_fd, entries[i]->d_name, core_edit, least);
        free(entries[i]);
    }
    free(entries);
    return error;
}
