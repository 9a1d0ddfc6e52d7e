"""What fault_files.cpp wrote down, and a disk that does with it what a power cut may do."""

import dataclasses
import random

SECTOR = 512


@dataclasses.dataclass
class Change:
    op: str  # write, truncate, sync, syncfs, create, rename, remove; send for what went out
    error: int  # an errno when it failed
    offset: int  # for truncate the size
    data: bytes
    name: str

    def __str__(self):
        return f"{self.op} of {self.name}"


def read_log(path):
    log = path.read_bytes()
    changes, at = [], 0
    while at < len(log):
        end = log.index(b"\n", at)
        op, error, offset, length, name = log[at:end].decode().split(" ", 4)
        changes.append(Change(op, int(error), int(offset), log[end + 1:end + 1 + int(length)], name))
        at = end + 2 + int(length)
    return changes


class File:
    def __init__(self):
        self.safe = bytearray()
        self.unsynced = []


class Disk:
    """The files of one folder. What was not synced may survive a power cut or not, and in part; names are synced with the folder."""

    def __init__(self, changes=()):
        self.names = {}  # as the program sees them
        self.safe_names = {}
        for change in changes:
            self.apply(change)

    def apply(self, change):
        if change.op == "send":
            return
        if change.op == "sync" and change.error:
            # Nobody knows what became of it, and the next sync does not bring it back.
            if change.name in self.names:
                self.names[change.name].unsynced.clear()
        elif change.error:
            return
        elif change.op == "create":
            self.names[change.name] = File()
        elif change.op == "rename":
            old, new = change.name.split(" ")
            self.names[new] = self.names.pop(old)
        elif change.op == "remove":
            del self.names[change.name]
        elif change.op == "syncfs" or (change.op == "sync" and change.name == "."):
            if change.op == "syncfs":
                for file in self.names.values():
                    self.sync(file)
            self.safe_names = dict(self.names)
        elif change.op == "sync":
            self.sync(self.names[change.name])
        else:
            self.names[change.name].unsynced.append(change)

    @staticmethod
    def perform(content, change):
        if change.op == "truncate":
            del content[change.offset:]
            content.extend(bytes(max(0, change.offset - len(content))))
            return
        if len(content) < change.offset:
            content.extend(bytes(change.offset - len(content)))
        content[change.offset:change.offset + len(change.data)] = change.data

    def sync(self, file):
        for change in file.unsynced:
            self.perform(file.safe, change)
        file.unsynced.clear()

    @classmethod
    def perform_in_part(cls, content, change, rng):
        if change.op == "truncate":
            if rng.random() < 0.5:
                cls.perform(content, change)
            return
        at = 0
        while at < len(change.data):
            n = min(SECTOR - (change.offset + at) % SECTOR, len(change.data) - at)
            if rng.random() < 0.6:
                cls.perform(content, dataclasses.replace(change, offset=change.offset + at, data=change.data[at:at + n]))
            at += n

    def after_cut(self, survivors, seed=0):
        """The content of each file; `survivors`: what of the unsynced is there, "none", "all" or "some"."""
        rng = random.Random(seed)
        names = self.names if survivors == "all" or (survivors == "some" and rng.random() < 0.5) else self.safe_names
        left = {}
        for name, file in names.items():
            content = bytearray(file.safe)
            for change in file.unsynced if survivors != "none" else ():
                if survivors == "all":
                    self.perform(content, change)
                else:
                    self.perform_in_part(content, change, rng)
            left[name] = bytes(content)
        return left

    def lay_out(self, folder, survivors, seed=0):
        folder.mkdir(exist_ok=True)
        for name, content in self.after_cut(survivors, seed).items():
            (folder / name).write_bytes(content)
