# SPDX-License-Identifier: GPL-2.0-or-later
#
# Stored ratios ($old) and files of results ($new) of runs one after another, of which the best of
# each row counts, to lines: verdict, case, row, ratio, stored ratio, why.

def key: "\(.case)\t\(.row)";
# How many times better $a is than $b.
def times($op; $a; $b): if $op == ">=" then $a / $b else $b / $a end;

# Beyond so much a promise that was kept counts as broken: medians of a quick run differ by less.
1.1 as $noise
| ($old[0].rows | map({key: key, value: .ratio}) | from_entries) as $stored
| [$new[].cases[] | .name as $case
   | [.promises[] | select(.unit == null and .measured)] as $promises
   | .rows[] | . as $row | select(.ratio)
   | [$promises[] | select(.row == $row.name)] as $mine
   | select(.stable or ($mine | length) > 0)
   | {case: $case, row: .name, ratio, op: (.stable.op // $mine[0].op), factor: .stable.factor,
      wanted: [$mine[].value]}]
| group_by(key)
| map(if .[0].op == ">=" then max_by(.ratio) else min_by(.ratio) end) as $rows
| ($rows[] | . as $row | $stored[key] as $was
   | [.wanted[] | select($was != null and times($row.op; $was; .) >= 1
                         and times($row.op; .; $row.ratio) > $noise)] as $broken
   | (if $was == null then ["new", ""]
      elif .factor and times(.op; $was; .ratio) > .factor then ["worse", ""]
      elif $broken != [] then ["worse", ", promised \(.op) \($broken[0])"]
      elif .factor and times(.op; .ratio; $was) > .factor then ["better", ""]
      else ["as stored", ""] end) as [$verdict, $why]
   | [$verdict, .case, .row, .ratio, ($was // "nothing"), $why]),
  (($rows | map(key)) as $known | $old[0].rows[] | select(key as $key | $known | index([$key]) | not)
   | ["not measured", .case, .row, "nothing", .ratio, ""])
| @tsv
