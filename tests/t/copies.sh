# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# For tests of bpcp; sourced after lib.sh.

# The shell on the master runs this.
here() {
    on master sh -c "$1"
}

# at NODE COMMAND: a shell there does.
at() {
    on "$1" sh -c "$2"
}

# manifest NODE DIR: names, types, modes, times and contents of a tree.
manifest() {
    at "$1" "cd $2 && { find . -printf '%P|%y|%m|%T@\\0' | sort -z; find . -type f -print0 |
        sort -z | xargs -0 sha256sum; } | sha256sum"
}
