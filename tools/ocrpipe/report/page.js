'use strict';
// The pieces that sections are made of. Text from the report goes in as text nodes only, never as markup.

const report = JSON.parse(document.getElementById('report').textContent);
const contents = []; // [id, title] of each section

/** An element with attributes and children; strings become text, null is left out. */
function el(tag, attributes, ...children) {
  const e = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes ?? {}))
    if (value !== null && value !== undefined && value !== false) e.setAttribute(name, value === true ? '' : value);
  e.append(...children.flat().filter(c => c !== null && c !== undefined));
  return e;
}

/** A JSON pointer (RFC 6901) from keys. */
const pointer = (...keys) => keys.map(k => `/${String(k).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');

/** The member of the report that a pointer such as "/latency/submit/p95" names; undefined if there is none. */
function at(path) {
  let value = report;
  for (const key of path.split('/').slice(1)) {
    if (value === null || typeof value !== 'object') return undefined;
    value = value[key.replaceAll('~1', '/').replaceAll('~0', '~')];
  }
  return value;
}

/** A member of the report: in a form for people, with its exact value and its pointer for programs. */
function field(path, show = String) {
  const value = at(path);
  if (value === undefined || value === null || value === '') return el('span', {class: 'soft', 'data-field': path}, unknown);
  if (typeof value === 'number' || typeof value === 'boolean')
    return el('data', {value: String(value), 'data-field': path}, show(value));
  // Isolated, so that marks for the direction of writing in a name do not turn what follows.
  return el('bdi', {'data-field': path}, show(value));
}

function time_field(path) {
  const value = at(path);
  return value ? el('time', {datetime: value, 'data-field': path}, time_text(value)) : field(path);
}

/** A section of the page with its heading and its entry in the contents. */
function section(id, title, ...children) {
  contents.push([id, title]);
  return el('section', {id, 'aria-labelledby': `${id}-title`}, el('h2', {id: `${id}-title`}, title), children);
}

function note(text) { return el('p', {class: 'soft'}, text); }

/** Key figures: [label, element] pairs; pairs without a value are left out. */
function figures(pairs) {
  return el('ul', {class: 'figures'},
    pairs.filter(Boolean).map(([label, value]) => el('li', null, el('strong', null, value), ' ', el('span', null, label))));
}

/**
 * A table. `columns` are {title, number, name, sentence}; the first cell of a row is its heading. A table that is `stack`ed
 * becomes a list of rows on a narrow screen; one that is `long` scrolls.
 */
function table(caption, columns, rows, {stack = false, long = false} = {}) {
  const kind = c => c.number ? 'number' : c.sentence ? 'sentence' : c.name ? 'name' : null;
  const cell = (content, column, i) => i === 0
    ? el('th', {scope: 'row', class: kind(column)}, content)
    : el('td', {class: kind(column), 'data-label': stack ? column.title : null}, content);
  const t = el('table', {class: stack ? 'stack' : columns.length <= 3 ? 'slim' : null},
    el('caption', null, caption),
    el('thead', null, el('tr', null, columns.map(c => el('th', {scope: 'col', class: kind(c)}, c.title)))),
    el('tbody', null, rows.map(row => el('tr', null, row.map((content, i) => cell(content, columns[i], i))))));
  return el('div', {class: long ? 'scroll long' : 'scroll', role: 'region', 'aria-label': caption, tabindex: '0'}, t);
}
