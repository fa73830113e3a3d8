# SPDX-License-Identifier: GPL-2.0-or-later
#
# A file of results to the lines of a Markdown document. The cells of a table have tabs between.

def figure: if . == null then "" else . as $value
    | (if fabs >= 1000 then 1 elif fabs >= 100 then 10 elif fabs >= 1 then 100 else 1000 end) as $scale
    | "\(($value * $scale | round) / $scale)" end;
def rate($mib): if $mib > 0 then [if . then $mib * 1000 / . | figure else "" end] else [] end;
def in_reach: if .op == ">=" then .allowed >= .value else .allowed <= .value end;
def verdict: if .met == null then "not measured" elif .met then "met"
    elif .allowed == null then "not met"
    else "not met, the floor allows \(if in_reach then "" else "no better than " end)\(.allowed | figure)" end;
def duration: if . >= 60 then "\(. / 60 | floor) min \(. % 60) s" else "\(.) s" end;

def machine: "\(.cpu), \(.cores) cores, \(.memory_mib) MiB, Linux \(.kernel), CRIU \(.criu), "
    + "OpenSSH \(.openssh); load at the start \(.load)";
def peers: [to_entries[] | "\(.key) \(.value // "not installed")"] | join(", ");

def row($case): [(if .detail then "– " else "" end) + .name]
    + if .note then ["0", "", "", "", .note] + (if $case.mib > 0 then [""] else [] end)
      else ["\(.n)", (.median | figure), (.p10 | figure), (.p90 | figure), (.ratio | figure)]
          + (.median | rate($case.mib)) end;
def table: . as $case
    | ["", "n", "median \(.unit)", "p10", "p90", "ratio"] + (if .mib > 0 then ["MiB/s"] else [] end),
      (.rows[] | row($case))
    | @tsv;

def promise($case): [$case.name, .row, "\(.op) \(.value)\(if .unit then " \(.unit)" else "" end)",
    (.measured | figure), verdict];
def promises: ([.cases[].promises[]] | length) as $all | if $all == 0 then empty else
    "", "## What was promised", "",
    (["case", "row", "wanted", "measured", "so it is"] | @tsv),
    (.cases[] | . as $case | .promises[] | promise($case) | @tsv),
    "", ([.cases[].promises[]] | "\(map(select(.met)) | length) met, "
        + "\(map(select(.met == false)) | length) not met"
        + "\(map(select(.met == false and .allowed != null and (in_reach | not))) | length
              | if . > 0 then " (the floor does not allow \(.) of them)" else "" end), "
        + "\(map(select(.met == null)) | length) not measured.") end;

"# BProc \(.release) beside others",
"",
(.machine | machine) + ".",
"Peers: " + (.machine.peers | peers) + ".",
"\(if .quick then "A quick run" else "A full run" end) of \(.seconds | duration). "
    + "A ratio tells how many times better than this row the case's first is, "
    + "or the row that has 1.",
(.cases[] | "", "## \(.name): \(.title)", "", table),
promises
