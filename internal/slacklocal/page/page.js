// The page: channels, messages as one person sees them, and what that person
// can do. State is asked for anew whenever the server says that it changed.
import { el, mrkdwn, setNames, nameOf, textObject } from './text.js';
import { render } from './blocks.js';

const $ = (id) => document.getElementById(id);
const params = new URLSearchParams(location.search);
const HOME = 'home';
let place = { channel: params.get('channel'), user: params.get('user'), thread: '' };
let who;

async function get(path, query) {
  const r = await fetch(`/local/${path}?${new URLSearchParams(query)}`);
  return r.json();
}

async function post(door, body) {
  const r = await fetch(`/local/${door}`, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) });
  const out = await r.json();
  complain(out.ok || out.message || out.errors ? '' : out.error);
  return out;
}

function complain(text) {
  $('problem').textContent = text;
  $('problem').hidden = !text;
}

// confirmed asks what a button wants asked, and resolves to yes or no.
function confirmed(c) {
  if (!c) return Promise.resolve(true);
  return new Promise((resolve) => {
    const d = $('confirm');
    d.replaceChildren(el('h3', {}, c.title.text), textObject(c.text), el('div', { class: 'row' },
      el('button', { onclick: () => d.close('no') }, c.deny.text),
      el('button', { class: c.style === 'danger' ? 'danger' : 'primary', onclick: () => d.close('yes') }, c.confirm.text)));
    d.returnValue = 'no';
    d.onclose = () => resolve(d.returnValue === 'yes');
    d.showModal();
  });
}

function clicker(where) {
  return async (element, block, value) => {
    if (await confirmed(element.confirm)) {
      await post('click', { user: place.user, ...where, action_id: element.action_id, block_id: block.block_id, value: value ?? '' });
    }
  };
}

const clock = (at) => new Date(at).toLocaleTimeString([], { hour: '2-digit', minute: '2-digit', second: '2-digit' });

function message(m) {
  const reply = m.thread_ts && m.thread_ts !== m.ts;
  return el('article', { class: [reply && 'reply', m.ephemeral && 'ephemeral'].filter(Boolean).join(' '), 'data-ts': m.ts },
    el('div', { class: 'who' }, el('b', {}, nameOf(m.user)), el('span', {}, clock(m.at)),
      m.edited_at ? el('span', { title: `edited ${m.history.length} times` }, `(edited ${clock(m.edited_at)})`) : null,
      m.ephemeral ? el('span', {}, 'only visible to you') : null,
      m.notifies ? el('span', {}, `alerts ${m.notifies.map((n) => nameOf(n.replace(/^[@!](subteam\^)?/, ''))).join(', ')}`) : null,
      m.ephemeral ? null : el('button', { type: 'button', onclick: () => replyTo(m) }, 'reply in thread')),
    m.blocks ? [render(m.blocks, clicker({ channel: m.channel, ts: m.ts })), el('p', { class: 'push' }, 'push: ', m.text || '(none)')]
      : el('div', { class: 't' }, mrkdwn(m.text)),
    (m.files ?? []).map((f) => el('div', {}, '📄 ', el('a', { href: f.url_private, target: '_blank' }, f.title), el('small', {}, ` ${f.size} bytes`))),
    m.reactions ? el('div', { class: 'ctx' }, m.reactions.map((r) => `:${r}: `)) : null);
}

// threaded puts replies under what they answer.
function threaded(list) {
  const roots = list.filter((m) => !m.thread_ts || m.thread_ts === m.ts || !list.some((p) => p.ts === m.thread_ts));
  return roots.flatMap((r) => [r, ...list.filter((m) => m.thread_ts === r.ts && m !== r)]);
}

function replyTo(m) {
  place.thread = m ? m.thread_ts || m.ts : '';
  $('replying').hidden = !m;
  $('replying').firstElementChild.textContent = m ? `replying to “${(m.text || '').slice(0, 60)}”: only mentions work in threads` : '';
  $('text').placeholder = m ? `@${who.app.name} status …` : `/${who.app.name} status …   or   @${who.app.name} status …`;
  if (m) $('text').focus();
}

async function refresh() {
  const main = $('messages');
  const atEnd = main.scrollHeight - main.scrollTop - main.clientHeight < 80;
  if (place.channel === HOME) {
    const { home } = await get('views', { user: place.user });
    main.replaceChildren(...(home ? render(home.blocks, clicker({ view_id: home.id })) : [el('p', {}, 'The app has published no Home tab yet.')]));
    return;
  }
  const out = await get('messages', { channel: place.channel, user: place.user, limit: 300 });
  main.replaceChildren(...(out.ok ? threaded(out.messages).map(message) : [el('p', {}, out.error)]));
  if (atEnd) main.scrollTop = main.scrollHeight;
}

let shown = '';
async function refreshModal() {
  const { modals } = await get('views', { user: place.user });
  const d = $('modal');
  const top = modals?.at(-1);
  const key = top ? top.id + top.hash : '';
  if (key === shown) return;
  shown = key;
  if (!top) { d.close(); return; }
  const form = el('form', { method: 'dialog', onsubmit: (ev) => { ev.preventDefault(); submit(top, form); } },
    el('h3', {}, textObject(top.title)), render(top.blocks, clicker({ view_id: top.id })),
    el('div', { class: 'row' },
      el('button', { type: 'button', onclick: () => post('close', { user: place.user, view_id: top.id }) }, top.close?.text ?? 'Cancel'),
      top.submit ? el('button', { class: 'primary' }, top.submit.text) : null));
  d.replaceChildren(form);
  d.oncancel = (ev) => { ev.preventDefault(); post('close', { user: place.user, view_id: top.id }); };
  if (!d.open) d.showModal();
}

async function submit(view, form) {
  const data = new FormData(form);
  const values = {};
  for (const b of view.blocks.filter((x) => x.type === 'input')) {
    const all = data.getAll(b.element.action_id);
    values[b.element.action_id] = b.element.type === 'checkboxes' ? all : all[0] ?? '';
  }
  const out = await post('submit', { user: place.user, view_id: view.id, values });
  for (const slot of form.querySelectorAll('.error')) slot.textContent = out.errors?.[slot.dataset.block] ?? '';
  if (!out.ok && !out.errors) form.querySelector('.error')?.append(out.error);
}

function choose(change) {
  place = { ...place, ...change, thread: '' };
  const mine = who.channels.filter((c) => c.members.includes(place.user));
  if (place.channel !== HOME && !mine.some((c) => c.id === place.channel)) place.channel = mine[0]?.id;
  history.replaceState(null, '', `?${new URLSearchParams({ channel: place.channel, user: place.user })}`);
  const tabs = [...mine.map((c) => [c.id, c.is_im ? who.app.name : `#${c.name}${c.is_ext_shared ? ' (shared)' : ''}`]), [HOME, 'Home']];
  $('channels').replaceChildren(...tabs.map(([id, label]) => el('button', {
    type: 'button', 'aria-current': id === place.channel ? 'page' : null, onclick: () => { choose({ channel: id }); if (id === HOME) post('home', { user: place.user }); },
  }, label)));
  $('composer').hidden = place.channel === HOME;
  replyTo(null);
  complain('');
  refresh();
  refreshModal();
}

async function send(ev) {
  ev.preventDefault();
  const text = $('text').value.trim();
  if (!text) return;
  const to = { user: place.user, channel: place.channel };
  $('text').value = '';
  if (text.startsWith('/') && !place.thread) {
    const [command, ...rest] = text.split(' ');
    await post('slash', { ...to, command, text: rest.join(' ') });
  } else {
    await post('mention', { ...to, text, thread_ts: place.thread });
  }
}

async function begin() {
  who = await get('people', {});
  setNames(new Map([
    ...who.people.map((p) => [p.id, p.name]), ...who.channels.map((c) => [c.id, c.name]),
    ...who.groups.map((g) => [g.id, g.handle]), [who.app.user_id, who.app.name], ['USLACKBOT', 'Slackbot'],
  ]));
  $('person').replaceChildren(...who.people.map((p) => el('option', { value: p.id }, p.name + (p.team_id === who.team.id ? '' : ' (other organisation)'))));
  place.user = who.people.find((p) => p.id === place.user || p.name === place.user)?.id ?? who.people[0].id;
  place.channel = place.channel === HOME ? HOME : who.channels.find((c) => c.id === place.channel || c.name === place.channel)?.id;
  $('person').value = place.user;
  $('person').onchange = (ev) => choose({ user: ev.target.value });
  $('composer').onsubmit = send;
  $('replying').querySelector('button').onclick = () => replyTo(null);
  choose({});
  const feed = new EventSource('/local/events');
  let queued = false;
  feed.onopen = () => { refresh(); refreshModal(); };
  feed.onmessage = (ev) => {
    const c = JSON.parse(ev.data);
    if (c.type === 'view' && c.user === place.user) { refreshModal(); if (place.channel === HOME) refresh(); }
    if (c.type !== 'message' || c.channel !== place.channel || queued) return;
    queued = true; // a burst of changes is one redraw
    setTimeout(() => { queued = false; refresh(); }, 60);
  };
}

begin();
