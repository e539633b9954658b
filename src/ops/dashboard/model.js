// What is known of the daemon: the newest answer, some minutes of rates, and what is wrong. Nothing here touches the page,
// and nothing grows with time: histories are rings of fixed size.

import {bytes, count, percent} from './format.js';

export const kHistory = 300;          // points of a sparkline; at one a second five minutes
const kFresh = 300;                   // seconds for which a new incident stands among the problems
const kStalled = 3;                   // seconds without an acknowledgement
const kNearlyFull = 0.8;              // of a ring
const kTold = 3;                      // feeds with the same problem are told one by one up to here

/** a, b, c, d and 7 more */
const few = (names) => names.length <= 5 ? names.join(', ') : `${names.slice(0, 4).join(', ')} and ${names.length - 4} more`;

/** The last kHistory values, oldest first; NaN: a break. */
class History {
  constructor() {
    this.values = new Float64Array(kHistory).fill(NaN);
    this.next = 0;
  }
  push(value) {
    this.values[this.next] = value;
    this.next = (this.next + 1) % kHistory;
  }
  at(i) {
    return this.values[(this.next + i) % kHistory];
  }
  max() {
    return this.values.reduce((most, value) => value > most ? value : most, 0);
  }
}

// What happens to a feed and is counted for ever: name in /api/status, words, and whether it means lost or strange data.
export const kIncidents = [
  {name: 'gaps', one: 'gap', many: 'gaps', severe: true},
  {name: 'packets_missing', one: 'missing packet', many: 'missing packets', severe: true},
  {name: 'foreign_writes', one: 'foreign write', many: 'foreign writes', severe: true},
  {name: 'doubles', one: 'double', many: 'doubles', severe: true},
  {name: 'messages_dead_lettered', one: 'dead letter', many: 'dead letters', severe: true},
  {name: 'dropped_full', one: 'message dropped for want of room', many: 'messages dropped for want of room', severe: true},
  {name: 'dropped_delivery', one: 'message given up by Kafka', many: 'messages given up by Kafka', severe: true},
  {name: 'reconnects', one: 'reconnect', many: 'reconnects', severe: false},
  {name: 'logins_rejected', one: 'rejected login', many: 'rejected logins', severe: true},
  {name: 'protocol_errors', one: 'protocol error', many: 'protocol errors', severe: true},
];

const kStates = {
  streaming: {word: 'streaming', level: 0},
  ended: {word: 'session ended', level: 0},
  closed: {word: 'outside its hours', level: 0},
  recovering: {word: 'recovering', level: 1},
  logging_in: {word: 'logging in', level: 1},
  connecting: {word: 'connecting', level: 1},
  failed: {word: 'failed', level: 3},
};
export const stateOf = (state) => kStates[state] ?? {word: state, level: 1};

/** One feed as this page has seen it. */
class Feed {
  constructor(name) {
    this.name = name;
    this.messages = new History();
    this.bytes = new History();
    this.seen = {};       // incident: when it was last seen to rise, by the daemon's clock
    this.status = null;
    this.rate = NaN;
    this.byteRate = NaN;
    this.answered = 0;    // when an acknowledgement was last seen, or nothing was in flight
    this.partitions = null;
  }

  /** `seconds` since the last answer; NaN: there is none to compare with. */
  update(status, seconds, now) {
    const before = this.status;
    const difference = (name) => {
      const more = before ? (status[name] - before[name]) / seconds : NaN;
      return more >= 0 ? more : NaN;
    };
    this.rate = difference('messages_received');
    this.byteRate = difference('bytes_received');
    this.messages.push(this.rate);
    this.bytes.push(this.byteRate);
    for (const {name} of kIncidents) {
      if (before && status[name] > before[name]) this.seen[name] = now;
      if (!before || status[name] < before[name]) delete this.seen[name];
    }
    if (!before || status.in_flight === 0 || status.messages_acknowledged !== before.messages_acknowledged) {
      this.answered = now;
    }
    this.status = status;
  }

  get ring() {
    return this.status.ring_bytes > 0 ? this.status.ring_used_bytes / this.status.ring_bytes : NaN;
  }
  get flight() {
    return this.status.in_flight_limit > 0 ? this.status.in_flight / this.status.in_flight_limit : NaN;
  }

  /** Rates by partition since the last answer. */
  updatePartitions(topic, partitions, at) {
    const before = this.partitions;
    const seconds = before ? at - before.at : NaN;
    const same = before && before.list.length === partitions.length;
    const list = partitions.map((now, i) => {
      const was = same ? before.list[i] : null;
      const more = was ? (now.acknowledged - was.acknowledged) / seconds : NaN;
      const moved = !was || now.in_flight === 0 || now.acknowledged !== was.acknowledged;
      return {...now, rate: more >= 0 ? more : NaN, since: moved ? at : was.since};
    });
    this.partitions = {topic, list, at};
  }
}

/** Whether a partition has waited for Kafka for a while. */
export const waits = (partition, at) => partition.in_flight > 0 && at - partition.since >= kStalled;

export class Model {
  constructor() {
    this.feeds = new Map();
    this.status = null;
    this.cpu = NaN;      // cores
    this.notices = [];
    this.noticesTotal = 0;
  }

  /** `fresh`: the answer before is recent enough for a rate between the two. */
  update(status, fresh) {
    const before = this.status;
    const now = status.uptime_seconds;
    const seconds = before && fresh && now > before.uptime_seconds ? now - before.uptime_seconds : NaN;
    const cpu = before ? (status.process.cpu_seconds - before.process.cpu_seconds) / seconds : NaN;
    this.cpu = cpu >= 0 ? cpu : NaN;
    const restarted = before && now < before.uptime_seconds;
    const feeds = new Map();
    for (const [name, feed] of Object.entries(status.feeds)) {
      const known = this.feeds.get(name) ?? new Feed(name);
      if (restarted) {
        known.status = null;
        known.partitions = null;
      }
      known.update(feed, seconds, now);
      feeds.set(name, known);
    }
    this.feeds = feeds;
    this.status = status;
  }

  /** Those that do not stream first, otherwise as the daemon names them, so that they do not change places all the time. */
  get ordered() {
    return [...this.feeds.values()].map((feed, i) => ({feed, i, level: stateOf(feed.status.state).level}))
        .sort((a, b) => b.level - a.level || a.i - b.i).map(({feed}) => feed);
  }

  levelOf(feed) {
    return Math.max(0, ...this.problemsOf(feed).map((problem) => problem.level));
  }

  /** level 3: does not work; 2: loses or will; 1: be aware. `kind`: what several feeds may have at once, in words. */
  problemsOf(feed) {
    const {status} = feed;
    const now = this.status.uptime_seconds;
    const found = [];
    const add = (level, kind, text) => found.push({level, kind, text, feed: feed.name});
    const state = stateOf(status.state);
    const own = (text) => text?.replace(`feed ${feed.name}: `, '');
    const notice = own(status.last_notice?.text);
    if (status.state === 'failed') add(3, 'have failed', `failed: ${own(status.last_error) ?? 'the log says why'}`);
    else if (state.level > 0) add(2, `are ${state.word}`, `is ${state.word}${notice ? `; last: ${notice}` : ''}`);
    if (status.in_flight > 0 && now - feed.answered >= kStalled) {
      add(2, 'have no acknowledgement from Kafka',
          `no acknowledgement from Kafka for ${Math.floor(now - feed.answered)} s, ${count(status.in_flight, 'record')} in flight`);
    }
    for (const {name, one, many, severe} of kIncidents) {
      if (name === 'reconnects' && status.state === 'ended') continue;  // it looks whether the next session has begun
      const ago = now - feed.seen[name];
      if (ago < kFresh) {
        add(severe ? 2 : 1, `have ${many}`, `${count(status[name], one, many)}, ${ago < 60 ? 'just now' : `${Math.floor(ago / 60)} min ago`}`);
      } else if (severe && status[name] > 0) {
        add(1, `have had ${many}`, `${count(status[name], one, many)} since the start`);
      }
    }
    if (feed.ring >= kNearlyFull) {
      add(2, `have a ring that is more than ${percent(kNearlyFull)} full: Kafka takes less than the exchange sends`,
          `its ring is ${percent(feed.ring)} full: Kafka takes less than the exchange sends`);
    }
    return found;
  }

  /** All of them, worst first; what many feeds have at once is one. */
  get problems() {
    const found = [];
    const {status} = this;
    if (status.healthy === false) found.push({level: 3, text: `not healthy: ${status.not_healthy_because}`});
    if (status.kafka_connected === false) found.push({level: 3, text: 'no connection to Kafka'});
    const kinds = new Map();
    for (const feed of this.feeds.values()) {
      for (const problem of this.problemsOf(feed)) kinds.set(problem.kind, [...(kinds.get(problem.kind) ?? []), problem]);
    }
    for (const [kind, problems] of kinds) {
      if (problems.length <= kTold) found.push(...problems);
      else found.push({level: problems[0].level, feed: count(problems.length, 'feed'), text: `${kind}: ${few(problems.map(({feed}) => feed))}`});
    }
    found.sort((a, b) => b.level - a.level);  // stable: what is listed first above comes first
    if (status.ready === false && found.every(({level}) => level < 2)) {
      found.unshift({level: 2, text: `not ready: ${status.not_ready_because}`});
    }
    return found;
  }

  get totals() {
    const feeds = [...this.feeds.values()];
    const sum = (what) => feeds.reduce((all, feed) => all + (what(feed) || 0), 0);
    const most = (what) => {
      const known = feeds.map(what).filter(Number.isFinite);
      return known.length > 0 ? Math.max(...known) : NaN;
    };
    const rates = feeds.some((feed) => Number.isFinite(feed.rate));
    const states = new Map();
    for (const {status} of feeds) states.set(status.state, (states.get(status.state) ?? 0) + 1);
    return {
      states: [...states].map(([state, n]) => `${n} ${stateOf(state).word}`).join(', '),
      rate: rates ? sum((feed) => feed.rate) : NaN,
      bytes: rates ? sum((feed) => feed.byteRate) : NaN,
      acknowledged: sum((feed) => feed.status.messages_acknowledged),
      flight: sum((feed) => feed.status.in_flight),
      limit: sum((feed) => feed.status.in_flight_limit),
      slowest: most((feed) => feed.status.recent?.acknowledgement?.p99_us),
      process: `${Number.isFinite(this.cpu) ? `${Math.round(this.cpu * 100)} %` : '–'} · ${bytes(this.status.process.resident_bytes, true)}`,
    };
  }
}
