// The chain of operators as a graph: sources at the top, what goes out at the bottom, with rates and what waits.
import * as api from './api.js';
import {h, replace, svg} from './dom.js';
import {compact, said, t} from './i18n.js';
import {repeat} from './parts.js';

const WIDTH = 188, HEIGHT = 56, GAP_X = 20, GAP_Y = 34, ABOUT_MOST = 90;

// Each node's row is the longest way to it; sources are in the first, what goes out in the last.
export function place(nodes, edges) {
  const row = new Map(nodes.map(node => [node.id, 0]));
  for (let round = 0; round < nodes.length; ++round) {  // a longest way has fewer steps than there are nodes
    let changed = false;
    for (const {from, to} of edges) {
      if (!row.has(from) || !row.has(to) || row.get(to) > row.get(from)) continue;
      row.set(to, row.get(from) + 1);
      changed = true;
    }
    if (!changed) break;
  }
  const last = Math.max(...row.values(), 0);
  for (const node of nodes) if (node.kind === 'output') row.set(node.id, last);
  const rows = Array.from({length: last + 1}, () => []);
  for (const node of nodes) rows[row.get(node.id)].push(node);
  const widest = Math.max(...rows.map(list => list.length), 1);
  const places = new Map();
  // Within a row by the middle of what leads there, which keeps edges from crossing more than they must.
  rows.forEach((list, y) => {
    const middle = node => {
      const from = edges.filter(edge => edge.to === node.id && places.has(edge.from)).map(edge => places.get(edge.from).x);
      return from.length ? from.reduce((a, b) => a + b, 0) / from.length : 0;
    };
    if (y > 0) list.sort((a, b) => middle(a) - middle(b));
    list.forEach((node, index) => places.set(node.id,
      {node, x: index * (WIDTH + GAP_X), y: y * (HEIGHT + GAP_Y), alone: list.length === 1}));
  });
  return {places, width: widest * (WIDTH + GAP_X) - GAP_X, height: rows.length * (HEIGHT + GAP_Y) - GAP_Y};
}

export async function render(main, {signal}) {
  const first = await api.chain(signal);
  const graph = h('div.scroll.graph', {tabindex: 0, role: 'region', 'aria-label': t('chain')});
  const table = h('div');
  const version = h('code');
  replace(main, h('div.title', null, h('h1', null, t('chain'))), h('p.muted', null, t('chain_about'), ' ', version), graph,
    h('details', null, h('summary', null, t('as_table')), table));
  const fill = chain => {
    version.textContent = chain.version;
    const left = graph.scrollLeft;
    replace(graph, drawing(chain));
    graph.scrollLeft = left;
    replace(table, asTable(chain));
  };
  fill(first);
  repeat(5, signal, async () => fill(await api.chain(signal)));
  return t('chain');
}

const rate = node => node.records_per_second === null ? '' : t('per_second', {n: compact(node.records_per_second)});
const waits = node => node.lag_records === null ? '' : t('wait', {n: compact(node.lag_records)});

function drawing({nodes, edges}) {
  const {places, width, height} = place(nodes, edges);
  const lines = edges.filter(({from, to}) => places.has(from) && places.has(to)).map(({from, to}) => {
    const a = places.get(from), b = places.get(to);
    const [x1, y1, x2, y2] = [a.x + WIDTH / 2, a.y + HEIGHT, b.x + WIDTH / 2, b.y];
    const bend = Math.max((y2 - y1) / 2, 12);
    return svg('path', {class: 'edge', d: `M${x1} ${y1}C${x1} ${y1 + bend} ${x2} ${y2 - bend} ${x2} ${y2}`});
  });
  const boxes = [...places.values()].map(({node, x, y, alone}) => svg('g', {class: `node ${node.kind} ${node.lag_records > 0 ? 'waits' : ''}`,
    transform: `translate(${x} ${y})`},
  svg('title', null, node.about || node.name), svg('rect', {width: WIDTH, height: HEIGHT, rx: 8}),
  svg('text', {x: 12, y: 24, class: 'name'}, node.name.length > 22 ? node.name.slice(0, 21) + '…' : node.name),
  svg('text', {x: 12, y: 44, class: 'rate'}, [rate(node), waits(node)].filter(Boolean).join(' · ') || t('kind_of_' + node.kind)),
  alone && node.about && svg('text', {x: WIDTH + 20, y: 34, class: 'about', lang: 'en'}, short(node.about))));
  const wide = Math.max(width, WIDTH + 20 + ABOUT_MOST * 7) + 8;  // 7: about a letter
  return svg('svg', {viewBox: `-4 -4 ${wide} ${height + 8}`, width: wide, height: height + 8, role: 'img', 'aria-label': t('chain')},
    lines, boxes);
}

const short = text => text.length > ABOUT_MOST ? text.slice(0, ABOUT_MOST - 1).trimEnd() + '…' : text;

function asTable({nodes}) {
  return h('table', null, h('thead', null, h('tr', null, h('th', {scope: 'col'}, t('name')), h('th', {scope: 'col'}, t('what_it_is')),
    h('th.number', {scope: 'col'}, t('records_rate')), h('th.number', {scope: 'col'}, t('waiting')))),
  h('tbody', null, nodes.map(node => h('tr', null, h('th', {scope: 'row'}, node.name, h('small', null, said(node.about))),
    h('td', null, t('kind_of_' + node.kind)), h('td.number', null, compact(node.records_per_second)),
    h('td.number', null, compact(node.lag_records))))));
}
