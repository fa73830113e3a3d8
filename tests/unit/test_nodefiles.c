/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "migrate/nodefiles.h"
#include "tests/unit/tap.h"

#define NOBODY 65534

static char root[] = "/tmp/bproc-nodefiles.XXXXXX";

static void file_make(const char *name, mode_t mode)
{
    char path[64];
    int fd;

    snprintf(path, sizeof(path), "%s/%s", root, name);
    fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);
    if (fd < 0 || write(fd, "text\n", 5) != 5 || fchmod(fd, mode) < 0)
        exit(99);
    close(fd);
}

static void file_drop(const char *name)
{
    char path[64];

    snprintf(path, sizeof(path), "%s/%s", root, name);
    unlink(path);
}

/* What is said of a file for which `size` was told. */
static const char *check(char *path, unsigned size, const struct image_owner *owner)
{
    static char text[BPROC_MAX_TEXT];
    const mapped_file list[] = { { .path = path, .size = size } };
    const struct filecache cache = { .dir = "/nowhere" };
    static struct nodefiles files;
    int error;

    text[0] = '\0';
    error = nodefiles_check(&files, &cache, root, owner, list, 1, text, sizeof(text));
    nodefiles_free(&files);
    return error ? text : "as it was";
}

int main(void)
{
    const struct image_owner root_owner = { .uid = 0 }, nobody = { .uid = NOBODY, .gid = NOBODY };
    char open_file[] = "/open", secret[] = "/secret", none[] = "/none", up[] = "/../../open";

    if (geteuid() != 0)
        skip_all("only root can look with the rights of others");
    if (!mkdtemp(root) || chmod(root, 0755) < 0)
        return 99;
    file_make("open", 0644);
    file_make("secret", 0600);
    is_str(check(open_file, 5, NULL), "as it was", "a file of the same size");
    ok(strstr(check(secret, 4, NULL), "5 bytes long here"), "the master learns of any");
    is_str(check(open_file, 5, &nobody), "as it was", "an owner's file");
    ok(strstr(check(open_file, 4, &nobody), "5 bytes long here"), "he learns of what he may read");
    is_str(check(secret, 4, &nobody), "cannot use /secret: Permission denied",
           "not of what he may not");
    is_str(check(secret, 5, &nobody), "cannot use /secret: Permission denied",
           "not even that it is the same");
    is_str(check(secret, 5, &root_owner), "as it was", "root may");
    is_str(check(none, 5, &nobody), "cannot use /none: No such file or directory",
           "a file that is not there");
    is_str(check(up, 5, &nobody), "as it was", "the root is not left");
    file_drop("open");
    file_drop("secret");
    rmdir(root);
    return done_testing();
}
