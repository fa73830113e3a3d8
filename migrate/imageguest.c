/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "migrate/imagefile.h"
#include "migrate/imageguest.h"
#include "migrate/imageopen.h"
#include "migrate/imagepin.h"
#include "migrate/imagetask.h"

/* The numbers of the fields are CRIU's: remap-file-path.proto, ghost-file.proto and so on. */
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
#define LOCK_FLAGS 1

#define REMAP_GHOST 1
#define LOCK_POSIX 1
#define LOCK_WHOLE 2
#define LOCK_DESCRIPTION 1024           /* of an open file, not of a process */

struct look {
    int dir;
    const struct image_guest *guest;
    struct image_files *files;
    struct image_file *nameless;        /* the one that is looked at */
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
    look->nameless->mode = mode & 0777;
    return 1;
}

static int remap_visit(struct bytes record, void *arg)
{
    struct look *look = arg;
    struct image_file *file;
    struct message m;
    char name[32];
    int error = message_read(record, 0, &m);

    if (error)
        return error;
    if (message_value(&m, REMAP_TYPE) != REMAP_GHOST)
        return refuse(look, "has a file under another name");
    file = imagekinds_find(look->files, message_value(&m, REMAP_ID));
    if (!file)
        return -EPROTO;
    look->nameless = file;
    file->is_nameless = true;
    file->nameless = message_value(&m, REMAP_GHOST_ID);
    snprintf(name, sizeof(name), "ghost-file-%x.img", file->nameless);
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

/* A lease would keep others from a file that its holder may only read. */
static int lock_visit(struct bytes record, void *arg)
{
    struct look *look = arg;
    struct message m;
    int error = message_read(record, 0, &m);
    uint32_t flags;

    if (error)
        return error;
    flags = message_value(&m, LOCK_FLAGS);
    if (look->guest->owner.uid == 0 || flags == LOCK_POSIX || flags == LOCK_WHOLE ||
        flags == LOCK_DESCRIPTION)
        return 0;
    return refuse(look, "holds a file by more than a lock");
}

/* ---- what is done with the files ---- */

static int mapped_mark(void *arg, uint32_t id, enum image_mapping how)
{
    struct look *look = arg;
    struct image_file *file = imagekinds_find(look->files, id);

    if (!file)
        return -EPROTO;
    file->is_read = true;
    if (how == MAPPED_WRITABLE)
        file->is_written = true;
    if (how == MAPPED_PROGRAM)
        file->is_program = true;
    return 0;
}

/*
 * Each of a node's process spaces has a root of its own, with its own /proc, and which one the
 * process comes to is not known yet: CRIU, which is there, is to open it. Nobody can put a link
 * in its place.
 */
static void root_leave(struct image_file *file)
{
    const uint32_t harmless = O_DIRECTORY | O_PATH | O_LARGEFILE | O_NOFOLLOW | O_NONBLOCK |
                              O_CLOEXEC;

    if (strcmp(file->path, "/") == 0 && !file->is_nameless && !(file->flags & ~harmless))
        file->is_sent = true;
}

static int fs_visit(struct bytes record, void *arg)
{
    struct look *look = arg;
    struct image_file *root, *folder;
    struct message m;
    int error = message_read(record, 0, &m);

    if (error)
        return error;
    root = imagekinds_find(look->files, message_value(&m, FS_ROOT));
    folder = imagekinds_find(look->files, message_value(&m, FS_FOLDER));
    if (!root || !folder)
        return -EPROTO;
    if (strcmp(root->path, "/") != 0 || root->is_nameless)
        return refuse(look, "has the root %s", root->path);
    if (folder->is_nameless)
        return refuse(look, "is in a folder that is not there");
    root->is_folder = folder->is_folder = true;
    root_leave(root);
    root_leave(folder);
    return 0;
}

static void sent_mark(struct image_files *files, const struct nodefiles *sent)
{
    for (unsigned i = 0; i < files->count; i++)
        for (unsigned j = 0; j < sent->count; j++)
            if (sent->fds[j] >= 0 && strcmp(sent->list[j].path, files->list[i].path) == 0)
                files->list[i].is_sent = true;
}

static int optional(int error)
{
    return error == -ENOENT ? 0 : error;
}

static int process_look(struct look *look)
{
    struct image_task task = { .pid = look->guest->pid, .is_root = look->guest->owner.uid == 0,
                               .mapped = mapped_mark, .arg = look };
    char name[32];
    int error;

    snprintf(name, sizeof(name), "fs-%d.img", look->guest->pid);
    error = imagefile_visit(look->dir, name, fs_visit, look);
    return error ? error : imagetask_check(look->dir, &task, look->text, look->len);
}

static int image_look(struct look *look)
{
    int error = names_check(look);

    if (!error)
        error = imagekinds_check(look->dir, look->guest->owner.uid, look->files, look->text,
                                 look->len);
    if (!error)
        error = optional(imagefile_visit(look->dir, "remap-fpath.img", remap_visit, look));
    if (!error)
        error = optional(imagefile_visit(look->dir, "memfd.img", memfd_visit, look));
    if (!error)
        error = optional(imagefile_visit(look->dir, "filelocks.img", lock_visit, look));
    return error ? error : process_look(look);
}

int imageguest_check(int dir_fd, const struct image_guest *guest, struct image_files *files,
                     char *text, size_t len)
{
    struct look look = { .dir = dir_fd, .guest = guest, .files = files, .text = text, .len = len };
    int error = image_look(&look);

    if (!error) {
        sent_mark(files, guest->sent);
        error = imageopen_files(dir_fd, guest, files, text, len);
    }
    return error ? error : imagepin_files(dir_fd, files);
}
