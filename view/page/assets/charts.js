// Charts over time by uPlot, which is loaded when the first one is drawn. They take the colours of the page, and take them anew
// when the theme changes.
import {h} from './dom.js';
import {clock, number} from './i18n.js';

let loading = null;
function library() {
  loading ??= new Promise((resolve, reject) => {
    document.head.append(
      h('link', {rel: 'stylesheet', href: '/assets/uplot.css'}),
      h('script', {src: '/assets/uplot.js', onload: () => resolve(window.uPlot), onerror: reject}));
  });
  return loading;
}

// A colour of the page as the canvas needs it: light-dark() and variables resolved.
function colour(name) {
  const probe = h('span', {style: {color: `var(--${name})`}});
  document.body.append(probe);
  const found = getComputedStyle(probe).color;
  probe.remove();
  return found;
}

const STEPS = [1, 2, 5, 10, 20, 25, 50].concat([1, 2, 2.5, 5].flatMap(step => Array.from({length: 10}, (_, power) => step * 10 ** (power + 2))))
  .sort((a, b) => a - b);  // whole numbers only

const palette = () => Object.fromEntries(
  ['ink', 'muted', 'line', 'accent', 'accent-soft', 'risk', 'panel'].map(name => [name, colour(name)]));

// Of the axis's texts.
const roomFor = (_, texts) => Math.max(44, 14 + 7 * Math.max(0, ...(texts ?? []).map(text => String(text).length)));

export function axes(colours, showX, showY) {
  const font = '12px system-ui, sans-serif';
  const common = {stroke: colours.muted, font, ticks: {show: false}};
  return [
    {...common, grid: {show: false}, values: (_, splits) => splits.map(showX), space: 70, size: 28},
    {...common, grid: {stroke: colours.line, width: 1}, values: (_, splits) => splits.map(showY), size: roomFor, space: 34, incrs: STEPS},
  ];
}

// Puts a chart into `place`, as wide as it is. `make` gets the colours and gives uPlot's options (without the width) and data.
// Gives a function that takes new data.
export async function draw(place, signal, make) {
  const UPlot = await library();
  if (signal.aborted) return () => {};
  let chart = null;
  let data = null;
  const build = () => {
    chart?.destroy();
    const made = make(palette());
    data = data ?? made.data;
    chart = new UPlot({...made.options, width: Math.max(place.clientWidth, 200)}, data, place);
  };
  build();
  const observer = new ResizeObserver(() => {
    if (chart && place.clientWidth > 0 && place.clientWidth !== chart.width) {
      chart.setSize({width: Math.max(place.clientWidth, 200), height: chart.height});
    }
  });
  observer.observe(place);
  const dark = matchMedia('(prefers-color-scheme: dark)');
  dark.addEventListener('change', build, {signal});
  window.addEventListener('themechange', build, {signal});
  signal.addEventListener('abort', () => {
    observer.disconnect();
    chart.destroy();
  });
  return fresh => {
    data = fresh;
    chart.setData(fresh);
  };
}

// A single line over time (seconds since 1970) from zero up, e.g. a rate.
export function line(place, signal, {data, show = value => number(value), label, height = 150}) {
  return draw(place, signal, colours => ({
    data,
    options: {
      height, legend: {show: false}, cursor: {y: false, points: {size: 7}}, padding: [8, 8, 0, 0],
      scales: {x: {time: true}, y: {range: (_, low, high) => [Math.min(0, low ?? 0), high > 0 ? high * 1.1 : 1]}},
      axes: axes(colours, seconds => clock(new Date(seconds * 1000).toISOString()), show),
      series: [{}, {label, stroke: colours.accent, width: 1.75, fill: colours['accent-soft'], points: {show: false}}],
      hooks: {setCursor: [chart => tell(chart, index => `${clock(new Date(chart.data[0][index] * 1000).toISOString())} · ${show(chart.data[1][index])}`)]},
    },
  }));
}

// What the pointer is over, as text in the corner of the plot.
function tell(chart, text) {
  chart.told ??= chart.over.appendChild(h('div.told', {'aria-hidden': 'true'}));
  chart.told.textContent = chart.cursor.idx === null || chart.cursor.idx === undefined ? '' : text(chart.cursor.idx);
}
