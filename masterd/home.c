/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/bproc.h>

#include "common/fd.h"
#include "common/log.h"
#include "common/spawn.h"
#include "common/tls.h"
#include "masterd/home.h"
#include "masterd/listen.h"
#include "masterd/master.h"
#include "masterd/nodetable.h"
#include "proto/bproc.h"

#define LOOK_SECONDS 1
#define PATIENCE_LOOKS 4        /* for one that was started to connect */

static struct {
    char config[PATH_MAX];
    int foreground, verbose;
    unsigned looks;             /* since the last start */
    struct event *on_look;
} home;

/* Made anew each time: they are of use to nobody else, and the authority may be another one. */
static int keys_make(char *text, size_t len)
{
    struct tls_authority *authority = tls_authority_load(master.conf->state_dir, text, len);
    char dir[PATH_MAX + 16], *csr = NULL, *cert = NULL;
    int error;

    snprintf(dir, sizeof(dir), "%s/home/tls", master.conf->state_dir);
    if (!authority)
        return -EIO;
    error = fd_mkdirs(dir, 0700);
    if (error)
        snprintf(text, len, "cannot make the home slave's keys: %s", strerror(-error));
    if (!error)
        error = tls_join_begin(dir, &csr, text, len);
    if (!error)
        error = tls_sign(authority, csr, TLS_NODE_HOME, &cert, text, len);
    if (!error)
        error = tls_join_finish(dir, TLS_NODE_HOME, cert, tls_authority_pem(authority), text, len);
    free(csr);
    free(cert);
    tls_authority_free(authority);
    return error;
}

static void slave_start(void)
{
    char address[INET_ADDRSTRLEN] = "127.0.0.1", port[16];
    char program[] = SBINDIR "/slaved", as_home[] = "--home", config[] = "-c", stay[] = "-d";
    char talk[] = "-v", *argv[10] = { program, as_home, config, home.config };
    struct in_addr in = { .s_addr = htonl(listen_address()) };
    unsigned count = 4;
    pid_t pid;

    /* Where interfaces are named, the loopback is not among them. */
    if (master.conf->ninterfaces > 0)
        inet_ntop(AF_INET, &in, address, sizeof(address));
    snprintf(port, sizeof(port), "%d", master.conf->port);
    if (home.foreground)
        argv[count++] = stay;
    if (home.verbose)
        argv[count++] = talk;
    argv[count++] = address;
    argv[count++] = port;
    pid = spawn(argv, -1, -1);
    if (pid < 0)
        log_warnx("cannot start the home slave: %s", strerror((int)-pid));
    home.looks = 0;
}

static void look_due(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    (void)arg;
    if (node_at(BPROC_NODE_MASTER)->link)
        home.looks = 0;
    else if (++home.looks >= PATIENCE_LOOKS)
        slave_start();
}

int home_start(const char *config, int foreground, int verbose, char *text, size_t len)
{
    struct timeval pause = { LOOK_SECONDS, 0 };
    int error;

    /* It has another working directory. */
    if (!realpath(config, home.config)) {
        error = -errno;
        snprintf(text, len, "cannot find %s: %s", config, strerror(-error));
        return error;
    }
    home.foreground = foreground;
    home.verbose = verbose;
    error = keys_make(text, len);
    if (error)
        return error;
    home.on_look = event_new(master.base, -1, EV_PERSIST, look_due, NULL);
    if (!home.on_look || event_add(home.on_look, &pause) < 0) {
        snprintf(text, len, "out of memory");
        return -ENOMEM;
    }
    slave_start();
    return 0;
}

void home_stop(void)
{
    if (home.on_look)
        event_free(home.on_look);
    home.on_look = NULL;
}
