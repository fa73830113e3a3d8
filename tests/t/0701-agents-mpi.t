#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Open MPI and MPICH start their programs over bprsh.
. "${0%/*}/lib.sh"
need_tool mpicc.openmpi mpirun.openmpi mpicc.mpich mpirun.mpich

for mpi in openmpi mpich; do
    mpicc.$mpi -O1 -Wall -o "$TMP/$mpi" "$BPROC_SOURCE/tests/progs/mpi_ring.c" >"$TMP/cc" 2>&1 ||
        bail "cannot compile an MPI program: $(tail -n 5 "$TMP/cc")"
done
lab_up 3
for node in master n0 n1 n2; do
    on $node useradd -m -u 4711 -s /bin/bash alice
    for mpi in openmpi mpich; do
        on $node sh -c "cat >/usr/bin/ring.$mpi; chmod 755 /usr/bin/ring.$mpi" <"$TMP/$mpi"
    done
done

export OMPI_MCA_plm_rsh_agent=bprsh

# mpirun_of MPI ARGUMENT...: typed by alice on the master, in 60 seconds.
mpirun_of() {
    local mpi=$1
    shift
    bplab exec -u alice master -- env HOME=/home/alice timeout -k 5 60 "mpirun.$mpi" "$@"
}

openmpi() {
    mpirun_of openmpi "$@" 2>"$TMP/err"
}

mpich() {
    mpirun_of mpich -launcher rsh -launcher-exec bprsh "$@" 2>"$TMP/err"
}

# quiet: no process of alice's is left on a node.
quiet() {
    local node
    for node in n0 n1 n2; do
        ! on $node pgrep -u alice || return 1
    done
}

one_each="\
n0: rank 0 of 3, sum 3, ring closed
n1: rank 1 of 3, sum 3
n2: rank 2 of 3, sum 3"
two_each="\
n0: rank 0 of 6, sum 15, ring closed
n0: rank 1 of 6, sum 15
n1: rank 2 of 6, sum 15
n1: rank 3 of 6, sum 15
n2: rank 4 of 6, sum 15
n2: rank 5 of 6, sum 15"

is "Open MPI" \
    "$(openmpi --host n0,n1,n2 ring.openmpi | sort; echo "${PIPESTATUS[0]}")" \
    "$one_each"$'\n0'
ok "leaves nothing behind" wait_for 30 quiet
is "its daemons started one by one from here" \
    "$(openmpi --mca plm_rsh_no_tree_spawn 1 --host n0,n1,n2 ring.openmpi | sort)" "$one_each"
on master sh -c 'bpstat --hostfile=ompi all | sed "s/slots=.*/slots=2/" >/tmp/hosts'
is "by a host file" "$(openmpi --hostfile /tmp/hosts -np 6 ring.openmpi | sort)" "$two_each"
is "by addresses" \
    "$(openmpi --host 10.77.1.1,10.77.1.2,10.77.1.3 ring.openmpi | sort)" "$one_each"
is "its daemons started one by the other, along a chain of nodes" \
    "$(openmpi --mca routed_radix 1 --host n0,n1,n2 ring.openmpi | sort)" "$one_each"
is "from a node, onto others and the master" \
    "$(bplab exec -u alice master -- bprsh n2 \
        mpirun.openmpi --host n0,n1,master ring.openmpi 2>"$TMP/err" | sort)" "\
master: rank 2 of 3, sum 3
n0: rank 0 of 3, sum 3, ring closed
n1: rank 1 of 3, sum 3"
exits 3 "a rank that gives up ends them all" openmpi --host n0,n1,n2 ring.openmpi 3
ok "on all nodes" wait_for 30 quiet

is "MPICH" \
    "$(mpich -hosts n0,n1,n2 -n 3 ring.mpich | sort; echo "${PIPESTATUS[0]}")" \
    "$one_each"$'\n0'
is "as a stranger to it" \
    "$(mpirun_of mpich -launcher ssh -launcher-exec bprsh -hosts n0,n1,n2 -n 3 ring.mpich | sort)" \
    "$one_each"
on master sh -c 'bpstat --hostfile=hydra all | sed "s/:.*/:2/" >/tmp/hosts'
is "by a host file" "$(mpich -f /tmp/hosts -n 6 ring.mpich | sort)" "$two_each"
exits 3 "a rank that gives up ends them all" mpich -hosts n0,n1,n2 -n 3 ring.mpich 3
ok "on all nodes" wait_for 30 quiet

# The variables that users may have.
snippet=$(find "$BPLAB_STAGE" -name bproc-agents.sh)
settings=". ${snippet#"$BPLAB_STAGE"}"
unset OMPI_MCA_plm_rsh_agent
is "settings make both use bprsh without a word" \
    "$(bplab exec -u alice master -- sh -c "HOME=/home/alice; $settings
        timeout 30 mpirun.openmpi --host n0,n1,n2 ring.openmpi
        timeout 30 mpirun.mpich -hosts n0,n1,n2 -n 3 ring.mpich" 2>"$TMP/err" | sort -u)" "$one_each"
is "and nothing is set where BProc is not" \
    "$(on master sh -c "BPROC_SOCKET=/nowhere; $settings; env | grep -c bprsh")" 0
export OMPI_MCA_plm_rsh_agent=bprsh

# What was started goes with the one that started it.
openmpi --host n0,n1,n2 sleep 300 &
ok "Open MPI runs a program that is none of MPI's" wait_for 30 on n2 pgrep -u alice -x sleep
on master pkill -KILL -u alice -f '^mpirun.openmpi'
ok "which ends when mpirun is killed" wait_for 30 quiet
wait
mpich -hosts n0,n1,n2 -n 3 sleep 300 &
ok "so does MPICH" wait_for 30 on n2 pgrep -u alice -x sleep
on master pkill -KILL -u alice -f '^mpirun.mpich'
ok "which ends too" wait_for 30 quiet
wait
done_testing
