/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "migrate/imagedigest.h"

#define KEPT ".digest"
#define KEPT_PART ".digest.part"

typedef int file_visitor(int fd, const char *name, uint64_t size, void *arg);

/* The same order as imagesend_dir(): that of the folder. */
static int files_visit(int dir_fd, file_visitor *visit, void *arg)
{
    DIR *dir = fdopendir(openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    struct dirent *entry;
    int error = dir ? 0 : -errno;

    while (!error && (entry = readdir(dir))) {
        size_t len = strlen(entry->d_name);
        struct stat st;
        int fd;

        if (len < 4 || strcmp(entry->d_name + len - 4, ".img") != 0)
            continue;
        fd = openat(dir_fd, entry->d_name, O_RDONLY | O_CLOEXEC);
        error = fd < 0 || fstat(fd, &st) < 0
                    ? -errno : visit(fd, entry->d_name, (uint64_t)st.st_size, arg);
        if (fd >= 0)
            close(fd);
    }
    if (dir)
        closedir(dir);
    return error;
}

static int largest_visit(int fd, const char *name, uint64_t size, void *arg)
{
    u_quad_t *largest = arg;

    (void)fd;
    (void)name;
    if (size > *largest)
        *largest = size;
    return 0;
}

int imagedigest_largest(int dir, u_quad_t *largest)
{
    *largest = 0;
    return files_visit(dir, largest_visit, largest);
}

void imagedigest_head(EVP_MD_CTX *ctx, const char *name, uint64_t size)
{
    uint8_t bytes[8];

    for (int i = 0; i < 8; i++)
        bytes[i] = (uint8_t)(size >> (8 * i));
    EVP_DigestUpdate(ctx, name, strlen(name) + 1);
    EVP_DigestUpdate(ctx, bytes, sizeof(bytes));
}

static int digest_visit(int fd, const char *name, uint64_t size, void *arg)
{
    void *bytes;

    imagedigest_head(arg, name, size);
    if (size == 0)
        return 0;
    bytes = mmap(NULL, size, PROT_READ, MAP_SHARED, fd, 0);
    if (bytes == MAP_FAILED)
        return -errno;
    EVP_DigestUpdate(arg, bytes, size);
    munmap(bytes, size);
    return 0;
}

static int digest_make(int dir, uint8_t digest[BPROC_HASH_LEN])
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    int error = ctx && EVP_DigestInit_ex(ctx, EVP_sha256(), NULL) ? 0 : -ENOMEM;

    if (!error)
        error = files_visit(dir, digest_visit, ctx);
    if (!error && !EVP_DigestFinal_ex(ctx, digest, NULL))
        error = -EIO;
    EVP_MD_CTX_free(ctx);
    return error;
}

/* There whole or not at all: another process may look for it. */
int imagedigest_keep(int dir)
{
    uint8_t digest[BPROC_HASH_LEN];
    int fd, error = digest_make(dir, digest);

    if (error)
        return error;
    fd = openat(dir, KEPT_PART, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0 || write(fd, digest, sizeof(digest)) != sizeof(digest) ||
        renameat(dir, KEPT_PART, dir, KEPT) < 0)
        error = -EIO;
    if (fd >= 0)
        close(fd);
    return error;
}

int imagedigest_is(int dir, const uint8_t digest[BPROC_HASH_LEN])
{
    uint8_t kept[BPROC_HASH_LEN];
    int fd = openat(dir, KEPT, O_RDONLY | O_CLOEXEC);
    int is = fd >= 0 && read(fd, kept, sizeof(kept)) == sizeof(kept) &&
             CRYPTO_memcmp(kept, digest, sizeof(kept)) == 0;

    if (fd >= 0)
        close(fd);
    return is;
}
