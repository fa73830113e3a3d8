# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash disable=SC2016,SC2034,SC2154
#
# Slurm: a controller on the master, slurmd on each node, munge on all of them. A job's way is as
# short as slurm.conf(5) lets it be: nothing is accounted, tracked or bound, the scheduler runs at
# once, all nodes are messaged directly, and a node takes a job while it cleans up after another.

slurm_job=1000

slurm_config_write() {
    local folder=$work/slurm
    mkdir "$folder" && head -c 128 /dev/urandom >"$folder/munge.key" || return
    cat >"$folder/slurm.conf" <<END
ClusterName=bench
FirstJobId=$slurm_job
SlurmctldHost=master
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
CredType=cred/munge
StateSaveLocation=/run/slurm/state
SlurmdSpoolDir=/run/slurm/spool
SlurmctldPidFile=/run/slurm/slurmctld.pid
SlurmdPidFile=/run/slurm/slurmd.pid
SlurmctldLogFile=/run/slurm/log
SlurmdLogFile=/run/slurm/log
SlurmctldDebug=error
SlurmdDebug=error
MailProg=/bin/true
ReturnToService=2
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SwitchType=switch/none
MpiDefault=none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
JobCompType=jobcomp/none
PriorityType=priority/basic
SelectType=select/linear
SchedulerType=sched/builtin
SchedulerParameters=batch_sched_delay=0,sched_min_interval=1
EpilogMsgTime=0
CompleteWait=0
TreeWidth=64
PropagateResourceLimits=NONE
SlurmdParameters=config_overrides
NodeName=n[0-$(( nodes - 1 ))] CPUs=64 State=UNKNOWN
PartitionName=all Nodes=ALL Default=YES MaxTime=INFINITE State=UP OverSubscribe=FORCE:64
END
}

slurm_daemons_start() {
    on "$1" sh -c '
        mkdir -p /etc/slurm /run/slurm/state /run/slurm/spool &&
        mkdir -m 755 /run/munge && cp "$2/munge.key" /run/munge/key && cp "$2/slurm.conf" /etc/slurm &&
        chmod 400 /run/munge/key && chown -R munge: /run/munge && cd /run/munge &&
        setpriv --reuid=munge --regid=munge --clear-groups munged --key-file="$PWD/key" \
            --log-file="$PWD/log" --pid-file="$PWD/pid" --seed-file="$PWD/seed" >/dev/null 2>&1 &&
        case $1 in
        master) slurmctld >/dev/null 2>&1 ;;
        *) slurmd -N "$1" >/dev/null 2>&1 ;;
        esac' sh "$1" "$work/slurm"
}

# The job of all nodes, within which only the step is new, is the first one.
slurm_allocate() {
    on master sh -c 'tries=50
        until [ "$(sinfo -h -t idle -o %D)" = "$1" ]; do
            tries=$(( tries - 1 )); [ "$tries" -gt 0 ] || exit 1
            sleep 0.2
        done
        exec salloc --no-shell -N "$1"' sh "$nodes"
}

peer_slurm_start() {
    local i
    type -P munged slurmctld slurmd >/dev/null || return
    rm -rf "$work/slurm"
    slurm_config_write && slurm_daemons_start master || return
    for (( i = 0; i < nodes; i++ )); do
        slurm_daemons_start "n$i" || return
    done
    slurm_allocate
}
