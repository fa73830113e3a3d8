/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The configuration file, bproc.config(5), for both daemons. conf_load() reads it aside into a new
 * object; a reload swaps the objects when there was no error and keeps the old one otherwise.
 * A missing file is an error for masterd, and the defaults for slaved: conf_defaults().
 */
#ifndef BPROC_CONF_H
#define BPROC_CONF_H

#include <limits.h>
#include <net/if.h>
#include <stdint.h>

#define CONF_MAX_INTERFACES 16
#define CONF_MAX_GROUPS 1024
#define CONF_MAX_GROUP_NAME 64      /* bytes without the @ */
#define CONF_MAX_GROUP_SPEC 900

/* Addresses first…last (host byte order) belong to node, node + 1, … or, as one, to `node`. */
struct conf_range {
    uint32_t first, last;
    int node;
};

struct conf_group {
    char *name;                     /* without the @ */
    char *spec;
    int line;                       /* of the file, that gave it */
};

struct conf {
    int nodes;                      /* numbers 0 … nodes - 1; 0 when the file does not say */
    struct conf_range *ranges;
    unsigned nranges;
    char interfaces[CONF_MAX_INTERFACES][IFNAMSIZ];
    unsigned ninterfaces;           /* 0: listen on all addresses */
    int port;                       /* the master's, 2223 */
    int data_port;                  /* a slave's, 2224 */
    int ping_timeout;               /* seconds, 30 */
    int orphan_timeout;             /* seconds, 600 */
    int node_up_timeout;            /* seconds, 600 */
    int log_facility;               /* 0 when the file does not say */
    int io_direct;                  /* 0: streams go through TLS */
    uint64_t cache_size;            /* bytes, 1 GiB */
    struct conf_group *groups;
    unsigned ngroups;
    char cache_dir[PATH_MAX];
    char criu[PATH_MAX];            /* empty when the file does not say */
    char node_up[PATH_MAX];
    char *reboot_command;           /* shell commands that a node runs for itself */
    char *halt_command;
    char *pwroff_command;
    char socket[PATH_MAX];          /* RUN/bproc.sock unless the file says otherwise */
    char state_dir[PATH_MAX];
    char run_dir[PATH_MAX];
    char log_dir[PATH_MAX];         /* for the output of node_up */
};

/* One complaint, "FILE:LINE: TEXT". Warnings do not make a load fail. */
typedef void (*conf_complain)(void *arg, int is_error, const char *line);

/* Defaults alone; NULL when out of memory. The caller ends it with conf_free(). */
struct conf *conf_defaults(void);

/*
 * Reads `path`. 0 with *conf made; -EINVAL when there were errors (each was complained of);
 * another -errno when the file cannot be read. Blocking.
 */
int conf_load(const char *path, conf_complain complain, void *arg, struct conf **conf);

void conf_free(struct conf *conf);

/*
 * Is each group a specification that can be read, of nodes and groups that there are? Not for a
 * slave, which uses none, and in whose file a word may be the master's name. 0, or -EINVAL when
 * there were complaints. Does not block.
 */
int conf_check_groups(struct conf *conf, const char *path, conf_complain complain, void *arg);

/* How many nodes there are: `nodes`, or what the addresses imply. */
int conf_size(const struct conf *conf);

/* The node an address (host byte order) belongs to, or -1. */
int conf_node_of(const struct conf *conf, uint32_t addr);

/* The first address of a node, or 0; with it, whether the file gives this node any. */
uint32_t conf_addr_of(const struct conf *conf, int node);

/* A conf_complain for daemons: it goes to the log. */
void conf_complain_log(void *arg, int is_error, const char *line);

#endif
