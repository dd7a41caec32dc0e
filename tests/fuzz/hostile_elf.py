#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""hostile_elf.py WHAT FROM TO: a program's file, made worthless in one way. unwind-*: the tables
that find and describe its frames; bomb: .debug_info that unpacks to far more than a program has."""
import struct
import sys
import zlib

UNPACKED = 400 << 20
what, source, target = sys.argv[1:]
data = bytearray(open(source, "rb").read())
table, = struct.unpack_from("<Q", data, 40)
count, names_index = struct.unpack_from("<HH", data, 60)
sections = {}
headers = [struct.unpack_from("<IIQQQQIIQQ", data, table + 64 * i) for i in range(count)]
for i, header in enumerate(headers):
    start = headers[names_index][4] + header[0]
    name = data[start : data.index(b"\0", start)].decode()
    sections[name] = (table + 64 * i, header[3], header[4], header[5])

_, hdr_address, hdr, _ = sections[".eh_frame_hdr"]
_, frame_address, frame, frame_bytes = sections[".eh_frame"]


def fdes():
    """Offsets in the file of all FDEs, and of their CIEs."""
    at = frame
    while at < frame + frame_bytes:
        length, back = struct.unpack_from("<II", data, at)
        if length == 0:
            break
        if back:
            yield at, at + 4 - back
        at += 4 + length


if what == "unwind-entry":  # the sorted table points to nowhere
    entries, = struct.unpack_from("<I", data, hdr + 8)
    for i in range(entries):
        struct.pack_into("<i", data, hdr + 12 + 8 * i + 4, 0x7FFFFF00)
elif what == "unwind-length":
    for at, _ in list(fdes()):
        struct.pack_into("<I", data, at, 0xFFFFFFE0)
elif what == "unwind-cie":
    for at, _ in list(fdes()):
        struct.pack_into("<I", data, at + 4, 0x7FFFFFF0)
elif what == "unwind-cie-length":
    for _, cie in list(fdes()):
        struct.pack_into("<I", data, cie, 0xFFFFFFE0)
elif what == "unwind-count":  # more entries than there is memory
    struct.pack_into("<I", data, hdr + 8, 0xFFFFFFFF)
elif what == "unwind-header":
    struct.pack_into("<I", data, hdr, 0xFFFFFFFF)
elif what == "bomb":
    packed = zlib.compress(bytes(UNPACKED), 1)
    section = struct.pack("<IIQQ", 1, 0, UNPACKED, 1) + packed
    where = sections[".debug_info"][0]
    struct.pack_into("<QQ", data, where + 24, len(data), len(section))
    flags, = struct.unpack_from("<Q", data, where + 8)
    struct.pack_into("<Q", data, where + 8, flags | 0x800)
    data += section
else:
    sys.exit(f"what is {what}?")
open(target, "wb").write(data)
