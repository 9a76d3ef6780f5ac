#!/usr/bin/env python3
"""plot-exit.py [--title TEXT] [-o OUT.svg] FILE...: what each number of layers is worth, drawn.

    trit bench -m model.gguf --exit-sweep -f text.txt -o json >model.json
    scripts/plot-exit.py -o model.svg model.json

Draws the tables of `trit bench --exit-sweep -f TEXT` in JSON, JSON lines or CSV, one file for each
model, as an SVG: perplexity, speed-up, and how often the same token is found most likely as by all
layers. FILE - is standard input; without -o the picture goes to standard output. Needs Python's
own library only. Exit code 2: usage, 3: a file that is not such a table, 1: anything else.
"""
import argparse
import csv
import json
import math
import os
import re
import sys
import textwrap
from xml.sax.saxutils import escape

TITLE = "Early exit: quality and speed by layer"
BOUNDS = {"layers": (1, 10000), "ppl": (0.1, 1e300), "speedup": (0.01, 10000), "agreement": (0, 1)}
EXPECTED = "expected the table of trit bench --exit-sweep -f TEXT -o json, jsonl or csv"

WIDTH, HEIGHT = 840, 480
PANELS, LEFT, GAP, RIGHT, BELOW = 3, 62, 62, 20, 58  # plots, and what is free beside and below them
PLOT = (WIDTH - LEFT - RIGHT - (PANELS - 1) * GAP) / PANELS
SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
INK, GREY, GRID = "#222222", "#555555", "#dddddd"
# Colours of Okabe and Ito, which the colour-blind tell apart; the shape of the points differs too.
MODELS = [("#0072b2", "M-1,0A1,1 0 1 1 1,0A1,1 0 1 1 -1,0Z"),
          ("#d55e00", "M-.9,-.9H.9V.9H-.9Z"),
          ("#009e73", "M0,-1.2L1.15,.9H-1.15Z"),
          ("#cc79a7", "M0,-1.3L1.3,0L0,1.3L-1.3,0Z"),
          ("#000000", "M-1.1,-.4H-.4V-1.1H.4V-.4H1.1V.4H.4V1.1H-.4V.4H-1.1Z"),
          ("#e69f00", "M0,1.2L1.15,-.9H-1.15Z"),
          ("#56b4e9", "M-1.3,0L-.5,-1.1H.5L1.3,0L.5,1.1H-.5Z")]


def stop(code, message):
    print("plot-exit:", " ".join(message.split()), file=sys.stderr)
    sys.exit(code)


class Parser(argparse.ArgumentParser):
    def error(self, message):
        stop(2, f"{message} (--help tells more)")


# ---- Tables --------------------------------------------------------------------------------------

def quoted(value):
    if not isinstance(value, str):
        return json.dumps(value)[:40]
    text = " ".join(value.split())
    return ascii(text if len(text) <= 40 else text[:37] + "...")


def rows_of(text):
    """[{column: value}], None where it is no table at all"""
    try:
        if text[0] == "[":
            return json.loads(text)
        if text[0] == "{":
            return [json.loads(line) for line in text.splitlines() if line.strip()]
        rows = list(csv.DictReader(text.splitlines()))
        return rows if "layers" in text.splitlines()[0].split(",") else None
    except (ValueError, RecursionError, csv.Error):
        return None


def check(row, name, last):
    """Makes it a number. @return what was expected instead, None where it is right"""
    try:
        x = float(row[name])
    except (TypeError, ValueError, OverflowError):
        no_text = name in ("ppl", "agreement") and row[name] in (None, "")
        return "a number" + (" (was the sweep run without -f TEXT?)" if no_text else "")
    low, high = BOUNDS[name]
    if not low <= x <= high:
        return f"a number from {low:g} to {high:g}"
    if name == "layers" and (x != int(x) or x <= last):
        return "a whole number greater than in the row before"
    row[name] = x
    return None


def read_table(path):
    """[{column: number}], one row for each number of layers"""
    shown = "standard input" if path == "-" else path
    try:
        with open(0 if path == "-" else path, "rb") as f:
            text = f.read().decode("utf-8-sig", "replace").strip()
    except OSError as e:
        stop(3, f"{shown}: {e.strerror}")
    if not text:
        stop(3, f"{shown}: found nothing, {EXPECTED}")
    rows = rows_of(text)
    if not rows or not all(isinstance(row, dict) for row in rows):
        stop(3, f"{shown}: found {quoted(text)}, {EXPECTED}")
    last = 0
    for i, row in enumerate(rows, 1):
        for name in BOUNDS:
            if name not in row:
                found = quoted(", ".join(str(key) for key in row))
                stop(3, f"{shown}: row {i}: found the columns {found}, none is {name}; {EXPECTED}")
            wrong = check(row, name, last)
            if wrong:
                stop(3, f"{shown}: row {i}: found {name} {quoted(row[name])}, expected {wrong}")
        last = row["layers"]
    return rows


def names_of(paths):
    stems = ["standard input" if p == "-" else os.path.splitext(os.path.basename(p))[0]
             for p in paths]
    return [path if stems.count(stem) > 1 else stem for path, stem in zip(paths, stems)]


# ---- Axes ----------------------------------------------------------------------------------------

def linear_ticks(low, high, most=8):
    """Round numbers from at or below low to at or above high, and how many decimals they have."""
    power = math.floor(math.log10((high - low) / most))
    step = next(m * 10.0 ** power for m in (1, 2, 5, 10, 20, 50)
                if math.ceil(high / (m * 10.0 ** power)) -
                math.floor(low / (m * 10.0 ** power)) < most)
    first, last = math.floor(low / step), math.ceil(high / step)
    return [i * step for i in range(first, last + 1)], max(0, -math.floor(math.log10(step) + 1e-9))


def log_ticks(low, high):
    """Bounds around the two, and round numbers between them."""
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


def number(x, plain_below=1e5):
    if 1e-3 <= x < plain_below or x == 0:
        return f"{x:,.10f}".rstrip("0").rstrip(".")
    digits, power = f"{x:.2e}".split("e")
    digits = digits.rstrip("0").rstrip(".")
    power = str(int(power)).translate(SUPERSCRIPTS)
    return ("" if digits == "1" else digits + "·") + "10" + power


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

def markup(text):
    """As XML may hold it."""
    return escape(re.sub("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", "\ufffd", text))


def label(x, y, text, size=13, anchor="start", colour=INK, more=""):
    return (f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" text-anchor="{anchor}" '
            f'fill="{colour}"{more}>{markup(text)}</text>')


def line(x1, y1, x2, y2, colour):
    return (f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{colour}"/>')


def width_of(text, size):
    """About what a wide sans-serif takes."""
    return 0.6 * size * len(text)


def point(model, x, y, radius, more=""):
    colour, shape = MODELS[model]
    return (f'<path transform="translate({x:.1f},{y:.1f}) scale({radius:.2f})" d="{shape}" '
            f'fill="{colour}"{more}')


def legend(names, tables, y):
    """Left to right, in as many lines as it takes. @return parts, y of the last line"""
    parts, x = ['<g class="legend">'], LEFT
    for i, (name, rows) in enumerate(zip(names, tables)):
        n = int(rows[-1]["layers"])
        tail = f" ({n} layer{'s' if n != 1 else ''})"
        text = (name if len(name) <= 60 else name[:29] + "…" + name[-30:]) + tail
        needed = 34 + width_of(text, 13)
        if x > LEFT and x + needed > WIDTH - RIGHT:
            x, y = LEFT, y + 20
        parts.append(f'<path d="M{x:.1f},{y - 4.5:.1f}h24" stroke="{MODELS[i][0]}" '
                     'stroke-width="2"/>')
        parts.append(point(i, x + 12, y - 4.5, 4.5) + "/>")
        parts.append(label(x + 31, y, text))
        x += needed + 18
    return parts + ["</g>"], y


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
        parts.append(f'<polyline points="{path}" fill="none" stroke="{MODELS[i][0]}" '
                     'stroke-width="2"/>')
        for layer, value in rows:
            told = f"{names[i]}, layer {layer}: {number(float(f'{value:.4g}'))}{unit}"
            parts.append(point(i, x_at(layer), y_at(value), radius, ' class="point"') +
                         f"><title>{markup(told)}</title></path>")
    return parts + ["</g>"]


def picture(title, names, tables):
    y, parts = 34, []
    for text in textwrap.wrap(title, 75)[:3]:
        parts.append(label(LEFT, y, text, 17, more=' font-weight="bold"'))
        y += 24
    drawn, y = legend(names, tables, y + 2)
    parts += drawn
    top = y + 46

    for i, (column, name, unit, scale, log, most) in enumerate([
            ("ppl", "Perplexity (log scale)", "", 1, True, math.inf),
            ("speedup", "Speed-up over all layers", "×", 1, False, math.inf),
            ("agreement", "Agreement with all layers", " %", 100, False, 100)]):
        values = [[(int(row["layers"]), scale * row[column]) for row in rows] for rows in tables]
        axis = Axis([value for rows in values for _, value in rows], log, most)
        parts += panel(i, column, name, axis, unit, values, names, top)
    return "\n".join([
        '<?xml version="1.0" encoding="UTF-8"?>',
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}" '
        f'viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif">',
        f"<title>{markup(title)}</title>",
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>'] + parts + ["</svg>", ""])


def main():
    parser = Parser(add_help=False, allow_abbrev=False)
    parser.add_argument("-h", "--help", action="store_true")
    parser.add_argument("--title", default=TITLE)
    parser.add_argument("-o", dest="out", default="-")
    parser.add_argument("files", metavar="FILE", nargs="*")
    args = parser.parse_args()
    if args.help:
        print(__doc__.strip())
        return
    if not args.files:
        parser.error("a FILE is missing")
    if len(args.files) > len(MODELS):
        parser.error(f"{len(args.files)} files, at most {len(MODELS)} can be told apart")
    if args.files.count("-") > 1:
        parser.error("standard input can be read only once")
    tables = [read_table(path) for path in args.files]
    data = picture(args.title, names_of(args.files), tables).encode()
    try:
        with open(1 if args.out == "-" else args.out, "wb") as f:
            f.write(data)
    except OSError as e:
        stop(1, f"{'standard output' if args.out == '-' else args.out}: {e.strerror}")


main()
