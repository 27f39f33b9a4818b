#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Draw what a program had on its terminal, as SVG.

usage: screen.py COLUMNSxROWS < BYTES > PICTURE.svg

BYTES is all that was sent to a terminal of type linux, as tools/tests/terminal.py
prints it: docs/pictures/top.sh makes the picture of `vmdemoctl top` so.
"""
import re
import sys
from xml.sax.saxutils import escape

COLOURS = ("#2e3436", "#ef5350", "#7cb342", "#e0b000", "#5c9ded", "#c07ad0", "#36b6c0", "#d3d7cf")
PLAIN, BACK = "#d3d7cf", "#16191c"
WIDE, HIGH = 8.4, 17

CONTROL = re.compile(r"\x1b\[([?>=!]?)([0-9;]*)([a-zA-Z@`])|\x1b[()][0-9A-B]|\x1b[\]]R|\x1b[=>78c]|[\x0e\x0f]")


class Screen:
    """Just what ncurses uses of a terminal."""

    def __init__(self, columns, rows):
        self.columns, self.rows = columns, rows
        self.cells = [[None] * columns for _ in range(rows)]
        self.row = self.column = 0
        self.look = self.reset = (None, False, False)   # colour, bold, reverse

    def put(self, char):
        if self.column == self.columns:
            self.column = 0
            self.line_feed()
        self.cells[self.row][self.column] = (char, self.look)
        self.column += 1

    def line_feed(self):
        if self.row + 1 < self.rows:
            self.row += 1
        else:
            self.cells = self.cells[1:] + [[None] * self.columns]

    def erase(self, first, last):
        for at in range(max(first, 0), min(last, self.columns * self.rows)):
            self.cells[at // self.columns][at % self.columns] = None

    def paint(self, numbers):
        colour, bold, reverse = self.look
        for n in numbers or [0]:
            if n == 0:
                colour, bold, reverse = self.reset
            elif n == 1:
                bold = True
            elif n in (21, 22):
                bold = False
            elif n in (7, 27):
                reverse = n == 7
            elif 30 <= n <= 37:
                colour = n - 30
            elif n == 39:
                colour = None
        self.look = (colour, bold, reverse)

    def control(self, numbers, what):
        n = numbers[0] if numbers and numbers[0] else 1
        here = self.row * self.columns + self.column
        if what in "Hf":
            self.row = min(n, self.rows) - 1
            self.column = min(numbers[1] if len(numbers) > 1 else 1, self.columns) - 1
        elif what == "d":
            self.row = min(n, self.rows) - 1
        elif what in "G`":
            self.column = min(n, self.columns) - 1
        elif what == "A":
            self.row = max(self.row - n, 0)
        elif what == "B":
            self.row = min(self.row + n, self.rows - 1)
        elif what == "C":
            self.column = min(self.column + n, self.columns - 1)
        elif what == "D":
            self.column = max(self.column - n, 0)
        elif what == "J":
            self.erase(0 if numbers and numbers[0] == 2 else here, self.columns * self.rows)
        elif what == "K":
            start = self.row * self.columns
            side = numbers[0] if numbers else 0
            self.erase(start if side else here, here + 1 if side == 1 else start + self.columns)
        elif what == "X":
            self.erase(here, here + n)
        elif what in "@P":
            line = self.cells[self.row]
            if what == "@":
                line[self.column:] = ([None] * n + line[self.column:])[:self.columns - self.column]
            else:
                line[self.column:] = (line[self.column:] + [None] * self.columns)[n:][:self.columns - self.column]
        elif what in "LM":
            below = self.cells[self.row:]
            empty = [[None] * self.columns for _ in range(n)]
            below = empty + below if what == "L" else below[n:] + empty
            self.cells[self.row:] = below[:self.rows - self.row]
        elif what == "m":
            self.paint(numbers)

    def feed(self, text):
        at = 0
        while at < len(text):
            found = CONTROL.match(text, at)
            if found:
                if found[3] and not found[1]:
                    self.control([int(n or 0) for n in found[2].split(";")] if found[2] else [], found[3])
                at = found.end()
                continue
            char = text[at]
            at += 1
            if char == "\r":
                self.column = 0
            elif char == "\n":
                self.line_feed()
            elif char == "\b":
                self.column = max(self.column - 1, 0)
            elif char >= " ":
                self.put(char)


def runs(line):
    """Neighbours that look the same: column, look, text."""
    result = []
    for column, cell in enumerate(line):
        char, look = cell or (" ", (None, False, False))
        if result and result[-1][1] == look:
            result[-1][2] += char
        else:
            result.append([column, look, char])
    return result


def draw(screen, out):
    wide, high = screen.columns * WIDE + 16, screen.rows * HIGH + 16
    out.write(f'<svg xmlns="http://www.w3.org/2000/svg" width="{wide:.0f}" height="{high:.0f}" '
              f'font-family="DejaVu Sans Mono, monospace" font-size="14">\n'
              f'<rect width="100%" height="100%" rx="6" fill="{BACK}"/>\n')
    for row, line in enumerate(screen.cells):
        for column, (colour, bold, reverse), text in runs(line):
            if not text.strip() and not reverse:
                continue
            x, y = 8 + column * WIDE, 8 + row * HIGH
            front = PLAIN if colour is None else COLOURS[colour]
            if reverse:
                out.write(f'<rect x="{x:.1f}" y="{y}" width="{len(text) * WIDE:.1f}" '
                          f'height="{HIGH}" fill="{front}"/>\n')
                front = BACK
            weight = "bold" if bold else "normal"
            out.write(f'<text x="{x:.1f}" y="{y + 13}" fill="{front}" font-weight="{weight}" '
                      f'textLength="{len(text) * WIDE:.1f}" xml:space="preserve">{escape(text)}</text>\n')
    out.write("</svg>\n")


def main():
    columns, rows = map(int, sys.argv[1].split("x"))
    screen = Screen(columns, rows)
    screen.feed(sys.stdin.buffer.read().decode(errors="replace"))
    draw(screen, sys.stdout)


main()
