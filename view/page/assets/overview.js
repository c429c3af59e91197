// How the pipeline does: what flows, who has which tag, which alerts were raised.
import * as api from './api.js';
import {line} from './charts.js';
import {h, replace} from './dom.js';
import {bytes, compact, milliseconds, number, percent, said, t, time} from './i18n.js';
import {band, figure, repeat, spark} from './parts.js';

export async function render(main, {signal}) {
  const first = await api.overview(signal);
  const head = h('div'), tags = h('div'), bands = h('div'), members = h('div');
  const charts = [
    ['records_per_second', 'records_rate', value => compact(value)],
    ['latency_p99_ms', 'latency_p99', value => t('ms', {n: number(value)})],
    ['lag_records', 'waiting', value => compact(value)],
  ].map(([field, key, show]) => ({field, key, show, place: h('div.chart', {'aria-hidden': 'true'}), latest: h('span.latest')}));
  replace(main, head, h('section', null, h('h2', null, t('last_hour')), h('div.charts', null, charts.map(({key, place, latest}) =>
    h('figure', null, h('figcaption', null, t(key), ' ', latest), place)))),
  h('div.columns', null, tags, h('div.aside', null, bands, members)));

  const data = (overview, field) => [overview.history.map(sample => milliseconds(sample.time) / 1000),
    overview.history.map(sample => sample[field])];
  const fill = overview => {
    replace(head, header(overview));
    replace(tags, tagTable(overview));
    replace(bands, bandTable(overview));
    replace(members, memberTable(overview));
    for (const {latest, show, field} of charts) {
      const value = overview.now[field];
      latest.textContent = value === null || value === undefined ? '–' : show(value);
    }
  };
  fill(first);
  for (const chart of charts) {
    line(chart.place, signal, {data: data(first, chart.field), show: chart.show, label: t(chart.key)})
      .then(update => { chart.update = update; })
      .catch(error => { chart.place.textContent = t('no_chart', {why: error.message ?? ''}); });
  }
  repeat(Math.max(first.interval_seconds, 2), signal, async () => {
    const overview = await api.overview(signal);
    fill(overview);
    for (const chart of charts) chart.update?.(data(overview, chart.field));
  });
  return t('overview');
}

function header(overview) {
  const {now, partitions} = overview;
  return [
    h('div.title', null, h('h1', null, t('overview')),
      overview.ready ? h('span.state.live', null, t('ready')) : h('span.flag', null, t('not_ready'))),
    h('p.muted.stamp', null, t('instance', {name: overview.instance}), ' · ', t('version', {name: overview.version}), ' · ',
      t('partitions', {here: partitions.told.length, all: partitions.all}), ' · ', t('started'), ' ', time(overview.started),
      overview.reason && [' · ', said(overview.reason)]),
    h('dl.figures', null,
      figure(t('records_rate'), compact(now.records_per_second)),
      figure(t('results_rate'), compact(now.results_per_second)),
      figure(t('waiting'), compact(now.lag_records)),
      figure(t('latency_p99'), now.latency_p99_ms === null ? '–' : t('ms', {n: number(now.latency_p99_ms)}),
        now.latency_p50_ms !== null && t('median', {value: t('ms', {n: number(now.latency_p50_ms)})})),
      figure(t('rows_in_memory'), percent(now.cache_hit_rate)),
      figure(t('memory'), bytes(now.resident_bytes))),
  ];
}

// Who has the tag now and had it then; where nobody counts, what has come less what has gone since the first sample.
function sizes(overview, tag) {
  let sum = 0;
  return overview.history.map(sample => {
    sum += (sample.gained[tag] ?? 0) - (sample.lost[tag] ?? 0);
    return sample.customers ? sample.customers[tag] ?? 0 : sum;
  });
}

function tagTable(overview) {
  const order = tag => tag.customers ?? tag.gained - tag.lost;
  const sorted = [...overview.tags].sort((a, b) => order(b) - order(a) || a.tag.localeCompare(b.tag));
  return h('section', null, h('h2', null, t('tags')), sorted.length === 0 ? h('p.muted', null, t('nothing_here')) :
    h('div.scroll', {tabindex: 0, role: 'region', 'aria-label': t('tags')}, h('table.sizes', null,
      h('thead', null, h('tr', null, h('th', {scope: 'col'}, t('tag')), h('th.number', {scope: 'col'}, t('customers')),
        h('th', {scope: 'col'}, t('last_hour')), h('th.number.wide', {scope: 'col'}, t('gained')), h('th.number.wide', {scope: 'col'}, t('lost')))),
      h('tbody', null, sorted.map(tag => h('tr', null,
        h('th', {scope: 'row'}, h('a', {href: '#/tags/' + encodeURIComponent(tag.tag)}, tag.tag),
          h('small', null, said(tag.about))),
        h('td.number', null, number(tag.customers)), h('td', null, spark(sizes(overview, tag.tag), t('shape_of', {tag: tag.tag}))),
        h('td.number.wide', null, number(tag.gained)), h('td.number.wide', null, number(tag.lost))))))),
  h('p.muted', null, t('since_start')));
}

function bandTable(overview) {
  const most = Math.max(...overview.bands.map(({alerts}) => alerts), 1);
  const alerts = name => overview.history.map(sample => sample.alerts[name] ?? 0);
  return h('section', null, h('h2', null, t('alerts')), h('ul.bars', null, overview.bands.map(({band: name, alerts: count}) =>
    h('li', {title: t('last_hour_sum', {n: number(alerts(name).reduce((a, b) => a + b, 0))})},
      name === 'none' ? h('span', null, t('alerts_closed')) : band(name),
      h('span.bar', {'aria-hidden': 'true', style: {'--share': count / most}}), h('span.number', null, number(count))))),
  h('p.muted', null, t('since_start')));
}

function memberTable({members, instance}) {
  return members.length > 0 && h('section', null, h('h2', null, t('instances')), h('ul.plain', null, members.map(member =>
    h('li', null, member.instance === instance ? h('b', null, member.instance) : member.instance, ' ',
      h('span.muted', null, t('has_partitions', {n: number(member.partitions.length)}), member.ready === null && ' · ' + t('no_answer'))))));
}
