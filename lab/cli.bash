#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# bplab: a BProc cluster inside one Linux machine. Each node is a set of namespaces with an init in
# it; all that a lab has lies in or is mounted below one folder, so that it can be taken down by
# anybody at any time, however its maker ended.
#
#   BASE/NAME.lock       held by whoever changes the lab
#   BASE/NAME/           a tmpfs; gone means that there is no lab
#       options          what the lab was made with, to boot its nodes again
#       stage/           software laid over the host's files
#       fabric           network namespace with the bridge that joins the nodes
#       nodes/NODE/init  pid and start time of its init; daemon, of its masterd or slaved
#       nodes/NODE/disk/ a tmpfs: what the node has written
#       nodes/NODE/log/  /run/bplab in the node
#       nodes/NODE/cut   the network cable is cut

set -u
shopt -s nullglob

base=${BPLAB_DIR:-/run/bplab}
run=${BPLAB_RUN:-${BASH_SOURCE[0]%/*}/bplab-run}
[[ -x $run ]] || run=@pkglibexecdir@/bplab-run

name=lab
count=3
path=@bindir@:@sbindir@
stage=${BPLAB_STAGE:-}
mtu=1500
rate=
disk_size=
patience=20
daemons=yes
keep=
binds=()
bares=()
config_lines=()
layers=()

die() {
    echo "bplab: $*" >&2
    exit 1
}

usage_die() {
    echo "bplab: $*; see bplab --help" >&2
    exit 2
}

usage_print() {
    cat <<'END'
Usage: bplab [-c NAME] COMMAND
A BProc cluster inside this machine, with nodes master, n0, n1, ...

  up [N] [OPTION]...       start a lab with N nodes (0 to 16, normally 3)
  down                     end it and remove all that it had
  status                   show its nodes; status 1 if there is no lab
  list                     show all labs
  exec [-t] [-u USER] NODE [--] COMMAND...
                           run a command on a node; -t gives it a terminal
  shell [-u USER] NODE     interactive shell on a node
  kill NODE                cut the node's power; its disk stays
  start [--no-wait] NODE   boot it again
  cut NODE, heal NODE      pull and plug its network cable
  daemon NODE start|stop|kill|restart
                           its masterd or slaved alone
  logs [-f] NODE           what its daemon has written

  -c NAME                  which lab (normally "lab"); several can be up
  --help, --version

Options of up:
  --stage DIR              lay this tree (made with make install DESTDIR=DIR)
                           over the host's files in each node
  --path DIR[:DIR]...      first on PATH in the nodes
  --bind DIR               share this folder of the host; may be repeated
  --bare I                 processes on node I get an empty root; may be repeated
  --config-line LINE       add to the configuration of masterd; may be repeated
  --disk-size SIZE         limit each node's disk, for example 64m
  --rate RATE              limit each link, both ways, for example 1gbit;
                           without a unit it is mbit
  --mtu BYTES              normally 1500
  --no-daemons             nodes only, without BProc on them
  --timeout SECONDS        how long a daemon may take to come up (normally 20)
  --keep                   leave what is there when the start fails

Environment: BPLAB_DIR (where labs are kept), BPLAB_RUN (helper program),
BPLAB_STAGE (--stage).
END
}

need_number() {
    [[ $2 =~ ^[0-9]{1,5}$ ]] || usage_die "$1 needs a number, not \"$2\""
}

lab_name_set() {
    [[ $1 =~ ^[A-Za-z0-9][A-Za-z0-9_-]{0,31}$ ]] || usage_die "bad lab name \"$1\""
    name=$1
}

dir_take() {
    REPLY=$(readlink -e -- "$2")
    [[ -d $REPLY ]] || usage_die "$1 needs a folder, not \"$2\""
}

# Bits in a second to "rate", from what tc(8) would take, too.
rate_take() {
    local -A bits=([bit]=1 [bps]=8) factor=([x]=1 [k]=1000 [m]=1000000 [g]=1000000000)
    [[ ${2,,} =~ ^([1-9][0-9]{0,8})(([kmg]?)(bit|bps))?$ ]] \
        || usage_die "$1 needs a rate like 100mbit or 1gbit, not \"$2\""
    [[ -n ${BASH_REMATCH[2]} ]] || { rate_take "$1" "$2mbit"; return; }
    rate=$((BASH_REMATCH[1] * bits[${BASH_REMATCH[4]}] * factor[${BASH_REMATCH[3]:-x}]))
}

up_option() {
    case $1 in
        --stage) dir_take "$1" "$2"; stage=$REPLY ;;
        --path) path=$2 ;;
        --bind) dir_take "$1" "$2"; binds+=("$REPLY") ;;
        --bare) need_number "$1" "$2"; bares+=("$2") ;;
        --config-line) config_lines+=("$2") ;;
        --disk-size)
            [[ $2 =~ ^[0-9]+[kmgKMG]?$ ]] || usage_die "$1 needs a size, not \"$2\""
            disk_size=$2 ;;
        --rate) rate_take "$1" "$2" ;;
        --mtu) need_number "$1" "$2"; mtu=$2 ;;
        --timeout) need_number "$1" "$2"; patience=$2 ;;
        *) usage_die "up has no option $1" ;;
    esac
}

# Operands to the array "operands", options to their variables.
up_parse() {
    operands=()
    while (($#)); do
        case $1 in
            --no-daemons) daemons= ;;
            --keep) keep=yes ;;
            --*=*) set -- "${1%%=*}" "${1#*=}" "${@:2}"; continue ;;
            --?*)
                (($# > 1)) || usage_die "up $1 needs a value"
                up_option "$1" "$2"
                shift ;;
            -c) (($# > 1)) || usage_die "-c needs a name"; lab_name_set "$2"; shift ;;
            -*) usage_die "up has no option $1" ;;
            *) operands+=("$1") ;;
        esac
        shift
    done
}
