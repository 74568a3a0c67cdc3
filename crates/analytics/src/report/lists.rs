//! Long tables on a page: of each bot the heaviest rows, and how many rows there are in all.

use std::collections::HashMap;

use serde_json::{Map, Value, json};

use super::columns::{Flags, Floats, Ints, Table, Texts};
use super::digest::Digest;
use super::dimensions::Names;
use super::text::Shortened;
use crate::metrics::Metric;

/// More tasks of a path than these are not written.
const STEPS: usize = 24;

/// What the page takes of a table.
struct List {
    /// What the page calls it.
    name: &'static str,
    metric: Metric,
    /// How many rows: of each bot where the table has bots, else in all.
    most: usize,
    /// The column that says which rows are the heaviest. Those of weight 0 have nothing to say, and do not count.
    weight: &'static str,
    by_bot: bool,
    /// Whether rows of a single session stay out, as what only one person wrote may name them.
    shared: bool,
    /// What the page calls a column, what it holds, and what the table calls it.
    cells: &'static [(&'static str, Kind, &'static str)],
}

#[derive(Debug, Clone, Copy)]
enum Kind {
    /// What people or bots said.
    Said,
    /// The name of something.
    Name,
    /// Names joined to a path, as an array.
    Path,
    /// What the bot said, by its hash, where another table tells it.
    Prompt,
    Int,
    Rounded,
    Flag,
}
use Kind::{Flag, Int, Name, Path, Prompt, Rounded, Said};

const LISTS: &[List] = &[
    List {
        name: "drop_offs",
        metric: Metric::DropOffPoints,
        most: 40,
        weight: "sessions",
        by_bot: true,
        shared: false,
        cells: &[
            ("task", Name, "task"),
            ("template_type", Name, "template_type"),
            ("text", Said, "text"),
            ("sessions", Int, "sessions"),
        ],
    },
    List {
        name: "reprompts",
        metric: Metric::Reprompts,
        most: 30,
        weight: "loops",
        by_bot: true,
        shared: false,
        cells: &[
            ("text", Said, "text"),
            ("loops", Int, "loops"),
            ("longest", Int, "longest"),
            ("answer", Int, "left_by_answer"),
            ("handoff", Int, "left_by_handoff"),
            ("drop_off", Int, "left_by_drop_off"),
            ("other", Int, "left_by_other"),
        ],
    },
    List {
        name: "fallbacks",
        metric: Metric::TopInputs,
        most: 30,
        weight: "fallbacks",
        by_bot: true,
        shared: true,
        cells: INPUT_CELLS,
    },
    List {
        name: "top_inputs",
        metric: Metric::TopInputs,
        most: 30,
        weight: "count",
        by_bot: true,
        shared: true,
        cells: INPUT_CELLS,
    },
    List {
        name: "tasks",
        metric: Metric::Tasks,
        most: 40,
        weight: "sessions",
        by_bot: true,
        shared: false,
        cells: &[
            ("task", Name, "task"),
            ("sessions", Int, "sessions"),
            ("executions", Int, "executions"),
            ("agent", Int, "agent"),
            ("none", Int, "none"),
            ("open", Int, "open"),
            ("drop_off", Int, "drop_off"),
            ("self_service", Int, "self_service"),
        ],
    },
    List {
        name: "task_edges",
        metric: Metric::TaskEdges,
        most: 90,
        weight: "transitions",
        by_bot: true,
        shared: false,
        cells: &[
            ("task", Name, "task"),
            ("next", Name, "next_task"),
            ("end", Flag, "is_outcome"),
            ("transitions", Int, "transitions"),
            ("sessions", Int, "sessions"),
        ],
    },
    List {
        name: "path_variants",
        metric: Metric::PathVariants,
        most: 30,
        weight: "sessions",
        by_bot: true,
        shared: false,
        cells: &[
            ("path", Path, "path"),
            ("sessions", Int, "sessions"),
            ("median_ms", Rounded, "median_duration_ms"),
        ],
    },
    List {
        name: "actions_usage",
        metric: Metric::ActionsUsage,
        most: 50,
        weight: "shown",
        by_bot: true,
        shared: false,
        cells: &[
            ("prompt", Prompt, "prompt_text_hash"),
            ("template_type", Name, "template_type"),
            ("action_type", Name, "action_type"),
            ("title", Name, "title"),
            ("payload", Name, "payload"),
            ("shown", Int, "shown"),
            ("matched", Int, "matched"),
            ("ambiguous", Int, "ambiguous"),
            ("measurable", Flag, "measurable"),
        ],
    },
    List {
        name: "forms",
        metric: Metric::Forms,
        most: 15,
        weight: "displayed",
        by_bot: true,
        shared: false,
        cells: &[
            ("form_id", Name, "form_id"),
            ("form_name", Name, "form_name"),
            ("displayed", Int, "displayed"),
            ("opened", Int, "status_opened"),
            ("unknown", Int, "unknown"),
            ("sessions", Int, "sessions"),
        ],
    },
    List {
        name: "templates_usage",
        metric: Metric::TemplatesUsage,
        most: 20,
        weight: "shown",
        by_bot: true,
        shared: false,
        cells: &[
            ("template_type", Name, "template_type"),
            ("shown", Int, "shown"),
            ("responded", Int, "responded"),
            ("sessions", Int, "sessions"),
        ],
    },
    List {
        name: "tags_usage",
        metric: Metric::TagsUsage,
        most: 60,
        weight: "sessions",
        by_bot: false,
        shared: true,
        cells: &[
            ("scope", Name, "scope"),
            ("name", Name, "name"),
            ("value", Name, "tag_value"),
            ("messages", Int, "messages"),
            ("sessions", Int, "sessions"),
            ("users", Int, "users"),
        ],
    },
    List {
        name: "drift",
        metric: Metric::Drift,
        most: 80,
        weight: "count",
        by_bot: false,
        shared: false,
        cells: &[
            ("field", Name, "field"),
            ("kind", Name, "kind"),
            ("value", Name, "value"),
            ("count", Int, "count"),
            ("source", Name, "first_source"),
        ],
    },
];

const INPUT_CELLS: &[(&str, Kind, &str)] = &[
    ("text", Said, "text"),
    ("language", Name, "language"),
    ("count", Int, "count"),
    ("sessions", Int, "sessions"),
    ("fallbacks", Int, "fallbacks"),
];

/// The lists by name, and how many rows each has in all, by bot. `share` divides how many rows are taken.
pub(super) fn lists(digest: &Digest, bots: &Names, share: usize) -> (Map<String, Value>, Map<String, Value>) {
    let mut lists = Map::new();
    let mut totals = Map::new();
    for list in LISTS {
        let groups = if list.by_bot { bots.shown.len() } else { 1 };
        let place = |bot: Option<&str>| if list.by_bot { bots.of(bot) } else { 0 };
        let table = digest.table(list.metric);
        let rows = list.heaviest(table, groups, place, (list.most / share).max(1));
        lists.insert(list.name.to_owned(), list.written(table, &rows, &digest.prompts));
        let mut total = vec![0; groups];
        for (bot, count) in digest.totals(list.name) {
            if let Some(total) = total.get_mut(place(bot)) {
                *total += count;
            }
        }
        totals.insert(list.name.to_owned(), json!(total));
    }
    (lists, totals)
}

/// Calls `each` with list and bot of every row that could stand in a list of the table.
pub(super) fn count(metric: Metric, table: Table<'_>, mut each: impl FnMut(&'static str, Option<&str>)) {
    for list in LISTS.iter().filter(|list| list.metric == metric) {
        list.each(table, |_, bot, _| each(list.name, bot));
    }
}

/// The rows of a table that stand in a list whatever else there is, in order; `None` for tables that are no list.
pub(super) fn heaviest_rows(metric: Metric, table: Table<'_>) -> Option<Vec<u32>> {
    let mut rows: Option<Vec<u32>> = None;
    for list in LISTS.iter().filter(|list| list.metric == metric) {
        let mut bots: HashMap<Option<String>, usize> = HashMap::new();
        list.each(table, |_, bot, _| {
            let next = bots.len();
            bots.entry(bot.map(str::to_owned)).or_insert(next);
        });
        let place = |bot: Option<&str>| bots.get(&bot.map(str::to_owned)).copied().unwrap_or(0);
        let found = list.heaviest(table, bots.len(), place, list.most);
        rows.get_or_insert_default().extend(found.into_iter().map(|(_, row)| row as u32));
    }
    if let Some(rows) = &mut rows {
        rows.sort_unstable();
        rows.dedup();
    }
    rows
}

impl List {
    /// Calls `each` with weight, bot and number of every row that has something to say.
    fn each<'a>(&self, table: Table<'a>, mut each: impl FnMut(i64, Option<&'a str>, usize)) {
        let weights = table.ints(self.weight);
        let bots = self.by_bot.then(|| table.texts("bot_id"));
        let sessions = self.shared.then(|| table.ints("sessions"));
        for row in 0..table.rows() {
            let weight = weights.or_zero(row);
            if weight > 0 && sessions.is_none_or(|sessions| sessions.or_zero(row) >= 2) {
                each(weight, bots.and_then(|bots| bots.get(row)), row);
            }
        }
    }

    /// The heaviest rows of each group of bots, with their group.
    fn heaviest(
        &self,
        table: Table<'_>,
        groups: usize,
        group_of: impl Fn(Option<&str>) -> usize,
        most: usize,
    ) -> Vec<(usize, usize)> {
        let mut by_group: Vec<Vec<(i64, usize)>> = vec![Vec::new(); groups];
        self.each(table, |weight, bot, row| {
            if let Some(group) = by_group.get_mut(group_of(bot)) {
                group.push((-weight, row));
            }
        });
        let mut rows = Vec::new();
        for (at, mut group) in by_group.into_iter().enumerate() {
            if group.len() > most {
                group.select_nth_unstable(most);
                group.truncate(most);
            }
            group.sort_unstable();
            rows.extend(group.into_iter().map(|(_, row)| (at, row)));
        }
        rows
    }

    /// The rows as columns.
    fn written(&self, table: Table<'_>, rows: &[(usize, usize)], prompts: &HashMap<String, String>) -> Value {
        let mut columns = Map::new();
        if self.by_bot {
            columns.insert("bot".to_owned(), rows.iter().map(|&(bot, _)| json!(bot)).collect());
        }
        for &(name, kind, column) in self.cells {
            let cell = Cell::of(table, kind, column);
            columns.insert(name.to_owned(), rows.iter().map(|&(_, row)| cell.value(row, prompts)).collect());
        }
        Value::Object(columns)
    }
}

/// A column, and how it is written.
enum Cell<'a> {
    Text(Kind, Texts<'a>),
    Int(Ints<'a>),
    Rounded(Floats<'a>),
    Flag(Flags<'a>),
}

impl<'a> Cell<'a> {
    fn of(table: Table<'a>, kind: Kind, column: &str) -> Self {
        match kind {
            Said | Name | Path | Prompt => Self::Text(kind, table.texts(column)),
            Int => Self::Int(table.ints(column)),
            Rounded => Self::Rounded(table.floats(column)),
            Flag => Self::Flag(table.flags(column)),
        }
    }

    fn value(&self, row: usize, prompts: &HashMap<String, String>) -> Value {
        match self {
            Self::Text(kind, column) => {
                let Some(text) = column.get(row) else { return Value::Null };
                match kind {
                    Said => json!(Shortened::said(text).0),
                    Path => path(text),
                    Prompt => prompts.get(text).map_or(Value::Null, |text| json!(Shortened::name(text).0)),
                    _ => json!(Shortened::name(text).0),
                }
            }
            Self::Int(column) => json!(column.get(row)),
            Self::Rounded(column) => json!(column.get(row).map(rounded)),
            Self::Flag(column) => json!(column.get(row).unwrap_or(false)),
        }
    }
}

/// To whole milliseconds.
pub(super) fn rounded(value: f64) -> i64 {
    // Saturates, and what is no number becomes 0.
    value.round() as i64
}

/// The tasks of a path, the last of very many left out.
fn path(text: &str) -> Value {
    if text.is_empty() {
        return json!([]);
    }
    let mut steps: Vec<String> = text.split(" > ").take(STEPS).map(|step| Shortened::step(step).0).collect();
    if text.split(" > ").nth(STEPS).is_some() {
        steps.push("…".to_owned());
    }
    json!(steps)
}
