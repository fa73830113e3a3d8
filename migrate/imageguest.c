/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "migrate/imagefile.h"
#include "migrate/imageguest.h"
#include "migrate/imageopen.h"
#include "migrate/imagetask.h"

/* The numbers of the fields and of kinds are CRIU's: fdinfo.proto, regfile.proto and so on. */
#define FILE_TYPE 1
#define FILE_ID 2
#define REGULAR_FLAGS 2
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
#define OPTION_MARK 11
#define OPTION_DEVICE 15
#define OWNER_UID 1
#define OWNER_EUID 2
#define OWNER_PID 5
#define REMAP_ID 1
#define REMAP_GHOST_ID 2
#define REMAP_TYPE 3
#define GHOST_UID 1
#define GHOST_GID 2
#define GHOST_MODE 3
#define MEMFD_UID 2
#define MEMFD_GID 3
#define MEMFD_MODE 9
#define FS_FOLDER 1
#define FS_ROOT 2

#define REMAP_GHOST 1
#define UNIX_EXTERNAL 1                 /* of uflags: its other end is not in the image */

enum { KIND_REGULAR = 1, KIND_INET = 4, KIND_UNIX = 5 };

/* Where such a file's own message is, and in it whom the kernel is to send signals to. */
static const struct kind {
    unsigned type, message, signals;
} kinds[] = {
    { KIND_REGULAR, 3, 5 },
    { 2, 18, 4 },                       /* pipe */
    { KIND_INET, 4, 13 },
    { KIND_UNIX, 16, 9 },
    { 6, 7, 3 },                        /* eventfd */
    { 7, 8, 3 },                        /* epoll */
    { 9, 9, 3 },                        /* signalfd */
    { 17, 11, 3 },                      /* timerfd */
    { 18, 20, 4 },                      /* memfd */
};

#define EPOLL_TARGETS (1u << 4)         /* repeated fields */
#define OPTION_FILTERS (1u << 16)

struct regular {
    uint32_t id, flags;
    bool ghost;
    char *path;
};

struct look {
    int dir;
    const struct image_guest *guest;
    struct regular *files;
    unsigned count;
    struct image_want *wants;
    unsigned want_count;
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

static bool is_mine(const struct look *look, uint32_t uid, uint32_t gid)
{
    const struct image_owner *owner = &look->guest->owner;

    if (owner->uid == 0)
        return true;
    for (unsigned i = 0; i < owner->ngroups; i++)
        if (owner->groups[i] == gid)
            return uid == owner->uid;
    return uid == owner->uid && gid == owner->gid;
}

/* ---- the names in the folder ---- */

static bool is_number(const char *from, const char *end, const char *digits)
{
    return end > from && end - from <= 20 && strspn(from, digits) == (size_t)(end - from);
}

static bool name_is_known(const char *name, pid_t pid)
{
    static const char *const alone[] = { "files", "filelocks", "inventory", "memfd", "pipes-data",
                                         "pstree", "remap-fpath", "seccomp", "sk-queues" };
    static const char *const of_process[] = { "fs-", "ids-", "mm-", "pagemap-" };
    static const char *const numbered[] = { "core-", "fdinfo-", "pages-", "pagemap-shmem-",
                                            "timens-" };
    const char *end = strstr(name, ".img");
    char number[16];
    size_t len;

    if (!end || end[4])
        return false;
    len = (size_t)(end - name);
    for (size_t i = 0; i < sizeof(alone) / sizeof(alone[0]); i++)
        if (strlen(alone[i]) == len && strncmp(name, alone[i], len) == 0)
            return true;
    for (size_t i = 0; i < sizeof(numbered) / sizeof(numbered[0]); i++)
        if (strncmp(name, numbered[i], strlen(numbered[i])) == 0 &&
            is_number(name + strlen(numbered[i]), end, "0123456789"))
            return true;
    snprintf(number, sizeof(number), "%d.img", pid);
    for (size_t i = 0; i < sizeof(of_process) / sizeof(of_process[0]); i++)
        if (strncmp(name, of_process[i], strlen(of_process[i])) == 0 &&
            strcmp(name + strlen(of_process[i]), number) == 0)
            return true;
    return strncmp(name, "ghost-file-", 11) == 0 && is_number(name + 11, end, "0123456789abcdef");
}

static int names_check(struct look *look)
{
    DIR *dir = fdopendir(openat(look->dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    struct dirent *entry;
    int error = dir ? 0 : -errno;

    while (!error && (entry = readdir(dir)))
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0 &&
            !name_is_known(entry->d_name, look->guest->pid))
            error = refuse(look, "has %s", entry->d_name);
    if (dir)
        closedir(dir);
    return error;
}

/* ---- open files ---- */

/* CRIU becomes whom it says, for the kernel to ask later whether he may send that signal. */
static int signals_check(struct look *look, struct bytes content)
{
    struct message m;
    uid_t uid = look->guest->owner.uid;
    int error = message_read(content, 0, &m);

    if (error || uid == 0 || message_value(&m, OWNER_PID) == 0)
        return error;
    if (message_value(&m, OWNER_UID) == uid && message_value(&m, OWNER_EUID) == uid)
        return 0;
    return refuse(look, "sends signals as another user");
}

static int regular_add(struct look *look, uint32_t id, const struct message *m)
{
    struct bytes name = m->fields[REGULAR_NAME].content;
    struct regular *list = realloc(look->files, (look->count + 1) * sizeof(*list));
    struct regular *file;

    if (!list)
        return -ENOMEM;
    look->files = list;
    file = &list[look->count];
    *file = (struct regular){ .id = id, .flags = message_value(m, REGULAR_FLAGS) };
    file->path = strndup((const char *)name.at, name.len);
    if (!file->path)
        return -ENOMEM;
    look->count++;
    return 0;
}

static int regular_check(struct look *look, uint32_t id, const struct message *m)
{
    struct bytes name;

    if (!has(m, REGULAR_NAME))
        return -EPROTO;
    name = m->fields[REGULAR_NAME].content;
    if (name.len == 0 || name.at[0] != '/' || memchr(name.at, '\0', name.len))
        return -EPROTO;
    if (message_value(m, 1) != id)
        return -EPROTO;
    /* A mount's number is written as a signed one, in two's complement or folded. */
    if (message_value(m, REGULAR_EXTERNAL) ||
        (has(m, REGULAR_MOUNT) && m->fields[REGULAR_MOUNT].value != 1))
        return refuse(look, "names a file outside its mounts");
    return regular_add(look, id, m);
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

static int kind_check(struct look *look, const struct kind *kind, const struct message *file)
{
    uint32_t repeated = kind->type == KIND_REGULAR ? 1u << 11
                        : kind->type == KIND_INET ? INET_ADDRESSES : EPOLL_TARGETS;
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

static struct regular *regular_find(struct look *look, uint32_t id)
{
    for (unsigned i = 0; i < look->count; i++)
        if (look->files[i].id == id)
            return &look->files[i];
    return NULL;
}

/* ---- files without a name ---- */

static int ghost_visit(struct bytes record, void *arg)
{
    struct look *look = arg;
    struct message m;
    int error = message_read(record, 0, &m);
    uint32_t mode;

    if (error)
        return error;
    mode = message_value(&m, GHOST_MODE);
    if (!S_ISREG(mode) || mode & (S_ISUID | S_ISGID | S_ISVTX) ||
        !is_mine(look, message_value(&m, GHOST_UID), message_value(&m, GHOST_GID)))
        return refuse(look, "makes a file that is not its owner's, or no regular one");
    return 1;
}

static int remap_visit(struct bytes record, void *arg)
{
    struct look *look = arg;
    struct regular *file;
    struct message m;
    char name[32];
    int error = message_read(record, 0, &m);

    if (error)
        return error;
    if (message_value(&m, REMAP_TYPE) != REMAP_GHOST)
        return refuse(look, "has a file under another name");
    file = regular_find(look, message_value(&m, REMAP_ID));
    if (!file)
        return -EPROTO;
    file->ghost = true;
    snprintf(name, sizeof(name), "ghost-file-%x.img", message_value(&m, REMAP_GHOST_ID));
    return imagefile_visit(look->dir, name, ghost_visit, look);
}

static int memfd_visit(struct bytes record, void *arg)
{
    struct look *look = arg;
    struct message m;
    int error = message_read(record, 0, &m);

    if (!error && (!is_mine(look, message_value(&m, MEMFD_UID), message_value(&m, MEMFD_GID)) ||
                   message_value(&m, MEMFD_MODE) & (S_ISUID | S_ISGID)))
        return refuse(look, "has memory that is not its owner's");
    return error;
}

/* ---- what is done with the files ---- */

static bool is_sent(const struct look *look, const char *path)
{
    const struct nodefiles *sent = look->guest->sent;

    for (unsigned i = 0; i < sent->count; i++)
        if (sent->fds[i] >= 0 && strcmp(sent->list[i].path, path) == 0)
            return true;
    return false;
}

/* One that is made anew is made in its folder; what is above that need not be there. */
static int want_add(struct look *look, const struct regular *file, enum image_use use,
                    uint32_t flags)
{
    struct image_want *list;
    char *slash;

    if (is_sent(look, file->path))
        return 0;
    list = realloc(look->wants, (look->want_count + 1) * sizeof(*list));
    if (!list)
        return -ENOMEM;
    look->wants = list;
    list[look->want_count] = (struct image_want){ strdup(file->path), flags,
                                                  file->ghost ? USE_CREATE : use };
    if (!list[look->want_count].path)
        return -ENOMEM;
    if (file->ghost) {
        slash = strrchr(list[look->want_count].path, '/');
        slash[slash == list[look->want_count].path] = '\0';
    }
    look->want_count++;
    return 0;
}

static int mapped_want(void *arg, uint32_t id, uint32_t flags)
{
    struct look *look = arg;
    const struct regular *file = regular_find(look, id);

    return file ? want_add(look, file, USE_OPEN, flags) : -EPROTO;
}

static int fs_visit(struct bytes record, void *arg)
{
    struct look *look = arg;
    const struct regular *root, *folder;
    struct message m;
    int error = message_read(record, 0, &m);

    if (error)
        return error;
    root = regular_find(look, message_value(&m, FS_ROOT));
    folder = regular_find(look, message_value(&m, FS_FOLDER));
    if (!root || !folder)
        return -EPROTO;
    if (strcmp(root->path, "/") != 0 || root->ghost)
        return refuse(look, "has the root %s", root->path);
    if (folder->ghost)
        return refuse(look, "is in a folder that is not there");
    return want_add(look, folder, USE_ENTER, O_RDONLY | O_DIRECTORY);
}

static int optional(int error)
{
    return error == -ENOENT ? 0 : error;
}

static int wants_find(struct look *look)
{
    struct image_task task = { .pid = look->guest->pid, .is_root = look->guest->owner.uid == 0,
                               .mapped = mapped_want, .arg = look };
    char name[32];
    int error = 0;

    snprintf(name, sizeof(name), "fs-%d.img", look->guest->pid);
    error = imagefile_visit(look->dir, name, fs_visit, look);
    for (unsigned i = 0; !error && i < look->count; i++)
        error = want_add(look, &look->files[i], USE_OPEN, look->files[i].flags);
    if (!error)
        error = imagetask_check(look->dir, &task, look->text, look->len);
    return error;
}

static void look_end(struct look *look)
{
    for (unsigned i = 0; i < look->count; i++)
        free(look->files[i].path);
    for (unsigned i = 0; i < look->want_count; i++)
        free(look->wants[i].path);
    free(look->files);
    free(look->wants);
}

int imageguest_check(int dir_fd, const struct image_guest *guest, char *text, size_t len)
{
    struct look look = { .dir = dir_fd, .guest = guest, .text = text, .len = len };
    int error = names_check(&look);

    if (!error)
        error = imagefile_visit(dir_fd, "files.img", file_visit, &look);
    if (!error)
        error = optional(imagefile_visit(dir_fd, "remap-fpath.img", remap_visit, &look));
    if (!error)
        error = optional(imagefile_visit(dir_fd, "memfd.img", memfd_visit, &look));
    if (!error)
        error = wants_find(&look);
    if (!error)
        error = imageopen_check(guest, look.wants, look.want_count, text, len);
    look_end(&look);
    return error;
}
