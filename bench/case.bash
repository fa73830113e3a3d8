# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash disable=SC2154
#
# What a case file says: its samples, what they are compared with, what was promised. All of it is
# kept in files below $work, as most of a case runs in subshells; results.bash makes figures of it.
#
#   cases       case, row that ratios refer to, MiB moved (0: not the point), title, unit
#   samples-CASE  a line for each run: value, row, pid of what was timed
#   promises    case, row, >= or <=, value
#   stables     case, row, >= or <=, factor
#   notes       case, row, why there is no figure
#   places      case, axis, place on it
#   floors      case, row
#   ours        case, row

case_files_make() {
    local file
    for file in cases promises stables notes places floors ours; do
        : >"$work/$file"
    done
}

line_add() {
    local file=$1
    shift
    (IFS=$'\t'; echo "$*") >>"$work/$file"
}

# case_begin CASE BASE MIB TITLE [UNIT]: samples are microseconds if the unit is ms, as it normally
# is, else whatever the unit says: KiB, fds, %. More is better where it ends in "/s", less elsewhere.
case_begin() {
    line_add cases "$1" "$2" "$3" "$4" "${5-ms}"
    : >"$work/samples-$1"
}

# case_place CASE AXIS NUMBER: its place in the plot of that axis: nodes, MiB, slaves. Cases that are
# called alike but for a number at the end make the points of a line.
case_place() {
    line_add places "$@"
}

# promise CASE ROW >=|<= VALUE: what the row's ratio must be or, with the case's unit after the
# number ("20 ms"), its median.
promise() {
    line_add promises "$@"
}

# floor CASE ROW: the least that is possible on this machine, by a program that does only what
# nobody can leave out. A promise that is not met says what the floor allows.
floor() {
    line_add floors "$@"
}

# ours CASE ROW: BProc does this as well, though ratios do not refer to it.
ours() {
    line_add ours "$@"
}

# stable CASE ROW >=|<= [FACTOR]: the row's ratio repeats well enough for bench/check, which
# complains if it becomes so many times smaller (>=) or larger (<=) than what is stored.
stable() {
    line_add stables "$1" "$2" "$3" "${4-1.25}"
}

# row_note CASE ROW TEXT: there is such a row but no figure, because...
row_note() {
    line_add notes "$@"
}

samples_add() {
    grep -E $'^[0-9.-]+\t[^\t]+\t[0-9]+$' >>"$work/samples-$1"
}

# sample CASE ROW VALUE: one that the case has made up itself.
sample() {
    printf '%s\t%s\t0\n' "$3" "$2" | samples_add "$1"
}

# What the last command in the cluster has printed.
samples_take() {
    samples_add "$1" <"$work/out"
}
