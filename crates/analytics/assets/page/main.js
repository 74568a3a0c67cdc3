// The page: head, key figures, sections in order, filters and theme.

const KEYS = el("dl", { class: "keys", "aria-label": "Key figures" });

function key(name, value, ...bases) {
  return el("div", { class: "key" }, el("dt", {}, name), el("dd", { class: "value" }, value), bases.filter(Boolean).map((text) => el("dd", { class: "base" }, text)));
}

function drawKeys() {
  const sums = endings(pick(SESSIONS, "bot", "channel"));
  const users = pick(USERS, "bot");
  const people = sum(users, "users");
  const wait = latencyOf(chosen.bot, chosen.channel, -1, "bot_response");
  const { rate, uncut } = sums;
  KEYS.replaceChildren(
    key("Conversations", count(sums.sessions), `${percent(sums.interactive, sums.sessions)} with a person's message (${count(sums.interactive)})`),
    key("People", count(people), `${count(sum(users, "returning"))} came back on another day (${percent(sum(users, "returning"), people)})`, chosen.channel >= 0 ? "all channels" : ""),
    key("Contained", percent(rate.self_service, rate.of), outOf(rate.self_service, rate.of), `without cut: ${percent(uncut.self_service, uncut.of)} of ${count(uncut.of)}`),
    key("Broke off", percent(rate.drop_off, rate.of), outOf(rate.drop_off, rate.of), `without cut: ${percent(uncut.drop_off, uncut.of)} of ${count(uncut.of)}`),
    key("Went to an agent", percent(rate.agent, rate.of), outOf(rate.agent, rate.of), `without cut: ${percent(uncut.agent, uncut.of)} of ${count(uncut.of)}`),
    key("Median wait for the bot", wait ? duration(wait.p50) : "–", wait ? `95 % within ${duration(wait.p95)}` : "", wait ? `of ${plural(wait.count, "answer")}` : "no answers timed"),
  );
}

const SECTIONS = [
  ["volume", "Volume", "How much and when", "Messages and conversations over time.", sectionVolume],
  ["endings", "Endings", "How it ends", "What became of the conversations, and how many of them the bots contained.", sectionOutcomes],
  ["failures", "Trouble", "Where it hurts", "The bot's own words where people left, went round in circles, or were not understood.", sectionFailures],
  ["speed", "Speed", "How fast", "How long people wait, by task and by channel.", sectionSpeed],
  ["behaviour", "Behaviour", "What people do", "The ways through the tasks, what gets clicked, what gets typed.", sectionBehaviour],
  ["people", "People", "Who", "Channels, languages, and who comes back.", sectionPeople],
  ["trust", "Trust", "How far to trust this", "What was read, what is missing, what surprised the program, and what the words mean.", sectionTrust],
];

function selector(name, label, options) {
  const select = el("select", { id: `filter-${name}` }, el("option", { value: -1 }, `All ${label}`), options.map((option, at) => el("option", { value: at }, option || `(no ${name})`)));
  select.addEventListener("change", () => { chosen[name] = Number(select.value); update(); });
  return el("label", { for: `filter-${name}` }, name[0].toUpperCase() + name.slice(1), select);
}

const state = el("p", { class: "state", role: "status" });
function update() {
  const words = [chosen.bot >= 0 ? `bot ${botName(chosen.bot)}` : "", chosen.channel >= 0 ? `channel ${channelName(chosen.channel)}` : ""].filter(Boolean);
  state.replaceChildren();
  if (words.length) state.append("Only ", said(words.join(" and ")), ". Figures that a filter does not reach say so.");
  drawKeys();
  for (const each of FIGURES) each.update();
}

const dark = matchMedia("(prefers-color-scheme: dark)");
let asked = null;
function theme(print) {
  const now = print ? "light" : asked || (dark.matches ? "dark" : "light");
  document.documentElement.dataset.theme = now;
  toggle.textContent = now === "dark" ? "Light colours" : "Dark colours";
}
const toggle = el("button", { type: "button", onclick: () => { asked = document.documentElement.dataset.theme === "dark" ? "light" : "dark"; theme(); update(); } });

function head() {
  const books = FACTS.messages;
  const span = FACTS.first_day ? ` from ${day(FACTS.first_day)} to ${day(FACTS.last_day)} (${FACTS.timezone})` : "";
  const lede = el("p", { class: "lede" },
    el("strong", {}, plural(books.kept, "message")), " in ", el("strong", {}, plural(sum(SESSIONS, "sessions"), "conversation")), `${span}, ${plural(DATA.bots_total, "bot")} on ${plural(DATA.channels_total, "channel")}. `,
    FACTS.filters.length ? el("span", {}, "Filtered while reading: ", said(FACTS.filters.join(", ")), ". ") : "",
    books.rejected ? `${plural(books.rejected, "message")} could not be read: see the end. ` : "");
  return el("header", { class: "head wrap" }, el("h1", {}, said(FACTS.title || document.title)), lede);
}

function start() {
  const content = document.getElementById("content");
  const nav = el("nav", { "aria-label": "Sections" }, el("ul", {}, SECTIONS.map(([id, short]) => el("li", {}, el("a", { href: `#${id}` }, short)))));
  const bar = el("div", { class: "bar" }, el("div", { class: "wrap" }, DATA.bots.length > 1 ? selector("bot", "bots", DATA.bots) : "", DATA.channels.length > 1 ? selector("channel", "channels", DATA.channels) : "", nav, toggle, state));
  const main = el("main", { id: "main", class: "wrap", tabindex: -1 }, el("h2", { class: "visually-hidden" }, "Key figures"), KEYS);
  const footer = el("footer", { class: "wrap" },
    el("p", {}, `Made by ${FACTS.program}, rules version ${FACTS.rules_version}, from ${plural(FACTS.input_files, "file")} (${bytes(FACTS.input_bytes)}). Long lists hold the most frequent entries only; the tables beside this file hold everything. `),
    el("p", {}, "This page holds texts from conversations, which may name people. It loads nothing from elsewhere and sends nothing. Charts: Apache ECharts, Apache License 2.0."));
  content.replaceChildren(head(), bar, main, footer);
  theme();
  for (const [id, , name, about, fill] of SECTIONS) {
    const section = el("section", { id, "aria-labelledby": `${id}-title` }, el("div", { class: "section-head" }, el("h2", { id: `${id}-title` }, name), el("p", {}, about)));
    const figures = el("div", { class: "figures" });
    section.append(figures);
    main.append(section);
    fill(figures);
  }
  update();
  let waiting = 0;
  let width = innerWidth;
  addEventListener("resize", () => {
    clearTimeout(waiting);
    // A telephone's bars come and go and change the height alone.
    if (innerWidth !== width) waiting = setTimeout(() => { width = innerWidth; update(); }, 120);
  });
  dark.addEventListener("change", () => { theme(); update(); });
  // Paper is narrower than the window, and light.
  const printing = (now) => {
    document.documentElement.classList.toggle("printing", now);
    document.body.style.width = now ? "690px" : "";
    theme(now);
    update();
  };
  addEventListener("beforeprint", () => printing(true));
  addEventListener("afterprint", () => printing(false));
  document.documentElement.dataset.ready = "true";
}

start();
