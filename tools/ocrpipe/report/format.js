'use strict';
// How numbers, times and names are shown. Pure functions.

const count_format = new Intl.NumberFormat('en-US', {maximumFractionDigits: 0});

const is_number = value => typeof value === 'number' && Number.isFinite(value);

const unknown = '–';

function count_text(n) { return is_number(n) ? count_format.format(n) : unknown; }

/** At most three significant digits, without a trailing zero. */
function short_number(n) {
  if (!is_number(n)) return unknown;
  if (Math.abs(n) >= 100) return count_format.format(n);
  return String(Number(n.toPrecision(3)));
}

function percent_text(share) {
  if (!is_number(share)) return unknown;
  const percent = share * 100;
  return percent > 0 && percent < 0.01 ? '< 0.01 %' : `${short_number(percent)} %`;
}

/** Seconds as a person says them: 12.4 ms, 3.5 s, 4 min 10 s, 2 h 5 min, 3 d 4 h. */
function duration_text(seconds) {
  if (!is_number(seconds)) return unknown;
  if (seconds < 0) return `−${duration_text(-seconds)}`;
  if (seconds === 0) return '0 s';
  if (seconds < 0.001) return `${short_number(seconds * 1e6)} µs`;
  if (seconds < 1) return `${short_number(seconds * 1e3)} ms`;
  if (seconds < 59.95) return `${short_number(seconds)} s`;
  let whole = Math.round(seconds);
  if (whole < 3600) return pair(whole, 60, 'min', 1, 's');
  whole = Math.round(seconds / 60);
  if (whole < 24 * 60) return pair(whole, 60, 'h', 1, 'min');
  return pair(Math.round(seconds / 3600), 24, 'd', 1, 'h');
}

function pair(value, size, large, unit, small) {
  const rest = value % size;
  return `${Math.floor(value / size)} ${large}` + (rest === 0 ? '' : ` ${rest} ${small}`);
}

function bytes_text(bytes) {
  if (!is_number(bytes)) return unknown;
  const units = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'];
  let value = bytes, unit = 0;
  while (value >= 999.5 && unit + 1 < units.length) {
    value /= 1000;
    unit += 1;
  }
  return `${short_number(value)} ${units[unit]}`;
}

/** "2026-03-01T09:30:00.123Z" as "2026-03-01 09:30:00 UTC". */
function time_text(iso) {
  const parts = /^(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d)(?:\.\d+)?Z$/.exec(iso ?? '');
  return parts ? `${parts[1]} ${parts[2]} UTC` : String(iso ?? unknown);
}

/** "time_to_ready" as "time to ready". */
function words(name) { return String(name).replaceAll('_', ' '); }

function capital(text) { return text.charAt(0).toUpperCase() + text.slice(1); }

/** Places for at most `most` ticks on an axis of seconds from zero. */
function time_ticks(last, most) {
  const steps = [.001, .002, .005, .01, .02, .05, .1, .2, .5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400];
  let step = steps.find(s => last / s <= most);
  if (step === undefined) step = 86400 * Math.ceil(last / most / 86400);
  const ticks = [];
  for (let t = 0; t <= last * 1.0001; t += step) ticks.push(t);
  return ticks;
}
