#!/usr/bin/env python3
"""Real commands → a picture of the terminal they ran in (SVG, for light and dark pages). Needs nothing but Python on a
Unix.

    python3 tools/terminal_svg.py docs/pictures/story.svg './rung "Once upon a time"' './rung pull --list'
    python3 tools/terminal_svg.py --type 'Hi!' --type '/stats' docs/pictures/chat.svg './rung chat'

Each command is run by the shell in a pseudo-terminal, one after the other, and drawn below its prompt. What the screen
would show in the end is what is drawn: colours, erased and overwritten lines, wide characters.
"""
import argparse
import dataclasses
import fcntl
import os
import pty
import re
import select
import struct
import sys
import termios
import time
import unicodedata
from xml.sax.saxutils import escape

CELL, LINE, MARGIN, BASELINE = 8.4, 18, 16, 13  # pixels, for a monospaced font of 14 px


@dataclasses.dataclass(frozen=True)
class Style:
    foreground: str = ""  # "": the page's own; "c0" to "c15": a colour of the palette; "#rrggbb"
    background: str = ""
    bold: bool = False
    dim: bool = False
    italic: bool = False
    underline: bool = False
    inverse: bool = False


class Screen:
    """What a terminal of `columns` would show. Lines that scroll away are kept."""

    SEQUENCE = re.compile(r"\x1b\[([0-9;:?]*)([@-~])|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b[()][0-9A-B]|\x1b[=>78]|(.)",
                          re.S)

    def __init__(self, columns):
        self.columns, self.row, self.column, self.style = columns, 0, 0, Style()
        self.lines = [{}]  # column → (character with its combining marks, width, style)

    def write(self, text):
        for parameters, final, character in (match.groups() for match in self.SEQUENCE.finditer(text)):
            if character:
                self.put(character)
            elif final:
                self.control([int(n) if n.isdigit() else 0 for n in re.split("[;:]", parameters.lstrip("?"))], final)

    def move(self, row, column):
        self.row, self.column = max(row, 0), min(max(column, 0), self.columns - 1)
        while len(self.lines) <= self.row:
            self.lines.append({})

    def put(self, character):
        if character == "\n":
            self.move(self.row + 1, self.column)
        elif character == "\r":
            self.column = 0
        elif character == "\b":
            self.column = max(self.column - 1, 0)
        elif character == "\t":
            self.move(self.row, (self.column // 8 + 1) * 8)
        elif ord(character) >= 32:
            self.draw(character)

    def draw(self, character):
        line = self.lines[self.row]
        before = max((c for c in line if c < self.column), default=None)
        joined = before is not None and line[before][0].endswith("\u200d")
        if unicodedata.category(character) in ("Mn", "Me", "Cf") or joined or 0x1F3FB <= ord(character) <= 0x1F3FF:
            if before is not None:
                text, width, style = line[before]
                line[before] = (text + character, width, style)
            return
        width = 2 if unicodedata.east_asian_width(character) in "WF" else 1
        if self.column + width > self.columns:
            self.move(self.row + 1, 0)
            line = self.lines[self.row]
        line[self.column] = (character, width, self.style)
        if width == 2:
            line.pop(self.column + 1, None)
        self.column += width

    def control(self, n, final):
        count = max(n[0], 1)
        if final == "m":
            self.select(n)
        elif final == "K":
            keep = {0: lambda c: c < self.column, 1: lambda c: c > self.column, 2: lambda c: False}[n[0]]
            self.lines[self.row] = {c: cell for c, cell in self.lines[self.row].items() if keep(c)}
        elif final == "J":
            del self.lines[self.row + 1 :]
            self.lines[self.row] = {c: cell for c, cell in self.lines[self.row].items() if c < self.column}
        elif final in "AB":
            self.move(self.row + (count if final == "B" else -count), self.column)
        elif final in "CD":
            self.move(self.row, self.column + (count if final == "C" else -count))
        elif final == "G":
            self.move(self.row, count - 1)

    def select(self, codes):
        change = lambda **what: setattr(self, "style", dataclasses.replace(self.style, **what))
        codes = list(codes)
        while codes:
            code = codes.pop(0)
            if code == 0:
                self.style = Style()
            elif code in (1, 2, 3, 4, 7):
                change(**{{1: "bold", 2: "dim", 3: "italic", 4: "underline", 7: "inverse"}[code]: True})
            elif code == 22:
                change(bold=False, dim=False)
            elif code in (23, 24, 27):
                change(**{{23: "italic", 24: "underline", 27: "inverse"}[code]: False})
            elif code in (38, 48):
                change(**{"foreground" if code == 38 else "background": extended_colour(codes)})
            elif code in (39, 49):
                change(**{"foreground" if code == 39 else "background": ""})
            else:
                for first, field, offset in ((30, "foreground", 0), (40, "background", 0), (90, "foreground", 8),
                                             (100, "background", 8)):
                    if first <= code < first + 8:
                        change(**{field: f"c{code - first + offset}"})


def extended_colour(codes):
    """The rest of 38;5;N or 38;2;R;G;B, taken from `codes`."""
    if codes and codes.pop(0) == 2:
        red, green, blue = (codes + [0, 0, 0])[:3]
        del codes[:3]
        return f"#{red:02x}{green:02x}{blue:02x}"
    n = codes.pop(0) if codes else 0
    if n < 16:
        return f"c{n}"
    if n >= 232:
        return f"#{8 + 10 * (n - 232):02x}" + f"{8 + 10 * (n - 232):02x}" * 2
    level = lambda i: 55 + 40 * i if i else 0
    return "#" + "".join(f"{level((n - 16) // step % 6):02x}" for step in (36, 6, 1))


def run(command, columns, rows, typed, limit_s):
    """What `command` writes to a terminal. A line of `typed` is entered whenever it has been quiet for two seconds."""
    child, terminal = pty.fork()
    if child == 0:
        os.environ.update(TERM="xterm-256color", COLORTERM="truecolor", COLUMNS=str(columns), LINES=str(rows))
        os.environ.pop("NO_COLOR", None)
        os.execvp("sh", ["sh", "-c", command])
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
    output, typed, end = b"", list(typed), time.monotonic() + limit_s
    while time.monotonic() < end:
        if not select.select([terminal], [], [], 2)[0]:
            if typed:
                line = typed.pop(0)
                os.write(terminal, b"\x04" if line == "^D" else line.encode() + b"\n")
            continue
        try:
            block = os.read(terminal, 65536)
        except OSError:  # Linux says so when the other side is closed
            block = b""
        if not block:
            break
        output += block
    else:
        sys.exit(f"{command}: still running after {limit_s} s")
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if status:
        sys.exit(f"{command}: exit status {status}\n{output.decode(errors='replace')}")
    return output.decode(errors="replace")


def spans(line):
    """Neighbouring cells of one style → (column, cells, text, style). What is wider than a cell stands alone, so that
    no font moves it."""
    runs = []
    for column, (text, width, style) in sorted(line.items()):
        last = runs[-1] if runs else None
        if last and last[3] == style and last[0] + last[1] == column and width == 1 and len(text) == 1 and last[
            1] == len(last[2]):
            runs[-1] = (last[0], last[1] + 1, last[2] + text, style)
        else:
            runs.append((column, width, text, style))
    return runs


def drawn_line(y, line):
    boxes, texts = "", ""
    for column, cells, text, style in spans(line):
        x, width = MARGIN + column * CELL, cells * CELL
        front, back = style.foreground, style.background
        if style.inverse:
            front, back = back or "page", front or "ink"
        if back:
            boxes += f'<rect x="{x:.1f}" y="{y}" width="{width:.1f}" height="{LINE}" {paint(back, [])}/>'
        if text.strip():  # spaces at the ends are left out: not every viewer keeps them
            x, width = x + CELL * (len(text) - len(text.lstrip())), width - CELL * (len(text) - len(text.strip()))
            text = text.strip()
            classes = [name for name in ("bold", "dim", "italic", "underline") if getattr(style, name)]
            fill = paint(front, classes)
            texts += f'<tspan x="{x:.1f}" textLength="{width:.1f}" {fill}>{escape(text)}</tspan>'
    return boxes + (f'<text y="{y + BASELINE}">{texts}</text>' if texts else "")


def paint(colour, classes):
    """The attributes that give an element its colour and its classes."""
    direct = f' fill="{colour}"' if colour.startswith("#") else ""
    names = classes + ([colour] if colour and not direct else [])
    return (f'class="{" ".join(names)}"' if names else "") + direct


LIGHT = ("#ffffff #1f2328 #d0d7de #24292f #cf222e #116329 #7d4e00 #0969da #8250df #1b7c83 #6e7781 #57606a #a40e26 "
         "#1a7f37 #9a6700 #218bff "
         "#a475f9 #3192aa #8c959f")
DARK = ("#0d1117 #e6edf3 #30363d #484f58 #ff7b72 #3fb950 #d29922 #58a6ff #bc8cff #39c5cf #b1bac4 #6e7681 #ffa198 "
        "#56d364 #e3b341 #79c0ff "
        "#d2a8ff #56d4dd #ffffff")
NAMES = ["page", "ink", "edge"] + [f"c{i}" for i in range(16)]


def palette(colours):
    return "".join(f".{name}{{fill:{colour}}}" for name, colour in zip(NAMES, colours.split()))


def svg(screen, title):
    lines = screen.lines
    while len(lines) > 1 and not lines[-1]:
        lines.pop()
    width, height = round(2 * MARGIN + screen.columns * CELL), 2 * MARGIN + len(lines) * LINE
    body = "\n".join(filter(None, (drawn_line(MARGIN + LINE * i, line) for i, line in enumerate(lines))))
    return f"""<svg xmlns="http://www.w3.org/2000/svg" xml:space="preserve" viewBox="0 0 {width} {height}" \
width="{width}" height="{height}" role="img">
<title>{escape(title)}</title>
<style>
text{{font:14px ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace;white-space:pre}}
text{{fill:{LIGHT.split()[1]}}}.bold{{font-weight:600}}.dim{{opacity:.65}}.italic{{font-style:italic}}\
.underline{{text-decoration:underline}}
{palette(LIGHT)}
@media(prefers-color-scheme:dark){{text{{fill:{DARK.split()[1]}}}{palette(DARK)}}}
</style>
<rect class="edge" width="{width}" height="{height}" rx="8"/>
<rect class="page" x="1" y="1" width="{width - 2}" height="{height - 2}" rx="7"/>
{body}
</svg>
"""


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("picture", help="the SVG file to write")
    parser.add_argument("commands", nargs="+", metavar="command",
                        help="a command line, shown after the prompt as it is written here")
    parser.add_argument("--columns", type=int, default=100)
    parser.add_argument("--rows", type=int, default=40, help="of the terminal that the command sees; the picture has "
                                                             "as many as it needs")
    parser.add_argument("--type", action="append", default=[], metavar="LINE",
                        help="typed into the last command when it waits; ^D ends its input")
    parser.add_argument("--limit", type=float, default=600, metavar="SECONDS", help="how long a command may take")
    options = parser.parse_args()

    screen = Screen(options.columns)
    for i, command in enumerate(options.commands):
        last = i + 1 == len(options.commands)
        screen.write(f"\x1b[0;2m$\x1b[0;1m {command}\x1b[0m\r\n")
        screen.write(run(command, options.columns, options.rows, options.type if last else [], options.limit))
        if screen.column:
            screen.write("\r\n")
        if not last:
            screen.write("\x1b[0m\r\n")
    os.makedirs(os.path.dirname(os.path.abspath(options.picture)), exist_ok=True)
    with open(options.picture, "w", encoding="utf-8") as file:
        file.write(svg(screen, "$ " + "\n$ ".join(options.commands)))


if __name__ == "__main__":
    main()
