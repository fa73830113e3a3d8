# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash disable=SC2154
#
# Plots of a file of results: DIR/overview.svg, latency.svg and one for each axis on which cases have
# places, nodes.svg and MiB.svg. What there are no figures for is left out.

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
set grid xtics mxtics linecolor rgb "#e4e4e4", linecolor rgb "#f3f3f3"
set tics nomirror textcolor rgb "#202020"
set border 3 linecolor rgb "#808080"
set lmargin 46
set tmargin 5
set key at graph 1,1.0 right bottom horizontal
END
}

plot_overview() {
    plot_rows_head "$1" "$2"
    cat <<END
set title "Ratios of medians; the bar is what was promised" offset 0,1.5
set xlabel "ratio"
set arrow from 1, graph 0 to 1, graph 1 nohead linecolor rgb "#808080"
data = "$plot_work/$1"
plot data using 3:(-\$0):yticlabels(1) with dots lc rgb "white" notitle, \\
    data using 3:(-\$0):(0):(0.35) with vectors nohead linewidth 3 linecolor rgb "#303030" notitle, \\
    data using 3:(-\$0):(0):(-0.35) with vectors nohead linewidth 3 linecolor rgb "#303030" notitle, \\
    data using (\$4 == 0 ? \$2 : NaN):(-\$0) with points pt 7 ps 0.9 lc rgb "#5b7fa6" title "no promise", \\
    data using (\$4 == 1 ? \$2 : NaN):(-\$0) with points pt 7 ps 0.9 lc rgb "#1a8f4c" title "met", \\
    data using (\$4 == 2 ? \$2 : NaN):(-\$0) with points pt 7 ps 0.9 lc rgb "#c8382d" title "not met"
END
}

plot_latency() {
    plot_rows_head "$1" "$2"
    cat <<END
set title "Time of one run: median, 10th to 90th percentile" offset 0,1.5
set xlabel "ms"
data = "$plot_work/$1"
plot data using 2:(-\$0):yticlabels(1) with dots lc rgb "white" notitle, \\
    data using (\$5 == 0 ? \$2 : NaN):(-\$0):3:4 with xerrorbars pt 7 ps 0.8 lc rgb "#5b7fa6" title "beside it", \\
    data using (\$5 == 1 ? \$2 : NaN):(-\$0):3:4 with xerrorbars pt 7 ps 0.8 lc rgb "#1a8f4c" title "the case itself"
END
}

# plot_lines AXIS DIR
plot_lines() {
    local lines
    lines=$(grep -c '^"' "$plot_work/$1")
    cat <<END
set terminal svg size 960,560 enhanced dynamic background "white" font "sans-serif,13"
set output "$2/$1.svg"
set encoding utf8
set datafile separator "\t"
set logscale xy
set autoscale xfix
set offsets graph 0.03, graph 0.03, 0, 0
set grid xtics ytics linecolor rgb "#e4e4e4"
set tics nomirror textcolor rgb "#202020"
set border 3 linecolor rgb "#808080"
set key outside right top vertical Left reverse samplen 2 width -4
set title "Time by $1"
set xlabel "$1"
set ylabel "ms"
set linetype 1 lc rgb "#1a8f4c" lw 3 pt 7
set linetype 2 lc rgb "#c8382d" lw 1.5 pt 5
set linetype 3 lc rgb "#e08a1e" lw 1.5 pt 9
set linetype 4 lc rgb "#3b6fb5" lw 1.5 pt 11
set linetype 5 lc rgb "#7fb0e0" lw 1.5 pt 13
set linetype 6 lc rgb "#8154a3" lw 1.5 pt 4
set linetype 7 lc rgb "#bd93d8" lw 1.5 pt 6
set linetype 8 lc rgb "#6b6b6b" lw 1.5 pt 8
set linetype 9 lc rgb "#a8a8a8" lw 1.5 pt 10
set linetype cycle 9
data = "$plot_work/$1"
plot for [i=0:$(( lines - 1 ))] data index i using 1:2:xticlabels(1) with linespoints linetype i+1 title columnheader(1)
END
}

# plots_draw DIR: also tells what was drawn, in Markdown.
plots_draw() {
    local axes axis
    axes=$(jq -r '[.cases[].place.axis // empty] | unique[]' "$results")
    plot_work=$(mktemp -d) || die "cannot make a folder for plots"
    echo
    plot_draw plot_overview overview "$1"
    plot_draw plot_latency latency "$1"
    for axis in $axes; do
        plot_draw plot_lines "$axis" "$1"
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
