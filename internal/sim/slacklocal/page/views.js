// Modals, and the confirmation of a button.
import { el, textObject } from './text.js';
import { render, valuesOf } from './blocks.js';

// confirmed shows a button's confirmation, and resolves to true or false.
export function confirmed(dialog, c) {
  if (!c) return Promise.resolve(true);
  return new Promise((resolve) => {
    dialog.replaceChildren(
      el('div', { class: 'top' }, el('h3', {}, c.title.text)), el('div', { class: 'mid' }, textObject(c.text)),
      el('div', { class: 'foot' }, el('button', { type: 'button', onclick: () => dialog.close('no') }, c.deny.text),
        el('button', { type: 'button', class: c.style === 'danger' ? 'danger' : 'primary', onclick: () => dialog.close('yes') }, c.confirm.text)));
    dialog.returnValue = 'no';
    dialog.onclose = () => resolve(dialog.returnValue === 'yes');
    dialog.showModal();
  });
}

// modal shows the topmost view, or none. acts has close, submit and use.
export function modal(dialog, view, acts) {
  const key = view ? view.id + view.hash : '';
  if (dialog.dataset.shown === key) return;
  dialog.dataset.shown = key;
  if (!view) { dialog.close(); return; }
  const form = el('form', { method: 'dialog', onsubmit: async (ev) => {
    ev.preventDefault();
    const out = await acts.submit(view, valuesOf(view.blocks, new FormData(form)));
    for (const slot of form.querySelectorAll('.error')) slot.textContent = out.errors?.[slot.dataset.block] ?? '';
    if (!out.ok && !out.errors) form.querySelector('.mid').append(el('p', { class: 'error', role: 'alert' }, out.error));
  } },
    el('div', { class: 'top' }, el('h3', {}, textObject(view.title)), el('button', { type: 'button', class: 'plain', ariaLabel: 'Close', onclick: () => acts.close(view) }, '✕')),
    el('div', { class: 'mid' }, render(view.blocks, acts.use)),
    el('div', { class: 'foot' }, el('button', { type: 'button', onclick: () => acts.close(view) }, view.close?.text ?? 'Cancel'),
      view.submit ? el('button', { class: 'primary' }, view.submit.text) : null));
  dialog.replaceChildren(form);
  dialog.oncancel = (ev) => { ev.preventDefault(); acts.close(view); };
  if (!dialog.open) dialog.showModal();
  form.querySelector('.mid input, .mid textarea, .mid select')?.focus();
}
