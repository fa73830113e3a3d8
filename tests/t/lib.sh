# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# What every system test sources first. A test reads:
#
#     . "${0%/*}/lib.sh"
#     lab_up 3
#     ok "a command runs on a node" on master bpsh 0 true
#     is "and its output comes back" "$(on master bpsh 0 hostname)" n0
#     done_testing
#
# Each test has a private folder $TMP and, from lab_up on, a virtual cluster of its own. Both are
# gone when it ends, also when it is interrupted. `make check` sets the BPROC_ variables; a test
# that is run by hand takes the build in ./build.

set -u
: "${BPROC_SOURCE:=$(cd "${BASH_SOURCE[0]%/*}/../.." && pwd)}"
: "${BPROC_BUILD:=$BPROC_SOURCE/build}"
: "${BPLAB_STAGE:=$BPROC_BUILD/stage}"
: "${BPROC_PREFIX:=/usr/local}"
: "${BPROC_BINDIR:=$BPROC_PREFIX/bin}"
: "${BPROC_SBINDIR:=$BPROC_PREFIX/sbin}"
: "${BPROC_LIBDIR:=$BPROC_PREFIX/lib}"
: "${BPROC_LIBEXECDIR:=$BPROC_PREFIX/libexec/bproc}"
export BPLAB_STAGE

# Programs of tests/progs. The nodes of a lab see the build tree at the same path.
PROGS=$BPROC_BUILD/tests/progs

# How long one command on a node may take; a test that knows better sets its own.
ON_TIMEOUT=60

tap_count=0
tap_failed=0
LAB=
TMP=$(mktemp -d "${TMPDIR:-/tmp}/bproc-test.XXXXXX")

tap_end() {
    trap - EXIT INT TERM HUP
    (( tap_failed == 0 )) || lab_complaints
    lab_down
    rm -rf "$TMP"
}
trap 'tap_end' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

diag() {
    printf '%s\n' "$@" | sed 's/^/# /'
}

skip_all() {
    echo "1..0 # SKIP $*"
    exit 0
}

bail() {
    echo "Bail out! $*"
    exit 1
}

pass() {
    echo "ok $(( ++tap_count )) - $1"
}

fail() {
    echo "not ok $(( ++tap_count )) - $1"
    tap_failed=$(( tap_failed + 1 ))
    shift
    (( $# == 0 )) || diag "$@"
    return 1
}

skip() {
    echo "ok $(( ++tap_count )) - $1 # SKIP $2"
}

# at_terminal KEYS COMMAND CMD...: COMMAND runs in a shell at a terminal of the master, where KEYS are
# typed once CMD succeeds.
at_terminal() {
    local keys=$1 command=$2 lab=$BPROC_BUILD/lab/bplab
    shift 2
    rm -f "$TMP/typed"
    { wait_for 20 "$@"; printf '%b' "$keys"; wait_for 20 test -e "$TMP/typed"; } |
        { timeout 30 "$lab" -c "$LAB" exec -t master -- sh -c "$command" 2>&1 | tr -d '\r'
          : >"$TMP/typed"; }
}

# exits STATUS NAME CMD...: CMD exits with STATUS. Its output is shown only if it does not, and stays
# in $TMP/out for the next case to look at.
exits() {
    local want=$1 name=$2 got=0
    shift 2
    "$@" >"$TMP/out" 2>&1 || got=$?
    if (( got == want )); then
        pass "$name"
    else
        fail "$name" "'$*' exited with $got, not $want"
        tail -n 40 "$TMP/out" | sed 's/^/#   /'
        return 1
    fi
}

# ok NAME CMD...: CMD succeeds.
ok() {
    exits 0 "$@"
}

# fails NAME CMD...: CMD exits with any other status, but not from being out of time.
fails() {
    local name=$1 got=0
    shift
    "$@" >"$TMP/out" 2>&1 || got=$?
    if (( got != 0 && got != 124 )); then
        pass "$name"
    else
        fail "$name" "'$*' exited with $got"
        tail -n 40 "$TMP/out" | sed 's/^/#   /'
        return 1
    fi
}

# is NAME GOT WANT: the texts are equal.
is() {
    if [[ $2 == "$3" ]]; then
        pass "$1"
    else
        fail "$1" "got:" "$2" "want:" "$3"
    fi
}

# like NAME GOT REGEX: the extended regular expression matches somewhere in the text.
like() {
    if [[ $2 =~ $3 ]]; then
        pass "$1"
    else
        fail "$1" "got:" "$2" "want something like:" "$3"
    fi
}

# between NAME GOT LOW HIGH: the whole number lies within the bounds, both included.
between() {
    if [[ $2 =~ ^-?[0-9]+$ ]] && (( $2 >= $3 && $2 <= $4 )); then
        pass "$1"
    else
        fail "$1" "got $2, want $3 to $4"
    fi
}

# cases NAME CMD...: CMD is a test that speaks TAP itself; its cases become ours. None may be lost on
# the way; processes that it forks go on with the numbers, so one may come more than once.
cases() {
    local name=$1 line last=0 status=0 before=$tap_count failed=$tap_failed seen=()
    shift
    "$@" >"$TMP/cases" 2>&1 || status=$?
    while IFS= read -r line; do
        if [[ $line =~ ^(not )?ok\ ([0-9]+) ]]; then
            seen[BASH_REMATCH[2]]=1
        fi
        case $line in
            "ok "*) pass "$name: ${line#*- }" ;;
            "not ok "*) fail "$name: ${line#*- }" ;;
            "1..0 # SKIP "*) skip "$name" "${line#*SKIP }" ;;
            1..[0-9]*) last=${line#1..} ;;
            *) diag "${line#\# }" ;;
        esac
    done <"$TMP/cases"
    if (( tap_count == before )); then
        fail "$name" "'$*' says nothing and exits with $status"
    elif (( status != 0 && tap_failed == failed )); then
        fail "$name: comes to its end" "it exits with $status"
    else
        for (( ; last > 0; last-- )); do
            [[ -n ${seen[last]:-} ]] || fail "$name: all of it arrives" "number $last is missing"
        done
    fi
}

# wait_for SECONDS CMD...: tries CMD until it succeeds; fails if that takes longer. SECONDS counts
# whole ones, of which the first may be over at once.
wait_for() {
    local end=$(( SECONDS + $1 ))
    shift
    until "$@" >/dev/null 2>&1; do
        (( SECONDS <= end )) || return 1
        sleep 0.05
    done
}

done_testing() {
    echo "1..$tap_count"
    exit $(( tap_failed != 0 ))
}

need_root() {
    [[ $(id -u) == 0 ]] || skip_all "needs root"
    unshare --mount --net --pid --fork true 2>/dev/null || skip_all "needs namespaces"
}

need_criu() {
    "$BPROC_SOURCE/scripts/install-criu" --which >/dev/null ||
        skip_all "needs a CRIU that works here; see scripts/install-criu"
}

need_tool() {
    local tool
    for tool; do
        type -P "$tool" >/dev/null || skip_all "needs $tool"
    done
}

bplab() {
    local program=$BPROC_BUILD/lab/bplab
    [[ -x $program ]] || program=$BPROC_SOURCE/lab/bplab
    "$program" -c "$LAB" "$@"
}

# lab_up [N [OPTION...]]: starts this test's cluster, of three nodes if nothing else is said, and
# skips or ends the test if there can be none.
lab_up() {
    need_root
    need_criu
    LAB=t$$
    bplab up "$@" >"$TMP/lab" 2>&1 || {
        diag "$(tail -n 60 "$TMP/lab")"
        bail "cannot start a virtual cluster"
    }
}

# What the daemons have said, but for how long transfers took: the reason is often among it.
lab_complaints() {
    local node
    [[ -n $LAB ]] || return 0
    for node in $(bplab status | awk 'NR > 1 { print $1 }'); do
        bplab logs "$node" | grep -v ' ms' | tail -n 12 | sed "s/^<.>/# log of $node: /"
    done
}

lab_down() {
    [[ -z $LAB ]] || bplab down >/dev/null 2>&1 || echo "# cannot take down lab $LAB"
    LAB=
}

# on NODE CMD...: runs CMD there.
on() {
    local node=$1
    shift
    bplab exec "$node" -- timeout -k 5 "$ON_TIMEOUT" "$@"
}

# Whether the master knows of no process on a node any more. What is seen to have ended on a node has
# yet to be told to the master.
nobody_is_there() {
    [[ $(on master bpstat -p | wc -l) == 1 ]]
}

# Whether nothing on the master stands for such a process, whatever it calls itself.
no_ghosts() {
    on master sh -c '! readlink /proc/[0-9]*/exe | grep -q bproc-ghost'
}

# Whether the kernel has done with a master daemon that died.
masterd_is_dead() {
    bplab status | grep -q '^master .* stopped$'
}

# Whether the master is there and every node is up.
all_up() {
    local list
    list=$(on master bpstat -l) && [[ $list == *$'\n'* ]] &&
        ! tail -n +2 <<<"$list" | grep -qv ' up '
}
