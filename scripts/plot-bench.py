#!/usr/bin/env python3
"""plot-bench.py [--title TEXT] [-o OUT.svg] FILE...: draws speeds and their limits.

    trit bench -m model.gguf -t 1,2 -o json >model.json
    scripts/plot-bench.py -o model.svg model.json

Draws the tables of `trit bench` in JSON, JSON lines or CSV, one file for each model, as an SVG. For
each test there is a bar of the tokens per second and an outline of the speed that the measured
limit of the machine would allow; a line across the end of the bar is one standard deviation to each
side.
FILE - is standard input; without -o the picture goes to standard output. Needs only Python's
standard library. Exit code 2: usage, 3: a file that is not such a table, 1: anything else.
"""
import os
import re

from svg_plot import (COLOURS, GREY, GRID, INK, Parser, check_number, document, heading, label,
                      legend, line, linear_ticks, markup, number, read_table, shortened, shown,
                      width_of, write)

TITLE = "Tokens per second and the limits of the machine"
BOUNDS = {"n_threads": (1, 1e6), "avg_ts": (1e-6, 1e9), "stddev_ts": (0, 1e9),
          "efficiency": (1e-4, 1e3)}
TEXTS = ["test", "isa", "model_filename", "model_type"]
EXPECTED = "expected the table of trit bench -o json, jsonl or csv"
KINDS = [("pp", "Reading a prompt", "outline: the limit of multiply-adds"),
         ("tg", "Generating", "outline: the limit of reading memory")]

WIDTH, MARGIN = 840, 24
BAR, SPACE = 18, 10  # height of a bar, and the space between two tests
COLUMNS = [("tokens/s", 84), ("limit", 72), ("reached", 68)]  # right of the plots; their widths


# ---- Tables --------------------------------------------------------------------------------------

def check(row, name, before):
    if name in BOUNDS:
        return check_number(row, name, *BOUNDS[name])
    if not isinstance(row[name], str):
        return "a text"
    if name == "test" and not re.match(r"(pp|tg)\d", row[name]):
        return "pp or tg and a number of tokens"
    if name.startswith("model") and before and row[name] != before[name]:
        return "one model in a file, as in the row before"
    return None


def names_of(paths, tables):
    names = [f"{os.path.basename(rows[0]['model_filename'])} ({rows[0]['model_type']})"
             for rows in tables]
    return [f"{shown(path)}: {name}" if names.count(name) > 1 else name
            for path, name in zip(paths, names)]


def test_of(row):
    """@return its name, and how it was run"""
    n = int(row["n_threads"])
    return row["test"], f"{n} thread{'s' if n != 1 else ''}, {row['isa']}"


def tests_of(kind, tables):
    """{test: [(model, row)]}, in the order in which they come"""
    tests = {}
    for model, rows in enumerate(tables):
        for row in rows:
            if row["test"].startswith(kind):
                tests.setdefault(test_of(row), []).append((model, row))
    return tests


# ---- Drawing -------------------------------------------------------------------------------------

def speed(x):
    if x >= 1e7:
        return number(x)
    return f"{x:,.0f}" if x >= 1000 else f"{x:.3g}" if x < 10 else f"{x:.1f}"


def bar_and_limit(model, x, y, width, limit):
    """The bar is the lower of the two, so that each is seen where it ends before the other."""
    colour = COLOURS[model]
    return [f'<rect x="{x:.1f}" y="{y + 4:.1f}" width="{width:.1f}" height="{BAR - 8}" '
            f'fill="{colour}"/>',
            f'<rect class="limit" x="{x:.1f}" y="{y + 1.5:.1f}" width="{limit:.1f}" '
            f'height="{BAR - 3}" fill="none" stroke="{colour}" stroke-width="1.5"/>']


def key(model, x, y):
    return bar_and_limit(model, x, y - BAR / 2, 18, 24)


def bar(model, name, row, y, x_at):
    """One row of a table, at y; x_at: from tokens per second."""
    average, deviation, middle = row["avg_ts"], row["stddev_ts"], y + BAR / 2
    limit = average / row["efficiency"]
    low, high = x_at(max(0, average - deviation)), x_at(average + deviation)
    told = f"{name}, {', '.join(test_of(row))}: {speed(average)} of {speed(limit)} tokens/s"
    parts = [f'<g class="bar"><title>{markup(told)}</title>']
    parts += bar_and_limit(model, x_at(0), y, x_at(average) - x_at(0), x_at(limit) - x_at(0))
    if deviation:
        d = f"M{low:.1f},{middle - 4:.1f}v8m0,-4H{high:.1f}m0,-4v8"
        parts.append(f'<path d="{d}" fill="none" stroke="#ffffff" stroke-width="3.5"/>')
        parts.append(f'<path class="deviation" d="{d}" fill="none" stroke="{INK}" '
                     'stroke-width="1.5"/>')
    x = WIDTH - MARGIN - sum(width for _, width in COLUMNS)
    for (_, width), text, colour in zip(COLUMNS, (speed(average), speed(limit),
                                                  f"{100 * row['efficiency']:.0f} %"),
                                        (INK, GREY, INK)):
        x += width
        parts.append(label(x, middle + 4.5, text, 13, "end", colour))
    return parts + ["</g>"]


def panel(kind, title, subtitle, tests, names, left, y):
    """@return parts, its lower end"""
    right = WIDTH - MARGIN - sum(width for _, width in COLUMNS) + 8
    rows = [row for bars in tests.values() for _, row in bars]
    most = max(max(row["avg_ts"] / row["efficiency"], row["avg_ts"] + row["stddev_ts"])
               for row in rows)
    ticks, decimals = linear_ticks(0, most, max(2, (right - left) // 55))
    top = y + 14
    bottom = top + SPACE + sum(BAR * len(bars) + SPACE for bars in tests.values())

    def x_at(value):
        return left + (right - left) * value / ticks[-1]

    parts = [f'<g class="{kind}">', label(MARGIN, y, title, 14, more=' font-weight="bold"'),
             label(left, y, subtitle, 13, colour=GREY)]
    x = WIDTH - MARGIN - sum(width for _, width in COLUMNS)
    for text, width in COLUMNS:
        x += width
        parts.append(label(x, y, text, 13, "end", GREY))
    for tick in ticks:
        text = number(tick, 1e7) if most >= 1e7 else f"{tick:,.{decimals}f}"
        parts.append(line(x_at(tick), top, x_at(tick), bottom, GRID))
        parts.append(label(x_at(tick), bottom + 18, text, 13, "middle", GREY))
    y = top + SPACE
    for (test, how), bars in tests.items():
        middle = y + BAR * len(bars) / 2 + 4.5
        parts.append(label(MARGIN, middle, test))
        parts.append(label(left - 10, middle, how, 13, "end", GREY))
        for model, row in bars:
            parts += bar(model, names[model], row, y, x_at)
            y += BAR
        y += SPACE
    parts.append(line(left, top, left, bottom, GREY))
    return parts + ["</g>"], bottom + 18


def picture(title, names, tables):
    parts, y = heading(title, MARGIN, 34)
    drawn, y = legend([shortened(name) for name in names], MARGIN, WIDTH - MARGIN, y + 2, key)
    parts += drawn
    left = MARGIN + 10 + max(width_of(" ".join(test_of(row)), 13) for rows in tables
                             for row in rows)
    for kind, name, subtitle in KINDS:
        tests = tests_of(kind, tables)
        if tests:
            drawn, y = panel(kind, name, subtitle, tests, names, left, y + 40)
            parts += drawn
    return document(title, WIDTH, y + MARGIN, parts)


def main():
    args = Parser(__doc__, TITLE).parse_files()
    tables = [read_table(path, TEXTS + list(BOUNDS), EXPECTED, check) for path in args.files]
    write(args.out, picture(args.title, names_of(args.files, tables), tables))


main()
