# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash disable=SC2154
#
# Slurm: a controller on the master, slurmd on each node, munge on all of them.

peer_slurm_start() {
    return 1
}
