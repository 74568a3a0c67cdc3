// How far the numbers can be trusted: the books, what is missing, what differs from what was expected, the definitions.

const DRIFT = rows(DATA.drift);
const DRIFT_KINDS = {
  unknown_key: "a key that is not known", type_conflict: "a value of another type", new_enum_value: "a new value in a closed list",
  time_disagreement: "two times more than 1 s apart", order_inversion: "messages out of order", unknown_template: "a template of an unknown kind",
};
const BOOKS = [["kept", "Kept", "--accent"], ["duplicate", "Duplicates", "--accent-soft"], ["superseded", "Older copies", "--open"], ["filtered", "Filtered out", "--none"], ["rejected", "Rejected", "--drop"]];

function sectionTrust(section) {
  figure(section, {
    title: "What became of every message read", wide: true, filters: [],
    caption: "Every message is in exactly one of these. Duplicates are equal copies, as pages that overlap have them; older copies lost against a newer version of the same message. Rejected could not be read: what they said is missing from every figure.",
    draw() {
      const books = FACTS.messages;
      if (!books.seen) return null;
      return {
        reading: `${count(books.seen)} seen = ${BOOKS.map(([key, name]) => `${count(books[key])} ${name.toLowerCase()}`).join(" + ")}.`,
        height: 84,
        option: {
          legend: { data: BOOKS.map(([, name]) => name), selectedMode: false }, grid: room({ bottom: 4 }),
          tooltip: { formatter: ({ seriesIndex }) => { const [key, name] = BOOKS[seriesIndex]; return tip(name, [["messages", count(books[key])]], `${percent(books[key], books.seen)} of ${count(books.seen)} seen`); } },
          xAxis: numbers(compact, { max: books.seen, axisLabel: { show: false }, splitLine: { show: false } }), yAxis: names([""], { axisLine: { show: false } }),
          series: BOOKS.map(([key, name, variable]) => ({ name, type: "bar", stack: "all", barWidth: 22, itemStyle: { color: colour(variable), borderColor: colour("--card"), borderWidth: books[key] ? 1 : 0 }, data: [books[key]] })),
        },
        table: () => [["", "Messages", "Share", "Records"], BOOKS.map(([key, name]) => [name, num(count(books[key])), num(percent(books[key], books.seen)), num(count(FACTS.records[key]))]).concat([["Seen", num(count(books.seen)), num(books.seen ? "100 %" : "–"), num(count(FACTS.records.seen))]])],
      };
    },
  });

  figure(section, {
    title: "Is anything missing?", filters: [], long: true,
    caption: "The API says how many messages a query has. Where fewer were read, pages are missing. Queries marked inferred were pieced together from the pages themselves, as the request was not saved.",
    draw() {
      const list = FACTS.queries;
      const pages = FACTS.page_statuses;
      if (!list.length && !pages.length) return null;
      const short = list.filter((query) => query.problem || query.total === null);
      const state = list.length ? dataTable("Completeness", ["Query", "Said to exist", "Read", "Finding"], [...short, ...list.filter((query) => !short.includes(query))].slice(0, 12).map((query) => [speech(query.label, query.inferred ? "inferred" : ""), num(query.total === null ? "not said" : count(query.total)), num(count(query.seen)), query.problem || (query.total === null ? "cannot be checked" : "complete")])) : "";
      return {
        reading: FACTS.queries_total ? `${count(FACTS.queries_incomplete)} of ${plural(FACTS.queries_total, "query", "queries")} ${FACTS.queries_incomplete === 1 ? "is" : "are"} incomplete or cannot be checked.` : "Whether pages are missing could not be told.",
        node: el("div", {}, state, pages.length ? dataTable("Pages", ["Pages", "Number"], pages.map(({ name, count: value }) => [name.replace(/_/g, " "), num(count(value))])) : ""),
      };
    },
  });

  figure(section, {
    title: "What the window cuts, and what is left out", filters: [],
    caption: "Data has edges: a conversation under way at the first or the last moment is seen only in part. Developer conversations are test runs from the bot builder; lite and call data do not say whether a developer was at work.",
    draw() {
      const sums = endings(SESSIONS);
      const list = [
        ["Conversations without cut ones", num(outOf(sums.uncutSessions, sums.sessions))],
        ["Still open at the end", num(count(sums.open))],
        ["Cut at the start of the window", num(count(FACTS.left_cut))],
        ["Cut at the end of the window", num(count(FACTS.right_cut))],
        [FACTS.include_developers ? "Developer conversations, included" : "Developer conversations, left out", num(count(FACTS.developer_sessions))],
        ["Conversations that may be a developer's (not said)", num(count(FACTS.developer_unknown))],
        ["Messages of no conversation", num(count(FACTS.unsessioned))],
        ["Messages without a time", num(count(FACTS.untimed))],
      ].filter((row) => row[1].num !== "–");
      return { node: dataTable("Cut and left out", ["What", "Number"], list) };
    },
  });

  figure(section, {
    title: "Why something was rejected", filters: [],
    caption: "korpus convert keeps each rejected piece, with its place and its bytes.", nothing: "Nothing was rejected.",
    draw() {
      if (!FACTS.rejects.length) return null;
      const all = sum(FACTS.rejects, "count");
      const top = largest(FACTS.rejects, "count");
      return { node: dataTable("Rejects", ["Reason", "Rejected", "Share", ""], FACTS.rejects.map(({ name, count: value }) => [name.replace(/_/g, " "), num(count(value)), num(percent(value, all)), barOf(value, top, "--drop")])) };
    },
  });

  figure(section, {
    title: "Where the data is not as documented", filters: [], long: true,
    caption: "Drift: fields, values and templates that the program does not know, or that contradict one another. New ones after an update of the platform are worth a look; the figures above use what is known.",
    nothing: "Nothing unexpected was found.",
    draw() {
      if (!DRIFT.length) return null;
      const list = [...DRIFT].sort(descending("count"));
      return { node: headOf(list, 8, sum(DATA.totals.drift || [], (value) => value), "findings", (part) => dataTable("Drift", ["Field", "What", "Times", "First seen in"], part.map((row) => [row.field, DRIFT_KINDS[row.kind] || row.kind, num(count(row.count)), speech(row.source)]))) };
    },
  });

  const definitions = el("dl", { class: "definitions" });
  for (const [word, column, formula, caveat, platform] of DATA.definitions) {
    definitions.append(
      el("dt", {}, word, el("code", { class: "sub" }, column)),
      el("dd", {}, formula, caveat ? el("span", { class: "sub" }, `Keep in mind: ${caveat}`) : "", platform ? el("span", { class: "sub" }, `The platform's own: ${platform}`) : ""));
  }
  section.append(el("div", { class: "figure wide long" }, el("h3", {}, `What the words mean (rules version ${FACTS.rules_version})`), el("p", { class: "caption" }, "Exactly, as the tables beside this file declare them; “in” is a message from a person, “out” one to a person."), definitions));
}
