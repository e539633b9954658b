"""The questions end to end. Each compares tickbridge with itself over one thing; a value's base is the first one's."""
import dataclasses

from daemon import Daemon


@dataclasses.dataclass
class Question:
    name: str
    text: str
    values: list
    broker: str | None = None  # the only one it makes sense on

    def conclusion(self, answer) -> str:
        return ""


def over(values: dict, **fixed) -> list:
    """{name: what is special in it}"""
    return [Daemon(name, **{**fixed, **special}) for name, special in values.items()]


def number(value: int) -> str:
    return f"{value:,}"


def of_feed(option: str, *values, **fixed) -> list:
    return over({str(value): {"feed": {option: value}} for value in values}, **fixed)


def of_producer(option: str, *values, **fixed) -> list:
    return over({f"{value:,}" if isinstance(value, int) else value: {"producer": {option: value}} for value in values}, **fixed)


def all_of_them() -> list:
    return [
        Question("transport", "What do compressed packets and a compressed stream cost?",
                 over({"plain": {}, "zlib packets": {"compression": "zlib"}, "zlib stream": {"compression": "zlib-stream"}})),
        Question("workers", "What do more workers bring?",
                 over({str(count): {"pipeline": {"workers": count}} for count in (1, 2, 4)})),
    ]
