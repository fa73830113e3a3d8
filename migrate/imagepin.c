/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "migrate/imagepin.h"
#include "migrate/imagerewrite.h"

/* The numbers of the fields are CRIU's, in fdinfo.proto and regfile.proto. */
#define FILE_REGULAR 3
#define REGULAR_ID 1
#define REGULAR_NAME 6

/* Nobody but root could make such a file, in case that CRIU looks for it. */
#define PATH_FORMAT "/.bproc-file-%u"

static int regular_rename(struct bytes regular, const void *arg, FILE *out)
{
    const struct image_file *file = arg;
    char path[32];
    size_t len = (size_t)snprintf(path, sizeof(path), PATH_FORMAT, file->id);
    struct field field;
    int more;

    while ((more = field_take(&regular, &field)) > 0) {
        if (field.number == REGULAR_NAME) {
            imagerewrite_head(out, REGULAR_NAME, len);
            imagerewrite_bytes(out, path, len);
        } else {
            imagerewrite_bytes(out, field.whole.at, field.whole.len);
        }
    }
    return more;
}

static int regular_pin(const struct field *regular, struct image_files *files, FILE *out)
{
    struct message m;
    const struct image_file *file;
    int error = message_read(regular->content, UINT32_MAX, &m);

    if (error)
        return error;
    file = imagekinds_find(files, message_value(&m, REGULAR_ID));
    if (!file)
        return -EPROTO;
    if (!file->is_sent)
        return imagerewrite_inside(FILE_REGULAR, regular->content, regular_rename, file, out);
    imagerewrite_bytes(out, regular->whole.at, regular->whole.len);
    return 0;
}

static int file_pin(struct bytes record, const void *arg, FILE *out)
{
    struct image_files *files = *(struct image_files *const *)arg;
    struct field field;
    int more, error = 0;

    while (!error && (more = field_take(&record, &field)) != 0) {
        if (more < 0)
            return more;
        if (field.number == FILE_REGULAR)
            error = regular_pin(&field, files, out);
        else
            imagerewrite_bytes(out, field.whole.at, field.whole.len);
    }
    return error;
}

int imagepin_files(int dir_fd, struct image_files *files)
{
    int error = imagerewrite_file(dir_fd, "files.img", file_pin, &files);

    if (!error && unlinkat(dir_fd, "remap-fpath.img", 0) < 0 && errno != ENOENT)
        error = -errno;
    return error;
}

void imagepin_key(const struct image_file *file, char *key, size_t len)
{
    snprintf(key, len, &PATH_FORMAT[1], file->id);
}
