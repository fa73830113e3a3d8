/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The forms in which bpstat shows nodes. All print to stdout; none blocks but for the name service.
 */
#ifndef TOOLS_BPSTAT_TABLE_H
#define TOOLS_BPSTAT_TABLE_H

#include <stddef.h>
#include <sys/bproc.h>

enum table_form {
    FORM_COMPACT,           /* a line for nodes that are alike */
    FORM_LONG,              /* a line for each node */
    FORM_ADDRESS,
    FORM_STATUS,
    FORM_NUMBER,
    FORM_TOTAL
};

enum table_order {
    ORDER_DEFAULT,          /* by state for the compact form, else by number */
    ORDER_NUMBER,
    ORDER_STATUS,
    ORDER_KEEP
};

/* Sorts `nodes` for `form`; `reverse` turns the result around. */
void table_sort(struct bproc_node_info_t *nodes, size_t count, enum table_form form,
                enum table_order order, int reverse);

/* Prints `nodes` in that form. `window`: columns of the compact form. */
void table_print(const struct bproc_node_info_t *nodes, size_t count, enum table_form form,
                 int window);

#endif
