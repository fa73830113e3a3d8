/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <linux/userfaultfd.h>

#include "migrate/bulk.h"
#include "migrate/memoryrecv.h"
#include "migrate/pageoffer.h"
#include "proto/msg.h"

#define DEVICE "/dev/userfaultfd"

/* The process says who it is by it; anything else would do something else with our calls. */
static int is_userfaultfd(int fd)
{
    static const char want[] = "anon_inode:[userfaultfd]";
    char path[40], name[sizeof(want)];
    ssize_t len;

    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    len = readlink(path, name, sizeof(name));
    return len == sizeof(want) - 1 && memcmp(name, want, sizeof(want) - 1) == 0;
}

/* Without the device it makes one that is as good for memory that nobody uses yet. */
static int memory_ask(int gate)
{
    gate_msg ask = { .verdict = GATE_MEMORY };
    int device = open(DEVICE, O_RDWR | O_CLOEXEC), fd = -1;
    struct msg msg;
    int error = msg_send(gate, K_EVENT, P_GATE, 0, 0, FRAME_XDR(gate_msg), &ask, &device,
                         device >= 0);

    if (device >= 0)
        close(device);
    if (!error)
        error = msg_recv(gate, &msg);
    if (error)
        return error;
    if (msg.header.proc != P_GATE_REACHED || msg.header.status < 0)
        error = -EPROTO;
    else if (msg.header.status > 0)
        error = -msg.header.status;
    else
        fd = msg_take_fd(&msg, 0);
    msg_free(&msg);
    if (!error && (fd < 0 || !is_userfaultfd(fd)))
        error = -EPROTO;
    if (error && fd >= 0)
        close(fd);
    return error ? error : fd;
}

static int regions_register(const struct memoryrecv *memory, int fd)
{
    struct uffdio_api api = { .api = UFFD_API };

    if (ioctl(fd, UFFDIO_API, &api) < 0)
        return -errno;
    for (unsigned i = 0; i < memory->count; i++) {
        struct uffdio_register reg = { .range = { memory->regions[i].start,
                                                  memory->regions[i].size },
                                       .mode = UFFDIO_REGISTER_MODE_MISSING };

        if (ioctl(fd, UFFDIO_REGISTER, &reg) < 0)
            return -errno;
    }
    return 0;
}

/* The kernel refuses what is outside of the regions, and a page that is there already. */
static int run_place(int fd, uint64_t start, const uint8_t *bytes, size_t size)
{
    size_t done = 0;

    while (done < size) {
        struct uffdio_copy copy = { .dst = start + done, .src = (uintptr_t)(bytes + done),
                                    .len = size - done };

        if (ioctl(fd, UFFDIO_COPY, &copy) < 0 && errno != EAGAIN)
            return -errno;
        done += copy.copy > 0 ? (size_t)copy.copy : 0;
    }
    return 0;
}

/* Of all its runs; 0: it has no place here. */
static size_t batch_pages(const page_batch *batch)
{
    size_t pages = 0;

    for (unsigned i = 0; i < batch->runs.runs_len; i++) {
        const page_run *run = &batch->runs.runs_val[i];

        if (run->pages == 0 || run->pages > BPROC_MAX_BATCH || run->start % PAGE_BYTES)
            return 0;
        pages += run->pages;
    }
    return pages <= BPROC_MAX_BATCH ? pages : 0;
}

static int plain_take(SSL *ssl, uint8_t *data, size_t len)
{
    while (len > 0) {
        struct frame_header header;
        int error = bulk_recv_header(ssl, &header);

        if (!error && (header.proc != P_BULK_DATA || header.body_len == 0 ||
                       header.body_len > len))
            error = -EPROTO;
        if (!error)
            error = bulk_recv_into(ssl, data, header.body_len);
        if (error)
            return error;
        data += header.body_len;
        len -= header.body_len;
    }
    return 0;
}

static int offered_put(void *arg, size_t number, const uint8_t *pages, size_t count)
{
    memcpy((uint8_t *)arg + number * PAGE_BYTES, pages, count * PAGE_BYTES);
    return 0;
}

/* Where pages come in. */
static int batch_take(const struct memoryrecv *memory, int fd, const page_batch *batch,
                      uint8_t *data)
{
    size_t pages = batch_pages(batch);
    int error = pages == 0 ? -EPROTO
                : batch->offered ? pageoffer_take(memory->ssl, memory->store, memory->uid, pages,
                                                  offered_put, data)
                                 : plain_take(memory->ssl, data, pages * PAGE_BYTES);

    for (unsigned i = 0; !error && i < batch->runs.runs_len; i++) {
        const page_run *run = &batch->runs.runs_val[i];

        error = run_place(fd, run->start, data, run->pages * PAGE_BYTES);
        data += run->pages * PAGE_BYTES;
    }
    return error;
}

/* 1: that was the last one. */
static int message_take(const struct memoryrecv *memory, int fd, const struct bulk_msg *msg,
                        uint8_t *data)
{
    page_batch batch;
    int error;

    if (msg->header.proc == P_BULK_END)
        return 1;
    if (msg->header.proc != P_BULK_PAGES)
        return -EPROTO;
    error = frame_decode(FRAME_XDR(page_batch), msg->body, msg->header.body_len, &batch,
                         sizeof(batch));
    if (error)
        return error;
    error = batch_take(memory, fd, &batch, data);
    frame_free(FRAME_XDR(page_batch), &batch, sizeof(batch));
    return error;
}

static int batches_take(const struct memoryrecv *memory, int fd)
{
    uint8_t *data = aligned_alloc(PAGE_BYTES, BPROC_MAX_BATCH * PAGE_BYTES);
    int error = data ? 0 : -ENOMEM;

    while (!error) {
        struct bulk_msg msg;

        error = bulk_recv(memory->ssl, &msg);
        if (error)
            break;
        error = message_take(memory, fd, &msg, data);
        bulk_free(&msg);
    }
    free(data);
    return error < 0 ? error : 0;
}

int memoryrecv_run(const struct memoryrecv *memory)
{
    int fd = memory_ask(memory->gate);
    int error;

    if (fd < 0)
        return fd;
    error = regions_register(memory, fd);
    if (!error)
        error = batches_take(memory, fd);
    /* With its last descriptor the registration goes. */
    close(fd);
    return error;
}
