// Ground of the page: the data, elements built without markup, numbers and times as people read them, the theme.

const DATA = JSON.parse(document.getElementById("data").textContent);
const FACTS = DATA.facts;
const OUTCOMES = [
  ["self_service", "Self-service", "--self"],
  ["drop_off", "Drop-off", "--drop"],
  ["agent", "Agent", "--agent"],
  ["open", "Still open", "--open"],
  ["none", "No input", "--none"],
];
const OUTCOME_NAMES = Object.fromEntries(OUTCOMES.map(([key, name]) => [key, name]));
const OUTCOME_COLOURS = Object.fromEntries(OUTCOMES.map(([key, , colour]) => [key, colour]));

/** An element. Children are nodes or text; nothing is ever parsed as markup. */
function el(tag, attributes, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes || {})) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else node.setAttribute(name, value === true ? "" : String(value));
  }
  for (const child of children.flat(Infinity)) {
    if (child !== undefined && child !== null && child !== "") node.append(child);
  }
  return node;
}

/** Text that somebody outside wrote, kept from turning the direction of what stands around it. */
const said = (text) => el("bdi", {}, text === null || text === undefined || text === "" ? "(none)" : String(text));

/** Plain text on one line, for charts, where there is no `bdi`. */
function short(text, length) {
  const line = String(text === null || text === undefined || text === "" ? "(none)" : text).replace(/\s+/g, " ");
  const letters = Array.from(line);
  return letters.length > length ? letters.slice(0, length - 1).join("") + "…" : line;
}

const WHOLE = new Intl.NumberFormat("en-GB", { maximumFractionDigits: 0 });
const SHORT = new Intl.NumberFormat("en-GB", { notation: "compact", maximumSignificantDigits: 3 });
const count = (value) => (value === null || value === undefined ? "–" : WHOLE.format(value));
const compact = (value) => (Math.abs(value) < 10000 ? count(value) : SHORT.format(value));
const plural = (value, one, many) => `${count(value)} ${value === 1 ? one : many || one + "s"}`;

/** A share as a percentage; a dash where there is nothing to divide by. */
function percent(part, whole) {
  if (!whole) return "–";
  const share = (100 * part) / whole;
  if (share > 0 && share < 0.1) return "<0.1 %";
  if (share > 99.9 && share < 100) return ">99.9 %";
  return `${share.toFixed(share === 0 || share === 100 ? 0 : 1)} %`;
}
const outOf = (part, whole) => `${count(part)} of ${count(whole)}`;

/** Milliseconds in the unit that a person would say. */
function duration(ms) {
  if (ms === null || ms === undefined) return "–";
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 9950) return `${(ms / 1000).toFixed(1)} s`;
  if (ms < 59500) return `${Math.round(ms / 1000)} s`;
  const minutes = Math.round(ms / 60000);
  if (ms < 3570000) return ms < 600000 && Math.round((ms % 60000) / 1000) % 60 ? `${Math.floor(Math.round(ms / 1000) / 60)} min ${Math.round(ms / 1000) % 60} s` : `${minutes} min`;
  return ms < 172800000 ? `${(ms / 3600000).toFixed(1)} h` : `${(ms / 86400000).toFixed(1)} days`;
}
function bytes(value) {
  const units = ["B", "KB", "MB", "GB", "TB"];
  let step = 0;
  while (value >= 1000 && step < units.length - 1) { value /= 1000; step += 1; }
  return `${value < 10 && step ? value.toFixed(1) : Math.round(value)} ${units[step]}`;
}

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const WEEKDAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];
/** `2026-03-05` as `5 Mar 2026`; what is no date stays as it is. */
function day(text, year = true) {
  const parts = /^(\d{4})-(\d\d)-(\d\d)/.exec(text || "");
  if (!parts) return String(text);
  return `${Number(parts[3])} ${MONTHS[parts[2] - 1]}${year ? " " + parts[1] : ""}`;
}
function period(label, year = true) {
  if (DATA.unit === "year") return label.slice(0, 4);
  if (DATA.unit === "month") return `${MONTHS[Number(label.slice(5, 7)) - 1]}${year ? " " + label.slice(0, 4) : ""}`;
  return (DATA.unit === "week" && year ? "the week from " : "") + day(label, year);
}

/** The rows of a table that came as columns, as objects. */
function rows(table) {
  const names = Object.keys(table);
  const length = names.length ? table[names[0]].length : 0;
  return Array.from({ length }, (_, at) => Object.fromEntries(names.map((name) => [name, table[name][at]])));
}
const sum = (list, key) => list.reduce((total, row) => total + (typeof key === "function" ? key(row) : row[key] || 0), 0);
const largest = (list, key) => list.reduce((top, row) => Math.max(top, row[key] || 0), 0);
const descending = (key) => (a, b) => (b[key] || 0) - (a[key] || 0);

/** What the filters choose; -1 is all. */
const chosen = { bot: -1, channel: -1 };
/** The rows that the filters choose, by those of the two columns that the table has. */
const pick = (list, ...columns) => list.filter((row) => columns.every((column) => chosen[column] < 0 || row[column] === chosen[column]));
const botName = (index) => DATA.bots[index] ?? "(no bot)";
const channelName = (index) => DATA.channels[index] ?? "(no channel)";

/** A colour of the style sheet, as the theme has it now. */
const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

/** What the pointer shows over a chart: a title, pairs of name and value, and a line that says of how many. */
function tip(title, pairs, note) {
  return el("div", { class: "tip" }, el("b", {}, said(title)), pairs.map(([name, value, mark]) => {
    const label = el("span", {});
    if (mark) {
      const dot = el("span", { class: "mark" });
      dot.style.background = mark;
      label.append(dot);
    }
    label.append(name);
    return el("div", {}, label, el("span", {}, value));
  }), note ? el("small", {}, note) : "");
}
