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

#include "common/tls.h"
#include "migrate/dumpfile.h"
#include "proto/frame.h"

#define MAGIC "BPROCIMG"
#define MAGIC_SIZE 8
#define CHUNK (256u << 10)
#define MAX_FILE_NAME 64            /* of a mapped file beside the image */

/* A file that is written or read, and the digest of what went by. */
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

/* ---- writing ---- */

static int bytes_put(struct dump *dump, const void *bytes, size_t len)
{
    const uint8_t *at = bytes;

    if (dump->digest)
        EVP_DigestUpdate(dump->digest, bytes, len);
    while (len > 0) {
        ssize_t n = write(dump->fd, at, len);

        if (n < 0 && errno != EINTR)
            return -errno;
        if (n > 0) {
            at += n;
            len -= (size_t)n;
        }
    }
    return 0;
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

static int is_image_name(const char *name)
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

        if (!is_image_name(entry->d_name))
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
    error = bytes_put(&dump, MAGIC, MAGIC_SIZE);
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

/* ---- reading ---- */

static int bytes_take(struct dump *dump, void *bytes, size_t len)
{
    uint8_t *at = bytes;

    while (len > 0) {
        ssize_t n = read(dump->fd, at, len);

        if (n == 0)
            return -EPROTO;
        if (n < 0 && errno != EINTR)
            return -errno;
        if (n < 0)
            continue;
        if (dump->digest)
            EVP_DigestUpdate(dump->digest, at, (size_t)n);
        at += n;
        len -= (size_t)n;
    }
    return 0;
}

/* A frame's header and body; the caller frees *body. */
static int frame_take(struct dump *dump, struct frame_header *header, uint8_t **body)
{
    uint8_t prefix[FRAME_PREFIX];
    int error = bytes_take(dump, prefix, sizeof(prefix));

    *body = NULL;
    if (!error)
        error = frame_parse_header(prefix, header);
    if (error)
        return error == -EPROTONOSUPPORT || error == -EMSGSIZE ? -EPROTO : error;
    *body = malloc(header->body_len + 1);
    return *body ? bytes_take(dump, *body, header->body_len) : -ENOMEM;
}

static int body_take(struct dump *dump, bproc_proc proc, xdrproc_t decode, void *out, size_t size)
{
    struct frame_header header;
    uint8_t *body;
    int error = frame_take(dump, &header, &body);

    if (!error)
        error = header.proc == proc ? frame_decode(decode, body, header.body_len, out, size)
                                    : -EPROTO;
    free(body);
    return error;
}

static int content_take(struct dump *dump, int fd, uint64_t size)
{
    uint8_t *chunk = malloc(CHUNK);
    int error = chunk ? 0 : -ENOMEM;

    while (!error && size > 0) {
        size_t len = size < CHUNK ? (size_t)size : CHUNK;

        error = bytes_take(dump, chunk, len);
        if (!error && write(fd, chunk, len) != (ssize_t)len)
            error = -ENOSPC;
        size -= error ? 0 : len;
    }
    free(chunk);
    return error;
}

static void mapped_name(unsigned index, char name[MAX_FILE_NAME])
{
    snprintf(name, MAX_FILE_NAME, "mapped-%u", index);
}

static int file_take(struct dump *dump, const bulk_file *file, const dump_head *head, int image)
{
    char name[MAX_FILE_NAME];
    int fd, error;

    if (file->what == BULK_CACHE && file->index < head->files.files_len &&
        head->files.files_val[file->index].sent)
        mapped_name(file->index, name);
    else if (file->what == BULK_IMAGE && is_image_name(file->name) &&
             strlen(file->name) < sizeof(name))
        strcpy(name, file->name);
    else
        return -EPROTO;
    fd = openat(image, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return -errno;
    error = content_take(dump, fd, file->size);
    close(fd);
    return error;
}

static int files_take(struct dump *dump, const dump_head *head, int image)
{
    for (;;) {
        struct frame_header header;
        bulk_file file;
        uint8_t *body;
        int error = frame_take(dump, &header, &body);

        if (!error && header.proc == P_BULK_END) {
            free(body);
            return 0;
        }
        if (!error)
            error = header.proc == P_BULK_FILE
                        ? frame_decode(FRAME_XDR(bulk_file), body, header.body_len, &file,
                                       sizeof(file)) : -EPROTO;
        free(body);
        if (error)
            return error;
        error = file_take(dump, &file, head, image);
        frame_free(FRAME_XDR(bulk_file), &file, sizeof(file));
        if (error)
            return error;
    }
}

static int signature_is_good(X509 *cert, const dump_seal *seal,
                             const uint8_t digest[BPROC_HASH_LEN])
{
    EVP_MD_CTX *verify = EVP_MD_CTX_new();
    int good = verify &&
               EVP_DigestVerifyInit(verify, NULL, EVP_sha256(), NULL,
                                    X509_get0_pubkey(cert)) == 1 &&
               EVP_DigestVerify(verify, (const unsigned char *)seal->signature.signature_val,
                                seal->signature.signature_len, digest, BPROC_HASH_LEN) == 1;

    EVP_MD_CTX_free(verify);
    return good;
}

/* A node's word counts on that node alone. */
static int signer_counts(SSL_CTX *ctx, X509 *cert)
{
    int node = tls_cert_node(ctx, cert);

    return node == TLS_NODE_MASTER || node == TLS_NODE_HOME ||
           (node != TLS_NODE_NONE && node == tls_own_node(ctx));
}

static int seal_take(struct dump *dump, SSL_CTX *ctx)
{
    uint8_t digest[BPROC_HASH_LEN];
    const unsigned char *der;
    dump_seal seal;
    X509 *cert;
    int error;

    digest_end(dump, digest);
    error = body_take(dump, P_DUMP_SEAL, FRAME_XDR(dump_seal), &seal, sizeof(seal));
    if (error)
        return error;
    der = (const unsigned char *)seal.cert.cert_val;
    cert = d2i_X509(NULL, &der, (long)seal.cert.cert_len);
    if (!cert || !signer_counts(ctx, cert) || !signature_is_good(cert, &seal, digest))
        error = -EBADMSG;
    X509_free(cert);
    frame_free(FRAME_XDR(dump_seal), &seal, sizeof(seal));
    return error;
}

/* The table that departure.h's sender works with. */
static int files_fill(struct files *files, const dump_head *head, int image)
{
    char name[MAX_FILE_NAME];

    files->count = 0;
    files->list = calloc(BPROC_MAX_FILES, sizeof(*files->list));
    files->sources = calloc(BPROC_MAX_FILES, sizeof(*files->sources));
    if (!files->list || !files->sources) {
        files_free(files);
        return -ENOMEM;
    }
    for (; files->count < head->files.files_len; files->count++) {
        mapped_name(files->count, name);
        files->list[files->count] = head->files.files_val[files->count];
        snprintf(files->sources[files->count], sizeof(files->sources[0]), "/proc/self/fd/%d/%.20s",
                 image, name);
    }
    return 0;
}

int dumpfile_read(int fd, SSL_CTX *ctx, dump_head *head, struct files *files, int image)
{
    char magic[MAGIC_SIZE];
    struct dump dump;
    int error = digest_start(&dump, fd);

    if (error)
        return error;
    error = bytes_take(&dump, magic, sizeof(magic));
    if (!error && memcmp(magic, MAGIC, MAGIC_SIZE) != 0)
        error = -EPROTO;
    if (!error)
        error = body_take(&dump, P_DUMP_HEAD, FRAME_XDR(dump_head), head, sizeof(*head));
    if (error) {
        EVP_MD_CTX_free(dump.digest);
        return error;
    }
    error = files_take(&dump, head, image);
    if (!error)
        error = seal_take(&dump, ctx);
    EVP_MD_CTX_free(dump.digest);
    return error ? error : files_fill(files, head, image);
}
