#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# 1 GiB through tar and bprsh, both ways.
# shellcheck disable=SC2016  # the nodes' shells expand
. "${0%/*}/lib.sh"
need_tool openssl tar
(( $(awk '/^MemAvailable/ { print $2 }' /proc/meminfo) > 3 << 20 )) ||
    skip_all "needs 3 GiB of memory for the nodes' disks"
lab_up 1
# shellcheck disable=SC2034  # lib.sh uses it
ON_TIMEOUT=120

# Parts go as they are packed: the disks of a lab are memory.
on master bash -c 'mkdir /tmp/d
    openssl enc -aes-128-ctr -pass pass:x -nosalt </dev/zero 2>/dev/null |
    head -c 1073741824 | split -b 67108864 - /tmp/d/part.'
sum=$(on master sh -c 'cat /tmp/d/part.* | sha256sum')
is "a tar of 1 GiB to a node" \
    "$(on master bash -c 'tar cf - -C /tmp --remove-files d | bprsh n0 tar xf - -C /tmp
        echo ${PIPESTATUS[*]}')" "0 0"
is "byte for byte" "$(on n0 sh -c 'cat /tmp/d/part.* | sha256sum')" "$sum"
is "and back" \
    "$(on master bash -c 'bprsh n0 tar cf - -C /tmp --remove-files d | tar xf - -C /tmp
        echo ${PIPESTATUS[*]}')" "0 0"
is "the same" "$(on master sh -c 'cat /tmp/d/part.* | sha256sum')" "$sum"
done_testing
