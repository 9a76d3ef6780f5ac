#!/usr/bin/env python3
"""plot-exit.py [--title TEXT] [-o OUT.svg] FILE...: draws what each depth is worth.

    trit bench -m model.gguf --exit-sweep -f text.txt -o json >model.json
    scripts/plot-exit.py -o model.svg model.json

Draws the tables of `trit bench --exit-sweep -f TEXT` in JSON, JSON lines or CSV, one file for each
model, as an SVG: perplexity, speed-up, and how often the most likely token is the same as with all
layers. FILE - is standard input; without -o the picture goes to standard output. Needs only
Python's standard library. Exit code 2: usage, 3: a file that is not such a table, 1: anything else.
"""
import math
import os

from svg_plot import (COLOURS, GREY, GRID, Parser, check_number, document, heading, label, legend,
                      line, linear_ticks, markup, number, read_table, shortened, shown, write)

TITLE = "Early exit: quality and speed by layer"
BOUNDS = {"layers": (1, 10000), "ppl": (0.1, 1e300), "speedup": (0.01, 10000), "agreement": (0, 1)}
EXPECTED = "expected the table of trit bench --exit-sweep -f TEXT -o json, jsonl or csv"

WIDTH, HEIGHT = 840, 480
PANELS, LEFT, GAP, RIGHT, BELOW = 3, 62, 62, 20, 58  # plots and margins
PLOT = (WIDTH - LEFT - RIGHT - (PANELS - 1) * GAP) / PANELS
# The models also differ in the shape of their points.
SHAPES = ["M-1,0A1,1 0 1 1 1,0A1,1 0 1 1 -1,0Z",
          "M-.9,-.9H.9V.9H-.9Z",
          "M0,-1.2L1.15,.9H-1.15Z",
          "M0,-1.3L1.3,0L0,1.3L-1.3,0Z",
          "M-1.1,-.4H-.4V-1.1H.4V-.4H1.1V.4H.4V1.1H-.4V.4H-1.1Z",
          "M0,1.2L1.15,-.9H-1.15Z",
          "M-1.3,0L-.5,-1.1H.5L1.3,0L.5,1.1H-.5Z"]


# ---- Tables --------------------------------------------------------------------------------------

def check(row, name, before):
    no_text = name in ("ppl", "agreement") and row[name] in (None, "")
    wrong = check_number(row, name, *BOUNDS[name])
    if wrong:
        return wrong + (" (was the sweep run without -f TEXT?)" if no_text else "")
    if name == "layers" and (row[name] % 1 or before and row[name] <= before[name]):
        return "a whole number greater than in the row before"
    return None


def names_of(paths):
    stems = [os.path.splitext(os.path.basename(shown(path)))[0] for path in paths]
    return [path if stems.count(stem) > 1 else stem for path, stem in zip(paths, stems)]


# ---- Axes ----------------------------------------------------------------------------------------

def log_ticks(low, high):
    """@return bounds around the two, and round numbers between the bounds"""
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    fine = [1, 1.5, 2, 3, 4, 5, 6, 7, 8, 9]
    ends = [d * 10.0 ** e for e in range(first, last + 1) for d in fine]
    low, high = max(t for t in ends if t <= low), min(t for t in ends if t > high)
    stride = max(1, math.ceil((last - first) / 8))
    for digits in ([1], [1, 3], [1, 2, 5], [1, 2, 3, 5, 7], fine):
        ticks = [d * 10.0 ** e for e in range(first, last + 1, stride) for d in digits]
        ticks = [t for t in ticks if low <= t <= high]
        if len(ticks) >= 5 or stride > 1:
            break
    return low, high, ticks


def layer_ticks(first, last):
    fit = [s for s in (1, 2, 3, 4, 5, 6, 8, 10, 12, 15, 20, 25, 50, 100)
           if last // s - (first - 1) // s <= 8] or [last]
    step = next((s for s in fit if last % s == 0 and last / s >= 4), fit[0])
    ticks = [x for x in range(first, last + 1) if x % step == 0]
    return ticks if ticks and 12 * (ticks[0] - first) <= last - first else [first] + ticks


class Axis:
    """From data to 0 (bottom) to 1 (top)."""

    def __init__(self, values, log, most):
        low, high = min(values), max(values)
        self.f = math.log10 if log else float
        if log and (high > 1.2 * low or high >= 1e5):
            self.low, self.high, self.ticks = log_ticks(low, high)
            plain_below = 1e5 if self.high < 1e5 else 1e3
            self.texts = [number(tick, plain_below) for tick in self.ticks]
        else:
            if high - low < 0.001 * high + 1e-9:
                low, high = 0.9 * low, 1.1 * high + 0.001
            self.ticks, decimals = linear_ticks(low, min(high, most))
            self.low, self.high = self.ticks[0], self.ticks[-1]
            self.texts = [f"{tick:,.{decimals}f}" for tick in self.ticks]

    def at(self, x):
        return (self.f(x) - self.f(self.low)) / (self.f(self.high) - self.f(self.low))


# ---- Drawing -------------------------------------------------------------------------------------

def point(model, x, y, radius, more=""):
    return (f'<path transform="translate({x:.1f},{y:.1f}) scale({radius:.2f})" d="{SHAPES[model]}" '
            f'fill="{COLOURS[model]}"{more}')


def key(model, x, y):
    return [f'<path d="M{x:.1f},{y:.1f}h24" stroke="{COLOURS[model]}" stroke-width="2"/>',
            point(model, x + 12, y, 4.5) + "/>"]


def legend_text(name, rows):
    n = int(rows[-1]["layers"])
    return f"{shortened(name)} ({n} layer{'s' if n != 1 else ''})"


def panel(at, column, title, axis, unit, tables, names, top):
    """tables: [[(layer, value)]], one for each model"""
    left, bottom = LEFT + at * (PLOT + GAP), HEIGHT - BELOW
    first, last = min(rows[0][0] for rows in tables), max(rows[-1][0] for rows in tables)
    room = max(last - first, 1) * 0.05
    radius = min(4.5, max(1.5, 0.4 * PLOT / (last - first + 1)))

    def x_at(layer):
        return left + PLOT * (layer - first + room) / (last - first + 2 * room)

    def y_at(value):
        return bottom - (bottom - top) * axis.at(value)

    parts = [f'<g class="{column}">', label(left, top - 14, title, 14, more=' font-weight="bold"')]
    for tick, text in zip(axis.ticks, axis.texts):
        parts.append(line(left, y_at(tick), left + PLOT, y_at(tick), GRID))
        parts.append(label(left - 8, y_at(tick) + 4.5, text + unit, 13, "end", GREY))
    for tick in layer_ticks(first, last):
        parts.append(line(x_at(tick), bottom, x_at(tick), bottom + 5, GREY))
        parts.append(label(x_at(tick), bottom + 20, str(tick), 13, "middle", GREY))
    parts.append(line(left, top, left, bottom, GREY))
    parts.append(line(left, bottom, left + PLOT, bottom, GREY))
    parts.append(label(left + PLOT / 2, bottom + 42, "exit after layer", 13, "middle"))
    for i, rows in enumerate(tables):
        path = " ".join(f"{x_at(layer):.1f},{y_at(value):.1f}" for layer, value in rows)
        parts.append(f'<polyline points="{path}" fill="none" stroke="{COLOURS[i]}" '
                     'stroke-width="2"/>')
        for layer, value in rows:
            told = f"{names[i]}, layer {layer}: {number(float(f'{value:.4g}'))}{unit}"
            parts.append(point(i, x_at(layer), y_at(value), radius, ' class="point"') +
                         f"><title>{markup(told)}</title></path>")
    return parts + ["</g>"]


def picture(title, names, tables):
    parts, y = heading(title, LEFT, 34)
    drawn, y = legend([legend_text(*model) for model in zip(names, tables)], LEFT, WIDTH - RIGHT,
                      y + 2, key)
    parts += drawn
    top = y + 46

    for i, (column, name, unit, scale, log, most) in enumerate([
            ("ppl", "Perplexity (log scale)", "", 1, True, math.inf),
            ("speedup", "Speed-up over all layers", "×", 1, False, math.inf),
            ("agreement", "Agreement with all layers", " %", 100, False, 100)]):
        values = [[(int(row["layers"]), scale * row[column]) for row in rows] for rows in tables]
        axis = Axis([value for rows in values for _, value in rows], log, most)
        parts += panel(i, column, name, axis, unit, values, names, top)
    return document(title, WIDTH, HEIGHT, parts)


def main():
    args = Parser(__doc__, TITLE).parse_files()
    tables = [read_table(path, list(BOUNDS), EXPECTED, check) for path in args.files]
    write(args.out, picture(args.title, names_of(args.files), tables))


main()
