#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The EXAMPLES of the manual pages do what is printed there, and each page tells the options that
# its program has.
. "${0%/*}/lib.sh"
need_tool mandoc gcc jq
man=$BPROC_SOURCE/man
lab=$BPROC_BUILD/lab/bplab

# blocks PAGE: literal blocks of its EXAMPLES, without the marks of the page's language.
blocks() {
    sed -n '/^\.Sh EXAMPLES/,/^\.Sh [^E]/p' "$man/$1" | sed -n '/^\.Bd/,/^\.Ed/p' |
        sed -e '/^\.Bd/d' -e '/^\.Ed/d' -e 's/\\&//g' -e 's/\\e/\\/g'
}

# commands PAGE: what is typed in its examples.
commands() {
    blocks "$1" | sed -n 's/^[$#] //p'
}

# printed PAGE COMMAND: what the page shows below the command.
printed() {
    blocks "$1" | awk -v command="$2" '
        /^[$#] / { on = (substr($0, 3) == command); next }
        on { print }'
}

# pattern: printed text on stdin to a regular expression a line. What is not the same on each
# machine may be anything: addresses, long numbers, what three dots stand for, what ps shows.
pattern() {
    sed -E -e 's/[][\.*^$()+?{}|]/\\&/g' -e 's/[0-9]+(\\\.[0-9]+){3}/[0-9.]+/g' \
        -e 's/[0-9a-zA-Z]+\\\.\\\.\\\./[0-9a-f]+/g' -e 's/^(\t +)[0-9].*:.*/\1[0-9].*/' \
        -e 's/\b[0-9]{4}\b/[0-9]+/g' -e 's/ +/ +/g'
}

# matches WANT GOT: as many lines, and for each wanted one there is one that is like it.
matches() {
    local line
    [[ $(wc -l <<<"$1") == "$(wc -l <<<"$2")" ]] || return 1
    while IFS= read -r line; do
        grep -qxE -e "$line" <<<"$2" || return 1
    done < <(pattern <<<"$1")
}

# example PAGE COMMAND RUN...: RUN prints what the page says that COMMAND prints; if the page says
# nothing it succeeds.
example() {
    local page=$1 command=$2 got want status=0
    shift 2
    got=$("$@" 2>&1 </dev/null) || status=$?
    want=$(printed "$page" "$command")
    if [[ -z $want ]] && (( status == 0 )); then
        pass "$page: $command"
    elif matches "$want" "$got"; then
        pass "$page: $command"
    else
        fail "$page: $command" "got:" "$got" "the page says:" "$want"
    fi
}

# examples PAGE [FIRST [LAST]]: all commands of a page, typed on the master.
examples() {
    local command
    while IFS= read -r command; do
        if [[ $command == *\& ]]; then
            on master sh -c "setsid $command" >/dev/null 2>&1 </dev/null
            wait_for 20 sh -c "[ \$($lab -c $LAB exec master bpstat -p | wc -l) = 2 ]"
            continue
        fi
        example "$1" "$command" on master sh -c "$command"
    done < <(commands "$1" | sed -n "${2-1},${3-\$}p")
}

# options_of REGEX: options in the text on stdin that are like it.
options_of() {
    grep -oE "(^|[ ,[|])$1" | tr -d ' ,[|' | sort -u
}

# Options: the summaries and the pages have the same.
for tool in bpcp.1 bprsh.1 bprun.1 bpsh.1 bpstat.1 bptop.1 bpctl.8 masterd.8 slaved.8 bplab.1; do
    name=${tool%.*}
    program=$(ls "$BPROC_BUILD"/{tools,masterd,slaved,lab}/"$name" 2>/dev/null)
    text=$(mandoc -T ascii "$man/$tool" | col -bx | sed '/^EXAMPLES/,$d')
    # One that is only a name of another lies where the names are.
    help=$(LD_LIBRARY_PATH=$BPLAB_STAGE$BPROC_LIBDIR \
        "${program:-$BPLAB_STAGE$BPROC_BINDIR/$name}" --help 2>&1)
    missing=
    for option in $(grep -E '^ +-' <<<"$help" | options_of '--?[a-zA-Z0-9][a-z-]*'); do
        grep -qE -e "(^|[^a-z-])$option([^a-z-]|\$)" <<<"$text" || missing+=" $option"
    done
    is "$tool tells all options of --help" "$missing" ""
    extra=
    for option in $(options_of '--[a-z][a-z-]+' <<<"$text"); do
        grep -qE -e "$option([^a-z-]|\$)" <<<"$help" || extra+=" $option"
    done
    is "and no others" "$extra" ""
done

# Every call is exported and has a page; so has every export.
exports=$(nm -D --defined-only "$BPROC_BUILD/libbproc/.libs/libbproc.so" |
    awk '$2 == "T" { sub(/@.*/, "", $3); sub(/bproc4_/, "bproc_", $3); print $3 }' | sort -u)
is "every exported call has a page" "$exports" \
    "$(sed -n 's/^\.F[no] \(_*bproc_[a-z_]*\).*/\1/p' "$man"/*.3 | sort -u)"
is "and is in the header" "$exports" \
    "$(grep -ohE '^[a-z][a-z ]*[ *]_?bproc_[a-z_]+\(' "$BPROC_SOURCE"/include/sys/bproc{,4}.h |
        grep -oE '_?bproc_[a-z_]+' | sort -u)"

# Pages whose examples need no cluster.
blocks bproc.config.5 >"$TMP/config"
ok "bproc.config.5: the example is taken" "$BPROC_BUILD/masterd/masterd" -n -c "$TMP/config"
is "without a word" "$(cat "$TMP/out")" ""

# compiles PAGE: its example becomes $TMP/PAGE. One without a main gets one.
compiles() {
    blocks "$1" >"$TMP/$1.c"
    if ! grep -q '^int main' "$TMP/$1.c"; then
        { printf '#include <%s>\n' stdio.h stdlib.h string.h sys/bproc.h unistd.h poll.h err.h errno.h \
              arpa/inet.h fcntl.h sys/wait.h
          echo 'int main(void) { uid_t uid = getuid(); (void)uid;'
          cat "$TMP/$1.c"
          echo 'return 0; }'; } >"$TMP/$1.m"
        mv "$TMP/$1.m" "$TMP/$1.c"
    fi
    ok "$1: the example compiles" gcc -std=c11 -D_GNU_SOURCE -Wall -Wextra -Werror -I \
        "$BPROC_SOURCE/include" \
        -o "$TMP/$1" "$TMP/$1.c" -L "$BPROC_BUILD/libbproc/.libs" -lbproc
}

for page in "$man"/*.3; do
    ! grep -q '^\.Sh EXAMPLES' "$page" || compiles "${page##*/}"
done

# prints NAME PAGE WANT: its program prints that on the master.
prints() {
    on master sh -c 'cat >/tmp/example; chmod 755 /tmp/example' <"$TMP/$1"
    is "$1: the example runs" "$(on master /tmp/example 2>&1)" "$2"
}

# nodes_set N: the cluster gets so many nodes.
nodes_set() {
    on master sh -c \
        "sed -i -e 's/^nodes.*/nodes $1/' -e '/^ip [2-9]/d' /etc/bproc/config
        kill -HUP \$(cat /run/bproc/masterd.pid)"
    wait_for 20 sh -c "[ \$($lab -c $LAB exec master bpstat -t) = $1 ]"
}

lab_up 4 --no-daemons
on master useradd -M alice >/dev/null 2>&1
# Nothing of systemd runs in a lab.
on master sh -c 'cat >/usr/bin/systemctl; chmod 755 /usr/bin/systemctl' <<'END'
#!/bin/sh
exec "$2"
END
examples bpctl.8 1 3
for node in n0 n1 n2 n3; do
    bplab daemon --no-wait $node start >/dev/null
done
wait_for 20 sh -c "[ \$($lab -c $LAB exec master bpstat -t allup) = 4 ]"
examples bpctl.8 4
is "bpctl.8: that is what they have done" \
    "$(on master bpstat -N | awk '{ print $1, $2, $3, $4 }' | tail -n +2)" "\
0-1 unavailable ---x--x--x root
2 up ---x------ alice
3 up ---x--x--x root"
on master bpctl -S 0-2 -s up -m 111 -u root
examples slaved.8
examples masterd.8
bplab daemon n2 stop
nodes_set 2
examples bpsh.1
examples bpcp.1
examples bprsh.1
if type -P clush pdsh rsync >/dev/null; then
    examples bproc-agents.7
else
    skip bproc-agents.7 "needs clush, pdsh and rsync"
fi
examples bprun.1
nodes_set 3
wait_for 20 nobody_is_there
examples bptop.1
examples bpstat.1
prints bproc_rfork.3 "node 0 says 42"
prints bproc_rexec.3 n0
prints bproc_nodeinfo.3 $'0 up\n1 up\n2 down'
prints bproc_nodeset.3 $'0 up\n1 up\n2 down'
prints bproc_vrfork.3 "node 2: Node is down"
prints bproc_io.3 ""
ok "bproc_io.3: and has sorted" on n0 sh -c 'sort /etc/passwd | cmp - /tmp/sorted'
lab_down

# Those about labs, typed on this machine.
export BPLAB_DIR=$TMP/labs PATH=$BPROC_BUILD/lab:$PATH
for page in bplab.1 bproc.7; do
    while IFS= read -r command; do
        example "$page" "$command" timeout 200 sh -c "$command"
    done < <(commands $page)
done
done_testing
