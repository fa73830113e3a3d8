#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# BPROC_RFORK_LAZY on links that are slow for what the child wants of them.

. "${0%/*}/lib.sh"

lazy=$PROGS/lazy
lab_up 1 --rate 200mbit

ok "thousands of threads that wait for pages of their own" on master "$lazy" crowd 0 6000 4

done_testing
