"""A SoupBinTCP client of the standard library only, and checks of tickbridge-exchange through it.

Run: soup_client.py PROGRAM. Shares no code with the exchange or the daemon.
"""
import socket
import struct
import subprocess
import sys
import tempfile
import zlib


class Exchange:
    """The program, started with these arguments; `lines` of its errors are kept."""

    def __init__(self, program, *arguments):
        self.process = subprocess.Popen([program, *arguments], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                                        text=True)
        line = self.process.stdout.readline().split()
        assert line[:2] == ["listening", "on"], line
        self.address = ("127.0.0.1", int(line[2].rsplit(":", 1)[1]))

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.process.terminate()
        self.process.wait(10)


class Client:
    """One connection. `inflate` is given where the server's bytes are one zlib stream."""

    def __init__(self, address, timeout=20, stream=None):
        self.socket = socket.create_connection(address, timeout)
        self.rest = b""
        self.stream = zlib.decompressobj() if stream == "first-byte" else None
        self.after_login = stream == "after-login"

    def login(self, sequence=1, session="", username="", password="", version="3.00"):
        request = b"L" + username.ljust(6).encode() + password.ljust(10).encode() + session.ljust(10).encode()
        request += str(sequence).rjust(20).encode() + (b"15000" if version == "4.1" else b"")
        self.socket.sendall(struct.pack(">H", len(request)) + request)
        kind, payload = self.packet()
        while kind == b"+":
            kind, payload = self.packet()
        if self.after_login:
            self.stream = zlib.decompressobj()
            self.rest = self.stream.decompress(self.rest)
        if kind != b"A":
            return kind, payload
        return payload[:10].decode().strip(), int(payload[10:])

    def take(self, size):
        while len(self.rest) < size:
            piece = self.socket.recv(1 << 16)
            if not piece:
                raise EOFError(len(self.rest))
            self.rest += self.stream.decompress(piece) if self.stream else piece
        taken, self.rest = self.rest[:size], self.rest[size:]
        return taken

    def packet(self):
        (length,) = struct.unpack(">H", self.take(2))
        body = self.take(length)
        return body[:1], body[1:]

    def sequenced(self):
        """Payloads up to the end of the session, or of the connection."""
        try:
            while True:
                kind, payload = self.packet()
                if kind == b"Z":
                    assert self.socket.recv(1) == b""
                    return
                if kind == b"S":
                    yield payload
        except EOFError:
            return


def messages_of_block(block):
    messages = []
    while block:
        (size,) = struct.unpack(">H", block[:2])
        messages.append(block[2:2 + size])
        block = block[2 + size:]
    return messages


def messages_of_file(path):
    with open(path, "rb") as file:
        return messages_of_block(file.read())


def messages_of(payload, form, compression):
    if compression == "zlib":
        payload = zlib.decompress(payload)
    elif compression == "zlib-auto":
        try:
            payload = zlib.decompress(payload)
        except zlib.error:
            pass
    if form == "message":
        return [payload]
    if form == "moldudp64":
        (count,) = struct.unpack(">H", payload[18:20])
        messages = messages_of_block(payload[20:])
        assert len(messages) == count
        return messages
    return messages_of_block(payload)


def check_matrix(program, saved, truth):
    for version in ("3.00", "4.00", "4.1"):
        for form in ("message", "block", "moldudp64"):
            for compression in ("none", "zlib", "zlib-auto", "zlib-stream"):
                with Exchange(program, "--file", saved, "--soup-version", version, "--payload", form,
                              "--compression", compression) as exchange:
                    client = Client(exchange.address, stream="first-byte" if compression == "zlib-stream" else None)
                    assert client.login(version=version) == ("1000000001", 1)
                    found = [m for p in client.sequenced() for m in messages_of(p, form, compression)]
                    assert found == truth, (version, form, compression, len(found))


def check_replay(program, saved, truth):
    with Exchange(program, "--file", saved) as exchange:
        for first in (1, 2, 777, len(truth), len(truth) + 1):
            client = Client(exchange.address)
            assert client.login(sequence=first, session="1000000001") == ("1000000001", first)
            assert list(client.sequenced()) == truth[first - 1:]
        together = [Client(exchange.address) for _ in range(3)]
        for client in together:
            assert client.login() == ("1000000001", 1)
        for client in together:
            assert list(client.sequenced()) == truth
        assert Client(exchange.address).login(session="NONE") == (b"J", b"S")
        assert Client(exchange.address).login(sequence=len(truth) + 50)[1] == len(truth) + 1


def check_cuts(program, saved, truth):
    with Exchange(program, "--file", saved, "--fault", "cut:40", "--fault", "slice") as exchange:
        found, connections = [], 0
        while len(found) < len(truth):
            client = Client(exchange.address)
            connections += 1
            assert client.login(sequence=len(found) + 1)[1] == len(found) + 1
            found.extend(client.sequenced())
        assert found == truth
        assert connections > 10, connections


def main():
    program = sys.argv[1]
    with tempfile.NamedTemporaryFile(suffix=".itch") as file:
        subprocess.run([program, "--generate", "2000", "--save", file.name, "--no-serve"], check=True)
        truth = messages_of_file(file.name)
        assert len(truth) == 2000
        check_matrix(program, file.name, truth)
        check_replay(program, file.name, truth)
        check_cuts(program, file.name, truth)
    print("fine")


if __name__ == "__main__":
    main()
