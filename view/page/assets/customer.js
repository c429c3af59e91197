// One customer: risk, rhythm, tags, what happened, and everything else that is known.
import * as api from './api.js';
import {h, replace} from './dom.js';
import {feed} from './feed.js';
import {compact, date, days, money, number, percent, said, t, time} from './i18n.js';
import {band, figure, reasons, repeat, shown} from './parts.js';
import {rhythm} from './rhythm.js';
import {Timeline} from './timeline.js';

export async function render(main, {rest: id, query, signal}) {
  const [found, timeline] = [await api.customer(id, signal), new Timeline(id, signal)];
  await timeline.load();
  // What is drawn anew has a place that stays, so that the focus and what is read do not jump.
  const [top, aside, all] = [h('div.customer-head'), h('div.aside'), h('div')];
  const picture = h('section', {id: 'rhythm', tabindex: -1});
  let shownAt = new AbortController();
  const draw = customer => {
    shownAt.abort();  // ends the chart that is replaced
    shownAt = new AbortController();
    replace(top, head(customer));
    replace(picture, rhythmParts(customer, shownAt.signal));
    replace(aside, tagsSection(customer), pinsSection(customer), comingSection(customer), factsSection(customer), contactsSection(customer),
      visitsSection(customer), interestsSection(customer), mailsSection(customer));
    replace(all, featuresSection(customer, signal));
  };
  signal.addEventListener('abort', () => shownAt.abort());
  draw(found);
  replace(main, top, h('div.columns', null, h('div', null, picture, timeline.element), aside), all);

  // Anew when a result of this customer comes by, and now and then for what changes without one.
  const refresh = async () => {
    const [customer] = await Promise.all([api.customer(id, signal), timeline.load()]);
    const open = [...main.querySelectorAll('details[open]')].map(element => element.dataset.name);
    draw(customer);
    for (const element of main.querySelectorAll('details')) if (open.includes(element.dataset.name)) element.open = true;
  };
  let waiting = null;
  feed.addEventListener('result', ({detail}) => {
    if (detail.customer !== id || waiting) return;
    waiting = setTimeout(() => {
      waiting = null;
      if (!signal.aborted) refresh().catch(() => {});
    }, 150);
  }, {signal});
  repeat(30, signal, refresh);

  if (query.has('moment') && !await timeline.reveal(query.get('moment'))) {
    document.getElementById('announcer').textContent = t('moment_not_kept');
  }
  return id;
}

function head(customer) {
  const {churn, seen} = customer;
  const expected = customer.features.predictions ?? {};
  return [
    h('div.title', null, h('h1', null, customer.customer), churn?.at_risk && h('span.flag', null, t('at_risk')),
      customer.masked && h('span.muted', null, t('masked'))),
    h('p.muted.stamp', null, t('as_of'), ' ', time(seen.as_of), ' · ', t('step', {row: number(seen.row), committed: number(seen.committed)}),
      ' · ', t('partition', {n: seen.partition}), ' · ', seen.instance, seen.forwarded && ' · ' + t('forwarded')),
    churn && h('dl.figures', null,
      figure(t('chance_lost'), [percent(churn.probability), ' ', band(churn.band)], t('within_days', {days: churn.horizon_days})),
      figure(t('value_at_risk'), money(churn.value_at_risk, customer.currency)),
      typeof churn.expected_profit === 'number' && figure(t('expected_profit'), money(churn.expected_profit, customer.currency)),
      figure(t('last_order'), time(churn.last_order, date)),
      figure(t('order_expected'), time(expected.next ?? churn.expected_order, date),
        expected.next_from ? t('mostly_between', {from: date(expected.next_from), until: date(expected.next_until)}) : null),
      typeof expected.value_12m === 'number' && figure(t('value_12m'), money(expected.value_12m, customer.currency),
        t('orders_within', {orders: number(expected.orders, 1), days: churn.horizon_days})),
      figure(t('churn_expected'), time(churn.alert_expected, date), churn.episode ? t('episode_since', {time: date(churn.episode.opened)}) : null))];
}

function section(title, ...content) {
  return h('section', null, h('h2', null, title), content);
}

function rhythmParts(customer, signal) {
  const {churn} = customer;
  return [h('h2', null, t('rhythm')), rhythm(customer, signal),
    churn && churn.reasons.length > 0 && h('details', {'data-name': 'reasons'}, h('summary', null, t('why_this_chance')),
      h('table', null, h('thead', null, h('tr', null, h('th', {scope: 'col'}, t('reason')), h('th.number', {scope: 'col'}, t('contribution')))),
        h('tbody', null, churn.reasons.map(reason => h('tr', null, h('td', null, said(reason.text || reason.feature)),
          h('td.number', null, reason.contribution === null ? '–' : signed(reason.contribution)))))),
      h('p.muted', null, t('contribution_about'), ' ', h('code', null, churn.model)))];
}

const signed = value => (value > 0 ? '+' : value < 0 ? '−' : '') + number(Math.abs(value), 2);

function tagsSection({tags}) {
  return section(t('tags'), tags.length === 0 ? h('p.muted', null, t('no_tags')) : h('ul.tags', null, tags.map(tag =>
    h('li', null, h('a.tag', {href: '#/tags/' + encodeURIComponent(tag.name)}, tag.name),
      h('span.muted', null, ' ', t('since'), ' ', time(tag.since, date)),
      h('details', {'data-name': 'tag ' + tag.name}, h('summary', null, t('why')), h('p', null, said(tag.about)), reasons(tag.reasons))))));
}

function pinsSection({pins}) {
  return pins.length > 0 && section(t('pins'), h('ul.plain.pins', null, pins.map(pin =>
    h('li', null, h('a.tag', {href: '#/tags/' + encodeURIComponent(pin.tag)}, pin.tag), ' ', t(pin.absent ? 'pinned_away' : 'pinned'), ' ',
      h('span.muted', null, t('pinned_by', {author: pin.author}), ', ', t('since'), ' ', time(pin.since, date),
        pin.until && [', ', t('until'), ' ', time(pin.until, date)]),
      pin.reason && h('p', null, pin.reason)))));
}

function comingSection({timers}) {
  return timers.length > 0 && section(t('coming'), h('ul.plain', null, timers.slice(0, 5).map(timer =>
    h('li', null, time(timer.due, date), ' ', said(timer.meaning), ' ', h('span.muted', null, timer.operator)))));
}

function factsSection({facts}) {
  return facts.length > 0 && section(t('facts'), h('dl.facts', null, facts.map(fact =>
    h('div', null, h('dt', null, said(fact.name)), h('dd', null, shown(fact.value),
      (fact.source || fact.learned) && h('small', null, [fact.source, fact.learned && date(fact.learned)].filter(Boolean).join(', ')))))));
}

function contactsSection({contacts: {tickets}}) {
  const state = ticket => ticket.resolved ? t('resolved_at', {time: date(ticket.resolved)}) :
    ticket.answered ? t('answered_at', {time: date(ticket.answered)}) : t('unanswered');
  return tickets.length > 0 && section(t('contacts'), h('ul.plain', null, tickets.map(ticket =>
    h('li', null, t('ticket_' + ticket.kind), ' ', h('code', null, ticket.id), ' ', time(ticket.opened, date), ' ',
      h('span.muted', null, state(ticket))))));
}

function visitsSection({sessions}) {
  return sessions.length > 0 && section(t('visits'), h('ul.plain', null, sessions.map(visit =>
    h('li', null, time(visit.start), ' ', t('pages', {n: number(visit.pages)}), visit.open && ' · ' + t('open_now'),
      visit.entry_page && h('span.muted.path', null, ' ', visit.entry_page, ' → ', visit.exit_page ?? '')))));
}

function interestsSection({interests}) {
  const all = [...interests.categories, ...interests.products].slice(0, 8);
  const most = Math.max(...all.map(({score}) => score ?? 0));
  return all.length > 0 && section(t('interests'), h('ul.bars', null, all.map(({name, score}) =>
    h('li', null, h('span', null, name), h('span.bar', {'aria-hidden': 'true', style: {'--share': most > 0 ? (score ?? 0) / most : 0}}),
      h('span.number', null, number(score, 1))))));
}

function mailsSection({mails}) {
  const all = [...mails.campaigns, ...mails.kinds];
  if (!mails.unsubscribed && all.length === 0) return null;
  return section(t('mails'), mails.unsubscribed && h('p', null, t('has_unsubscribed')), all.length > 0 &&
    h('table', null, h('thead', null, h('tr', null, h('th', {scope: 'col'}, t('campaign')),
      ['delivered', 'opened', 'clicked'].map(name => h('th.number', {scope: 'col'}, t(name))))),
    h('tbody', null, all.map(mail => h('tr', null, h('td', null, mail.name),
      ['delivered', 'opened', 'clicked'].map(name => h('td.number', null, compact(mail[name]))))))));
}

let catalogue = null;  // what features mean; the same for all customers

function featuresSection({features}, signal) {
  const details = h('details.features', {'data-name': 'features', ontoggle: async event => {
    if (!details.open || details.dataset.drawn) return;
    details.dataset.drawn = 'yes';
    const about = {};
    try {
      catalogue ??= await api.features(signal);
      for (const operator of catalogue.operators) {
        about[operator.name] = Object.fromEntries(operator.features.map(feature => [feature.name, feature]));
      }
    } catch (error) {
      if (error.name === 'AbortError') return;
    }
    details.append(...Object.entries(features).map(([operator, values]) => operatorTable(operator, values, about[operator] ?? {})));
  }}, h('summary', null, t('all_features')));
  return details;
}

function operatorTable(operator, values, about) {
  const value = (name, of) => Array.isArray(of) ? t('items', {n: number(of.length)}) :
    about[name]?.type === 'duration' && of !== null ? days(of) : shown(of);
  return h('table', null, h('caption', null, operator),
    h('thead', null, h('tr', null, h('th', {scope: 'col'}, t('feature')), h('th', {scope: 'col'}, t('value')), h('th', {scope: 'col'}, t('meaning')))),
    h('tbody', null, Object.entries(values).map(([name, of]) => h('tr', null, h('th', {scope: 'row'}, h('code', null, name)),
      h('td', null, value(name, of)), h('td', null, said(about[name]?.meaning ?? ''))))));
}
