'use strict';
// What only a load test has.

/** "arrivals_per_second" as a figure; the name says the unit. */
function shown_by_name(name) {
  if (/seconds$|^p\d+$/.test(name)) return duration_text;
  if (/bytes$/.test(name)) return bytes_text;
  return v => is_number(v) ? short_number(v) : v === true ? 'yes' : v === false ? 'no' : String(v);
}

/** Any members: figures for single values, a table for a list of objects, and so on for objects. */
function members(path, title) {
  const value = at(path);
  const names = Object.keys(value);
  const plain = names.filter(n => typeof value[n] !== 'object' || value[n] === null);
  const parts = [];
  if (title) parts.push(el('h3', null, capital(words(title))));
  if (plain.length > 0) parts.push(figures(plain.map(n => [words(n), field(path + pointer(n), shown_by_name(n))])));
  for (const name of names.filter(n => !plain.includes(n))) {
    const inner = value[name];
    if (!Array.isArray(inner)) parts.push(...members(path + pointer(name), name));
    else if (inner.length > 0 && inner.every(row => row !== null && typeof row === 'object' && !Array.isArray(row))) {
      const columns = Object.keys(inner[0]).filter(c => typeof inner[0][c] !== 'object' || inner[0][c] === null);
      parts.push(table(capital(words(name)),
        columns.map(c => ({title: words(c), number: is_number(inner[0][c])})),
        inner.map((_, i) => columns.map(c => field(path + pointer(name, i, c), shown_by_name(c)))), {stack: true}));
    }
  }
  return parts;
}

function load_sections() {
  return has('/load') ? [section('load', 'Load', ...members('/load'))] : [];
}
