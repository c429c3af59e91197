// What happened to a customer and what it caused, newest first, with links from results to their causes.
import * as api from './api.js';
import {h, replace} from './dom.js';
import {clock, date, milliseconds, said, t, time} from './i18n.js';
import {mark, reasons} from './parts.js';

const GROUPS = {
  results: ['tag_held', 'tag_gained', 'tag_lost', 'episode_opened', 'alert_opened', 'alert_worsened', 'alert_closed'],
  purchases: ['purchase', 'cart', 'checkout'],
  visits: ['session', 'returned', 'first_seen'],
  mails: ['mail_delivered', 'mail_opened', 'mail_clicked', 'subscribed', 'unsubscribed'],
  service: ['ticket_opened', 'ticket_answered', 'ticket_resolved', 'rated'],
};
const MARKED = {
  tag_gained: 'gained', tag_held: 'gained', tag_lost: 'lost', alert_opened: 'alert', alert_worsened: 'alert', episode_opened: 'alert',
  alert_closed: 'closed',
};
const MOST_PAGES = 20;  // that are loaded to find a cause

export class Timeline {
  #moments = new Map();  // by id, in the order of the answers
  #next = null;
  #history = null;
  #group = 'all';
  #sought = null;  // the moment that a link led to
  #list = h('div.days');
  #more = h('div.more');
  #id;
  #signal;

  constructor(id, signal) {
    this.#id = id;
    this.#signal = signal;
    const choices = ['all', ...Object.keys(GROUPS)];
    this.element = h('section', {'aria-labelledby': 'timeline-title'},
      h('div.heading', null, h('h2', {id: 'timeline-title'}, t('timeline')),
        h('div.choices', {role: 'group', 'aria-label': t('show_only')}, choices.map(name =>
          h('button', {type: 'button', 'aria-pressed': String(name === 'all'), onclick: event => this.#choose(name, event.currentTarget)},
            t('group_' + name))))),
      this.#list, this.#more);
  }

  // The newest page; what older pages have brought is kept.
  async load() {
    const page = await api.timeline(this.#id, {limit: 100}, this.#signal);
    const old = this.#moments;
    const first = old.size === 0;
    this.#moments = new Map(page.moments.map(moment => [moment.id, moment]));
    for (const [id, moment] of old) if (!this.#moments.has(id)) this.#moments.set(id, moment);
    if (first) this.#next = page.next;
    this.#history = page.history;
    this.#draw();
  }

  // Shows a moment, loading older pages until it is there; false when it is not.
  async reveal(id) {
    for (let pages = 0; !this.#moments.has(id) && this.#next && pages < MOST_PAGES; ++pages) await this.#older();
    if (!this.#moments.has(id)) return false;
    if (this.#group !== 'all') this.#choose('all', this.element.querySelector('.choices button'));
    const element = this.#element(id);
    this.#list.querySelector('.sought')?.classList.remove('sought');
    element.classList.add('sought');
    this.#sought = id;
    element.scrollIntoView({block: 'center', behavior: matchMedia('(prefers-reduced-motion: reduce)').matches ? 'auto' : 'smooth'});
    element.focus({preventScroll: true});
    return true;
  }

  async #older() {
    const page = await api.timeline(this.#id, {limit: 100, before: this.#next}, this.#signal);
    for (const moment of page.moments) this.#moments.set(moment.id, moment);
    this.#next = page.next;
    this.#draw();
  }

  #element(id) {
    return this.#list.querySelector(`[data-id="${CSS.escape(id)}"]`);
  }

  #choose(name, button) {
    this.#group = name;
    for (const other of button.parentElement.children) other.setAttribute('aria-pressed', String(other === button));
    this.#draw();
  }

  #draw() {
    const wanted = [...this.#moments.values()].filter(({kind}) => this.#group === 'all' || GROUPS[this.#group].includes(kind))
      .sort((a, b) => milliseconds(b.time) - milliseconds(a.time));
    const byDay = grouped(wanted);
    const focused = document.activeElement?.dataset?.id;
    replace(this.#list, wanted.length === 0 && h('p.muted', null, t('nothing_here')),
      [...byDay].map(([day, moments]) => h('section.day', null, h('h3', null, day),
        h('ol.moments', null, moments.map(moment => this.#item(moment))))));
    if (focused) this.#element(focused)?.focus({preventScroll: true});
    replace(this.#more, this.#next && h('button', {type: 'button', onclick: () => this.#older()}, t('older')),
      !this.#next && this.#history && !this.#history.complete && h('p.muted', null, said(this.#history.text)));
  }

  #item(moment) {
    const marked = MARKED[moment.kind];
    return h('li.moment', {'data-id': moment.id, 'data-kind': moment.kind, class: ['moment', marked && 'result ' + marked, moment.id === this.#sought && 'sought'].filter(Boolean).join(' '), tabindex: -1},
      time(moment.time, clock), marked ? mark(marked) : h('span.mark', {'aria-hidden': 'true'}, '·'),
      h('div', null, h('p', null, h('b', null, t('kind_' + moment.kind)), ' ', said(moment.text.replace(/^[+-] /, ''))),  // the mark says it
        reasons(moment.reasons), this.#cause(moment)));
  }

  #cause({cause, caused_by: by}) {
    const known = by && this.#moments.get(by);
    if (by) {
      return h('p.cause', null, t('caused_by'), ' ', h('a', {href: `#/customers/${encodeURIComponent(this.#id)}?moment=${encodeURIComponent(by)}`,
        onclick: event => {
          event.preventDefault();
          this.reveal(by);
        }}, known ? [t('kind_' + known.kind), ', ', time(known.time)] : t('its_cause')));
    }
    if (!cause) return null;
    if (cause.timer) {
      return h('p.cause', null, t('caused_by'), ' ', h('a', {href: '#rhythm', onclick: event => {
        event.preventDefault();
        const figure = document.getElementById('rhythm');
        figure?.scrollIntoView({block: 'start'});
        figure?.focus({preventScroll: true});
      }}, t('silence_until', {time: date(cause.timer_time)})));
    }
    return cause.event_id && h('p.cause', null, t('caused_by'), ' ', said(`${cause.event_kind ?? ''} `), h('code', null, cause.event_id));
  }
}

function grouped(moments) {
  const days = new Map();
  for (const moment of moments) {
    const day = date(moment.time);
    if (!days.has(day)) days.set(day, []);
    days.get(day).push(moment);
  }
  return days;
}
