/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/bproc.h>

#include "common/log.h"
#include "masterd/link.h"
#include "masterd/master.h"
#include "masterd/nodetable.h"
#include "masterd/watchers.h"

#define STATES (NODE_BOOT + 1)
#define NONE (-1)
#define WRITE_DELAY_MS 50
#define WRITES_A_TURN 250
#define SET(what) (1u << (what))

static struct node *nodes[BPROC_MAX_NODES];
static int nodes_size;
static struct event *on_write;

static const char *const state_names[STATES] = {
    "down", "unavailable", "error", "up", "reboot", "halt", "pwroff", "boot"
};

#define SETTABLE                                                                                \
    [NODE_EV_SET_UP] = NODE_UP, [NODE_EV_SET_UNAVAILABLE] = NODE_UNAVAILABLE,                   \
    [NODE_EV_SET_ERROR] = NODE_ERROR, [NODE_EV_SET_REBOOT] = NODE_REBOOT,                       \
    [NODE_EV_SET_HALT] = NODE_HALT, [NODE_EV_SET_PWROFF] = NODE_PWROFF,                         \
    [NODE_EV_SET_DOWN] = NODE_DOWN
#define READY                                                                                   \
    { SETTABLE, [NODE_EV_CONNECT] = NONE, [NODE_EV_SCRIPT_OK] = NONE,                           \
      [NODE_EV_SCRIPT_FAILED] = NONE, [NODE_EV_LOST] = NODE_DOWN }
#define LEAVING(state)                                                                          \
    { SETTABLE, [NODE_EV_CONNECT] = NODE_BOOT, [NODE_EV_SCRIPT_OK] = NONE,                      \
      [NODE_EV_SCRIPT_FAILED] = NONE, [NODE_EV_LOST] = state }

static const int next_state[STATES][NODE_EVENTS] = {
    [NODE_DOWN] = { [NODE_EV_CONNECT] = NODE_BOOT, [NODE_EV_SCRIPT_OK] = NONE,
                    [NODE_EV_SCRIPT_FAILED] = NONE, [NODE_EV_LOST] = NONE, [NODE_EV_SET_UP] = NONE,
                    [NODE_EV_SET_UNAVAILABLE] = NONE, [NODE_EV_SET_ERROR] = NONE,
                    [NODE_EV_SET_REBOOT] = NONE, [NODE_EV_SET_HALT] = NONE,
                    [NODE_EV_SET_PWROFF] = NONE, [NODE_EV_SET_DOWN] = NONE },
    [NODE_BOOT] = { SETTABLE, [NODE_EV_CONNECT] = NONE, [NODE_EV_SCRIPT_OK] = NODE_UP,
                    [NODE_EV_SCRIPT_FAILED] = NODE_ERROR, [NODE_EV_LOST] = NODE_DOWN },
    [NODE_UP] = READY, [NODE_UNAVAILABLE] = READY, [NODE_ERROR] = READY,
    [NODE_REBOOT] = LEAVING(NODE_REBOOT), [NODE_HALT] = LEAVING(NODE_HALT),
    [NODE_PWROFF] = LEAVING(NODE_PWROFF),
};

int node_state_is_leaving(node_state state)
{
    return state == NODE_REBOOT || state == NODE_HALT || state == NODE_PWROFF;
}

const char *node_state_name(node_state state)
{
    return state_names[state];
}

int nodetable_size(void)
{
    return nodes_size;
}

struct node *node_find(int number)
{
    return number >= 0 && number < nodes_size ? nodes[number] : NULL;
}

static void store_fill(const struct node *node, struct store_node *record)
{
    *record = (struct store_node) {
        .number = node->number, .state = node->state, .instance = node->instance,
        .set = node->set, .mode = node->set_mode, .uid = node->set_uid, .gid = node->set_gid,
        .joined = node->joined, .held = node->held, .attrs = node->attrs
    };
    memcpy(record->cert, node->cert, sizeof(record->cert));
    memcpy(record->word, node->word, sizeof(record->word));
    /* A node that has not come back since our start still is what it was. */
    if (node->state == NODE_DOWN && node->before != NODE_DOWN)
        record->state = node->before;
}

/* Writes some; 0 when none is left, or none can be written. */
static int dirty_write(void)
{
    static struct store_node records[WRITES_A_TURN];
    static struct node *written[WRITES_A_TURN];
    unsigned count = 0;
    int left = 0;

    for (int i = 0; i < nodes_size; i++) {
        if (!nodes[i]->dirty)
            continue;
        left = count == WRITES_A_TURN;
        if (left)
            break;
        written[count] = nodes[i];
        store_fill(nodes[i], &records[count++]);
    }
    if (count > 0 && store_save(records, count) < 0)
        return 0;
    for (unsigned i = 0; i < count; i++)
        written[i]->dirty = 0;
    return left;
}

static void dirty_write_all(void)
{
    while (dirty_write())
        continue;
}

static void write_due(evutil_socket_t fd, short what, void *arg)
{
    struct timeval delay = { 0, WRITE_DELAY_MS * 1000 };

    (void)fd;
    (void)what;
    (void)arg;
    if (dirty_write())
        event_add(on_write, &delay);
}

void node_touch(struct node *node)
{
    struct timeval delay = { 0, WRITE_DELAY_MS * 1000 };

    node->dirty = 1;
    if (!event_pending(on_write, EV_TIMEOUT, NULL))
        event_add(on_write, &delay);
}

int node_store(struct node *node)
{
    struct store_node record;
    int error;

    store_fill(node, &record);
    error = store_save(&record, 1);
    node->dirty = error != 0;
    return error;
}

static void perms_reserve(struct node *node, unsigned mode)
{
    node->mode = mode;
    node->uid = 0;
    node->gid = 0;
}

static void perms_open(struct node *node)
{
    node->mode = node->set & SET(PERM_MODE) ? node->set_mode : 0111;
    node->uid = node->set & SET(PERM_USER) ? node->set_uid : 0;
    node->gid = node->set & SET(PERM_GROUP) ? node->set_gid : 0;
}

static void state_enter(struct node *node, node_state state, const char *reason)
{
    log_info("node %d: %s -> %s (%s)", node->number, state_names[node->state], state_names[state],
             reason);
    node->state = state;
    /* One that comes back to what it was is called that again. */
    if (state != node->before)
        memset(node->word, 0, sizeof(node->word));
    node->before = NODE_DOWN;
    if (state == NODE_DOWN)
        nodeattr_clear(&node->attrs);
    if (state == NODE_DOWN)
        perms_reserve(node, 0);
    else if (state == NODE_BOOT)
        perms_reserve(node, 0100);
    else if (state == NODE_UP)
        perms_open(node);
    node_touch(node);
    watchers_tell();
}

static void leaving_gone(struct node *node, const char *reason)
{
    log_info("node %d: %s, and gone (%s)", node->number, state_names[node->state], reason);
    perms_reserve(node, 0);
    nodeattr_clear(&node->attrs);
    node_touch(node);
    watchers_tell();
}

struct node *node_at(int number)
{
    static struct node home = { .number = BPROC_NODE_MASTER, .state = NODE_UP, .mode = 0111 };

    return number == BPROC_NODE_MASTER ? &home : node_find(number);
}

int node_event(struct node *node, enum node_event event, const char *reason)
{
    int state = next_state[node->state][event];

    if (state == NONE)
        return -EINVAL;
    if (state != (int)node->state)
        state_enter(node, (node_state)state, reason);
    else if (event == NODE_EV_LOST)
        leaving_gone(node, reason);
    return 0;
}

int node_return(struct node *node)
{
    node_state before = node->before;

    if ((node->state != NODE_DOWN && node->state != before) || before == NODE_DOWN ||
        before == NODE_BOOT)
        return -EAGAIN;
    if (before == NODE_ERROR)
        perms_reserve(node, 0100);
    else
        perms_open(node);
    state_enter(node, before, "reconnected after a restart of masterd");
    return 0;
}

int node_set_perm(struct node *node, perm_what what, unsigned value)
{
    struct node before = *node;

    if (what == PERM_MODE)
        node->mode = node->set_mode = value;
    else if (what == PERM_USER)
        node->uid = node->set_uid = value;
    else
        node->gid = node->set_gid = value;
    node->set |= SET(what);
    if (node_store(node) < 0) {
        *node = before;
        return -EIO;
    }
    watchers_tell();
    return 0;
}

int node_set_attr(struct node *node, const char *name, const void *value, unsigned len)
{
    int error = nodeattr_set(&node->attrs, name, value, len);

    if (!error)
        node_touch(node);
    return error;
}

static struct node *node_new(int number)
{
    struct node *node = calloc(1, sizeof(*node));

    if (!node)
        return NULL;
    node->number = number;
    node->addr = conf_addr_of(master.conf, number);
    return node;
}

static void node_free(struct node *node)
{
    nodeattr_clear(&node->attrs);
    free(node);
}

/* Takes the attributes over. */
static void node_remember(struct store_node *record, void *arg)
{
    struct node *node = node_find(record->number);
    const int *first = arg;

    if (!node || node->number < *first || record->state >= STATES)
        return;
    node->before = record->state;
    if (node_state_is_leaving(record->state))
        node->state = record->state;
    node->held = record->held;
    node->attrs = record->attrs;
    record->attrs = (struct nodeattrs){ .count = 0 };
    node->instance = record->instance;
    node->set = record->set;
    node->set_mode = record->mode;
    node->set_uid = record->uid;
    node->set_gid = record->gid;
    node->joined = record->joined;
    memcpy(node->cert, record->cert, sizeof(node->cert));
    memcpy(node->word, record->word, sizeof(node->word));
}

/* Those from `first` on are new and learn what the store knows of them. */
static int nodes_load(int first)
{
    return store_load(node_remember, &first);
}

static int nodes_make(int size)
{
    while (nodes_size < size) {
        nodes[nodes_size] = node_new(nodes_size);
        if (!nodes[nodes_size])
            return -ENOMEM;
        nodes_size++;
    }
    return 0;
}

int nodetable_start(void)
{
    on_write = event_new(master.base, -1, 0, write_due, NULL);
    if (!on_write || nodes_make(conf_size(master.conf)) < 0)
        return -ENOMEM;
    return nodes_load(0);
}

void nodetable_reload(void)
{
    int size = conf_size(master.conf), before;

    while (nodes_size > size) {
        struct node *node = nodes[nodes_size - 1];

        if (node->link)
            link_close(node->link, "no longer configured");
        dirty_write_all();
        nodes[--nodes_size] = NULL;
        node_free(node);
    }
    before = nodes_size;
    if (nodes_make(size) < 0 || nodes_load(before) < 0)
        log_warnx("cannot make all nodes of the new configuration");
    for (int i = 0; i < nodes_size; i++)
        if (!nodes[i]->link)
            nodes[i]->addr = conf_addr_of(master.conf, i);
    watchers_tell();
}

void nodetable_stop(void)
{
    if (on_write) {
        dirty_write_all();
        event_free(on_write);
    }
    on_write = NULL;
    while (nodes_size > 0) {
        node_free(nodes[--nodes_size]);
        nodes[nodes_size] = NULL;
    }
}

void node_fill_record(const struct node *node, node_record *record)
{
    *record = (node_record) { .node = node->number, .state = node->state, .mode = node->mode,
                              .uid = node->uid, .gid = node->gid, .addr = node->addr };
    memcpy(record->word, node->word, sizeof(record->word));
}
