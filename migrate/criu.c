/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <criu/rpc.pb-c.h>

#include "migrate/criu.h"

#define CRIU_LOG "criu.log"
#define MAX_REPLY 65536
#define DELETED_FILE_MAX (256u << 20)
#define ANSWER_MS 300000            /* many gigabytes take that long; nothing takes longer */

int criu_image_dir(unsigned long long bytes)
{
    char size[32] = "50%";
    int fs = fsopen("tmpfs", FSOPEN_CLOEXEC);
    int dir = -1;

    if (fs < 0)
        return -errno;
    if (bytes)
        snprintf(size, sizeof(size), "%llu", bytes);
    if (fsconfig(fs, FSCONFIG_SET_STRING, "size", size, 0) == 0 &&
        fsconfig(fs, FSCONFIG_SET_STRING, "mode", "0700", 0) == 0 &&
        fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) == 0)
        dir = fsmount(fs, FSMOUNT_CLOEXEC, MOUNT_ATTR_NOEXEC | MOUNT_ATTR_NOSUID);
    if (dir < 0)
        dir = -errno;
    close(fs);
    return dir;
}

static void *dir_close(void *dir)
{
    close((int)(intptr_t)dir);
    return NULL;
}

void criu_image_drop(int *dir)
{
    pthread_t thread;

    if (*dir < 0)
        return;
    if (pthread_create(&thread, NULL, dir_close, (void *)(intptr_t)*dir) == 0)
        pthread_detach(thread);
    else
        close(*dir);
    *dir = -1;
}

static int request_send(int sock, const CriuReq *req)
{
    size_t size = criu_req__get_packed_size(req);
    uint8_t *bytes = malloc(size);
    int error = 0;

    if (!bytes)
        return -ENOMEM;
    criu_req__pack(req, bytes);
    if (send(sock, bytes, size, MSG_NOSIGNAL) < 0)
        error = -errno;
    free(bytes);
    return error;
}

static CriuResp *response_recv(int sock)
{
    struct pollfd fd = { .fd = sock, .events = POLLIN };
    uint8_t *bytes = malloc(MAX_REPLY);
    CriuResp *resp = NULL;
    ssize_t n;
    int ready;

    if (!bytes)
        return NULL;
    do {
        ready = poll(&fd, 1, ANSWER_MS);
    } while (ready < 0 && errno == EINTR);
    n = ready > 0 ? recv(sock, bytes, MAX_REPLY, MSG_DONTWAIT) : -1;
    if (n > 0)
        resp = criu_resp__unpack(NULL, (size_t)n, bytes);
    free(bytes);
    return resp;
}

/* The first error in CRIU's log says what was wrong; the later ones are its consequences. */
static void log_reason(int dir_fd, char *text, size_t len)
{
    int fd = openat(dir_fd, CRIU_LOG, O_RDONLY | O_CLOEXEC);
    FILE *log = fd >= 0 ? fdopen(fd, "r") : NULL;
    char line[512];

    snprintf(text, len, "CRIU gave no reason");
    while (log && fgets(line, sizeof(line), log)) {
        char *error = strstr(line, "Error (");
        char *words = error ? strstr(error, "): ") : NULL;

        /* This one is said, and does no harm, wherever root's limits are fixed from outside. */
        if (!words || strstr(words, "RLIMIT_NOFILE for self"))
            continue;
        words += 3;
        words[strcspn(words, "\n")] = '\0';
        snprintf(text, len, "%s", words);
        break;
    }
    if (log)
        fclose(log);
    else if (fd >= 0)
        close(fd);
}

static int criu_ask(int sock, CriuReqType type, CriuOpts *opts)
{
    CriuReq req = CRIU_REQ__INIT;

    req.type = type;
    req.opts = opts;
    return request_send(sock, &req);
}

static int criu_answer(int sock, int dir_fd, CriuReqType type, pid_t *pid, char *text, size_t len)
{
    CriuResp *resp = response_recv(sock);
    int error = 0;

    if (!resp) {
        snprintf(text, len, "CRIU gave no answer");
        return -EIO;
    }
    if (resp->type != type || !resp->success) {
        /* CRIU's own errno is often a leftover; the common meaning is "cannot be done". */
        error = resp->has_cr_errno && resp->cr_errno == EEXIST ? -EEXIST : -ENOTSUP;
        log_reason(dir_fd, text, len);
    } else if (pid && resp->restore) {
        *pid = resp->restore->pid;
    }
    criu_resp__free_unpacked(resp, NULL);
    return error;
}

static void opts_common(CriuOpts *opts)
{
    opts->images_dir_fd = CRIU_FD_DIR;
    opts->has_work_dir_fd = 1;
    opts->work_dir_fd = CRIU_FD_DIR;
    opts->log_file = (char *)(uintptr_t)CRIU_LOG;
    opts->has_log_level = 1;
    opts->log_level = getenv("BPROC_CRIU_VERBOSE") ? 4 : 1;
    opts->has_shell_job = 1;
    opts->shell_job = 1;
    opts->has_manage_cgroups_mode = 1;
    opts->manage_cgroups_mode = CRIU_CG_MODE__IGNORE;
    opts->has_file_locks = 1;
    opts->file_locks = 1;
}

int criu_dump_start(int sock, const struct criu_dump *dump)
{
    CriuOpts opts = CRIU_OPTS__INIT;
    char (*names)[40] = calloc(dump->external_count + 1, sizeof(*names));
    char **list = calloc(dump->external_count + 1, sizeof(*list));
    int error = -ENOMEM;

    if (names && list) {
        for (unsigned i = 0; i < dump->external_count; i++) {
            snprintf(names[i], sizeof(names[i]), "unix[%lu]", dump->external[i]);
            list[i] = names[i];
        }
        opts_common(&opts);
        opts.has_pid = 1;
        opts.pid = dump->pid;
        opts.has_leave_running = 1;
        opts.leave_running = 1;
        /* Connections that the caller has yet to accept stay with him. */
        /* A program that was replaced while it runs travels with its image. */
        opts.has_ghost_limit = 1;
        opts.ghost_limit = DELETED_FILE_MAX;
        opts.has_tcp_skip_in_flight = 1;
        opts.tcp_skip_in_flight = 1;
        opts.external = list;
        opts.n_external = dump->external_count;
        error = criu_ask(sock, CRIU_REQ_TYPE__DUMP, &opts);
    }
    free(names);
    free(list);
    return error;
}

int criu_dump_finish(int sock, int dir_fd, char *text, size_t len)
{
    return criu_answer(sock, dir_fd, CRIU_REQ_TYPE__DUMP, NULL, text, len);
}

int criu_restore_start(int sock, const struct criu_inherit *inherit, unsigned count)
{
    CriuOpts opts = CRIU_OPTS__INIT;
    InheritFd *entries = calloc(count + 1, sizeof(*entries));
    InheritFd **list = calloc(count + 1, sizeof(*list));
    int error = -ENOMEM;

    if (entries && list) {
        for (unsigned i = 0; i < count; i++) {
            inherit_fd__init(&entries[i]);
            entries[i].key = (char *)(uintptr_t)inherit[i].key;
            entries[i].fd = inherit[i].fd;
            list[i] = &entries[i];
        }
        opts_common(&opts);
        opts.has_rst_sibling = 1;
        opts.rst_sibling = 1;
        opts.inherit_fd = list;
        opts.n_inherit_fd = count;
        error = criu_ask(sock, CRIU_REQ_TYPE__RESTORE, &opts);
    }
    free(entries);
    free(list);
    return error;
}

int criu_restore_finish(int sock, int dir_fd, pid_t *pid, char *text, size_t len)
{
    return criu_answer(sock, dir_fd, CRIU_REQ_TYPE__RESTORE, pid, text, len);
}
