/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Node specifications: what users write for a set of nodes, and what the configuration says a group
 * of them is.
 *
 *   5 n5 .5          that node, whether it is configured or not
 *   2-6 n2-n6 2-     range, both ends included, open to the highest; unconfigured nodes are left
 *                    out, a descending one is empty
 *   n[0-3,7] [0-3]   folded: numbers and ranges; 0-8/2 is every second one
 *   -1 n-1 master    the master
 *   self localhost   the node the tool runs on; so does that machine's host name
 *   all              every node, without the master
 *   allup up         those in that state; any state's name may stand there
 *   allnotup notup   those not in that state
 *   10.0.4.100       the node with that address
 *   @rack1           a group of the configuration
 *   ^FILE            what is in the file: such items, between commas, blanks and new lines; # to
 *                    the end of the line is a comment. All up to the comma is its name
 *   !x -x            not what x denotes, wherever it stands; what follows - is no digit, as -1 is
 *                    the master. With nothing but those, the others of all nodes
 *   a&b a!b a^b      in both, in a but not in b, in one of the two; from left to right, and before
 *                    commas
 *   a,b,c            all of these, in that order; a node named twice is there twice
 */
#ifndef BPROC_NODELANG_H
#define BPROC_NODELANG_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/bproc.h>

#include "common/nodeset.h"

#define NODELANG_DEPTH 16       /* groups and files in one another, each of which counts */

/* What a specification is read against. */
struct nodelang_world {
    const struct bproc_node_info_t *list;       /* the nodes that there are */
    int count;
    int self;
    bool words_only;            /* what an address or a file stands for does not matter */
    /*
     * What the group `name` is made of: 0 with *spec, borrowed, "" when there is nothing in it; an
     * error of nodelang_read() with its reason in text[len].
     */
    int (*group)(void *arg, const char *name, const char **spec, char *text, size_t len);
    void *arg;
};

/*
 * Appends what `spec` denotes in `world`; what it excludes is taken out of all of *out. 0; -EINVAL
 * with a reason that names the offending part in text[len], -E2BIG, -ENOMEM, -ELOOP or an errno of
 * group(), all with a reason. What was appended before the offending part stays.
 * Blocks for files, and as group() does.
 */
int nodelang_read(struct nodeset *out, const char *spec, const struct nodelang_world *world,
                  char *text, size_t len);

/* The number of the one node that `spec` names by its number, for which no table is needed; -1. */
int nodelang_number(const char *spec);

/* State of that name, -1 if it is none. */
int nodelang_state(const char *name);

/* Name of a state; "unknown" for other numbers. Not freed. */
const char *nodelang_state_name(int state);

#endif
