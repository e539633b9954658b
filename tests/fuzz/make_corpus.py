#!/usr/bin/env python3
"""Writes the fuzzers' corpora anew, into corpus/ beside this file. All of it is made here; none is an exchange's."""
import pathlib
import struct
import zlib

here = pathlib.Path(__file__).parent / "corpus"


def write(fuzzer, files):
    folder = here / fuzzer
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in files.items():
        (folder / name).write_bytes(data)


def soup(kind, payload=b""):
    return struct.pack(">H", len(payload) + 1) + kind + payload


def block(*messages):
    return b"".join(struct.pack(">H", len(m)) + m for m in messages)


def mold(count, blocks):
    return b"SESSION001" + struct.pack(">QH", 7, count) + blocks


def itch(kind, fields, locate=7):
    return kind + struct.pack(">HH", locate, 0) + (34_200 * 10**9).to_bytes(6, "big") + fields


accepted = soup(b"A", b"S1".rjust(10) + b"1".rjust(20))
stock, price, u8 = b"ABC     ", struct.pack(">I", 1_000_000), struct.pack(">Q", 4711)
messages = {
    "S": itch(b"S", b"Q", 0),
    "R": itch(b"R", stock + b"QN" + struct.pack(">I", 100) + b"NCZ PNN1N" + bytes(4) + b"N"),
    "H": itch(b"H", stock + b"T    "),
    "Y": itch(b"Y", stock + b"0"),
    "L": itch(b"L", b"MPID" + stock + b"YNA"),
    "V": itch(b"V", u8 * 3, 0),
    "W": itch(b"W", b"1", 0),
    "K": itch(b"K", stock + bytes(4) + b"A" + price),
    "J": itch(b"J", stock + price * 3 + bytes(4)),
    "h": itch(b"h", stock + b"QH"),
    "A": itch(b"A", u8 + b"B" + bytes(4) + stock + price),
    "F": itch(b"F", u8 + b"S" + bytes(4) + stock + price + b"MPID"),
    "E": itch(b"E", u8 + bytes(4) + u8),
    "C": itch(b"C", u8 + bytes(4) + u8 + b"Y" + price),
    "X": itch(b"X", u8 + bytes(4)),
    "D": itch(b"D", u8),
    "U": itch(b"U", u8 * 2 + bytes(4) + price),
    "P": itch(b"P", u8 + b"B" + bytes(4) + stock + price + u8),
    "Q": itch(b"Q", u8 + stock + price + u8 + b"O"),
    "B": itch(b"B", u8),
    "I": itch(b"I", u8 * 2 + b"O" + stock + price * 3 + b"OL"),
    "N": itch(b"N", stock + b"A"),
    "O": itch(b"O", stock + b"Y" + price * 3 + u8 + price * 2),
    "unknown": itch(b"Z", b"later"),
    "short": b"D\0\7",
}
write("itch", {("lower_" if len(k) == 1 and k.islower() else "type_") + k: v for k, v in messages.items()})

some = block(messages["A"], messages["D"], messages["R"])
write("payload", {
    "block": some,
    "empty_message": block(b"", b"x"),
    "cut": some[:-3],
    "mold": mold(3, some),
    "mold_heartbeat": mold(0, b""),
    "mold_end": mold(0xFFFF, b""),
    "mold_wrong_count": mold(4, some),
})


def frames(flags, length_offset, adjust, header, magic_offset, magic, limit, stream):
    return bytes([flags, length_offset, adjust + 128, header, magic_offset, len(magic)]) + magic + bytes([limit]) + stream


write("frames", {
    "soup": frames(0, 0, 0, 0, 0, b"", 255, accepted + soup(b"S", b"data") + soup(b"H")),
    "soup_length_0": frames(0, 0, 0, 0, 0, b"", 255, b"\0\0S"),
    "rest_u16_be": frames(0b01011, 0, 0, 2, 0, b"", 255, block(b"one", b"", b"three")),
    "packet_u16_le_magic_behind": frames(0b01101, 0, 0, 4, 2, b"\x50\xeb", 255, b"\x08\0\x50\xebfour" * 2),
    "magic_before": frames(0b01101, 2, 2, 4, 0, b"\xba\xba", 255, b"\xba\xba\x06\0four" * 2),
    "packet_u32_le": frames(0b10101, 0, 0, 4, 0, b"", 255, b"\x08\0\0\0four" * 3),
    "rest_u8": frames(0b00001, 0, 0, 1, 0, b"", 1, b"\4four\x7f"),
})

text = some * 20
deflated = zlib.compress(text)
raw = zlib.compressobj(0)
write("inflate", {
    "packet": b"\xc8\x10\x40" + deflated,
    "one_byte": b"\xc8\0\0" + deflated,
    "stored": b"\xc8\x40\x40" + raw.compress(some) + raw.flush(),
    "empty": b"\xc8\x40\x40" + zlib.compress(b""),
    "truncated": b"\xc8\x40\x40" + deflated[:-5],
    "trailing": b"\xc8\x40\x40" + deflated + b"more",
    "bomb": b"\xc8\xff\xff" + zlib.compress(bytes(60_000), 9),
    "plain": b"\xc8\x40\x40" + some,
})


def received(data):
    return b"".join(b"\5" + bytes([len(data[i:i + 255])]) + data[i:i + 255] for i in range(0, len(data), 255))


data = soup(b"S", messages["A"]) + soup(b"+", b"debug") + soup(b"H")
write("session", {
    "streams_and_ends": b"\0" + received(accepted + data + soup(b"Z")) + b"\0\x0a",
    "next_session": b"\0" + received(accepted + soup(b"Z")) + received(accepted) + received(accepted.replace(b"S1", b"S2")),
    "not_authorised": b"\1" + received(soup(b"J", b"A")),
    "not_available": b"\2" + received(soup(b"J", b"S")) * 4 + received(accepted),
    "by_name": b"\x08" + received(soup(b"J", b"S")) * 3 + received(accepted),
    "cut_and_resumed": b"\0" + received(accepted + data[:20]) + b"\1" + received(accepted),
    "silence": b"\0" + received(accepted) + b"\0\x32\0\x63\0\x01",
    "paused": b"\0" + received(accepted) + b"\2\0\xff\3\0\x10\4",
    "garbage": b"\0" + received(accepted + b"\0\0garbage") + received(b"garbage"),
    "frames": b"\4" + received(block(b"one", b"two")) + b"\x81",
})
