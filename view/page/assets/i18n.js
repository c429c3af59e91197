// The language: texts from en.js or zh.js, numbers and times by the browser's Intl.
import {h, remember, remembered} from './dom.js';

export const LANGUAGES = {en: 'English', zh: '中文'};
const LOCALES = {en: 'en', zh: 'zh-Hans'};

let texts = {};
let locale = 'en';
export let language = 'en';

export function preferred() {
  const chosen = remembered('language');
  if (chosen in LANGUAGES) return chosen;
  return navigator.languages.some(name => name.toLowerCase().startsWith('zh')) &&
    !navigator.languages[0].toLowerCase().startsWith('en') ? 'zh' : 'en';
}

export async function use(name) {
  texts = (await import(`./${name}.js`)).default;
  language = name;
  locale = LOCALES[name];
  document.documentElement.lang = locale;
  formats.clear();
}

export function choose(name) {
  remember('language', name);
  return use(name);
}

// The text of a key, with {name} replaced. A text that is missing shows its key, so that it is seen.
export function t(key, values = {}) {
  const text = texts[key] ?? key;
  return text.replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
}

// What the engine says is English in every language of the page.
export function said(text) {
  return language === 'en' ? text : h('span', {lang: 'en'}, text);
}

const formats = new Map();
function format(kind, options) {
  const key = kind.name + JSON.stringify(options);
  if (!formats.has(key)) formats.set(key, new kind(locale, options));
  return formats.get(key);
}

export function number(value, digits = 0) {
  return value === null || value === undefined ? '–' :
    format(Intl.NumberFormat, {maximumFractionDigits: digits, minimumFractionDigits: digits}).format(value);
}
export function compact(value) {
  if (value === null || value === undefined) return '–';
  return format(Intl.NumberFormat, {notation: 'compact', maximumSignificantDigits: 3}).format(value);
}
export const percent = (value, digits = 0) => value === null || value === undefined ? '–' :
  format(Intl.NumberFormat, {style: 'percent', maximumFractionDigits: digits}).format(value);
export function money(value, currency) {
  if (value === null || value === undefined) return '–';
  try {
    return format(Intl.NumberFormat, {style: 'currency', currency}).format(value);
  } catch {  // no currency that Intl knows
    return number(value, 2) + (currency ? ' ' + currency : '');
  }
}
export const bytes = value => value === null || value === undefined ? '–' :
  format(Intl.NumberFormat, {style: 'unit', unit: 'megabyte', maximumFractionDigits: 0}).format(value / 1e6);
export const days = value => t('days', {n: number(value, value < 10 && value % 1 ? 1 : 0)});

// The API's times are RFC 3339 with microseconds, which Date reads.
export const milliseconds = text => Date.parse(text);
const stamp = (text, options) => format(Intl.DateTimeFormat, options).format(milliseconds(text));
export const date = text => stamp(text, {dateStyle: 'medium'});
export const clock = text => stamp(text, {hour: '2-digit', minute: '2-digit', hourCycle: 'h23'});
export const clockSeconds = text => stamp(text, {hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23'});
export const shortDate = (value, withYear) => format(Intl.DateTimeFormat,
  withYear ? {year: 'numeric', month: 'short'} : {month: 'short', day: 'numeric'}).format(value);
export const dateTime = text => `${date(text)} ${clock(text)}`;

// A <time> that shows a local time and has the exact one in UTC as its title.
export function time(text, show = dateTime) {
  return text ? h('time', {datetime: text, title: text}, show(text)) : '–';
}
