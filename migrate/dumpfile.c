/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <openssl/evp.h>
#include <openssl/x509_vfy.h>

#include "common/fd.h"
#include "migrate/dumpfile.h"
#include "proto/frame.h"

#define CHUNK (256u << 10)

/* A file that is written, and the digest of what went by. */
struct dump {
    int fd;
    EVP_MD_CTX *digest;             /* NULL: what follows is not signed */
};

static int digest_start(struct dump *dump, int fd)
{
    dump->fd = fd;
    dump->digest = EVP_MD_CTX_new();
    if (dump->digest && EVP_DigestInit_ex(dump->digest, EVP_sha256(), NULL) == 1)
        return 0;
    EVP_MD_CTX_free(dump->digest);
    return -ENOMEM;
}

static void digest_end(struct dump *dump, uint8_t digest[BPROC_HASH_LEN])
{
    unsigned len = BPROC_HASH_LEN;

    EVP_DigestFinal_ex(dump->digest, digest, &len);
    EVP_MD_CTX_free(dump->digest);
    dump->digest = NULL;
}

static int bytes_put(struct dump *dump, const void *bytes, size_t len)
{
    if (dump->digest)
        EVP_DigestUpdate(dump->digest, bytes, len);
    return fd_write_all(dump->fd, bytes, len);
}

static int frame_put(struct dump *dump, bproc_proc proc, xdrproc_t encode, const void *body)
{
    struct frame_header header = { .kind = K_EVENT, .proc = proc };
    uint8_t *bytes;
    size_t len;
    int error = frame_build(&header, encode, body, &bytes, &len);

    if (error)
        return error;
    error = bytes_put(dump, bytes, len);
    free(bytes);
    return error;
}

static int content_put(struct dump *dump, int fd, uint64_t size)
{
    uint8_t *chunk = malloc(CHUNK);
    int error = chunk ? 0 : -ENOMEM;

    while (!error && size > 0) {
        ssize_t n = read(fd, chunk, size < CHUNK ? (size_t)size : CHUNK);

        if (n <= 0)
            error = n < 0 ? -errno : -EIO;
        else
            error = bytes_put(dump, chunk, (size_t)n);
        size -= error ? 0 : (uint64_t)n;
    }
    free(chunk);
    return error;
}

/* Takes `fd`, which may be a negative errno. */
static int file_put(struct dump *dump, int fd, bulk_file *file, uint64_t *bytes)
{
    struct stat st;
    int error = fd < 0 ? fd : fstat(fd, &st) < 0 ? -errno : 0;

    if (!error) {
        file->size = (u_quad_t)st.st_size;
        error = frame_put(dump, P_BULK_FILE, FRAME_XDR(bulk_file), file);
    }
    if (!error)
        error = content_put(dump, fd, file->size);
    if (!error)
        *bytes += file->size;
    if (fd >= 0)
        close(fd);
    return error;
}

int dumpfile_is_image(const char *name)
{
    size_t len = strlen(name);

    return len > 4 && name[0] != '.' && !strchr(name, '/') && strcmp(name + len - 4, ".img") == 0;
}

static int image_put(struct dump *dump, int image, uint64_t *bytes)
{
    DIR *dir = fdopendir(openat(image, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    struct dirent *entry;
    int error = dir ? 0 : -errno;

    while (!error && (entry = readdir(dir))) {
        bulk_file file = { .what = BULK_IMAGE, .name = entry->d_name };
        int fd;

        if (!dumpfile_is_image(entry->d_name))
            continue;
        fd = openat(image, entry->d_name, O_RDONLY | O_CLOEXEC);
        error = file_put(dump, fd < 0 ? -errno : fd, &file, bytes);
    }
    if (dir)
        closedir(dir);
    return error;
}

static int mapped_put(struct dump *dump, const struct files *files, uint64_t *bytes)
{
    int error = 0;

    for (unsigned i = 0; !error && i < files->count; i++) {
        bulk_file file = { .what = BULK_CACHE, .name = (char[]){ "" }, .index = i };

        if (files->list[i].sent)
            error = file_put(dump, files_open(files, i), &file, bytes);
    }
    return error;
}

static int seal_fill(SSL_CTX *ctx, const uint8_t digest[BPROC_HASH_LEN], dump_seal *seal)
{
    X509 *cert = SSL_CTX_get0_certificate(ctx);
    EVP_PKEY *key = SSL_CTX_get0_privatekey(ctx);
    EVP_MD_CTX *sign = EVP_MD_CTX_new();
    unsigned char *der = NULL;
    size_t len = BPROC_MAX_SIGNATURE;
    int der_len = cert ? i2d_X509(cert, &der) : -1;
    int done = sign && key && der_len > 0 && der_len <= BPROC_MAX_PEM &&
               EVP_DigestSignInit(sign, NULL, EVP_sha256(), NULL, key) == 1 &&
               EVP_DigestSign(sign, (unsigned char *)seal->signature.signature_val, &len, digest,
                              BPROC_HASH_LEN) == 1;

    EVP_MD_CTX_free(sign);
    seal->cert.cert_val = (char *)der;
    seal->cert.cert_len = der_len > 0 ? (u_int)der_len : 0;
    seal->signature.signature_len = (u_int)len;
    return done ? 0 : -EIO;
}

static int seal_put(struct dump *dump, SSL_CTX *ctx)
{
    char signature[BPROC_MAX_SIGNATURE];
    dump_seal seal = { .signature = { 0, signature } };
    uint8_t digest[BPROC_HASH_LEN];
    int error;

    digest_end(dump, digest);
    error = seal_fill(ctx, digest, &seal);
    if (!error)
        error = frame_put(dump, P_DUMP_SEAL, FRAME_XDR(dump_seal), &seal);
    OPENSSL_free(seal.cert.cert_val);
    return error;
}

int dumpfile_write(int fd, SSL_CTX *ctx, dump_head *head, const struct files *files, int image,
                   uint64_t *bytes)
{
    struct dump dump;
    int error = digest_start(&dump, fd);

    if (error)
        return error;
    head->files.files_len = files->count;
    head->files.files_val = files->list;
    error = bytes_put(&dump, BPROC_DUMP_MAGIC, BPROC_DUMP_MAGIC_LEN);
    if (!error)
        error = frame_put(&dump, P_DUMP_HEAD, FRAME_XDR(dump_head), head);
    if (!error)
        error = image_put(&dump, image, bytes);
    if (!error)
        error = mapped_put(&dump, files, bytes);
    if (!error)
        error = frame_put(&dump, P_BULK_END, NULL, NULL);
    if (!error)
        error = seal_put(&dump, ctx);
    EVP_MD_CTX_free(dump.digest);
    return error;
}
