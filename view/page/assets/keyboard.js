// Shortcuts of the keyboard, and the dialogue that shows them. Single keys can be turned off, for those who dictate.
import {h, remember, remembered} from './dom.js';
import {t} from './i18n.js';

const PLACES = {o: '', l: 'live', c: 'chain'};
const on = () => remembered('shortcuts') !== 'off';

export function setUpKeyboard({search, go}) {
  let waiting = false;  // for the second key, after g
  document.addEventListener('keydown', event => {
    if (event.ctrlKey || event.metaKey || event.altKey || !on() || document.querySelector('dialog[open]')) return;
    if (event.target.closest('input, select, textarea')) {
      if (event.key === 'Escape') event.target.blur();
      return;
    }
    if (waiting) {
      waiting = false;
      if (event.key in PLACES) {
        event.preventDefault();
        go(PLACES[event.key]);
      }
    } else if (event.key === '/') {
      event.preventDefault();
      search();
    } else if (event.key === 'g') {
      waiting = true;
      setTimeout(() => { waiting = false; }, 1500);
    } else if (event.key === '?') {
      showShortcuts();
    }
  });
}

export function showShortcuts() {
  const keys = (...names) => h('dt', null, names.map(name => h('kbd', null, name)));
  const dialog = h('dialog', {'aria-labelledby': 'shortcuts-title', onclose: () => dialog.remove()},
    h('h2', {id: 'shortcuts-title'}, t('shortcuts')),
    h('dl.shortcuts', null,
      keys('/'), h('dd', null, t('search')),
      keys('g', 'o'), h('dd', null, t('overview')),
      keys('g', 'l'), h('dd', null, t('live')),
      keys('g', 'c'), h('dd', null, t('chain')),
      keys('?'), h('dd', null, t('shortcuts')),
      keys('Esc'), h('dd', null, t('close'))),
    h('label', null, h('input', {type: 'checkbox', checked: on(),
      onchange: event => remember('shortcuts', event.target.checked ? 'on' : 'off')}), ' ', t('shortcuts_on')),
    h('form', {method: 'dialog'}, h('button', null, t('close'))));
  document.body.append(dialog);
  dialog.showModal();
}
