#!/usr/bin/env python3
"""gen-unicode.py [UNICODE_DIR] > src/text/unicode_tables.c

Generates the character classes that tokenizers need from the Unicode Character Database (Debian:
unicode-data). Neighbouring code points of one class are one range.
"""
import os
import sys

folder = sys.argv[1] if len(sys.argv) > 1 else "/usr/share/unicode"
LAST = 0x10FFFF

# General categories -> our classes; all others are OTHER.
CLASSES = {
    "Lu": "UPPER", "Lt": "TITLE", "Ll": "LOWER", "Lm": "MODIFIER", "Lo": "LETTER",
    "Mn": "MARK", "Mc": "MARK", "Me": "MARK",
    "Nd": "NUMBER", "Nl": "NUMBER", "No": "NUMBER",
    "Pc": "PUNCT", "Pd": "PUNCT", "Ps": "PUNCT", "Pe": "PUNCT", "Pi": "PUNCT", "Pf": "PUNCT",
    "Po": "PUNCT",
}


def read_categories():
    table = ["OTHER"] * (LAST + 1)
    first = None
    with open(os.path.join(folder, "UnicodeData.txt"), encoding="ascii") as f:
        for line in f:
            fields = line.split(";")
            code, name, category = int(fields[0], 16), fields[1], fields[2]
            if name.endswith(", First>"):
                first = code
                continue
            for c in range(first if name.endswith(", Last>") else code, code + 1):
                table[c] = CLASSES.get(category, "OTHER")
    return table


def add_white_space(table):
    version = None
    with open(os.path.join(folder, "PropList.txt"), encoding="utf-8") as f:
        for line in f:
            version = version or line.split("-")[1].split(".txt")[0]
            data = line.split("#")[0].split(";")
            if len(data) == 2 and data[1].strip() == "White_Space":
                bounds = [int(x, 16) for x in data[0].strip().split("..")]
                for c in range(bounds[0], bounds[-1] + 1):
                    table[c] = "SPACE"
    return version


def main():
    table = read_categories()
    version = add_white_space(table)
    starts = [c for c in range(LAST + 1) if c == 0 or table[c] != table[c - 1]]
    print(f"""/* unicode_tables.c - character classes of Unicode {version}.
 * Made by scripts/gen-unicode.py; do not edit. */
#include "unicode.h"

/* A class holds from its first code point to the next row's. */
const struct trit_unicode_range trit_unicode_ranges[] = {{""")
    row = ""
    for c in starts:
        item = f"{{0x{c:X}, TRIT_CHAR_{table[c]}}}, "
        if len(row) + len(item) > 95:
            print("    " + row.rstrip())
            row = ""
        row += item
    print("    " + row.rstrip())
    print("};\n")
    print("const size_t trit_n_unicode_ranges ="
          " sizeof trit_unicode_ranges / sizeof *trit_unicode_ranges;")


main()
