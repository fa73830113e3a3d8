/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/nodewords.h"

#define FIRST_ROOM 4096
#define LONGEST (16 * 1024 * 1024)

/* Nobody's errno: a zero byte is where a string would end. */
#define NO_TEXT 1

struct text {
    char *bytes;
    size_t len, room;
};

/* Room for more, and for what ends a string. */
static int text_grow(struct text *text)
{
    size_t room = text->room ? 2 * text->room : FIRST_ROOM;
    char *bytes;

    if (text->len + 1 < text->room)
        return 0;
    bytes = realloc(text->bytes, room);
    if (!bytes)
        return -ENOMEM;
    text->bytes = bytes;
    text->room = room;
    return 0;
}

/* Like read(), but 0 or more, or a negative errno or NO_TEXT in *error. */
static size_t part_read(int fd, struct text *text, int *error)
{
    char *end = text->bytes + text->len;
    ssize_t n;

    do
        n = read(fd, end, text->room - text->len - 1);
    while (n < 0 && errno == EINTR);
    if (n < 0)
        *error = -errno;
    else if (memchr(end, '\0', (size_t)n))
        *error = NO_TEXT;
    return n > 0 ? (size_t)n : 0;
}

static int text_read(int fd, struct text *text)
{
    size_t n = 1;
    int error = 0;

    while (n > 0 && !error) {
        error = text_grow(text);
        if (error)
            break;
        n = part_read(fd, text, &error);
        text->len += n;
        if (!error && text->len > LONGEST)
            error = -EFBIG;
    }
    return error;
}

/* In place: what is left is never longer. */
static void words_join(const struct text *text)
{
    bool word = false, comment = false;
    char *to = text->bytes;

    for (size_t i = 0; i < text->len; i++) {
        char c = text->bytes[i];

        comment = c == '#' || (comment && c != '\n');
        if (comment || strchr(", \t\r\n", c)) {
            word = false;
            continue;
        }
        if (!word && to > text->bytes)
            *to++ = ',';
        word = true;
        *to++ = c;
    }
    *to = '\0';
}

char *nodewords_read(const char *path, const char **reason)
{
    struct text text = { 0 };
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    int error = fd < 0 ? -errno : text_read(fd, &text);

    if (fd >= 0)
        close(fd);
    if (!error) {
        words_join(&text);
        return text.bytes;
    }
    free(text.bytes);
    *reason = error == NO_TEXT ? "Not a text file" : strerror(-error);
    return NULL;
}
