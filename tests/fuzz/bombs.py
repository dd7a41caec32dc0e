#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""bombs.py TRACE FOLDER: files that are made to do harm. bomb-*: small ones that unpack to
gigabytes of definitions; count-*: lengths, counts and ids near 2^60. TRACE is a sound one that
the blocks are put into."""
import gzip
import random
import struct
import subprocess
import sys
import zlib

META, MODULES, NODES, CLASSES, THREADS, EVENTS, TIMELINE, STRINGS, SYMBOLS = range(1, 10)
CLASS_COUNTERS, END = 10, 12
MEBIBYTE = 1 << 20
HUGE = 1 << 60


def blocks_of(path):
    data = open(path, "rb").read()
    at, blocks = 16, []
    while at < len(data):
        kind, codec, _, stored, raw, tick = struct.unpack_from("<BBHIIQ", data, at + 4)
        payload = data[at + 32 : at + 32 + stored]
        if codec == 1:
            payload = zlib.decompress(payload)
        elif codec == 2:
            payload = subprocess.run(["zstd", "-dc"], input=payload, capture_output=True).stdout
        assert len(payload) == raw
        blocks.append((kind, tick, payload))
        at += 32 + stored
    return data[:16], blocks


def block(kind, tick, payload):
    packed = zlib.compress(payload, 9)
    head = struct.pack("<4sBBHIIQI", b"Mblk", kind, 1, 0, len(packed), len(payload), tick,
                       zlib.crc32(packed))
    return head + struct.pack("<I", zlib.crc32(head)) + packed


def varint(number):
    out = b""
    while number >= 128:
        out += bytes([number & 127 | 128])
        number >>= 7
    return out + bytes([number])


def columns(*lists):
    return varint(len(lists)) + b"".join(varint(len(one)) for one in lists) + b"".join(lists)


def record(payload):
    return varint(len(payload)) + payload


header, good = blocks_of(sys.argv[1])


def read_varint(data, at):
    value = shift = 0
    while True:
        value |= (data[at] & 127) << shift
        shift += 7
        at += 1
        if data[at - 1] < 128:
            return value, at


def ticks_of(payload):
    at = total = 0
    while at < len(payload):
        length, at = read_varint(payload, at)
        total += read_varint(payload, at)[0]
        at += length
    return total


last_tick = sum(ticks_of(payload) for kind, _, payload in good if kind == TIMELINE)


def write(name, kind, payloads):
    """The blocks of the good trace with others before its END."""
    with open(f"{sys.argv[2]}/{name}", "wb") as out:
        out.write(header)
        for one in good:
            if one[0] == END:
                last = None
                for payload in payloads:
                    if payload is not last:
                        made = block(kind, last_tick if kind == TIMELINE else 0, payload)
                        last = payload
                    out.write(made)
            out.write(block(*one))


R = 16 * MEBIBYTE
some = (R - 64) // 4
write("bomb-strings", STRINGS, [b"\0" * R] * 8)
write("bomb-text", STRINGS, [record(b"a" * (R - 8))] * 24)
write("bomb-nodes", NODES, [columns(b"\1" * some, b"\0" * some, b"\0" * some, b"\0" * some)] * 2)
write("bomb-classes", CLASSES, [columns(b"\0" * some, b"\0" * some, b"\0" * some)] * 2)
write("bomb-modules", MODULES, [record(b"\0" * 5) * (R // 6)] * 3)
write("bomb-threads", THREADS, [record(b"\1\0\0") * (R // 4)] * 2)
write("bomb-meta", META, [b"\2\0" * (R // 2)] * 3)
write("bomb-symbols", SYMBOLS, [record(b"\0\0\0") * (R // 4)] * 2)
write("bomb-frames", SYMBOLS, [record(b"\0\0" + varint(R // 4) + b"\0" * (3 * (R // 4)))] * 8)
write("bomb-timeline", TIMELINE, [record(b"\0\0\0\0") * (R // 5)] * 4)

# heaptrack's text: a definition has few bytes, and all are the same; incompressible comments
# account for as much as a file of 1.8 MB may take
noise = random.Random(1).randbytes(1800000).replace(b"\n", b" ")
comments = b"".join(b"# " + noise[at : at + 60000] + b"\n" for at in range(0, len(noise), 60000))


def write_heaptrack(name, before, line, count):
    with gzip.open(f"{sys.argv[2]}/bomb-heaptrack-{name}.gz", "wb", compresslevel=6) as out:
        out.write(b"v 10400 2\ns a\ni 1 1\nt 1 0\n" + before)
        for _ in range(64):
            out.write(line * (count // 64))


write_heaptrack("small", b"", b"t 1 0\n", 8000000)
write_heaptrack("stacks", comments, b"t 1 0\n", 12000000)
write_heaptrack("classes", comments, b"a 1 1\n", 4000000)
write_heaptrack("strings", comments, b"s \n", 8000000)
write_heaptrack("addresses", comments, b"i 1 1\n", 4000000)
write_heaptrack("suppressions", comments, b"S a\n", 16000000)

# and an honest one, of a program that allocates 1, 2, 3 ... bytes: each byte accounts for 76
with open(f"{sys.argv[2]}/honest.zst", "wb") as out:
    lines = "".join(f"a {i + 1:x} 1\n+ {i:x}\n- {i:x}\n" for i in range(3000000))
    subprocess.run(["zstd", "-c"], stdout=out, stderr=subprocess.DEVNULL, check=True,
                   input=b"v 10400 2\nX a\ns a\ni 1 1\nt 1 0\n" + lines.encode() + b"# strings: 1\n")

write("count-string", STRINGS, [varint(HUGE)])
write("count-field", META, [b"\2" + varint(HUGE)])
write("count-record", MODULES, [varint(HUGE)])
write("count-columns", NODES, [varint(HUGE)])
write("count-column", NODES, [b"\4" + varint(HUGE) * 4])
write("count-frames", SYMBOLS, [record(b"\0\0" + varint(HUGE) + b"\0")])
write("count-thread", THREADS, [record(varint(HUGE) + b"\0\0")])
write("count-class", CLASSES, [columns(varint(2 * HUGE), b"\0", b"\0")])
write("count-operations", EVENTS, [varint(HUGE) + columns(*[b""] * 14)])
write("count-runs", EVENTS, [b"\1" + columns(b"", b"", varint(HUGE), *[b""] * 11)])
write("count-counters", CLASS_COUNTERS, [columns(*[varint(HUGE)] * 4)])
for name, line in {"text": f"s {HUGE:x} a", "stack": f"t {HUGE:x} 0", "class": f"a {HUGE:x} 0",
                   "event": f"+ {HUGE:x}", "number": "+ " + "f" * 20}.items():
    with open(f"{sys.argv[2]}/count-heaptrack-{name}", "w") as out:
        print("v 10400 3\nX 1 a\n" + line, file=out)
