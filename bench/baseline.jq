# SPDX-License-Identifier: GPL-2.0-or-later
#
# A baseline from an older one ($old, {} if there is none) and a file of results ($new): ratios that
# repeat, and those that something was promised of.

$new[0] as $new
| [$new.cases[].name] as $cases
| [$old.rows // [] | .[] | select(.case as $case | $cases | index($case) | not)] as $kept
| {
    version: 1, release: $new.release, quick: $new.quick,
    machine: ($new.machine
        | if $kept == [] then . else .load = ([.load, $old.machine.load] | max) end),
    rows: ($kept + [$new.cases[] | .name as $case
        | [.promises[] | select(.unit == null) | .row] as $promised
        | .rows[] | select(.ratio and (.stable or (.name | IN($promised[]))))
        | {case: $case, row: .name, ratio}])
}
