// The whole page: what is wrong, totals, the feeds.

import {Bar, Spark, arrange, make, mark, say, sayState, show, stateBadge} from './dom.js';
import {bytes, count, duration, percent, short, time, times, whole} from './format.js';
import {kIncidents, stateOf} from './model.js';
import {Panel, sayNotices} from './panel.js';

const kAllOpen = 4;       // so many feeds are shown whole; of more there is a table, and each opens on demand
const kProblems = 8;
const kNotices = 12;
const byId = (id) => document.getElementById(id);
const kWords = ['', 'note', 'warning', 'failure'];

function pill(node, good, text) {
  const inner = node.firstElementChild ?? node.appendChild(make('span'));
  const classes = `pill ${good ? 'good' : 'bad'}`;
  if (inner.className !== classes) inner.className = classes;
  say(inner, text);
}

/** A feed's row in the table, and its panel below it when it is open. */
class Row {
  constructor(name, columns) {
    this.button = make('button', 'opens', name);
    this.button.type = 'button';
    this.button.setAttribute('aria-expanded', 'false');
    this.state = stateBadge();
    this.spark = new Spark();
    this.ring = new Bar('ring');
    this.flight = new Bar('in flight');
    this.texts = Object.fromEntries(['sequence', 'rate', 'bytes', 'handed', 'acknowledged', 'incidents'].map((what) => [what, make('span')]));
    const first = make('th', 'text', this.button);
    first.scope = 'row';
    const {sequence, rate, bytes: byteRate, handed, acknowledged, incidents} = this.texts;
    const contents = [this.state, sequence, rate, this.spark.node, byteRate, handed, acknowledged, this.ring.node, this.flight.node,
                      incidents];
    this.node = make('tr', 'feed', first, ...contents.map((content, i) => {
      const cell = make('td', columns[i + 1].classes ?? '', content);
      cell.dataset.label = columns[i + 1].word;
      return cell;
    }));
    this.wide = make('td');
    this.wide.colSpan = columns.length;
    this.below = make('tr', 'open', this.wide);
    this.open = false;
    this.button.addEventListener('click', () => {
      this.open = !this.open;
      this.button.setAttribute('aria-expanded', String(this.open));
      this.onToggle?.();
    });
  }

  update(feed, level) {
    const {status} = feed;
    mark(this.node, 'level', level);
    sayState(this.state, status.state, stateOf(status.state).word);
    say(this.texts.sequence, whole(status.next_sequence));
    say(this.texts.rate, short(feed.rate));
    say(this.texts.bytes, bytes(feed.byteRate));
    const three = (of) => of ? times([of.median_us, of.p99_us, of.p999_us]) : '–';
    say(this.texts.handed, three(status.recent?.hand_over));
    say(this.texts.acknowledged, three(status.recent?.acknowledgement));
    this.spark.update(feed.messages);
    this.ring.update(feed.ring, percent(feed.ring));
    this.flight.update(feed.flight, percent(feed.flight));
    const happened = kIncidents.filter(({name}) => status[name] > 0);
    say(this.texts.incidents, happened.map(({name, one, many}) => count(status[name], one, many)).join(', ') || 'none');
    mark(this.texts.incidents, 'kind', happened.length === 0 ? 'none' : 'bad');
  }
}

const kColumns = [
  {word: 'feed', classes: 'text'}, {word: 'state', classes: 'text'}, {word: 'next sequence', classes: 'minor'}, {word: 'messages/s'},
  {word: 'last 5 min', classes: 'chart'}, {word: 'bytes/s', classes: 'minor'}, {word: 'to hand-over', classes: 'minor'}, {word: 'to acknowledgement'},
  {word: 'ring', classes: 'gauge'}, {word: 'in flight', classes: 'gauge minor'}, {word: 'incidents', classes: 'text'},
];

export class View {
  constructor() {
    this.panels = new Map();
    this.rows = new Map();
    this.totals = ['messages in', 'bytes in', 'acknowledged so far', '99 % in Kafka within', 'in flight to Kafka', 'CPU · memory'].map((word) => {
      const value = make('dd');
      const node = make('div', '', make('dt', '', word), value);
      byId('totals').append(node);
      return value;
    });
    const heads = kColumns.map(({word, classes}) => {
      const node = make('th', classes ?? '', word);
      node.scope = 'col';
      return node;
    });
    const caption = make('caption', '', 'Feeds, those that do not stream first. Latency from arrival: median / 99 % / 99.9 % of the last seconds. A name opens all about its feed.');
    this.body = make('tbody');
    byId('table').append(make('table', 'feeds', caption, make('thead', '', make('tr', '', ...heads)), this.body));
  }

  /** Names of the feeds that are shown whole. */
  opened(model) {
    if (model.feeds.size <= kAllOpen) return [...model.feeds.keys()];
    return [...this.rows.values()].filter((row) => row.open).map((row) => row.name);
  }

  update(model) {
    const {status} = model;
    document.body.classList.add('runs');
    show(byId('plain'), false);
    show(byId('board'), true);
    say(byId('version'), status.version);
    say(byId('uptime'), duration(status.uptime_seconds));
    pill(byId('ready'), status.ready, status.ready ? 'ready' : `not ready: ${status.not_ready_because}`);
    pill(byId('healthy'), status.healthy, status.healthy ? 'healthy' : `not healthy: ${status.not_healthy_because}`);
    if ('kafka_connected' in status) pill(byId('kafka'), status.kafka_connected, status.kafka_connected ? 'Kafka connected' : 'no Kafka');
    this.sayProblems(model);
    this.sayTotals(model);
    const many = model.feeds.size > kAllOpen;
    show(byId('table'), many);
    show(byId('panels'), !many);
    many ? this.sayTable(model) : this.sayPanels(model);
    const newest = model.notices.slice(-kNotices).reverse();
    sayNotices(byId('notices'), newest);
  }

  sayProblems(model) {
    const {problems} = model;
    const {feeds} = model;
    const worst = problems.length > 0 ? problems[0].level : 0;
    const verdict = byId('verdict');
    const headline = verdict.querySelector('h2') ?? verdict.appendChild(make('h2'));
    const list = verdict.querySelector('ul') ?? verdict.appendChild(make('ul'));
    show(verdict, true);
    mark(verdict, 'level', worst);
    const bad = problems.filter(({level}) => level > 1).length;
    say(headline, bad > 0 ? `${count(bad, 'problem')}` : `${count(feeds.size, 'feed')}, ${model.totals.states}: nothing is wrong now`);
    const shown = problems.slice(0, kProblems);
    if (problems.length > kProblems) shown.push({level: 0, text: `and ${problems.length - kProblems} more`});
    arrange(list, shown.map((problem, i) => {
      const item = list.children[i] ?? make('li', '', make('span', 'kind'), ' ', make('b'), ' ', make('span', 'what'));
      mark(item, 'level', problem.level);
      say(item.children[0], kWords[problem.level]);
      say(item.children[1], problem.feed ?? '');
      say(item.children[2], problem.text);
      return item;
    }));
    document.title = bad > 0 ? `✖ ${count(bad, 'problem')} · tickbridge` : 'tickbridge';
  }

  sayTotals(model) {
    const all = model.totals;
    [`${short(all.rate)}/s`, `${bytes(all.bytes)}/s`, whole(all.acknowledged), time(all.slowest),
     whole(all.flight), all.process].forEach((text, i) => say(this.totals[i], text));
  }

  panel(name) {
    if (!this.panels.has(name)) this.panels.set(name, new Panel(name));
    return this.panels.get(name);
  }

  sayPanels(model) {
    this.forget(model);
    arrange(byId('panels'), model.ordered.map((feed) => {
      const panel = this.panel(feed.name);
      panel.update(feed, model.levelOf(feed), model.notices);
      return panel.node;
    }));
    mark(byId('panels'), 'count', model.feeds.size);
  }

  sayTable(model) {
    this.forget(model);
    const nodes = [];
    for (const feed of model.ordered) {
      let row = this.rows.get(feed.name);
      if (!row) {
        row = new Row(feed.name, kColumns);
        row.name = feed.name;
        row.onToggle = () => {
          if (!row.open) this.panels.delete(feed.name);
          this.sayTable(this.model);
          this.onOpen?.();
        };
        this.rows.set(feed.name, row);
      }
      row.update(feed, model.levelOf(feed));
      nodes.push(row.node);
      if (!row.open) continue;
      const panel = this.panel(feed.name);
      panel.update(feed, model.levelOf(feed), model.notices);
      arrange(row.wide, [panel.node]);
      nodes.push(row.below);
    }
    this.model = model;
    arrange(this.body, nodes);
  }

  forget(model) {
    for (const known of [this.panels, this.rows]) {
      for (const name of known.keys()) if (!model.feeds.has(name)) known.delete(name);
    }
  }
}

/** How the page itself does: live, paused, or without an answer since when. */
export function sayLive(kind, text) {
  const node = byId('live');
  mark(node, 'kind', kind);
  say(node, text);
  document.body.classList.toggle('stale', kind === 'silent');
  if (kind === 'silent') document.title = '✖ no answer · tickbridge';
}
