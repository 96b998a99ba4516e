// Text as Slack shows it. Everything is built as DOM nodes from plain text:
// no string ever becomes HTML.

export function el(tag, props = {}, ...children) {
  const node = document.createElement(tag);
  for (const [k, v] of Object.entries(props)) {
    if (v === undefined || v === null) continue;
    if (k === 'class') node.className = v;
    else if (k.startsWith('on')) node.addEventListener(k.slice(2), v);
    else if (k in node && k !== 'list') node[k] = v;
    else node.setAttribute(k, v);
  }
  node.append(...children.flat(Infinity).filter((c) => c !== null && c !== undefined));
  return node;
}

const unescape = (s) => s.replace(/&lt;/g, '<').replace(/&gt;/g, '>').replace(/&amp;/g, '&');

// names maps the id of a person, channel or group to the text to show; reader is
// the owner of this window.
let names = new Map();
let reader = {};
export function setNames(map) { names = map; }
export function setReader(person) { reader = person; }

export const nameOf = (id) => names.get(id) ?? id;

// when formats a moment in the reader's own time zone, as Slack does.
const when = (at, options) => new Intl.DateTimeFormat(undefined, { timeZone: reader.tz || undefined, ...options }).format(new Date(at));
const time = { hour: 'numeric', minute: '2-digit' };

export const clock = (at) => when(at, time);

// dayOf is the line above a day's messages.
export function dayOf(at) {
  const day = when(at, { weekday: 'long', month: 'long', day: 'numeric' });
  return day === when(Date.now(), { weekday: 'long', month: 'long', day: 'numeric' }) ? 'Today' : day;
}

// date renders Slack's {tokens}.
export function date(seconds, format) {
  const at = seconds * 1000;
  const plain = { year: 'numeric', month: '2-digit', day: '2-digit' };
  const pretty = dayOf(at);
  const short = when(at, { month: 'short', day: 'numeric', year: 'numeric' });
  return format
    .replaceAll('{time_secs}', when(at, { ...time, second: '2-digit' }))
    .replaceAll('{time}', clock(at))
    .replaceAll('{date_num}', when(at, plain))
    .replaceAll('{ago}', `${Math.max(0, Math.round((Date.now() - at) / 60000))} minutes ago`)
    .replace(/\{date[a-z_]*_pretty\}/g, pretty === 'Today' ? 'today' : short)
    .replace(/\{date[a-z_]*\}/g, short);
}

// mention is a pill; the reader's own name stands out.
export function mention(sign, id, label) {
  return el('span', { class: id === reader.id ? 'mention me' : 'mention' }, sign + (label || nameOf(id)).replace(/^[#@]/, ''));
}

const safe = (url) => (/^(https?|mailto):/.test(url) ? url : undefined);

export function link(url, text) {
  return el('a', { href: safe(url), target: '_blank', rel: 'noreferrer' }, text || url);
}

// token renders a token in <angle brackets>.
function token(inner) {
  const bar = inner.indexOf('|');
  const head = bar < 0 ? inner : inner.slice(0, bar);
  const label = bar < 0 ? '' : unescape(inner.slice(bar + 1));
  if (head.startsWith('@') || head.startsWith('#')) {
    return mention(head[0], head.slice(1), label);
  }
  if (head.startsWith('!date^')) {
    const [, at, format, href] = head.split('^');
    const shown = date(Number(at), format ?? '{date} {time}');
    return href ? link(href, shown) : el('time', {}, shown);
  }
  if (head.startsWith('!')) {
    return mention('@', head.replace(/^!(subteam\^)?/, ''), label);
  }
  return link(unescape(head), label);
}

const marks = [
  [/^```\n?([\s\S]+?)```/, (m) => el('pre', {}, plainInside(m[1]))],
  [/^`([^`\n]+)`/, (m) => el('code', {}, plainInside(m[1]))],
  [/^<([^<>]+)>/, (m) => token(m[1])],
  [/^\*([^\s*](?:[^*\n]*[^\s*])?)\*(?!\w)/, (m) => el('b', {}, mrkdwn(m[1]))],
  [/^_([^\s_](?:[^_\n]*[^\s_])?)_(?!\w)/, (m) => el('i', {}, mrkdwn(m[1]))],
  [/^~([^\s~](?:[^~\n]*[^\s~])?)~(?!\w)/, (m) => el('s', {}, mrkdwn(m[1]))],
];

function plainInside(s) {
  return unescape(s.replace(/<([^<>|]+)(?:\|([^<>]*))?>/g, (_, a, b) => b || a));
}

// mrkdwn returns nodes for a text in Slack's markup.
export function mrkdwn(s) {
  const out = [];
  let plain = '';
  let before = '';
  const flush = () => { if (plain) out.push(unescape(plain)); plain = ''; };
  for (let rest = s; rest;) {
    let hit = null;
    if (rest[0] === '<' || rest[0] === '`' || !/\w/.test(before)) {
      for (const [re, make] of marks) {
        const m = re.exec(rest);
        if (m) { hit = [m[0].length, make(m)]; break; }
      }
    }
    const n = hit ? hit[0] : 1;
    if (hit) { flush(); out.push(hit[1]); } else plain += rest[0];
    before = rest[n - 1];
    rest = rest.slice(n);
  }
  flush();
  return out;
}

// textObject renders a plain_text or mrkdwn object.
export function textObject(t) {
  if (!t) return el('span');
  return el('span', { class: 't' }, t.type === 'mrkdwn' ? mrkdwn(t.text) : t.text);
}
