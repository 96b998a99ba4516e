// One person's Slack: channels, messages as that person sees them, threads,
// and the person's actions. It reloads its state whenever the server reports a
// change. In the address: user, channel, theme, push=1 (shows push texts under
// messages), banner=1 (shows them as a phone would).
import { el, mrkdwn, setNames, setReader, nameOf, dayOf } from './text.js';
import { render } from './blocks.js';
import { message, avatar } from './message.js';
import { confirmed, modal } from './views.js';

const $ = (id) => document.getElementById(id);
const params = new URLSearchParams(location.search);
const HOME = 'home';
const place = { user: params.get('user'), channel: params.get('channel'), thread: '' };
const unread = new Set();
let who;

async function get(path, query) {
  return (await fetch(`/local/${path}?${new URLSearchParams(query)}`)).json();
}

async function post(door, body) {
  const r = await fetch(`/local/${door}`, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ user: place.user, ...body }) });
  return r.json();
}

// tap returns the handler of a button or menu; it shows the confirmation first, if
// there is one.
function tap(where) {
  return async (element, block, value) => {
    if (!await confirmed($('confirm'), element.confirm)) return;
    const out = await post('click', { ...where, action_id: element.action_id, block_id: block.block_id, value: value ?? '' });
    if (!out.ok) complain($('room'), out.error);
  };
}

const shortcuts = (type) => (who.app.shortcuts ?? []).filter((c) => c.type === type);

// shortcut uses one of the app's shortcuts, on a message or a global one.
async function shortcut(c, m) {
  const out = await post('shortcut', { callback_id: c.callback_id, ...(m ? { channel: m.channel, ts: m.ts } : {}) });
  if (!out.ok) complain($('room'), out.error);
}

function complain(section, text) {
  const p = section.querySelector('.composer p');
  p.textContent = text ?? '';
  p.hidden = !text;
}

const nodes = new Map(); // ts → {key, node}: an unchanged message keeps its node, and so the focus

function drawn(m, o) {
  const key = JSON.stringify([m, o.replies?.length]);
  const old = nodes.get(o.slot + m.ts);
  if (old?.key === key) return old.node;
  const node = message(m, { ...o, app: who.app, push: params.get('push'), shortcuts: shortcuts('message'), shortcut, use: tap({ channel: m.channel, ts: m.ts }) });
  nodes.set(o.slot + m.ts, { key, node });
  return node;
}

// withDays puts a line where a new day begins.
function withDays(list, draw) {
  let day = '';
  return list.flatMap((m) => {
    const d = dayOf(m.at);
    const line = d === day ? [] : [el('div', { class: 'day' }, d)];
    day = d;
    return [...line, draw(m)];
  });
}

function fill(main, children) {
  const atEnd = main.scrollHeight - main.scrollTop - main.clientHeight < 120;
  main.replaceChildren(...children);
  if (atEnd) main.scrollTop = main.scrollHeight;
}

async function refresh() {
  if (place.channel === HOME) return refreshHome();
  const out = await get('messages', { channel: place.channel, user: place.user, limit: 300 });
  if (!out.ok) { complain($('room'), out.error); return; }
  const main = $('messages');
  main.className = '';
  const isReply = (m) => m.thread_ts && m.thread_ts !== m.ts && out.messages.some((p) => p.ts === m.thread_ts);
  const repliesTo = (m) => out.messages.filter((r) => r.thread_ts === m.ts && r !== m);
  const roots = out.messages.filter((m) => m.broadcast || !isReply(m));
  fill(main, roots.length ? withDays(roots, (m) => drawn(m, { slot: 'room', replies: repliesTo(m), thread: openThread }))
    : [el('p', { class: 'empty' }, `Nothing was said here yet. Try /${who.app.name} help`)]);
  const root = out.messages.find((m) => m.ts === place.thread);
  if (root) fill($('thread').querySelector('main'), [root, ...repliesTo(root)].map((m) => drawn(m, { slot: 'thread' })));
  banner(out.messages.at(-1));
}

async function refreshHome() {
  const { home } = await get('views', { user: place.user });
  $('messages').className = 'home';
  $('messages').replaceChildren(...(home ? render(home.blocks, tap({ view_id: home.id })) : [el('p', { class: 'empty' }, 'The app has published no Home tab yet.')]));
}

let newest = '';
let hide;
// banner shows the newest message as on the lock screen of a phone.
function banner(m) {
  const fresh = m && newest && m.ts > newest && m.user !== place.user;
  if (m) newest = m.ts > newest ? m.ts : newest;
  if (!fresh || !params.get('banner')) return;
  $('banner').replaceChildren(avatar(m.user, who.app), el('div', {}, el('b', {}, `${nameOf(m.user)} · ${nameOf(m.channel)}`), el('div', {}, mrkdwn(m.text))));
  $('banner').hidden = false;
  clearTimeout(hide);
  hide = setTimeout(() => { $('banner').hidden = true; }, 5000);
}

async function refreshModal() {
  const { modals } = await get('views', { user: place.user });
  const top = modals?.at(-1);
  modal($('modal'), top, {
    close: (v) => post('close', { view_id: v.id }),
    submit: (v, values) => post('submit', { view_id: v.id, values }),
    use: top && tap({ view_id: top.id }),
  });
}

function openThread(ts) {
  place.thread = ts;
  $('thread').hidden = !ts;
  document.body.classList.toggle('threading', Boolean(ts));
  complain($('thread'), '');
  refresh();
  (ts ? $('thread') : $('room')).querySelector('input').focus();
}

const label = (c) => (c.is_im ? who.app.name : `# ${c.name}`);

function choose(channel) {
  place.channel = channel;
  unread.delete(channel);
  nodes.clear();
  newest = '';
  history.replaceState(null, '', `?${new URLSearchParams({ ...Object.fromEntries(params), user: place.user, channel })}`);
  const c = who.channels.find((x) => x.id === channel);
  $('title').textContent = c ? label(c) : who.app.name;
  $('about').textContent = c?.is_ext_shared ? `shared with ${who.others.map((o) => o.name).join(', ')}` : c ? `${c.members.length} members` : 'Home';
  $('room').querySelector('.composer').hidden = channel === HOME;
  $('room').querySelector('input').placeholder = c ? `Message ${label(c).replace('# ', '#')}` : '';
  complain($('room'), '');
  tabs();
  if (place.thread) openThread('');
  else refresh();
  refreshModal();
}

function tabs() {
  const mine = who.channels.filter((c) => c.members.includes(place.user));
  const list = [...mine.map((c) => [c.id, label(c) + (c.is_ext_shared ? ' 🔗' : '')]), [HOME, `⌂ ${who.app.name} home`]];
  $('channels').replaceChildren(...list.map(([id, text]) => el('button', {
    type: 'button', class: unread.has(id) ? 'unread' : null, 'aria-current': id === place.channel ? 'page' : null,
    onclick: () => { choose(id); if (id === HOME) post('home', {}); },
  }, text)));
}

const said = []; // typed commands, for the arrow key
let back = 0;

// composer connects a form's input to the function that sends.
function composer(section, thread) {
  const form = section.querySelector('.composer');
  const input = el('input', { autocomplete: 'off', autocapitalize: 'off', spellcheck: false, enterKeyHint: 'send', ariaLabel: 'Message', placeholder: 'Reply…' });
  input.addEventListener('keydown', (ev) => {
    if (ev.key !== 'ArrowUp' && ev.key !== 'ArrowDown') return;
    ev.preventDefault();
    back = Math.max(0, Math.min(said.length, back + (ev.key === 'ArrowUp' ? 1 : -1)));
    input.value = back ? said.at(-back) : '';
  });
  const ways = thread() === '' && section === $('room') ? shortcuts('global') : [];
  form.replaceChildren(el('p', { role: 'alert', hidden: true }),
    ...ways.map((c) => el('button', { type: 'button', class: 'plain', title: c.name, ariaLabel: c.name, onclick: () => shortcut(c) }, '⚡')), input, el('button', { ariaLabel: 'Send' }, '➤'));
  form.onsubmit = async (ev) => {
    ev.preventDefault();
    const text = input.value.trim();
    if (!text) return;
    said.push(text);
    back = 0;
    input.value = '';
    const out = await send(text, thread());
    complain(section, out.ok || out.message ? out.note : out.error);
  };
}

// send sends a slash command, or else a message. Slack has no slash commands in
// threads.
function send(text, thread) {
  if (!text.startsWith('/')) return post('mention', { channel: place.channel, text, thread_ts: thread });
  if (thread) return { error: 'Slash commands do not work in threads: write @' + who.app.name + ' instead.' };
  const [command, ...rest] = text.split(' ');
  return post('slash', { channel: place.channel, command, text: rest.join(' ') });
}

// follow redraws on changes; a burst of changes causes one redraw.
function follow() {
  const feed = new EventSource('/local/events');
  let queued = false;
  feed.onopen = () => { refresh(); refreshModal(); };
  feed.onmessage = (ev) => {
    const c = JSON.parse(ev.data);
    if (c.type === 'view' && c.user === place.user) { refreshModal(); if (place.channel === HOME) refresh(); }
    if (c.type !== 'message') return;
    if (c.channel !== place.channel) { unread.add(c.channel); tabs(); return; }
    if (queued) return;
    queued = true;
    setTimeout(() => { queued = false; refresh(); }, 60);
  };
}

async function begin() {
  if (params.get('theme')) document.documentElement.dataset.theme = params.get('theme');
  who = await get('people', {});
  const me = who.people.find((p) => p.id === place.user || p.name === place.user) ?? who.people[0];
  place.user = me.id;
  setReader(me);
  setNames(new Map([
    ...who.people.map((p) => [p.id, p.name]), ...who.channels.map((c) => [c.id, c.is_im ? who.app.name : `#${c.name}`]),
    ...who.groups.map((g) => [g.id, g.handle]), [who.app.user_id, who.app.name], ['USLACKBOT', 'Slackbot'],
  ]));
  document.title = `${me.name} · Local Slack`;
  const team = [who.team, ...who.others].find((t) => t.id === me.team_id);
  $('team').textContent = team.name;
  $('me').replaceChildren(avatar(me.id), el('div', {}, me.real_name, el('small', {}, me.tz)));
  composer($('room'), () => '');
  composer($('thread'), () => place.thread);
  $('thread').querySelector('header button').onclick = () => openThread('');
  const mine = who.channels.filter((c) => c.members.includes(me.id));
  const asked = mine.find((c) => c.id === place.channel || c.name === place.channel);
  choose(place.channel === HOME ? HOME : (asked ?? mine[0]).id);
  follow();
}

begin();
