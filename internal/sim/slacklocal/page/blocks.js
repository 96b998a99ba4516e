// Blocks as Slack shows them; unknown blocks are shown as JSON.
import { el, textObject, mention, link, date } from './text.js';

// render returns nodes for blocks. use(element, block, value) is called on a tap.
export function render(blocks, use) {
  return (blocks ?? []).map((b) => {
    const node = (kinds[b.type] ?? raw)(b, use);
    node.classList.add('block');
    return node;
  });
}

const raw = (b) => el('details', { class: 'raw', open: true }, el('summary', {}, `not drawn: ${b.type}`), el('pre', {}, JSON.stringify(b, null, 2)));

const kinds = {
  header: (b) => el('h2', {}, textObject(b.text)),
  divider: () => el('hr'),
  section: (b, use) => el('div', { class: 'section' },
    el('div', {}, b.text ? textObject(b.text) : null,
      b.fields ? el('div', { class: 'fields' }, b.fields.map((f) => el('div', {}, textObject(f)))) : null),
    b.accessory ? element(b.accessory, b, use) : null),
  context: (b) => el('div', { class: 'ctx' }, b.elements.map((e) => (e.type === 'image' ? `[${e.alt_text}]` : textObject(e)))),
  actions: (b, use) => el('div', { class: 'actions' }, b.elements.map((e) => element(e, b, use))),
  image: (b) => el('div', {}, `[image: ${b.alt_text}] `, link(b.image_url ?? '', b.image_url)),
  markdown: (b) => el('div', { class: 't' }, b.text),
  rich_text: (b) => el('div', {}, b.elements.map(rich)),
  table: (b) => el('div', { class: 'scroll' }, el('table', {}, b.rows.map((row, i) => el('tr', {}, row.map((cell) =>
    el(i ? 'td' : 'th', {}, cell.type === 'raw_text' ? cell.text : cell.elements.map(rich))))))),
  input: (b) => input(b),
};

function rich(e) {
  switch (e.type) {
    case 'rich_text_section': return el('div', { class: 't rich' }, e.elements.map(leaf));
    case 'rich_text_quote': return el('blockquote', { class: 't' }, e.elements.map(leaf));
    case 'rich_text_preformatted': return el('pre', {}, e.elements.map(leaf));
    case 'rich_text_list': return el(e.style === 'ordered' ? 'ol' : 'ul', {}, e.elements.map((item) => el('li', {}, item.elements.map(leaf))));
    default: return raw(e);
  }
}

function leaf(e) {
  const style = e.style ?? {};
  let node;
  switch (e.type) {
    case 'text': node = document.createTextNode(e.text); break;
    case 'link': node = link(e.url, e.text); break;
    case 'emoji': node = document.createTextNode(e.unicode ? String.fromCodePoint(...e.unicode.split('-').map((h) => parseInt(h, 16))) : `:${e.name}:`); break;
    case 'user': node = mention('@', e.user_id); break;
    case 'usergroup': node = mention('@', e.usergroup_id); break;
    case 'channel': node = mention('#', e.channel_id); break;
    case 'broadcast': node = mention('@', e.range); break;
    case 'date': node = el('time', {}, date(e.timestamp, e.format)); break;
    default: return raw(e);
  }
  for (const [key, tag] of [['code', 'code'], ['bold', 'b'], ['italic', 'i'], ['strike', 's']]) {
    if (style[key]) node = el(tag, {}, node);
  }
  return node;
}

// element renders an interactive element.
function element(e, block, use) {
  switch (e.type) {
    case 'button':
      return el('button', { type: 'button', class: e.style, 'aria-label': e.accessibility_label, onclick: () => use(e, block, e.value) }, e.text.text);
    case 'overflow':
    case 'static_select': {
      const head = e.placeholder?.text ?? '…';
      return el('select', { 'aria-label': head, onchange: (ev) => { if (ev.target.value) use(e, block, ev.target.value); ev.target.value = ''; } },
        el('option', { value: '' }, head), e.options.map((o) => el('option', { value: o.value }, o.text.text)));
    }
    case 'image': return el('small', {}, `[${e.alt_text}]`);
    default: return raw(e);
  }
}

// fieldName names the field of an input: action ids may repeat, blocks do not.
const fieldName = (b) => `${b.block_id} ${b.element.action_id}`;

// input renders an input of a modal.
function input(b) {
  const e = b.element;
  const name = fieldName(b);
  const options = (all) => all.map((o) => el('option', { value: o.value, selected: o.value === e.initial_option?.value }, o.text.text));
  let field;
  switch (e.type) {
    case 'plain_text_input':
    case 'number_input':
      field = el(e.multiline ? 'textarea' : 'input', { id: name, name, autocomplete: 'off', autocapitalize: 'off', value: e.initial_value ?? '', placeholder: e.placeholder?.text ?? '', rows: e.multiline ? 3 : undefined });
      break;
    case 'static_select':
    case 'radio_buttons':
      field = el('select', { id: name, name }, el('option', { value: '' }, e.placeholder?.text ?? '…'), options(e.options));
      break;
    case 'checkboxes':
      field = el('div', { id: name }, e.options.map((o) => el('span', { class: 'choice' }, el('input', { type: 'checkbox', name, value: o.value }), o.text.text)));
      break;
    default:
      field = raw(e);
  }
  return el('div', {}, el('label', { htmlFor: name }, b.label.text, b.optional ? el('small', {}, ' (optional)') : null), field,
    b.hint ? el('div', { class: 'hint' }, b.hint.text) : null, el('div', { class: 'error', 'data-block': b.block_id, role: 'alert' }));
}

// valuesOf returns a form's values by block and action, as the server expects them.
export function valuesOf(blocks, data) {
  const values = {};
  for (const b of blocks.filter((x) => x.type === 'input')) {
    const all = data.getAll(fieldName(b));
    values[b.block_id] = { [b.element.action_id]: b.element.type === 'checkboxes' ? all : all[0] ?? '' };
  }
  return values;
}
