// Results as they come.
import {h, remember, remembered, replace} from './dom.js';
import {feed} from './feed.js';
import {clockSeconds, date, money, percent, said, t, time} from './i18n.js';
import {band, mark, markOfResult, reasons} from './parts.js';

const SHOWN = 200;

export async function render(main, {signal}) {
  const filter = {kind: remembered('live_kind') ?? 'all', tag: ''};
  let paused = false;
  let held = 0;  // while paused
  const list = h('ol.results', {'aria-label': t('live')});
  const empty = h('p.muted');
  const pause = h('button', {type: 'button', 'aria-pressed': 'false', onclick: () => {
    paused = !paused;
    held = 0;
    pause.setAttribute('aria-pressed', String(paused));
    label();
    if (!paused) fill();
  }});
  const label = () => { pause.textContent = paused ? t('go_on', {n: held}) : t('pause'); };
  const kinds = ['all', 'alert', 'high', 'tag'].map(kind => h('button', {type: 'button', 'aria-pressed': String(kind === filter.kind),
    onclick: event => {
      filter.kind = kind;
      remember('live_kind', kind);
      for (const other of kinds) other.setAttribute('aria-pressed', String(other === event.currentTarget));
      fill();
    }}, t('only_' + kind)));
  const tag = h('input', {type: 'search', 'aria-label': t('only_of'), placeholder: t('only_of'), autocomplete: 'off',
    oninput: () => { filter.tag = tag.value.trim(); fill(); }});

  const wanted = result => (filter.kind === 'all' || filter.kind === result.kind ||
    (filter.kind === 'high' && result.kind === 'alert' && [result.band, result.band_before].includes('high'))) &&
    (!filter.tag || result.customer.includes(filter.tag) || (result.tag ?? '').includes(filter.tag));
  const say = () => {
    empty.hidden = list.children.length > 0;
    empty.textContent = feed.state === 'live' ? t('nothing_yet') : t('stream_' + feed.state);
  };
  const fill = () => {
    replace(list, feed.results.filter(wanted).slice(0, SHOWN).map(item));
    say();
  };
  feed.addEventListener('result', ({detail}) => {
    if (!wanted(detail)) return;
    if (paused) {
      held += 1;
      return label();
    }
    const fresh = item(detail);
    fresh.classList.add('fresh');
    list.prepend(fresh);
    while (list.children.length > SHOWN) list.lastChild.remove();
    say();
  }, {signal});
  const gap = h('p.muted');
  const state = () => {
    gap.textContent = feed.gap === null ? '' : t('gap');
    say();
  };
  feed.addEventListener('state', state, {signal});
  label();
  fill();
  state();
  replace(main, h('div.heading', null, h('h1', null, t('live')),
    h('div.choices', {role: 'group', 'aria-label': t('show_only')}, kinds), tag, pause),
  h('p.muted', null, t('live_about')), gap, list, empty);
  return t('live');
}

function item(result) {
  const alert = result.kind === 'alert';
  const customer = `#/customers/${encodeURIComponent(result.customer)}`;
  return h('li', {class: 'moment result ' + markOfResult(result), 'data-id': result.id, 'data-seen': result.seen,
    'data-emitted': result.emitted},
  time(result.emitted, clockSeconds), mark(markOfResult(result)),
  h('div', null,
    h('p', null, h('a.who', {href: customer}, result.customer), ' ',
      alert ? [h('b', null, t('phase_' + result.phase)), ' ', result.phase !== 'closed' && [band(result.band), ' ',
        t('alert_line', {probability: percent(result.probability), days: result.horizon_days,
          value: money(result.value_at_risk, result.currency)})]] :
        [h('b', null, t(result.gained ? 'has_now' : 'has_lost')), ' ', h('a.tag', {href: '#/tags/' + encodeURIComponent(result.tag)}, result.tag)]),
    reasons(result.reasons),
    h('p.cause', null, h('a', {href: `${customer}?moment=${encodeURIComponent('r:' + result.id)}`}, t('show_in_story')),
      ' ', h('span.muted', null, t('happened'), ' ', time(result.time, date)), ' ',
      result.origin !== 'live' && h('span.muted', null, '· ' + t('origin_' + result.origin)))));
}
