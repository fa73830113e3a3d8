# SPDX-License-Identifier: GPL-2.0-or-later
#
# A file of results to what gnuplot reads; $plot says for which plot, "promises", "latency", or the
# name that cases have in common which differ in their place. A heading is a row of the plot without
# figures.

def timed: select(.unit == "ms" and .mib == 0 and .place == null and (.rows | length) > 1
    and (.name | endswith("-parts") | not));
def shown: .rows[] | select(.detail != true and .n > 0 and .median > 0);
def or_nan: . // "NaN";
def family: sub("-[0-9]+$"; "");
def plain: gsub("(?<mark>[_^{}@&~\\\\])"; "\\\\" + .mark);
def heading: "{/:Bold " + plain + "}";
def kind($base): if .name == $base or .ours then 1 elif .floor then 2 else 0 end;

# How many times as good as promised. What is to be little and is nothing has its place far to the
# right of an axis that has no end.
def share($value): if $value == null or .op == ">=" and $value == 0 then null
    elif .op == ">=" then $value / .value elif $value == 0 then 100 else .value / $value end;

if $plot == "promises" then
    .cases[] | [.promises[] | select(share(.measured) != null)] as $promises
    | select($promises | length > 0)
    | [(.name | heading), "NaN", "NaN", 0],
      ($promises[] | [("\(.row), \(.op) \(.value)\(if .unit then " " + .unit else "" end)" | plain),
        share(.measured), (share(.allowed) | or_nan), if .met then 1 else 0 end])
    | map(tostring) | join("\t")
elif $plot == "latency" then
    .cases[] | timed
    | ["\(.name), ms" | heading, "NaN", "NaN", "NaN", 0], (. as $case | shown
        | [(.name | plain), .median, .p10, .p90, kind($case.base)])
    | map(tostring) | join("\t")
else
    [.cases[] | select(.place != null and .unit == "ms" and (.name | family) == $plot)] as $cases
    | if [$cases[].place.at] | unique | length < 2 then empty else . end
    | [$cases[] | . as $case | shown
        | {line: .name, kind: kind($case.base), at: $case.place.at, median}]
    | group_by(.line) | sort_by([3, 1, 2][.[0].kind])[]
    | "\"\(.[0].line | plain)\"\t\(.[0].kind)", (sort_by(.at)[] | "\(.at)\t\(.median)"), "", ""
end
