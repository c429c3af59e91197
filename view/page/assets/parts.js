// What several views are made of.
import {h, svg} from './dom.js';
import {number, said, t, time} from './i18n.js';

export function problem(error, again) {
  const known = ['unreachable', 'unknown_customer', 'unknown_tag', 'not_here', 'restoring', 'busy', 'forbidden', 'not_implemented'];
  const title = t(known.includes(error.code) ? 'problem_' + error.code : 'problem');
  return h('section.problem', {role: 'alert'}, h('h1', null, title),
    error.message && h('p.muted', null, said(error.message)),
    again && error.status !== 404 && h('button', {type: 'button', onclick: again}, t('again')));
}

// The values behind a decision: what was, and what it was held against.
export function reasons(list) {
  return list.length ? h('ul.reasons', null, list.map(reason => h('li', null, said(reason.text || told(reason))))) : null;
}

const told = ({feature, value, comparison, threshold}) =>
  [feature, '=', shown(value), comparison && `(${comparison} ${shown(threshold)})`].filter(Boolean).join(' ');

export function shown(value) {
  if (value === null || value === undefined) return '–';
  if (typeof value === 'boolean') return t(value ? 'yes' : 'no');
  if (typeof value === 'number') return number(value, Number.isInteger(value) ? 0 : 2);
  return /^\d{4,}-\d\d-\d\dT[\d:.]+Z$/.test(value) ? time(value) : value;
}

export function band(name) {
  return h('span.band.' + name, null, t('band_' + name));
}

// How a moment or result is marked, by its kind.
const MARKS = {
  gained: ['+', 'mark_gained'], lost: ['−', 'mark_lost'], alert: ['!', 'mark_alert'], closed: ['✓', 'mark_closed'],
};
export function mark(kind) {
  const [sign, text] = MARKS[kind];
  return h('span.mark.' + kind, {title: t(text)}, h('span', {'aria-hidden': 'true'}, sign), h('span.unseen', null, t(text)));
}

export const markOfResult = result => result.kind === 'tag' ? (result.gained ? 'gained' : 'lost') :
  result.phase === 'closed' ? 'closed' : 'alert';

// A line without axes, as high as the text: for the shape of a development, beside its latest number.
export function spark(values, label) {
  const known = values.filter(value => value !== null && value !== undefined);
  if (known.length < 2) return null;
  const low = Math.min(...known), high = Math.max(...known), width = 120, height = 22;
  const points = values.map((value, index) => [index / (values.length - 1) * width,
    high === low ? height / 2 : height - 2 - (value - low) / (high - low) * (height - 4)]);
  return svg('svg', {class: 'spark', viewBox: `0 0 ${width} ${height}`, preserveAspectRatio: 'none', role: 'img', 'aria-label': label},
    svg('polyline', {points: points.map(point => point.map(x => x.toFixed(1)).join(',')).join(' ')}));
}

export function figure(label, value, note) {
  return h('div', null, h('dt', null, label), h('dd', null, value, note && h('small', null, note)));
}

// Does `work` now and then every `seconds`, as long as the view is shown and the page can be seen.
export function repeat(seconds, signal, work) {
  const timer = setInterval(() => {
    if (document.visibilityState === 'visible') work().catch(error => {
      if (error.name !== 'AbortError') console.warn('could not be refreshed:', error.message || error.code);
    });
  }, seconds * 1000);
  signal.addEventListener('abort', () => clearInterval(timer));
}
