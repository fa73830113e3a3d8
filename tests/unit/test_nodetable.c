/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <unistd.h>

#include "masterd/link.h"
#include "masterd/master.h"
#include "masterd/nodetable.h"
#include "tests/unit/tap.h"

struct master master;

int64_t master_now(void)
{
    return 0;
}

/* The table's way to end a link; these nodes have none. */
void link_close(struct link *link, const char *reason)
{
    (void)link;
    (void)reason;
}

static const struct { node_state from; enum node_event event; int to; } transitions[] = {
    { NODE_DOWN, NODE_EV_CONNECT, NODE_BOOT },
    { NODE_DOWN, NODE_EV_SET_UP, -1 },
    { NODE_DOWN, NODE_EV_LOST, -1 },
    { NODE_DOWN, NODE_EV_SCRIPT_OK, -1 },
    { NODE_BOOT, NODE_EV_CONNECT, -1 },
    { NODE_BOOT, NODE_EV_SCRIPT_OK, NODE_UP },
    { NODE_BOOT, NODE_EV_SCRIPT_FAILED, NODE_ERROR },
    { NODE_BOOT, NODE_EV_LOST, NODE_DOWN },
    { NODE_BOOT, NODE_EV_SET_UNAVAILABLE, NODE_UNAVAILABLE },
    { NODE_UP, NODE_EV_SCRIPT_FAILED, -1 },
    { NODE_UP, NODE_EV_SET_UNAVAILABLE, NODE_UNAVAILABLE },
    { NODE_UP, NODE_EV_SET_REBOOT, NODE_REBOOT },
    { NODE_UP, NODE_EV_SET_UP, NODE_UP },
    { NODE_UP, NODE_EV_LOST, NODE_DOWN },
    { NODE_UNAVAILABLE, NODE_EV_SET_UP, NODE_UP },
    { NODE_UNAVAILABLE, NODE_EV_SCRIPT_OK, -1 },
    { NODE_ERROR, NODE_EV_SET_UP, NODE_UP },
    { NODE_ERROR, NODE_EV_LOST, NODE_DOWN },
    { NODE_REBOOT, NODE_EV_LOST, NODE_REBOOT },
    { NODE_REBOOT, NODE_EV_CONNECT, NODE_BOOT },
    { NODE_HALT, NODE_EV_SET_UP, NODE_UP },
    { NODE_HALT, NODE_EV_SET_DOWN, NODE_DOWN },
    { NODE_PWROFF, NODE_EV_LOST, NODE_PWROFF },
    { NODE_PWROFF, NODE_EV_SCRIPT_OK, -1 },
    { NODE_DOWN, NODE_EV_SET_DOWN, -1 },
};

static void test_transitions(void)
{
    struct node *node = node_find(0);

    for (size_t i = 0; i < sizeof(transitions) / sizeof(transitions[0]); i++) {
        int to = transitions[i].to;
        int result;

        node->state = transitions[i].from;
        result = node_event(node, transitions[i].event, "test");
        ok(result == (to < 0 ? -EINVAL : 0) &&
               (int)node->state == (to < 0 ? (int)transitions[i].from : to),
           "event %d in state %s", (int)transitions[i].event, node_state_name(transitions[i].from));
    }
    node->state = NODE_DOWN;
}

static void test_permissions(void)
{
    struct node *node = node_find(1);

    node_event(node, NODE_EV_CONNECT, "test");
    is_int(node->mode, 0100, "a node that boots is root's");
    node_event(node, NODE_EV_SCRIPT_OK, "test");
    is_int(node->mode, 0111, "a node that is up is everybody's");
    is_int(node_set_perm(node, PERM_MODE, 0110), 0, "the mode is set");
    is_int(node_set_perm(node, PERM_GROUP, 100), 0, "the group is set");
    is_int(node->mode, 0110, "at once");
    node_event(node, NODE_EV_LOST, "test");
    is_int(node->mode, 0, "a node that is down is nobody's");
    is_int(node->gid, 0, "its group is root");
    node_event(node, NODE_EV_CONNECT, "test");
    is_int(node->mode, 0100, "booting it is root's, whatever was set");
    node_event(node, NODE_EV_SCRIPT_OK, "test");
    is_int(node->mode, 0110, "then what was set holds");
    is_int(node->gid, 100, "the group too");
}

static void table_restart(const char *dir)
{
    char text[200];

    nodetable_stop();
    store_close();
    if (store_open(dir, text, sizeof(text)) < 0 || nodetable_start() < 0)
        diag("%s", text);
}

static void test_restart(const char *dir)
{
    struct node *node = node_find(1);

    node->instance = 77;
    node->joined = 1;
    memset(node->cert, 9, sizeof(node->cert));
    node_touch(node);
    table_restart(dir);
    node = node_find(1);
    is_int(node->state, NODE_DOWN, "after a restart a node is down until it comes");
    ok(node->instance == 77, "its slave daemon is remembered");
    ok(node->joined && node->cert[3] == 9, "its certificate is remembered");
    is_int(node_return(node), 0, "it comes back");
    is_int(node->state, NODE_UP, "to the state it had");
    is_int(node->mode, 0110, "with the permissions it had");
    node = node_find(2);
    node_event(node, NODE_EV_CONNECT, "test");
    table_restart(dir);
    is_int(node_return(node_find(2)), -EAGAIN, "a node that was booting has to begin anew");
    node = node_find(0);
    node->state = NODE_HALT;
    node->held = 1;
    node_store(node);
    node = node_find(1);
    node_store(node);
    table_restart(dir);
    is_int(node_find(0)->state, NODE_HALT, "a node that was halted is so after a restart");
    is_int(node_find(0)->held, 1, "one that was set down is not let in");
    is_int(node_find(1)->before, NODE_UP, "a state outlives a second restart before the node came");
}

static void test_reload(void)
{
    master.conf->nodes = 2;
    nodetable_reload();
    is_int(nodetable_size(), 2, "fewer nodes after a reload");
    ok(node_find(2) == NULL, "the last is gone");
    master.conf->nodes = 5;
    nodetable_reload();
    is_int(nodetable_size(), 5, "more nodes after a reload");
    is_int(node_find(1)->set_mode, 0110, "old ones keep what they had");
}

static void test_tokens(void)
{
    uint8_t one[BPROC_HASH_LEN] = { 1 }, two[BPROC_HASH_LEN] = { 2 };
    int node = 0;

    is_int(store_token_add(one, 3, 1000), 0, "a token is added");
    is_int(store_token_add(two, -1, 1000), 0, "another");
    is_int(store_token_use(two, 1001, &node), -ETIME, "an expired token");
    is_int(store_token_use(one, 1000, &node), 0, "a good token");
    is_int(node, 3, "names its node");
    is_int(store_token_use(one, 1000, &node), -EALREADY, "is good once");
    is_int(store_token_give_back(one), 0, "unless it is given back");
    is_int(store_begin(), 0, "several uses at once");
    is_int(store_token_use(one, 1000, &node), 0, "one of a group");
    is_int(node_store(node_find(1)), 0, "and a node");
    is_int(store_token_use(one, 1000, &node), -EALREADY, "is good once in it");
    is_int(store_commit(), 0, "are written together");
    is_int(store_token_use(one, 1000, &node), -EALREADY, "and afterwards");
    one[5] = 5;
    is_int(store_token_use(one, 1000, &node), -ENOENT, "an unknown token");
}

int main(void)
{
    char dir[] = "/tmp/test_nodetable.XXXXXX", command[80], text[200];

    master.base = event_base_new();
    master.conf = conf_defaults();
    master.conf->nodes = 3;
    if (!mkdtemp(dir) || store_open(dir, text, sizeof(text)) < 0 || nodetable_start() < 0)
        return 1;
    test_transitions();
    test_permissions();
    test_restart(dir);
    test_reload();
    test_tokens();
    nodetable_stop();
    store_close();
    conf_free(master.conf);
    event_base_free(master.base);
    snprintf(command, sizeof(command), "rm -rf %s", dir);
    return system(command) != 0 || done_testing();
}
