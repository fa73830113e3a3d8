/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
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

#define CHUNK (256u << 10)
#define MAX_FILE_NAME 64            /* of a mapped file beside the image */
#define NOWHERE -1                  /* instead of a directory: look, keep nothing */
#define PATIENCE_SECONDS 60
#define PATIENCE_SHIFT 20           /* and a second for each so many bytes */

/* One pass through the file, and the digest of what went by. */
struct pass {
    int fd;
    off_t at;
    uint64_t left;                  /* that may still be read */
    EVP_MD_CTX *digest;             /* NULL: what follows is not signed */
};

static int pass_begin(struct pass *pass, int fd, off_t at, uint64_t most)
{
    *pass = (struct pass){ fd, at, most, EVP_MD_CTX_new() };
    /* A file can be somebody's program. */
    signal(SIGALRM, SIG_DFL);
    alarm(PATIENCE_SECONDS + (unsigned)(most >> PATIENCE_SHIFT));
    if (pass->digest && EVP_DigestInit_ex(pass->digest, EVP_sha256(), NULL) == 1)
        return 0;
    return -ENOMEM;
}

static void pass_end(struct pass *pass)
{
    alarm(0);
    EVP_MD_CTX_free(pass->digest);
}

static int bytes_take(struct pass *pass, void *bytes, size_t len)
{
    uint8_t *at = bytes;

    if (len > pass->left)
        return -EPROTO;
    while (len > 0) {
        ssize_t n = pread(pass->fd, at, len, pass->at);

        if (n == 0)
            return -EPROTO;
        if (n < 0 && errno != EINTR)
            return -errno;
        if (n < 0)
            continue;
        if (pass->digest)
            EVP_DigestUpdate(pass->digest, at, (size_t)n);
        at += n;
        len -= (size_t)n;
        pass->at += n;
        pass->left -= (uint64_t)n;
    }
    return 0;
}

/* A frame's header and body; the caller frees *body. */
static int frame_take(struct pass *pass, struct frame_header *header, uint8_t **body)
{
    uint8_t prefix[FRAME_PREFIX];
    int error = bytes_take(pass, prefix, sizeof(prefix));

    *body = NULL;
    if (!error)
        error = frame_parse_header(prefix, header);
    if (error)
        return error == -EPROTONOSUPPORT || error == -EMSGSIZE ? -EPROTO : error;
    *body = malloc(header->body_len + 1);
    return *body ? bytes_take(pass, *body, header->body_len) : -ENOMEM;
}

static int body_take(struct pass *pass, bproc_proc proc, xdrproc_t decode, void *out, size_t size)
{
    struct frame_header header;
    uint8_t *body;
    int error = frame_take(pass, &header, &body);

    if (!error)
        error = header.proc == proc ? frame_decode(decode, body, header.body_len, out, size)
                                    : -EPROTO;
    free(body);
    return error;
}

static int content_take(struct pass *pass, int fd, uint64_t size)
{
    uint8_t *chunk = malloc(CHUNK);
    int error = chunk ? 0 : -ENOMEM;

    while (!error && size > 0) {
        size_t len = size < CHUNK ? (size_t)size : CHUNK;

        error = bytes_take(pass, chunk, len);
        if (!error && fd != NOWHERE && write(fd, chunk, len) != (ssize_t)len)
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

static int file_take(struct pass *pass, const bulk_file *file, const dump_head *head, int image)
{
    char name[MAX_FILE_NAME];
    int fd, error;

    if (file->what == BULK_CACHE && file->index < head->files.files_len &&
        head->files.files_val[file->index].sent)
        mapped_name(file->index, name);
    else if (file->what == BULK_IMAGE && dumpfile_is_image(file->name) &&
             strlen(file->name) < sizeof(name))
        strcpy(name, file->name);
    else
        return -EPROTO;
    if (image == NOWHERE)
        return content_take(pass, NOWHERE, file->size);
    fd = openat(image, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return -errno;
    error = content_take(pass, fd, file->size);
    close(fd);
    return error;
}

static int files_take(struct pass *pass, const dump_head *head, int image)
{
    for (;;) {
        struct frame_header header;
        bulk_file file;
        uint8_t *body;
        int error = frame_take(pass, &header, &body);

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
        error = file_take(pass, &file, head, image);
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

static int seal_take(struct pass *pass, SSL_CTX *ctx)
{
    uint8_t digest[BPROC_HASH_LEN];
    unsigned len = sizeof(digest);
    const unsigned char *der;
    dump_seal seal;
    X509 *cert;
    int error;

    EVP_DigestFinal_ex(pass->digest, digest, &len);
    EVP_MD_CTX_free(pass->digest);
    pass->digest = NULL;
    error = body_take(pass, P_DUMP_SEAL, FRAME_XDR(dump_seal), &seal, sizeof(seal));
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

/* All of an image; *head is the caller's to free after a 0. */
static int image_take(struct pass *pass, SSL_CTX *ctx, dump_head *head, int image)
{
    char magic[BPROC_DUMP_MAGIC_LEN];
    int error = bytes_take(pass, magic, sizeof(magic));

    if (!error && memcmp(magic, BPROC_DUMP_MAGIC, sizeof(magic)) != 0)
        error = -EPROTO;
    if (!error)
        error = body_take(pass, P_DUMP_HEAD, FRAME_XDR(dump_head), head, sizeof(*head));
    if (error)
        return error;
    error = files_take(pass, head, image);
    if (!error)
        error = seal_take(pass, ctx);
    if (error)
        frame_free(FRAME_XDR(dump_head), head, sizeof(*head));
    return error;
}

/* *size: as many bytes as it may have, and how many it has. */
static int image_read(int fd, off_t at, uint64_t *size, SSL_CTX *ctx, dump_head *head, int image)
{
    struct pass pass;
    int error = pass_begin(&pass, fd, at, *size);

    if (!error)
        error = image_take(&pass, ctx, head, image);
    *size -= pass.left;
    pass_end(&pass);
    return error;
}

/* The table that departure.h's sender works with; what it names goes over into it. */
static int files_fill(struct files *files, dump_head *head, int image)
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
    free(head->files.files_val);
    head->files.files_len = 0;
    head->files.files_val = NULL;
    return 0;
}

int dumpfile_read(int fd, SSL_CTX *ctx, dump_head *head, struct files *files, int image)
{
    struct stat st;
    uint64_t size;
    off_t at;
    int error;

    if (fstat(fd, &st) < 0)
        return -errno;
    if (!S_ISREG(st.st_mode))
        return -EINVAL;
    at = lseek(fd, 0, SEEK_CUR);
    size = at >= 0 && st.st_size > at ? (uint64_t)(st.st_size - at) : 0;
    error = image_read(fd, at, &size, ctx, head, NOWHERE);
    if (error)
        return error;
    frame_free(FRAME_XDR(dump_head), head, sizeof(*head));
    /* It may have changed since, but not have become longer. */
    error = image_read(fd, at, &size, ctx, head, image);
    if (!error)
        error = files_fill(files, head, image);
    if (!error)
        lseek(fd, at + (off_t)size, SEEK_SET);
    return error;
}
