# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash disable=SC2154
#
# Plots of a file of results: DIR/promises.svg, latency.svg and one for all cases that differ in
# their place on an axis, as fanout.svg. What there are no figures for is left out.

plot_data() {
    jq -r --arg plot "$1" -f "$here/plots.jq" "$results" >"$plot_work/$1"
    [[ -s $plot_work/$1 ]]
}

# plot_rows_head NAME DIR: rows of text and a point on each: as high as it has rows.
plot_rows_head() {
    local rows
    rows=$(wc -l <"$plot_work/$1")
    cat <<END
set terminal svg size 960,$(( 130 + 21 * rows )) enhanced dynamic background "white" font "sans-serif,13"
set output "$2/$1.svg"
set encoding utf8
set datafile separator "\t"
set yrange [-$rows:1]
set logscale x
set grid xtics mxtics linecolor rgb "#d8d8d8", linecolor rgb "#f0f0f0"
set tics nomirror textcolor rgb "#202020"
set border 3 linecolor rgb "#808080"
set lmargin 46
set tmargin 5
set key at graph 1,1.0 right bottom horizontal maxrows 1
END
}

plot_promises() {
    plot_rows_head "$1" "$2"
    cat <<END
set title "What was promised: how many times as good it is, and what the floor allows" offset 0,1.5
set xlabel "1: as promised; to the right of it: better"
set arrow from 1, graph 0 to 1, graph 1 nohead linecolor rgb "#303030" linewidth 2
data = "$plot_work/$1"
plot data using (1):(-\$0):yticlabels(1) with dots lc rgb "white" notitle, \\
    data using 3:(-\$0) with points pt 12 ps 1.3 lw 1.5 lc rgb "#606060" title "floor", \\
    data using (\$4 == 1 ? \$2 : NaN):(-\$0) with points pt 7 ps 0.9 lc rgb "#1a8f4c" title "met", \\
    data using (\$4 == 0 ? \$2 : NaN):(-\$0) with points pt 7 ps 0.9 lc rgb "#c8382d" title "not met"
END
}

plot_latency() {
    plot_rows_head "$1" "$2"
    cat <<END
set title "Time of one run: median, 10th to 90th percentile" offset 0,1.5
set xlabel "ms"
data = "$plot_work/$1"
plot data using 2:(-\$0):yticlabels(1) with dots lc rgb "white" notitle, \\
    data using (\$5 == 0 ? \$2 : NaN):(-\$0):3:4 with xerrorbars pt 7 ps 0.8 lc rgb "#5b7fa6" title "others", \\
    data using (\$5 == 2 ? \$2 : NaN):(-\$0):3:4 with xerrorbars pt 12 ps 1.1 lc rgb "#606060" title "floor", \\
    data using (\$5 == 1 ? \$2 : NaN):(-\$0):3:4 with xerrorbars pt 7 ps 0.8 lc rgb "#1a8f4c" title "BProc"
END
}

# plot_lines NAME DIR: line type 1 is the case itself, 2 its floor, the others come after them.
plot_lines() {
    local axis
    axis=$(jq -r --arg name "$1" \
        'first(.cases[] | select(.place and (.name | sub("-[0-9]+$"; "")) == $name) | .place.axis)' \
        "$results")
    cat <<END
set terminal svg size 960,520 enhanced dynamic background "white" font "sans-serif,13"
set output "$2/$1.svg"
set encoding utf8
set datafile separator "\t"
set logscale xy
set autoscale xfix
set offsets graph 0.03, graph 0.03, 0, 0
set grid xtics ytics linecolor rgb "#e4e4e4"
set tics nomirror textcolor rgb "#202020"
set border 3 linecolor rgb "#808080"
set key outside right top vertical Left reverse samplen 2 width -6
set title "$1: time by $axis"
set xlabel "$axis"
set ylabel "ms"
set linetype 1 lc rgb "#1a8f4c" lw 3 pt 7
set linetype 2 lc rgb "#606060" lw 2 dt 2 pt 12
set linetype 3 lc rgb "#c8382d" lw 1.5 pt 5
set linetype 4 lc rgb "#e08a1e" lw 1.5 pt 9
set linetype 5 lc rgb "#3b6fb5" lw 1.5 pt 11
set linetype 6 lc rgb "#7fb0e0" lw 1.5 pt 13
set linetype 7 lc rgb "#8154a3" lw 1.5 pt 4
set linetype 8 lc rgb "#bd93d8" lw 1.5 pt 6
set linetype 9 lc rgb "#8a6d3b" lw 1.5 pt 8
set linetype 10 lc rgb "#b8b8b8" lw 1.5 pt 10
set linetype 11 lc rgb "#2a9d9d" lw 1.5 pt 4
set linetype 12 lc rgb "#d46a9e" lw 1.5 pt 6
set linetype cycle 12
data = "$plot_work/$1"
END
    awk -F '\t' '
        BEGIN { other = 3 }
        /^"/ {
            gsub(/"/, "", $1)
            printf "%s data index %d using 1:2:xticlabels(1) with linespoints linetype %d title \"%s\"",
                count ? "," : "plot", count, $2 ? $2 : other++, $1
            count++
        }
        END { print "" }' "$plot_work/$1"
}

# plots_draw DIR: also tells what was drawn, in Markdown.
plots_draw() {
    local families family
    families=$(jq -r '[.cases[] | select(.place) | .name | sub("-[0-9]+$"; "")] | unique[]' "$results")
    plot_work=$(mktemp -d) || die "cannot make a folder for plots"
    echo
    plot_draw plot_promises promises "$1"
    plot_draw plot_latency latency "$1"
    for family in $families; do
        plot_draw plot_lines "$family" "$1"
    done
    rm -r "$plot_work"
}

# plot_draw FUNCTION NAME DIR
plot_draw() {
    rm -f "$3/$2.svg"
    plot_data "$2" || return 0
    "$1" "$2" "$3" | gnuplot || die "cannot draw $3/$2.svg"
    echo "![$2]($2.svg)"
}
