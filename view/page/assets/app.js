// The frame: who is signed in, where the address points, the header, the keyboard.
import * as api from './api.js';
import {h, remember, remembered, replace} from './dom.js';
import {feed} from './feed.js';
import {LANGUAGES, choose, language, preferred, t, use} from './i18n.js';
import {setUpKeyboard, showShortcuts} from './keyboard.js';
import {problem} from './parts.js';
import {signIn} from './sign_in.js';

const VIEWS = {  // by the first part of the address; loaded when they are first shown
  '': () => import('./overview.js'),
  live: () => import('./live.js'),
  customers: () => import('./customer.js'),
  tags: () => import('./tag.js'),
  chain: () => import('./chain.js'),
};

const main = document.getElementById('main');
let session = null;
let leave = null;  // ends what the shown view has under way
let unseen = 0;  // results that came while the live view was not shown

// '#/customers/a%2Fb?moment=x' -> {view: 'customers', rest: 'a/b', query}
function address() {
  const [path, query] = location.hash.replace(/^#\/?/, '').split('?');
  const [view, ...rest] = path.split('/');
  let decoded = rest.join('/');
  try { decoded = decodeURIComponent(decoded); } catch { /* as it is */ }
  return {view, rest: decoded, query: new URLSearchParams(query)};
}

async function show() {
  leave?.abort();
  leave = new AbortController();
  const {signal} = leave;
  drawHeader();
  if (!session) return askToSignIn();
  const {view, rest, query} = address();
  if (view === 'live') setUnseen(0);
  const load = VIEWS[view] ?? VIEWS[''];
  main.setAttribute('aria-busy', 'true');
  try {
    const {render} = await load();
    if (signal.aborted) return;
    const title = await render(main, {rest, query, signal, session});
    if (signal.aborted) return;
    document.title = title ? `${title} · Portrait` : 'Portrait';
  } catch (error) {
    if (error.name === 'AbortError' || signal.aborted) return;
    if (error.status === 401) return signOut();
    if (!(error instanceof api.Refusal)) console.error(error);
    replace(main, problem(error, show));
  } finally {
    if (!signal.aborted) main.removeAttribute('aria-busy');
  }
}

function askToSignIn() {
  feed.close();
  document.title = t('sign_in') + ' · Portrait';
  main.removeAttribute('aria-busy');
  signIn(main, found => {
    session = found;
    started();
  });
}

function signOut() {
  session = null;
  show();
}

function started() {
  if (session.role !== 'operator') feed.open();
  show().then(toTop);
}

// --- the header -----------------------------------------------------------------------------------------------------------

function link(view, text, extra) {
  const here = session && address().view === view;
  return h('a', {href: '#/' + view, 'aria-current': here ? 'page' : null}, text, extra);
}

function drawHeader() {
  document.getElementById('skip').textContent = t('skip');
  const brand = h('a.brand', {href: '#/'}, 'Portrait');
  const settings = h('div.settings', null,
    session && h('span', {id: 'live-state'}), picker('language', t('language'), LANGUAGES, language, changeLanguage),
    picker('theme', t('theme'), {auto: t('theme_auto'), light: t('theme_light'), dark: t('theme_dark')},
      remembered('theme') ?? 'auto', changeTheme),
    h('button.quiet', {type: 'button', onclick: showShortcuts, title: t('shortcuts'), 'aria-label': t('shortcuts')}, '?'),
    session && session.login === 'cookie' &&
      h('button.quiet', {type: 'button', onclick: () => api.logout().finally(signOut), title: session.name}, t('sign_out')));
  const header = document.getElementById('top');
  const typed = header.querySelector('#search')?.value ?? '';
  if (!session) return void replace(header, brand, settings);
  const seesCustomers = session.role !== 'operator';
  const search = h('input', {id: 'search', type: 'search', name: 'id', autocomplete: 'off', spellcheck: 'false',
    placeholder: t('search_hint'), 'aria-label': t('search'), maxlength: 1000, enterkeyhint: 'go', value: typed});
  replace(header, brand,
    h('nav', {'aria-label': t('sections')}, link('', t('overview')),
      seesCustomers && link('live', t('live'), h('span.count', {id: 'unseen'})), link('chain', t('chain'))),
    seesCustomers && h('form', {role: 'search', onsubmit: event => {
      event.preventDefault();
      const id = search.value;
      if (!id) return;
      search.value = '';
      search.blur();
      location.hash = '#/customers/' + encodeURIComponent(id);
    }}, search, h('kbd', {'aria-hidden': 'true'}, '/')), settings);
  drawState();
  setUnseen(unseen);
}

function picker(id, label, choices, chosen, change) {
  return h('select', {id, 'aria-label': label, title: label, onchange: event => change(event.target.value)},
    Object.entries(choices).map(([value, text]) =>
      h('option', {value, selected: value === chosen, lang: id === 'language' && value === 'zh' ? 'zh-Hans' : null}, text)));
}

async function changeLanguage(name) {
  await choose(name);
  await show();
  document.getElementById('language').focus();
}

function changeTheme(theme) {
  remember('theme', theme);
  if (theme === 'auto') delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
  window.dispatchEvent(new Event('themechange'));
}

function drawState() {
  const place = document.getElementById('live-state');
  if (!place || session.role === 'operator') return;
  place.className = 'state ' + feed.state;
  replace(place, h('span.unseen', null, t('stream_' + feed.state)));
  place.title = t('stream_' + feed.state);
}

function setUnseen(count) {
  unseen = count;
  const place = document.getElementById('unseen');
  if (place) place.textContent = count === 0 ? '' : count > 99 ? '99+' : String(count);
}

feed.addEventListener('state', drawState);
feed.addEventListener('result', ({detail}) => {
  if (address().view !== 'live') setUnseen(unseen + 1);
  // A reader of the screen is told of what is urgent only.
  if (detail.kind === 'alert' && detail.phase !== 'closed' && detail.band === 'high') {
    document.getElementById('announcer').textContent = t('announce_alert', {customer: detail.customer});
  }
});

// The beginning of a view has the focus, unless the address names a moment, which has it then.
function toTop() {
  if (address().query.has('moment')) return;
  window.scrollTo(0, 0);
  main.focus({preventScroll: true});
}

window.addEventListener('hashchange', () => show().then(toTop));

setUpKeyboard({
  search: () => document.getElementById('search')?.focus(),
  go: view => { if (session) location.hash = '#/' + view; },
});

await use(preferred());
try {
  session = await api.session();
} catch (error) {
  if (error.status !== 401) {
    drawHeader();
    replace(main, problem(error, () => location.reload()));
    throw error;
  }
}
if (session) started(); else show();
