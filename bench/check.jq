# SPDX-License-Identifier: GPL-2.0-or-later
#
# Stored ratios ($old) and a file of results ($new) to lines: verdict, case, row, ratio, stored ratio.

def key: "\(.case)\t\(.row)";

($old[0].rows | map({key: key, value: .ratio}) | from_entries) as $stored
| [$new[0].cases[] | .name as $case | .rows[] | select(.stable and .ratio)
   | {case: $case, row: .name, ratio} + .stable] as $rows
| ($rows[] | . as $row | $stored[key] as $was
   | (if $was == null then "new"
      else (if .op == ">=" then $was / .ratio else .ratio / $was end) as $change
          | if $change > .factor then "worse" elif $change < 1 / .factor then "better"
            else "as stored" end end) as $verdict
   | [$verdict, .case, .row, .ratio, ($was // "nothing")]),
  (($rows | map(key)) as $known | $old[0].rows[] | select(key as $key | $known | index([$key]) | not)
   | ["not measured", .case, .row, "nothing", .ratio])
| @tsv
