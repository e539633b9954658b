"""Listeners with TLS and logins for tools/kafka: their settings, certificates and users. Standard library and openssl."""
import hashlib
import os
import struct
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.dont_write_bytecode = True
import certificates  # noqa: E402

USER = "tickbridge"
PASSWORD = 'knock, "knock"'  # with what a setting's reader can stumble over
SCRAM = {"SCRAM-SHA-256": (1, "sha256"), "SCRAM-SHA-512": (2, "sha512")}
ITERATIONS = 4096

# name: (protocol, mechanisms, the broker's certificate, whether clients need one)
LISTENERS = {
    "plain": ("SASL_PLAINTEXT", ["PLAIN"], None, False),
    "scram": ("SASL_PLAINTEXT", list(SCRAM), None, False),
    "tls": ("SSL", [], "server", False),
    "mtls": ("SSL", [], "server", True),
    "sasl_tls": ("SASL_SSL", ["PLAIN", *SCRAM], "server", False),
    # what goes wrong
    "expired": ("SSL", [], "expired", False),
    "elsewhere": ("SSL", [], "elsewhere", False),
    "stranger": ("SSL", [], "stranger", False),
}


def names(words):
    """The listeners that "plain,tls" and the like mean, each once; raises ValueError for others."""
    found = list(dict.fromkeys(name for word in words for name in word.split(",") if name))
    for name in found:
        if name not in LISTENERS:
            raise ValueError(f"--security {name}: there are {', '.join(LISTENERS)}")
    return found


def protocol(name):
    return LISTENERS[name][0]


def settings(name, folder):
    """server.properties of one listener. `folder` holds the certificates."""
    _, mechanisms, certificate, mutual = LISTENERS[name]
    found = {}
    if mechanisms:
        found["sasl.enabled.mechanisms"] = ",".join(mechanisms)
    for mechanism in mechanisms:
        found[f"{mechanism.lower()}.sasl.jaas.config"] = _jaas(mechanism)
    if certificate:
        found |= {
            "ssl.keystore.type": "PEM",
            "ssl.keystore.location": folder / f"{certificate}.both.pem",
            "ssl.truststore.type": "PEM",
            "ssl.truststore.location": folder / "ca.pem",
            "ssl.client.auth": "required" if mutual else "none",
        }
    return {f"listener.name.{name}.{key}": value for key, value in found.items()}


def _jaas(mechanism):
    if mechanism != "PLAIN":
        return "org.apache.kafka.common.security.scram.ScramLoginModule required;"
    # Quoted once for JAAS and once for the properties file.
    password = PASSWORD.replace('"', '\\"').replace("\\", "\\\\")
    return f'org.apache.kafka.common.security.plain.PlainLoginModule required user_{USER}="{password}";'


def wants_scram(listeners):
    return any(mechanism in SCRAM for name in listeners for mechanism in LISTENERS[name][1])


def password_request(mechanism, user, password):
    """(API key, version, body): the user's SCRAM password from now on. AlterUserScramCredentials v0, flexible header; one
    mechanism a request, for Kafka takes a user's second one for a repeat."""
    number, digest = SCRAM[mechanism]
    salt = os.urandom(16)
    salted = hashlib.pbkdf2_hmac(digest, password.encode(), salt, ITERATIONS)
    row = _text(user) + struct.pack(">bi", number, ITERATIONS) + _text(salt) + _text(salted) + b"\0"
    return 51, 0, b"\0" + b"\1" + b"\2" + row + b"\0"


def _text(value):
    data = value if isinstance(value, bytes) else value.encode()
    return bytes([len(data) + 1]) + data  # a compact length: all are short


def password_errors(answer):
    """Of its answer (less the correlation id): the error codes, 0 where it was taken."""
    answer.number("b")  # tags of the header
    answer.number("i")  # throttle time
    found = []

    def skip_text():
        length = answer.number("B") - 1  # -1: none
        answer.at += max(length, 0)

    for _ in range(answer.number("B") - 1):
        skip_text()  # the user
        found.append(answer.number("h"))
        skip_text()  # the message
        answer.number("b")
    return found


def prepare(folder):
    if not folder.exists():
        certificates.make(folder)
