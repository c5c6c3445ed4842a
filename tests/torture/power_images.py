"""Rebuilds what a disk may hold after a power loss, from the log of what a process did to its files.

Used by `power_loss.py`. The model: what was synced is there. Of what was written since, each sector of 512 bytes holds
any version it has had, so writes are dropped, torn and reordered; the size of a file is any it has had. What was done
to folders (create, rename, remove) is a prefix of it, at least up to the last sync of a folder. A mapped page is a
write that is never synced. Reads logs and folders, writes images; judges nothing.
"""

import random
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

# `struct header` of power_log.c.
HEADER = struct.Struct("<c7xQQQII")

# What a disk writes as a whole.
SECTOR = 512

# Pages and files that are all zero are left as holes.
HOLE = 4096


@dataclass
class Event:
    """One thing that was done: the header's fields, and the bytes or the second path."""

    operation: str
    inode: int
    offset: int
    length: int
    path: str
    data: bytes


def events(log: Path) -> Iterator[Event]:
    """What the log says, in order. A last event that is not whole was not done."""
    content = log.read_bytes()
    at = 0
    while at + HEADER.size <= len(content):
        operation, inode, offset, length, path_bytes, data_bytes = HEADER.unpack_from(content, at)
        at += HEADER.size
        if at + path_bytes + data_bytes > len(content):
            return
        path = content[at : at + path_bytes].decode()
        at += path_bytes
        yield Event(operation.decode(), inode, offset, length, path, content[at : at + data_bytes])
        at += data_bytes


@dataclass
class File:
    """A file: what is certain to be on the disk, and what was done to it since."""

    durable: bytearray = field(default_factory=bytearray)
    sizes: list[int] = field(default_factory=lambda: [0])
    writes: list[tuple[int, bytes]] = field(default_factory=list)

    def write(self, offset: int, data: bytes) -> None:
        """A write, not synced."""
        self.writes.append((offset, data))
        self.sizes.append(max(self.sizes[-1], offset + len(data)))

    def resize(self, size: int) -> None:
        """A size that was set. What is cut off reads as zeros when the file grows again."""
        if size < self.sizes[-1]:
            self.writes.append((size, bytes(self.sizes[-1] - size)))
        self.sizes.append(size)

    def whole(self) -> bytearray:
        """As the process sees it."""
        content = bytearray(self.durable)
        for offset, data in self.writes:
            _put(content, offset, data)
        return _cut(content, self.sizes[-1])

    def sync(self) -> None:
        """All of it is on the disk."""
        self.durable, self.writes, self.sizes = self.whole(), [], [self.sizes[-1]]

    def lost(self, chance: random.Random) -> bytearray:
        """As it may be after a power loss."""
        content = bytearray(self.durable)
        way = chance.random()
        if way < 0.15:
            return content  # nothing since the last sync
        if way < 0.3:
            return self.whole()
        if way < 0.5:  # in order up to a moment, the last one torn
            kept = self.writes[: chance.randint(0, len(self.writes))]
            for offset, data in kept[:-1]:
                _put(content, offset, data)
            if kept:
                offset, data = kept[-1]
                _put(content, offset, data[: chance.randrange(0, len(data) + 1, SECTOR)])
        else:
            share = chance.choice([0.1, 0.5, 0.9, 0.99])
            for offset, data in _sectors(self.writes):
                if chance.random() < share:
                    _put(content, offset, data)
        return _cut(content, chance.choice(self.sizes[-4:]) if chance.random() < 0.5 else self.sizes[-1])


def _put(content: bytearray, offset: int, data: bytes) -> None:
    if len(content) < offset + len(data):
        content.extend(bytes(offset + len(data) - len(content)))
    content[offset : offset + len(data)] = data


def _cut(content: bytearray, size: int) -> bytearray:
    del content[size:]
    content.extend(bytes(size - len(content)))
    return content


def _sectors(writes: list[tuple[int, bytes]]) -> Iterator[tuple[int, bytes]]:
    for offset, data in writes:
        begin = 0
        while begin < len(data):
            end = min(len(data), (offset + begin) // SECTOR * SECTOR + SECTOR - offset)
            yield offset + begin, data[begin:end]
            begin = end


Names = dict[str, File | None]  # None: a folder


class Disk:
    """The files under a folder, as a log goes on."""

    def __init__(self, root: Path) -> None:
        self.root = str(root)
        self._inodes: dict[int, File] = {}
        self._names: Names = {}  # as the process sees them
        self._certain: Names = {}  # as they are on the disk
        self._pending: list[Event] = []  # done to names since
        self._folders: dict[int, str] = {}
        self.mark = 0  # calls below it are committed

    def load(self, folder: Path) -> None:
        """Begins with what a folder holds; all of it is on the disk."""
        for path in [folder, *sorted(folder.rglob("*"))]:
            name, inode = self.root + str(path)[len(str(folder)) :], path.stat().st_ino
            if path.is_dir():
                self._names[name] = None
            else:
                content = bytearray(path.read_bytes())
                self._names[name] = self._inodes[inode] = File(content, [len(content)])
        self._certain = dict(self._names)

    def load_empty(self) -> None:
        """Begins with the folder alone."""
        self._names = self._certain = {self.root: None}

    def apply(self, event: Event) -> None:
        """One event of the log."""
        file = self._inodes.get(event.inode)
        match event.operation:
            case "M":
                self.mark = event.length
            case "W" if file:
                file.write(event.offset, event.data)
            case "T" if file:
                file.resize(event.length)
            case "A" if file:
                file.resize(max(file.sizes[-1], event.offset + event.length))
            case "S" if file:
                file.sync()
            case "S":  # a folder: what was done to names is on the disk
                self._certain, self._pending = dict(self._names), []
            case "C":
                self._inodes[event.inode] = File()
                self._rename_or_make(self._names, event)
                self._pending.append(event)
            case "D" | "R" | "U":
                self._rename_or_make(self._names, event)
                self._pending.append(event)

    def _rename_or_make(self, names: Names, event: Event) -> None:
        match event.operation:
            case "C":
                names[event.path] = self._inodes[event.inode]
            case "D":
                names[event.path] = None
            case "U":
                names.pop(event.path, None)
            case "R":
                target = event.data.decode()
                moved = [name for name in names if name == event.path or name.startswith(event.path + "/")]
                for name in moved:
                    names[target + name[len(event.path) :]] = names.pop(name)

    def image(self, place: Path, chance: random.Random) -> None:
        """Writes what the disk may hold after a power loss at this moment to a folder that is not there yet."""
        names = dict(self._certain)
        for event in self._pending[: chance.randint(0, len(self._pending))]:
            self._rename_or_make(names, event)
        place.mkdir()
        for name, file in sorted(names.items()):
            path = place / name[len(self.root) :].lstrip("/")
            if file is None:
                path.mkdir(parents=True, exist_ok=True)
            elif path.parent.exists():
                write_with_holes(path, file.lost(chance))


def write_with_holes(path: Path, content: bytearray) -> None:
    """Writes a file; pages of zeros become holes, for most of a journal is zeros."""
    zeros = bytes(HOLE)
    with path.open("wb") as out:
        for at in range(0, len(content), HOLE):
            page = content[at : at + HOLE]
            if page != zeros[: len(page)]:
                out.seek(at)
                out.write(page)
        out.truncate(len(content))
