"""Protocols out of a Mach-O file, on any machine: a compiled @protocol reference carries the whole protocol, so the
extension module of pyobjc-framework-Metal (a wheel for macOS) holds the encodings of its methods as Apple's compiler
wrote them from Apple's headers."""

import struct

FAT_MAGIC, MAGIC_64 = 0xCAFEBABE, 0xFEEDFACF
CPU_ARM64 = 0x0100000C
LC_SEGMENT_64, LC_DYLD_CHAINED_FIXUPS = 0x19, 0x80000034
RELATIVE_METHODS = 1 << 31  # a list of methods as three 32-bit offsets each


class Image:
    """The arm64 part of a file, its addresses and its pointers."""

    def __init__(self, data):
        self.data = self.slice_of(data)
        assert self.u32(0) == MAGIC_64
        self.segments, self.sections, self.fixups = [], {}, None
        at = 32
        for _ in range(self.u32(16)):
            command, size = self.u32(at), self.u32(at + 4)
            if command == LC_SEGMENT_64:
                self.segments.append(struct.unpack_from("<4Q", self.data, at + 24))
                for i in range(self.u32(at + 64)):
                    section = at + 72 + 80 * i
                    name = self.data[section : section + 16].rstrip(b"\0").decode()
                    self.sections[name] = (self.u64(section + 32), self.u64(section + 40))
            elif command == LC_DYLD_CHAINED_FIXUPS:
                self.fixups = self.u32(at + 8)
            at += size
        self.base = min(address for address, _, _, in_file in self.segments if in_file)
        self.pointer_format = self.format_of_pointers()

    @staticmethod
    def slice_of(data):
        if struct.unpack_from(">I", data, 0)[0] != FAT_MAGIC:
            return data
        for i in range(struct.unpack_from(">I", data, 4)[0]):
            cpu, _, offset, size, _ = struct.unpack_from(">5I", data, 8 + 20 * i)
            if cpu == CPU_ARM64:
                return data[offset : offset + size]
        raise ValueError("no arm64 in this file")

    def u32(self, at):
        return struct.unpack_from("<I", self.data, at)[0]

    def u64(self, at):
        return struct.unpack_from("<Q", self.data, at)[0]

    def format_of_pointers(self):
        if self.fixups is None:
            return 0
        starts = self.fixups + self.u32(self.fixups + 4)
        for i in range(self.u32(starts)):
            offset = self.u32(starts + 4 + 4 * i)
            if offset:
                return struct.unpack_from("<H", self.data, starts + offset + 6)[0]
        return 0

    def offset(self, address):
        for start, size, in_file, _ in self.segments:
            if start <= address < start + size:
                return in_file + address - start
        raise ValueError(hex(address))

    def pointer(self, address):
        """The pointer that is stored at an address; 0 if another file has what it points to."""
        value = self.u64(self.offset(address))
        if self.pointer_format in (2, 6):  # DYLD_CHAINED_PTR_64, and the same as an offset from the start
            if value >> 63:
                return 0
            return (value & 0xFFFFFFFFF) + (self.base if self.pointer_format == 6 else 0)
        if self.pointer_format in (1, 9, 12):  # arm64e
            return 0 if value >> 62 & 1 else (value & 0xFFFFFFFF) + self.base
        return value

    def text(self, address):
        start = self.offset(address)
        return self.data[start : self.data.index(b"\0", start)].decode()

    def methods(self, address):
        """(selector, encoding) of a list of methods."""
        if not address:
            return
        entry, count = self.u32(self.offset(address)), self.u32(self.offset(address) + 4)
        for i in range(count):
            if entry & RELATIVE_METHODS:
                at = address + 8 + 12 * i
                name, types = struct.unpack_from("<2i", self.data, self.offset(at))
                yield self.text(self.pointer(at + name)), self.text(at + 4 + types)
            else:
                at = address + 8 + (entry & 0xFFFC) * i
                yield self.text(self.pointer(at)), self.text(self.pointer(at + 8))


def methods(path):
    """(owner, kind, selector, encoding) of every protocol in the file."""
    with open(path, "rb") as file:
        image = Image(file.read())
    start, size = image.sections["__objc_protolist"]
    for i in range(size // 8):
        protocol = image.pointer(start + 8 * i)
        name = image.text(image.pointer(protocol + 8))
        for k, kind in enumerate("-+-+"):  # required, required of the class, optional, optional of the class
            for selector, encoding in image.methods(image.pointer(protocol + 24 + 8 * k)):
                yield name, kind, selector, encoding
