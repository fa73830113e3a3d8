# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash disable=SC2154
#
# Plots of a file of results: DIR/overview.svg, latency.svg, nodes.svg, sizes.svg; one for which
# there are no figures is left out.

plot_data() {
    jq -r --arg plot "$1" -f "$here/plots.jq" "$results" >"$plot_work/$1"
    [[ -s $plot_work/$1 ]]
}

# Rows of text and a point on each: as high as it has rows.
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
    plot_rows_head overview "$1"
    cat <<END
set title "Ratios of medians; the bar is what was promised" offset 0,1.5
set xlabel "ratio"
set arrow from 1, graph 0 to 1, graph 1 nohead linecolor rgb "#808080"
data = "$plot_work/overview"
plot data using 3:(-\$0):yticlabels(1) with dots lc rgb "white" notitle, \\
    data using 3:(-\$0):(0):(0.35) with vectors nohead linewidth 3 linecolor rgb "#303030" notitle, \\
    data using 3:(-\$0):(0):(-0.35) with vectors nohead linewidth 3 linecolor rgb "#303030" notitle, \\
    data using (\$4 == 0 ? \$2 : NaN):(-\$0) with points pt 7 ps 0.9 lc rgb "#5b7fa6" title "no promise", \\
    data using (\$4 == 1 ? \$2 : NaN):(-\$0) with points pt 7 ps 0.9 lc rgb "#1a8f4c" title "met", \\
    data using (\$4 == 2 ? \$2 : NaN):(-\$0) with points pt 7 ps 0.9 lc rgb "#c8382d" title "not met"
END
}

plot_latency() {
    plot_rows_head latency "$1"
    cat <<END
set title "Time of one run: median, 10th to 90th percentile" offset 0,1.5
set xlabel "ms"
data = "$plot_work/latency"
plot data using 2:(-\$0):yticlabels(1) with dots lc rgb "white" notitle, \\
    data using (\$5 == 0 ? \$2 : NaN):(-\$0):3:4 with xerrorbars pt 7 ps 0.8 lc rgb "#5b7fa6" title "beside it", \\
    data using (\$5 == 1 ? \$2 : NaN):(-\$0):3:4 with xerrorbars pt 7 ps 0.8 lc rgb "#1a8f4c" title "the case itself"
END
}

# plot_lines AXIS TITLE FILE
plot_lines() {
    local lines
    lines=$(grep -c '^"' "$plot_work/$1")
    cat <<END
set terminal svg size 960,560 enhanced dynamic background "white" font "sans-serif,13"
set output "$3"
set encoding utf8
set datafile separator "\t"
set logscale xy
set autoscale xfix
set offsets graph 0.03, graph 0.03, 0, 0
set grid xtics ytics linecolor rgb "#e4e4e4"
set tics nomirror textcolor rgb "#202020"
set border 3 linecolor rgb "#808080"
set key outside right top vertical Left reverse samplen 2 width -4
set title "$2"
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

# plots_draw DIR
plots_draw() {
    rm -f "$1"/{overview,latency,nodes,sizes}.svg
    plot_work=$(mktemp -d) || die "cannot make a folder for plots"
    ! plot_data overview || plot_overview "$1" | gnuplot || die "cannot draw the overview"
    ! plot_data latency || plot_latency "$1" | gnuplot || die "cannot draw the latencies"
    ! plot_data nodes || plot_lines nodes "Time by the number of nodes" "$1/nodes.svg" | gnuplot ||
        die "cannot draw the nodes"
    ! plot_data MiB || plot_lines MiB "Time by the memory of the process" "$1/sizes.svg" | gnuplot ||
        die "cannot draw the sizes"
    rm -r "$plot_work"
}

# plots_list DIR: what was drawn, in Markdown.
plots_list() {
    local name
    echo
    for name in overview latency nodes sizes; do
        [[ ! -e $1/$name.svg ]] || echo "![$name]($name.svg)"
    done
}
