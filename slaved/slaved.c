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
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/conn.h"
#include "common/daemon.h"
#include "common/fd.h"
#include "common/log.h"
#include "common/notify.h"
#include "common/reaper.h"
#include "common/tls.h"
#include "common/trace.h"
#include "slaved/contact.h"
#include "slaved/depart.h"
#include "slaved/ghost.h"
#include "slaved/link.h"
#include "slaved/local.h"
#include "slaved/options.h"
#include "slaved/pass.h"
#include "slaved/power.h"
#include "slaved/proctable.h"
#include "slaved/receivers.h"
#include "slaved/root.h"
#include "slaved/setup.h"
#include "slaved/shares.h"
#include "slaved/space.h"
#include "slaved/tickets.h"
#include "slaved/transfer.h"
#include "slaved/usage.h"
#include "slaved/watch.h"

static struct {
    struct event_base *base;
    struct event *on_term, *on_int;
    SSL_CTX *ctx;
    struct link_settings link;
    struct receivers_settings receivers;
    struct mover_settings mover;
    int stopping;
} slaved;

static struct setup setup;

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
    if (setup.options.home && proc_count() == 0)
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
    conf_free(setup.conf);
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
    if (setup.options.foreground)
        return;
    log_init("slaved", 0, setup.options.facility, setup.options.verbose);
    daemon_ready();
}

static void identity_load(void)
{
    char text[512];

    slaved.ctx = tls_context(setup.tls_dir, 0, TLS_VERIFY_PEER, text, sizeof(text));
    if (!slaved.ctx)
        fatalx("cannot use this node's certificate: %s (`bpctl token create' on the master prints "
               "the command to join)", text);
    slaved.link.ctx = slaved.ctx;
    slaved.link.node = tls_own_node(slaved.ctx);
    if (setup.options.home ? slaved.link.node != TLS_NODE_HOME : slaved.link.node < 0)
        fatalx("cannot use this node's certificate: it names no node");
    slaved.link.node = tls_node_number(slaved.link.node);
}

static void space_begin(void)
{
    static const struct space_ops ops = { .on_ready = space_is_ready,
                                          .on_answer = ghost_goes,
                                          .on_launched = transfer_launched,
                                          .on_status = proc_status, .on_born = proc_born,
                                          .on_group = proc_group,
                                          .on_signal = proc_signals_parent, .on_root = root_made,
                                          .on_end = space_died };
    const char *binds[3] = { setup.conf->cache_dir };
    /* A process has its files open; those of other users' processes are not its business. */
    int error = fd_mkdirs(setup.conf->cache_dir, 0700);

    if (!error && chmod(setup.conf->cache_dir, 0700) < 0)
        error = -errno;
    if (error)
        fatalx("cannot make %s: %s", setup.conf->cache_dir, strerror(-error));
    if (setup.criu_prefix[0])
        binds[1] = setup.criu_prefix;
    usage_init(slaved.base, slaved.link.node);
    error = space_start(slaved.base, setup.options.root, setup.options.home ? setup.over : NULL,
                        binds, &ops);
    if (error)
        fatalx("cannot start the process space: %s", strerror(-error));
}

static void ports_open(void)
{
    int error;

    slaved.receivers = (struct receivers_settings){
        .source = setup.options.source, .port = setup.conf->data_port,
        .tls_dir = setup.tls_dir, .criu = setup.criu, .cache_dir = setup.conf->cache_dir };
    error = receivers_init(slaved.base, &slaved.receivers);
    slaved.link.data_port = receivers_port();
    if (error)
        fatalx("cannot listen on data port %d: %s", setup.conf->data_port, strerror(-error));
    error = local_init(slaved.base, setup.conf->socket, slaved.link.node);
    if (error == -EADDRINUSE)
        log_warnx("another daemon serves %s; this node's programs speak to that one",
                  setup.conf->socket);
    else if (error)
        fatalx("cannot listen on %s: %s", setup.conf->socket, strerror(-error));
}

/* Without a mover processes can come, but not go on. */
static void mover_begin(void)
{
    char text[300];

    slaved.mover = (struct mover_settings){
        .tls_dir = setup.tls_dir, .run_dir = setup.conf->run_dir,
        .criu = setup.criu[0] ? setup.criu : "criu",
        .criu_missing = setup.criu[0] ? NULL : setup.criu_missing };
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
    trace_init(slaved.base);
    if (!slaved.on_term || event_add(slaved.on_term, NULL) < 0 ||
        !slaved.on_int || event_add(slaved.on_int, NULL) < 0 || reaper_start(slaved.base) < 0 ||
        contact_init(slaved.base, setup.conf->ping_timeout, setup.conf->orphan_timeout,
                     setup.options.home ? home_is_lost : master_is_lost) < 0)
        fatalx("cannot start: out of memory");
}

int main(int argc, char **argv)
{
    int error;

    options_read(argc, argv, &setup.options);
    /* Until the start has succeeded there is somebody at standard error. */
    log_init("slaved", 1, 0, setup.options.verbose);
    if (geteuid() != 0)
        fatalx("cannot start: not root");
    setup_read(&setup);
    error = setup.options.foreground ? 0 : daemon_begin();
    if (error)
        fatalx("cannot become a daemon: %s", strerror(-error));
    if (setup.options.foreground)
        log_init("slaved", 1, setup.options.facility, setup.options.verbose);
    /* The service manager hears of masterd alone. */
    if (!setup.options.home)
        notify_init();
    daemon_signals();
    fd_raise_limit();
    setup_run_dir(&setup);
    setup_master(&setup);
    slaved.link = (struct link_settings){
        .host = setup.options.host, .port = setup.options.port, .source = setup.options.source,
        .orphan_timeout = setup.conf->orphan_timeout, .on_up = link_came_up,
        .on_down = link_went_down, .on_switched = watch_link_up, .on_set_down = master_is_lost,
        .on_message = master_message };
    power_init(setup.conf);
    identity_load();
    if (setup_criu(&setup) < 0)
        transfer_init(setup.criu_missing);
    loop_make();
    space_begin();
    mover_begin();
    ports_open();
    event_base_dispatch(slaved.base);
    everything_free();
    return 0;
}
