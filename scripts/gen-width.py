#!/usr/bin/env python3
"""gen-width.py [UNICODE_DIR] > tools/term/width_table.c

Generates the number of terminal columns of each character from the Unicode Character Database
(Debian: unicode-data). Neighbouring code points of one kind are one range.
"""
import os
import sys

folder = sys.argv[1] if len(sys.argv) > 1 else "/usr/share/unicode"
LAST = 0x10FFFF
# Format characters that join the preceding character; all others are invisible controls.
JOINERS = [*range(0x200B, 0x200E), *range(0x2060, 0x2065), 0xFEFF]
JAMO = [*range(0x1160, 0x1200), *range(0xD7B0, 0xD800)]  # vowels and finals, which join the initial
# Format characters with a shape: signs of numbers, hieroglyph joiners.
SHAPED = [*range(0x600, 0x606), 0x6DD, 0x70F, 0x890, 0x891, 0x8E2, 0x110BD, 0x110CD,
          *range(0x13430, 0x13440)]
NAMES = ["NARROW", "WIDE", "MARK", "HIDDEN"]


def ranges(name):
    """first, last, fields of each line"""
    with open(os.path.join(folder, name), encoding="utf-8") as f:
        for line in f:
            data = [x.strip() for x in line.split("#")[0].split(";")]
            if len(data) >= 2:
                bounds = [int(x, 16) for x in data[0].split("..")]
                yield bounds[0], bounds[-1], data


def categories():
    table = ["Cn"] * (LAST + 1)
    first = 0
    for code, _, data in ranges("UnicodeData.txt"):
        if data[1].endswith(", First>"):
            first = code
            continue
        start = first if data[1].endswith(", Last>") else code
        table[start:code + 1] = [data[2]] * (code + 1 - start)
    return table


def main():
    category = categories()
    table = ["NARROW"] * (LAST + 1)
    for first, last, data in ranges("EastAsianWidth.txt"):
        if data[1] in ("W", "F"):
            table[first:last + 1] = ["WIDE"] * (last + 1 - first)
    for first, last, data in ranges("DerivedCoreProperties.txt"):
        if data[1] == "Default_Ignorable_Code_Point":
            for c in range(first, last + 1):
                if category[c] == "Cn":
                    table[c] = "HIDDEN"
    for c in range(LAST + 1):
        if category[c] in ("Mn", "Me") or c in JAMO or c in JOINERS:
            table[c] = "MARK"
        elif category[c] in ("Cc", "Cs", "Zl", "Zp") or c & 0xFFFE == 0xFFFE:
            table[c] = "HIDDEN"
        elif category[c] == "Cf" and c not in SHAPED:
            table[c] = "HIDDEN"
    with open(os.path.join(folder, "EastAsianWidth.txt"), encoding="utf-8") as f:
        version = f.readline().split("-")[1].split(".txt")[0]
    print(f"""/* width_table.c - columns of the characters of Unicode {version}.
 * Made by scripts/gen-width.py; do not edit. */
#include "width.h"

/* From one code point to the next row's: code point << 2 | kind. */
const uint32_t width_table[] = {{""")
    row = ""
    for c in range(LAST + 1):
        if c > 0 and table[c] == table[c - 1]:
            continue
        item = f"0x{c << 2 | NAMES.index(table[c]):X}, "
        if len(row) + len(item) > 95:
            print("    " + row.rstrip())
            row = ""
        row += item
    print("    " + row.rstrip())
    print("};\n")
    print("const size_t width_table_len = sizeof width_table / sizeof *width_table;")


main()
