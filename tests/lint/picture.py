#!/usr/bin/env python3
"""The picture of which room includes which, made from the sources and kept in ARCHITECTURE.md between two markers.

usage: tests/lint/picture.py [--check]
Writes the picture into ARCHITECTURE.md; with --check writes nothing, prints `ok` or `FAIL`, and fails where the one
there is another.
"""
import re
import sys

from rules import MAY_INCLUDE, ROOT, room_of

PAGE = ROOT / 'ARCHITECTURE.md'
BEGIN = '<!-- picture of the rooms: made by tests/lint/picture.py -->\n'
END = '<!-- end of the picture -->\n'
ROOMS = list(MAY_INCLUDE)  # lowest first
INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"/]+)/', re.M)


def included_by_room():
    """Each room with the set of the other rooms that its files include."""
    included = {room: set() for room in ROOMS}
    for file in sorted((ROOT / 'src').rglob('*.[ch]')):
        room = room_of(file.relative_to(ROOT).as_posix())
        included[room] |= set(INCLUDE.findall(file.read_text())) - {room}
    return included


def draw(included):
    """A row a room, highest first; a column a room that it may stand on. A mark right of the diagonal would be an arrow up."""
    lines = [' ' * 10 + ' '.join(ROOMS)]
    for room in reversed(ROOMS):
        cells = ('─' if column == room else '●' if column in included[room] else ' ' for column in ROOMS)
        lines.append((room.ljust(10) + ' '.join(cell.center(len(column)) for cell, column in zip(cells, ROOMS))).rstrip())
    return '```\n' + '\n'.join(lines) + '\n```\n'


def main():
    page = PAGE.read_text()
    before, rest = page.split(BEGIN)
    there, after = rest.split(END)
    picture = draw(included_by_room())
    if '--check' not in sys.argv:
        PAGE.write_text(before + BEGIN + picture + END + after)
        return 0
    is_fresh = there == picture
    print(f'{"ok" if is_fresh else "FAIL"} lint.picture{"" if is_fresh else ": run tests/lint/picture.py"}')
    return 0 if is_fresh else 1


if __name__ == '__main__':
    sys.exit(main())
