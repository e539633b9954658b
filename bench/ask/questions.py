"""The questions end to end. Each compares tickbridge with itself over one thing."""
import dataclasses
from collections.abc import Callable

from daemon import Bare, Daemon


@dataclasses.dataclass
class Question:
    name: str
    text: str
    values: list
    base: str = ""  # the value that the others are compared with; "": the first
    broker: str | None = None  # the only one it makes sense on
    conclusion: Callable = lambda answer: ""  # a text for behind the table


def over(values: dict, **fixed) -> list:
    """{name: what is special in it}"""
    return [Daemon(name, **{**fixed, **special}) for name, special in values.items()]


def number(value: int) -> str:
    return f"{value:,}"


def of_feed(option: str, *values, **fixed) -> list:
    return over({str(value): {"feed": {option: value}} for value in values}, **fixed)


def of_producer(option: str, *values, **fixed) -> list:
    return over({f"{value:,}" if isinstance(value, int) else value: {"producer": {option: value}} for value in values}, **fixed)


MIB = 1 << 20
HEADERS = {"none": [], "sequence": ["sequence"], "all three": ["sequence", "feed", "receive_time"]}
UNBOUND = {"max_in_flight_messages": 10_000_000}  # so that buffer.memory is what bounds


def memory(**fixed) -> list:
    return over({f"{size} MiB": {"producer": {**UNBOUND, "buffer.memory": size * MIB}} for size in (8, 16, 32, 64, 128)},
                instruments=1_000, **fixed)


SMALLEST = {"partitions": 1, "instruments": 10}
LARGEST = {"partitions": 256, "instruments": 10_000}
# The bare library's one task is as large as those of 32 feeds, so that as many messages go into a call, and it has as many in flight.
SCALE = [Daemon("smallest", **SMALLEST), Bare("bare library, smallest", **SMALLEST),
         Daemon("largest", feeds=32, **{**LARGEST, "partitions": 8}),
         Bare("bare library, largest", task_bytes=32 * 131_072, in_flight=128_000, **LARGEST)]  # fmt: skip


def beside_the_library(answer) -> str:
    """"Cost per message beside the library's own at the largest against the smallest": as a ratio of ratios, and what is ours alone."""
    small, small_bare, large, large_bare = (value.name for value in SCALE)
    if any(value.name not in answer.runs for value in SCALE):
        return ""
    ours = [answer.median(lambda a, b: a - b, *pair) for pair in ((small, small_bare), (large, large_bare))]
    growth = answer.median(lambda a, b, c, d: a / b / (c / d), large, large_bare, small, small_bare)
    return (f"- In all, largest against smallest: {answer.ratio(large, small):.2f}; the bare library alone: "
            f"{answer.ratio(large_bare, small_bare):.2f}.\n"
            f"- Beside the bare library: {answer.ratio(small, small_bare):.2f} at the smallest, {answer.ratio(large, large_bare):.2f} at "
            f"the largest; largest against smallest: **{growth:.2f}**.\n"
            f"- Beyond the bare library: {ours[0]:,.0f} ns a message at the smallest, {ours[1]:,.0f} ns at the largest.")


def all_of_them() -> list:
    return [
        Question("transport", "What do compressed packets and a compressed stream cost?",
                 over({"plain": {}, "zlib packets": {"compression": "zlib"}, "zlib stream": {"compression": "zlib-stream"}})),
        Question("workers", "What do more workers bring?",
                 over({str(count): {"pipeline": {"workers": count}} for count in (1, 2, 4)})),
        Question("feeds", "What do many feeds in one daemon cost, each with a topic of 12 partitions, with as many messages in all, "
                 "and rings that are together as large?",
                 over({str(count): {"feeds": count} for count in (1, 2, 8, 32)}, instruments=1_000)),
        Question("feeds-alone", "The same with 32 partitions in all?",
                 over({str(count): {"feeds": count, "partitions": 32 // count} for count in (1, 2, 8, 32)}, instruments=1_000)),
        Question("partitions", "What do many partitions cost?",
                 over({str(count): {"partitions": count} for count in (1, 12, 48, 128, 256)}), base="12"),
        Question("instruments", "What do many instruments cost?",
                 over({number(count): {"instruments": count} for count in (1, 10, 1_000, 8_000, 10_000)}),
                 base="8,000"),
        Question("scale", "What does a message cost beside the library's own at 32 feeds, 256 partitions (32 topics of 8; the bare "
                 "library: one of 256), 10,000 instruments (in each feed), the rings together as large as the one feed's, against one "
                 "feed, one partition, 10 instruments?", SCALE, conclusion=beside_the_library),
        Question("sizes", "What does a message cost by its size? (of an unknown type, keyed by its instrument)",
                 over({f"{size:,} B": {"size": size} for size in (20, 40, 100, 400, 1_024, 4_096)}, instruments=1_000),
                 base="40 B"),
        Question("delivery", "What does each way of delivering cost?",
                 of_feed("delivery", "exactly_once", "at_least_once", "at_most_once", "transactional")),
        Question("timestamps", "What do timestamps cost?", [
            *of_feed("timestamp", "send", "exchange", "receive"),
            *of_feed("timestamp", "broker", topic_settings=("message.timestamp.type=LogAppendTime",))]),
        Question("send", "What do the ways of handing over cost?", [
            Daemon("async"),
            Daemon("sync", feed={"send": "sync"}, share=0.25),
            Daemon("async, at_most_once", feed={"delivery": "at_most_once"}),
            Daemon("fire_and_forget, at_most_once", feed={"delivery": "at_most_once", "send": "fire_and_forget"})]),
        Question("codecs", "What does compressing towards Kafka cost?",
                 of_producer("compression.type", "none", "lz4", "snappy", "zstd", "gzip")),
        Question("linger", "What does a longer linger.ms bring?", of_producer("linger.ms", 0, 1, 5, 20, 100), base="5"),
        Question("batch", "What does a larger batch.size bring?",
                 over({f"{size:,}": {"producer": {"batch.size": size}} for size in (16_384, 65_536, 262_144, 1_000_000)}),
                 base="1,000,000"),
        Question("memory", "From which buffer.memory on does a larger one bring nothing, where it alone bounds what is in flight?",
                 memory(), base="32 MiB"),
        Question("memory-32", "The same with 32 feeds, each with its share?", memory(feeds=32), base="32 MiB"),
        Question("memory-far", "The same with one feed and a broker whose answers take 50 ms longer?", memory(round_trip=50),
                 base="32 MiB", broker="embedded"),
        Question("in-flight", "How many messages in flight are best?",
                 of_producer("max_in_flight_messages", 5_000, 10_000, 20_000, 50_000, 100_000, 200_000), base="50,000"),
        Question("headers", "What do headers cost?", over({name: {"feed": {"headers": words}} for name, words in HEADERS.items()})),
        Question("acks", "What do acknowledgements cost, in at_most_once, on three brokers?",
                 of_producer("acks", "all", "1", "0", feed={"delivery": "at_most_once"}), broker="kafka3"),
        Question("brokers", "What does each broker take?",
                 over({kind: {"broker": kind} for kind in ("kafka1", "kafka3", "embedded")})),
    ]
