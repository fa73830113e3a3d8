/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/stat.h>
#include <unistd.h>

#include "migrate/imageguest.h"
#include "tests/unit/image_made.h"
#include "tests/unit/tap.h"

static char link_path[64];
static char text[256];

/* Tries the image with the change, and takes that back; `files` gets what was opened. */
static int image_open(uid_t uid, struct image_files *files)
{
    static const struct nodefiles none;
    struct image_guest guest = { .owner = { uid, uid, NULL, 0 }, .pid = PID, .root = "/",
                                 .sent = &none };
    int error;

    files_write();
    process_write();
    core_write();
    mm_write();
    if (change.name)
        image_write(change.name, 8, NULL, 0);
    text[0] = '\0';
    *files = (struct image_files){ NULL, 0 };
    error = imageguest_check(dir, &guest, files, text, sizeof(text));
    if (change.name)
        unlinkat(dir, change.name, 0);
    memset(&change, 0, sizeof(change));
    return error;
}

static int image_try(uid_t uid)
{
    struct image_files files;
    int error = image_open(uid, &files);

    imagekinds_free(&files);
    return error;
}

static void names_try(void)
{
    static const char *const bad[] = { "mountpoints-5.img", "netdev-9.img", "utsns-1.img",
                                       "cgroup.img", "tty.img", "tcp-stream-1f.img", "fs-8.img",
                                       "core-.img", "ipcns-shm-1.img", "tmpfs-3.tar.gz.img" };
    static const char *const good[] = { "pages-1.img", "pagemap-shmem-5.img",
                                        "sk-queues.img", "seccomp.img", "timens-0.img" };

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        change.name = bad[i];
        is_int(image_try(OWNER), -EPERM, "%s", bad[i]);
    }
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        change.name = good[i];
        is_int(image_try(OWNER), 0, "%s", good[i]);
    }
}

/* A TCP socket in state `state` at `port`. */
static struct blob inet(unsigned state, unsigned port)
{
    struct blob socket = { .len = 0 }, options = { .len = 0 };

    number(&socket, 4, 1);
    number(&socket, 5, 6);
    number(&socket, 6, state);
    number(&socket, 7, port);
    inside(&socket, 14, &options);
    return file_make(4, 4, 13, socket);
}

static void inet_try(void)
{
    change.file = inet(10, 8080);
    is_int(image_try(OWNER), 0, "a socket that listens");
    change.file = inet(10, 80);
    is_int(image_try(OWNER), -EPERM, "at a port of root's");
    change.file = inet(1, 8080);
    is_int(image_try(OWNER), -EPERM, "a connection");
}

static void kinds_try(void)
{
    static const unsigned bad[] = { 3, 8, 10, 11, 12, 13, 14, 15, 16, 19, 20 };
    static const unsigned good[][3] = { { 2, 18, 4 }, { 6, 8, 3 }, { 7, 9, 3 }, { 9, 10, 3 },
                                        { 17, 12, 3 }, { 18, 20, 4 } };
    struct blob empty = { .len = 0 };

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        change.file = file_make(bad[i], 18, 4, empty);
        is_int(image_try(OWNER), -EPERM, "an open file of kind %u", bad[i]);
        change.file = file_make(bad[i], 18, 4, empty);
        is_int(image_try(0), -EPERM, "root's, too");
    }
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        change.file = file_make(good[i][0], good[i][1], good[i][2], empty);
        is_int(image_try(OWNER), 0, "an open file of kind %u", good[i][0]);
    }
    change.file = file_make(2, 3, 4, empty);
    is_int(image_try(OWNER), -EPROTO, "a pipe that says it is another file");
}

static int epoll_try(uid_t uid, unsigned events)
{
    struct blob harmless = { .len = 0 }, target = { .len = 0 }, part = { .len = 0 };

    number(&target, 3, events);
    number(&harmless, 3, EPOLLIN);
    inside(&part, 4, &target);
    inside(&part, 4, &harmless);
    change.file = file_make(7, 9, 3, part);
    return image_try(uid);
}

static void epolls_try(void)
{
    is_int(epoll_try(OWNER, EPOLLIN | EPOLLET), 0, "an epoll that waits for two files");
    is_int(epoll_try(OWNER, EPOLLIN | EPOLLWAKEUP), -EPERM, "one that keeps the machine awake");
    is_int(epoll_try(0, EPOLLIN | EPOLLWAKEUP), 0, "but root's");
}

static int socket_try(const char *name, unsigned uflags, unsigned mark)
{
    struct blob options = { .len = 0 }, part = { .len = 0 };

    number(&options, 11, mark);
    number(&part, 6, uflags);
    inside(&part, 10, &options);
    bytes(&part, 11, name, strlen(name));
    change.file = file_make(5, 16, 9, part);
    return image_try(OWNER);
}

static void sockets_try(void)
{
    is_int(socket_try("", 0, 0), 0, "a socket");
    is_int(socket_try("", 1, 0), 0, "one whose other end is elsewhere");
    is_int(socket_try("/run/x", 0, 0), -EPERM, "one with a name");
    is_int(socket_try("", 4, 0), -EPERM, "one of another kind");
    is_int(socket_try("", 0, 1), -EPERM, "one with a mark");
}

static int open_try(uid_t uid, unsigned flags, const char *path)
{
    change.file = regular(9, flags, path);
    return image_try(uid);
}

static void ghost_make(unsigned owner, unsigned mode, const char *path)
{
    change.file = regular(9, O_RDWR, path);
    number(&change.remap, 1, 9);
    number(&change.remap, 2, 5);
    number(&change.remap, 3, 1);
    number(&change.ghost, 1, owner);
    number(&change.ghost, 2, owner);
    number(&change.ghost, 3, mode);
}

static int ghost_try(uid_t uid, unsigned owner, unsigned mode, const char *path)
{
    ghost_make(owner, mode, path);
    return image_try(uid);
}

static bool image_has(const char *what)
{
    char whole[2048];
    int fd = openat(dir, "files.img", O_RDONLY | O_CLOEXEC);
    ssize_t n = read(fd, whole, sizeof(whole));

    close(fd);
    return n > 0 && memmem(whole, (size_t)n, what, strlen(what));
}

/* Number 9 of those that were opened: what is read there next. */
static const char *read_next(struct image_files *files)
{
    static char line[16];
    struct image_file *file = imagekinds_find(files, 9);
    ssize_t n = file ? read(file->fd, line, sizeof(line) - 1) : -1;

    line[n > 0 ? n : 0] = '\0';
    return line;
}

static void file_put(const char *path, mode_t mode, const char *content)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);

    if (fchmod(fd, mode) < 0 || write(fd, content, strlen(content)) < 0)
        diag("cannot write %s", path);
    close(fd);
}

/* What a name leads to after the look at it does not count any more. */
static void swap_try(void)
{
    struct image_files files;

    file_put("mine", 0644, "0123456789");
    file_put("secret", 0600, "secret");
    ok(symlink("mine", "link") == 0, "a link to a file");
    change.offset = 4;
    change.file = regular(9, O_RDONLY, link_path);
    is_int(image_open(OWNER, &files), 0, "is opened");
    ok(unlink("link") == 0 && symlink("secret", "link") == 0, "then it leads elsewhere");
    is_str(read_next(&files), "456789", "what was opened is what CRIU gets, at its offset");
    ok(!image_has(link_path), "its name is not in the image any more");
    ok(image_has("/.bproc-file-9"), "but that of the descriptor");
    imagekinds_free(&files);
    unlink("link");
    unlink("mine");
    unlink("secret");
}

static void nameless_open_try(const char *name, const char *content)
{
    struct image_files files;
    struct stat st = { .st_nlink = 9 };

    ghost_make(OWNER, S_IFREG | 0640, "/tmp/gone");
    change.file = regular(9, O_RDWR, "/tmp/gone");
    is_int(image_open(OWNER, &files), 0, "%s", name);
    is_str(read_next(&files), content, "its bytes");
    fstat(imagekinds_find(&files, 9)->fd, &st);
    ok(st.st_nlink == 0 && st.st_uid == OWNER && st.st_gid == OWNER && st.st_mode == 0100640,
       "nobody else can have it");
    is_int(faccessat(dir, "remap-fpath.img", F_OK, 0), -1, "CRIU is to make none");
    imagekinds_free(&files);
}

static void nameless_try(void)
{
    struct blob chunk = { .len = 0 };

    memcpy(change.content.at, "abcdef", change.content.len = 6);
    change.offset = 2;
    nameless_open_try("a file without a name, in one piece", "cdef");
    number(&chunk, 1, 3);
    number(&chunk, 2, 4);
    change.content.at[0] = (uint8_t)chunk.len;
    memcpy(change.content.at + 4, chunk.at, chunk.len);
    memcpy(change.content.at + 4 + chunk.len, "xyz", 3);
    change.content.len = 4 + chunk.len + 3;
    number(&change.ghost, 9, 1);
    number(&change.ghost, 10, 7);
    change.offset = 4;
    nameless_open_try("a file without a name, in chunks", "xyz");
}

static void locks_try(void)
{
    number(&change.lock, 1, 2);
    is_int(image_try(OWNER), 0, "a lock");
    number(&change.lock, 1, 32);
    is_int(image_try(OWNER), -EPERM, "a lease");
}

static void files_try(void)
{
    is_int(open_try(OWNER, O_RDONLY, "/etc/passwd"), 0, "a file for reading");
    is_int(open_try(OWNER, O_RDWR, "/./dev/null"), 0, "a device for everybody");
    is_int(open_try(OWNER, O_WRONLY, "/etc/passwd"), -EPERM, "one that others may not write");
    is_str(text, "opens /etc/passwd, which uid 1000 may not", "the reason");
    is_int(open_try(OWNER, O_RDONLY, "/etc/shadow"), -EPERM, "one that others may not read");
    is_int(open_try(0, O_RDONLY, "/etc/shadow"), 0, "but root");
    is_int(open_try(OWNER, O_RDWR | O_CREAT, "/tmp/made"), -EPERM, "one that is made");
    is_int(open_try(OWNER, O_RDONLY, "/no/such"), -ENOTSUP, "one that is not there");
    is_int(open_try(OWNER, O_RDONLY, "relative"), -EPROTO, "one of no folder");
    change.exe = "/etc/shadow";
    is_int(image_try(OWNER), -EPERM, "a program that is none of the user's");
    change.vma_flags = O_RDWR;
    is_int(image_try(OWNER), -EPERM, "a file mapped for writing");
    change.root = "/tmp";
    is_int(image_try(OWNER), -EPERM, "another root");
    change.folder = "/etc/passwd";
    is_int(image_try(OWNER), -ENOTSUP, "a folder that is none");
    is_int(ghost_try(OWNER, OWNER, S_IFREG | 0600, "/tmp/gone"), 0, "a file without a name");
    is_int(ghost_try(OWNER, 0, S_IFREG | 0600, "/tmp/gone"), -EPERM, "of root's");
    is_int(ghost_try(OWNER, OWNER, S_IFREG | 04755, "/tmp/gone"), -EPERM, "a set-uid one");
    is_int(ghost_try(OWNER, OWNER, S_IFBLK | 0600, "/tmp/gone"), -EPERM, "a device");
    is_int(ghost_try(OWNER, OWNER, S_IFREG | 0600, "/etc/gone"), -EPERM, "in a folder of root's");
}

static int thread_try(uid_t uid, unsigned field, unsigned value)
{
    change.thread_field = field;
    change.thread_value = value;
    return image_try(uid);
}

static void process_try(void)
{
    is_int(thread_try(OWNER, 4, 3), 0, "batch scheduling");
    is_int(thread_try(OWNER, 4, 1), -EPERM, "real-time scheduling");
    is_int(thread_try(0, 4, 1), 0, "but root's");
    is_int(thread_try(OWNER, 3, 10), 0, "nice 5");
    is_int(thread_try(OWNER, 3, 9), -EPERM, "nice -5");
    is_int(thread_try(OWNER, 11, 2), -EPERM, "a filter of system calls");
    change.creds_field = 18;
    change.creds_value = 1;
    is_int(thread_try(OWNER, 11, 2), 0, "with no_new_privs");
    change.creds_field = 13;
    change.creds_value = 1;
    is_int(image_try(OWNER), -EPERM, "securebits");
    change.creds_field = 15;
    is_int(image_try(OWNER), -EPERM, "a label");
    change.task_field = 14;
    change.task_value = 0xffffff00;
    is_int(image_try(OWNER), -EPERM, "a negative oom_score_adj");
    change.namespace = 12;
    is_int(image_try(OWNER), 0, "a time of its own");
    for (change.namespace = 5; change.namespace <= 11;) {
        unsigned namespace = change.namespace;

        is_int(image_try(OWNER), -EPERM, "namespace %u", namespace);
        change.namespace = namespace;
        is_int(image_try(0), -EPERM, "root's, too");
        change.namespace = namespace + 1;
    }
    memset(&change, 0, sizeof(change));
    change.parent = 1;
    is_int(image_try(OWNER), -EPERM, "a process with a parent");
    change.vma_status = 1 << 10;
    is_int(image_try(OWNER), -EPERM, "shared memory of System V");
    change.vma_status = 1 << 27;
    is_int(image_try(OWNER), -EPERM, "memory of a plugin's");
}

int main(void)
{
    static const char *const made[] = {
        "files.img", "remap-fpath.img", "ghost-file-5.img", "pstree.img", "fs-7.img", "ids-7.img",
        "inventory.img", "core-7.img", "mm-7.img", "filelocks.img"
    };
    char path[] = "/tmp/test_imageguest.XXXXXX", files[] = "/tmp/test_imageguest.XXXXXX";

    if (geteuid() != 0)
        skip_all("needs root");
    dir = mkdtemp(path) ? open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
    if (!ok(dir >= 0 && mkdtemp(files) && chmod(files, 0755) == 0 && chdir(files) == 0, "folders"))
        return done_testing();
    snprintf(link_path, sizeof(link_path), "%s/link", files);
    is_int(image_try(OWNER), 0, "an honest image");
    names_try();
    kinds_try();
    epolls_try();
    inet_try();
    sockets_try();
    files_try();
    swap_try();
    nameless_try();
    locks_try();
    process_try();
    for (size_t i = 0; i < sizeof(made) / sizeof(made[0]); i++)
        unlinkat(dir, made[i], 0);
    close(dir);
    rmdir(path);
    rmdir(files);
    return done_testing();
}
