/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "config.h"

#include "lab/view.h"
#include "lab/die.h"

#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

static const struct {
    const char *name;
    unsigned major, minor;
} devices[] = {
    {"null", 1, 3}, {"zero", 1, 5}, {"full", 1, 7}, {"random", 1, 8}, {"urandom", 1, 9},
    {"tty", 5, 0}, {"fuse", 10, 229},
};

static const struct {
    const char *name, *target;
} links[] = {
    {"ptmx", "pts/ptmx"}, {"fd", "/proc/self/fd"}, {"stdin", "/proc/self/fd/0"},
    {"stdout", "/proc/self/fd/1"}, {"stderr", "/proc/self/fd/2"},
};

/* The path in a buffer that the caller frees. */
__attribute__((format(printf, 1, 2))) static char *path_make(const char *format, ...)
{
    va_list args;
    char *path;
    int length;

    va_start(args, format);
    length = vasprintf(&path, format, args);
    va_end(args);
    if (length < 0)
        die(1, "cannot build view: %s", strerror(ENOMEM));
    return path;
}

static void dir_make(const char *path, mode_t mode)
{
    char copy[PATH_MAX];
    char *slash;

    snprintf(copy, sizeof(copy), "%s", path);
    for (slash = strchr(copy + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        if (mkdir(copy, 0755) < 0 && errno != EEXIST)
            die(1, "cannot make directory %s: %s", copy, strerror(errno));
        *slash = '/';
    }
    if (mkdir(copy, mode) < 0 && errno != EEXIST)
        die(1, "cannot make directory %s: %s", copy, strerror(errno));
}

/* Mounts at the node's own path TARGET (below root), which is made if need be. */
static void mount_at(const struct view *view, const char *source, const char *target,
                     const char *type, unsigned long flags, const char *data)
{
    char *path = path_make("%s/root%s", view->nodedir, target);

    dir_make(path, 0755);
    if (mount(source, path, type, flags, data) < 0)
        die(1, "cannot mount %s in node: %s", target, strerror(errno));
    free(path);
}

/* Overlay options separate by comma and colon. */
static char *option_escape(const char *path)
{
    char *escaped = path_make("%*s", (int)(2 * strlen(path)), "");
    char *out = escaped;

    for (; *path != '\0'; path++) {
        if (strchr(",:\\", *path) != NULL)
            *out++ = '\\';
        *out++ = *path;
    }
    *out = '\0';
    return escaped;
}

static char *lower_make(const struct view *view, const char *dir)
{
    char *host = option_escape(dir), *staged, *lower, *path;
    struct stat st;

    if (view->stage == NULL)
        return host;
    path = path_make("%s%s", view->stage, dir);
    if (stat(path, &st) < 0) {
        free(path);
        return host;
    }
    staged = option_escape(path);
    lower = path_make("%s:%s", staged, host);
    free(staged);
    free(path);
    free(host);
    return lower;
}

/* Lays the node's own writes over the host's DIR. The folders of two layers may not lie in one
 * another, so each layer gets a name without slashes. */
static void layer_mount(const struct view *view, const char *dir)
{
    const char *target = strcmp(dir, "/") == 0 ? "" : dir;
    char *name = path_make("root%s", target), *lower = lower_make(view, dir);
    char *upper, *work, *upper_option, *work_option, *data, *slash;

    while ((slash = strchr(name, '/')) != NULL)
        *slash = '-';
    upper = path_make("%s/disk/upper/%s", view->nodedir, name);
    work = path_make("%s/disk/scratch/%s", view->nodedir, name);
    dir_make(upper, 0755);
    dir_make(work, 0755);
    upper_option = option_escape(upper);
    work_option = option_escape(work);
    data = path_make("lowerdir=%s,upperdir=%s,workdir=%s", lower, upper_option, work_option);
    mount_at(view, "overlay", target, "overlay", 0, data);
    free(data);
    free(work_option);
    free(upper_option);
    free(work);
    free(upper);
    free(lower);
    free(name);
}

/* Its number is the kernel's choice; where the machine has none the node has none. */
static void userfaultfd_make(const struct view *view)
{
    char *path = path_make("%s/root/dev/userfaultfd", view->nodedir);
    struct stat st;

    if (stat("/dev/userfaultfd", &st) == 0 && mknod(path, S_IFCHR | 0600, st.st_rdev) < 0)
        die(1, "cannot make /dev/userfaultfd in node: %s", strerror(errno));
    free(path);
}

static void dev_fill(const struct view *view)
{
    size_t i;

    mount_at(view, "dev", "/dev", "tmpfs", MS_NOSUID, "mode=755,size=1m");
    for (i = 0; i < sizeof(devices) / sizeof(devices[0]); i++) {
        char *path = path_make("%s/root/dev/%s", view->nodedir, devices[i].name);

        if (mknod(path, S_IFCHR | 0666, makedev(devices[i].major, devices[i].minor)) < 0
            || chmod(path, 0666) < 0)
            die(1, "cannot make /dev/%s in node: %s", devices[i].name, strerror(errno));
        free(path);
    }
    userfaultfd_make(view);
    for (i = 0; i < sizeof(links) / sizeof(links[0]); i++) {
        char *path = path_make("%s/root/dev/%s", view->nodedir, links[i].name);

        if (symlink(links[i].target, path) < 0)
            die(1, "cannot make /dev/%s in node: %s", links[i].name, strerror(errno));
        free(path);
    }
    mount_at(view, "devpts", "/dev/pts", "devpts", MS_NOSUID | MS_NOEXEC,
             "newinstance,ptmxmode=0666,mode=620,gid=5");
    mount_at(view, "shm", "/dev/shm", "tmpfs", MS_NOSUID | MS_NODEV, "mode=1777");
}

static void kernel_mount(const struct view *view)
{
    const unsigned long quiet = MS_NOSUID | MS_NODEV | MS_NOEXEC;

    mount_at(view, "proc", "/proc", "proc", quiet, NULL);
    mount_at(view, "sysfs", "/sys", "sysfs", quiet | MS_RDONLY, NULL);
    if (access("/sys/fs/cgroup", F_OK) == 0)
        mount_at(view, "/sys/fs/cgroup", "/sys/fs/cgroup", NULL, MS_BIND | MS_REC, NULL);
    dev_fill(view);
    mount_at(view, "run", "/run", "tmpfs", MS_NOSUID | MS_NODEV, "mode=755");
}

static void disk_bind(const struct view *view, const char *from, const char *dir, mode_t mode)
{
    char *path = path_make("%s/%s", view->nodedir, from);

    dir_make(path, mode);
    mount_at(view, path, dir, NULL, MS_BIND, NULL);
    free(path);
}

static void dirs_bind(const struct view *view)
{
    const char *const *dir;

    disk_bind(view, "log", "/run/bplab", 0755);
    for (dir = view->owns; *dir != NULL; dir++) {
        char *from = path_make("disk/own%s", *dir);

        disk_bind(view, from, *dir, 0755);
        free(from);
    }
    for (dir = view->binds; *dir != NULL; dir++)
        mount_at(view, *dir, *dir, NULL, MS_BIND | MS_REC, NULL);
}

static void root_change(const struct view *view)
{
    char *root = path_make("%s/root", view->nodedir);

    /* With the new root over the old one, "." names the old one: no folder is needed for it. */
    if (chdir(root) < 0 || syscall(SYS_pivot_root, ".", ".") < 0 || umount2(".", MNT_DETACH) < 0
        || chdir("/") < 0)
        die(1, "cannot change root to %s: %s", root, strerror(errno));
    free(root);
}

void view_enter(const struct view *view)
{
    const char *const *dir;

    umask(022);
    if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
        die(1, "cannot make mounts private: %s", strerror(errno));
    layer_mount(view, "/");
    for (dir = view->layers; *dir != NULL; dir++)
        layer_mount(view, *dir);
    kernel_mount(view);
    dirs_bind(view);
    root_change(view);
}
