'use strict';
// What only a load test has: the member `load` of the report.

const yes_or_no = v => v ? 'yes' : 'no';

/** A percentile whose jobs did not all end: an estimate with its bounds, or only a lower bound. */
function censored(path) {
  const value = at(path);
  if (!value || !is_number(value.low)) return field(`${path}/estimate`);
  if (!is_number(value.estimate)) return el('span', null, 'at least ', field(`${path}/low`, duration_text));
  return value.low === value.estimate && value.high === value.estimate ? field(`${path}/estimate`, duration_text)
    : el('span', null, field(`${path}/estimate`, duration_text), el('small', {class: 'soft'}, ' (', field(`${path}/low`, duration_text), ' to ',
      is_number(value.high) ? field(`${path}/high`, duration_text) : 'unknown', ')'));
}

function offered() {
  const s = section('load', 'Load', el('p', null, 'Arrivals: ', field('/load/arrivals')), figures([
    ['documents were due', field('/load/outcomes/due', count_text)],
    ['accepted', field('/load/outcomes/accepted', count_text)],
    ['done', field('/load/outcomes/done', count_text)],
    ['failed', field('/load/outcomes/failed', count_text)],
    ['unfinished: counted as censored', field('/load/outcomes/unfinished', count_text)],
    ['documents a second offered', field('/load/offered_per_second', short_number)],
    ['documents a second finished', field('/load/throughput_per_second', short_number)],
    ['share of errors', field('/load/error_rate', percent_text)],
    ...(has('/load/time_to_parts') ? [['parts fetched', field('/parts', count_text)], ['parts failed', field('/parts_failed', count_text)],
      ['parts not fetched before the end', field('/parts_wanted', count_text)]] : []),
    ['arrivals lasted', field('/load/arrival_seconds', duration_text)],
    ['of that, not measured: warm-up', field('/load/warm_up_seconds', duration_text)],
    ['in all, with the drain', field('/load/total_seconds', duration_text)]]));
  if (has('/load/backlog/slope'))
    s.append(el('h3', null, 'Backlog'), el('p', null, at('/load/backlog/grows') ? 'It grew by ' : 'It did not grow: ', field('/load/backlog/slope', short_number),
      ' documents a second, in a confidence interval from ', field('/load/backlog/low', short_number), ' to ', field('/load/backlog/high', short_number), '.'));
  const list = at('/load/thresholds') ?? [];
  if (list.length > 0)
    s.append(table('Thresholds', [{title: 'condition'}, {title: 'measured', name: true}, {title: 'result'}],
      list.map((t, i) => [el('code', null, field(pointer('load', 'thresholds', i, 'condition'))), field(pointer('load', 'thresholds', i, 'seen')),
        el('strong', {class: t.holds ? 'good' : 'bad'}, field(pointer('load', 'thresholds', i, 'holds'), v => v ? 'met' : 'missed'))])));
  return s;
}

function capacity() {
  const steps = at('/load/capacity/steps') ?? [];
  const s = section('capacity', 'Capacity', figures([
    ['documents a second sustained', field('/load/capacity/estimate', short_number)],
    ['at least: the lower end of the interval', field('/load/capacity/low', short_number)],
    ['at most: its upper end', field('/load/capacity/high', short_number)]]));
  if (has('/load/capacity/limit')) s.append(el('p', null, 'Above that: ', field('/load/capacity/limit')));
  const step = (i, key, show) => field(pointer('load', 'capacity', 'steps', i, key), show);
  if (steps.length > 0)
    s.append(bar_plot('Steps of the search', 'documents finished a second', short_number,
      steps.map(t => ({name: `${short_number(t.rate)}/s offered`, value: t.throughput})),
      table('Steps, in their order', [{title: 'offered', number: true}, {title: 'finished', number: true}, {title: 'backlog grows'}, {title: 'passed'}, {title: 'why not', sentence: true}],
        steps.map((_, i) => [step(i, 'rate', per_second), step(i, 'throughput', per_second), step(i, 'backlog_grows', yes_or_no),
          step(i, 'passed', yes_or_no), step(i, 'why')]))));
  return s;
}

function survival() {
  const rows = [['end_to_end', 'due until the result is seen'], ['time_to_ready_low', 'accepted until the last “not yet”'],
    ['time_to_ready_high', 'accepted until the result is seen'],
    ['time_to_parts', 'the result is seen until its parts have ended'], ['completed_only', 'end to end of those that were done in time: what tools show that drop the others']]
    .filter(([name]) => at(pointer('load', name, 'count')) > 0);
  if (rows.length === 0) return section('survival', 'Latency with unfinished documents', note('No document was accepted.'));
  return section('survival', 'Latency with unfinished documents',
    table('Percentiles, with the bounds that unfinished documents leave open (Kaplan-Meier)',
      [{title: 'phase'}, {title: 'what it is', sentence: true}, {title: 'count', number: true}, {title: 'unfinished', number: true},
        ...['median', '90 %', '95 %', '99 %'].map(title => ({title, number: true}))],
      rows.map(([name, meaning]) => [words(name), meaning, field(pointer('load', name, 'count'), count_text), field(pointer('load', name, 'censored'), count_text),
        ...['p50', 'p90', 'p95', 'p99'].map(p => censored(pointer('load', name, p)))]), {stack: true}));
}

function generator() {
  const path = '/load/generator';
  const s = section('generator', 'The generator', el('p', null, has(`${path}/bottleneck`)
    ? el('strong', {class: 'bad'}, 'It was the bottleneck, so the figures are about itself: ', field(`${path}/bottleneck`))
    : 'It kept to its plan.'), figures([['of one core', field(`${path}/cpu_share`, percent_text)],
    ['bound of the send delay', field(`${path}/send_delay_bound`, duration_text)]]));
  const rows = [['start_delay', 'due until the client got the document'], ['send_delay', 'due until the first byte left']].filter(([name]) => at(`${path}/${name}/count`) > 0);
  if (rows.length > 0)
    s.append(table('Its lateness', [{title: 'delay'}, {title: 'what it is', sentence: true}, ...['median', '99 %', 'most'].map(title => ({title, number: true}))],
      rows.map(([name, meaning]) => [words(name), meaning, ...['p50', 'p99', 'max'].map(p => field(`${path}/${name}/${p}`, duration_text))]), {stack: true}));
  if (has('/load/little/sampled_in_flight'))
    s.append(el('p', null, 'As a check (Little’s law): on average, ', field('/load/little/sampled_in_flight', short_number), ' documents were in flight; the rate of arrivals times the mean time in flight is ',
      field('/load/little/rate_times_time', short_number), '.'));
  return s;
}

function load_sections() {
  if (!has('/load')) return [];
  return [...(has('/load/capacity') ? [capacity()] : []), offered(), survival(), generator()];
}
