"""Checks tickbridge-exchange over real sockets. Run: serve_test.py PROGRAM."""
import re
import socket
import struct
import subprocess
import sys
import tempfile
import time
import zlib

from soup_client import Client, Exchange


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


def check_frames(program, saved, truth):
    options = ["--transport", "frames", "--frames-length-offset", "2", "--frames-byte-order", "little",
               "--frames-length-counts", "packet", "--frames-length-adjust", "2", "--frames-header-bytes", "4",
               "--frames-magic", "BABA"]
    for compression in ("none", "zlib", "zlib-stream"):
        with Exchange(program, "--file", saved, "--payload", "block", "--compression", compression,
                      *options) as exchange:
            client = Client(exchange.address, stream="first-byte" if compression == "zlib-stream" else None)
            found = []
            try:
                while True:
                    magic, length = struct.unpack("<HH", client.take(4))
                    assert magic == 0xBABA
                    found += messages_of(client.take(length - 2), "block", compression)
            except EOFError as rest:
                assert rest.args == (0,)
            assert found == truth, compression


def check_stream_after_login(program, saved, truth):
    with Exchange(program, "--file", saved, "--compression", "zlib-stream", "--compression-starts",
                  "after-login") as exchange:
        client = Client(exchange.address, stream="after-login")
        client.login(sequence=5)
        assert list(client.sequenced()) == truth[4:]


def check_users(program, saved):
    with Exchange(program, "--file", saved, "--username", "me", "--password", "secret") as exchange:
        assert Client(exchange.address).login(username="me", password="wrong") == (b"J", b"A")
        assert Client(exchange.address).login() == (b"J", b"A")
        assert Client(exchange.address).login(username="me", password="secret")[1] == 1


def check_versions(program, saved):
    with Exchange(program, "--file", saved, "--soup-version", "4.1") as exchange:
        assert Client(exchange.address).login(version="3.00") == (b"J", b"A")
        assert Client(exchange.address).login(version="4.1")[1] == 1


def check_heartbeats_and_pace(program, saved, truth):
    """At 1 message in 5 s there is a heartbeat each second; at 5,000 a second 2,000 take 0.4 s."""
    with Exchange(program, "--file", saved, "--rate", "1") as exchange:
        client = Client(exchange.address)
        client.login()
        began = time.monotonic()
        kinds = [client.packet()[0] for _ in range(3)]
        assert 1.5 < time.monotonic() - began < 5, "three packets in as many seconds"
        assert b"S" in kinds
    with Exchange(program, "--file", saved, "--rate", "1", "--fault", "end@1") as exchange:
        client = Client(exchange.address)
        assert client.login(sequence=2)[1] == 1
    with Exchange(program, "--file", saved, "--pace", "0.001") as exchange:
        client = Client(exchange.address)
        client.login()
        assert [client.packet()[0] for _ in range(3)] == [b"S", b"H", b"H"]
    with Exchange(program, "--file", saved, "--rate", "5000") as exchange:
        client = Client(exchange.address)
        client.login()
        began = time.monotonic()
        assert list(client.sequenced()) == truth
        assert 0.3 < time.monotonic() - began < 5


def check_silence(program, saved):
    """4.1 says in the login after which silence a client is dead: 1.2 s here."""
    with Exchange(program, "--file", saved, "--soup-version", "4.1", "--pace", "0.001") as exchange:
        client = Client(exchange.address)
        request = b"L" + b" " * 26 + b"1".rjust(20) + b"01200"
        client.socket.sendall(struct.pack(">H", len(request)) + request)
        began = time.monotonic()
        assert client.packet()[0] == b"A"
        list(client.sequenced())
        assert 1 < time.monotonic() - began < 5


def check_once_and_sessions(program, saved, truth):
    with Exchange(program, "--file", saved, "--sessions", "2", "--once", "--session", "DAY") as exchange:
        for name in ("DAY", "DAY2"):
            client = Client(exchange.address)
            assert client.login() == (name, 1)
            assert list(client.sequenced()) == truth
            client.socket.close()
        assert exchange.process.wait(10) == 0


def check_loop(program, saved, truth):
    with Exchange(program, "--file", saved, "--loop", "3") as exchange:
        client = Client(exchange.address)
        client.login()
        assert list(client.sequenced()) == truth * 3


def check_cut_off_file(program, saved, truth):
    with tempfile.NamedTemporaryFile(suffix=".itch") as file, open(saved, "rb") as whole:
        file.write(whole.read()[:-3])
        file.flush()
        done = subprocess.run([program, "--file", file.name, "--save", "/dev/null", "--no-serve"],
                              stderr=subprocess.PIPE, text=True, check=True)
        assert "cut off" in done.stderr
        with Exchange(program, "--file", file.name) as exchange:
            client = Client(exchange.address)
            client.login()
            assert list(client.sequenced()) == truth[:-1]


def with_fault(program, saved, fault, *more):
    return Exchange(program, "--file", saved, "--fault", fault, *more)


def check_login_faults(program, saved):
    with with_fault(program, saved, "reject:S:1") as exchange:
        assert Client(exchange.address).login() == (b"J", b"S")
        assert Client(exchange.address).login()[1] == 1
    with with_fault(program, saved, "silent-login") as exchange:
        try:
            Client(exchange.address, timeout=0.5).login()
            raise AssertionError("answered")
        except socket.timeout:
            pass
    with with_fault(program, saved, "other-session:1") as exchange:
        assert Client(exchange.address).login(session="1000000001")[0] != "1000000001"
    with with_fault(program, saved, "repeat:5") as exchange:
        assert Client(exchange.address).login(sequence=100)[1] == 95


def check_place_faults(program, saved, truth):
    with with_fault(program, saved, "repeat:5@100") as exchange:
        client = Client(exchange.address)
        client.login()
        assert len(list(client.sequenced())) == 100
        client = Client(exchange.address)
        assert client.login(sequence=101)[1] == 96
        assert list(client.sequenced()) == truth[95:]
        assert Client(exchange.address).login(sequence=101)[1] == 101
    with with_fault(program, saved, "skip:5@100") as exchange:
        client = Client(exchange.address)
        client.login()
        assert len(list(client.sequenced())) == 100
        for _ in range(2):
            assert Client(exchange.address).login(sequence=101)[1] == 106
    with with_fault(program, saved, "end@100") as exchange:
        client = Client(exchange.address)
        client.login()
        assert list(client.sequenced()) == truth[:100]
    with with_fault(program, saved, "stall:2@100") as exchange:
        client = Client(exchange.address)
        client.login()
        for _ in range(100):
            client.packet()
        began = time.monotonic()
        assert client.packet() == (b"S", truth[100])
        assert time.monotonic() - began > 1.5
    with with_fault(program, saved, "garbage@100") as exchange:
        client = Client(exchange.address)
        client.login()
        for number in range(100):
            assert client.packet() == (b"S", truth[number])
        client.take(2)
        assert client.take(1)[0] >= 0x80
        again = Client(exchange.address)
        again.login(sequence=101)
        assert list(again.sequenced()) == truth[100:]
    with with_fault(program, saved, "bad-length@100") as exchange:
        client = Client(exchange.address)
        client.login()
        for _ in range(100):
            client.packet()
        assert client.take(2) == b"\0\0"


def check_inserted_faults(program, saved, truth):
    with with_fault(program, saved, "unsequenced:10", "--fault", "debug:7") as exchange:
        client = Client(exchange.address)
        client.login()
        kinds = []
        while kinds[-1:] != [b"Z"]:
            kinds.append(client.packet()[0])
        assert kinds.count(b"S") == 2000 and kinds.count(b"U") == 200 and kinds.count(b"+") == 285
    with with_fault(program, saved, "invalid:100", "--payload", "block") as exchange:
        client = Client(exchange.address)
        client.login()
        found = [m for p in client.sequenced() for m in messages_of(p, "block", "none")]
        assert len(found) == 2019 and [m for n, m in enumerate(found, 1) if n % 101] == truth
    for fault in ("truncate-zlib@50", "bomb@50"):
        with with_fault(program, saved, fault, "--compression", "zlib") as exchange:
            client = Client(exchange.address)
            client.login()
            packets = list(client.sequenced())
            bad = packets.pop(50)
            assert [zlib.decompress(p) for p in packets] == truth
            if fault.startswith("bomb"):
                assert len(zlib.decompress(bad)) > 900 * len(bad)
            else:
                assert not zlib.decompressobj().decompress(bad) or not zlib.decompressobj().eof


def check_stream_faults(program, saved, truth):
    for fault in ("truncate-zlib@50", "bomb@50"):
        with with_fault(program, saved, fault, "--compression", "zlib-stream") as exchange:
            client = Client(exchange.address)
            request = b"L" + b" " * 26 + b"1".rjust(20)
            client.socket.sendall(struct.pack(">H", len(request)) + request)
            raw = b""
            while piece := client.socket.recv(1 << 16):
                raw += piece
            try:
                inflated = zlib.decompressobj().decompress(raw)
                assert fault.startswith("bomb") and len(inflated) > 400 * len(raw), len(inflated) / len(raw)
            except zlib.error:
                assert fault.startswith("truncate")
            again = Client(exchange.address, stream="first-byte")
            again.login(sequence=51)
            assert list(again.sequenced()) == truth[50:]


def main():
    program = sys.argv[1]
    with tempfile.NamedTemporaryFile(suffix=".itch") as file:
        subprocess.run([program, "--generate", "2000", "--save", file.name, "--no-serve"], check=True)
        truth = messages_of_file(file.name)
        assert len(truth) == 2000
        given = {"program": program, "saved": file.name, "truth": truth}
        for name, check in list(globals().items()):
            if re.match("check_", name):
                names = check.__code__.co_varnames[:check.__code__.co_argcount]
                check(*[given[word] for word in names])
                print(name, "fine", flush=True)


if __name__ == "__main__":
    main()
