// Asks the daemon once a second, one request at a time; pauses while nobody looks; says so when there is no answer.

import {clock, duration} from './format.js';
import {Model} from './model.js';
import {View, sayLive} from './view.js';

const kInterval = 1000;
const kPatience = 5000;       // for an answer
const kLongest = 10_000;      // between two tries
const kPartitions = 2000;     // between two looks at the partitions of what is open

const model = new Model();
const view = new View();
let answered = 0;             // when the last answer came, this browser's clock
let looked = -Infinity;       // at the partitions
let failures = 0;
let why = '';
let busy = false;
let timer;

// Without the name and password that the page's own address may hold: fetch() refuses such, and the browser knows them.
const here = location.origin + location.pathname;

async function ask(path) {
  const answer = await fetch(new URL(path, here), {signal: AbortSignal.timeout(kPatience), cache: 'no-store', credentials: 'same-origin'});
  if (!answer.ok) throw new Error(`the answer is ${answer.status}`);
  return answer.json();
}

async function poll() {
  const status = await ask('api/status');
  if (model.status && model.status.version !== status.version) return location.reload();  // the page of another version
  const fresh = performance.now() - answered < 3 * kInterval;
  answered = performance.now();
  model.update(status, fresh);
  if (status.notices !== model.noticesTotal) {
    const {total, notices} = await ask('api/notices');
    model.noticesTotal = total;
    model.notices = notices;
  }
  if (performance.now() - looked >= kPartitions) await lookAtPartitions();
  view.update(model);
}

async function lookAtPartitions() {
  looked = performance.now();
  for (const name of view.opened(model)) {
    const found = (await ask(`api/partitions?feed=${encodeURIComponent(name)}`))[name];
    if (found) model.feeds.get(name)?.updatePartitions(found.topic, found.partitions, model.status.uptime_seconds);
  }
}

function sayHowItGoes() {
  if (failures === 0) return sayLive('live', model.status ? `live · ${clock(Date.now())}` : 'asking …');
  const since = answered > 0 ? duration((performance.now() - answered) / 1000) : '';
  const when = answered > 0 ? ` since ${clock(Date.now() - (performance.now() - answered))} (${since})` : '';
  sayLive('silent', `no answer${when}: ${why}; trying again`);
}

async function turn() {
  if (busy || document.hidden) return;
  busy = true;
  const begun = performance.now();
  try {
    await poll();
    failures = 0;
  } catch (problem) {
    ++failures;
    why = problem.name === 'TimeoutError' ? 'it takes too long' : problem.name === 'TypeError' ? 'not reachable' : problem.message;
  }
  busy = false;
  sayHowItGoes();
  const pause = failures === 0 ? kInterval - (performance.now() - begun) : Math.min(kLongest, kInterval * 2 ** (failures - 1));
  clearTimeout(timer);
  timer = setTimeout(turn, Math.max(100, pause));
}

document.addEventListener('visibilitychange', () => {
  clearTimeout(timer);
  if (document.hidden) return sayLive('paused', 'paused: nobody looks');
  failures = 0;
  turn();
});
view.onOpen = () => {
  looked = -Infinity;
};
setInterval(() => {
  if (failures > 0 && !document.hidden) sayHowItGoes();
}, 1000);
turn();
