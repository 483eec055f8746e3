import { Classifier } from './classifier.js';

// The fields of the form: what a person reads, what the code calls it, and what stands in it.
const FIELDS = [
  { label: 'Full name', name: 'full_name', value: 'Jane Doe' },
  { label: 'E-mail', name: 'user_email', value: 'jane@example.com' },
  { label: 'Pay with', name: 'payment', value: '4111 1111 1111 1111' },
  { label: 'Reference', name: 'ref', value: 'DE89 3704 0044 0532 0130 00' },
  { label: 'Favourite colour', name: 'colour', value: 'teal' },
  { label: 'Anything else?', name: 'note', value: 'Call me at +1 425 555 0100 before noon, or write to jane.doe@example.org. My loyalty card is the same as last time, the old one (4012 8888 8888 1881) is gone.', long: true },
  { label: 'Your turn', name: 'x', value: '', hint: 'type anything: a date of birth, an address of a computer, a token …' },
];

const started = performance.now();
const response = await fetch('policy.wasm');
const classifier = await Classifier.load(response, { spans: 'utf16' });
const ready = performance.now() - started;
const about = classifier.describe();
const titles = new Map(about.categories.map((c) => [c.key, c.title]));

const $ = (id) => document.getElementById(id);
const element = (tag, attributes = {}, ...children) => {
  const e = document.createElement(tag);
  for (const [key, value] of Object.entries(attributes)) e.setAttribute(key, value);
  e.append(...children);
  return e;
};

// One colour for each kind of data, by the part of the key that names the kind.
const HUES = ['teal', 'amber', 'violet', 'rose', 'sky', 'lime', 'orange', 'indigo'];
const hues = new Map();
const hue = (category) => {
  const kind = category.split('.').slice(0, 2).join('.');
  if (!hues.has(kind)) hues.set(kind, HUES[hues.size % HUES.length]);
  return hues.get(kind);
};
const titleOf = (category) => {
  const title = titles.get(category) ?? category.split('.').at(-1).replaceAll('_', ' ');
  return title[0].toUpperCase() + title.slice(1);
};

const labelsOf = new Map();

/** The text again, behind the input, with its places marked. */
function echo(text, labels) {
  const cuts = labels.flatMap((l) => (l.spans ?? []).map((s) => ({ ...s, category: l.category }))).sort((a, b) => a.start - b.start || b.end - a.end);
  const parts = [];
  let at = 0;
  for (const c of cuts) {
    if (c.start < at) continue; // inside the one before
    parts.push(text.slice(at, c.start), element('mark', { class: hue(c.category) }, text.slice(c.start, c.end)));
    at = c.end;
  }
  parts.push(text.slice(at), '\u200b'); // so that a last empty line has a height
  return parts;
}

function chip(l) {
  const percent = Math.floor(l.confidence * 100);
  const bar = element('span', { class: 'bar', role: 'meter', 'aria-label': 'confidence', 'aria-valuemin': 0, 'aria-valuemax': 100, 'aria-valuenow': percent }, element('i'));
  bar.firstChild.style.width = `${percent}%`;
  const why = [l.rule && (l.rule === 'declared' ? 'declared by a tag' : `rule ${l.rule}`), l.detector && `detector ${l.detector}`].filter(Boolean).join(', ');
  return element('li', { class: `chip ${hue(l.category)}`, title: why },
    element('span', { class: 'title' }, titleOf(l.category)),
    element('code', {}, l.category),
    bar,
    element('span', { class: 'percent' }, `${percent} %`),
    element('span', { class: 'why' }, why));
}

function show(field, parts) {
  const asked = { name: parts.name.value, value: parts.input.value };
  const labels = classifier.field(asked);
  // Once more, often enough for the clock of a browser.
  const from = performance.now();
  for (let i = 0; i < 50; i++) classifier.field(asked);
  const took = (performance.now() - from) / 50;
  labelsOf.set(field, labels);
  parts.echo.replaceChildren(...echo(asked.value, labels));
  parts.chips.replaceChildren(...(labels.length > 0 ? labels.map(chip) : [element('li', { class: 'none' }, asked.value === '' && asked.name === 'x' ? 'nothing yet' : 'not personal, as far as this policy knows')]));
  $('took').textContent = took < 1 ? `${Math.round(took * 1000)} µs` : `${took.toFixed(1)} ms`;
  $('asked').textContent = `classifier.field({ name: "${asked.name}", value: … })`;
  $('json').textContent = JSON.stringify(labels, null, 2);
  summary();
}

function summary() {
  const counts = new Map();
  for (const labels of labelsOf.values()) {
    for (const l of labels) counts.set(l.category, (counts.get(l.category) ?? 0) + 1);
  }
  const rows = [...counts].sort((a, b) => a[0].localeCompare(b[0]));
  $('summary').replaceChildren(...(rows.length > 0
    ? rows.map(([category, n]) => element('li', { class: hue(category) }, element('span', { class: 'title' }, titleOf(category)), element('span', { class: 'count' }, n === 1 ? '1 field' : `${n} fields`)))
    : [element('li', { class: 'none' }, 'nothing personal')]));
}

FIELDS.forEach((field, i) => {
  const input = element(field.long ? 'textarea' : 'input', { id: `f${i}`, spellcheck: 'false', autocomplete: 'off', ...(field.long ? { rows: 3 } : { type: 'text' }), ...(field.hint ? { placeholder: field.hint } : {}) });
  const name = element('input', { class: 'name', value: field.name, spellcheck: 'false', 'aria-label': `name attribute of ${field.label}`, title: 'the name attribute; change it and see' });
  const parts = { input, name, echo: element('div', { class: 'echo', 'aria-hidden': 'true' }), chips: element('ul', { class: 'chips', 'aria-live': 'polite' }) };
  input.value = field.value;
  const fit = () => { name.style.width = `${Math.max(1, name.value.length)}ch`; };
  const scroll = () => { parts.echo.scrollLeft = input.scrollLeft; parts.echo.scrollTop = input.scrollTop; };
  const changed = () => { fit(); show(field, parts); scroll(); };
  for (const e of [input, name]) e.addEventListener('input', changed);
  for (const event of ['scroll', 'keyup', 'select', 'focus', 'blur']) input.addEventListener(event, scroll);
  input.addEventListener('focus', () => show(field, parts));
  $('form').append(element('div', { class: field.long ? 'field long' : 'field' },
    element('div', { class: 'head' }, element('label', { for: `f${i}` }, field.label), element('span', { class: 'attribute' }, 'name="', name, '"')),
    element('div', { class: 'box' }, parts.echo, input),
    parts.chips));
  changed();
});
$('form').addEventListener('submit', (event) => event.preventDefault());
$('f1').dispatchEvent(new Event('focus')); // its labels are the ones to show first

// What the browser knows of the module's way here, as soon as it does.
const size = async () => {
  for (let i = 0; i < 50; i++) {
    const bytes = performance.getEntriesByName(response.url)[0]?.encodedBodySize;
    if (bytes) return `${Math.ceil(bytes / 1000)} kB`;
    await new Promise((done) => setTimeout(done, 20));
  }
  return 'unknown';
};
$('size').textContent = await size();
$('ready').textContent = `${ready.toFixed(0)} ms`;

// Whatever the browser asks for from now on would show here.
new PerformanceObserver((list) => {
  $('requests').textContent = String(Number($('requests').textContent) + list.getEntries().length);
}).observe({ type: 'resource' });
document.documentElement.dataset.ready = 'true';
