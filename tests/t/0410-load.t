#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Many forks in a row: each child is the right one, and nothing grows.

. "${0%/*}/lib.sh"
. "${0%/*}/load.sh"

load_begin
before=$(memory master)
before_node=$(memory n0)

ok "1000 forks in a row" on master "$LOAD" row 1000 3
footprints_take after
footprints_compare "1000 forks"
between "1000 forks: masterd's memory grows by less than 512 KiB" \
    $(( $(memory master) - before )) -10000 512
between "1000 forks: slaved's memory grows by less than 512 KiB" \
    $(( $(memory n0) - before_node )) -10000 512

done_testing
