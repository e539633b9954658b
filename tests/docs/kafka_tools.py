"""Kafka's own command-line tools (kafka-topics.sh and the like), run from the jars that tools/kafka has fetched.

One jar more is needed, the tools themselves; Maven brings it once into the same cache.
"""
import importlib.machinery
import importlib.util
import os
import pathlib
import subprocess
import tempfile

from pages import ROOT

MAINS = {"kafka-topics.sh": "org.apache.kafka.tools.TopicCommand", "kafka-configs.sh": "kafka.admin.ConfigCommand",
         "kafka-acls.sh": "kafka.admin.AclCommand"}
PLUGIN = "org.apache.maven.plugins:maven-dependency-plugin:3.6.0:copy"


def kit():
    """tools/kafka as a module: it knows where Java and the jars are."""
    loader = importlib.machinery.SourceFileLoader("tickbridge_kafka", str(ROOT / "tools/kafka"))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader(loader.name, loader))
    loader.exec_module(module)
    return module


def fetch() -> list[pathlib.Path]:
    """The jars, fetched where they are not there yet. Needs the network only then."""
    kafka = kit()
    kafka.Kit()
    libs = kafka.libs()
    if list(libs.glob("kafka-tools-[0-9]*.jar")):  # KAFKA_HOME has it
        return sorted(libs.glob("*.jar"))
    target = kafka.cache_dir() / "tools"
    if not list(target.glob("kafka-tools-*.jar")):
        with tempfile.TemporaryDirectory(dir=kafka.cache_dir(), prefix="tools-") as work:
            done = subprocess.run(["mvn", "-q", "-B", PLUGIN, f"-Dartifact=org.apache.kafka:kafka-tools:{kafka.VERSION}",
                                   f"-DoutputDirectory={work}"], capture_output=True, text=True, timeout=300)
            assert done.returncode == 0, f"Maven could not fetch Kafka's tools:\n{done.stdout[-2000:]}{done.stderr[-2000:]}"
            target.mkdir(exist_ok=True)
            for jar in pathlib.Path(work).glob("*.jar"):
                os.rename(jar, target / jar.name)
    return sorted(libs.glob("*.jar")) + sorted(target.glob("*.jar"))


def put(folder: pathlib.Path):
    """Makes the tools as commands in a folder."""
    jars, java = ":".join(map(str, fetch())), kit().java()
    for name, main in MAINS.items():
        path = folder / name
        path.write_text(f"#!/bin/sh\nexec '{java}' -Xmx128m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -Xshare:auto -cp '{jars}' {main} \"$@\"\n")
        path.chmod(0o755)
