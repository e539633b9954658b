// All about one feed.

import {Bar, Spark, Strip, arrange, make, mark, say, sayState, show, stateBadge} from './dom.js';
import {bytes, clock, count, percent, short, time, whole} from './format.js';
import {stateOf, waits} from './model.js';

const kStages = [['hand_over', 'hand-over'], ['acknowledgement', 'acknowledged']];
const kQuantiles = [['median', 'median_us'], ['99 %', 'p99_us'], ['99.9 %', 'p999_us'], ['most', 'max_us']];
const kBusiest = 10;
const kLastNotices = 4;

// Words, what of the status, and whether anything but 0 deserves colour.
const kCounts = [
  ['received', 'messages_received'], ['acknowledged', 'messages_acknowledged'],
  ['gaps', 'gaps', true], ['packets missing', 'packets_missing', true],
  ['dead letters', 'messages_dead_lettered', true], ['dropped', 'messages_dropped', true],
  ['foreign writes', 'foreign_writes', true], ['doubles', 'doubles', true],
  ['reconnects', 'reconnects', true], ['skipped', 'messages_skipped'],
  ['repeated packets', 'sequence_repeats'], ['checkpoints', 'checkpoints'],
];

function cell(tag, scope, text, classes) {
  const node = make(tag, classes, text);
  if (scope) node.scope = scope;
  return node;
}

/** Each: the word, and the class of its column. */
function head(...words) {
  return make('thead', '', make('tr', '', ...words.map(([word, classes]) => cell('th', 'col', word, classes))));
}

class Rate {
  constructor(label) {
    this.figure = make('span', 'big');
    this.peak = make('span', 'dim');
    this.spark = new Spark();
    this.node = make('div', 'rate', make('span', 'label', label), this.figure, this.peak, this.spark.node);
  }
  update(text, peak, history) {
    say(this.figure, text);
    say(this.peak, peak);
    this.spark.update(history);
  }
}

class Latency {
  constructor() {
    this.title = make('h3', '', 'Latency');
    this.cells = {};
    const rows = kStages.map(([stage, word]) => {
      this.cells[stage] = kQuantiles.map(([, what]) => make('td', what));
      return make('tr', '', cell('th', 'row', word), ...this.cells[stage]);
    });
    this.node = make('div', 'latency', this.title,
                     make('table', 'small', head(['from arrival to'], ...kQuantiles), make('tbody', '', ...rows)));
  }
  update(recent) {
    say(this.title, recent ? `Latency, last ${Math.round(recent.seconds)} s` : 'Latency');
    for (const [stage] of kStages) {
      this.cells[stage].forEach((node, i) => say(node, time(recent?.[stage]?.[kQuantiles[i][1]])));
    }
  }
}

class Partitions {
  constructor() {
    this.title = make('h3', '', 'Partitions');
    this.strip = new Strip();
    this.caption = make('p', 'dim');
    this.rows = make('tbody');
    this.more = make('details', '', make('summary', '', 'the busiest'),
                     make('table', 'small', head(...['partition', 'records/s', 'share', 'acknowledged', 'in flight', 'last offset'].map((word) => [word])),
                          this.rows));
    this.node = make('section', 'partitions', this.title, this.strip.node, this.caption, this.more);
    this.strip.node.addEventListener('pointermove', (event) => {
      const box = this.strip.node.getBoundingClientRect();
      this.pointed = Math.floor((event.clientX - box.left) / box.width * (this.known?.list.length ?? 0));
      this.say();
    });
    this.strip.node.addEventListener('pointerleave', () => {
      this.pointed = undefined;
      this.say();
    });
  }

  update(known) {
    if (known === this.known) return;
    this.known = known;
    const list = known?.list ?? [];
    const total = (what) => list.reduce((sum, partition) => sum + (what(partition) || 0), 0);
    this.moving = total((partition) => partition.rate) > 0;
    this.load = this.moving ? (partition) => partition.rate || 0 : (partition) => partition.acknowledged;
    this.sum = total(this.load);
    const most = list.reduce((max, partition) => Math.max(max, this.load(partition)), 0) || 1;
    this.strip.update(list.map((partition) => this.load(partition) / most), list.map((partition) => waits(partition, known.at)));
    this.busiest = list.map((partition) => partition).sort((a, b) => this.load(b) - this.load(a)).slice(0, kBusiest);
    this.waiting = list.filter((partition) => waits(partition, known.at)).length;
    show(this.more, list.length > 0);
    this.say();
  }

  say() {
    const {known} = this;
    say(this.title, known?.topic ? `Partitions of ${known.topic}` : 'Partitions');
    if (!known || known.list.length === 0) return say(this.caption, known ? 'not writing now' : '…');
    const one = known.list[this.pointed];
    const words = (partition) => `${partition.partition}: ${this.moving ? `${short(partition.rate)}/s, ` : ''}` +
        `${percent(this.load(partition) / this.sum)}`;
    const waiting = this.waiting > 0 ? ` · ${count(this.waiting, 'partition')} without an answer` : '';
    const what = this.moving ? 'records by partition, now' : 'records by partition, since the last recovery';
    if (one) say(this.caption, `partition ${words(one)}, ${whole(one.acknowledged)} acknowledged, ${count(one.in_flight, 'record')} in flight`);
    else say(this.caption, `${count(known.list.length, 'partition')} · ${what}` +
                 (this.sum > 0 ? ` · busiest ${words(this.busiest[0])}` : '') + waiting);
    if (this.more.open) this.fill();
  }

  fill() {
    arrange(this.rows, this.busiest.map((partition, i) => {
      const row = this.rows.children[i] ?? make('tr', '', cell('th', 'row', ''), ...Array.from({length: 5}, () => make('td')));
      [String(partition.partition), short(partition.rate), percent(this.load(partition) / this.sum), whole(partition.acknowledged),
       whole(partition.in_flight), partition.last_offset < 0 ? '–' : whole(partition.last_offset)]
          .forEach((text, k) => say(row.children[k], text));
      return row;
    }));
  }
}

/** The newest lines of the log as a list. */
export function sayNotices(list, notices) {
  arrange(list, notices.map((notice, i) => {
    const item = list.children[i] ?? make('li', '', make('time'), ' ', make('span'));
    if (item.className !== notice.level) item.className = notice.level;
    say(item.children[0], clock(notice.time));
    say(item.children[1], notice.text);
    return item;
  }));
  mark(list, 'empty', notices.length === 0);
}

export class Panel {
  constructor(name) {
    this.name = name;
    this.state = stateBadge();
    this.meta = ['session', 'next sequence'].map((word) => {
      const value = make('dd');
      return {value, node: make('div', '', make('dt', '', word), value)};
    });
    this.messages = new Rate('messages/s');
    this.bytes = new Rate('bytes/s');
    this.latency = new Latency();
    this.ring = new Bar('ring');
    this.flight = new Bar('in flight to Kafka');
    this.partitions = new Partitions();
    this.counts = kCounts.map(([word, what, bad]) => {
      const value = make('dd');
      return {what, bad, value, node: make('div', '', make('dt', '', word), value)};
    });
    this.problem = make('ol', 'notices');
    this.last = make('section', 'wide last', make('h3', '', 'Last problems'), this.problem);
    const title = make('h2', '', name);
    title.id = `feed-${name}`;
    this.node = make('article', 'card panel',
        make('header', '', title, this.state, make('dl', 'meta', ...this.meta.map(({node}) => node))),
        make('div', 'blocks',
             make('section', 'rates', this.messages.node, this.bytes.node),
             make('section', 'middle', this.latency.node, make('div', 'buffers', make('h3', '', 'Buffers'), this.ring.node, this.flight.node)),
             this.partitions.node,
             make('section', 'wide', make('h3', '', 'Since the start'), make('dl', 'counts', ...this.counts.map(({node}) => node))),
             this.last));
    this.node.setAttribute('aria-labelledby', title.id);
  }

  update(feed, level, notices) {
    const {status} = feed;
    mark(this.node, 'level', level);
    sayState(this.state, status.state, stateOf(status.state).word);
    say(this.meta[0].value, status.session || '–');
    say(this.meta[1].value, whole(status.next_sequence));
    this.messages.update(short(feed.rate), `peak ${short(feed.messages.max())} in 5 min`, feed.messages);
    this.bytes.update(bytes(feed.byteRate), `peak ${bytes(feed.bytes.max())}`, feed.bytes);
    this.latency.update(status.recent);
    this.ring.update(feed.ring, `${percent(feed.ring)} of ${bytes(status.ring_bytes, true)}`);
    this.flight.update(feed.flight, `${whole(status.in_flight)} of ${whole(status.in_flight_limit)}`);
    this.partitions.update(feed.partitions);
    for (const {what, bad, value} of this.counts) {
      say(value, whole(status[what]));
      mark(value, 'kind', status[what] === 0 ? 'none' : bad ? 'bad' : 'some');
    }
    const own = notices.filter((notice) => notice.feed === feed.name).slice(-kLastNotices).reverse();
    if (status.last_error && !own.some((notice) => notice.text.includes(status.last_error))) {
      own.unshift({time: status.last_error_time, level: 'error', text: status.last_error});
    }
    const begins = `feed ${feed.name}: `;
    sayNotices(this.problem, own.map((notice) => ({...notice, text: notice.text.replace(begins, '')})));
    show(this.last, own.length > 0);
  }
}
