"""Scenarios in which brokers, the exchange, or the network between them fail, alone and all at once."""
import random
import re
import signal
import threading
import time

from world import BROKERS


class Trouble(threading.Thread):
    """Something that goes on beside the daemon's lives; what it raises is raised again by over()."""

    def __init__(self, case, work):
        super().__init__(daemon=True)
        self.work, self.problem = work, None
        case.troubles.append(self)
        self.start()

    def run(self):
        try:
            self.work()
        except Exception as problem:
            self.problem = problem

    def over(self, seconds=300):
        self.join(seconds)
        assert not self.is_alive(), "the trouble does not end"
        if self.problem:
            raise self.problem


def live(case, run):
    life = run.start("--exit-at-end")
    life.await_writing(1000)
    return life


def loaded(case, **more):
    """A run under steady load that lasts longer than the trouble; run.rush() plays the rest."""
    return case.run(case.size("messages", 300_000, 2_000_000), rate=case.size("rate", 4_000, 6_000), **more)


def brokers(case):
    """kill -9 of the leader, then of another broker, each started again, under load."""
    run = loaded(case)
    life = live(case, run)
    for _ in range(case.size("kills", 1, 4)):
        leader = case.kafka.leader(run.topic, case.dice.randrange(12))
        case.kafka.run("kill", leader)
        run.say(f"killed broker {leader}")
        case.sleep(0.5, 3)
        life.must_live()
        if both := case.dice.random() < 0.5:  # for a while nothing can be written at all
            other = case.dice.choice([n for n in BROKERS if n != leader])
            case.kafka.run("kill", other)
            run.say(f"killed broker {other} too")
            case.sleep(0.5, 2)
        case.kafka.heal(run.topic)
        if not both:
            other = case.dice.choice([n for n in BROKERS if n != leader])
            case.kafka.run("kill", other)
            run.say(f"killed broker {other} afterwards")
            case.sleep(0.5, 3)
            case.kafka.heal(run.topic)
    run.rush()
    run.finish(life=life)
    run.keep_promise(refused=True)


def rolling(case):
    """Rolling restarts: each broker in turn is stopped in good order and started again, under load."""
    run = loaded(case)
    life = live(case, run)
    for _ in range(1 if not case.long else 3):
        for number in case.dice.sample(BROKERS, len(BROKERS)):
            case.kafka.terminate(number)
            run.say(f"broker {number} stopped")
            case.kafka.heal(run.topic)
            run.say(f"broker {number} is back")
            life.must_live()
    run.rush()
    run.finish(life=life)
    run.keep_promise(refused=True)


def frozen(case):
    """A leader stands still (SIGSTOP) for 30 s, 10 in the short version, under load."""
    seconds = case.size("seconds", 10, 30)
    run = loaded(case)
    life = live(case, run)
    leader = case.kafka.leader(run.topic, case.dice.randrange(12))
    case.kafka.run("stop", leader)
    run.say(f"broker {leader} stands still")
    time.sleep(seconds)
    life.must_live()
    case.kafka.run("cont", leader)
    run.rush()
    run.finish(life=life)
    run.keep_promise(refused=True)


def together(case):
    """A broker is killed, stopped, or stands still, or two are killed, at the moment the daemon is killed."""
    run = loaded(case)
    rounds = [("kill", 3), ("stop", case.between(2, 8))]
    if case.long:
        rounds += [("stop", 30), ("two", 4), ("terminate", 5)]
        rounds += [(case.dice.choice(["kill", "stop", "two", "terminate"]), case.between(2, 10)) for _ in range(3)]
    case.dice.shuffle(rounds)

    def break_brokers(how, leader):
        if how == "terminate":
            return case.kafka.terminate(leader)
        case.kafka.run("stop" if how == "stop" else "kill", leader)
        if how == "two":
            case.kafka.run("kill", leader % len(BROKERS) + 1)

    for how, seconds in rounds:
        life = live(case, run)
        case.sleep(0, 0.5)
        leader = case.kafka.leader(run.topic, case.dice.randrange(12))
        breaking = Trouble(case, lambda: break_brokers(how, leader))
        case.sleep(0, 0.3)
        kill = life.kill()
        breaking.over()
        run.say(f"{how} of broker {leader} and of the daemon, {kill}, for {seconds:.1f} s")
        life = run.start("--exit-at-end")
        time.sleep(seconds)
        life.must_live()
        case.kafka.heal(run.topic)
        life.await_writing(1)
        life.kill()
    run.rush()
    run.finish()
    run.keep_promise(refused=True)


class Exchanges:
    """Two addresses of one session, either of which may go away; at least one is there at any time."""

    def __init__(self, case, run):
        self.run, self.dice = run, random.Random(case.dice.random())

    def fail_over(self):
        number = self.dice.randrange(2)
        old = self.run.exchanges[number]
        if old.process.poll() is None and self.run.exchanges[1 - number].process.poll() is None:
            old.process.kill()
            old.process.wait()
            self.run.say(f"exchange {number + 1} killed")

    def stall(self, life):
        """The one that is connected says nothing for longer than the feed waits for a sign of life (3 s)."""
        before = life.errors().count("nothing heard for")
        for _ in range(3):  # it may be about to go to the other address
            used = re.findall(r"connected to (\S+)", life.errors())[-1]
            exchange = self.run.exchanges[self.run.hosts.index(used)]
            exchange.process.send_signal(signal.SIGSTOP)
            self.run.say(f"{used} stands still")
            time.sleep(self.dice.uniform(3.5, 5))
            exchange.process.send_signal(signal.SIGCONT)
            if life.errors().count("nothing heard for") > before:
                return

    def back(self):
        for number, exchange in enumerate(self.run.exchanges):
            if exchange.process.poll() is not None:
                self.run.exchanges[number] = self.run.exchange(exchange.port)


def venue(case):
    """The exchange's connection is cut and stands still at random, and one of two addresses after the other goes away."""
    seconds = case.size("seconds", 12, 120)
    run = loaded(case, exchanges=2, flags=["--fault", f"cut:{case.dice.randrange(2_000, 10_000)}", "--seed", case.dice.randrange(1 << 30)])
    life, exchanges, until = live(case, run), Exchanges(case, run), time.monotonic() + seconds
    steps = 0
    while time.monotonic() < until:
        life.must_live()
        exchanges.stall(life) if steps == 1 or case.dice.random() < 0.2 else exchanges.fail_over()
        case.sleep(0.3, 2)
        exchanges.back()
        case.sleep(0.3, 2)
        steps += 1
    run.rush()
    run.finish(life=life)
    feed = life.last
    silences = life.errors().count("nothing heard for")
    case.tell(f"{feed['reconnects']} reconnects, {silences} of them after a silence, {feed['sequence_repeats']} repeats")
    assert silences, "no connection stood still"
    assert feed["reconnects"] > 3 and feed["gaps"] == 0, feed
    used = set(re.findall(r"connected to (\S+)", life.errors()))
    assert used == set(run.hosts), f"of the addresses {run.hosts} only {used} were used"
    run.keep_promise()


def network_fault(case, proxies, dice, say):
    """One fault between the daemon and one broker or all of them, and its end."""
    number = dice.choice([None, *BROKERS])
    kind = dice.choice(["delay", "rate", "cut", "reset", "refuse", "freeze"])
    say(f"network: {kind}, broker {number or 'all'}")
    if kind == "delay":
        proxies.faults(number, delay=dice.uniform(0.02, 0.3), jitter=dice.uniform(0, 0.3))
    elif kind == "rate":
        proxies.faults(number, rate=dice.uniform(50e3, 2e6))
    elif kind == "refuse":
        proxies.faults(number, refuse=True)
        proxies.reset(number)
    elif kind == "freeze":
        up = dice.random() < 0.5
        proxies.hold(number, up=up, down=not up or dice.random() < 0.5)
    else:
        for _ in range(dice.randrange(1, 6)):
            getattr(proxies, kind)(number)
            time.sleep(dice.uniform(0, 0.5))
        return
    time.sleep(dice.uniform(0.2, 3))
    if dice.random() < 0.3:
        proxies.reset(number)
    proxies.heal()


def network(case):
    """Between daemon and brokers: delays, throttling, cuts, resets, silence, refused connections."""
    seconds = case.size("seconds", 9, 120)
    run = loaded(case, proxied=True)
    life, until = live(case, run), time.monotonic() + seconds
    while time.monotonic() < until:
        network_fault(case, case.proxies, case.dice, run.say)
        life.must_live()
        case.sleep(0, 0.5)
    case.proxies.heal()
    run.rush()
    run.finish(life=life)
    run.keep_promise(refused=True)


class Brokers:
    """At most one of the brokers is away at a time."""

    def __init__(self, case, run):
        self.kafka, self.run, self.dice, self.away = case.kafka, run, random.Random(case.dice.random()), None
        self.stops = 0

    def step(self):
        if self.away:
            self.kafka.heal(self.run.topic)
            self.run.say(f"broker {self.away} is back")
            self.away = None
        else:
            number, how = self.dice.choice(BROKERS), self.dice.choice(["kill", "stop", "terminate"])
            self.run.say(f"{how} of broker {number}")
            self.stops += how == "stop"
            self.kafka.terminate(number) if how == "terminate" else self.kafka.run(how, number)
            self.away = number


def mixed(case):
    """All of it at random for ten minutes (30 s in the short version), kills of the daemon included."""
    seconds, rate = case.size("seconds", 30, 600), case.size("rate", 8_000, 5_000)
    run = case.run(case.size("messages", rate * seconds * 3 // 2, rate * seconds), rate=rate, exchanges=2, proxied=True,
                   flags=["--fault", "cut:50000"])
    late = case.proxies.late_bytes()
    live(case, run).kill()  # its topics are made while all brokers are there
    until, kills, dice = time.monotonic() + seconds, [], random.Random(case.dice.random())
    exchanges, some_brokers = Exchanges(case, run), Brokers(case, run)

    def repeatedly(step, pause):
        def work():
            while time.monotonic() < until and not case.over:
                step()
                time.sleep(pause * dice.uniform(0.3, 1.7))
        return Trouble(case, work)

    def venue_step():
        exchanges.back()
        time.sleep(1)
        exchanges.fail_over()

    network_dice = random.Random(case.dice.random())
    troubles = [repeatedly(some_brokers.step, 3), repeatedly(venue_step, 3),
                repeatedly(lambda: network_fault(case, case.proxies, network_dice, run.say), 1)]
    while time.monotonic() < until:
        life, end = run.start("--exit-at-end"), min(until, time.monotonic() + case.between(0.5, 8))
        while life.alive() and time.monotonic() < end:
            life.look()
            time.sleep(0.05)
        kills.append(life.kill())
        run.say(f"{kills[-1]}")
        case.sleep(0, 0.5)
    [trouble.over() for trouble in troubles]
    case.world.heal()
    run.rush()
    run.finish(200)
    phases = [kill.phase for kill in kills]
    case.tell(f"{len(kills)} kills while " + ", ".join(f"{phase} {phases.count(phase)}" for phase in sorted(set(phases))))
    late = case.proxies.late_bytes() - late
    doubles = run.named("double") | run.named("foreign")
    case.tell(f"{len(doubles)} doubles named, {late} bytes passed on after their daemon's death")
    if case.delivery != "exactly_once":
        return run.keep_promise(refused=True, late=late > 0)
    assert not doubles or late or some_brokers.stops, "doubles, although no request was late"
    run.exact_but_named(late=True)


ALL = ("exactly_once", "transactional", "at_least_once", "at_most_once")
FIRST = ALL[:1]
SCENARIOS = {
    "brokers": (brokers, FIRST, ALL),
    "rolling": (rolling, FIRST, ALL),
    "frozen": (frozen, FIRST, ALL),
    "together": (together, FIRST, ALL),
    "venue": (venue, FIRST, ALL),
    "network": (network, FIRST, ALL),
    "mixed": (mixed, FIRST, ALL),
}
