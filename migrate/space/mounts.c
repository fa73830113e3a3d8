/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "migrate/rootopen.h"
#include "migrate/space/mounts.h"

static const char *const system_folders[] = { "/dev", "/sys", "/run" };

/* The next one on the way to a folder under the root, whose links lead on under it. */
static int step_open(const char *root, const char *path, int parent)
{
    int fd = rootopen(root, path, O_PATH | O_DIRECTORY);

    if (fd != -ENOENT)
        return fd;
    if (mkdirat(parent, strrchr(path, '/') + 1, 0755) < 0)
        return errno == EEXIST ? -ENOENT : -errno;
    return rootopen(root, path, O_PATH | O_DIRECTORY);
}

/* Made where it is not there. */
static int folder_open(const char *root, const char *folder)
{
    int fd = rootopen(root, "/", O_PATH | O_DIRECTORY), parent;
    char path[PATH_MAX];
    char *at = path;

    if (snprintf(path, sizeof(path), "%s", folder) >= (int)sizeof(path))
        return -ENAMETOOLONG;
    while (fd >= 0 && at) {
        at = strchr(at + 1, '/');
        if (at)
            *at = '\0';
        parent = fd;
        fd = step_open(root, path, parent);
        close(parent);
        if (at)
            *at = '/';
    }
    return fd;
}

static int bind_into(const char *root, const char *folder)
{
    int target, tree, error = 0;

    if (access(folder, F_OK) < 0)
        return 0;
    target = folder_open(root, folder);
    if (target < 0)
        return target;
    tree = open_tree(AT_FDCWD, folder, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE);
    if (tree < 0 || move_mount(tree, "", target, "",
                               MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) < 0)
        error = -errno;
    if (tree >= 0)
        close(tree);
    close(target);
    return error;
}

static int root_fill(const char *root, char *const *binds, unsigned count, const char **what)
{
    int error = 0;

    for (size_t i = 0; !error && i < sizeof(system_folders) / sizeof(system_folders[0]); i++) {
        *what = system_folders[i];
        error = bind_into(root, *what);
    }
    for (unsigned i = 0; !error && i < count; i++) {
        *what = binds[i];
        error = bind_into(root, *what);
    }
    return error;
}

/* The old root comes to lie on top of the new one and is taken away from there. */
static int root_enter(const char *root)
{
    if (chdir(root) < 0)
        return -errno;
    if (syscall(SYS_pivot_root, ".", ".") < 0 || umount2(".", MNT_DETACH) < 0)
        return -errno;
    return chdir("/") < 0 ? -errno : 0;
}

static int root_change(const char *root, char *const *binds, unsigned count, const char **what)
{
    int error;

    *what = root;
    if (mount(root, root, NULL, MS_BIND | MS_REC, NULL) < 0)
        return -errno;
    error = root_fill(root, binds, count, what);
    if (error)
        return error;
    *what = root;
    return root_enter(root);
}

int mounts_home(const char *folder, const char **what)
{
    char from[PATH_MAX];

    *what = folder;
    if (snprintf(from, sizeof(from), "%s/home", folder) >= (int)sizeof(from))
        return -ENAMETOOLONG;
    return mount(from, folder, NULL, MS_BIND, NULL) < 0 ? -errno : 0;
}

/*
 * A slave of the node's mounts rather than wholly private: what the administrator mounts later, or
 * wants to unmount, is so for the processes as well.
 */
int mounts_make(const char *root, char *const *binds, unsigned count, const char **what)
{
    int error;

    *what = "/";
    if (mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL) < 0)
        return -errno;
    error = root ? root_change(root, binds, count, what) : 0;
    if (error)
        return error;
    *what = "/proc";
    if (mkdir("/proc", 0755) < 0 && errno != EEXIST)
        return -errno;
    return mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) < 0 ? -errno : 0;
}
