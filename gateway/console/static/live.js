// Keeps an open page honest: says how fresh it is, marks what moved, and never moves anything under the hand.
//
// A page says what of it may be renewed:
//   data-live-subject="ID"        on a page about one prescription
//   data-live-list="NAME"         a list; data-live-row="KEY" each of its rows, in any depth; data-live-gone="resolved"
//   data-live-part="NAME"         words (no buttons) within a row, or on the page, that are renewed in place;
//                                 data-live-quiet where they only tell how time goes by: nothing marks that they changed
//   data-live-polls               figures that are counted now and then: asked for every half minute, whatever moved
//   data-live-entries             a timeline; data-live-entry="KEY" each entry, data-live-say="words" what is said of it
// It asks for itself again, so that the server decides anew what this person may see. Every page works without this.

const STALE = 45_000, POLL = 30_000, AGAIN = 60_000, GAP = 5_000, SAY = 20_000, WARN = 120, KEPT = 200;
const PAUSED = 'hc-paused';

const strip = document.querySelector('[data-strip]');
const part = (name) => document.querySelector(`[data-strip-${name}]`);
const [mark, words, refresh, pause, said, ending] = ['mark', 'words', 'refresh', 'pause', 'said', 'ending'].map(part);
const subject = document.querySelector('[data-live-subject]')?.dataset.liveSubject;
const lists = () => [...document.querySelectorAll('[data-live-list]')];
const polls = Boolean(document.querySelector('[data-live-polls]'));
const renewable = Boolean(subject || polls || lists().length);
const title = document.title;
function clockOf(page) { return page.querySelector('[data-strip] time')?.textContent.split(', ').pop() ?? ''; }

let mode = 'unknown', beatAt = performance.now(), beatWords = '', endsAt = Infinity, warned = false;
let shownAt = clockOf(document);
let version = Number(new URL(strip?.dataset.events || '/', location.href).searchParams.get('since')) || 0;

// ---- the strip -----------------------------------------------------------------------------------------------------

function show(next, sentence, { stale = false, action = '' } = {}) {
  const changed = mode !== next;
  mode = next;
  strip.classList.toggle('hc-strip--stale', stale);
  mark.textContent = stale ? '(!)' : '(i)';
  words.textContent = sentence;
  pause.hidden = !action;
  pause.textContent = action;
  refresh.hidden = Boolean(action) && next !== 'paused';
  if (changed && stale) say(sentence);
}

const isPaused = () => { try { return localStorage.getItem(PAUSED) === 'yes'; } catch { return false; } };

function setPaused(yes) {
  try { yes ? localStorage.setItem(PAUSED, 'yes') : localStorage.removeItem(PAUSED); } catch { /* for this page alone */ }
}

function showState() {
  if (mode === 'ended') return;
  if (renewable && isPaused()) return show('paused', `Updates are paused. What you see is as of ${shownAt}.`, { stale: true, action: 'Go on with updates' });
  if (performance.now() - beatAt > STALE) return show('stale', `Updates stopped${beatWords ? ` at ${beatWords.slice(0, 5)}` : ''}. What you see may be out of date.`, { stale: true, action: 'Try again' });
  if (!renewable) return show('still', `As of ${shownAt}, London time. This page does not renew itself.`);
  if (beatWords && mode !== 'polling') show('live', `Live. Up to date at ${beatWords}.`, { action: 'Pause updates' });
}

function onPause() {
  if (mode === 'stale') { location.reload(); return; }
  setPaused(!isPaused());
  if (!isPaused()) { mode = 'unknown'; renewSoon(0); }
  showState();
}

function warn() {
  const left = (endsAt - performance.now()) / 1000;
  if (mode === 'ended') return;
  ending.hidden = left > WARN;
  if (left <= WARN && !warned) say('You will be signed out in 2 minutes.', true);
  warned = left <= WARN;
}

async function stay(event) {
  event.preventDefault();
  const form = event.target;
  try {
    const answer = await fetch(form.action, { method: 'POST', body: new URLSearchParams(new FormData(form)), headers: { Accept: 'text/html' } });
    if (answer.ok) { endsAt = Infinity; warn(); } else ended();
  } catch { form.submit(); }
}

function ended() {
  show('ended', 'You are signed out. What you see may be out of date. Sign in again to go on.', { stale: true });
  refresh.textContent = 'Sign in';
  refresh.hidden = false;
  ending.hidden = true;
}

// ---- what is read out: one polite sentence at most each 20 seconds ----------------------------------------------------

let sayAt = -SAY, toSay = '';
function say(sentence, now = false) {
  toSay = sentence;
  setTimeout(() => {
    if (!toSay) return;
    said.textContent = toSay;
    toSay = '';
    sayAt = performance.now();
  }, now ? 0 : Math.max(0, sayAt + SAY - performance.now()));
}

// ---- renewing the page ---------------------------------------------------------------------------------------------

let renewAt = -GAP, timer = 0, latest = null;
function renewSoon(jitter = 1500) {
  if (!renewable || isPaused() || timer) return;
  const wait = Math.max(0, renewAt + GAP - performance.now()) + Math.random() * jitter;
  timer = setTimeout(() => { timer = 0; renew(); }, wait);
}

async function renew() {
  renewAt = performance.now();
  let answer;
  try {
    answer = await fetch(location.href, { headers: { 'X-Live': '1', Accept: 'text/html' }, credentials: 'same-origin' });
  } catch { return; }
  if (answer.status === 401) { ended(); return; }
  if (!answer.ok || isPaused()) return;
  latest = new DOMParser().parseFromString(await answer.text(), 'text/html');
  renewParts();
  renewEntries();
  tellOfRows();
  if (mode === 'polling' || mode === 'unknown') polled();
}

function keyOf(element) {
  const row = element.closest('[data-live-row]');
  return `${row ? row.dataset.liveRow : ''} ${element.dataset.livePart}`;
}

function outline(element) {
  element.classList.add('hc-renewed');
  setTimeout(() => element.classList.remove('hc-renewed'), 2000);
}

function renewParts() {
  const fresh = new Map([...latest.querySelectorAll('[data-live-part]')].map((one) => [keyOf(one), one]));
  for (const old of document.querySelectorAll('[data-live-part]')) {
    const next = fresh.get(keyOf(old));
    if (!next || next.innerHTML === old.innerHTML || old.contains(document.activeElement)) continue;
    const spoke = old.textContent !== next.textContent && subject && old.dataset.livePart.startsWith('state');
    old.replaceChildren(...document.importNode(next, true).childNodes);
    if (!('liveQuiet' in old.dataset)) outline(old);
    if (spoke) say(read(old));
  }
}

function read(element) {
  const copy = element.cloneNode(true);
  copy.querySelectorAll('[aria-hidden="true"]').forEach((one) => one.remove());
  return copy.textContent.trim().replace(/\s+/g, ' ');
}

function renewEntries() {
  const old = document.querySelector('[data-live-entries]'), next = latest.querySelector('[data-live-entries]');
  if (!old || !next) return;
  const known = new Set([...old.querySelectorAll('[data-live-entry]')].map((one) => one.dataset.liveEntry));
  const copy = document.importNode(next, true);
  const added = [...copy.querySelectorAll('[data-live-entry]')].filter((one) => !known.has(one.dataset.liveEntry));
  if (!added.length) return;
  const busy = old.contains(document.activeElement) || old.querySelector('details[open]');
  const own = added.filter((one) => one.parentElement === copy);
  if (!busy) old.replaceChildren(...copy.childNodes);
  else if (old.dataset.liveEntries === 'oldest') old.append(...own);
  else old.prepend(...own);
  added.forEach(outline);
  say(added[0].dataset.liveSay || added[0].querySelector('strong')?.textContent || 'Something new is on the timeline');
}

const rowsOf = (list) => new Set([...list.querySelectorAll('[data-live-row]')].map((row) => row.dataset.liveRow));

function tellOfRows() {
  let waiting = 0;
  for (const list of lists()) {
    const next = latest.querySelector(`[data-live-list="${CSS.escape(list.dataset.liveList)}"]`);
    const here = rowsOf(list), there = next ? rowsOf(next) : new Set();
    const added = [...there].filter((key) => !here.has(key)).length;
    const gone = [...here].filter((key) => !there.has(key)).length;
    const news = [added && `${added} new`, gone && `${gone} ${list.dataset.liveGone || 'no longer here'}`].filter(Boolean).join(', ');
    const bar = barOf(list);
    if (news && bar.firstChild.textContent !== `${news}.`) say(news);
    bar.firstChild.textContent = news && `${news}.`;
    bar.hidden = !news;
    waiting += added;
  }
  document.title = waiting ? `(${waiting}) ${title}` : title;
}

function barOf(list) {
  const place = list.closest('table') ?? list;  // nothing but rows may stand in a table
  if (place.previousElementSibling?.matches('[data-live-news]')) return place.previousElementSibling;
  const bar = document.createElement('p'), button = document.createElement('button');
  bar.className = 'hc-news';
  bar.dataset.liveNews = '';
  bar.append(document.createElement('span'), ' ', button);
  button.type = 'button';
  button.className = 'hc-plain';
  button.textContent = 'Show';
  button.addEventListener('click', () => showRows(list));
  place.before(bar);
  return bar;
}

function showRows(list) {
  const next = latest?.querySelector(`[data-live-list="${CSS.escape(list.dataset.liveList)}"]`);
  if (!next || next.tagName !== list.tagName) { location.reload(); return; }  // the list begins or ends: a page of its own
  const before = rowsOf(list);
  list.replaceChildren(...document.importNode(next, true).childNodes);
  [...list.querySelectorAll('[data-live-row]')].filter((row) => !before.has(row.dataset.liveRow)).forEach(outline);
  const place = list.closest('table') ?? list;
  place.tabIndex = -1;
  place.focus();
  tellOfRows();
}

// ---- where news comes from: one stream a browser, shared by its tabs; else every half minute -------------------------

const kept = [];
const channel = 'BroadcastChannel' in window ? new BroadcastChannel('hc-live') : null;

function hear({ name, id, data }) {
  version = Math.max(version, Number(id) || 0);
  if (name === 'beat') { beatAt = performance.now(); beatWords = data.at; if (renewable && !isPaused()) shownAt = data.at; if (mode === 'polling') mode = 'unknown'; }
  if (name === 'session') { endsAt = performance.now() + data.left * 1000; warn(); }
  if (name === 'reset') renewSoon();
  if (name === 'moved' && (lists().length || data.id === subject)) renewSoon();
  if (name === 'ended') ended();
  showState();
}

function lead(gone) {
  let source = null;
  const open = () => {
    source = new EventSource(`/console/events?since=${version}`);
    for (const name of ['beat', 'session', 'moved', 'reset', 'ended']) {
      source.addEventListener(name, (event) => {
        const news = { name, id: event.lastEventId, data: JSON.parse(event.data) };
        kept.push(news);
        if (kept.length > KEPT) kept.shift();
        hear(news);
        channel?.postMessage(news);
        if (name === 'ended') source.close();
      });
    }
    source.addEventListener('error', () => {
      if (source.readyState !== EventSource.CLOSED || mode === 'ended') return;
      poll();
      setTimeout(open, AGAIN);
    });
  };
  channel?.addEventListener('message', ({ data }) => {
    if (data.name !== 'hello') return;
    const first = kept.find((news) => news.name !== 'session');
    if (first && Number(first.id) > data.since) channel.postMessage({ name: 'reset', id: '', data: {} });
    for (const news of kept) if (news.name !== 'moved' || Number(news.id) > data.since) channel.postMessage(news);
  });
  addEventListener('pagehide', () => { source?.close(); gone(); }, { once: true });
  open();
}

function listen() {
  channel?.addEventListener('message', ({ data }) => { if (data.name !== 'hello') hear(data); });
  if (!channel || !navigator.locks) { lead(() => {}); return; }
  navigator.locks.request('hc-live', () => new Promise((gone) => lead(gone)));
  channel.postMessage({ name: 'hello', since: version });
}

let polling = 0;
function poll() {
  if (polling || !renewable) return;
  polling = setInterval(() => { if (mode !== 'live' && !isPaused() && mode !== 'ended') renew(); }, POLL);
}

function polled() {
  beatAt = performance.now();
  beatWords = shownAt = clockOf(latest);
  show('polling', `Up to date at ${beatWords}. Looks again every 30 seconds.`, { action: 'Pause updates' });
}

if (strip) {
  pause.addEventListener('click', onPause);
  ending?.addEventListener('submit', stay);
  if (strip.dataset.left) endsAt = performance.now() + Number(strip.dataset.left) * 1000;
  if (polls) setInterval(() => { if (mode === 'live') renewSoon(); }, POLL);
  setInterval(() => { warn(); if (beatWords || strip.dataset.events) showState(); }, 1000);
  addEventListener('pageshow', (event) => { if (event.persisted) renewSoon(0); });
  if (strip.dataset.events && 'EventSource' in window) listen();
  else if (strip.dataset.left) poll();
}
