// Where it hurts, and how fast it is.

const DROPS = rows(DATA.drop_offs);
const LOOPS = rows(DATA.reprompts);
const MISSES = rows(DATA.fallbacks);
const LATENCY = rows(DATA.latency);
const LATENCY_TIME = rows(DATA.latency_time);
const KINDS = {
  bot_response: "Bot answers", agent_response: "Agent answers", think: "Person answers",
  platform_total: "Platform: whole turn", platform_asr: "Platform: speech recognition", platform_bot: "Platform: bot", platform_tts: "Platform: speech output",
};

/** How many rows the whole table has for the chosen bot, of which the page holds the first. */
const rowsThere = (name) => (chosen.bot < 0 ? sum(DATA.totals[name] || [], (value) => value) : (DATA.totals[name] || [])[chosen.bot] || 0);
/** The bot's name under a row, where there are several to tell apart. */
const under = (row, ...parts) => [chosen.bot < 0 && DATA.bots.length > 1 ? botName(row.bot) : "", ...parts].filter(Boolean).join(" · ");
const speech = (text, below) => el("div", { class: "said" }, said(text), below ? el("span", { class: "sub" }, said(below)) : "");

function sectionFailures(section) {
  figure(section, {
    title: "The last thing the bot said before people left", wide: true, long: true, filters: ["bot"],
    caption: "Conversations with the outcome drop-off, by the bot's last words (its time-out message aside). Much here means that the prompt is hard to answer, or that people had what they wanted and left without a word.",
    nothing: "No conversation in this selection broke off.",
    draw() {
      const list = pick(DROPS, "bot").sort(descending("sessions"));
      if (!list.length) return null;
      const all = sum(pick(SESSIONS, "bot"), "drop_off");
      const top = list[0].sessions;
      return {
        reading: `The first ${Math.min(8, list.length)} rows hold ${percent(sum(list.slice(0, 8), "sessions"), all)} of ${plural(all, "drop-off")}.`,
        node: headOf(list, 8, rowsThere("drop_offs"), "prompts", (part) => dataTable("Drop-off points", ["The bot's last words", "Task", "Drop-offs", "Share of drop-offs", ""], part.map((row) => [speech(row.text, under(row, row.template_type)), row.task, num(count(row.sessions)), num(percent(row.sessions, all)), barOf(row.sessions, top, "--drop")]))),
      };
    },
  });

  const left = [["answer", "Answered in the end", "--self"], ["handoff", "Went to an agent", "--agent"], ["drop_off", "Broke off", "--drop"], ["other", "Otherwise", "--open"]];
  figure(section, {
    title: "Prompts that had to be repeated", wide: true, long: true, filters: ["bot"], legend: left.map(([, name, variable]) => [name, variable]),
    caption: "A loop is the bot saying the same words again after the person answered. Longest: the most repeats in one loop. The bar shows how people got out of it; otherwise: the conversation went on to end in another way, with nothing more from the bot.",
    nothing: "No prompt in this selection was repeated.",
    draw() {
      const list = pick(LOOPS, "bot").sort(descending("loops"));
      if (!list.length) return null;
      return {
        node: headOf(list, 6, rowsThere("reprompts"), "repeated prompts", (part) => dataTable("Repeated prompts", ["What the bot repeated", "Loops", "Longest", "Broke off", "How they ended"], part.map((row) => {
          const whole = row.loops;
          return [speech(row.text, under(row)), num(count(row.loops)), num(count(row.longest)), num(`${count(row.drop_off)} (${percent(row.drop_off, whole)})`), el("div", { class: "barcell" }, track(left.map(([key, name, variable]) => [row[key], variable, name]), whole, true))];
        }))),
      };
    },
  });

  figure(section, {
    title: "What the bot did not understand", wide: true, long: true, filters: ["bot"],
    caption: "What people wrote just before the bot said that it did not understand, in lower case and with spaces evened out. Only texts from at least two conversations are shown, as a single one may name a person.",
    nothing: "No text that two conversations share was followed by a fallback.",
    draw() {
      const list = pick(MISSES, "bot").sort(descending("fallbacks"));
      if (!list.length) return null;
      const top = list[0].fallbacks;
      return {
        node: headOf(list, 6, rowsThere("fallbacks"), "texts", (part) => dataTable("Inputs that led to a fallback", ["What people wrote", "Language", "Fallbacks", "Of times said", "Conversations", ""], part.map((row) => [speech(row.text, under(row)), row.language, num(count(row.fallbacks)), num(`${percent(row.fallbacks, row.count)} of ${count(row.count)}`), num(count(row.sessions)), barOf(row.fallbacks, top, "--drop")]))),
      };
    },
  });
}

function barOf(value, top, variable) {
  return el("div", { class: "barcell" }, track([[value, variable]], top));
}

const latencyOf = (bot, channel, task, kind) => LATENCY.find((row) => row.bot === bot && row.channel === channel && row.task === task && row.kind === kind);
const QUANTILES = [["Median", "--accent"], ["90 %", "--accent", true], ["99 %", "--open"]];
const SCALE = { type: "log", minorSplitLine: { show: false } };

/** One row a group, a dot for each quantile. */
function quantiles(list) {
  const points = list.map((row) => ({ ...row, points: [row.p50, row.p90, row.p99].map((value) => Math.max(1, value)), tip: () => tip(row.label, [["median", duration(row.p50), colour("--accent")], ["90 % within", duration(row.p90)], ["95 % within", duration(row.p95)], ["99 % within", duration(row.p99), colour("--open")], ["longest", duration(row.max)]], `of ${plural(row.count, "answer")}`) }));
  return {
    height: 70 + 30 * list.length,
    option: dots(points, QUANTILES, duration, SCALE, true),
    table: (head) => [[head, "Answers", "Median", "90 %", "95 %", "99 %", "Longest"], list.map((row) => [row.label, num(count(row.count)), ...["p50", "p90", "p95", "p99", "max"].map((key) => num(duration(row[key])))])],
  };
}
const within = (row) => `Half of ${plural(row.count, "answer")} within ${duration(row.p50)}, 95 % within ${duration(row.p95)}.`;

function sectionSpeed(section) {
  const lines = [["p50", "Median", "--accent", "solid"], ["p90", "90 %", "--accent", "dashed"], ["p99", "99 %", "--open", "solid"]];
  figure(section, {
    title: `How long people wait for the bot, per ${EACH}`, wide: true, filters: ["bot", "channel"],
    caption: "From a person's message to the bot's next one, as the platform stamped them; delays on the way to the person's screen are not in it. The scale is logarithmic: each step up is a multiple. Quantiles are within 1 % of the true value.",
    draw() {
      const list = LATENCY_TIME.filter((row) => row.bot === chosen.bot && row.channel === chosen.channel && row.period >= 0);
      const all = latencyOf(chosen.bot, chosen.channel, -1, "bot_response");
      if (!list.length || !all) return null;
      const at = new Map(list.map((row) => [row.period, row]));
      return {
        reading: within(all), height: 260,
        option: {
          grid: room({ top: 12, right: 58 }),
          tooltip: { trigger: "axis", axisPointer: { type: "line", lineStyle: { color: colour("--quiet") } }, formatter: (points) => {
            const row = at.get(points[0].dataIndex);
            return row ? tip(LABELS[row.period], [["median", duration(row.p50)], ["90 % within", duration(row.p90)], ["99 % within", duration(row.p99)]], `of ${plural(row.count, "answer")}`) : tip(LABELS[points[0].dataIndex], [], "no answers");
          } },
          xAxis: names(SHORT_LABELS), yAxis: numbers(duration, { type: "log", min: (range) => Math.max(1, 10 ** Math.floor(Math.log10(Math.max(1, range.min)))) }),
          series: lines.map(([key, name, variable, type]) => ({ name, type: "line", endLabel: { show: true, formatter: "{a}", distance: 8, color: colour("--quiet"), fontSize: 12 }, labelLayout: { moveOverlap: "shiftY" }, symbol: "circle", symbolSize: DATA.periods.length > 40 ? 0 : 5, connectNulls: false, lineStyle: { width: 2, type, color: colour(variable) }, itemStyle: { color: colour(variable) }, data: DATA.periods.map((_, period) => (at.has(period) ? Math.max(1, at.get(period)[key]) : null)) })),
        },
        table: () => [[EACH[0].toUpperCase() + EACH.slice(1), "Answers", "Median", "90 %", "99 %"], list.map((row) => [LABELS[row.period], num(count(row.count)), num(duration(row.p50)), num(duration(row.p90)), num(duration(row.p99))])],
      };
    },
  });

  figure(section, {
    title: "Wait for the bot, by task", filters: ["bot", "channel"],
    caption: `${DATA.totals.latency_tasks > 12 ? `The twelve tasks with the most answers, of ${count(DATA.totals.latency_tasks)}. ` : ""}A long tail (99 % far to the right) usually is a slow system behind the bot.`,
    draw() {
      const list = DATA.latency_tasks.map((name, task) => ({ label: short(name === "" ? "(no task)" : name, 60), ...latencyOf(chosen.bot, chosen.channel, task, "bot_response") })).filter((row) => row.count).sort(descending("count")).slice(0, 12).sort(descending("p90"));
      if (!list.length) return null;
      const drawn = quantiles(list);
      return { ...drawn, reading: `Slowest for nine in ten: ${short(list[0].label, 50)}, ${duration(list[0].p90)}.`, table: () => drawn.table("Task") };
    },
  });

  figure(section, {
    title: "Wait for the bot, by channel", filters: ["bot", "channel"],
    caption: "On the phone silence is felt after a second or two; in a chat a few seconds pass unnoticed. Judge each channel by its own measure.",
    draw() {
      const list = DATA.channels.map((name, channel) => ({ channel, label: name || "(no channel)", ...latencyOf(chosen.bot, channel, -1, "bot_response") })).filter((row) => row.count && (chosen.channel < 0 || row.channel === chosen.channel)).sort(descending("p90"));
      if (!list.length) return null;
      const drawn = quantiles(list);
      return { ...drawn, table: () => drawn.table("Channel") };
    },
  });

  figure(section, {
    title: "Who waits for whom", wide: true, filters: ["bot", "channel"],
    caption: "Bot and agent answers are what the person waits; person answers are how long people take to read and reply. The platform's own figures are what it recorded itself, mostly on voice channels, and measure something else: they are not parts of the rows above.",
    draw() {
      const list = Object.entries(KINDS).map(([kind, label]) => ({ label, ...latencyOf(chosen.bot, chosen.channel, -1, kind) })).filter((row) => row.count);
      if (!list.length) return null;
      const drawn = quantiles(list);
      return { ...drawn, table: () => drawn.table("What") };
    },
  });
}
