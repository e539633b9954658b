#!/usr/bin/env python3
"""Certificates for tests of TLS on loopback, made by openssl: an authority, and who has its certificate from it.

`python3 tools/certificates.py DIR` makes these in DIR; other programs import make():

    ca.pem                              the authority that all others are checked with
    stranger-ca.pem                     another one, which has signed nothing but stranger
    NAME.pem, NAME.key, NAME.both.pem   certificate, private key (PKCS#8), and both in one file, for NAME in
        server        127.0.0.1, localhost        client        a client
        expired       as server, until 2020       client-expired as client, until 2020
        elsewhere     as server, another host     stranger      as server, from the other authority
    client.p12, client.encrypted.key    the client's, under the password of PASSWORD
"""
import os
import subprocess
import sys
from pathlib import Path

PASSWORD = "open sesame"
HERE = "IP:127.0.0.1,IP:::1,DNS:localhost"
PAST = ("20200101000000Z", "20200201000000Z")
FUTURE = ("20240101000000Z", "20991231000000Z")

CONFIG = """\
[ca]
default_ca = one
[one]
database = {folder}/index.txt
new_certs_dir = {folder}
rand_serial = yes
default_md = sha256
policy = any
unique_subject = no
copy_extensions = copy
[any]
commonName = supplied
[req]
distinguished_name = name
[name]
"""


def openssl(*words, **environment):
    done = subprocess.run(["openssl", *map(str, words)], capture_output=True, text=True, stdin=subprocess.DEVNULL,
                          env={**os.environ, **environment})  # fmt: skip
    if done.returncode != 0:
        raise RuntimeError(f"openssl {' '.join(map(str, words))}: {done.stderr}")


class Authority:
    """Signs with its own key; what it keeps lies in DIR/<name>.d."""

    def __init__(self, directory, name):
        self.directory, self.name = Path(directory), name
        self.folder = self.directory / f"{name}.d"
        self.folder.mkdir(parents=True)
        (self.folder / "index.txt").touch()
        self.config = self.folder / "openssl.cnf"
        self.config.write_text(CONFIG.format(folder=self.folder))
        openssl("req", "-x509", "-config", self.config, "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                "-keyout", self.folder / "ca.key", "-out", self.directory / f"{name}.pem", "-subj", f"/CN={name}",
                "-days", "3650", "-addext", "basicConstraints=critical,CA:TRUE",
                "-addext", "keyUsage=critical,keyCertSign,cRLSign")  # fmt: skip

    def issue(self, name, alternative=None, valid=FUTURE):
        """DIR/NAME.pem, NAME.key, NAME.both.pem. `alternative`: a server's names; None: a client."""
        certificate, key = self.directory / f"{name}.pem", self.directory / f"{name}.key"
        request = self.folder / f"{name}.csr"
        usage = "serverAuth" if alternative else "clientAuth"
        more = ["-addext", f"subjectAltName={alternative}"] if alternative else []
        openssl("req", "-new", "-config", self.config, "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                "-keyout", key, "-out", request, "-subj", f"/CN={name}", "-addext", f"extendedKeyUsage={usage}",
                *more)  # fmt: skip
        openssl("ca", "-batch", "-notext", "-config", self.config, "-cert", self.directory / f"{self.name}.pem",
                "-keyfile", self.folder / "ca.key", "-in", request, "-out", certificate, "-startdate", valid[0],
                "-enddate", valid[1])  # fmt: skip
        both = self.directory / f"{name}.both.pem"
        both.write_text(key.read_text() + certificate.read_text())
        for secret in (key, both):
            secret.chmod(0o600)


def make(directory):
    """All of the above, in `directory`, which must not be there or be empty."""
    directory = Path(directory)
    directory.mkdir(parents=True, exist_ok=True)
    own, other = Authority(directory, "ca"), Authority(directory, "stranger-ca")
    own.issue("server", HERE)
    own.issue("expired", HERE, PAST)
    own.issue("elsewhere", "DNS:elsewhere.invalid")
    own.issue("client")
    own.issue("client-expired", valid=PAST)
    other.issue("stranger", HERE)
    secret = {"PASSWORD": PASSWORD}
    openssl("pkcs12", "-export", "-in", directory / "client.pem", "-inkey", directory / "client.key", "-out",
            directory / "client.p12", "-passout", "env:PASSWORD", **secret)  # fmt: skip
    openssl("pkcs8", "-topk8", "-in", directory / "client.key", "-out", directory / "client.encrypted.key", "-passout",
            "env:PASSWORD", **secret)  # fmt: skip
    return directory


if __name__ == "__main__":
    if len(sys.argv) != 2 or sys.argv[1].startswith("-"):
        print(__doc__)
        sys.exit(0 if sys.argv[1:] == ["--help"] else 64)
    make(sys.argv[1])
