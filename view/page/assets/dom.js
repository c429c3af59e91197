// Elements without markup: whatever comes from data becomes text, never HTML.
//
//   h('p.note', {title: why}, 'since ', h('time', {datetime: at}, when))

const SVG = 'http://www.w3.org/2000/svg';

function fill(element, properties, children) {
  for (const [name, value] of Object.entries(properties ?? {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith('on')) element.addEventListener(name.slice(2), value);
    else if (name === 'style') for (const [key, to] of Object.entries(value)) element.style.setProperty(key, to);
    else if (name === 'value' || name === 'checked' || name === 'selected') element[name] = value;
    else element.setAttribute(name, value === true ? '' : value);
  }
  element.append(...children.flat(Infinity).filter(child => child !== null && child !== undefined && child !== false));
  return element;
}

// `tag` may name classes: h('p.note'). A property that begins with `on` is a listener. Children are nodes, texts or lists of
// both; null, undefined and false are left out.
export function h(tag, properties, ...children) {
  const [name, ...classes] = tag.split('.');
  const element = document.createElement(name);
  if (classes.length) element.className = classes.join(' ');
  return fill(element, properties, children);
}

export function svg(tag, properties, ...children) {
  return fill(document.createElementNS(SVG, tag), properties, children);
}

export function replace(element, ...children) {
  element.replaceChildren();
  return fill(element, null, children);
}

export function remember(name, value) {
  try { localStorage.setItem(name, value); } catch { /* lasts as long as the page, then */ }
}

export function remembered(name) {
  try { return localStorage.getItem(name); } catch { return null; }
}
