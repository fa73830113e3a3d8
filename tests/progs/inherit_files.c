/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * inherit_files NODE FOLDER: open files are open in the child at the same numbers, with offset and
 * flags. FOLDER has, on both machines, "same" (100 bytes), "longer" and "shorter" (more and fewer
 * bytes on the node), all starting with "0123456789".
 */
#include "config.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "tests/progs/remote.h"

static const char *folder;
static int same, same_dup, append, cloexec, longer, shorter, null, directory, deleted, mapped;
static const char *map;

static int file_open(const char *name, int flags)
{
    char path[4096];
    int fd;

    snprintf(path, sizeof(path), "%s/%s", folder, name);
    fd = open(path, flags, 0600);
    if (fd < 0) {
        fprintf(stderr, "cannot open %s: %s\n", path, strerror(errno));
        exit(2);
    }
    return fd;
}

static void files_open(void)
{
    char path[4096];

    same = file_open("same", O_RDWR);
    same_dup = dup2(same, 90);
    append = file_open("same", O_WRONLY | O_APPEND | O_NONBLOCK);
    cloexec = file_open("same", O_RDONLY | O_CLOEXEC);
    longer = file_open("longer", O_RDONLY);
    shorter = file_open("shorter", O_RDONLY);
    mapped = file_open("same", O_RDWR);
    map = mmap(NULL, 100, PROT_READ, MAP_PRIVATE, mapped, 0);
    null = open("/dev/null", O_RDWR);
    directory = open(folder, O_RDONLY | O_DIRECTORY);
    deleted = file_open("deleted", O_RDWR | O_CREAT);
    (void)!write(deleted, "deleted", 7);
    snprintf(path, sizeof(path), "%s/deleted", folder);
    unlink(path);
    lseek(same, 5, SEEK_SET);
    lseek(longer, 3, SEEK_SET);
    lseek(mapped, 4, SEEK_SET);
    lseek(shorter, 2, SEEK_SET);
}

static char byte_next(int fd)
{
    char byte = '?';

    (void)!read(fd, &byte, 1);
    return byte;
}

static void look(void)
{
    struct stat st;
    char text[16] = "";

    is_int(lseek(same, 0, SEEK_CUR), 5, "the offset");
    is_int(byte_next(same), '5', "reading goes on there");
    is_int(lseek(same_dup, 0, SEEK_CUR), 6, "a duplicate shares it");
    is_int(lseek(cloexec, 0, SEEK_CUR), 0, "another open file of the same has its own");
    is_int(fcntl(same, F_GETFL) & O_ACCMODE, O_RDWR, "read and write");
    is_int(fcntl(append, F_GETFL) & (O_ACCMODE | O_APPEND | O_NONBLOCK),
           O_WRONLY | O_APPEND | O_NONBLOCK, "append and other flags");
    is_int(fcntl(cloexec, F_GETFD), FD_CLOEXEC, "close-on-exec");
    is_int(fcntl(same, F_GETFD), 0, "and not");
    is_int(write(append, "x", 1), 1, "writing");
    ok(fstat(same, &st) == 0 && st.st_size == 101, "appends to the node's file");
    ok(map != MAP_FAILED && memcmp(map, "0123", 4) == 0, "a file that is mapped as well");
    is_int(lseek(mapped, 0, SEEK_CUR), 4, "has its offset");
    is_int(write(mapped, "4", 1), 1, "and can be written");
    is_int(byte_next(longer), '3', "a file that is longer on the node");
    is_int(byte_next(shorter), '2', "a file that is shorter on the node");
    ok(fstat(shorter, &st) == 0 && st.st_size == 10, "and is the node's own");
    is_int(write(null, "x", 1), 1, "/dev/null");
    ok(fstat(directory, &st) == 0 && S_ISDIR(st.st_mode), "a directory");
    is_int(faccessat(directory, "same", R_OK, 0), 0, "with what is in it");
    is_int(pread(deleted, text, 15, 0), 7, "a deleted file comes along");
    is_str(text, "deleted", "with its bytes");
    is_int(fcntl(80, F_GETFD), -1, "what was not open is not open");
}

static int descriptor_count(void)
{
    DIR *dir = opendir("/proc/self/fd");
    int count = 0;

    while (readdir(dir))
        count++;
    closedir(dir);
    return count;
}

int main(int argc, char **argv)
{
    int node = remote_node(argc, argv), before;
    struct stat st;

    if (argc < 3)
        return 2;
    folder = argv[2];
    files_open();
    before = descriptor_count();
    remote_look(node, look);
    is_int(descriptor_count(), before, "the parent has the descriptors it had");
    is_int(lseek(same, 0, SEEK_CUR), 5, "its offset did not move");
    ok(fstat(same, &st) == 0 && st.st_size == 100, "its file did not change");
    return done_testing();
}
