/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/fd.h"
#include "migrate/bulk.h"

#define RECORD SSL3_RT_MAX_PLAIN_LENGTH
#define WRITE_BEHIND (64 * 1024)
#define FILE_PIECE (256 * 1024)

/*
 * Four records, as OpenSSL 3.0 moves all that it has read ahead for the sake of each one's
 * alignment: with 256 KiB that was eight copies of every byte.
 */
#define READ_AHEAD (64 * 1024)

/* What is to be in one record: each costs either side as much as a few kilobytes in it do. */
struct gather {
    size_t len;
    uint8_t bytes[RECORD];
};

static int gather_index;

static void gather_free(void *ssl, void *gather, CRYPTO_EX_DATA *data, int index, long number,
                        void *arg)
{
    (void)ssl, (void)data, (void)index, (void)number, (void)arg;
    free(gather);
}

static void gather_begin(void)
{
    gather_index = SSL_get_ex_new_index(0, NULL, NULL, NULL, gather_free);
}

static struct gather *gather_of(SSL *ssl)
{
    return SSL_get_ex_data(ssl, gather_index);
}

static int gather_make(SSL *ssl)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    struct gather *gather = malloc(sizeof(*gather));

    pthread_once(&once, gather_begin);
    if (!gather || gather_index < 0 || SSL_set_ex_data(ssl, gather_index, gather) != 1) {
        free(gather);
        return -ENOMEM;
    }
    gather->len = 0;
    return 0;
}

/* Alone, TLS makes a system call of each record and wakes the peer for each. */
static int writes_gather(SSL *ssl)
{
    BIO *buffer = BIO_new(BIO_f_buffer()), *below = SSL_get_wbio(ssl);

    if (!buffer || BIO_set_write_buffer_size(buffer, WRITE_BEHIND) != 1) {
        BIO_free(buffer);
        return -ENOMEM;
    }
    BIO_up_ref(below);
    SSL_set0_wbio(ssl, BIO_push(buffer, below));
    return 0;
}

int bulk_setup(SSL *ssl)
{
    int one = 1;

    SSL_set_mode(ssl, SSL_MODE_AUTO_RETRY | SSL_MODE_ENABLE_PARTIAL_WRITE |
                      SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_set_read_ahead(ssl, 1);
    SSL_set_default_read_buffer_len(ssl, READ_AHEAD);
    /* Fails on sockets other than TCP, which have nothing to switch off. */
    setsockopt(SSL_get_fd(ssl), IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    return gather_make(ssl) < 0 ? -ENOMEM : writes_gather(ssl);
}

void bulk_resume(SSL *ssl)
{
    int off = 0;

    ioctl(SSL_get_fd(ssl), FIONBIO, &off);
}

/* OpenSSL 3.0 takes longer to clear the errors where there are none than to look for them. */
void bulk_forget(void)
{
    if (ERR_peek_error())
        ERR_clear_error();
    errno = 0;
}

/* 0: try again. */
static int error_of(SSL *ssl, int result)
{
    int saved = errno;

    switch (SSL_get_error(ssl, result)) {
    case SSL_ERROR_WANT_READ:
    case SSL_ERROR_WANT_WRITE:
        return saved == EINTR ? 0 : -ETIMEDOUT;
    case SSL_ERROR_ZERO_RETURN:
        return -ECONNRESET;
    case SSL_ERROR_SYSCALL:
        return saved == EINTR ? 0 : saved ? -saved : -ECONNRESET;
    default:
        return ERR_GET_REASON(ERR_peek_error()) == SSL_R_UNEXPECTED_EOF_WHILE_READING
                   ? -ECONNRESET : -EPROTO;
    }
}

int bulk_handshake(SSL *ssl)
{
    int result, error;

    do {
        bulk_forget();
        result = SSL_do_handshake(ssl);
        error = result == 1 ? 0 : error_of(ssl, result);
    } while (result != 1 && !error);
    return error;
}

static int records_write(SSL *ssl, const uint8_t *bytes, size_t len)
{
    size_t n;

    while (len > 0) {
        int result, error;

        bulk_forget();
        result = SSL_write_ex(ssl, bytes, len, &n);
        if (result == 1) {
            bytes += n;
            len -= n;
            continue;
        }
        error = error_of(ssl, result);
        if (error)
            return error;
    }
    return 0;
}

int bulk_seal(SSL *ssl)
{
    struct gather *gather = gather_of(ssl);
    size_t len = gather->len;

    gather->len = 0;
    return records_write(ssl, gather->bytes, len);
}

/* Whole records go out without a copy. */
static int bytes_put(SSL *ssl, const uint8_t *bytes, size_t len)
{
    struct gather *gather = gather_of(ssl);
    int error = 0;

    while (!error && len > 0) {
        size_t whole = gather->len == 0 ? len - len % RECORD : 0;
        size_t part = len < RECORD - gather->len ? len : RECORD - gather->len;

        if (whole > 0) {
            error = records_write(ssl, bytes, part = whole);
        } else {
            memcpy(gather->bytes + gather->len, bytes, part);
            gather->len += part;
            error = gather->len == RECORD ? bulk_seal(ssl) : 0;
        }
        bytes += part;
        len -= part;
    }
    return error;
}

int bulk_flush(SSL *ssl)
{
    BIO *bio = SSL_get_wbio(ssl);
    int error = bulk_seal(ssl);

    if (error)
        return error;
    for (;;) {
        errno = 0;
        if (BIO_flush(bio) == 1)
            return 0;
        if (errno != EINTR)
            return BIO_should_retry(bio) ? -ETIMEDOUT : errno ? -errno : -ECONNRESET;
    }
}

bool bulk_is_gathered(SSL *ssl)
{
    return gather_of(ssl)->len > 0 || BIO_wpending(SSL_get_wbio(ssl)) > 0;
}

int bulk_recv_into(SSL *ssl, void *bytes, size_t len)
{
    uint8_t *at = bytes;
    size_t n;

    while (len > 0) {
        int result, error;

        bulk_forget();
        result = SSL_read_ex(ssl, at, len, &n);
        if (result == 1) {
            at += n;
            len -= n;
            continue;
        }
        error = error_of(ssl, result);
        if (error)
            return error;
    }
    return 0;
}

int bulk_put(SSL *ssl, bproc_proc proc, uint32_t serial, xdrproc_t encode, const void *body)
{
    struct frame_header header = { .kind = K_EVENT, .proc = proc, .serial = serial };
    uint8_t *frame;
    size_t len;
    int error = frame_build(&header, encode, body, &frame, &len);

    if (error)
        return error;
    error = bytes_put(ssl, frame, len);
    free(frame);
    return error;
}

int bulk_send(SSL *ssl, bproc_proc proc, uint32_t serial, xdrproc_t encode, const void *body)
{
    int error = bulk_put(ssl, proc, serial, encode, body);

    return error ? error : bulk_flush(ssl);
}

int bulk_put_data(SSL *ssl, bproc_proc proc, uint32_t serial, const void *bytes, size_t len)
{
    struct frame_header header = { .kind = K_EVENT, .proc = proc, .serial = serial,
                                   .body_len = (uint32_t)len };
    uint8_t prefix[FRAME_PREFIX];
    int error;

    if (len > BPROC_MAX_BODY)
        return -EMSGSIZE;
    frame_format_header(&header, prefix);
    error = bytes_put(ssl, prefix, sizeof(prefix));
    return error ? error : bytes_put(ssl, bytes, len);
}

int bulk_send_data(SSL *ssl, bproc_proc proc, uint32_t serial, const void *bytes, size_t len)
{
    int error = bulk_put_data(ssl, proc, serial, bytes, len);

    return error ? error : bulk_flush(ssl);
}

/* Fills the buffer as far as the file goes; bytes read, or a negative errno. */
static ssize_t file_read(int fd, uint8_t *bytes, size_t len)
{
    size_t got = 0;

    while (got < len) {
        ssize_t n = read(fd, bytes + got, len - got);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -errno;
        if (n == 0)
            break;
        got += (size_t)n;
    }
    return (ssize_t)got;
}

int bulk_put_file(SSL *ssl, bproc_proc proc, uint32_t serial, int fd, uint64_t size)
{
    size_t room = size < FILE_PIECE ? (size_t)size : FILE_PIECE;
    uint8_t *piece = malloc(room + 1);
    int error = piece ? 0 : -ENOMEM;

    while (!error && size > 0) {
        size_t want = size < room ? (size_t)size : room;
        ssize_t got = file_read(fd, piece, want);

        if (got < 0)
            error = (int)got;
        else if ((size_t)got < want)
            error = -EIO;
        else
            error = bulk_put_data(ssl, proc, serial, piece, want);
        size -= want;
    }
    free(piece);
    return error;
}

int bulk_recv_header(SSL *ssl, struct frame_header *header)
{
    uint8_t prefix[FRAME_PREFIX];
    int error = bulk_recv_into(ssl, prefix, sizeof(prefix));

    if (!error)
        error = frame_parse_header(prefix, header);
    if (!error && (header->kind != K_EVENT || header->status != 0 || header->nfds != 0))
        error = -EPROTO;
    return error;
}

int bulk_recv(SSL *ssl, struct bulk_msg *msg)
{
    int error;

    msg->body = NULL;
    error = bulk_recv_header(ssl, &msg->header);
    if (error || msg->header.body_len == 0)
        return error;
    msg->body = malloc(msg->header.body_len);
    if (!msg->body)
        return -ENOMEM;
    error = bulk_recv_into(ssl, msg->body, msg->header.body_len);
    if (error)
        bulk_free(msg);
    return error;
}

void bulk_free(struct bulk_msg *msg)
{
    free(msg->body);
    msg->body = NULL;
}

int bulk_recv_data(SSL *ssl, void *bytes, size_t len)
{
    uint8_t *at = bytes;

    while (len > 0) {
        struct frame_header header;
        int error = bulk_recv_header(ssl, &header);

        if (!error && (header.proc != P_BULK_DATA || header.body_len == 0 ||
                       header.body_len > len))
            error = -EPROTO;
        if (!error)
            error = bulk_recv_into(ssl, at, header.body_len);
        if (error)
            return error;
        at += header.body_len;
        len -= header.body_len;
    }
    return 0;
}

int bulk_recv_to_fd(SSL *ssl, int fd, size_t len)
{
    size_t size = len < FILE_PIECE ? len : FILE_PIECE;
    uint8_t *piece = malloc(size + 1);
    int error = piece ? 0 : -ENOMEM;

    while (!error && len > 0) {
        size_t want = len < size ? len : size;

        error = bulk_recv_into(ssl, piece, want);
        if (!error)
            error = fd_write_all(fd, piece, want);
        len -= want;
    }
    free(piece);
    return error;
}
