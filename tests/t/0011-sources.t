#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Rules of the house that a machine can check.
. "${0%/*}/lib.sh"

cd "$BPROC_SOURCE" || bail "cannot enter $BPROC_SOURCE"

sources() {
    find include proto common migrate libbproc masterd slaved tools lab examples bench tests \
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
    "$(grep -rlE 'include "(slaved|masterd)/' common migrate proto libbproc tools)" ""
is "the daemons do not include the library's private headers" \
    "$(grep -rl 'include "libbproc/' masterd slaved common)" ""
for script in quickstart runtests scripts/* .ci/run; do
    [[ ! -e $script ]] || ok "bash can read $script" bash -n "$script"
done
done_testing
