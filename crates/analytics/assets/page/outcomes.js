// How much and when; how conversations end.

const VOLUMES = rows(DATA.volumes);
const SESSIONS = rows(DATA.sessions);
const HEAT = rows(DATA.heatmap);
const PEAKS = rows(DATA.concurrency);
const CHECK = rows(DATA.containment_check);
const LABELS = DATA.periods.map((label) => period(label));
// A year stands where it begins.
const SHORT_LABELS = DATA.periods.map((label, at) => period(label, DATA.unit === "month" && (at === 0 || label.slice(5, 7) === "01")));
const EACH = DATA.unit;

/** Sums over sessions: what there is, how it ended, and the rates, with and without those cut by the window's edges. */
function endings(list) {
  // The rates leave out more than the outcomes do (no input, still open, agent assist): they have sums of their own.
  const rate = (prefix) => {
    const [self_service, drop_off, agent] = ["contained", "dropped", "transferred"].map((key) => sum(list, prefix + key));
    return { self_service, drop_off, agent, of: self_service + drop_off + agent };
  };
  return {
    sessions: sum(list, "sessions"), interactive: sum(list, "interactive"), turns: sum(list, "turns"),
    ...Object.fromEntries(OUTCOMES.map(([key]) => [key, sum(list, key)])),
    rate: rate(""), uncut: rate("uncut_"), uncutSessions: sum(list, "uncut_sessions"),
  };
}

function byPeriod(list, keys) {
  const table = DATA.periods.map(() => Object.fromEntries(keys.map((key) => [key, 0])));
  for (const row of list) if (row.period >= 0) for (const key of keys) table[row.period][key] += row[key] || 0;
  return table;
}

function sectionVolume(section) {
  const kinds = [["incoming", "From people", "--accent"], ["outgoing", "From bots and agents", "--accent-soft"], ["other", "Other events", "--open"]];
  figure(section, {
    title: `Messages per ${EACH}`, wide: true, filters: ["bot", "channel"],
    caption: `Messages after duplicates are taken out, by the time they were sent (${FACTS.timezone}).${FACTS.include_developers ? "" : " Those of developers' conversations are left out."}` + (DATA.unit === "week" ? " Each bar is a week that begins on the date shown; the first and the last may be incomplete." : DATA.unit === "month" ? " The first and the last month may be incomplete." : " The first and the last day may be incomplete."),
    draw() {
      const list = pick(VOLUMES, "bot", "channel").map((row) => ({ ...row, [kinds[row.kind][0]]: row.messages }));
      if (!list.length) return null;
      const table = byPeriod(list, kinds.map(([key]) => key));
      const all = table.map((row) => sum(kinds, ([key]) => row[key]));
      const top = all.indexOf(Math.max(...all));
      const undated = sum(list.filter((row) => row.period < 0), "messages");
      return {
        reading: `${plural(sum(all, (value) => value), "message")}; most ${EACH === "day" ? "on" : "in"} ${LABELS[top] ?? "–"} (${count(all[top])}).` + (undated ? ` ${plural(undated, "message")} without a time not drawn.` : ""),
        height: 250,
        option: {
          legend: { data: kinds.map(([, name]) => name) }, grid: room(),
          tooltip: { trigger: "axis", formatter: (points) => {
            const at = points[0].dataIndex;
            return tip(LABELS[at], kinds.map(([key, name, variable]) => [name, count(table[at][key]), colour(variable)]), `${count(all[at])} messages in all`);
          } },
          xAxis: names(SHORT_LABELS), yAxis: numbers(compact),
          series: kinds.map(([key, name, variable]) => ({ name, type: "bar", stack: "all", barCategoryGap: "18%", itemStyle: { color: colour(variable) }, data: table.map((row) => row[key]) })),
        },
        table: () => [[EACH[0].toUpperCase() + EACH.slice(1), ...kinds.map(([, name]) => name), "All"], table.map((row, at) => [LABELS[at], ...kinds.map(([key]) => num(count(row[key]))), num(count(all[at]))])],
      };
    },
  });

  let measure = "sessions";
  const measures = { sessions: "conversations", messages: "messages" };
  const control = choice("What is counted", [["sessions", "Conversations"], ["messages", "Messages"]], (value) => { measure = value; redraw(control); });
  figure(section, {
    title: "Hour by hour through the week", filters: ["channel"], controls: control,
    caption: `Conversations count in the hour in which they began, messages in the hour in which they were sent (${FACTS.timezone}). Hours repeated when clocks go back are merged.`,
    draw() {
      const list = pick(HEAT, "channel");
      const cells = new Map();
      for (const row of list) { const key = row.weekday * 24 + row.hour; cells.set(key, (cells.get(key) || 0) + row[measure]); }
      const all = sum([...cells.values()], (value) => value);
      if (!all) return null;
      const data = Array.from({ length: 168 }, (_, key) => [key % 24, Math.floor(key / 24), cells.get(key) || 0]);
      const top = data.reduce((a, b) => (b[2] > a[2] ? b : a));
      const hour = (value) => `${String(value).padStart(2, "0")}:00`;
      return {
        reading: `Busiest: ${WEEKDAYS[top[1]]}, ${hour(top[0])} to ${hour((top[0] + 1) % 24)}, with ${plural(top[2], measures[measure].slice(0, -1))}.`,
        height: 290,
        option: {
          grid: room({ top: 4, bottom: 34, right: 4 }),
          tooltip: { formatter: ({ value }) => tip(`${WEEKDAYS[value[1]]}, ${hour(value[0])} to ${hour((value[0] + 1) % 24)}`, [[measures[measure], count(value[2])]], `${percent(value[2], all)} of ${count(all)}`) },
          xAxis: names(Array.from({ length: 24 }, (_, value) => String(value)), { axisLine: { show: false }, axisLabel: { color: colour("--quiet"), interval: 2, fontSize: 12 } }),
          yAxis: names(WEEKDAYS.map((name) => name.slice(0, 3)), { inverse: true, axisLine: { show: false } }),
          visualMap: { min: 0, max: top[2], orient: "horizontal", left: "center", bottom: -6, itemWidth: 10, itemHeight: 130, text: [compact(top[2]), "0"], textStyle: { color: colour("--quiet"), fontSize: 11 }, inRange: { color: [0, 1, 2, 3].map((step) => colour(`--heat-${step}`)) }, hoverLink: false, calculable: false },
          series: [{ type: "heatmap", data, itemStyle: { borderColor: colour("--card"), borderWidth: 2, borderRadius: 3 }, emphasis: { itemStyle: { borderColor: colour("--ink"), borderWidth: 1 } } }],
        },
        table: () => [["Day", ...Array.from({ length: 24 }, (_, value) => hour(value))], WEEKDAYS.map((name, at) => [name, ...data.slice(at * 24, at * 24 + 24).map((cell) => num(count(cell[2])))])],
      };
    },
  });

  figure(section, {
    title: "Conversations at the same time", filters: [],
    caption: "The highest number of conversations under way in any one minute. A conversation runs from its first message to its last, so long silences inside it count.",
    draw() {
      if (!PEAKS.length) return null;
      const top = PEAKS.reduce((a, b) => (b.peak > a.peak ? b : a));
      return {
        reading: `At most ${count(top.peak)} at once, ${DATA.concurrency_unit === "day" ? "on" : `in the ${DATA.concurrency_unit} from`} ${concurrencyLabel(top.label)}.`,
        height: 290,
        option: {
          grid: room({ top: 12 }),
          tooltip: { trigger: "axis", axisPointer: { type: "line", lineStyle: { color: colour("--quiet") } }, formatter: (points) => tip(concurrencyLabel(points[0].axisValue), [["peak", count(points[0].value)]], "conversations at the same time") },
          xAxis: names(PEAKS.map((row) => row.label), { boundaryGap: false, axisLabel: { color: colour("--quiet"), hideOverlap: true, fontSize: 12, formatter: (label) => day(label, false), interval: DATA.concurrency_unit === "hour" ? (at) => at % 24 === 0 : "auto" } }),
          yAxis: numbers(compact, { minInterval: 1 }),
          series: [{ type: "line", step: "middle", symbol: "none", lineStyle: { width: 1.5, color: colour("--accent") }, areaStyle: { color: colour("--accent-soft"), opacity: 0.55 }, data: PEAKS.map((row) => row.peak) }],
        },
        table: () => [["From", "Peak"], PEAKS.map((row) => [concurrencyLabel(row.label), num(count(row.peak))])],
      };
    },
  });
}
const concurrencyLabel = (label) => day(label) + (label.length > 10 ? `, ${label.slice(11, 16)}` : "");

function sectionOutcomes(section) {
  let share = true;
  const control = choice("Scale", [[true, "Share"], [false, "Count"]], (value) => { share = value; redraw(control); });
  const keys = OUTCOMES.map(([key]) => key);
  figure(section, {
    title: `How conversations ended, per ${EACH}`, wide: true, filters: ["bot", "channel"], controls: control,
    caption: "Self-service is what is left when nothing else holds: no agent, no open question, the bot spoke last. It does not prove that the person got what they came for. Conversations count where they began; those still open when the data ends may yet end otherwise.",
    draw() {
      const table = byPeriod(pick(SESSIONS, "bot", "channel"), keys);
      const all = table.map((row) => sum(keys, (key) => row[key]));
      const total = sum(all, (value) => value);
      if (!total) return null;
      const sums = endings(pick(SESSIONS, "bot", "channel"));
      return {
        reading: `Of ${plural(sums.sessions, "conversation")}, ${percent(sums.self_service, sums.sessions)} ended in self-service, ${percent(sums.drop_off, sums.sessions)} broke off, ${percent(sums.agent, sums.sessions)} went to an agent.`,
        height: 270,
        option: {
          legend: { data: OUTCOMES.map(([, name]) => name) }, grid: room(),
          tooltip: { trigger: "axis", formatter: (points) => {
            const at = points[0].dataIndex;
            return tip(LABELS[at], OUTCOMES.map(([key, name, variable]) => [name, `${count(table[at][key])} (${percent(table[at][key], all[at])})`, colour(variable)]), `of ${plural(all[at], "conversation")} that began then`);
          } },
          xAxis: names(SHORT_LABELS), yAxis: share ? numbers((value) => `${value} %`, { max: 100, interval: 25 }) : numbers(compact),
          series: OUTCOMES.map(([key, name, variable]) => ({ name, type: "bar", stack: "all", barCategoryGap: "18%", itemStyle: { color: colour(variable) }, data: table.map((row, at) => (share ? (all[at] ? (100 * row[key]) / all[at] : 0) : row[key])) })),
        },
        table: () => [[EACH[0].toUpperCase() + EACH.slice(1), ...OUTCOMES.map(([, name]) => name), "All"], table.map((row, at) => [LABELS[at], ...keys.map((key) => num(`${count(row[key])} (${percent(row[key], all[at])})`)), num(count(all[at]))])],
      };
    },
  });

  figure(section, {
    title: "Containment, with and without cut conversations", filters: ["bot", "channel"],
    caption: "Containment is self-service ÷ (self-service + drop-off + agent), over conversations in which a person wrote something and that are not still open; agent-assist conversations are left out. A conversation that began before the data does is cut: the ring leaves those out. Where dot and ring stand apart, that warns that the window distorts the rate.",
    draw() {
      const groups = [["All in this selection", pick(SESSIONS, "bot", "channel")]];
      DATA.channels.forEach((name, at) => { if (chosen.channel < 0) groups.push([name || "(no channel)", pick(SESSIONS, "bot").filter((row) => row.channel === at)]); });
      const list = groups.map(([label, part]) => {
        const { rate, uncut } = endings(part);
        const ratio = (from) => (from.of ? (100 * from.self_service) / from.of : null);
        return { label, rate, uncut, points: [ratio(rate), ratio(uncut)], tip: () => tip(label, [["all", `${percent(rate.self_service, rate.of)} (${outOf(rate.self_service, rate.of)})`, colour("--self")], ["without cut ones", `${percent(uncut.self_service, uncut.of)} (${outOf(uncut.self_service, uncut.of)})`]], `transfer ${percent(rate.agent, rate.of)}, drop-off ${percent(rate.drop_off, rate.of)} of ${count(rate.of)}`) };
      }).filter((row) => row.rate.of);
      if (!list.length) return null;
      const [all] = list;
      return {
        reading: `${percent(all.rate.self_service, all.rate.of)} contained (${outOf(all.rate.self_service, all.rate.of)}); without cut conversations ${percent(all.uncut.self_service, all.uncut.of)} (${outOf(all.uncut.self_service, all.uncut.of)}).`,
        height: 70 + 30 * list.length,
        option: dots(list, [["All conversations", "--self"], ["Without cut ones", "--self", true]], (value) => `${value} %`, { min: 0, max: 100, interval: 25 }),
        table: () => [["Channel", "Containment", "Transfer", "Drop-off", "Of", "Containment without cut", "Of, without cut"], list.map((row) => [row.label, num(percent(row.rate.self_service, row.rate.of)), num(percent(row.rate.agent, row.rate.of)), num(percent(row.rate.drop_off, row.rate.of)), num(count(row.rate.of)), num(percent(row.uncut.self_service, row.uncut.of)), num(count(row.uncut.of))])],
      };
    },
  });

  figure(section, {
    title: "Why conversations broke off, and how agents came in", filters: ["bot", "channel"],
    caption: "No response: the last word was the person's. Fallback: the bot's last words were that it did not understand. Left waiting: the bot's last words asked or offered something that nobody took up. Agent connected: an agent wrote; requested: a transfer was asked for and no agent's message follows.",
    draw() {
      const part = pick(SESSIONS, "bot", "channel");
      const reasons = [["no_response", "Bot did not answer", "--drop", "drop_off"], ["fallback", "Bot did not understand", "--drop", "drop_off"], ["left_waiting", "Prompt left unanswered", "--drop", "drop_off"], ["handoff_connected", "Agent connected", "--agent", "agent"], ["handoff_requested", "Agent requested only", "--agent", "agent"]];
      const list = reasons.filter(([key]) => DATA.sessions[key]).map(([key, name, variable, of]) => ({ name, variable, value: sum(part, key), of: sum(part, of), whole: of }));
      if (!sum(list, "value")) return null;
      return {
        reading: DATA.sessions.timeout_closed ? `${plural(sum(part, "timeout_closed"), "conversation")} of ${count(sum(part, "sessions"))} ended with the platform's closing message after a time-out.` : "",
        height: 60 + 38 * list.length,
        option: {
          grid: room({ top: 4 }),
          tooltip: { formatter: ({ dataIndex }) => tip(list[dataIndex].name, [["conversations", count(list[dataIndex].value)]], `${percent(list[dataIndex].value, list[dataIndex].of)} of ${count(list[dataIndex].of)} with outcome ${OUTCOME_NAMES[list[dataIndex].whole].toLowerCase()}`) },
          xAxis: numbers(compact), yAxis: names(list.map((row) => row.name), { inverse: true, axisLine: { show: false }, axisLabel: { color: colour("--ink"), fontSize: 12 } }),
          series: [{ type: "bar", barWidth: 16, data: list.map((row) => ({ value: row.value, itemStyle: { color: colour(row.variable) } })), label: { show: true, position: "right", color: colour("--quiet"), formatter: ({ value }) => compact(value) } }],
        },
        table: () => [["How", "Conversations", "Share of the outcome", "Of"], list.map((row) => [row.name, num(count(row.value)), num(percent(row.value, row.of)), num(count(row.of))])],
      };
    },
  });

  if (CHECK.length) figure(section, {
    title: "Beside the platform's own verdict", wide: true, filters: [],
    caption: "Rows: the outcome by the rules of this report. Columns: what the platform's own session list says of the same conversations (session type and containment type). “Not listed” are conversations that the session list does not hold. The two definitions differ: see the end of the page.",
    draw() {
      const columns = [...new Set(CHECK.map((row) => row.platform))].sort();
      const order = OUTCOMES.map(([key]) => key).filter((key) => CHECK.some((row) => row.outcome === key));
      if (CHECK.some((row) => row.outcome === "")) order.push("");
      const cell = (outcome, platform) => sum(CHECK.filter((row) => row.outcome === outcome && row.platform === platform), "sessions");
      const table = dataTable("Outcome by the platform's containment", ["Outcome here", ...columns, "All"], order.map((outcome) => [OUTCOME_NAMES[outcome] || "Only in the platform's list", ...columns.map((platform) => num(count(cell(outcome, platform)))), num(count(sum(CHECK.filter((row) => row.outcome === outcome), "sessions")))]));
      table.classList.add("confusion");
      return { node: el("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": "Outcome by the platform's containment" }, table) };
    },
  });
}
