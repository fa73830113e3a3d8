# SPDX-License-Identifier: GPL-2.0-or-later
#
# A baseline from an older one ($old, {} if there is none) and a file of results ($new).

$new[0] as $new
| [$new.cases[].name] as $cases
| {
    version: 1, release: $new.release, quick: $new.quick, machine: $new.machine,
    rows: ([$old.rows // [] | .[] | select(.case as $case | $cases | index($case) | not)]
        + [$new.cases[] | .name as $case | .rows[] | select(.stable and .ratio)
           | {case: $case, row: .name, ratio}])
}
