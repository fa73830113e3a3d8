/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What bpctl does for the trust between the machines of a cluster: `bpctl ca` and `bpctl token`.
 * Each reads its own arguments (argv[0] is the word that chose it), ends the tool with a message
 * and status 1 when it fails, else returns the exit status.
 */
#ifndef TOOLS_BPCTL_CLUSTER_H
#define TOOLS_BPCTL_CLUSTER_H

/* `ca init [--state DIR]`: makes the authority; needs no daemon. */
int cluster_ca(int argc, char **argv);

/* `token create [--node N] [--ttl TIME] [--host HOST]`: asks masterd. Blocks for it. */
int cluster_token(int argc, char **argv);

#endif
