#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The manual pages are free of mistakes that a machine can see.
. "${0%/*}/lib.sh"

need_tool mandoc
shopt -s nullglob
pages=("$BPROC_SOURCE"/man/*.[1-9])
(( ${#pages[@]} )) || skip_all "no manual pages"
for page in "${pages[@]}"; do
    ok "${page##*/} passes lint" mandoc -Tlint -W warning "$page"
done
for page in "$BPROC_SOURCE"/man/*.[1578]; do
    page=${page##*/}
    like "the table of documents has $page" "$(cat "$BPROC_SOURCE/README.md")" \
        "\`${page%.*}\(${page##*.}\)\`"
done
done_testing
