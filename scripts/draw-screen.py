#!/usr/bin/env python3
"""draw-screen.py [--title TEXT] [-o OUT.svg] [FILE]: draws the contents of a terminal.

    tmux capture-pane -e -p | scripts/draw-screen.py -o screen.svg

Draws the lines of FILE (default: standard input) as an SVG that looks like a terminal of 80
columns, or more if a line is longer, in the colours of their SGR codes. Needs only Python's
standard library. Exit code 2: usage, 3: nothing to draw, 1: anything else.
"""
import re
import unicodedata
from collections import namedtuple

from svg_plot import Parser, document, markup, read, shown, stop, write

TITLE = "Terminal"
EXPECTED = "expected the lines of tmux capture-pane -e -p"
COLUMNS = 80
CELL, LINE, SIZE, MARGIN, BAR = 8.4, 19, 14, 18, 34  # BAR: the height of the title bar
PAPER, TEXT, DIM = "#1b1e24", "#d7dae0", "#8b919c"
BUTTONS = ["#ff5f57", "#febc2e", "#28c840"]
FONT = "ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace"
PALETTE = ["#3f4451", "#e06c75", "#98c379", "#e5c07b", "#61afef", "#c678dd", "#56b6c2", "#d7dae0",
           "#8b919c", "#ff7a85", "#b1e18b", "#efd289", "#7cc4ff", "#de90f2", "#6fd3df", "#ffffff"]

Style = namedtuple("Style", "ink paper bold dim italic underlined reversed")
PLAIN = Style(None, None, False, False, False, False, False)
# SGR code: the attribute and its new value.
ATTRIBUTES = {1: ("bold", True), 2: ("dim", True), 3: ("italic", True), 4: ("underlined", True),
              7: ("reversed", True), 23: ("italic", False), 24: ("underlined", False),
              27: ("reversed", False), 39: ("ink", None), 49: ("paper", None)}

CODE_OR_CHARACTER = r"\x1b\[([0-9;:]*)m|\x1b\[[0-9;:?]*[@-~]|\x1b[()].|([^\x00-\x1f\x7f])"


# ---- Reading -------------------------------------------------------------------------------------

def indexed(i):
    """@return the colour with that number, of 256"""
    if i < 16:
        return PALETTE[i]
    if i < 232:
        rgb = [55 + 40 * x if x else 0 for x in ((i - 16) // 36, (i - 16) // 6 % 6, (i - 16) % 6)]
    else:
        rgb = [8 + 10 * (i - 232)] * 3
    return "#{:02x}{:02x}{:02x}".format(*rgb)


def extended(codes):
    """Removes 5;N or 2;R;G;B, which follow 38 and 48, from codes. @return the colour or None"""
    kind = codes.pop(0) if codes else 0
    numbers = [min(x, 255) for x in codes[:{5: 1, 2: 3}.get(kind, 0)]]
    del codes[:len(numbers)]
    if kind == 5 and len(numbers) == 1:
        return indexed(numbers[0])
    return "#{:02x}{:02x}{:02x}".format(*numbers) if len(numbers) == 3 else None


def styled(style, text):
    """@return the style after the SGR code with that text between ESC [ and m"""
    codes = [int(x or 0) for x in re.split("[;:]", text)]
    while codes:
        code = codes.pop(0)
        if code == 0:
            style = PLAIN
        elif code == 22:
            style = style._replace(bold=False, dim=False)
        elif code in ATTRIBUTES:
            style = style._replace(**dict([ATTRIBUTES[code]]))
        elif code in (38, 48):
            style = style._replace(**{"ink" if code == 38 else "paper": extended(codes)})
        elif code // 10 in (3, 4, 9, 10) and code % 10 < 8:
            field = "ink" if code // 10 in (3, 9) else "paper"
            style = style._replace(**{field: PALETTE[code % 10 + (8 if code >= 90 else 0)]})
    return style


def columns_of(char):
    if unicodedata.combining(char) or unicodedata.category(char) in ("Cf", "Me", "Mn"):
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1


def lines_of(text):
    """@return lines of runs: [column, columns, text, style]"""
    lines, style = [], PLAIN
    for line in text.split("\n"):
        runs, column = [], 0
        for found in re.finditer(CODE_OR_CHARACTER, line):
            if found[1] is not None:
                style = styled(style, found[1])
            elif found[2]:
                if not runs or runs[-1][3] != style:
                    runs.append([column, 0, "", style])
                n = columns_of(found[2])
                runs[-1][1] += n
                runs[-1][2] += found[2]
                column += n
        lines.append(runs)
    while lines and not any(run[2].strip() for run in lines[-1]):
        lines.pop()
    return lines


# ---- Drawing -------------------------------------------------------------------------------------

def draw_run(run, y):
    """@param y the top of the line"""
    column, columns, text, style = run
    ink, paper = style.ink or (DIM if style.dim else TEXT), style.paper
    if style.reversed:
        ink, paper = paper or PAPER, ink
    parts, x = [], MARGIN + CELL * column
    if paper:
        parts.append(f'<rect x="{x:.1f}" y="{y:.1f}" width="{CELL * columns:.1f}" height="{LINE}" '
                     f'fill="{paper}"/>')
    if text.strip():
        x += CELL * (len(text) - len(text.lstrip(" ")))
        width = CELL * (columns - (len(text) - len(text.strip(" "))))
        more = "".join(attribute for on, attribute in (
            (ink != TEXT, f' fill="{ink}"'), (style.bold, ' font-weight="bold"'),
            (style.italic, ' font-style="italic"'),
            (style.underlined, ' text-decoration="underline"')) if on)
        parts.append(f'<text x="{x:.1f}" y="{y + 14:.1f}" textLength="{width:.1f}"{more}>'
                     f'{markup(text.strip(" "))}</text>')
    return parts


def picture(title, lines):
    columns = max([COLUMNS] + [column + n for runs in lines for column, n, _, _ in runs])
    width, height = round(2 * MARGIN + CELL * columns), BAR + LINE * len(lines) + MARGIN
    parts = [f'<circle cx="{MARGIN + 6 + 20 * i}" cy="18" r="6" fill="{colour}"/>'
             for i, colour in enumerate(BUTTONS)]
    parts.append(f'<g font-size="{SIZE}" fill="{TEXT}" xml:space="preserve">')
    for i, runs in enumerate(lines):
        for run in runs:
            parts += draw_run(run, BAR + LINE * i)
    return document(title, width, height, parts + ["</g>"], f'rx="9" fill="{PAPER}"', FONT)


def main():
    parser = Parser(__doc__, TITLE)
    parser.add_argument("file", metavar="FILE", nargs="?", default="-")
    args = parser.parse()
    lines = lines_of(read(args.file).decode("utf-8", "replace"))
    if not lines:
        stop(3, f"{shown(args.file)}: found nothing, {EXPECTED}")
    write(args.out, picture(args.title, lines))


main()
