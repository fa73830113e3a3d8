# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash disable=SC2154
#
# Samples to figures, and figures to the file of results.

# rows_of CASE UNIT: case, row, n, median, p10, p90, in the order in which the rows first appear.
rows_of() {
    local scale=1
    [[ $2 != ms ]] || scale=1000
    awk -F '\t' -v OFS='\t' '
        !($2 in place) { place[$2] = ++count }
        { print place[$2], $1, $2 }' "$work/samples-$1" | sort -t $'\t' -k 1,1n -k 2,2g |
        awk -F '\t' -v OFS='\t' -v name="$1" -v scale="$scale" '
            function quantile(q,    at, low) {
                at = 1 + (n - 1) * q
                low = int(at)
                if (at == low)
                    return value[low]
                return value[low] + (at - low) * (value[low + 1] - value[low])
            }
            function row_end() {
                if (n > 0)
                    print name, row, n, quantile(0.5), quantile(0.1), quantile(0.9)
                n = 0
            }
            $3 != row { row_end(); row = $3 }
            { value[++n] = $2 / scale }
            END { row_end() }'
}

rows_write() {
    local name unit
    while IFS=$'\t' read -r name _ _ _ unit; do
        rows_of "$name" "$unit"
    done <"$work/cases" >"$work/rows"
}

version_of() {
    "$@" 2>&1 | grep -oE '[0-9]+(\.[0-9]+)+[a-z0-9]*' | head -n 1
}

package_of() {
    dpkg-query -W -f '${Version}' "$1" 2>/dev/null
}

# With two processors one busy neighbour is enough to spoil it.
machine_note() {
    local cpu memory load
    cpu=$(sed -n 's/^model name[^:]*: *//p' /proc/cpuinfo | head -n 1)
    memory=$(awk '$1 == "MemTotal:" { print int($2 / 1024) }' /proc/meminfo)
    read -r load _ </proc/loadavg
    machine=$(jq -n --arg cpu "$cpu" --argjson cores "$(nproc)" --argjson memory_mib "$memory" \
        --arg kernel "$(uname -r)" --arg criu "$(version_of "$criu" --version)" \
        --arg openssh "$(version_of ssh -V)" --argjson load "$load" --argjson peers "$(peers_json)" \
        '{$cpu, $cores, $memory_mib, $kernel, $criu, $openssh, $load, $peers}')
    awk -v load="$load" 'BEGIN { exit load >= 0.5 }' ||
        say "the machine is busy (load $load): do not trust the figures"
}

# The versions of the peers, as their packages are called.
peers_json() {
    local package
    for package in pdsh clustershell slurm-client mpich parallel netcat-openbsd; do
        printf '%s\t%s\n' "$package" "$(package_of "$package")"
    done | jq -Rn '[inputs / "\t" | {key: .[0], value: (.[1] | select(. != "") // null)}] | from_entries'
}

# results_write FILE: what there is of all cases so far, and of $earlier.
results_write() {
    rows_write
    jq -n --arg release "$(version_of bplab --version)" --argjson quick "$quick" \
        --argjson machine "$machine" --argjson seconds "$SECONDS" --argjson earlier "$earlier" \
        --rawfile cases "$work/cases" --rawfile rows "$work/rows" \
        --rawfile promises "$work/promises" --rawfile stables "$work/stables" \
        --rawfile notes "$work/notes" --rawfile places "$work/places" \
        --rawfile floors "$work/floors" --rawfile ours "$work/ours" -f "$here/results.jq" >"$work/results" &&
        cp "$work/results" "$1"
}
