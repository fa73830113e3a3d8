/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What one end of a copy has to complain about: messages to stderr, and their number, which is its
 * exit status.
 */
#ifndef TOOLS_BPCP_REPORT_H
#define TOOLS_BPCP_REPORT_H

struct report {
    const char *label;      /* "n3: " in front of each message, or "" */
    unsigned errors;
};

/*
 * Prints "bpcp: LABEL" and the message in one piece, so that those of several nodes do not mix,
 * and counts it. The newline is added.
 */
void report_error(struct report *report, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Exit status for so many errors. */
int report_status(unsigned errors);

#endif
