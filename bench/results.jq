# SPDX-License-Identifier: GPL-2.0-or-later
#
# Tables of bench/run to its file of results. A ratio tells how many times better the base is than
# the row, whichever way the unit counts. $earlier is a file of results whose other cases stay, or
# null.

def table: split("\n") | map(select(. != "") | split("\t"));
def round4: if . == null or . == 0 then . else
    (. | fabs | log10 | floor) as $digits | pow(10; 3 - $digits) as $scale
    | (. * $scale | round) / $scale end;
def trimmed: sub("^ +"; "");

($rows | table) as $rows
| ($promises | table) as $promises
| ($stables | table) as $stables
| ($notes | table) as $notes
| ($places | table) as $places
| ($floors | table) as $floors
| ($ours | table) as $ours
| def figures($case): [$rows[] | select(.[0] == $case.name)
        | {name: (.[1] | trimmed), detail: (.[1] | startswith(" ")), n: (.[2] | tonumber),
           median: (.[3] | tonumber), p10: (.[4] | tonumber), p90: (.[5] | tonumber)}
        | if [$case.name, .name] | IN($floors[]) then .floor = true else . end
        | if [$case.name, .name] | IN($ours[]) then .ours = true else . end];
  def ratio($base; $larger): if $base == null or $base == 0 or .median == 0 then null
        elif $larger then $base / .median else .median / $base end;
  def watched($case): . as $row | first($stables[] | select(.[0] == $case.name and .[1] == $row.name)
        | {stable: {op: .[2], factor: (.[3] | tonumber)}}) // {};
  # What a promise would come to if we were as good as the floor: we are the base where more is
  # wanted of a ratio, else the row.
  def allowed($case; $all): . as $promise
        | (first($all[] | select(.floor)) // null) as $floor
        | (first($all[] | select(.name == $promise.row)) // {}) as $row
        | if $floor == null or $promise.row == $floor.name then null
          elif $promise.unit then (if $row.name == $case.base then $floor.median else null end)
          elif $promise.op == "<=" then $floor.ratio
          else $row | ratio($floor.median; $case.unit | endswith("/s")) end;
  def judged($case; $all): . as $words | ($words[3] | split(" ")) as $value
        | first($all[] | select(.name == $words[1])) // {}
        | (if $value[1] then .median else .ratio end) as $measured
        | ($value[0] | tonumber) as $wanted
        | {row: $words[1], op: $words[2], value: $wanted, unit: $value[1], measured: $measured,
           met: (if $measured == null then null elif $words[2] == ">=" then $measured >= $wanted
                 else $measured <= $wanted end)}
        | .allowed = (allowed($case; $all) | round4);
  def place($case): first($places[] | select(.[0] == $case.name)
        | {axis: .[1], at: (.[2] | tonumber)}) // null;
  def added_to($earlier): if $earlier == null then . else
        .cases as $new
        | .seconds += $earlier.seconds
        | .machine.load = ([.machine.load, $earlier.machine.load] | max)
        | .cases = [$earlier.cases[] | .name as $name | first($new[] | select(.name == $name)) // .]
        | .cases as $old
        | .cases += [$new[] | select(.name | IN($old[].name) | not)] end;
{
    version: 2, release: $release, quick: $quick, seconds: $seconds, machine: $machine,
    cases: [$cases | table[]
        | {name: .[0], title: .[3], unit: .[4], base: (.[1] | trimmed), mib: (.[2] | tonumber)} as $case
        | ($case.unit | endswith("/s")) as $larger
        | figures($case) as $figures
        | first($figures[] | select(.name == $case.base) | .median) // null
        | . as $base
        | [$figures[] | .ratio = (ratio($base; $larger) | round4) | . + watched($case)
           | .median |= round4 | .p10 |= round4 | .p90 |= round4] as $all
        | $case + {
            place: place($case),
            rows: ($all + [$notes[] | select(.[0] == $case.name)
                | {name: (.[1] | trimmed), n: 0, note: .[2]}]),
            promises: [$promises[] | select(.[0] == $case.name) | judged($case; $all)]
        }]
} | added_to($earlier)
