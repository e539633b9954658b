"""The contenders. Each is started on a session and a topic, and is over when all of it has arrived.

Those that cannot parse binary get the same messages as lines of the same length; those that can be told to write by key are
told, with the partitioner that everybody uses (murmur2), idempotence and acks=all."""
import json
import os
import pathlib
import re
import shutil
import socket
import subprocess

from world import BIN, CACHE, PARTITIONS, ROOT, harness

HERE = pathlib.Path(__file__).resolve().parent
PROPERTIES = {"enable.idempotence": "true", "acks": "all", "partitioner": "murmur2_random"}  # else the library's defaults


class Missing(Exception):
    """This contender cannot be had here; the text says why."""


class Contender:
    """`lines`: fed with lines. `stays`: does not end by itself."""
    lines, stays, keyed = False, False, True
    feeds, partitions, topic_settings = 1, PARTITIONS, ()
    round_trip = 0  # ms, made longer on the embedded broker
    environment: dict = {}

    def __init__(self, name: str):
        self.name = name

    def version(self) -> str:
        return ""

    def prepare(self):
        """Installs what it needs; raises Missing."""

    def command(self, run) -> list:
        raise NotImplementedError

    def stdin(self, run):
        return subprocess.DEVNULL

    def own_figures(self, output: str) -> dict:
        """What it measures by itself and better than from outside."""
        return {}


class Tickbridge(Contender):
    def __init__(self, name: str, **settings):
        super().__init__(name)
        self.compression, self.payload = settings.pop("compression", "none"), settings.pop("payload", "message")
        self.packet_messages = settings.pop("packet_messages", None)
        self.profile = settings.pop("profile", None)
        self.settings = settings

    def version(self):
        return subprocess.run([BIN / "tickbridge", "--version"], capture_output=True, text=True).stdout.split()[1]

    def command(self, run):
        packing = ["--packet-messages", self.packet_messages] if self.packet_messages else []
        exchange = run.exchange("--compression", self.compression, "--payload", self.payload, *packing)
        words = {"producer.bootstrap.servers": run.servers, "http.listen": "", "feed.default.topic": run.topic,
                 "feed.default.dead_letter_topic": run.topic + ".dead", "checkpoint.topic": run.topic + ".cp",
                 "feed.default.compression": self.compression, "feed.default.payload": self.payload,
                 **{f"feed.default.{name}": value for name, value in self.settings.items()}}
        profile = ["--config", ROOT / f"config/profiles/{self.profile}.toml"] if self.profile else []
        return [BIN / "tickbridge", *profile, "--host", exchange.host, "--port", exchange.port, "--exit-at-end",
                *(word for name, value in words.items() for word in ("--set", f"{name}={value}"))]


class Straightforward(Contender):
    def command(self, run):
        exchange = run.exchange()
        return [BIN / "straightforward", exchange.host, exchange.port, run.servers, run.topic]


class Floor(Contender):
    """The bare client library, fed from memory. Its figures begin when its messages are prepared."""

    def __init__(self, name: str, call: str, in_flight: int = 50_000, task_bytes: int = 131_072, **properties):
        super().__init__(name)
        self.call, self.in_flight, self.task_bytes, self.properties = call, in_flight, task_bytes, properties

    def command(self, run):
        properties = [word for name, value in self.properties.items() for word in ("-X", f"{name.replace('_', '.')}={value}")]
        return [BIN / "floor", "--file", run.session.itch, "--bootstrap", run.servers, "--topic", run.topic, "--partitions",
                self.partitions, "--loop", run.session.loops, "--call", self.call, "--in-flight", self.in_flight,
                "--task-bytes", self.task_bytes, *properties]

    def own_figures(self, output):
        told = json.loads(output.strip().splitlines()[-1])
        return {"wall": told["wall_s"], "cpu": told["cpu_s"]}


class Kcat(Contender):
    """Reads standard input, which is the connection; the first word of a line is its key."""
    lines = True

    def prepare(self):
        if not shutil.which("kcat"):
            raise Missing("kcat is not installed")

    def version(self):
        return re.search(r"Version (\S+)", subprocess.run(["kcat", "-V"], capture_output=True, text=True).stdout)[1]

    def command(self, run):
        properties = [word for name, value in PROPERTIES.items() for word in ("-X", f"{name}={value}")]
        return ["kcat", "-P", "-b", run.servers, "-t", run.topic, "-K", " ", *properties]

    def stdin(self, run):
        run.feed.serve()
        connection = socket.create_connection(("127.0.0.1", run.feed.port))
        run.opened.append(connection)
        return connection.fileno()


class PythonClient(Contender):
    lines = True

    def version(self):
        import confluent_kafka

        return confluent_kafka.version()[0] if isinstance(confluent_kafka.version(), tuple) else confluent_kafka.version()

    def command(self, run):
        run.feed.serve()
        import sys

        return [sys.executable, HERE / "python_client.py", run.feed.port, run.servers, run.topic, json.dumps(PROPERTIES)]


class JavaClient(Contender):
    """Kafka's own client, of the distribution that the brokers run."""
    lines = True

    def libraries(self) -> pathlib.Path:
        home = os.environ.get("KAFKA_HOME")
        return pathlib.Path(home) / "libs" if home else next(CACHE.glob("kafka-*/libs"))

    def prepare(self):
        if not shutil.which("javac"):
            raise Missing("no javac")
        self.classes = CACHE / "peers" / "java"
        built = subprocess.run(["javac", "-cp", f"{self.libraries()}/*", "-d", self.classes, HERE / "JavaClient.java"],
                               capture_output=True, text=True)
        if built.returncode:
            raise Missing(f"javac: {built.stderr}")

    def version(self):
        return re.search(r"kafka-clients-(\S+)\.jar", next(self.libraries().glob("kafka-clients-*.jar")).name)[1]

    def command(self, run):
        run.feed.serve()
        properties = {"bootstrap.servers": run.servers, "enable.idempotence": "true", "acks": "all", "linger.ms": "5"}
        return ["java", "-cp", f"{self.classes}:{self.libraries()}/*", "JavaClient", run.feed.port,
                *(f"{name}={value}" for name, value in properties.items()), run.topic]


class Packaged(Contender):
    """A program out of Debian packages that are unpacked beside the system: two of them exclude each other, and no syslog
    daemon is to be replaced by a benchmark."""
    lines, stays = True, True  # they listen
    packages: tuple = ()
    libraries: tuple = ()

    def __init__(self, name):
        super().__init__(name)
        self.root = CACHE / "peers" / name.split()[0]

    @property
    def environment(self):
        return {"LD_LIBRARY_PATH": ":".join(str(self.root / part) for part in ("usr/lib/x86_64-linux-gnu", "usr/lib/syslog-ng"))}

    def prepare(self):
        missing = [name for name in self.libraries if "ok installed" not in subprocess.run(
            ["dpkg-query", "-W", "-f", "${Status}", name], capture_output=True, text=True).stdout]
        root = [] if os.getuid() == 0 else ["sudo"]
        if missing and subprocess.run([*root, "apt-get", "install", "-y", "-qq", "--no-install-recommends", *missing],
                                      capture_output=True).returncode:
            raise Missing(f"apt-get cannot install {' '.join(missing)}")
        if self.root.exists():
            return
        folder = CACHE / "peers" / "download"
        folder.mkdir(parents=True, exist_ok=True)
        if subprocess.run(["apt-get", "download", "-qq", *self.packages], cwd=folder, capture_output=True).returncode:
            raise Missing(f"apt-get cannot download {' '.join(self.packages)}")
        half = self.root.with_suffix(".half")
        for name in self.packages:
            subprocess.run(["dpkg", "-x", next(folder.glob(f"{name}_*.deb")), half], check=True)
        half.rename(self.root)

    def version(self):
        found = next((CACHE / "peers" / "download").glob(f"{self.packages[0]}_*.deb")).name
        return found.split("_")[1]

    def written(self, run, name: str, text: str) -> pathlib.Path:
        run.port = free_port()
        path = run.folder / name
        path.write_text(text.format(port=run.port, servers=run.servers, topic=run.topic, folder=run.folder))
        return path


class Rsyslog(Packaged):
    packages = ("rsyslog", "rsyslog-kafka")
    libraries = ("libestr0", "libfastjson4", "liblognorm5")

    CONFIG = """
global(workDirectory="{folder}" maxMessageSize="8k")
main_queue(queue.type="FixedArray" queue.size="500000" queue.dequeueBatchSize="4096")
module(load="imtcp" maxSessions="4")
module(load="omkafka")
template(name="line" type="string" string="%rawmsg%")
template(name="key" type="string" string="%rawmsg:1:4%")
ruleset(name="kafka") {{
  action(type="omkafka" broker=["{servers}"] topic="{topic}" template="line" dynaKey="on" key="key" partitions.auto="on"
         confParam=[PROPERTIES])
}}
input(type="imtcp" address="127.0.0.1" port="{port}" ruleset="kafka" SupportOctetCountedFraming="off")
"""

    def command(self, run):
        properties = ", ".join(f'"{name}={value}"' for name, value in PROPERTIES.items())
        config = self.written(run, "rsyslog.conf", self.CONFIG.replace("PROPERTIES", properties))
        return [self.root / "usr/sbin/rsyslogd", "-n", "-f", config, "-i", run.folder / "rsyslog.pid",
                "-M", f"{self.root}/usr/lib/x86_64-linux-gnu/rsyslog"]


class SyslogNg(Packaged):
    packages = ("syslog-ng-core", "syslog-ng-mod-rdkafka")
    libraries = ("libivykis0", "libpcre3", "libnet1", "libwrap0", "libjson-c5")

    CONFIG = """@version: 3.38
options {{ threaded(yes); stats-freq(0); use-dns(no); keep-hostname(yes); log-msg-size(8192); }};
source exchange {{
  network(ip("127.0.0.1") port({port}) transport("tcp") flags(no-parse) log-iw-size(200000) log-fetch-limit(10000) max-connections(2));
}};
destination kafka {{
  kafka-c(bootstrap-servers("{servers}") topic("{topic}") key("$(substr $MSG 0 4)") message("$MSG") log-fifo-size(400000)
          config(PROPERTIES));
}};
log {{ source(exchange); destination(kafka); flags(flow-control); }};
"""

    def command(self, run):
        properties = " ".join(f'{name}("{value}")' for name, value in PROPERTIES.items())
        config = self.written(run, "syslog-ng.conf", self.CONFIG.replace("PROPERTIES", properties))
        return [self.root / "usr/sbin/syslog-ng", "-F", "--no-caps", "-f", config, "-R", run.folder / "persist", "-c",
                run.folder / "control", "-p", run.folder / "syslog-ng.pid", "--module-path", self.root / "usr/lib/syslog-ng/3.38"]


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


def all_of_them() -> dict:
    """{word on the command line: contender}, in the order of the table."""
    return {
        "floor": Floor("bare library, batch calls", "batch"),
        "floor-single": Floor("bare library, single calls", "single"),
        "send": Tickbridge("tickbridge, send time", timestamp="send"),
        "exchange": Tickbridge("tickbridge, exchange time (default)"),
        # 100 messages deflate to 1,300 bytes: what fills an Ethernet frame
        "zlib": Tickbridge("tickbridge, send time, zlib packets of 100", timestamp="send", compression="zlib", payload="block",
                           packet_messages=100),
        "zlib-small": Tickbridge("tickbridge, send time, zlib packets of 1 to 20", timestamp="send", compression="zlib",
                                 payload="block"),
        "low-latency": Tickbridge("tickbridge, profile low-latency", profile="low-latency"),
        "throughput": Tickbridge("tickbridge, profile throughput", profile="throughput"),
        "straightforward": Straightforward("straightforward C++"),
        "kcat": Kcat("kcat"),
        "rsyslog": Rsyslog("rsyslog"),
        "syslog-ng": SyslogNg("syslog-ng"),
        "java": JavaClient("Java client"),
        "python": PythonClient("Python client"),
    }
