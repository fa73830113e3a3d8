# SPDX-License-Identifier: GPL-2.0-or-later
#
# A file of results to what gnuplot reads; $plot says for which plot. A heading is a row of the plot
# without figures.

def compared: select((.rows | length) > 1 and (.promises + [.rows[].stable // empty] | length) > 0);
def timed: select(.unit == "ms" and .mib == 0 and .place == null and (.rows | length) > 1
    and (.name | endswith("-parts") | not));
def shown: .rows[] | select(.detail != true and .n > 0 and .median > 0);
def or_nan: . // "NaN";
def family: sub("-[0-9]+$"; "");
def plain: gsub("(?<mark>[_^{}@&~\\\\])"; "\\\\" + .mark);
def heading: "{/:Bold " + plain + "}";

if $plot == "overview" then
    .cases[] | compared | . as $case
    | ["\(.name), ratio to \(.base)" as $long | (if ($long | length) > 42 then .name else $long end) | heading, "NaN", "NaN", "NaN"],
      (shown | select(.name != $case.base and (.ratio // 0) > 0) | . as $row
       | (first($case.promises[] | select(.row == $row.name and .unit == null)) // {}) as $promise
       | [(.name | plain), .ratio, ($promise.value | or_nan),
          (if $promise.met == null then 0 elif $promise.met then 1 else 2 end)])
    | map(tostring) | join("\t")
elif $plot == "latency" then
    .cases[] | timed
    | ["\(.name), ms" | heading, "NaN", "NaN", "NaN", 0], (. as $case | shown
        | [(.name | plain), .median, .p10, .p90, (if .name == $case.base then 1 else 0 end)])
    | map(tostring) | join("\t")
else
    [.cases[] | select(.place.axis == $plot and .unit == "ms")] as $cases
    | if [$cases[].place.at] | unique | length < 2 then empty else . end
    | ([$cases[].name | family] | unique | length > 1) as $several
    | [$cases[] | . as $case | shown
     | {line: ((if $several then "\($case.name | family): " else "" end) + .name), at: $case.place.at, median, ours: (.name == $case.base)}]
    | group_by(.line) | sort_by(.[0].ours | not)[]
    | "\"\(.[0].line | plain)\"", (sort_by(.at)[] | "\(.at)\t\(.median)"), "", ""
end
