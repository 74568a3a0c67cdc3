// A figure: heading, reading, chart or table, caption, and the same numbers as a table; drawn anew when a filter changes.

const FIGURES = [];

/** A table with a caption for screen readers; cells are text, or nodes, or `{ num }` for numbers. */
function dataTable(caption, head, body) {
  const isNumber = head.map((_, column) => body.some((row) => row[column] && row[column].num !== undefined));
  const cell = (value, column) => {
    if (value && value.num !== undefined) return el("td", { class: "num" }, value.num);
    if (column === 0) return el("th", { scope: "row" }, value instanceof Node ? value : said(value));
    return el("td", {}, value instanceof Node ? value : value === "" ? "" : said(value));
  };
  return el("table", {},
    el("caption", { class: "visually-hidden" }, caption),
    el("thead", {}, el("tr", {}, head.map((name, column) => el("th", { scope: "col", class: isNumber[column] ? "num" : null }, name)))),
    el("tbody", {}, body.map((row) => el("tr", {}, row.map(cell)))));
}
const num = (text) => ({ num: text });

/**
 * Adds a figure to a section.
 *
 * `draw()` returns `null` where there is nothing to show, else `{ reading, option, height, table: [head, rows] }` for a
 * chart, or `{ reading, node }` for a table that is its own figure. `filters` names the filters that reach it.
 */
function figure(section, settings) {
  const id = `figure-${FIGURES.length + 1}`;
  const chart = el("div", { class: "chart grow" });
  const reading = el("p", { class: "reading" });
  const notice = el("p", { class: "notice" });
  const body = el("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": `${settings.title}: data` });
  const details = el("details", {}, el("summary", {}, "Show the numbers"), body);
  const node = el("figure", { class: `figure${settings.wide ? " wide" : ""}${settings.long ? " long" : ""}`, "aria-labelledby": id },
    el("div", { class: "figure-head" }, el("h3", { id }, settings.title), settings.controls || ""),
    reading, notice, settings.legend ? legend(settings.legend) : "", chart,
    el("figcaption", { class: "caption" }, settings.caption), details);
  section.append(node);
  const self = { settings, chart, instance: null, table: null };
  const fill = () => {
    if (details.open && self.table) body.replaceChildren(dataTable(settings.title, ...self.table()));
  };
  details.addEventListener("toggle", fill);
  self.update = () => {
    notice.textContent = outOfReach(settings.filters || []);
    const drawn = settings.draw();
    reading.textContent = drawn && drawn.reading ? drawn.reading : "";
    reading.hidden = !reading.textContent;
    details.hidden = !(drawn && drawn.table);
    self.table = drawn && drawn.table ? drawn.table : null;
    if (!drawn || !drawn.option) {
      if (self.instance) { self.instance.dispose(); self.instance = null; }
      chart.removeAttribute("role");
      chart.removeAttribute("aria-label");
      chart.removeAttribute("data-chart");
      chart.style.height = "auto";
      chart.replaceChildren(drawn && drawn.node ? drawn.node : el("p", { class: "nothing" }, settings.nothing || "Nothing to show: there is no such data in this selection."));
    } else {
      if (!self.instance) chart.replaceChildren();
      // Keys that do not fit on one line take room of their own.
      const lines = drawn.option.legend ? legendLines(drawn.option.legend.data, chart.clientWidth) : 1;
      const grid = drawn.option.grid;
      if (lines > 1 && grid) grid.top += 20 * (lines - 1);
      chart.style.height = `${(drawn.height || 260) + 20 * (lines - 1)}px`;
      chart.setAttribute("role", "img");
      chart.setAttribute("data-chart", "");
      chart.setAttribute("aria-label", `Chart. ${settings.title}. ${drawn.reading || ""} The numbers follow as a table.`);
      if (!self.instance) self.instance = echarts.init(chart, null, { renderer: "svg" });
      self.instance.resize();
      self.instance.setOption(base(drawn.option), { notMerge: true });
    }
    fill();
  };
  FIGURES.push(self);
}

/** How many lines the keys of a chart take, about. */
function legendLines(entries, width) {
  let [lines, used] = [1, 0];
  for (const name of entries) {
    const wide = 34 + 7 * name.length;
    if (used && used + wide > width) { lines += 1; used = 0; }
    used += wide;
  }
  return lines;
}

/** Says which of the filters in force have no column here. */
function outOfReach(reached) {
  const missed = ["bot", "channel"].filter((name) => chosen[name] >= 0 && !reached.includes(name));
  return missed.length ? `Not filtered by ${missed.join(" or ")}: these numbers are not kept by ${missed.join(" or ")}.` : "";
}

/** What all charts share: the type, the colours of the theme, tooltips that are nodes. */
function base(option) {
  const text = { color: colour("--quiet"), fontFamily: "inherit", fontSize: 12 };
  return {
    animation: false,
    textStyle: { fontFamily: getComputedStyle(document.body).fontFamily, color: colour("--ink") },
    ...option,
    legend: option.legend ? { left: 0, top: 0, itemWidth: 11, itemHeight: 11, itemGap: 16, icon: "roundRect", textStyle: text, inactiveColor: colour("--open"), ...option.legend } : undefined,
    tooltip: {
      confine: true, transitionDuration: 0, backgroundColor: colour("--card"), borderColor: colour("--rule"), padding: [8, 11],
      textStyle: { color: colour("--ink"), fontSize: 13 }, axisPointer: { type: "shadow", shadowStyle: { color: "rgba(120,130,145,0.12)" } },
      ...option.tooltip,
    },
  };
}

/** An axis of names, or of periods. */
function names(data, extra) {
  return {
    type: "category", data, axisTick: { show: false }, axisLine: { lineStyle: { color: colour("--rule") } },
    axisLabel: { color: colour("--quiet"), hideOverlap: true, fontSize: 12 }, ...extra,
  };
}
/** An axis of numbers. */
function numbers(format, extra) {
  return {
    type: "value", axisLine: { show: false }, axisTick: { show: false }, minorTick: { show: false },
    axisLabel: { color: colour("--quiet"), formatter: format, fontSize: 12, hideOverlap: true }, splitLine: { lineStyle: { color: colour("--grid") } }, splitNumber: 4, ...extra,
  };
}
const room = (extra) => ({ left: 4, right: 12, top: 36, bottom: 4, outerBoundsMode: "same", outerBoundsContain: "axisLabel", ...extra });

/** Colours that a table's bars use. */
function legend(entries) {
  return el("ul", { class: "legend" }, entries.map(([name, variable]) => {
    const mark = el("span", { class: "mark", "aria-hidden": "true" });
    mark.style.background = `var(${variable})`;
    return el("li", {}, mark, name);
  }));
}

/** Two or three buttons of which one is pressed; calls back when that changes. */
function choice(label, options, change) {
  const group = el("span", { class: "switch", role: "group", "aria-label": label });
  options.forEach(([value, name], at) => {
    group.append(el("button", {
      type: "button", "aria-pressed": at === 0 ? "true" : "false",
      onclick: (event) => {
        for (const other of group.children) other.setAttribute("aria-pressed", String(other === event.currentTarget));
        change(value);
      },
    }, name));
  });
  return group;
}
/** Draws anew the figure that a switch belongs to. */
const redraw = (control) => FIGURES.find((figure) => figure.settings.controls === control).update();

/** A bar in a table's cell: parts of `whole`, each `[value, colour variable, name]`. */
function track(parts, whole, full) {
  const line = el("div", { class: full ? "track full" : "track", "aria-hidden": "true" });
  for (const [value, variable, name] of parts) {
    if (!value) continue;
    const part = el("span", { title: name ? `${name}: ${outOf(value, whole)} (${percent(value, whole)})` : null });
    part.style.width = `${(100 * value) / (whole || 1)}%`;
    part.style.background = `var(${variable})`;
    line.append(part);
  }
  return line;
}

/** The head of a long table, and a button for the rest of what the page holds. */
function headOf(list, first, total, noun, make) {
  const box = el("div", {});
  const note = (shown) => total > shown ? `Top ${count(shown)} of ${count(total)} ${noun}.` : `All ${count(total)} ${noun}.`;
  const line = el("p", { class: "caption" }, note(Math.min(first, list.length)));
  box.append(make(list.slice(0, first)), line);
  if (list.length > first) {
    const button = el("button", { type: "button", class: "more", onclick: () => {
      box.firstChild.replaceWith(make(list));
      line.textContent = note(list.length);
      button.remove();
    } }, `Show ${count(list.length)}`);
    box.append(button);
  }
  return box;
}

/**
 * Rows of points on one scale, with a line between the outermost: `rows` are `{ label, points: [value…], tip }`, `series`
 * are `[name, colour variable, hollow]`, one a point. Hollow ones are rings around the others, unless `fill` is set.
 */
function dots(list, series, format, extra, fill) {
  const labels = list.map((row) => row.label);
  return {
    legend: { data: series.map(([name]) => name), icon: "circle", selectedMode: false },
    grid: room({ top: 34 }),
    tooltip: { trigger: "axis", formatter: (points) => list[points[0].dataIndex].tip() },
    xAxis: numbers(format, extra),
    yAxis: names(labels, { inverse: true, axisLine: { show: false }, axisLabel: { color: colour("--ink"), width: 170, overflow: "truncate", fontSize: 12, interval: 0 } }),
    series: [
      {
        type: "custom", silent: true, tooltip: { show: false }, z: 1, encode: { x: [0, 1], y: 2 },
        data: list.map((row, at) => { const known = row.points.filter((value) => value !== null); return [Math.min(...known), Math.max(...known), at]; }),
        renderItem: (_, api) => {
          const [from, to] = [api.coord([api.value(0), api.value(2)]), api.coord([api.value(1), api.value(2)])];
          return { type: "line", shape: { x1: from[0], y1: from[1], x2: to[0], y2: to[1] }, style: { stroke: colour("--rule"), lineWidth: 4, lineCap: "round" } };
        },
      },
      ...series.map(([name, variable, hollow], which) => ({
        name, type: "scatter", symbol: "circle", symbolSize: hollow && !fill ? 16 : 10, z: 3, data: list.map((row, at) => [row.points[which], at]),
        itemStyle: hollow ? { color: fill ? colour("--card") : "transparent", borderColor: colour(variable), borderWidth: 2, opacity: 1 } : { color: colour(variable), opacity: 1 },
      })),
    ],
  };
}
