// What people do, and who they are.

const TASKS = rows(DATA.tasks);
const EDGES = rows(DATA.task_edges);
const PATHS = rows(DATA.path_variants);
const ACTIONS = rows(DATA.actions_usage);
const FORMS = rows(DATA.forms);
const TEMPLATES = rows(DATA.templates_usage);
const INPUTS = rows(DATA.top_inputs);
const LANGUAGES = rows(DATA.languages);
const USERS = rows(DATA.users);
const TAGS = rows(DATA.tags_usage);
const SANKEY_TASKS = 14;
const SANKEY_EDGES = 48;

/** Sums rows that share a key. */
function grouped(list, key, ...values) {
  const groups = new Map();
  for (const row of list) {
    const name = key(row);
    const group = groups.get(name) || groups.set(name, { ...row, ...Object.fromEntries(values.map((value) => [value, 0])) }).get(name);
    for (const value of values) group[value] += row[value] || 0;
  }
  return [...groups.values()];
}

/** The transitions as a flow without loops: the largest first, those that lead back left out and counted. */
function flow(list) {
  const edges = grouped(list, (row) => `${row.task}\u0000${row.next}\u0000${row.end}`, "transitions", "sessions").sort(descending("transitions"));
  const weight = new Map();
  for (const row of edges) {
    weight.set(row.task, (weight.get(row.task) || 0) + row.transitions);
    if (!row.end) weight.set(row.next, (weight.get(row.next) || 0) + row.transitions);
  }
  const shown = new Set([...weight].sort((a, b) => b[1] - a[1]).slice(0, SANKEY_TASKS).map(([task]) => task));
  const onward = new Map();
  const reaches = (from, to) => from === to || (onward.get(from) || []).some((next) => reaches(next, to));
  const links = [];
  let [back, rest] = [0, 0];
  for (const row of edges) {
    if (!shown.has(row.task) || (!row.end && !shown.has(row.next)) || links.length >= SANKEY_EDGES) { rest += row.transitions; continue; }
    if (!row.end) {
      if (reaches(row.next, row.task)) { back += row.transitions; continue; }
      onward.set(row.task, [...(onward.get(row.task) || []), row.next]);
    }
    links.push(row);
  }
  const depth = (task) => 1 + Math.max(0, ...(onward.get(task) || []).map(depth));
  return { edges, links, back, rest, layers: 1 + Math.max(0, ...[...onward.keys()].map(depth)), all: sum(edges, "transitions") };
}

function sectionBehaviour(section) {
  figure(section, {
    title: "From task to task, and how it ends", wide: true, filters: ["bot"],
    caption: "Bands are as wide as the number of transitions; the right-hand ends are the outcomes of conversations. Steps back to an earlier task are left out of the drawing, as a flow cannot show them: the table has them all.",
    draw() {
      const { edges, links, back, rest, layers, all } = flow(pick(EDGES, "bot"));
      if (!links.length) return null;
      const end = (key) => `end\u0000${key}`;
      const tasks = [...new Set(links.flatMap((row) => (row.end ? [row.task] : [row.task, row.next])))];
      const ends = [...new Set(links.filter((row) => row.end).map((row) => row.next))];
      const nodes = [
        ...tasks.map((task) => ({ name: `task\u0000${task}`, itemStyle: { color: colour("--accent") } })),
        ...ends.map((key) => ({ name: end(key), itemStyle: { color: colour(OUTCOME_COLOURS[key] || "--open") } })),
      ];
      const title = (name) => { const [kind, rest] = [name.slice(0, name.indexOf("\u0000")), name.slice(name.indexOf("\u0000") + 1)]; return kind === "end" ? OUTCOME_NAMES[rest] || rest : rest || "(no task)"; };
      const top = links.filter((row) => !row.end)[0];
      return {
        reading: [top ? `The most frequent step: ${short(title("task\u0000" + top.task), 40)} → ${short(title("task\u0000" + top.next), 40)} (${plural(top.transitions, "time")}).` : "", `Drawn: ${percent(all - back - rest, all)} of ${plural(all, "transition")}${back ? `; leading back: ${percent(back, all)}` : ""}.`].join(" "),
        height: Math.max(320, 30 * nodes.length),
        option: {
          tooltip: { trigger: "item", formatter: ({ dataType, data, name, value }) => dataType === "edge"
            ? tip(`${title(data.source)} → ${title(data.target)}`, [["transitions", count(data.value)], ["conversations", count(data.sessions)]], `${percent(data.value, all)} of ${plural(all, "transition")}`)
            : tip(title(name), [["transitions", count(value)]], `of ${plural(all, "transition")}`) },
          series: [{
            type: "sankey", left: 4, right: 110, top: 8, bottom: 8, nodeWidth: 10, nodeGap: 12, nodeAlign: "justify", draggable: false, layoutIterations: 64,
            data: nodes, links: links.map((row) => ({ source: `task\u0000${row.task}`, target: row.end ? end(row.next) : `task\u0000${row.next}`, value: row.transitions, sessions: row.sessions })),
            itemStyle: { borderWidth: 0 }, lineStyle: { color: "target", opacity: 0.28, curveness: 0.5 }, emphasis: { focus: "adjacency", lineStyle: { opacity: 0.55 } },
            label: { color: colour("--ink"), fontSize: 12, textBorderColor: colour("--card"), textBorderWidth: 3, width: Math.max(56, Math.min(150, (section.clientWidth - 150) / layers - 24)), overflow: "truncate", formatter: ({ name }) => short(title(name), 28) },
          }],
        },
        table: () => [["From", "To", "Transitions", "Conversations", "Share"], edges.slice(0, 100).map((row) => [row.task || "(no task)", row.end ? `ends: ${OUTCOME_NAMES[row.next] || row.next}` : row.next || "(no task)", num(count(row.transitions)), num(count(row.sessions)), num(percent(row.transitions, all))])],
      };
    },
  });

  figure(section, {
    title: "Tasks, and how their conversations ended", wide: true, long: true, filters: ["bot"], legend: OUTCOMES.map(([, name, variable]) => [name, variable]),
    caption: "A conversation counts in every task that it went through. Runs: how often the task was entered; more runs than conversations means that people came back to it.",
    draw() {
      const list = pick(TASKS, "bot").sort(descending("sessions"));
      if (!list.length) return null;
      return {
        node: headOf(list, 10, rowsThere("tasks"), "tasks", (part) => dataTable("Tasks", ["Task", "Conversations", "Runs", "Self-service", "Outcomes"], part.map((row) => {
          const whole = sum(OUTCOMES, ([key]) => row[key]);
          return [speech(row.task || "(no task)", under(row)), num(count(row.sessions)), num(count(row.executions)), num(`${percent(row.self_service, whole)} of ${count(whole)}`), el("div", { class: "barcell" }, track(OUTCOMES.map(([key, name, variable]) => [row[key], variable, name]), whole, true))];
        }))),
      };
    },
  });

  figure(section, {
    title: "The most frequent paths", wide: true, long: true, filters: ["bot"],
    caption: "A path is the order in which a conversation went through tasks. The median duration runs from the first message to the last, silences included.",
    draw() {
      const list = pick(PATHS, "bot").sort(descending("sessions"));
      if (!list.length) return null;
      const all = sum(pick(SESSIONS, "bot"), "sessions");
      const top = list[0].sessions;
      const steps = (row) => el("div", { class: "said" }, row.path.length ? "" : "(no task)", el("span", { class: "path" }, runs(row.path).map(([name, times], at) => [at ? el("span", { class: "arrow", "aria-label": "then" }, "→") : "", el("span", { class: "step" }, said(name)), times > 1 ? el("span", { class: "times" }, ` ×${times}`) : ""])), under(row) ? el("span", { class: "sub" }, said(under(row))) : "");
      return {
        node: headOf(list, 8, rowsThere("path_variants"), "paths", (part) => dataTable("Paths", ["Path", "Conversations", "Share", "Median duration", ""], part.map((row) => [steps(row), num(count(row.sessions)), num(percent(row.sessions, all)), num(duration(row.median_ms)), barOf(row.sessions, top, "--accent")]))),
      };
    },
  });

  figure(section, {
    title: "Buttons and quick replies", wide: true, long: true, filters: ["bot"],
    caption: "Chosen: the person's next message equals what the button sends. Where several buttons send the same, none gets the credit (ambiguous). Links send nothing, so whether they were followed is not known.",
    draw() {
      const list = pick(ACTIONS, "bot").sort(descending("shown"));
      if (!list.length) return null;
      return {
        node: headOf(list, 10, rowsThere("actions_usage"), "buttons", (part) => dataTable("Buttons", ["Button", "Where", "Shown", "Chosen", "Click-through", "Ambiguous", ""], part.map((row) => [
          speech(row.title || row.payload, row.prompt ? `after: ${row.prompt}` : row.title && row.payload && row.payload !== row.title ? `sends: ${row.payload}` : ""), speech([row.template_type, row.action_type].filter(Boolean).join(" · "), under(row)),
          num(count(row.shown)), num(row.measurable ? count(row.matched) : "not known"), num(row.measurable ? percent(row.matched, row.shown) : "–"), num(count(row.ambiguous)), row.measurable ? barOfWhole(row.matched, row.shown, "--accent") : el("span", {}),
        ]))),
      };
    },
  });

  figure(section, {
    title: "Forms: shown, then opened", filters: ["bot"],
    caption: "The funnel of each form: messages that showed it, and those whose status says that it was opened. What was submitted stands nowhere in the conversation history. Messages without a status count as unknown.",
    nothing: "No form was shown in this selection.",
    draw() {
      const list = grouped(pick(FORMS, "bot"), (row) => `${row.form_id}\u0000${row.form_name}`, "displayed", "opened", "unknown", "sessions").sort(descending("displayed"));
      const many = list.length > 12;
      list.length = Math.min(list.length, 12);
      if (!list.length) return null;
      const [shown, opened] = [sum(list, "displayed"), sum(list, "opened")];
      // Forms of the same name are told apart by the end of their ids.
      const title = (row) => row.form_name && list.some((other) => other !== row && other.form_name === row.form_name) ? `${short(row.form_name, 20)} (…${(row.form_id || "").slice(-5)})` : row.form_name || row.form_id;
      return {
        reading: `Opened: ${percent(opened, shown)} (${outOf(opened, shown)} shown)${many ? ", of the twelve forms shown most" : ""}.`,
        height: 60 + 44 * list.length,
        option: {
          legend: { data: ["Shown", "Opened"] }, grid: room({ right: 60 }),
          tooltip: { trigger: "axis", formatter: (points) => { const row = list[points[0].dataIndex]; return tip(title(row), [["shown", count(row.displayed), colour("--accent-soft")], ["opened", `${count(row.opened)} (${percent(row.opened, row.displayed)})`, colour("--accent")], ["status unknown", count(row.unknown)]], `in ${plural(row.sessions, "conversation")}`); } },
          xAxis: numbers(compact), yAxis: names(list.map((row) => short(title(row), 30)), { inverse: true, axisLine: { show: false }, axisLabel: { color: colour("--ink"), fontSize: 12, width: 150, overflow: "truncate" } }),
          series: [
            { name: "Shown", type: "bar", barWidth: 20, itemStyle: { color: colour("--accent-soft") }, data: list.map((row) => row.displayed) },
            { name: "Opened", type: "bar", barWidth: 20, barGap: "-100%", z: 3, itemStyle: { color: colour("--accent") }, data: list.map((row) => row.opened), label: { show: true, position: "right", distance: 6, color: colour("--ink"), textBorderColor: colour("--card"), textBorderWidth: 3, formatter: ({ dataIndex }) => percent(list[dataIndex].opened, list[dataIndex].displayed) } },
          ],
        },
        table: () => [["Form", "Shown", "Opened", "Share opened", "Status unknown", "Conversations"], list.map((row) => [title(row), num(count(row.displayed)), num(count(row.opened)), num(percent(row.opened, row.displayed)), num(count(row.unknown)), num(count(row.sessions))])],
      };
    },
  });

  figure(section, {
    title: "Templates, and whether people answered them", filters: ["bot"],
    caption: "Shown: messages that carried the template. Answered: a person wrote or chose something before the bot spoke again.",
    nothing: "No template was shown in this selection.",
    draw() {
      const list = grouped(pick(TEMPLATES, "bot"), (row) => row.template_type, "shown", "responded", "sessions").sort(descending("shown"));
      const many = list.length > 12;
      list.length = Math.min(list.length, 12);
      if (!list.length) return null;
      return {
        reading: many ? "The twelve most frequent." : "",
        height: 60 + 30 * list.length,
        option: {
          legend: { data: ["Shown", "Answered"] }, grid: room({ right: 60 }),
          tooltip: { trigger: "axis", formatter: (points) => { const row = list[points[0].dataIndex]; return tip(row.template_type, [["shown", count(row.shown), colour("--accent-soft")], ["answered", `${count(row.responded)} (${percent(row.responded, row.shown)})`, colour("--accent")]], `in ${plural(row.sessions, "conversation")}`); } },
          xAxis: numbers(compact), yAxis: names(list.map((row) => short(row.template_type, 28)), { inverse: true, axisLine: { show: false }, axisLabel: { color: colour("--ink"), fontSize: 12, width: 150, overflow: "truncate" } }),
          series: [
            { name: "Shown", type: "bar", barWidth: 16, itemStyle: { color: colour("--accent-soft") }, data: list.map((row) => row.shown) },
            { name: "Answered", type: "bar", barWidth: 16, barGap: "-100%", z: 3, itemStyle: { color: colour("--accent") }, data: list.map((row) => row.responded), label: { show: true, position: "right", distance: 6, color: colour("--ink"), textBorderColor: colour("--card"), textBorderWidth: 3, formatter: ({ dataIndex }) => percent(list[dataIndex].responded, list[dataIndex].shown) } },
          ],
        },
        table: () => [["Template", "Shown", "Answered", "Share answered", "Conversations"], list.map((row) => [row.template_type, num(count(row.shown)), num(count(row.responded)), num(percent(row.responded, row.shown)), num(count(row.sessions))])],
      };
    },
  });

  figure(section, {
    title: "What people write most", wide: true, long: true, filters: ["bot"],
    caption: "Texts of people, in lower case and with spaces evened out, that occur in at least two conversations. Texts that no person typed (such as a time-out signal) are left out.",
    draw() {
      const list = pick(INPUTS, "bot").sort(descending("count"));
      if (!list.length) return null;
      const top = list[0].count;
      return { node: headOf(list, 8, rowsThere("top_inputs"), "texts", (part) => dataTable("What people write most", ["Text", "Language", "Times", "Conversations", "Fallback right after", ""], part.map((row) => [speech(row.text, under(row)), row.language, num(count(row.count)), num(count(row.sessions)), num(`${count(row.fallbacks)} (${percent(row.fallbacks, row.count)})`), barOf(row.count, top, "--accent")]))) };
    },
  });
}
const barOfWhole = (value, whole, variable) => el("div", { class: "barcell" }, track([[value, variable]], whole, true));
/** A path with a step that follows itself written once, and how often. */
function runs(path) {
  const list = [];
  for (const name of path) if (list.length && list[list.length - 1][0] === name) list[list.length - 1][1] += 1; else list.push([name, 1]);
  return list;
}

function sectionPeople(section) {
  const breakdown = (title, caption, key, name) => figure(section, {
    title, caption, filters: ["bot", "channel"],
    draw() {
      const list = grouped(pick(LANGUAGES, "bot", "channel"), (row) => row[key], "sessions", "interactive").map((row) => ({ ...row, label: name(row) || "(not given)" })).sort(descending("sessions")).slice(0, 12);
      const all = sum(pick(LANGUAGES, "bot", "channel"), "sessions");
      if (!all) return null;
      return {
        reading: `Most: ${short(list[0].label, 40)}, ${percent(list[0].sessions, all)} of ${plural(all, "conversation")}.`,
        height: 40 + 30 * list.length,
        option: {
          grid: room({ top: 4, right: 60 }),
          tooltip: { trigger: "axis", formatter: (points) => { const row = list[points[0].dataIndex]; return tip(row.label, [["conversations", count(row.sessions)], ["with a person's message", `${count(row.interactive)} (${percent(row.interactive, row.sessions)})`]], `${percent(row.sessions, all)} of ${count(all)}`); } },
          xAxis: numbers(compact), yAxis: names(list.map((row) => short(row.label, 30)), { inverse: true, axisLine: { show: false }, axisLabel: { color: colour("--ink"), fontSize: 12 } }),
          series: [{ type: "bar", barWidth: 16, itemStyle: { color: colour("--accent") }, data: list.map((row) => row.sessions), label: { show: true, position: "right", color: colour("--quiet"), formatter: ({ value }) => percent(value, all) } }],
        },
        table: () => [[title, "Conversations", "Share", "With a person's message"], list.map((row) => [row.label, num(count(row.sessions)), num(percent(row.sessions, all)), num(count(row.interactive))])],
      };
    },
  });
  breakdown("Conversations by channel", "By the channel of a conversation's first message.", "channel", (row) => channelName(row.channel));
  breakdown("Conversations by language", "By the first language that a conversation's messages name.", "language", (row) => DATA.language_names[row.language]);

  const steps = [["s1", "1"], ["s2", "2"], ["s3", "3–5"], ["s6", "6–10"], ["s11", "11 or more"]];
  figure(section, {
    title: "How often people come back", filters: ["bot"],
    caption: "People by how many conversations they had in this data. A person is one user id of one bot: who uses two bots counts twice, and so does who comes without signing in and gets a new id. Returning: seen on two or more days.",
    draw() {
      const list = pick(USERS, "bot");
      const all = sum(list, "users");
      if (!all) return null;
      const back = sum(list, "returning");
      const values = steps.map(([key]) => sum(list, key));
      return {
        reading: `${percent(back, all)} returned on another day (${outOf(back, all)} people).`,
        height: 240,
        option: {
          grid: room({ top: 22 }),
          tooltip: { trigger: "axis", formatter: (points) => { const at = points[0].dataIndex; return tip(`${steps[at][1]} conversation${at ? "s" : ""}`, [["people", count(values[at])]], `${percent(values[at], all)} of ${count(all)}`); } },
          xAxis: names(steps.map(([, name]) => name)), yAxis: numbers(compact),
          series: [{ type: "bar", barCategoryGap: "30%", itemStyle: { color: colour("--accent") }, data: values, label: { show: true, position: "top", color: colour("--quiet"), formatter: ({ value }) => percent(value, all) } }],
        },
        table: () => [["Conversations", "People", "Share"], steps.map(([, name], at) => [name, num(count(values[at])), num(percent(values[at], all))])],
      };
    },
  });

  figure(section, {
    title: "Tags", long: true, filters: [],
    caption: "Tags that messages, people and conversations carry, by the number of conversations.",
    nothing: "No message, person or conversation carries a tag.",
    draw() {
      if (!TAGS.length) return null;
      const list = [...TAGS].sort(descending("sessions"));
      return { node: headOf(list, 7, sum(DATA.totals.tags_usage || [], (value) => value), "tags", (part) => dataTable("Tags", ["Tag", "Scope", "Messages", "Conversations", "People"], part.map((row) => [speech(`${row.name}: ${row.value}`), row.scope, num(count(row.messages)), num(count(row.sessions)), num(count(row.users))]))) };
    },
  });
}
