// The picture of a customer's purchases against the customer's own rhythm: the days since the last order, which rise until the
// next one comes, and the longest silence that this rhythm allows. Where the one crosses the other, churn is expected.
import {axes, draw} from './charts.js';
import {h} from './dom.js';
import {date, days, milliseconds, number, percent, shortDate, t, time} from './i18n.js';

const DAY = 86400;
const seconds = text => milliseconds(text) / 1000;

// What is drawn, in seconds and days; null where there is nothing to draw.
export function shape(customer) {
  const {churn, purchases, seen} = customer;
  if (!churn || purchases.days.length === 0) return null;
  const bought = purchases.days.map(day => ({at: seconds(day.last), orders: day.orders})).sort((a, b) => a.at - b.at);
  const now = Math.max(seconds(seen.as_of), bought.at(-1).at);
  const limit = churn.silence_limit_days;
  const due = seconds(churn.alert_expected);
  return {
    bought, now, limit, due,
    silence: (now - bought.at(-1).at) / DAY,
    expected: churn.expected_order ? seconds(churn.expected_order) : null,
    overdue: due <= now,
  };
}

// Columns for uPlot: time, silence so far, silence to come, limit.
function columns({bought, now, limit, due}) {
  const rows = [];
  bought.forEach(({at}, index) => {
    if (index > 0) rows.push([at - 1, (at - bought[index - 1].at) / DAY, null]);
    rows.push([at, 0, null]);
  });
  const last = bought.at(-1).at;
  const silence = (now - last) / DAY;
  if (now > last) rows.push([now, silence, due > now ? silence : null]);
  else rows.at(-1)[2] = 0;
  if (due > now) rows.push([due, null, (due - last) / DAY]);
  const first = rows[0][0], end = rows.at(-1)[0];
  rows.push([end + Math.max((end - first) * 0.06, DAY), null, null]);
  return [rows.map(row => row[0]), rows.map(row => row[1]), rows.map(row => row[2]), rows.map(() => limit)];
}

function drawMarks(chart, picture, colours) {
  const {ctx, bbox} = chart;
  const ratio = devicePixelRatio;
  const x = at => chart.valToPos(at, 'x', true);
  const y = value => chart.valToPos(value, 'y', true);
  ctx.save();
  ctx.font = `${12 * ratio}px system-ui, sans-serif`;
  const upright = (at, stroke, dash) => {
    ctx.strokeStyle = stroke;
    ctx.lineWidth = ratio;
    ctx.setLineDash(dash.map(part => part * ratio));
    ctx.beginPath();
    ctx.moveTo(x(at), bbox.top);
    ctx.lineTo(x(at), bbox.top + bbox.height);
    ctx.stroke();
    ctx.setLineDash([]);
  };
  const write = (text, at, top, fill) => {
    ctx.fillStyle = fill;
    const right = x(at) + ctx.measureText(text).width + 8 * ratio > bbox.left + bbox.width;
    ctx.textAlign = right ? 'right' : 'left';
    ctx.fillText(text, x(at) + (right ? -5 : 5) * ratio, bbox.top + top * ratio);
  };
  // A purchase is a dot on the ground, larger for more orders.
  for (const {at, orders} of picture.bought) {
    ctx.beginPath();
    ctx.arc(x(at), y(0), Math.min(3 + orders, 7) * ratio, 0, 2 * Math.PI);
    ctx.fillStyle = colours.accent;
    ctx.fill();
    ctx.strokeStyle = colours.panel;
    ctx.lineWidth = ratio;
    ctx.stroke();
  }
  if (picture.expected !== null && picture.expected <= chart.scales.x.max) {
    upright(picture.expected, colours.muted, [2, 4]);
    write(t('order_expected'), picture.expected, 12, colours.muted);
  }
  upright(picture.now, colours.ink, [1, 0]);
  write(t('now'), picture.now, bbox.height / ratio - 10, colours.ink);
  // The crossing.
  ctx.beginPath();
  ctx.arc(x(picture.due), y(picture.limit), 5 * ratio, 0, 2 * Math.PI);
  ctx.fillStyle = colours.risk;
  ctx.fill();
  write(t('churn_expected'), picture.due, (y(picture.limit) - bbox.top) / ratio - 9, colours.risk);
  ctx.restore();
}

function options(picture, colours) {
  const span = picture.now - picture.bought[0].at;
  return {
    height: 250, padding: [18, 10, 0, 0], legend: {show: false}, cursor: {show: false},
    scales: {x: {time: true}, y: {range: (_, low, high) => [0, Math.max(high, picture.limit) * 1.18]}},
    axes: axes(colours, at => shortDate(at * 1000, span > 400 * DAY), value => number(value)),
    series: [{},
      {stroke: colours.accent, width: 1.75, fill: colours['accent-soft'], points: {show: false}},
      {stroke: colours.risk, width: 1.5, dash: [4, 4], points: {show: false}},
      {stroke: colours.risk, width: 1, points: {show: false}}],
    hooks: {draw: [chart => drawMarks(chart, picture, colours)]},
  };
}

function inWords(customer, picture) {
  const values = {
    last: date(customer.churn.last_order), silence: days(picture.silence), limit: days(picture.limit),
    due: date(customer.churn.alert_expected),
  };
  return t(picture.overdue ? 'rhythm_overdue' : 'rhythm_in_time', values);
}

// The figure, or what is said in place of it.
export function rhythm(customer, signal) {
  const picture = shape(customer);
  if (!picture) return h('p.muted', null, t('never_ordered'));
  const place = h('div.chart', {'aria-hidden': 'true'});
  draw(place, signal, colours => ({options: options(picture, colours), data: columns(picture)}))
    .catch(error => place.replaceWith(h('p.muted', null, t('no_chart', {why: error.message ?? ''}))));
  const pauses = picture.bought.map(({at}, index) => index ? (at - picture.bought[index - 1].at) / DAY : null);
  return h('figure.rhythm', null,
    h('figcaption', null, h('p', null, inWords(customer, picture)),
      h('p.muted', null, t('rhythm_about'), ' ', t('chance_no_order', {
        probability: percent(customer.churn.probability), days: customer.churn.horizon_days}))),
    place,
    h('details', {'data-name': 'table'}, h('summary', null, t('as_table')),
      h('table', null,
        h('thead', null, h('tr', null, h('th', {scope: 'col'}, t('day')), h('th.number', {scope: 'col'}, t('orders')),
          h('th.number', {scope: 'col'}, t('pause_before')))),
        h('tbody', null, customer.purchases.days.map((day, index) => h('tr', null, h('td', null, time(day.last, date)),
          h('td.number', null, number(day.orders)),
          h('td.number', null, pauses[index] === null ? '–' : days(pauses[index])))).reverse())),
      customer.purchases.earlier_days > 0 && h('p.muted', null, t('earlier_days', {n: number(customer.purchases.earlier_days)}))));
}
