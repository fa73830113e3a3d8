#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Streams of a remote child without a port: standard streams, and the pipes and sockets its caller
# had open.

. "${0%/*}/lib.sh"

progs=$BPROC_BUILD/tests/progs
lab_up 3

# inside SCRIPT: a shell on the master, in a folder of its own there; $output is the program.
inside() {
    on master bash -c "output=$progs/output; cd \"\$(mktemp -d)\" && $1"
}

# ---- standard streams ----

is "standard output and error go to files" \
    "$(inside "\$output say >o 2>e; echo \$?; cat o; echo --; cat e")" $'0\nout\n--\nerr'
is "and to pipes" "$(inside "{ \$output say 1 2>&1 >&3 | sed s/err/ERR/; } 3>&1 | sort")" \
    $'ERR\nout'
is "both to one pipe keep their order" \
    "$(inside "\$output by-turns 2>&1 | cmp - <(seq 0 999) && echo same")" same
is "both to one file keep their order" \
    "$(inside "\$output by-turns >f 2>&1; cmp f <(seq 0 999) && echo same")" same
is "caller and child share a file's offset" "$(inside "\$output around >f; cat f")" \
    $'before\nchild\nafter'
is "output is appended where the caller's is" \
    "$(inside "echo old >f; \$output say >>f 2>/dev/null; cat f")" $'old\nout'
ok "all output is there when the exit status is" inside "\$output complete >f"
ok "the child's input is /dev/null and the caller's is untouched" \
    inside "printf 'for the caller' | \$output input"
ok "with BPROC_IO_STDIN a pipe is the child's input" \
    inside "printf 'for the child' | \$output forward-input"
ok "and a file" inside "printf 'for the child' >f; \$output forward-input <f"
is "closed standard streams stay closed" "$(inside "\$output closed 2>&1")" err
is "a reader that stops ends the child with SIGPIPE" \
    "$(inside "{ \$output endless | head -n 1; } 2>&1")" $'y\nSIGPIPE'
is "a child of a session leader talks as well" \
    "$(inside "setsid -w sh -c \"\$output say 2>&1; true\" | sort")" $'err\nout'
is "the terminal of the caller shows output and errors of the child" \
    "$(bplab exec -t master -- timeout 60 "$progs/output" say </dev/null | tr -d '\r' | sort)" \
    $'err\nout'

# ---- pipes and sockets from before the fork ----

# stream PROGRAM CASE NAME
stream() {
    ok "$3" on master timeout 50 "$progs/$1" "$2"
}

flow() {
    ok "$2" on master timeout 50 "$progs/flow" "$1"
}

stream streams pipe-up "a pipe brings the child's words, its end comes with the child's"
stream streams pipe-down "a pipe brings the caller's words, its end comes when he closes it"
stream streams dialogue "two pipes carry questions and answers"
stream sockets socketpair "a socket pair goes both ways, the caller ends his direction first"
stream sockets halfclose-up "a socket pair of which the child ends its direction first"
stream sockets seqpacket "a sequenced packet pair keeps its messages apart"
stream sockets datagram "so does a datagram pair, empty ones included"
stream sockets tcp "a TCP connection goes both ways"
stream sockets tcp-ended "TCP connections that have ended are at their end there, too"
stream streams own-pipe "what the caller writes and reads himself is not stolen"
stream streams duplicate "a pipe open twice ends when both are closed"
stream streams grandchild "the child's child writes on, the child's exit does not wait for it"
stream streams flags "descriptors keep O_NONBLOCK and close-on-exec, the caller's own too"
stream streams epoll "what an epoll instance watches is watched by the child's own"
stream streams many "sixty pipes"
stream streams too-many "more streams than can be forwarded: EMFILE, and nothing has happened"
flow records "seven writers on four machines share a pipe, their records stay whole"
flow stall-pipe "a pipe nobody reads holds up that stream alone, and the exit"
flow stall-socket "a socket nobody reads, the same"
flow stall-down "a child that does not read holds up the caller"
flow broken-up "a pipe the caller closed gives EPIPE and SIGPIPE to the child"
flow broken-down "a pipe whose reader was the child gives EPIPE to the caller"

# ---- nothing is left ----

none_left() {
    ! on master pgrep -x bproc-carrier && ! on "n0" pgrep -x bproc-arrival
}
ok "no relay stays when all has been closed" wait_for 20 none_left

# ---- what has carried one process's streams carries the next one's ----

# The descriptors of the one that has most of them, of all that are free.
most() {
    on "$1" bash -c 'for p in $(pgrep -x bproc-idle); do ls /proc/$p/fd | wc -l; done' | sort -n |
        tail -n 1
}

round() {
    inside "yes | bpsh 0 true; bpsh 0 true >&-; bpsh 0 true >/dev/full; bpsh 0 yes | head -n 1
        bpsh 0 sh -c 'exec >&- 2>&-; kill -9 \$\$'; $progs/streams many; $progs/sockets halfclose-up
        $progs/sockets seqpacket" >/dev/null 2>&1
}

# Each keeps a few for the next one, by what it has carried; what is left behind would be one a round.
round
round
wait_for 20 none_left
had=("$(most master)" "$(most n0)")
for _ in 1 2 3 4 5; do
    round
done
none_more() {
    (( $(most master) <= had[0] + 2 && $(most n0) <= had[1] + 2 ))
}
ok "nothing of odd streams is left to those who carry the next ones" wait_for 20 none_more ||
    diag "${had[*]}: $(most master) $(most n0)"

done_testing
