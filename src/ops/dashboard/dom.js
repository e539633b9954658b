// Making and changing elements. Text goes in as text, never as markup, whoever wrote it.

import {kHistory} from './model.js';

const kSvg = 'http://www.w3.org/2000/svg';

/** make('p', 'about', 'text', node, ...) */
export function make(tag, classes, ...children) {
  const node = document.createElement(tag);
  if (classes) node.className = classes;
  node.append(...children);
  return node;
}

function drawing(width, classes) {
  const svg = document.createElementNS(kSvg, 'svg');
  svg.setAttribute('viewBox', `0 0 ${width} 100`);
  svg.setAttribute('preserveAspectRatio', 'none');
  svg.setAttribute('class', classes);
  svg.setAttribute('aria-hidden', 'true');  // the figures beside it say the same
  return svg;
}

function path(svg, classes) {
  const node = document.createElementNS(kSvg, 'path');
  node.setAttribute('class', classes);
  svg.append(node);
  return node;
}

/** Changes only what is different: nothing flickers, and nothing is read aloud again. */
export function say(node, text) {
  if (node.textContent !== text) node.textContent = text;
}
export function mark(node, name, value) {
  if (node.dataset[name] !== String(value)) node.dataset[name] = value;
}
export function show(node, shown) {
  if (node.hidden === shown) node.hidden = !shown;
}

/** The same children in the same order as `nodes`; those that stand right stay where they are. */
export function arrange(parent, nodes) {
  nodes.forEach((node, i) => {
    if (parent.children[i] !== node) parent.insertBefore(node, parent.children[i] ?? null);
  });
  while (parent.children.length > nodes.length) parent.lastElementChild.remove();
}

/** A feed's state: a coloured shape and the word. */
export function stateBadge() {
  return make('span', 'state');
}
export function sayState(node, status, word) {
  const classes = `state ${status}`;
  if (node.className !== classes) node.className = classes;
  say(node, word);
}

/** How full something is: label, bar, figures. */
export class Bar {
  constructor(label) {
    this.fill = make('span', 'fill');
    this.text = make('span', 'figure');
    this.track = make('span', 'track', this.fill);
    this.track.setAttribute('role', 'meter');
    this.track.setAttribute('aria-label', label);
    this.track.setAttribute('aria-valuemin', '0');
    this.track.setAttribute('aria-valuemax', '100');
    this.node = make('div', 'bar', make('span', 'label', label), this.text, this.track);
  }
  update(share, text) {
    const percent = Number.isFinite(share) ? Math.min(100, Math.max(0, share * 100)) : 0;
    this.fill.style.width = `${percent.toFixed(1)}%`;
    mark(this.node, 'level', percent >= 95 ? 3 : percent >= 80 ? 2 : 0);
    this.track.setAttribute('aria-valuenow', percent.toFixed(0));
    this.track.setAttribute('aria-valuetext', text);
    say(this.text, text);
  }
}

/** The last minutes of a rate. */
export class Spark {
  constructor() {
    this.node = drawing(kHistory - 1, 'spark');
    this.area = path(this.node, 'area');
    this.line = path(this.node, 'line');
  }
  update(history) {
    const most = history.max() || 1;
    let line = '';
    let area = '';
    for (let i = 0; i < kHistory;) {
      if (Number.isNaN(history.at(i))) {
        ++i;
        continue;
      }
      const begin = i;
      let points = '';
      for (; i < kHistory && !Number.isNaN(history.at(i)); ++i) {
        points += `${points ? 'L' : ''}${i} ${(96 - 92 * history.at(i) / most).toFixed(1)}`;
      }
      line += `M${points}`;
      area += `M${begin} 100L${points}L${i - 1} 100Z`;
    }
    this.line.setAttribute('d', line);
    this.area.setAttribute('d', area);
  }
}

const kBars = 200;  // that can be told apart on a screen

/** A bar for each of many things, or the highest of each few where there are too many. `values`: 0 to 1; `marked`: those
 *  that stand out. */
export class Strip {
  constructor() {
    this.node = drawing(1, 'strip');
    this.base = path(this.node, 'base');
    this.usual = path(this.node, 'usual');
    this.outstanding = path(this.node, 'outstanding');
  }
  update(all, allMarked) {
    const fold = Math.max(1, Math.ceil(all.length / kBars));
    const values = Array.from({length: Math.ceil(all.length / fold)}, (_, i) => Math.max(...all.slice(i * fold, (i + 1) * fold)));
    const marked = values.map((_, i) => allMarked.slice(i * fold, (i + 1) * fold).some(Boolean));
    const width = values.length > 60 ? 1 : 0.8;
    let usual = '';
    let outstanding = '';
    values.forEach((value, i) => {
      const height = Math.max(marked[i] ? 6 : value > 0 ? 2 : 0, 100 * value);
      const bar = `M${i} 100v${-height.toFixed(1)}h${width}v${height.toFixed(1)}z`;
      if (marked[i]) outstanding += bar;
      else usual += bar;
    });
    this.node.setAttribute('viewBox', `0 0 ${Math.max(1, values.length)} 100`);
    this.base.setAttribute('d', `M0 100v-1h${values.length}v1z`);
    this.usual.setAttribute('d', usual);
    this.outstanding.setAttribute('d', outstanding);
  }
}
