# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash disable=SC2154
#
# Many children of a small process on one node: vrfork, and CRIU by hand, which dumps once and
# restores for each. In blocks that take turns.

children_count=64

children_run() {
    local block nodes
    nodes=$(printf '0,%.0s' $(seq "$children_count"))
    case_begin children "vrfork" 0 "children of a small process on one node" "children/s"
    promise children "criu dump, criu restores by hand" '>=' 3
    stable children "criu dump, criu restores by hand" '>='
    for (( block = 0; block < $(rounds 5 2); block++ )); do
        on master bench-vector "$(rounds 3 2)" 0 vrfork "$nodes" || return
        awk -F '\t' -v OFS='\t' -v count="$children_count" \
            '{ print count * 1000000 / $1, $2, 0 }' "$work/out" | samples_add children
        on master criu-restores "$criu" 1 "$(rounds 32 8)" 0 || return
        samples_take children
        on master bench-criufloor "$criu" 1 "$(rounds 32 8)" || return
        samples_take children
    done
}
