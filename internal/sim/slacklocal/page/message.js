// One message as Slack shows it: author, time, blocks or text, files, and the
// lines below it.
import { el, mrkdwn, nameOf, clock } from './text.js';
import { render } from './blocks.js';

const tones = 6;
const tone = (id) => [...id].reduce((n, c) => n + c.codePointAt(0), 0) % tones;

// avatar is a person's square, or the app's icon.
export function avatar(id, app) {
  if (app && id === app.user_id) return el('span', { class: 'avatar' }, el('img', { src: 'icon.svg', alt: '' }));
  return el('span', { class: `avatar tone${tone(id)}`, ariaHidden: 'true' }, nameOf(id).slice(0, 1).toUpperCase());
}

const previews = new Map(); // file id → its first lines

// file shows name, size and the first lines, as Slack does for text files.
function file(f) {
  const head = el('pre', { hidden: true });
  const show = (text) => { head.textContent = text; head.hidden = !text; };
  if (previews.has(f.id)) show(previews.get(f.id));
  else {
    fetch(new URL(f.url_private).pathname).then((r) => r.text()).then((text) => {
      previews.set(f.id, text.split('\n').slice(0, 5).join('\n'));
      show(previews.get(f.id));
    });
  }
  const size = f.size < 1024 ? `${f.size} B` : `${(f.size / 1024).toFixed(1)} kB`;
  return el('div', { class: 'file' }, el('a', { href: new URL(f.url_private).pathname, target: '_blank' }, '📄 ', f.title, el('small', {}, ` ${size}`)), head);
}

function edited(m) {
  if (!m.edited_at) return null;
  return el('span', { class: 'edited', title: `${m.history.length} edits, the last at ${clock(m.edited_at)}` }, ' (edited)');
}

// message builds the node. o has app, me, push (show push texts), use (the effect
// of a tap), thread (opens the thread), replies, shortcuts (the app's shortcuts on
// messages) and shortcut (the effect of one).
export function message(m, o) {
  const app = m.user === o.app.user_id;
  const count = o.replies?.length ?? 0;
  return el('article', { class: m.ephemeral ? 'ephemeral' : null, 'data-ts': m.ts },
    m.ephemeral ? el('div', { class: 'only' }, '👁 Only visible to you') : null,
    avatar(m.user, o.app),
    el('div', {},
      el('div', { class: 'who' }, el('b', {}, nameOf(m.user)), app ? el('span', { class: 'app' }, 'APP') : null,
        el('small', {}, el('time', { dateTime: m.at }, clock(m.at))),
        m.ephemeral ? null : (o.shortcuts ?? []).map((c) => el('button', { type: 'button', class: 'plain act', title: c.name, ariaLabel: c.name, onclick: () => o.shortcut(c, m) }, '⚡')),
        m.ephemeral || !o.thread ? null : el('button', { type: 'button', class: 'plain act', onclick: () => o.thread(m.ts) }, 'Reply in thread')),
      m.blocks ? render(m.blocks, o.use) : el('div', { class: 't block' }, mrkdwn(m.text)),
      edited(m),
      (m.files ?? []).map(file),
      m.reactions ? el('div', { class: 'reactions' }, m.reactions.map((r) => el('span', {}, `:${r}:`))) : null,
      o.push && m.blocks ? el('div', { class: 'push' }, el('b', {}, '🔔 '), mrkdwn(m.text || '(no push text)'), alerts(m)) : null,
      count ? el('button', { type: 'button', class: 'replies', onclick: () => o.thread(m.ts) },
        `${count} ${count === 1 ? 'reply' : 'replies'}`, el('small', {}, ` last at ${clock(o.replies.at(-1).at)}`)) : null));
}

function alerts(m) {
  return m.notifies ? ` · alerts ${m.notifies.map((n) => nameOf(n.replace(/^[@!](subteam\^)?/, ''))).join(', ')}` : null;
}
