"""tickbridge-exchange and a SoupBinTCP client for tests. Standard library only; no code shared with the programs."""
import socket
import struct
import subprocess
import zlib


class Exchange:
    """The program, started with these arguments."""

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
