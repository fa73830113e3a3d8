/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

#include "common/conf_parse.h"
#include "proto/frame.h"

/* The optional node number in front of addresses. Words taken (0 or 1), -1 after a complaint. */
static int take_node(struct conf_parse *parse, const struct keyword *keyword, char **args,
                     int count)
{
    long node;

    if (strchr(args[0], '.'))
        return 0;
    if (conf_number(args[0], 0, BPROC_MAX_NODES - 1, &node) < 0) {
        conf_error(parse, "%s: `%s' is neither a node number nor an address", keyword->name,
                   args[0]);
        return -1;
    }
    if (count < 2) {
        conf_error(parse, "%s: no address after the node number", keyword->name);
        return -1;
    }
    parse->next_node = (int)node;
    return 1;
}

static int address_read(struct conf_parse *parse, const struct keyword *keyword, const char *word,
                        uint32_t *addr)
{
    struct in_addr in;

    if (inet_pton(AF_INET, word, &in) != 1) {
        conf_error(parse, "%s: `%s' is not an address like 10.0.0.1", keyword->name, word);
        return -EINVAL;
    }
    *addr = ntohl(in.s_addr);
    return 0;
}

static void range_add(struct conf_parse *parse, const struct keyword *keyword, uint32_t first,
                      uint32_t last)
{
    int error = conf_add_range(parse->conf, first, last, parse->next_node);

    if (error == -EEXIST)
        conf_error(parse, "%s: an address is given to two nodes", keyword->name);
    else if (error)
        conf_error(parse, "%s: %s", keyword->name, strerror(-error));
}

void conf_take_ip(struct conf_parse *parse, const struct keyword *keyword, char **args, int count)
{
    int taken = take_node(parse, keyword, args, count);
    uint32_t addr;

    if (taken < 0)
        return;
    for (int i = taken; i < count; i++)
        if (address_read(parse, keyword, args[i], &addr) == 0)
            range_add(parse, keyword, addr, addr);
    parse->next_node++;
}

void conf_take_iprange(struct conf_parse *parse, const struct keyword *keyword, char **args,
                       int count)
{
    int taken = take_node(parse, keyword, args, count);
    uint32_t first, last;

    if (taken < 0)
        return;
    if (count - taken != 2) {
        conf_error(parse, "%s: needs a first and a last address", keyword->name);
        return;
    }
    if (address_read(parse, keyword, args[taken], &first) < 0 ||
        address_read(parse, keyword, args[taken + 1], &last) < 0)
        return;
    if (last < first || last - first >= (uint32_t)(BPROC_MAX_NODES - parse->next_node)) {
        conf_error(parse, "%s: %s to %s is no range of addresses for nodes", keyword->name,
                   args[taken], args[taken + 1]);
        return;
    }
    range_add(parse, keyword, first, last);
    parse->next_node += (int)(last - first) + 1;
}
