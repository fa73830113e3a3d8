/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "migrate/imagefile.h"
#include "migrate/imagekinds.h"

/* The numbers of the fields and of kinds are CRIU's: fdinfo.proto, regfile.proto and so on. */
#define FILE_TYPE 1
#define FILE_ID 2
#define REGULAR_ID 1
#define REGULAR_FLAGS 2
#define REGULAR_OFFSET 3
#define REGULAR_NAME 6
#define REGULAR_MOUNT 7
#define REGULAR_EXTERNAL 9
#define UNIX_UFLAGS 6
#define UNIX_OPTIONS 10
#define UNIX_NAME 11
#define UNIX_PERMISSIONS 13
#define UNIX_FOLDER 14
#define UNIX_DELETED 15
#define INET_TYPE 4
#define INET_PROTOCOL 5
#define INET_STATE 6
#define INET_PORT 7
#define INET_OPTIONS 14
#define INET_DEVICE 17
#define INET_ADDRESSES (1u << 11 | 1u << 12)    /* repeated fields */
#define EPOLL_TARGET 4                  /* a repeated field */
#define TARGET_EVENTS 3
#define OPTION_MARK 11
#define OPTION_DEVICE 15
#define OWNER_UID 1
#define OWNER_EUID 2
#define OWNER_PID 5

#define MAX_FILES 16384
#define UNIX_EXTERNAL 1                 /* of uflags: its other end is not in the image */

enum { KIND_REGULAR = 1, KIND_INET = 4, KIND_UNIX = 5, KIND_EPOLL = 7 };

/* Where such a file's own message is, and in it whom the kernel is to send signals to. */
static const struct kind {
    unsigned type, message, signals;
} kinds[] = {
    { KIND_REGULAR, 3, 5 },
    { 2, 18, 4 },                       /* pipe */
    { KIND_INET, 4, 13 },
    { KIND_UNIX, 16, 9 },
    { 6, 8, 3 },                        /* eventfd */
    { KIND_EPOLL, 9, 3 },
    { 9, 10, 3 },                       /* signalfd */
    { 17, 12, 3 },                      /* timerfd */
    { 18, 20, 4 },                      /* memfd */
};

#define OPTION_FILTERS (1u << 16)

struct look {
    struct image_files *files;
    uid_t uid;
    char *text;
    size_t len;
};

__attribute__((format(printf, 2, 3)))
static int refuse(struct look *look, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(look->text, look->len, fmt, ap);
    va_end(ap);
    return -EPERM;
}

static bool has(const struct message *message, unsigned number)
{
    return message->seen & UINT32_C(1) << number;
}

/* CRIU becomes whom it says, for the kernel to ask later whether he may send that signal. */
static int signals_check(struct look *look, struct bytes content)
{
    struct message m;
    int error = message_read(content, 0, &m);

    if (error || look->uid == 0 || message_value(&m, OWNER_PID) == 0)
        return error;
    if (message_value(&m, OWNER_UID) == look->uid && message_value(&m, OWNER_EUID) == look->uid)
        return 0;
    return refuse(look, "sends signals as another user");
}

static int regular_add(struct look *look, const struct message *m)
{
    struct image_files *files = look->files;
    struct bytes name = m->fields[REGULAR_NAME].content;
    struct image_file *list, *file;

    if (imagekinds_find(files, message_value(m, REGULAR_ID)))
        return -EPROTO;
    if (files->count == MAX_FILES)
        return refuse(look, "has more than %d files", MAX_FILES);
    list = realloc(files->list, (files->count + 1) * sizeof(*list));
    if (!list)
        return -ENOMEM;
    files->list = list;
    file = &list[files->count];
    *file = (struct image_file){ .id = message_value(m, REGULAR_ID), .fd = -1,
                                 .made = -1,
                                 .flags = message_value(m, REGULAR_FLAGS),
                                 .offset = m->fields[REGULAR_OFFSET].value };
    file->path = strndup((const char *)name.at, name.len);
    if (!file->path)
        return -ENOMEM;
    files->count++;
    return 0;
}

static int regular_check(struct look *look, uint32_t id, const struct message *m)
{
    struct bytes name;

    if (!has(m, REGULAR_NAME) || !has(m, REGULAR_OFFSET))
        return -EPROTO;
    name = m->fields[REGULAR_NAME].content;
    if (name.len == 0 || name.at[0] != '/' || memchr(name.at, '\0', name.len))
        return -EPROTO;
    if (message_value(m, REGULAR_ID) != id)
        return -EPROTO;
    /* A mount's number is written as a signed one, in two's complement or folded. */
    if (message_value(m, REGULAR_EXTERNAL) ||
        (has(m, REGULAR_MOUNT) && m->fields[REGULAR_MOUNT].value != 1))
        return refuse(look, "names a file outside its mounts");
    return regular_add(look, m);
}

static int options_check(struct look *look, const struct message *m, unsigned field)
{
    struct message options;
    int error;

    if (!has(m, field))
        return -EPROTO;
    error = message_read(m->fields[field].content, OPTION_FILTERS, &options);
    if (!error && (message_value(&options, OPTION_MARK) || has(&options, OPTION_DEVICE)))
        return refuse(look, "has a socket with options of root's");
    return error;
}

/* One that listens, or is not connected by TCP: what a user could have made there himself. */
static int inet_check(struct look *look, const struct message *m)
{
    uint32_t type = message_value(m, INET_TYPE), protocol = message_value(m, INET_PROTOCOL);
    uint32_t state = message_value(m, INET_STATE), port = message_value(m, INET_PORT);

    if (!(type == SOCK_STREAM && protocol == IPPROTO_TCP) &&
        !(type == SOCK_DGRAM && (protocol == IPPROTO_UDP || protocol == IPPROTO_UDPLITE)))
        return refuse(look, "has a socket of a kind that is unknown");
    if (type == SOCK_STREAM && state != TCP_CLOSE && state != TCP_LISTEN)
        return refuse(look, "has a connection");
    if (port > 0 && port < IPPORT_RESERVED)
        return refuse(look, "has a socket with root's port %u", port);
    if (has(m, INET_DEVICE))
        return refuse(look, "has a socket with options of root's");
    return options_check(look, m, INET_OPTIONS);
}

static int unix_check(struct look *look, const struct message *m)
{
    if ((has(m, UNIX_NAME) && m->fields[UNIX_NAME].content.len) || has(m, UNIX_PERMISSIONS) ||
        (has(m, UNIX_FOLDER) && m->fields[UNIX_FOLDER].content.len) ||
        message_value(m, UNIX_DELETED))
        return refuse(look, "has a socket with a name");
    if (message_value(m, UNIX_UFLAGS) & ~(uint32_t)UNIX_EXTERNAL)
        return refuse(look, "has a socket of a kind that is unknown");
    return options_check(look, m, UNIX_OPTIONS);
}

/* The kernel lets nobody else keep the machine awake. */
static int epoll_check(struct look *look, struct bytes content)
{
    struct field field;
    struct message target;
    int more, error = 0;

    while (!error && (more = field_take(&content, &field)) > 0) {
        if (field.number != EPOLL_TARGET)
            continue;
        error = message_read(field.content, 0, &target);
        if (!error && look->uid != 0 && message_value(&target, TARGET_EVENTS) & EPOLLWAKEUP)
            error = refuse(look, "keeps the machine awake");
    }
    return error;
}

static int kind_check(struct look *look, const struct kind *kind, const struct message *file)
{
    uint32_t repeated = kind->type == KIND_REGULAR ? 1u << 11
                        : kind->type == KIND_INET ? INET_ADDRESSES : 1u << EPOLL_TARGET;
    struct message m;
    int error;

    if (file->seen != (1u << FILE_TYPE | 1u << FILE_ID | 1u << kind->message))
        return -EPROTO;
    error = message_read(file->fields[kind->message].content, repeated, &m);
    if (!error)
        error = has(&m, kind->signals) ? signals_check(look, m.fields[kind->signals].content)
                                       : -EPROTO;
    if (!error && kind->type == KIND_REGULAR)
        error = regular_check(look, message_value(file, FILE_ID), &m);
    if (!error && kind->type == KIND_INET)
        error = inet_check(look, &m);
    if (!error && kind->type == KIND_UNIX)
        error = unix_check(look, &m);
    if (!error && kind->type == KIND_EPOLL)
        error = epoll_check(look, file->fields[kind->message].content);
    return error;
}

static int file_visit(struct bytes record, void *arg)
{
    struct look *look = arg;
    struct message file;
    int error = message_read(record, 0, &file);

    if (error)
        return error;
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
        if (kinds[i].type == message_value(&file, FILE_TYPE))
            return kind_check(look, &kinds[i], &file);
    return refuse(look, "has an open file of kind %u", message_value(&file, FILE_TYPE));
}

struct image_file *imagekinds_find(struct image_files *files, uint32_t id)
{
    for (unsigned i = 0; i < files->count; i++)
        if (files->list[i].id == id)
            return &files->list[i];
    return NULL;
}

int imagekinds_check(int dir_fd, uid_t uid, struct image_files *files, char *text, size_t len)
{
    struct look look = { .files = files, .uid = uid, .text = text, .len = len };

    return imagefile_visit(dir_fd, "files.img", file_visit, &look);
}

void imagekinds_free(struct image_files *files)
{
    for (unsigned i = 0; i < files->count; i++) {
        free(files->list[i].path);
        if (files->list[i].fd >= 0)
            close(files->list[i].fd);
    }
    free(files->list);
    *files = (struct image_files){ NULL, 0 };
}
