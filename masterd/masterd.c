/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * masterd: the node table, and the go-between of callers, ghosts and nodes. This file has the order
 * of start and stop and the signals; what is done lies in the other files of this folder.
 */
#include "config.h"

#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "common/daemon.h"
#include "common/fd.h"
#include "common/log.h"
#include "common/notify.h"
#include "common/reaper.h"
#include "common/trace.h"
#include "masterd/depart.h"
#include "masterd/birth.h"
#include "masterd/home.h"
#include "masterd/libraries.h"
#include "masterd/link.h"
#include "masterd/listen.h"
#include "masterd/master.h"
#include "masterd/nodetable.h"
#include "masterd/pids.h"
#include "masterd/stats.h"
#include "masterd/store.h"
#include "masterd/usage.h"
#include "masterd/watchers.h"

#define PRIORITIES 3            /* an event has the middle one unless it says otherwise */
#define HANDSHAKES_A_TURN 8

struct options {
    const char *file;
    int foreground;
    int check_only;
    int verbose;
};

struct master master;

int64_t master_now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void usage(FILE *out)
{
    fprintf(out,
            "usage: masterd [-dhiVvn] [-c FILE]\n"
            "  -c, --config FILE  configuration (default %s)\n"
            "  -d, --foreground   stay in the foreground, log to stderr\n"
            "  -h, --help         show this text\n"
            "  -i                 accepted for older start scripts, without effect\n"
            "  -n, --check        check the configuration and exit\n"
            "  -V, --version      show the version\n"
            "  -v, --verbose      log more\n",
            BPROC_CONFIG_FILE);
}

static void options_read(int argc, char **argv, struct options *options)
{
    static const struct option names[] = {
        { "config", required_argument, NULL, 'c' }, { "foreground", no_argument, NULL, 'd' },
        { "help", no_argument, NULL, 'h' },         { "check", no_argument, NULL, 'n' },
        { "version", no_argument, NULL, 'V' },      { "verbose", no_argument, NULL, 'v' },
        { NULL, 0, NULL, 0 }
    };
    int c;

    options->file = BPROC_CONFIG_FILE;
    while ((c = getopt_long(argc, argv, "c:dhinVv", names, NULL)) != -1) {
        switch (c) {
        case 'c': options->file = optarg; break;
        case 'd': options->foreground = 1; break;
        case 'i': break;
        case 'n': options->check_only = 1; break;
        case 'v': options->verbose = 1; break;
        case 'h': usage(stdout); exit(0);
        case 'V': printf("masterd (bproc) %s\n", PACKAGE_VERSION); exit(0);
        default: usage(stderr); exit(1);
        }
    }
    if (optind < argc) {
        fprintf(stderr, "masterd: unexpected argument `%s'\n", argv[optind]);
        exit(1);
    }
}

static void complain_stderr(void *arg, int is_error, const char *line)
{
    (void)arg;
    fprintf(stderr, "%s%s\n", is_error ? "" : "warning: ", line);
}

/* What conf_load() cannot know: this daemon needs nodes, and groups that are some. */
static int conf_is_enough(struct conf *conf, const char *file, conf_complain complain)
{
    char line[PATH_MAX + 80];

    if (conf_size(conf) > 0)
        return conf_check_groups(conf, file, complain, NULL) == 0;
    snprintf(line, sizeof(line), "%s: no nodes: `nodes', `ip' or `iprange' is needed", file);
    complain(NULL, 1, line);
    return 0;
}

static void conf_first(const struct options *options)
{
    int error = conf_load(options->file, complain_stderr, NULL, &master.conf);

    if (error && error != -EINVAL)
        fprintf(stderr, "masterd: cannot read %s: %s\n", options->file, strerror(-error));
    if (error || !conf_is_enough(master.conf, options->file, complain_stderr))
        exit(1);
}

static void conf_keep_paths(struct conf *conf, const struct conf *old)
{
    if (strcmp(conf->socket, old->socket) != 0 || strcmp(conf->state_dir, old->state_dir) != 0 ||
        strcmp(conf->run_dir, old->run_dir) != 0)
        log_warnx("socket, statedir and rundir stay as they are until masterd is restarted");
    memcpy(conf->socket, old->socket, sizeof(conf->socket));
    memcpy(conf->state_dir, old->state_dir, sizeof(conf->state_dir));
    memcpy(conf->run_dir, old->run_dir, sizeof(conf->run_dir));
}

static int doors_differ(const struct conf *a, const struct conf *b)
{
    return a->port != b->port || a->ninterfaces != b->ninterfaces ||
           memcmp(a->interfaces, b->interfaces, sizeof(a->interfaces)) != 0;
}

static void conf_swap(struct conf *fresh)
{
    struct conf *old = master.conf;
    int differ = doors_differ(fresh, old);
    char text[200];

    conf_keep_paths(fresh, old);
    master.conf = fresh;
    if (differ && listen_reload(text, sizeof(text)) < 0) {
        log_warnx("%s: keeping the old configuration", text);
        master.conf = old;
        if (listen_reload(text, sizeof(text)) < 0)
            log_warnx("%s", text);
        conf_free(fresh);
        return;
    }
    conf_free(old);
    nodetable_reload();
    log_info("configuration reloaded: %d nodes", nodetable_size());
}

static void on_hangup(evutil_socket_t fd, short what, void *arg)
{
    const struct options *options = arg;
    struct conf *fresh = NULL;
    int error;

    (void)fd;
    (void)what;
    notify_reloading();
    error = conf_load(options->file, conf_complain_log, NULL, &fresh);
    if (!error && !conf_is_enough(fresh, options->file, conf_complain_log)) {
        conf_free(fresh);
        error = -EINVAL;
    }
    if (error)
        log_warnx("cannot reload %s: %s: keeping the old configuration", options->file,
                  error == -EINVAL ? "there are errors in it" : strerror(-error));
    else
        conf_swap(fresh);
    notify_ready();
}

static void on_end(evutil_socket_t signo, short what, void *arg)
{
    (void)what;
    (void)arg;
    log_info("ending on signal %d", (int)signo);
    event_base_loopbreak(master.base);
}

static void folder_need(const char *path, mode_t mode)
{
    int error = fd_mkdirs(path, mode);

    if (error)
        fatalx("cannot make %s: %s", path, strerror(-error));
}

static void instance_lock(void)
{
    char path[PATH_MAX + 16];
    int error;

    snprintf(path, sizeof(path), "%s/masterd.pid", master.conf->run_dir);
    error = daemon_lock(path);
    if (error == -EWOULDBLOCK)
        fatalx("another masterd holds %s", path);
    if (error)
        fatalx("cannot lock %s: %s", path, strerror(-error));
}

static void self_prepare(const struct options *options)
{
    int error;

    daemon_signals();
    notify_init();
    /* Until the start has succeeded there is somebody at standard error. */
    if (!options->foreground) {
        error = daemon_begin();
        if (error)
            fatalx("cannot go to the background: %s", strerror(-error));
    } else {
        log_init("masterd", 1, master.conf->log_facility, options->verbose);
    }
    umask(022);
    fd_raise_limit();
    folder_need(master.conf->run_dir, 0755);
    folder_need(master.conf->state_dir, 0700);
    instance_lock();
    /* Tools that a node_up script uses shall find us. */
    setenv("BPROC_SOCKET", master.conf->socket, 1);
    while (master.instance == 0)
        if (getrandom(&master.instance, sizeof(master.instance), 0) < 0)
            fatal("cannot get random bytes");
    master.started = master_now();
}

static void parts_start(const struct options *options)
{
    char text[300] = "out of memory";

    stats_start();
    trace_init(master.base);
    if (reaper_start(master.base) < 0 || pids_start() < 0 || birth_start() < 0)
        fatalx("%s", text);
    if (link_start(text, sizeof(text)) < 0)
        fatalx("%s (`bpctl ca init' makes the cluster's authority)", text);
    if (store_open(master.conf->state_dir, text, sizeof(text)) < 0)
        fatalx("%s", text);
    if (libraries_start(text, sizeof(text)) < 0)
        fatalx("%s", text);
    if (nodetable_start() < 0)
        fatalx("cannot make the node table");
    if (depart_start(text, sizeof(text)) < 0)
        fatalx("%s", text);
    if (listen_start(text, sizeof(text)) < 0)
        fatalx("%s", text);
    if (home_start(options->file, options->foreground, options->verbose, text, sizeof(text)) < 0)
        log_warnx("no process can come back to the master: %s", text);
}

/* Connections are cut by our end: nodes and ghosts then wait for the next masterd. */
static void parts_stop(void)
{
    links_flush();
    home_stop();
    listen_stop();
    depart_stop();
    usage_stop();
    nodetable_stop();
    libraries_stop();
    store_close();
    watchers_stop();
    link_stop();
    birth_stop();
    pids_stop();
    reaper_stop();
}

/* Three priorities: the last one's handshakes are looked at between, a few at a time. */
static struct event_base *loop_make(void)
{
    struct event_config *config = event_config_new();
    struct event_base *base = NULL;

    if (config && event_config_set_max_dispatch_interval(config, NULL, HANDSHAKES_A_TURN,
                                                         PRIORITIES - 1) == 0)
        base = event_base_new_with_config(config);
    if (!base || event_base_priority_init(base, PRIORITIES) < 0)
        fatalx("cannot make an event loop");
    event_config_free(config);
    return base;
}

static void signals_watch(struct event **events, struct options *options)
{
    events[0] = evsignal_new(master.base, SIGTERM, on_end, NULL);
    events[1] = evsignal_new(master.base, SIGINT, on_end, NULL);
    events[2] = evsignal_new(master.base, SIGHUP, on_hangup, options);
    for (int i = 0; i < 3; i++)
        if (!events[i] || event_add(events[i], NULL) < 0)
            fatalx("cannot watch signals");
}

int main(int argc, char **argv)
{
    struct options options = { 0 };
    struct event *events[3];

    options_read(argc, argv, &options);
    log_init("masterd", 1, 0, options.verbose);
    conf_first(&options);
    if (options.check_only)
        return 0;
    if (geteuid() != 0)
        fatalx("only root can run masterd");
    self_prepare(&options);
    master.base = loop_make();
    parts_start(&options);
    signals_watch(events, &options);
    if (!options.foreground)
        log_init("masterd", 0, master.conf->log_facility, options.verbose);
    log_info("ready: release %s, %d nodes, port %d", PACKAGE_VERSION, nodetable_size(),
             master.conf->port);
    notify_status("%d nodes configured", nodetable_size());
    notify_ready();
    daemon_ready();
    event_base_dispatch(master.base);
    notify_stopping();
    parts_stop();
    for (int i = 0; i < 3; i++)
        event_free(events[i]);
    conf_free(master.conf);
    return 0;
}
