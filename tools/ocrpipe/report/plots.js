'use strict';
// Plots, each with a sentence and a table that say the same without it.

const plots = []; // drawn by draw_all(), because a canvas has a size only once it is part of the page

Chart.defaults.animation = false;
Chart.defaults.maintainAspectRatio = false;
Chart.defaults.font.family = 'system-ui, "DejaVu Sans", sans-serif';
Chart.defaults.elements.point.radius = 0;
Chart.defaults.elements.point.hitRadius = 8;
Chart.defaults.elements.line.borderWidth = 2;
// A legend shows the line itself, with its dashes.
const legend = Chart.defaults.plugins.legend.labels;
const labels_of = legend.generateLabels;
legend.usePointStyle = true;
legend.pointStyleWidth = 34;
legend.generateLabels = chart => labels_of(chart).map(label =>
  ({...label, pointStyle: 'line', lineWidth: 2, lineDash: chart.data.datasets[label.datasetIndex].borderDash ?? []}));
Chart.defaults.interaction.mode = 'nearest';
Chart.defaults.interaction.axis = 'x';
Chart.defaults.interaction.intersect = false;

const dashes = [[], [7, 4], [2, 3], [10, 3, 2, 3], [14, 4], [1, 5]];

/** Colours come from the style sheet, which knows about dark mode and print. */
function draw(plot) {
  const style = getComputedStyle(document.documentElement);
  const colour = name => style.getPropertyValue(name).trim();
  Chart.defaults.color = colour('--soft');
  Chart.defaults.borderColor = colour('--line');
  plot.config.data.datasets.forEach((d, i) => {
    d.borderColor = colour(`--plot-${i % 6 + 1}`);
    d.backgroundColor = plot.config.type === 'bar' ? d.borderColor : 'transparent';
  });
  plot.chart?.destroy();
  plot.chart = new Chart(plot.canvas, plot.config);
}

function draw_all() {
  plots.forEach(draw);
}

/** A figure with a plot, its description for those who do not see it, and its numbers. */
function figure(title, description, config, numbers, height) {
  const canvas = el('canvas', {role: 'img', 'aria-label': `${title}. ${description}`});
  const frame = el('div', {class: height ? 'canvas rows' : 'canvas'}, canvas);
  if (height) frame.style.height = height;
  const f = el('figure', null, el('figcaption', null, title), frame,
    el('details', null, el('summary', null, 'Show as a table'), el('p', null, description), numbers));
  plots.push({canvas, config});
  return f;
}

/** Round numbers of a unit of time, about one for each `room` pixels. */
const time_ticks_of = (scale, size, room) =>
  time_ticks(scale.max, Math.max(2, Math.floor(size / room))).map(value => ({value}));

const axis = (title, format, more) => ({
  type: 'linear', beginAtZero: true, title: {display: true, text: title},
  ticks: {callback: v => format(v), maxTicksLimit: 7, precision: format === count_text ? 0 : undefined},
  ...(format === duration_text ? {afterBuildTicks: s => { s.ticks = time_ticks_of(s, s.isHorizontal() ? s.width : s.height, s.isHorizontal() ? 75 : 40); }} : {}),
  ...more});

/** "submitted: highest 31 at 2 min; last 4" */
function course(name, values, times, format) {
  let highest = -1, last = -1;
  values.forEach((v, i) => {
    if (!is_number(v)) return;
    last = i;
    if (highest < 0 || v > values[highest]) highest = i;
  });
  if (last < 0) return `${name}: no values.`;
  return `${name}: highest ${format(values[highest])} at ${duration_text(times[highest])}, last ${format(values[last])}.`;
}

/** Lines over time, until `end`. `lines` are {name, values}; a value that is no number is a gap. `otherwise` stands for a plot of nothing. */
function time_plot(title, unit, format, times, end, lines, numbers, otherwise) {
  // A plot of nothing says less than a sentence.
  if (!lines.some(l => l.values.some(v => v > 0)))
    return el('figure', null, el('figcaption', null, title),
      otherwise ?? note(`Nothing to plot: ${lines.map(l => l.name).join(', ')} had no value above zero.`));
  const config = {
    type: 'line',
    data: {datasets: lines.map((l, i) => ({
      label: l.name, borderDash: dashes[i], spanGaps: false,
      // A lone value between gaps would have no line.
      pointRadius: c => is_number(l.values[c.dataIndex]) && !is_number(l.values[c.dataIndex - 1]) &&
        !is_number(l.values[c.dataIndex + 1]) ? 3 : 0,
      data: l.values.map((v, k) => ({x: times[k], y: is_number(v) ? v : null}))}))},
    options: {
      scales: {x: axis('time since the start', duration_text, {min: 0, max: end}), y: axis(unit, format)},
      plugins: {tooltip: {callbacks: {
        title: items => items.length ? duration_text(items[0].parsed.x) : '',
        label: item => `${item.dataset.label}: ${format(item.parsed.y)}`}}}}};
  return figure(title, lines.map(l => course(l.name, l.values, times, format)).join(' '), config, numbers);
}

/** The share of cases that took at most so long, for each phase. `phases` are {name, buckets, count}. */
function distribution_plot(title, phases, numbers) {
  const curve = p => {
    let seen = 0;
    const points = [{x: Math.max(p.buckets[0][0], 1e-4), y: 0}];
    for (const [, upper, count] of p.buckets) {
      seen += count;
      points.push({x: Math.max(upper, 1e-4), y: seen / p.count});
    }
    return points;
  };
  const powers = scale => {
    const all = [0.0001, 0.001, 0.01, 0.1, 1, 10, 60, 600, 3600, 36000, 360000];
    const few = all.filter(v => v >= scale.min && v <= scale.max);
    scale.ticks = (few.length > 1 ? few : [scale.min, scale.max]).map(value => ({value}));
  };
  const config = {
    type: 'line',
    data: {datasets: phases.map((p, i) => ({label: p.name, borderDash: dashes[i], data: curve(p)}))},
    options: {
      scales: {
        x: axis('at most so long', duration_text, {type: 'logarithmic', beginAtZero: false, afterBuildTicks: powers}),
        y: axis('share', percent_text, {max: 1})},
      plugins: {tooltip: {callbacks: {
        title: () => '',
        label: item => `${item.dataset.label}: ${percent_text(item.parsed.y)} within ${duration_text(item.parsed.x)}`}}}}};
  return figure(title, phases.map(p => p.sentence).join(' '), config, numbers);
}

/** One horizontal bar for each of `bars`: {name, value}. */
function bar_plot(title, unit, format, bars, numbers) {
  const config = {
    type: 'bar',
    data: {labels: bars.map(b => b.name), datasets: [{label: unit, data: bars.map(b => b.value), maxBarThickness: 22}]},
    options: {
      indexAxis: 'y', interaction: {axis: 'y'},
      scales: {x: axis(unit, format), y: {title: {display: false}, grid: {display: false}}},
      plugins: {legend: {display: false}, tooltip: {callbacks: {label: item => format(item.parsed.x)}}}}};
  return figure(title, bars.map(b => `${b.name}: ${format(b.value)}.`).join(' '), config, numbers, `${4.5 + 2 * bars.length}rem`);
}

matchMedia('(prefers-color-scheme: dark)').addEventListener('change', draw_all);
addEventListener('beforeprint', draw_all);
addEventListener('afterprint', draw_all);
