// The desk: a window for each person, side by side. The address names the open
// windows, so that a reload or a link shows the same ones.
import { el } from './text.js';

const $ = (id) => document.getElementById(id);
const desk = $('desk');
let people = [];
let seats = []; // {user, phone}

function fromAddress() {
  const p = new URLSearchParams(location.hash.slice(1));
  $('theme').value = p.get('theme') ?? '';
  $('push').checked = p.get('push') !== '0';
  const named = (p.get('people') ?? 'operator,approver:phone').split(',').map((s) => s.split(':'));
  return named.map(([name, size]) => ({ user: people.find((x) => x.name === name || x.id === name)?.id, phone: size === 'phone' })).filter((s) => s.user);
}

function toAddress() {
  const names = seats.map((s) => people.find((p) => p.id === s.user).name + (s.phone ? ':phone' : ''));
  const p = new URLSearchParams({ people: names.join(',') });
  if ($('theme').value) p.set('theme', $('theme').value);
  if (!$('push').checked) p.set('push', '0');
  history.replaceState(null, '', '#' + p);
  if ($('theme').value) document.documentElement.dataset.theme = $('theme').value;
  else delete document.documentElement.dataset.theme;
}

function address(s) {
  return 'window.html?' + new URLSearchParams({
    user: s.user, theme: $('theme').value, push: $('push').checked ? '1' : '', banner: s.phone ? '1' : '',
  });
}

function draw(s) {
  const frame = el('iframe', { title: 'Slack window', src: address(s) });
  const who = el('select', { 'aria-label': 'Person', onchange: () => { s.user = who.value; frame.src = address(s); toAddress(); } },
    people.map((p) => el('option', { value: p.id, selected: p.id === s.user }, p.name)));
  const size = el('button', { type: 'button', class: 'size', 'aria-pressed': s.phone, onclick: () => {
    s.phone = !s.phone;
    seat.classList.toggle('phone', s.phone);
    size.setAttribute('aria-pressed', s.phone);
    frame.src = address(s);
    toAddress();
  } }, '📱 Phone');
  const shut = el('button', { type: 'button', class: 'plain shut end', 'aria-label': 'Close this window', onclick: () => {
    seats = seats.filter((x) => x !== s);
    seat.remove();
    toAddress();
  } }, '✕');
  const seat = el('section', { class: s.phone ? 'seat phone' : 'seat' }, el('div', {}, who, size, shut), frame);
  s.reload = () => { frame.src = address(s); };
  desk.append(seat);
}

function begin({ people: list }) {
  people = list;
  seats = fromAddress();
  if (!seats.length) seats = [{ user: people[0].id, phone: false }];
  seats.forEach(draw);
  $('add').onclick = () => {
    const free = people.find((p) => !seats.some((s) => s.user === p.id)) ?? people[0];
    const s = { user: free.id, phone: false };
    seats.push(s);
    draw(s);
    toAddress();
  };
  for (const id of ['theme', 'push']) $(id).onchange = () => { toAddress(); seats.forEach((s) => s.reload()); };
  toAddress();
}

begin(await (await fetch('/local/people')).json());
