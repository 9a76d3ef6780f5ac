"""svg_plot.py: shared by the scripts that draw SVGs: reading and checking tables, ticks, and the
parts of a picture. Needs only Python's standard library.
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

INK, GREY, GRID = "#222222", "#555555", "#dddddd"
# Colours by Okabe and Ito, which colour-blind people can tell apart; one for each model.
COLOURS = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#000000", "#e69f00", "#56b4e9"]
SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


# ---- The command line ----------------------------------------------------------------------------

def stop(code, message):
    script = os.path.splitext(os.path.basename(sys.argv[0]))[0]
    print(f"{script}:", " ".join(message.split()), file=sys.stderr)
    sys.exit(code)


class Parser(argparse.ArgumentParser):
    """Has --title, -o and --help, which shows doc."""

    def __init__(self, doc, title):
        super().__init__(add_help=False, allow_abbrev=False)
        self.doc = doc
        self.add_argument("-h", "--help", action="store_true")
        self.add_argument("--title", default=title)
        self.add_argument("-o", dest="out", default="-")

    def error(self, message):
        stop(2, f"{message} (see --help)")

    def parse(self):
        args = self.parse_args()
        if args.help:
            print(self.doc.strip())
            sys.exit()
        return args

    def parse_files(self):
        """Also takes FILE..., one for each model."""
        self.add_argument("files", metavar="FILE", nargs="*")
        args = self.parse()
        if not args.files:
            self.error("no FILE given")
        if len(args.files) > len(COLOURS):
            self.error(f"{len(args.files)} files; the colours are enough for {len(COLOURS)}")
        if args.files.count("-") > 1:
            self.error("standard input can be read only once")
        return args


def shown(path):
    return "standard input" if path == "-" else path


def read(path):
    try:
        with open(0 if path == "-" else path, "rb") as f:
            return f.read()
    except OSError as e:
        stop(3, f"{shown(path)}: {e.strerror}")


def write(path, text):
    try:
        with open(1 if path == "-" else path, "wb") as f:
            f.write(text.encode())
    except OSError as e:
        stop(1, f"{'standard output' if path == '-' else path}: {e.strerror}")


# ---- Tables --------------------------------------------------------------------------------------

def quoted(value):
    if not isinstance(value, str):
        return json.dumps(value)[:40]
    text = " ".join(value.split())
    return ascii(text if len(text) <= 40 else text[:37] + "...")


def rows_of(text, column):
    """@return [{column: value}], or None if the text is not a table"""
    try:
        if text[0] == "[":
            return json.loads(text)
        if text[0] == "{":
            return [json.loads(line) for line in text.splitlines() if line.strip()]
        rows = list(csv.DictReader(text.splitlines()))
        return rows if column in text.splitlines()[0].split(",") else None
    except (ValueError, RecursionError, csv.Error):
        return None


def read_table(path, columns, expected, check):
    """@param columns the columns that must exist; a CSV is recognised by the first
    @param check (row, column, the row before or None): converts the value in place
           @return what was expected instead, or None if the value is valid
    """
    text = read(path).decode("utf-8-sig", "replace").strip()
    if not text:
        stop(3, f"{shown(path)}: found nothing, {expected}")
    rows = rows_of(text, columns[0])
    if not rows or not all(isinstance(row, dict) for row in rows):
        stop(3, f"{shown(path)}: found {quoted(text)}, {expected}")
    for i, row in enumerate(rows):
        where = f"{shown(path)}: row {i + 1}: found"
        for name in columns:
            if name not in row:
                found = quoted(", ".join(str(key) for key in row))
                stop(3, f"{where} the columns {found}, but no {name}; {expected}")
            found = quoted(row[name])
            wrong = check(row, name, rows[i - 1] if i else None)
            if wrong:
                stop(3, f"{where} {name} {found}, expected {wrong}")
    return rows


def check_number(row, name, low, high):
    """Converts it to a number. @return what was expected instead, or None if it is valid"""
    try:
        x = float(row[name])
    except (TypeError, ValueError, OverflowError):
        return "a number"
    if not low <= x <= high:
        return f"a number from {low:g} to {high:g}"
    row[name] = x
    return None


# ---- Axes ----------------------------------------------------------------------------------------

def linear_ticks(low, high, most=8):
    """@return round numbers that span low to high, and their number of decimals"""
    power = math.floor(math.log10((high - low) / most))
    step = next(m * 10.0 ** power for m in (1, 2, 5, 10, 20, 50)
                if math.ceil(high / (m * 10.0 ** power)) -
                math.floor(low / (m * 10.0 ** power)) < most)
    first, last = math.floor(low / step), math.ceil(high / step)
    return [i * step for i in range(first, last + 1)], max(0, -math.floor(math.log10(step) + 1e-9))


def number(x, plain_below=1e5):
    if 1e-3 <= x < plain_below or x == 0:
        return f"{x:,.10f}".rstrip("0").rstrip(".")
    digits, power = f"{x:.2e}".split("e")
    digits = digits.rstrip("0").rstrip(".")
    power = str(int(power)).translate(SUPERSCRIPTS)
    return ("" if digits == "1" else digits + "·") + "10" + power


# ---- Drawing -------------------------------------------------------------------------------------

def markup(text):
    """@return the text with valid characters only, escaped for XML"""
    return escape(re.sub("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", "\ufffd", text))


def label(x, y, text, size=13, anchor="start", colour=INK, more=""):
    return (f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" text-anchor="{anchor}" '
            f'fill="{colour}"{more}>{markup(text)}</text>')


def line(x1, y1, x2, y2, colour):
    return (f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{colour}"/>')


def width_of(text, size):
    """@return about the width of the text in a wide sans-serif font"""
    return 0.6 * size * len(text)


def heading(title, x, y):
    """The title, wrapped to up to three lines. @return parts, y of the next line"""
    parts = []
    for text in textwrap.wrap(title, 75)[:3]:
        parts.append(label(x, y, text, 17, more=' font-weight="bold"'))
        y += 24
    return parts, y


def legend(names, left, right, y, key):
    """Entries from left to right, wrapped. @param key (model, x, y): draws the symbol of a model
    @return parts, y of the last line"""
    parts, x = ['<g class="legend">'], left
    for i, text in enumerate(names):
        needed = 34 + width_of(text, 13)
        if x > left and x + needed > right:
            x, y = left, y + 20
        parts += key(i, x, y - 4.5)
        parts.append(label(x + 31, y, text))
        x += needed + 18
    return parts + ["</g>"], y


def shortened(name):
    return name if len(name) <= 60 else name[:29] + "…" + name[-30:]


def document(title, width, height, parts, background='fill="#ffffff"', font="sans-serif"):
    return "\n".join([
        '<?xml version="1.0" encoding="UTF-8"?>',
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
        f'viewBox="0 0 {width} {height}" font-family="{font}">',
        f"<title>{markup(title)}</title>",
        f'<rect width="{width}" height="{height}" {background}/>'] + parts + ["</svg>", ""])
