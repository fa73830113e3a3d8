# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash disable=SC2034,SC2154
#
# The virtual cluster of the benchmarks, and commands in it. Its nodes see $work, where the programs
# lie that are timed and that do the timing.

LAB=${BPROC_BENCH_LAB:-bench}
ON_TIMEOUT=900
cluster_is_ours=
cluster_spec=

bplab() {
    "$BPROC_BUILD/lab/bplab" -c "$LAB" "$@"
}

# What libtool has built is a script unless the libraries are installed; the program is beside it.
programs_copy() {
    local path
    mkdir "$work/bin" || return
    for path in "$BPROC_BUILD"/bench/.libs/bench-* "$BPROC_BUILD"/bench/bench-*; do
        [[ ! -x $path || -e $work/bin/${path##*/} ]] || cp "$path" "$work/bin/" || return
    done
    [[ -x $work/bin/bench-time ]] && cp "$here"/criu-* "$here/scale-master" "$work/bin/"
}

# cluster_for CASE: the lab that the case wants, in CASE_lab: number of nodes and options of `bplab
# up`. One node without any if it does not say. A lab is kept from case to case while it fits.
cluster_for() {
    local -n wanted=$1_lab
    local spec="${wanted[*]-1}"
    [[ $spec == "$cluster_spec" ]] && return
    cluster_down
    cluster_up "${wanted[@]-1}" && cluster_spec=$spec
}

cluster_up() {
    nodes=$1
    ! bplab status >/dev/null 2>&1 ||
        die "cannot start lab $LAB: it is up; end it with bplab -c $LAB down"
    cluster_is_ours=yes
    bplab up "$@" --stage "$BPLAB_STAGE" --bind "$work" >"$work/lab" 2>&1 & wait $! || {
        cat "$work/lab" >&2
        die "cannot start a virtual cluster"
    }
    peers_forget
    peer_need ssh || die "cannot start ssh in the virtual cluster"
}

cluster_down() {
    cluster_spec=
    [[ -n $cluster_is_ours ]] || return
    cluster_is_ours=
    bplab down || say "cannot take down lab $LAB"
}

# on NODE CMD...: runs CMD there, its output to $work/out. All its descriptors are pipes or the
# node's own: CRIU cannot dump a process with a file of another mount namespace open. It runs in the
# background so that an interrupted benchmark need not wait for it.
on() {
    local node=$1
    shift
    {
        bplab exec "$node" -- env PATH="$work/bin:$PATH" sh -c 'exec "$@" </dev/null 2>&1' sh \
            timeout --foreground -k 5 "$ON_TIMEOUT" "$@" | cat >"$work/out"
    } &
    wait $! && return
    say "cannot run '$*' on $node:"
    tail -n 5 "$work/out" >&2
    bplab logs "$node" | tail -n 5 >&2
    return 1
}

# parts_take FILE: what masterd logged of each rfork whose time is in FILE, as samples; what is left
# of the call's time is "outside", the work of libbproc and masterd themselves.
parts_take() {
    awk -F '\t' -v OFS='\t' '
        NR == FNR { if ($2 == "rfork") call[$3] = $1; next }
        match($0, /rfork pid [0-9]+ -> n[0-9]+: /) {
            pid = $0
            sub(/.*rfork pid /, "", pid)
            sub(/ .*/, "", pid)
            if (!(pid in call))
                next
            text = $0
            sub(/^[^(]*\(/, "", text)
            sub(/\).*/, "", text)
            count = split(text, word, " ")
            rest = call[pid]
            for (i = 1; i < count; i += 2) {
                print word[i + 1] * 1000, word[i], 0
                rest -= word[i + 1] * 1000
            }
            print rest, "outside", 0
            print call[pid], "rfork", 0
        }' "$1" <(bplab logs master)
}
