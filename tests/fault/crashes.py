"""Scenarios in which the daemon dies, is stopped, or runs twice."""
import itertools
import re
import signal
import time

import log_check
from world import PHASES, LoggedIn

PARTS = {"exactly_once": ["fence", "suffix", "own", "align"]}  # of a start; of the others only "own"


def plan(case, kills: int) -> list:
    """What each kill is aimed at: None: records in flight, `kills` of them; or a part of a start: a third as many."""
    parts = PARTS.get(case.delivery, ["own"])
    aims = [None] * kills + [part for _ in range(max(1, kills // 3 // len(parts))) for part in parts]
    case.dice.shuffle(aims)
    first = aims.index(None)  # without a checkpoint there is nothing to fence or align
    aims[0], aims[first] = aims[first], aims[0]
    return aims


def die(case, run, part, message):
    """One life and its end: in a part of the start (by the log), or with records of its own in flight, at a message of the
    session or as soon as it can. Some of these write checkpoints all the time."""
    often = {"checkpoint__interval": "10ms"} if part is None and case.dice.random() < 0.2 else {}
    life = run.start("--exit-at-end", **often)
    if part:
        life.until(lambda: PHASES[part] in life.errors(), 60, 0.001, part)
        case.sleep(0, 0.04 if part == "fence" else 0.003)
        return life.kill()
    life.await_progress(message)
    flight = []
    life.until(lambda: flight.append(life.unacknowledged()) or flight[-1] > 0, 30, 0.001, "records in flight")
    return life.kill(flight[-1])


def told_of_kills(case, run, done, wanted, waits):
    """The figures, and that the kills fell where they should: `wanted` of them beside those in the start path."""
    phases = [kill.phase for kill in done]
    hit = [kill.unacknowledged for kill in done if kill.unacknowledged > 0]
    behind = [int(n) for n in re.findall(r"(\d+) record\(s\) lie behind", "".join(run.logs))]
    starting = sum(kill.phase in ("fence", "own", "align", "aligned") and not kill.unacknowledged for kill in done)
    at_once = sum(wait < 0.1 for wait in waits)
    case.tell(f"{len(done)} kills while " + ", ".join(f"{phase} {phases.count(phase)}" for phase in sorted(set(phases)))
              + f"; {len(hit)} of them hit unacknowledged records of that life, {sum(hit)} in all: {' '.join(map(str, hit))}"
              + f"; {starting} others hit fence, start checkpoint or alignment"
              + f"; {sum(n > 0 for n in behind)} starts with records behind the checkpoint, {sum(behind)} in all"
              + f"; {at_once} restarts within 100 ms")
    assert len(hit) >= wanted, f"{len(hit)} kills hit unacknowledged records, {wanted} were to"
    assert len(done) < 10 or at_once > 0, "no restart within 100 ms"
    exact = case.delivery in ("exactly_once", "transactional")
    assert not exact or starting >= max(1, wanted // 5), f"only {starting} in fence, start checkpoint, alignment"


def kills(case):
    """kill -9 of the daemon at random moments, under full load."""
    count = case.size("kills", 10 if case.delivery == "exactly_once" else 4, 50)
    # Little is under way at a time, so that the session is long enough for all lives, and the watch for an owner is short.
    run = case.run(case.size("messages", 300_000, 2_000_000), settings={
        "pipeline.ring_bytes": 1 << 20, "producer.max_in_flight_messages": 5_000, "checkpoint.interval": "250ms"})
    aims = plan(case, count)
    targets = sorted(case.dice.randrange(run.messages * 8 // 10) for _ in aims)
    done, waits = [], []
    for part, message in zip(aims, targets):
        began = time.monotonic()
        done.append(die(case, run, part, message))
        run.say(f"kill {len(done)}, aimed at {part or message}: {done[-1]}, {time.monotonic() - began:.2f} s after the start")
        waits.append(case.dice.choice([0, 0, 0.05, 0.3, 1.0]))
        time.sleep(waits[-1])
    run.finish()
    told_of_kills(case, run, done, count, waits)
    if lost := run.keep_promise():
        case.tell(f"{lost} lost")


def follower(case):
    """A follower that is still in the ISR is stopped (SIGSTOP) when the daemon is killed."""
    run = case.run(case.size("messages", 300_000, 1_000_000), topic=False, rate=case.size("rate", 8_000, 8_000))
    idle, leaders = 3, [1, 2]
    case.kafka.topic_led_by(run.topic, [[leaders[n % 2], leaders[1 - n % 2], idle] for n in range(6)])
    unacknowledged, ends = [], []
    for _ in range(case.size("kills", 2, 10)):
        life = run.start("--exit-at-end")
        life.await_writing(case.dice.randrange(1000, 20_000))
        case.kafka.run("stop", idle)
        case.sleep(0.2, 0.6)  # the leaders append, the end that clients see stands still
        unacknowledged.append(life.kill().unacknowledged)
        ends.append(log_check.ends(case.kafka.servers, run.topic))
        life = run.start("--exit-at-end")
        if case.delivery == "exactly_once":
            life.until(lambda: PHASES["fence"] in life.errors(), 30, what="the fence")
        case.sleep(0.2, 2.5)  # all of it shorter than the brokers' session, so that it stays in the ISR
        case.kafka.run("cont", idle)
        life.await_writing()
        life.kill()
    run.rush()
    run.finish()
    case.tell(f"unacknowledged when killed {unacknowledged}")
    run.keep_promise()
    assert any(unacknowledged), "no kill hit records on their way"
    if case.delivery == "exactly_once":  # which fences
        log = {record[:2] for record in log_check.records(case.kafka.servers, run.topic)[0]}
        hidden = [sum(before_marker(log, partition, end) for partition, end in seen.items()) for seen in ends]
        case.tell(f"hidden behind the end {hidden}")
        assert any(hidden), "no record was hidden: this run has shown nothing"


def before_marker(log: set, partition: int, end: int) -> int:
    """How many records lie from `end` on up to the fence's marker, which has an offset and is no record."""
    return next(n for n in itertools.count() if (partition, end + n) not in log)


def sigterm(case):
    """SIGTERM under load: exit 0; the next start skips nothing and repeats nothing."""
    run = case.run(case.size("messages", 300_000, 1_000_000), settings={"pipeline.ring_bytes": 1 << 20})
    count = case.size("kills", 3, 12)
    expected = 1
    for target in sorted(case.dice.randrange(run.messages * 8 // 10) for _ in range(count)):
        life = run.start()
        life.await_progress(target)
        code = life.stop()
        assert code == 0, f"exit {code} after SIGTERM\n{life.errors()}"
        first = int(LoggedIn.search(life.errors())[2])
        totals = re.search(r"(\d+) committed, (\d+) acknowledged", life.errors())
        assert totals and totals[1] == totals[2], f"not all was acknowledged\n{life.errors()}"
        assert first == expected, f"began at {first}, {expected} was next\n{life.errors()}"
        assert life.last.get("messages_skipped", 0) == 0, f"skipped {life.last}"
        expected = first + int(totals[1])
        run.say(f"stopped before {expected}")
    run.finish()
    assert run.lives[-1].last.get("messages_skipped", 0) == 0, run.lives[-1].last
    case.tell(f"{count} stops")
    run.exact()


def twice(case):
    """Two daemons on one feed by mistake: the second leaves with 76 before it writes, the first goes on."""
    run = case.run(case.size("messages", 120_000, 600_000), rate=case.size("rate", 10_000, 20_000))
    first = run.start("--exit-at-end")
    first.await_writing(1000)
    for _ in range(2):
        case.sleep(0, 1)
        second = run.start("--exit-at-end")
        code = second.leave(30)
        assert code == 76, f"the second daemon left with {code}\n{second.errors()}"
        assert second.last.get("messages_committed", 0) == 0, f"the second daemon wrote {second.last}"
        before = first.look()["messages_acknowledged"]
        first.until(lambda: first.look()["messages_acknowledged"] > before, 20, what="the first one goes on")
    run.finish(life=first)
    assert first.last.get("foreign_writes", 0) == 0, first.last
    run.exact()


def race(case):
    """Two daemons started on one feed at the same moment: at most one writes."""
    run = case.run(case.size("messages", 60_000, 600_000), rate=10_000)
    if case.dice.random() < 0.7:  # else there is no checkpoint yet
        life = run.start("--exit-at-end")
        life.await_writing(1000)
        life.kill()
    pair = [run.start("--exit-at-end"), run.start("--exit-at-end")]
    deadline = time.monotonic() + 90
    while all(life.alive() for life in pair) and time.monotonic() < deadline:
        [life.look() for life in pair]
        time.sleep(0.05)
    left = [life for life in pair if not life.alive()]
    assert left, "both run on"
    codes = [life.leave(60) for life in pair]
    case.tell(f"exit codes {codes}")
    assert all(code in (0, 76) for code in codes) and 76 in codes, f"{codes}\n{pair[0].errors()}\n{pair[1].errors()}"
    if 0 not in codes:
        run.finish()
    run.keep_promise()


def zombie(case):
    """SIGSTOP the daemon, start a second one, SIGCONT the first."""
    run = case.run(case.size("messages", 200_000, 1_000_000), rate=case.size("rate", 15_000, 20_000))
    first = run.start("--exit-at-end")
    first.await_writing(2000)
    case.sleep(0, 0.5)
    first.until(lambda: first.unacknowledged() > 0, 30, 0.001, "records in flight")
    first.signal(signal.SIGSTOP)
    run.say(f"stopped with {first.last}")
    second = run.start("--exit-at-end")
    second.await_writing(1000)
    case.sleep(0, 1)
    first.signal(signal.SIGCONT)
    run.say("continued")
    code = first.leave(60)
    assert code == 76, f"the first daemon left with {code}\n{first.errors()}"
    run.finish(restart_on=(75, 76), life=second)
    case.tell(f"{len(run.lives)} lives, {len(run.named('double'))} doubles named, {len(run.named('foreign'))} foreign")
    run.exact_but_named(late=True) if case.delivery == "exactly_once" else run.keep_promise(late=True)


ALL = ("exactly_once", "transactional", "at_least_once", "at_most_once")
EXACT = ("exactly_once", "transactional")
SCENARIOS = {
    "kills": (kills, ALL, ALL),
    "follower": (follower, EXACT[:1], ALL),
    "sigterm": (sigterm, EXACT[:1], ALL),
    "twice": (twice, EXACT[:1], ALL),
    "race": (race, EXACT[:1], ALL),
    "zombie": (zombie, ("exactly_once", "at_most_once"), ALL),
}
