/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/criuprobe.h"
#include "common/daemon.h"
#include "common/fd.h"
#include "common/log.h"
#include "slaved/join.h"
#include "slaved/setup.h"

/*
 * Beside masterd everything of ours lies one folder deeper. In the process space our run folder
 * lies over masterd's, so that what looks for the daemon there finds us.
 */
static void home_folder(char path[PATH_MAX], const char *folder, const char *name)
{
    if (snprintf(path, PATH_MAX, "%s/home%s", folder, name) >= PATH_MAX)
        fatalx("cannot use folder %s: the name is too long", folder);
}

static void home_place(struct setup *setup)
{
    static char state_dir[PATH_MAX];
    const char *name = strrchr(setup->conf->socket, '/');
    char path[PATH_MAX];

    home_folder(state_dir, setup->state_dir, "");
    setup->state_dir = state_dir;
    home_folder(path, setup->over, name ? name : "/bproc.sock");
    memcpy(setup->conf->socket, path, sizeof(path));
    home_folder(setup->conf->run_dir, setup->over, "");
    setup->conf->data_port = 0;
}

void setup_read(struct setup *setup)
{
    const char *path = setup->options.config ? setup->options.config : BPROC_CONFIG_FILE;
    int error = conf_load(path, conf_complain_log, NULL, &setup->conf);

    if (error == -ENOENT && !setup->options.config) {
        setup->conf = conf_defaults();
        error = setup->conf ? 0 : -ENOMEM;
    }
    if (error)
        fatalx("cannot read configuration %s: %s", path, strerror(-error));
    snprintf(setup->over, sizeof(setup->over), "%s", setup->conf->run_dir);
    setup->state_dir = setup->options.state_dir ? setup->options.state_dir : setup->conf->state_dir;
    if (setup->options.home)
        home_place(setup);
    if (snprintf(setup->tls_dir, sizeof(setup->tls_dir), "%s/tls", setup->state_dir) >=
        (int)sizeof(setup->tls_dir))
        fatalx("cannot use state folder %s: the name is too long", setup->state_dir);
    if (setup->options.facility < 0)
        setup->options.facility = setup->conf->log_facility;
}

void setup_run_dir(const struct setup *setup)
{
    char path[PATH_MAX + 16];
    int error = fd_mkdirs(setup->conf->run_dir, 0755);

    if (error)
        fatalx("cannot make %s: %s", setup->conf->run_dir, strerror(-error));
    snprintf(path, sizeof(path), "%s/slaved.pid", setup->conf->run_dir);
    error = daemon_lock(path);
    if (error)
        fatalx("cannot lock %s: %s", path,
               error == -EWOULDBLOCK ? "another slaved runs here" : strerror(-error));
}

static void cluster_join(struct setup *setup)
{
    struct options *options = &setup->options;
    struct join_request request = { .host = options->host, .port = options->port,
                                    .source = options->source, .token = options->token,
                                    .tls_dir = setup->tls_dir };
    char text[512] = "out of memory";
    int error, node;

    memcpy(request.ca_hash, options->ca_hash, sizeof(request.ca_hash));
    if (join_run(&request, &node, text, sizeof(text)) < 0)
        fatalx("cannot join %s:%d: %s", options->host, options->port, text);
    error = join_master_save(setup->state_dir, options->host, options->port);
    if (error)
        fatalx("cannot keep the master's address in %s: %s", setup->state_dir, strerror(-error));
    log_info("joined %s:%d as node %d", options->host, options->port, node);
}

void setup_master(struct setup *setup)
{
    struct options *options = &setup->options;
    int port;

    if (options->token)
        cluster_join(setup);
    else if (!options->host[0]) {
        if (join_master_load(setup->state_dir, options->host, sizeof(options->host), &port) < 0)
            fatalx("cannot find the master: this machine has not joined a cluster; "
                   "`bpctl token create` on the master tells how");
        options->port = options->port ? options->port : port;
    }
    options->port = options->port ? options->port : setup->conf->port;
}

/* The folder above CRIU's own, when it is a private one, or "". */
static void criu_prefix_find(struct setup *setup)
{
    static const char *const shared[] = { "", "/usr", "/usr/local" };
    char *prefix = setup->criu_prefix;

    strcpy(prefix, setup->criu);
    for (int i = 0; i < 2; i++) {
        char *slash = strrchr(prefix, '/');

        if (slash)
            *slash = '\0';
    }
    for (size_t i = 0; i < sizeof(shared) / sizeof(shared[0]); i++)
        if (strcmp(prefix, shared[i]) == 0)
            prefix[0] = '\0';
}

int setup_criu(struct setup *setup)
{
    if (criuprobe_find(setup->conf->criu, setup->criu, sizeof(setup->criu), setup->criu_missing,
                       sizeof(setup->criu_missing)) < 0) {
        setup->criu[0] = '\0';
        log_warnx("no process can be forked onto this node, only executed: %s",
                  setup->criu_missing);
        return -ENOENT;
    }
    criu_prefix_find(setup);
    log_debug("CRIU is %s", setup->criu);
    if (!criuprobe_cache_works())
        log_warnx("/run is no tmpfs: CRIU cannot keep what it learns about the kernel there, and "
                  "every fork onto this node takes longer");
    return 0;
}
