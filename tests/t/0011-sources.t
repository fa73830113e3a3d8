#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Rules of the house that a machine can check.
. "${0%/*}/lib.sh"

cd "$BPROC_SOURCE" || bail "cannot enter $BPROC_SOURCE"

sources() {
    find include proto common migrate moves libbproc masterd slaved tools lab examples bench tests \
        -type f -name "$1" | sort
}

without_licence() {
    local file
    while read -r file; do
        head -n 5 "$file" | grep -q 'SPDX-License-Identifier: L\?GPL' || echo "$file"
    done
}

with_licence() {
    xargs -r grep -L "SPDX-License-Identifier: $1"
}

is "every C file names its licence" "$(sources '*.[chx]' | without_licence)" ""
is "every script names its licence" "$(sources '*.t' | without_licence)" ""
is "the library and its header are LGPL-2.1-or-later" \
    "$(find include libbproc -name '*.[ch]' | with_licence LGPL-2.1-or-later)" ""
is "no tabs in C" "$(sources '*.[chx]' | xargs -r grep -lP '\t')" ""
is "no line is longer than 100 columns" \
    "$(sources '*.[chx]' | xargs -r grep -nP '^.{101,}' | cut -c1-80)" ""
is "no blanks at the end of a line" "$(sources '*.[chx]' | xargs -r grep -lP '[ \t]$')" ""
is "masterd does not include from slaved" "$(grep -rl 'include "slaved/' masterd)" ""
is "slaved does not include from masterd" "$(grep -rl 'include "masterd/' slaved)" ""
is "the common part includes from neither" \
    "$(grep -rlE 'include "(slaved|masterd)/' common migrate moves proto libbproc tools)" ""
is "the daemons do not include the library's private headers" \
    "$(grep -rl 'include "libbproc/' masterd slaved moves common)" ""
is "no file in C has more than 400 lines, the public header excepted" \
    "$(sources '*.[ch]' | grep -v '^include/sys/bproc.h$' | xargs -r wc -l |
        awk '$1 > 400 && $2 != "total" { print $2 }')" ""

is "no two messages have one number" \
    "$(sed -nE 's/^ +P_[A-Z_]+ = ([0-9]+),?( .*)?$/\1/p' proto/bproc.x | sort | uniq -d)" ""

# What doc/ARCHITECTURE.md names, as `folder/file.c:function`, with folder and function left out at
# will, that is not there; the file can be a pattern.
names_missing() {
    local all file name found path
    mapfile -t all < <(sources '*.[chx]'; sources '*.bash')
    while IFS=: read -r file name; do
        found=()
        for path in "${all[@]}"; do
            # shellcheck disable=SC2053
            [[ $path == $file || $path == */$file ]] && found+=("$path")
        done
        if (( ${#found[@]} == 0 )); then
            echo "$file"
        elif [[ -n $name ]] && ! grep -qw -- "$name" "${found[@]}"; then
            echo "$file:$name"
        fi
    done < <(grep -oE '`[A-Za-z0-9_./*-]+\.(c|h|x|bash)(:[a-z_0-9]+)?`' doc/ARCHITECTURE.md |
        tr -d '`' | sort -u)
}
is "the files and functions that doc/ARCHITECTURE.md names are there" "$(names_missing)" ""
for script in quickstart runtests scripts/* .ci/run; do
    [[ ! -e $script ]] || ok "bash can read $script" bash -n "$script"
done
done_testing
