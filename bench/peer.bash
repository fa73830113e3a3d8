# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash disable=SC2034,SC2154
#
# The peers. One that is not installed costs its row, never the run; one that needs daemons in the
# lab has a function peer_NAME_start, which is called when the first case of a lab asks for it.
#
# The arrays are commands as they are run on the master, less the nodes and what is to be run there.

declare -A peer_program=(
    [ssh]=/usr/sbin/sshd [scp]=scp [pdsh]=pdsh [clush]=clush [hydra]=mpiexec.hydra
    [parallel]=parallel [nc]=nc [slurm]=srun [tls]=openssl
)
declare -A peer_missing=()
declare -A peer_ready=()

peers_forget() {
    peer_missing=()
    peer_ready=()
}

# peer_need NAME: it is there and runs in the lab; if not, why is in peer_missing.
peer_need() {
    [[ -z ${peer_ready[$1]-} ]] || return 0
    [[ -z ${peer_missing[$1]-} ]] || return 1
    if ! type -P "${peer_program[$1]}" >/dev/null; then
        peer_missing[$1]="not installed"
        return 1
    fi
    if declare -F "peer_$1_start" >/dev/null && ! "peer_$1_start"; then
        peer_missing[$1]="does not start here"
        say "cannot start peer $1"
        return 1
    fi
    peer_ready[$1]=yes
}

# The tools that only call ssh take the same configurations as ssh itself.
peers_define() {
    local fresh=$work/ssh/fresh shared=$work/ssh/shared
    ssh_fresh=(ssh -F "$fresh")
    ssh_shared=(ssh -F "$shared")
    scp_fresh=(scp -q -F "$fresh")
    scp_shared=(scp -q -F "$shared")
    pdsh_fresh=(env "PDSH_SSH_ARGS=-F $fresh %h" pdsh -S -R ssh -f 64)
    pdsh_shared=(env "PDSH_SSH_ARGS=-F $shared %h" pdsh -S -R ssh -f 64)
    clush_fresh=(clush -q -n -S -f 64 -o "-F $fresh")
    clush_shared=(clush -q -n -S -f 64 -o "-F $shared")
    parallel=(parallel --will-cite)
    parallel_fresh=("${parallel[@]}" --ssh "ssh -F $fresh")
    parallel_shared=("${parallel[@]}" --ssh "ssh -F $shared")
    srun=(srun)
    srun_in=(srun --overlap "--jobid=$slurm_job")
    hydra=(mpiexec.hydra -launcher fork)
    tls_ping=(bench-tlsping ask)
    tls_knock=(bench-knock /run/bench-tls)
}

# What a TLS connection and fork+exec of a program cost by themselves: a server on each node and, on
# the master, who asks them for bench-knock.
peer_tls_start() {
    local i hosts=()
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=bench \
        -keyout "$work/tls.pem" -out "$work/tls.crt" 2>/dev/null &&
        cat "$work/tls.crt" >>"$work/tls.pem" || return
    # shellcheck disable=SC2016
    for (( i = 0; i < nodes; i++ )); do
        hosts+=("n$i")
        on "n$i" sh -c 'bench-tlsping serve "$1" 7000 </dev/null >/dev/null 2>&1 &
            timeout 5 sh -c "until bench-tlsping ask localhost 7000 </dev/null 2>/dev/null; do :; done"' \
            sh "$work/tls.pem" || return
    done
    peer_tls_stand "${tls_knock[1]}" 1 "${hosts[@]}"
}

# peer_tls_stand SOCKET WORKERS HOST...
peer_tls_stand() {
    # shellcheck disable=SC2016
    on master sh -c 'socket=$1; workers=$2; shift 2
        bench-tlsping stand "$socket" "$workers" 7000 "$@" </dev/null >/dev/null 2>&1 &
        timeout 5 sh -c "until bench-knock $socket 0 2>/dev/null; do :; done"' sh "$@"
}
