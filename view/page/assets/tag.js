// Who has a tag, and how many had it when.
import * as api from './api.js';
import {line} from './charts.js';
import {h, replace} from './dom.js';
import {compact, date, milliseconds, number, said, t, time} from './i18n.js';
import {figure, problem} from './parts.js';

export async function render(main, {rest: tag, query, signal, session}) {
  const sort = query.get('sort') === 'value_at_risk' ? 'value_at_risk' : 'since';
  const overview = await api.overview(signal);
  const known = overview.tags.find(entry => entry.tag === tag);
  const place = h('div.chart', {'aria-hidden': 'true'});
  const list = h('div');
  replace(main, h('div.title', null, h('h1', null, tag)), h('p.lead', null, said(known?.about ?? '')),
    known && h('dl.figures', null, figure(t('customers'), number(known.customers)), figure(t('gained'), number(known.gained)),
      figure(t('lost'), number(known.lost))),
    h('figure', null, h('figcaption', null, t('size_over_time')), place), list);
  let sum = 0;
  line(place, signal, {label: tag, show: value => compact(value), data: [
    overview.history.map(sample => milliseconds(sample.time) / 1000),
    overview.history.map(sample => {
      sum += (sample.gained[tag] ?? 0) - (sample.lost[tag] ?? 0);
      return sample.customers ? sample.customers[tag] ?? 0 : sum;
    })]}).catch(error => { place.textContent = t('no_chart', {why: error.message ?? ''}); });
  if (session.role !== 'operator') {
    try {
      await holders(list, tag, sort, signal);
    } catch (error) {
      if (error.name === 'AbortError') throw error;
      replace(list, problem(error));
    }
  }
  return tag;
}

async function holders(place, tag, sort, signal) {
  const page = await api.holders({tag, sort, limit: 100}, signal);
  const rows = h('tbody');
  const more = h('div.more');
  const add = ({customers, next}) => {
    rows.append(...customers.map(entry => h('tr', null,
      h('th', {scope: 'row'}, h('a', {href: '#/customers/' + encodeURIComponent(entry.customer)}, entry.customer)),
      h('td', null, time(entry.since, date)), h('td.number', null, number(entry.value_at_risk, 2)))));
    replace(more, next && h('button', {type: 'button',
      onclick: async () => add(await api.holders({tag, sort, limit: 100, after: next}, signal))}, t('more')));
  };
  const by = name => h('a', {href: `#/tags/${encodeURIComponent(tag)}?sort=${name}`, 'aria-current': name === sort ? 'true' : null}, t('by_' + name));
  replace(place, h('div.heading', null, h('h2', null, t('who_has_it', {n: number(page.total)})),
    h('div.choices', {role: 'group', 'aria-label': t('sorted')}, by('since'), by('value_at_risk'))),
  !page.complete && h('p.muted', null, t('only_these_partitions')),
  page.customers.length === 0 ? h('p.muted', null, t('nothing_here')) :
    h('div.scroll', {tabindex: 0, role: 'region', 'aria-label': tag}, h('table', null, h('thead', null, h('tr', null,
      h('th', {scope: 'col'}, t('customer')), h('th', {scope: 'col'}, t('since_header')), h('th.number', {scope: 'col'}, t('value_at_risk')))),
    rows)), more);
  add(page);
}
