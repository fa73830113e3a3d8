# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash disable=SC2154
#
# Samples to figures. A case is a file of samples (microseconds, label and pid, tabs between) and
# a line in $work/cases: name, label of the row that ratios refer to, MiB moved (0: none), title.

case_begin() {
    (IFS=$'\t'; echo "$*") >>"$work/cases"
    : >"$work/samples-$1"
}

samples_add() {
    grep -E $'^[0-9.-]+\t[^\t]+\t[0-9]+$' >>"$work/samples-$1"
}

# What the last command in the cluster has printed.
samples_take() {
    samples_add "$1" <"$work/out"
}

# row_of CASE LABEL: label, n, median, p10, p90; milliseconds.
row_of() {
    awk -F '\t' -v label="$2" '$2 == label { print $1 / 1000 }' "$work/samples-$1" | sort -g |
        awk -v OFS='\t' -v label="$2" '
            function quantile(q,    at, low) {
                at = 1 + (NR - 1) * q
                low = int(at)
                if (at == low)
                    return value[low]
                return value[low] + (at - low) * (value[low + 1] - value[low])
            }
            { value[NR] = $1 }
            END { print label, NR, quantile(0.5), quantile(0.1), quantile(0.9) }'
}

# rows_of CASE BASE: the rows in the order of the samples, each with its ratio to the base.
rows_of() {
    awk -F '\t' '!seen[$2]++ { print $2 }' "$work/samples-$1" | while IFS= read -r label; do
        row_of "$1" "$label"
    done >"$work/rows"
    awk -F '\t' -v OFS='\t' -v base="$2" '
        NR == FNR { if ($1 == base) unit = $3; next }
        { print $0, (unit > 0 ? $3 / unit : 0) }' "$work/rows" "$work/rows"
}

report_print() {
    local name base mib title
    while IFS=$'\t' read -r name base mib title; do
        printf '\n%s: %s\n' "$name" "$title"
        rows_of "$name" "$base" | awk -F '\t' -v mib="$mib" '
            BEGIN {
                printf "  %-42s %5s %10s %10s %10s %8s", "", "n", "median ms", "p10", "p90", "ratio"
                printf "%s\n", (mib > 0 ? "    MiB/s" : "")
            }
            {
                printf "  %-42s %5d %10.2f %10.2f %10.2f %8.2f", $1, $2, $3, $4, $5, $6
                if (mib > 0 && $3 > 0)
                    printf " %8.0f", mib * 1000 / $3
                printf "\n"
            }'
    done <"$work/cases"
}

version_of() {
    "$@" 2>&1 | grep -oE '[0-9]+(\.[0-9]+)+[a-z0-9]*' | head -n 1
}

# With two processors one busy neighbour is enough to spoil it.
machine_note() {
    local cpu memory load cores kernel criu_version ssh_version
    cpu=$(sed -n 's/^model name[^:]*: *//p' /proc/cpuinfo | head -n 1 | tr -d '"\\')
    memory=$(awk '$1 == "MemTotal:" { print int($2 / 1024) }' /proc/meminfo)
    read -r load _ </proc/loadavg
    cores=$(nproc)
    kernel=$(uname -r)
    criu_version=$(version_of "$criu" --version)
    ssh_version=$(version_of ssh -V)
    printf -v machine_json '{"cpu": "%s", "cores": %d, "memory_mib": %d, "kernel": "%s", ' \
        "$cpu" "$cores" "$memory" "$kernel"
    printf -v machine_json '%s"criu": "%s", "openssh": "%s", "load": %s}' \
        "$machine_json" "$criu_version" "$ssh_version" "$load"
    echo "$cpu, $cores cores, $memory MiB, Linux $kernel, CRIU $criu_version," \
        "OpenSSH $ssh_version, load $load"
    awk -v load="$load" 'BEGIN { exit load >= 0.5 }' ||
        say "the machine is busy (load $load): do not trust the figures"
}

rows_json() {
    awk -F '\t' '{
        sub(/^ +/, "", $1)
        gsub(/["\\]/, "", $1)
        printf "%s      {\"name\": \"%s\", \"n\": %d, ", (NR > 1 ? ",\n" : ""), $1, $2
        printf "\"median\": %.4g, \"p10\": %.4g, \"p90\": %.4g, \"ratio\": %.4g}", $3, $4, $5, $6
    }'
}

cases_json() {
    local name base mib title comma=
    while IFS=$'\t' read -r name base mib title; do
        printf '%s\n    {"name": "%s", "title": "%s", "unit": "ms", ' "$comma" "$name" "$title"
        printf '"base": "%s", "mib": %d, "rows": [\n' "$base" "$mib"
        rows_of "$name" "$base" | rows_json
        printf '\n    ]}'
        comma=,
    done <"$work/cases"
}

report_write() {
    {
        printf '{\n  "version": 1,\n  "release": "%s",\n' "$(version_of bplab --version)"
        printf '  "quick": %s,\n  "machine": %s,\n  "cases": [' "$quick" "$machine_json"
        cases_json
        printf '\n  ]\n}\n'
    } >"$1"
}
