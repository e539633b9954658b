"""The work that every contender does: a session of 40-byte messages of many instruments, as ITCH and as lines of the same length."""
import dataclasses
import itertools
import pathlib
import random
import socket
import struct
import subprocess
import threading

from world import BIN

INSTRUMENTS = 8_000
SIZE = 40  # bytes of a message: ITCH's F, add order with attribution
DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"


@dataclasses.dataclass
class Session:
    itch: pathlib.Path
    lines: pathlib.Path | None
    messages: int  # in the file
    loops: int  # times over

    @property
    def total(self) -> int:
        return self.messages * self.loops


def key(instrument: int) -> str:
    """Four characters, a letter first: rsyslog takes a digit there for a length."""
    return "K" + "".join(DIGITS[instrument // 36**n % 36] for n in (2, 1, 0))


def line(instrument: int, number: int) -> bytes:
    return b"%s %0*d\n" % (key(instrument).encode(), SIZE - 5, number)


def zipf(count: int, instruments: int, seed: int) -> list:
    """Instruments by a Zipf law (s = 1), as trading is spread over them; the busy ones are anywhere in the directory."""
    weights = list(itertools.accumulate(1 / rank for rank in range(1, instruments + 1)))
    dice = random.Random(seed)
    ranked = dice.sample(range(1, instruments + 1), instruments)
    return dice.choices(ranked, cum_weights=weights, k=count)


def directory(folder: pathlib.Path, instruments: int) -> list:
    """One stock directory message an instrument, from the simulator's generator."""
    path = folder / "directory.itch"
    subprocess.run([BIN / "tickbridge-exchange", "--generate", str(25 * instruments), "--symbols", str(instruments), "--save", path,
                    "--no-serve"], check=True, capture_output=True)
    data, at, found = path.read_bytes(), 0, {}
    while at < len(data):
        size = int.from_bytes(data[at:at + 2], "big")
        message = data[at + 2:at + 2 + size]
        if message[:1] == b"R":
            found.setdefault(message[1:3], message)
        at += 2 + size
    assert len(found) == instruments, f"{len(found)} of {instruments} instruments"
    return list(found.values())


def make(folder: pathlib.Path, messages: int, loops: int, instruments: int = INSTRUMENTS, size: int | None = None, lines: bool = True,
         seed: int = 1) -> Session:
    """`size`: of messages of a type that nobody knows, which are passed on with their instrument's key."""
    heads = directory(folder, instruments)
    symbols = {int.from_bytes(m[1:3], "big"): m[11:19] for m in heads}
    order, any_type, tail = struct.Struct(">HcHH6sQcI8sI4s"), struct.Struct(">HcHH6sQ"), random.Random(seed).randbytes(65_536)
    numbered = [int.from_bytes(m[1:3], "big") for m in heads] + zipf(messages - len(heads), instruments, seed)
    dice = random.Random(seed + 1)
    itch = [len(head).to_bytes(2, "big") + head for head in heads]
    for number, instrument in enumerate(numbered[len(heads):], len(heads)):
        time = (34_200_000_000_000 + number * 1_000).to_bytes(6, "big")
        if size is None:
            roll = dice.getrandbits(16)  # side, shares, price: what a deflater cannot guess
            itch.append(order.pack(SIZE, b"F", instrument, 0, time, number, b"BS"[roll & 1:][:1], 100 * (1 + (roll >> 1) % 8),
                                   symbols[instrument], 10_000 * (instrument % 500 + 1) + 100 * (roll >> 4), b"NSDQ"))
        else:
            itch.append(any_type.pack(size, b"z", instrument, 0, time, number) + tail[:size - 19])
    session = Session(folder / "session.itch", folder / "session.lines" if lines else None, messages, loops)
    session.itch.write_bytes(b"".join(itch))
    if lines:
        session.lines.write_bytes(b"".join(line(instrument, number) for number, instrument in enumerate(numbered)))
    return session


class LineFeed:
    """Sends the lines to who connects, or to a port; a thread, whose work is the kernel's."""

    def __init__(self, session: Session):
        self.data, self.loops = session.lines.read_bytes(), session.loops
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.thread = None

    def _send(self, connection: socket.socket):
        try:
            with connection:
                for _ in range(self.loops):
                    connection.sendall(self.data)
                connection.shutdown(socket.SHUT_WR)
                connection.recv(1)  # until it has been read
        except OSError:
            pass  # the contender has gone: the proof tells what it has missed

    def serve(self):
        self.thread = threading.Thread(target=lambda: self._send(self.listener.accept()[0]), daemon=True)
        self.thread.start()

    def send_to(self, port: int):
        connection = socket.create_connection(("127.0.0.1", port))
        self.thread = threading.Thread(target=self._send, args=(connection,), daemon=True)
        self.thread.start()

    def end(self):
        self.listener.close()
