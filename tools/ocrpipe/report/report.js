'use strict';
// The sections of the report, in the order of the page.

const is_load = report.kind === 'load';
const running = report.state === 'running';
const has = path => { const v = at(path); return v !== undefined && v !== null; };
const per_second = v => `${short_number(v)}/s`;

/** Seconds since this text was written, by the clock of whoever reads it. */
const age = (Date.now() - Date.parse(report.updated_at)) / 1000;
const silent = running && age > 60;

function state_line() {
  const [words, kind] = silent ? ['No longer written', 'bad'] : running ? ['Running', 'run']
    : report.state === 'stopped' ? ['Stopped', 'warn'] : ['Finished', 'good'];
  document.getElementById('state').append(
    el('span', {class: `badge ${kind}`}, words), ' ',
    el('span', {class: 'soft'}, running ? 'as of ' : 'written ', time_field('/updated_at')));
  document.getElementById('title').textContent = is_load ? 'Load test' : 'Bulk run';
  document.title = `${words}: ${is_load ? 'load test' : 'run'} by ocrpipe`;
  document.getElementById('origin').append('Made by ocrpipe ', field('/version'), ' from report.json, which has the same figures. ',
    'This page loads nothing from anywhere.');
}

function outcome() {
  if (silent) return 'bad';
  if (running) return 'run';
  const missed = (at('/load/thresholds') ?? []).some(t => t.holds === false) || has('/load/generator/bottleneck');
  const open = ['failed', 'unfinished', 'not_sent', 'unreadable', 'too_young', 'empty_inputs', 'parts_failed', 'parts_wanted'].reduce((n, k) => n + (report[k] ?? 0), 0);
  if (missed || (report.done === 0 && report.failed > 0)) return 'bad';
  return open > 0 || report.state === 'stopped' ? 'warn' : 'good';
}

function verdict() {
  const s = el('section', {id: 'verdict', class: `verdict ${outcome()}`, 'aria-labelledby': 'verdict-title'},
    el('h2', {id: 'verdict-title'}, 'Verdict'),
    el('p', {class: 'words'}, has('/verdict') ? field('/verdict') : 'This report has no verdict.'));
  if (has('/ended_by')) s.append(el('p', null, 'It ended because: ', field('/ended_by')));
  if (silent)
    s.append(el('p', null, `The last figures are ${duration_text(age)} old. The process was killed or cannot write: `,
      el('code', null, 'ocrpipe status DIR'), ' says whether it is alive.'));
  if (running && !is_load && report.found > 0)
    s.append(el('progress', {max: report.found, value: report.done + report.failed + (report.repeated ?? 0),
      'aria-label': 'documents done or failed'}));
  if (running) s.append(reload_line());
  return s;
}

/** The page is a file: reloading reads what the run has written since. */
function reload_line() {
  const period = 10;
  const button = el('button', {type: 'button'}, 'Reload');
  button.addEventListener('click', () => location.reload());
  const box = el('input', {type: 'checkbox', id: 'repeat'});
  box.checked = location.hash === '#reload';
  let timer;
  const apply = () => {
    clearTimeout(timer);
    if (box.checked) timer = setTimeout(() => location.reload(), period * 1000);
  };
  box.addEventListener('change', () => {
    history.replaceState(null, '', box.checked ? '#reload' : ' ');
    apply();
  });
  apply();
  return el('p', {class: 'reload'}, button, ' ', el('label', {for: 'repeat'}, box, ` every ${period} s`));
}

function time_left() {
  if (!has('/eta/seconds')) return ['time left', field('/eta')];
  const range = has('/eta/high') ? [field('/eta/low', duration_text), ' to ', field('/eta/high', duration_text)]
    : ['at least ', field('/eta/low', duration_text)];
  return [el('span', null, 'left: ', range), field('/eta/seconds', duration_text)];
}

function glance() {
  const when = (path, label, show) => has(path) ? [label, field(path, show)] : null;
  const positive = (path, label, show = count_text) => at(path) > 0 ? [label, field(path, show)] : null;
  const own = is_load ? [] : [
    [el('span', null, 'of ', field('/found', count_text), report.source_exhausted === false ? ' documents found so far are done' : ' documents are done'),
      field('/done', count_text)],
    ['failed', field('/failed', count_text)],
    positive('/unfinished', 'unfinished: being sent, or with the service'),
    positive('/not_sent', 'not sent yet'),
    positive('/repeated', 'listed again'),
    positive('/unreadable', 'inputs that could not be read')];
  const s = section('glance', 'At a glance', figures([
    ...own,
    running && !is_load ? time_left() : null,
    when('/now/documents_per_second', 'documents a second now', short_number) ??
      when('/documents_per_second', 'documents a second', short_number),
    running && at('/now/limiting') ? ['limits it now', field('/now/limiting')] : null,
    when('/latency/end_to_end/p50', 'end to end, median', duration_text),
    when('/latency/end_to_end/p95', 'end to end, 95th percentile', duration_text),
    when('/peaks/in_flight', 'most documents in flight', count_text),
    when('/peaks/backlog', 'largest backlog', count_text),
    when('/bytes', 'uploaded', bytes_text),
    when('/bytes_per_second', 'upload rate', v => `${bytes_text(v)}/s`),
    when('/polls_per_document', 'polls a document', short_number),
    when('/seconds', 'duration', duration_text)]));
  if (has('/paid'))
    s.append(el('h3', null, 'What it costs'), figures([
      ['accepted by the service, in this run', field('/paid/accepted', count_text)],
      ['in doubt: may have been accepted', field('/paid/in_doubt', count_text)],
      ['may be billed twice', field('/paid/possible_duplicates', count_text)]]));
  return s;
}

const most_points = 90;

/** The columns of the series by name, and the seconds that each row covers. */
function series() {
  const {columns, rows, interval, start} = report.series;
  const column = name => rows.map(r => r[columns.indexOf(name)] ?? null);
  const end = (Date.parse(report.updated_at) - Date.parse(start)) / 1000;
  const t = column('t');
  const covered = t.map(s => Math.min(interval, Math.max(end - s, 0.001)));
  // The middle of a row.
  const times = t.map((s, i) => s + covered[i] / 2);
  // Rates of single seconds are noise: a point of a plot may cover several rows.
  const group = Math.ceil(t.length / most_points);
  const groups = (list, join) => Array.from({length: Math.ceil(list.length / group)}, (_, g) => join(list.slice(g * group, (g + 1) * group)));
  const sum = list => list.reduce((total, n) => total + (n ?? 0), 0);
  const spans = groups(covered, sum);
  const rate_times = spans.map((span, g) => t[g * group] + span / 2);
  // A last point that has just begun says nothing about a rate.
  const rate = name => groups(column(name), sum).map((n, g) =>
    g > 0 && g === spans.length - 1 && spans[g] < group * interval / 2 ? null : n / spans[g]);
  const index = name => columns.indexOf(name);
  /** A table of some columns: [title, name, format]. */
  const numbers = (caption, shown) => table(caption,
    [{title: 'from', number: true}, ...shown.map(([title]) => ({title, number: true}))],
    rows.map((row, i) => [duration_text(row[index('t')]),
      ...shown.map(([, name, format]) => field(pointer('series', 'rows', i, index(name)), format))]), {long: true});
  return {column, times, rate, rate_times, numbers, interval, end: t.at(-1) + covered.at(-1)};
}

/** What to say instead of a plot of documents in flight if there were some, but none when a sample was taken. */
function unsampled() {
  if (!(at('/peaks/in_flight') > 0)) return undefined;
  return el('p', {class: 'soft'}, 'Nothing to plot: one sample is taken each second, and no document was in flight at any of them. Between them, at most ',
    field('/peaks/in_flight', count_text), ' were in flight, and the largest backlog was ', field('/peaks/backlog', count_text), '.');
}

function over_time() {
  const empty = note('Nothing has happened yet, so there is nothing to plot.');
  if (!has('/series/rows/0')) return section('time', 'Over time', empty);
  const s = series();
  const every = `each row is ${duration_text(s.interval)}`;
  return section('time', 'Over time', el('div', {class: 'plots'},
    time_plot('Throughput', 'documents a second', short_number, s.rate_times, s.end,
      [['finished', 'finished'], ['accepted', 'accepted'], ['failed', 'failed']].map(([name, c]) => ({name, values: s.rate(c)})),
      s.numbers(`Counts; ${every}`, [['submitted', 'submitted', count_text], ['accepted', 'accepted', count_text],
        ['finished', 'finished', count_text], ['failed', 'failed', count_text], ['uploaded', 'bytes', bytes_text],
        ['polls', 'polls', count_text]])),
    time_plot('In flight and backlog', 'documents', count_text, s.times, s.end,
      [{name: 'in flight', values: s.column('in_flight')}, {name: 'backlog (accepted, not finished)', values: s.column('backlog')}],
      s.numbers(`At the end of each row; ${every}`, [['in flight', 'in_flight', count_text], ['backlog', 'backlog', count_text]]), unsampled()),
    time_plot('Latency, end to end', 'seconds until the result', duration_text, s.times, s.end,
      [{name: 'median', values: s.column('p50')}, {name: '95th percentile', values: s.column('p95')}],
      s.numbers(`Documents that finished; ${every}`, [['median', 'p50', duration_text], ['95th percentile', 'p95', duration_text]])),
    time_plot('Upload', 'bytes a second', bytes_text, s.rate_times, s.end, [{name: 'uploaded', values: s.rate('bytes')}],
      s.numbers(`Bytes of the documents accepted; ${every}`, [['bytes', 'bytes', bytes_text]]))));
}

const phase_meaning = {
  wait_for_turn: 'a request waits for a free slot of its kind',
  wait_for_rate: 'it waits for rate limits, pauses and outages',
  wait_for_ledger: 'it waits until its start is recorded on the disk',
  wait_for_connection: 'it waits for a connection to be open',
  submit: 'upload, and the answer to it',
  poll: 'one question for a result, and its answer',
  part: 'one table, signature, stamp or image',
  time_to_ready_low: 'accepted until the last “not yet”',
  time_to_ready_high: 'accepted until the result is seen',
  end_to_end: 'first byte sent until the result is seen',
  parts: 'the result is seen until its parts have ended',
};
if (is_load) phase_meaning.end_to_end = 'due until the result is seen';

function latency() {
  const phases = Object.entries(report.latency ?? {}).filter(([, l]) => l && l.count > 0);
  if (phases.length === 0) return section('latency', 'Latency', note('Nothing has been measured: no request was answered.'));
  const columns = [['median', 'p50'], ['90 %', 'p90'], ['95 %', 'p95'], ['99 %', 'p99'], ['most', 'max'], ['mean', 'mean']];
  const sentence = (name, l) => `${words(name)}: half within ${duration_text(l.p50)}, 95 % within ${duration_text(l.p95)}.`;
  const percentiles = () => table('Percentiles by phase',
    [{title: 'phase'}, {title: 'what it is', sentence: true}, {title: 'count', number: true}, ...columns.map(([title]) => ({title, number: true}))],
    phases.map(([name]) => [words(name), phase_meaning[name] ?? '', field(pointer('latency', name, 'count'), count_text),
      ...columns.map(([, key]) => field(pointer('latency', name, key), duration_text))]), {stack: true});
  const shown = phases.filter(([name, l]) => ['submit', 'poll', 'time_to_ready_low', 'time_to_ready_high', 'end_to_end', 'part'].includes(name) &&
    l.buckets?.length > 0);
  const within = [0.1, 0.3, 1, 3, 10, 30, 100, 300, 1000, 3600];
  const share = (l, limit) => l.buckets.reduce((n, [, upper, count]) => upper <= limit * 1.005 ? n + count : n, 0) / l.count;
  const s = section('latency', 'Latency', percentiles(),
    note('The service finished a document between “time to ready low” and “time to ready high”; polling cannot tell more exactly. ' +
      `Percentiles are within ${percent_text(phases[0][1].relative_error)} of the measured values.`));
  if (shown.length > 0)
    s.append(distribution_plot('Distribution', shown.map(([name, l]) => ({name: words(name), ...l, sentence: sentence(name, l)})),
      table('Share of cases within a time', [{title: 'within', number: true}, ...shown.map(([name]) => ({title: words(name), number: true}))],
        within.map(limit => [duration_text(limit), ...shown.map(([, l]) => percent_text(share(l, limit)))]))));
  if (at('/document_polls/count') > 0)
    s.append(el('p', null, 'A document was polled ', field('/document_polls/mean', short_number), ' times on average, at most ',
      field('/document_polls/max', count_text), ' times; half of them at most ', field('/document_polls/p50', count_text),
      ', 95 % at most ', field('/document_polls/p95', count_text), '.'));
  return s;
}

function limits() {
  const ordered = path => Object.entries(at(path) ?? {}).filter(([, v]) => v > 0).sort((a, b) => b[1] - a[1]);
  const limiting = ordered('/limits/limiting'), waited = ordered('/limits/waited');
  const pauses = Object.entries(at('/limits/pauses') ?? {}).filter(([, p]) => p && p.count > 0);
  const total = limiting.reduce((sum, [, v]) => sum + v, 0);
  const s = section('limits', 'What limited it');
  if (limiting.length === 0) s.append(note('Nothing has been recorded yet.'));
  else
    s.append(bar_plot('Time by limit', 'time', duration_text, limiting.map(([name, value]) => ({name, value})),
      table('Time by limit', [{title: 'limit'}, {title: 'time', number: true}, {title: 'share', number: true}],
        limiting.map(([name, v]) => [name, field(pointer('limits', 'limiting', name), duration_text), percent_text(v / total)]))));
  const beside = el('div', {class: 'plots'});
  if (waited.length > 0)
    beside.append(el('div', null, el('h3', null, 'Time that requests waited'),
      table('Added up over all requests', [{title: 'waited for'}, {title: 'time', number: true}],
        waited.map(([name]) => [words(name), field(pointer('limits', 'waited', name), duration_text)]))));
  if (pauses.length > 0)
    beside.append(el('div', null, el('h3', null, 'Pauses'),
      table('When nothing was sent', [{title: 'because of'}, {title: 'times', number: true}, {title: 'time', number: true}],
        pauses.map(([name]) => [name, field(pointer('limits', 'pauses', name, 'count'), count_text),
          field(pointer('limits', 'pauses', name, 'seconds'), duration_text)]))));
  if (beside.hasChildNodes()) s.append(beside);
  return s;
}

function errors() {
  const list = report.errors ?? [];
  const s = section('errors', 'Errors');
  if (list.length === 0) s.append(note('Nothing has failed' + (is_load ? '.' : ' in this run.')));
  else
    s.append(table('By class, the most frequent first; with one sample of each',
      [{title: 'class'}, {title: 'what'}, {title: 'count', number: true}, {title: 'for example', sentence: true}, {title: 'what you can do', sentence: true}],
      list.map((e, i) => [el('code', null, field(pointer('errors', i, 'class'))), field(pointer('errors', i, 'kind')),
        field(pointer('errors', i, 'count'), count_text),
        el('span', null, el('strong', null, field(pointer('errors', i, 'document'))), ': ', field(pointer('errors', i, 'message'))),
        field(pointer('errors', i, 'remedy'))]), {stack: true}));
  const earlier = Object.keys(report.failed_by_class ?? {});
  if (earlier.length > 0)
    s.append(el('h3', null, 'Failed documents of all runs'),
      table('By class, as in failures.jsonl', [{title: 'class'}, {title: 'documents', number: true}],
        earlier.map(name => [el('code', null, name), field(pointer('failed_by_class', name), count_text)])));
  return s;
}

function statuses() {
  const operations = Object.keys(report.http_statuses ?? {});
  if (operations.length === 0) return section('statuses', 'HTTP statuses', note('No request has been answered.'));
  const all = [...new Set(operations.flatMap(o => Object.keys(report.http_statuses[o])))].sort();
  return section('statuses', 'HTTP statuses',
    table('Exchanges by operation; a word instead of a status means that there was no answer',
      [{title: 'status'}, ...operations.map(title => ({title, number: true}))],
      all.map(status => [el('code', null, status), ...operations.map(o =>
        has(pointer('http_statuses', o, status)) ? field(pointer('http_statuses', o, status), count_text) : '')])));
}

function slowest() {
  const list = report.slowest ?? [];
  if (list.length === 0) return section('slowest', 'Slowest documents', note('No document has been finished.'));
  const f = (i, key, show) => field(pointer('slowest', i, key), show);
  return section('slowest', 'Slowest documents',
    table('From the first byte sent to the result, slowest first',
      [{title: 'document', name: true}, {title: 'request id', name: true}, {title: 'end to end', number: true}, {title: 'submit', number: true},
        {title: 'ready between', number: true}, {title: 'polls', number: true}, {title: 'size', number: true}],
      list.map((_, i) => [f(i, 'document'), el('code', null, f(i, 'request_id')), f(i, 'seconds', duration_text),
        f(i, 'submit', duration_text), el('span', null, f(i, 'ready_low', duration_text), ' and ', f(i, 'ready_high', duration_text)),
        f(i, 'polls', count_text), f(i, 'bytes', bytes_text)]), {stack: true}));
}

function configuration() {
  const names = Object.keys(report.configuration ?? {});
  if (names.length === 0) return section('configuration', 'Configuration', note('No settings were recorded.'));
  return section('configuration', 'Configuration',
    table('Settings', [{title: 'setting'}, {title: 'value', name: true}],
      names.map(name => [words(name), field(pointer('configuration', name))])));
}

state_line();
const sections = [glance(), ...(is_load ? load_sections() : []), over_time(), latency(), limits(), errors(), statuses(), slowest(), configuration()];
document.getElementById('content').append(verdict(),
  el('nav', {'aria-label': 'Contents'}, el('ul', null, contents.map(([id, title]) => el('li', null, el('a', {href: `#${id}`}, title))))),
  ...sections);
draw_all();
