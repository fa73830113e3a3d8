/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * slaved: makes a machine a node. This file holds the order of start and end, and who hears of
 * what; the work is in the other files of the folder.
 *
 * Start: options, configuration, the join if one is asked for, the process space, the data port,
 * the local socket, then the link to the master. End, by SIGTERM or SIGINT: the space with all its
 * processes, then the link, so that the master learns of it as of a node that goes down.
 */
#include "config.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/conf.h"
#include "common/conn.h"
#include "common/criuprobe.h"
#include "common/daemon.h"
#include "common/fd.h"
#include "common/log.h"
#include "common/notify.h"
#include "common/reaper.h"
#include "common/tls.h"
#include "slaved/contact.h"
#include "slaved/depart.h"
#include "slaved/ghost.h"
#include "slaved/join.h"
#include "slaved/link.h"
#include "slaved/local.h"
#include "slaved/options.h"
#include "slaved/pass.h"
#include "slaved/power.h"
#include "slaved/proctable.h"
#include "slaved/receivers.h"
#include "slaved/root.h"
#include "slaved/space.h"
#include "slaved/shares.h"
#include "slaved/tickets.h"
#include "slaved/transfer.h"
#include "slaved/usage.h"
#include "slaved/watch.h"

static struct {
    struct options options;
    struct conf *conf;
    struct event_base *base;
    struct event *on_term, *on_int;
    SSL_CTX *ctx;
    struct link_settings link;
    struct receivers_settings receivers;
    struct mover_settings mover;
    const char *state_dir;
    char over[PATH_MAX];        /* masterd's run folder */
    char tls_dir[PATH_MAX];
    char criu[PATH_MAX];
    char criu_prefix[PATH_MAX];
    char criu_missing[512];
    int stopping;
} slaved;

/* ---- who hears of what ------------------------------------------------------------------ */

static void pid_take(const struct frame_header *header, const uint8_t *body, void (*take)(pid_t))
{
    pid_msg msg;

    if (conn_decode(pid_msg, header, body, &msg) < 0)
        link_break("message does not decode");
    else
        take(msg.pid);
}

static void signal_take(const struct frame_header *header, const uint8_t *body)
{
    signal_msg signal;

    if (conn_decode(signal_msg, header, body, &signal) < 0)
        link_break("message does not decode");
    else if (signal.pid > 1)
        proc_signal(&signal);
}

static void decoded_take(const struct frame_header *header, const uint8_t *body,
                         int (*take)(const struct frame_header *header, const uint8_t *body))
{
    if (take(header, body) < 0)
        link_break("message does not decode");
}

static void master_message(const struct frame_header *header, const uint8_t *body)
{
    switch (header->proc) {
    case P_SIGNAL:
        signal_take(header, body);
        break;
    case P_ORPHAN:
        pid_take(header, body, space_orphan);
        break;
    case P_EXIT_ACK:
        pid_take(header, body, proc_acknowledged);
        break;
    case P_NOTIFY:
        watch_changed();
        break;
    case P_PASS:
        pass_answered(header, body);
        break;
    case P_DEPART_ALLOW:
    case P_DEPART_READY:
    case P_DEPART_FAILED:
        decoded_take(header, body, depart_message);
        break;
    case P_EXPECT:
        decoded_take(header, body, ticket_expect);
        break;
    case P_GHOST_EXIT:
    case P_GHOST_STOP:
    case P_GHOST_CONT:
    case P_GHOST_GROUP:
        decoded_take(header, body, ghost_message);
        break;
    case P_NODE_USAGE:
        usage_asked();
        break;
    case P_CACHE_PURGE:
        receivers_purge(header);
        break;
    case P_NODE_CHROOT:
        root_take(header, body);
        break;
    case P_NODE_RECONNECT:
        link_reconnect(header, body);
        break;
    case P_NODE_POWER:
        power_take(header, body);
        break;
    default:
        link_break("message out of place");
    }
}

static void link_came_up(const hello_ret *hello)
{
    receivers_start(hello->cache_size);
    space_numbers(&hello->numbers);
    proc_report_all();
    watch_link_up();
}

static void master_is_lost(const char *words)
{
    if (proc_count() == 0)
        return;
    log_warnx("ending %u processes: their master is lost: %s", proc_count(), words);
    proc_kill_all();
}

/* It has its master beside it; when that is gone nobody else will stop it. */
static void home_is_lost(const char *words)
{
    master_is_lost(words);
    log_info("no master to be the slave of: %s", words);
    kill(getpid(), SIGTERM);
}

static void link_went_down(void)
{
    pass_link_down();
    depart_link_down();
    if (slaved.options.home && proc_count() == 0)
        home_is_lost("nothing runs here");
}

/* ---- end -------------------------------------------------------------------------------- */

static void space_stopped(const char *words)
{
    log_debug("process space: %s", words);
    link_stop();
    event_base_loopexit(slaved.base, NULL);
}

static void stop_asked(evutil_socket_t signo, short what, void *arg)
{
    (void)what;
    (void)arg;
    if (slaved.stopping)
        return;
    slaved.stopping = 1;
    log_info("signal %d: this node stops", (int)signo);
    notify_stopping();
    receivers_stop();
    usage_finish();
    space_stop(space_stopped);
}

static void space_died(const char *words)
{
    fatalx("the process space has ended (%s), and with it every process here", words);
}

static void everything_free(void)
{
    local_finish();
    depart_stop();
    contact_finish();
    reaper_stop();
    event_free(slaved.on_term);
    event_free(slaved.on_int);
    SSL_CTX_free(slaved.ctx);
    event_base_free(slaved.base);
    conf_free(slaved.conf);
}

/* ---- start ------------------------------------------------------------------------------- */

static void space_is_ready(void)
{
    int error = link_start(slaved.base, &slaved.link);

    if (error)
        fatalx("cannot start: %s", strerror(-error));
    log_info("node %d is ready", slaved.link.node);
    notify_status("node %d, not yet connected", slaved.link.node);
    notify_ready();
    if (slaved.options.foreground)
        return;
    log_init("slaved", 0, slaved.options.facility, slaved.options.verbose);
    daemon_ready();
}

/*
 * Beside masterd everything of ours lies one folder deeper. In the process space our run folder
 * lies over masterd's, so that what looks for the daemon there finds us.
 */
static void home_folder(char path[PATH_MAX], const char *folder, const char *name)
{
    if (snprintf(path, PATH_MAX, "%s/home%s", folder, name) >= PATH_MAX)
        fatalx("cannot use folder %s: the name is too long", folder);
}

static void home_place(void)
{
    static char state_dir[PATH_MAX];
    const char *name = strrchr(slaved.conf->socket, '/');
    char path[PATH_MAX];

    home_folder(state_dir, slaved.state_dir, "");
    slaved.state_dir = state_dir;
    home_folder(path, slaved.over, name ? name : "/bproc.sock");
    memcpy(slaved.conf->socket, path, sizeof(path));
    home_folder(slaved.conf->run_dir, slaved.over, "");
    slaved.conf->data_port = 0;
}

static void conf_read(void)
{
    const char *path = slaved.options.config ? slaved.options.config : BPROC_CONFIG_FILE;
    int error = conf_load(path, conf_complain_log, NULL, &slaved.conf);

    if (error == -ENOENT && !slaved.options.config) {
        slaved.conf = conf_defaults();
        error = slaved.conf ? 0 : -ENOMEM;
    }
    if (error)
        fatalx("cannot read configuration %s: %s", path, strerror(-error));
    snprintf(slaved.over, sizeof(slaved.over), "%s", slaved.conf->run_dir);
    slaved.state_dir = slaved.options.state_dir ? slaved.options.state_dir : slaved.conf->state_dir;
    if (slaved.options.home)
        home_place();
    if (snprintf(slaved.tls_dir, sizeof(slaved.tls_dir), "%s/tls", slaved.state_dir) >=
        (int)sizeof(slaved.tls_dir))
        fatalx("cannot use state folder %s: the name is too long", slaved.state_dir);
    if (slaved.options.facility < 0)
        slaved.options.facility = slaved.conf->log_facility;
}

static void run_dir_make(void)
{
    char path[PATH_MAX + 16];
    int error = fd_mkdirs(slaved.conf->run_dir, 0755);

    if (error)
        fatalx("cannot make %s: %s", slaved.conf->run_dir, strerror(-error));
    snprintf(path, sizeof(path), "%s/slaved.pid", slaved.conf->run_dir);
    error = daemon_lock(path);
    if (error)
        fatalx("cannot lock %s: %s", path,
               error == -EWOULDBLOCK ? "another slaved runs here" : strerror(-error));
}

static void cluster_join(void)
{
    struct options *options = &slaved.options;
    struct join_request request = { .host = options->host, .port = options->port,
                                    .source = options->source, .token = options->token,
                                    .tls_dir = slaved.tls_dir };
    char text[512] = "out of memory";
    int error, node;

    memcpy(request.ca_hash, options->ca_hash, sizeof(request.ca_hash));
    if (join_run(&request, &node, text, sizeof(text)) < 0)
        fatalx("cannot join %s:%d: %s", options->host, options->port, text);
    error = join_master_save(slaved.state_dir, options->host, options->port);
    if (error)
        fatalx("cannot keep the master's address in %s: %s", slaved.state_dir, strerror(-error));
    log_info("joined %s:%d as node %d", options->host, options->port, node);
}

static void master_find(void)
{
    struct options *options = &slaved.options;
    int port;

    if (options->token)
        cluster_join();
    else if (!options->host[0]) {
        if (join_master_load(slaved.state_dir, options->host, sizeof(options->host), &port) < 0)
            fatalx("cannot find the master: this machine has not joined a cluster; "
                   "`bpctl token create` on the master tells how");
        options->port = options->port ? options->port : port;
    }
    slaved.link.host = options->host;
    slaved.link.port = options->port ? options->port : slaved.conf->port;
}

static void identity_load(void)
{
    char text[512];

    slaved.ctx = tls_context(slaved.tls_dir, 0, TLS_VERIFY_PEER, text, sizeof(text));
    if (!slaved.ctx)
        fatalx("cannot use this node's certificate: %s (`bpctl token create' on the master prints "
               "the command to join)", text);
    slaved.link.ctx = slaved.ctx;
    slaved.link.node = tls_own_node(slaved.ctx);
    if (slaved.options.home ? slaved.link.node != TLS_NODE_HOME : slaved.link.node < 0)
        fatalx("cannot use this node's certificate: it names no node");
    slaved.link.node = tls_node_number(slaved.link.node);
}

/* The folder above CRIU's own, when it is a private one, or "". */
static void criu_prefix_find(void)
{
    static const char *const shared[] = { "", "/usr", "/usr/local" };
    char *prefix = slaved.criu_prefix;

    strcpy(prefix, slaved.criu);
    for (int i = 0; i < 2; i++) {
        char *slash = strrchr(prefix, '/');

        if (slash)
            *slash = '\0';
    }
    for (size_t i = 0; i < sizeof(shared) / sizeof(shared[0]); i++)
        if (strcmp(prefix, shared[i]) == 0)
            prefix[0] = '\0';
}

static void criu_find(void)
{
    if (criuprobe_find(slaved.conf->criu, slaved.criu, sizeof(slaved.criu), slaved.criu_missing,
                       sizeof(slaved.criu_missing)) < 0) {
        slaved.criu[0] = '\0';
        log_warnx("no process can be forked onto this node, only executed: %s",
                  slaved.criu_missing);
        transfer_init(slaved.criu_missing);
        return;
    }
    log_debug("CRIU is %s", slaved.criu);
    if (!criuprobe_cache_works())
        log_warnx("/run is no tmpfs: CRIU cannot keep what it learns about the kernel there, and "
                  "every fork onto this node takes longer");
}

static void parent_signal(const signal_msg *signal)
{
    link_event(P_SIGNAL_PARENT, FRAME_XDR(signal_msg), signal);
}

static void space_begin(void)
{
    static const struct space_ops ops = { .on_ready = space_is_ready,
                                          .on_launched = transfer_launched,
                                          .on_status = proc_status, .on_born = proc_born,
                                          .on_group = proc_group,
                                          .on_signal = parent_signal, .on_root = root_made,
                                          .on_end = space_died };
    const char *binds[3] = { slaved.conf->cache_dir };
    /* A process has its files open; those of other users' processes are not its business. */
    int error = fd_mkdirs(slaved.conf->cache_dir, 0700);

    if (!error && chmod(slaved.conf->cache_dir, 0700) < 0)
        error = -errno;
    if (error)
        fatalx("cannot make %s: %s", slaved.conf->cache_dir, strerror(-error));
    criu_prefix_find();
    if (slaved.criu_prefix[0])
        binds[1] = slaved.criu_prefix;
    usage_init(slaved.base, slaved.link.node);
    error = space_start(slaved.base, slaved.options.root, slaved.options.home ? slaved.over : NULL,
                        binds, &ops);
    if (error)
        fatalx("cannot start the process space: %s", strerror(-error));
}

static void ports_open(void)
{
    int error;

    slaved.receivers = (struct receivers_settings){
        .source = slaved.options.source, .port = slaved.conf->data_port,
        .tls_dir = slaved.tls_dir, .criu = slaved.criu, .cache_dir = slaved.conf->cache_dir };
    error = receivers_init(slaved.base, &slaved.receivers);
    slaved.link.data_port = receivers_port();
    if (error)
        fatalx("cannot listen on data port %d: %s", slaved.conf->data_port, strerror(-error));
    error = local_init(slaved.base, slaved.conf->socket, slaved.link.node);
    if (error == -EADDRINUSE)
        log_warnx("another daemon serves %s; this node's programs speak to that one",
                  slaved.conf->socket);
    else if (error)
        fatalx("cannot listen on %s: %s", slaved.conf->socket, strerror(-error));
}

/* Without a mover processes can come, but not go on. */
static void mover_begin(void)
{
    char text[300];

    slaved.mover = (struct mover_settings){
        .tls_dir = slaved.tls_dir, .run_dir = slaved.conf->run_dir,
        .criu = slaved.criu[0] ? slaved.criu : "criu",
        .criu_missing = slaved.criu[0] ? NULL : slaved.criu_missing };
    shares_init(slaved.base);
    tickets_init(slaved.base);
    if (depart_start(slaved.base, &slaved.mover, text, sizeof(text)) < 0)
        fatalx("%s", text);
}

static void loop_make(void)
{
    slaved.base = event_base_new();
    if (!slaved.base)
        fatalx("cannot start: no event loop");
    slaved.on_term = evsignal_new(slaved.base, SIGTERM, stop_asked, NULL);
    slaved.on_int = evsignal_new(slaved.base, SIGINT, stop_asked, NULL);
    if (!slaved.on_term || event_add(slaved.on_term, NULL) < 0 ||
        !slaved.on_int || event_add(slaved.on_int, NULL) < 0 || reaper_start(slaved.base) < 0 ||
        contact_init(slaved.base, slaved.conf->ping_timeout, slaved.conf->orphan_timeout,
                     slaved.options.home ? home_is_lost : master_is_lost) < 0)
        fatalx("cannot start: out of memory");
}

int main(int argc, char **argv)
{
    int error;

    options_read(argc, argv, &slaved.options);
    /* Until the start has succeeded there is somebody at standard error. */
    log_init("slaved", 1, 0, slaved.options.verbose);
    if (geteuid() != 0)
        fatalx("cannot start: not root");
    conf_read();
    error = slaved.options.foreground ? 0 : daemon_begin();
    if (error)
        fatalx("cannot become a daemon: %s", strerror(-error));
    if (slaved.options.foreground)
        log_init("slaved", 1, slaved.options.facility, slaved.options.verbose);
    /* The service manager hears of masterd alone. */
    if (!slaved.options.home)
        notify_init();
    daemon_signals();
    fd_raise_limit();
    run_dir_make();
    slaved.link = (struct link_settings){
        .source = slaved.options.source, .orphan_timeout = slaved.conf->orphan_timeout,
        .on_up = link_came_up, .on_down = link_went_down, .on_switched = watch_link_up,
        .on_set_down = master_is_lost,
        .on_message = master_message };
    power_init(slaved.conf);
    master_find();
    identity_load();
    criu_find();
    loop_make();
    space_begin();
    mover_begin();
    ports_open();
    event_base_dispatch(slaved.base);
    everything_free();
    return 0;
}
