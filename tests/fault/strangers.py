"""Scenarios in which somebody else's records come into the partitions: other producers, a dead daemon's late requests,
the library's own second send."""
import re
import struct
import time

EXIT_FOREIGN = 76


def foreign_running(case):
    """A foreign producer writes while the daemon runs: exit 76, offsets named; the restart loses nothing."""
    run = case.run(case.size("messages", 200_000, 600_000), rate=case.size("rate", 15_000, 20_000))
    if case.delivery != "exactly_once":
        return foreign_and_on(case, run)
    for _ in range(case.size("kills", 2, 5)):
        life = run.start("--exit-at-end")
        life.await_writing(5000)
        case.sleep(0, 0.5)
        run.write_foreign(case.dice, case.dice.randrange(1, 40))
        code = life.leave(30)
        assert code == EXIT_FOREIGN, f"exit {code}\n{life.errors()}"
        case.tell(f"exit {code}, foreign_writes {life.last.get('foreign_writes')}")
    run.finish(restart_on=(EXIT_FOREIGN,))
    run.exact_but_named()


def foreign_and_on(case, run):
    """The other deliveries go on: transactional names the offsets, and nothing of ours is lost or doubled."""
    life = run.start("--exit-at-end")
    for _ in range(case.size("kills", 1, 5)):
        life.await_writing(life.look().get("messages_acknowledged", 0) + 5000)
        run.write_foreign(case.dice, case.dice.randrange(1, 40))
    run.finish(life=life)
    if case.delivery == "transactional":
        return run.exact_but_named()
    rest = run.check(but=run.foreign)
    assert rest.exact(), f"without the foreign records: {rest}"


def foreign_beside(case):
    """One of two feeds meets a foreign producer: it fails with 76 and counts, the other one goes on."""
    run = case.run(case.size("messages", 80_000, 300_000), rate=10_000)
    other = case.run(run.messages, rate=10_000)
    other.checkpoints = run.checkpoints
    life = run.start(extra_config=other.feed_config())
    life.await_writing(3000)
    run.write_foreign(case.dice, 7)
    life.until(lambda: life.look().get("state") == "failed", 30, what="the feed fails")
    counted = life.look()["foreign_writes"]
    before = life.feed(other.name)["messages_acknowledged"]
    life.until(lambda: life.feed(other.name)["messages_acknowledged"] > before, 20, what="the other feed goes on")
    named = len(life.named()["foreign"])
    assert counted == named == len(run.foreign), f"foreign_writes {counted}, named {named}, written {len(run.foreign)}"
    case.tell(f"foreign_writes {counted}")
    code = life.stop()
    assert code == EXIT_FOREIGN, f"exit {code}: the worst feed's code is the process's\n{life.errors()}"
    other.lives.append(life)
    run.finish(restart_on=(EXIT_FOREIGN,))
    run.exact_but_named()
    other.finish()
    other.exact()


def foreign_down(case):
    """A foreign producer writes while the daemon is down, after a kill or a clean stop: found and named at the start."""
    run = case.run(case.size("messages", 200_000, 1_200_000), rate=case.size("rate", 25_000, 25_000))
    ways = ["kill", "clean"] * (1 if not case.long else 4)
    case.dice.shuffle(ways)
    for way in ways:
        life = run.start("--exit-at-end")
        life.await_writing(3000)
        case.sleep(0, 1)
        if way == "kill":
            life.kill()
        else:
            assert life.stop() == 0, life.errors()
        run.write_foreign(case.dice, case.dice.randrange(1, 30))
        run.say(f"while down after {way}")
    run.finish(restart_on=(EXIT_FOREIGN,), tries=len(ways) + 2)
    if case.delivery in EXACT:
        return run.exact_but_named()
    rest = run.check(but=run.foreign)  # the others do not look, and keep their promises beside it
    wrong = (rest.lost, rest.out_of_order, rest.altered) if case.delivery == "at_least_once" else (rest.duplicated, rest.out_of_order)
    assert not any(wrong), f"without the foreign records: {rest}"


def late(case):
    """A proxy holds requests of a killed daemon and lets them through seconds after its successor has started."""
    run = case.run(case.size("messages", 250_000, 1_500_000), rate=case.size("rate", 12_000, 12_000), proxied=True)
    held, late_bytes = [], case.proxies.late_bytes()
    for _ in range(case.size("kills", 2, 10)):
        life = run.start("--exit-at-end")
        life.await_writing(3000)
        links = case.proxies.hold()
        case.sleep(0.05, 0.5)  # now up to five requests a broker are on their way
        life.kill()
        held.append(case.proxies.held_bytes(links))
        life = run.start("--exit-at-end")
        if len(held) == 1 or case.dice.random() < 0.75:  # else it may still be fencing
            life.until(lambda: life.look().get("messages_acknowledged", 0) > 0 or not life.alive(), 30)
        case.sleep(0, 2)
        run.say(f"released {held[-1]} bytes of the dead daemon")
        case.proxies.release(links)
        time.sleep(1)
        if life.alive():
            life.kill()
        else:
            code = life.leave()
            assert code in (75, EXIT_FOREIGN), f"exit {code}\n{life.errors()}"
    run.rush()
    run.finish(restart_on=(75, EXIT_FOREIGN))
    late_bytes = case.proxies.late_bytes() - late_bytes
    named = run.named("double") | run.named("foreign")
    case.tell(f"held {held} bytes, {late_bytes} came late, {len(run.lives)} lives, {len(run.named('double'))} doubles named, "
              f"{len(run.named('foreign'))} foreign")
    assert sum(map(bool, held)) * 2 >= len(held), f"too little was held, {held}: the scenario showed nothing"
    assert late_bytes, "nothing came late: the scenario showed nothing"
    assert named or case.delivery == "transactional", "nothing was appended late: the scenario showed nothing"
    run.exact() if case.delivery == "transactional" else run.exact_but_named(late=True)


class Refusal:
    """Turns the first partition's error of one Produce answer into another one, as a broker in trouble would give it."""

    PRODUCE = 0

    def __init__(self, code, budget):
        self.code, self.budget = code, budget  # budget: [how many answers are changed yet]
        self.up_rest, self.down_rest, self.asked = b"", b"", set()

    def filters(self):
        return self.up, self.down

    def up(self, data):
        """Notes which correlation ids are Produce requests; passes everything."""
        rest = self.up_rest + data
        while len(rest) >= 12:
            size, api, _, correlation = struct.unpack(">ihhi", rest[:12])
            if len(rest) < 4 + size:
                break
            if api == self.PRODUCE:
                self.asked.add(correlation)
            rest = rest[4 + size:]
        self.up_rest = rest
        return data

    def down(self, data):
        rest, out = self.down_rest + data, b""
        while len(rest) >= 8 and len(rest) >= 4 + (size := struct.unpack(">i", rest[:4])[0]):
            frame, rest = bytearray(rest[:4 + size]), rest[4 + size:]
            correlation = struct.unpack(">i", frame[4:8])[0]
            if correlation in self.asked and self.budget[0] > 0:
                name = struct.unpack(">h", frame[12:14])[0]  # 4 size, 4 correlation, 4 topics
                at = 14 + name + 4 + 4  # partitions, index
                if struct.unpack(">h", frame[at:at + 2])[0] == 0:
                    frame[at:at + 2] = struct.pack(">h", self.code)
                    self.budget[0] -= 1
            out += frame
        self.down_rest = rest
        return out


UNKNOWN_PRODUCER_ID = 59


def second_send(case):
    """A broker's error makes the library bump its epoch and send again what was possibly persisted."""
    run = case.run(case.size("messages", 200_000, 400_000), rate=case.size("rate", 10_000, 10_000), proxied=True)
    changed = 0
    for _ in range(case.size("kills", 2, 8)):
        life = run.start("--exit-at-end")
        life.await_writing(3000)
        budget = [1]
        broker = case.dice.choice((1, 2, 3))
        others = [number for number in (1, 2, 3) if number != broker]
        links = case.proxies.hold(broker, up=False, down=True)  # answers of what is persisted do not come back …
        for number in others:
            case.proxies.hold(number, up=False, down=True)
        case.proxies.tamper(broker, lambda: Refusal(UNKNOWN_PRODUCER_ID, budget).filters())
        case.sleep(0.1, 0.3)
        case.proxies.release(links)  # the error comes first: the library waits for what is in flight, to bump its epoch
        case.sleep(0.02, 0.05)
        for number in others:  # … ever, from the other two
            case.proxies.reset(number)
        case.sleep(1, 2)
        changed += 1 - budget[0]
        if life.alive():
            life.kill()
        else:
            code = life.leave()
            assert code in (75, EXIT_FOREIGN), f"exit {code}\n{life.errors()}"
    run.rush()
    run.finish(restart_on=(75, EXIT_FOREIGN))
    assert changed, "no answer was changed: the scenario showed nothing"
    assert run.named("double"), "the library has sent nothing twice: the scenario showed nothing"
    bumps = len(re.findall(r"(?i)epoch", "".join(run.logs)))
    case.tell(f"{changed} answers changed, {len(run.lives)} lives, {len(run.named('double'))} doubles named, {bumps} lines about epochs")
    run.exact() if case.delivery == "transactional" else run.exact_but_named(late=True)


FIRST = ("exactly_once",)
EXACT = ("exactly_once", "transactional")
ALL = (*EXACT, "at_least_once", "at_most_once")
SCENARIOS = {
    "foreign_running": (foreign_running, FIRST, ALL),
    "foreign_beside": (foreign_beside, FIRST, FIRST),
    "foreign_down": (foreign_down, EXACT, ALL),
    "late": (late, EXACT, EXACT),
    "second_send": (second_send, FIRST, FIRST),
}
