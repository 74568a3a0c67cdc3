//! Tables and facts to draw a page from: six weeks of a shop's two bots, by a fixed recipe.

mod harm;

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanArray, Date32Array, Float64Array, Int32Array, Int64Array, StringArray,
    TimestampMicrosecondArray,
};
use arrow::record_batch::RecordBatch;
use korpus_engine::Books;
use serde_json::{Map, Value, json};

use super::columns::Table;
use super::{Facts, QueryFact, Tally};
use crate::metrics::{Metric, MetricKind, RULES_VERSION};
use crate::sketch::{Sketch, bucket_of};

pub(super) use harm::{HOSTILE, hostile, huge};

/// 2 March 2026, a Monday.
const FIRST_DAY: i64 = 20_514;
const DAYS: i64 = 42;
const BOTS: [&str; 2] = ["st-shop-assistant", "st-bill-helper"];
const CHANNELS: [&str; 4] = ["rtm", "ivrVoice", "whatsapp", "msteams"];
const TASKS: [&str; 10] = [
    "Welcome",
    "Track Order",
    "Return an Item",
    "Change Delivery Address",
    "Opening Hours",
    "Talk to an Agent",
    "Pay Invoice",
    "Reset Password",
    "Product Questions",
    "返品の手続き",
];

/// A table of the schema of its metric: what a row does not say is null, or 0, or false.
pub(super) fn batch(metric: Metric, rows: &[Map<String, Value>]) -> RecordBatch {
    let int = |row: &Map<String, Value>, name: &str| row.get(name).and_then(Value::as_i64);
    let columns = metric.columns().map(|column| -> ArrayRef {
        let name = column.name;
        let whole = |row| match int(row, name) {
            None if name == "rules_version" => Some(i64::from(RULES_VERSION)),
            None if !column.nullable => Some(0),
            value => value,
        };
        let short = |row| whole(row).map(|value| i32::try_from(value).unwrap());
        match column.kind {
            MetricKind::Text | MetricKind::Id | MetricKind::Json => {
                let text =
                    |row: &Map<String, Value>| row.get(name).and_then(Value::as_str).map(str::to_owned);
                let or_empty = |text: Option<String>| {
                    if column.nullable { text } else { text.or_else(|| Some(String::new())) }
                };
                Arc::new(rows.iter().map(|row| or_empty(text(row))).collect::<StringArray>())
            }
            MetricKind::Int | MetricKind::Millis => Arc::new(rows.iter().map(whole).collect::<Int64Array>()),
            MetricKind::Small => Arc::new(rows.iter().map(short).collect::<Int32Array>()),
            MetricKind::Date => Arc::new(rows.iter().map(short).collect::<Date32Array>()),
            MetricKind::Float => {
                let number = |row: &Map<String, Value>| row.get(name).and_then(Value::as_f64);
                let or_zero = |value: Option<f64>| if column.nullable { value } else { value.or(Some(0.0)) };
                Arc::new(rows.iter().map(|row| or_zero(number(row))).collect::<Float64Array>())
            }
            MetricKind::Bool => {
                let flag = |row: &Map<String, Value>| row.get(name).and_then(Value::as_bool);
                let or_false =
                    |value: Option<bool>| if column.nullable { value } else { value.or(Some(false)) };
                Arc::new(rows.iter().map(|row| or_false(flag(row))).collect::<BooleanArray>())
            }
            MetricKind::Timestamp => {
                Arc::new(rows.iter().map(whole).collect::<TimestampMicrosecondArray>().with_timezone("UTC"))
            }
        }
    });
    RecordBatch::try_new(metric.arrow_schema(), columns.collect()).unwrap()
}

/// A fixed recipe of numbers that look like chance.
struct Recipe(u64);

impl Recipe {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        self.0 >> 33
    }

    /// Between 0 and 1.
    fn part(&mut self) -> f64 {
        (self.next() % 10_000) as f64 / 10_000.0
    }

    fn about(&mut self, value: f64) -> i64 {
        (value * (0.85 + 0.3 * self.part())).round() as i64
    }

    /// Waits: most are short, few are very long.
    fn wait(&mut self, median: f64) -> i64 {
        let spread = self.part() + self.part() + self.part() - 1.5;
        let tail = if self.next().is_multiple_of(50) { 6.0 } else { 1.0 };
        (median * (1.6 * spread).exp() * tail) as i64
    }
}

type Rows = Vec<Map<String, Value>>;

fn row(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}

/// How busy a channel of a bot is on a day.
fn load(day: i64, bot: usize, channel: usize) -> f64 {
    let weekday = [1.25, 1.1, 1.0, 1.0, 0.9, 0.45, 0.35][(day % 7) as usize];
    let bot = [1.0, 0.45][bot];
    let channel = [120.0, 60.0, 34.0, 7.0][channel];
    let sale = if (24..27).contains(&day) { 1.8 } else { 1.0 };
    weekday * bot * channel * sale * (1.0 + 0.006 * day as f64)
}

/// Six weeks of two bots.
pub(super) fn tables() -> BTreeMap<&'static str, RecordBatch> {
    let mut recipe = Recipe(7);
    let mut by_metric: BTreeMap<Metric, Rows> = BTreeMap::new();
    let mut put = |metric: Metric, value: Value| by_metric.entry(metric).or_default().push(row(value));
    for day in 0..DAYS {
        for (bot, bot_id) in BOTS.iter().enumerate() {
            for (channel, name) in CHANNELS.iter().enumerate().filter(|&(at, _)| bot == 0 || at < 3) {
                for (language, part) in [("en", 0.7), ("de", 0.2), ("ja", 0.1)] {
                    let sessions = recipe.about(load(day, bot, channel) * part);
                    summary(&mut put, &mut recipe, (day, bot_id, name, language), sessions, bot, channel);
                }
                for kind in ["bot_response", "agent_response", "think", "platform_total", "platform_asr"] {
                    waits(&mut put, &mut recipe, (day, bot_id, name, kind), load(day, bot, channel), channel);
                }
            }
        }
    }
    week(&mut put, &mut recipe);
    texts(&mut put, &mut recipe);
    people(&mut put, &mut recipe);
    by_metric.into_iter().map(|(metric, rows)| (metric.name(), batch(metric, &rows))).collect()
}

fn summary(
    put: &mut impl FnMut(Metric, Value),
    recipe: &mut Recipe,
    (day, bot_id, channel, language): (i64, &str, &str, &str),
    sessions: i64,
    bot: usize,
    at: usize,
) {
    let share = |recipe: &mut Recipe, part: f64| recipe.about(sessions as f64 * part).min(sessions);
    let agent = share(recipe, [0.16, 0.27][bot] + if at == 1 { 0.06 } else { 0.0 });
    let waiting = share(recipe, if (24..27).contains(&day) { 0.17 } else { 0.1 });
    let fallback = share(recipe, 0.045);
    let no_response = share(recipe, 0.02);
    let none = share(recipe, 0.05);
    let open = if day == DAYS - 1 { share(recipe, 0.12) } else { 0 };
    let drop_off = waiting + fallback + no_response;
    let self_service = (sessions - agent - drop_off - none - open).max(0);
    let sessions = agent + drop_off + none + open + self_service;
    let cut = if day == 0 { sessions / 3 } else { sessions / 60 };
    // Conversations that began before the data does break off more often.
    let less = |name: &str, value: i64| {
        let part = if matches!(name, "drop_off" | "left_waiting" | "dropped") { 5 } else { 1 };
        value - if sessions == 0 { 0 } else { (value * cut * part / sessions).min(value) }
    };
    let connected = agent * 7 / 10;
    let mut values = row(json!({
        "day": FIRST_DAY + day, "bot_id": bot_id, "channel": channel, "language": language, "session_kind": "bot",
        "turns": sessions * 4, "messages": sessions * 11, "duration_sum_ms": sessions * 260_000,
    }));
    let counts = [
        ("sessions", sessions),
        ("interactive", sessions - none),
        ("agent", agent),
        ("none", none),
        ("open", open),
        ("drop_off", drop_off),
        ("no_response", no_response),
        ("fallback", fallback),
        ("left_waiting", waiting),
        ("self_service", self_service),
        ("handoff_connected", connected),
        ("handoff_requested", agent - connected),
        ("timeout_closed", sessions / 5),
        ("containment_base", agent + drop_off + self_service),
        ("contained", self_service),
        ("transferred", agent),
        ("dropped", drop_off),
    ];
    for (name, count) in counts {
        values.insert(name.to_owned(), json!(count));
        values.insert(format!("{name}_uncut"), json!(less(name, count)));
    }
    put(Metric::SessionSummary, Value::Object(values));
    for (kind, part) in [("incoming", 4), ("outgoing", 6), ("event", 1)] {
        put(
            Metric::Volumes,
            json!({
                "event_date": FIRST_DAY + day, "event_hour": 12, "bot_id": bot_id, "channel": channel,
                "language": language, "message_type": kind, "messages": sessions * part, "sessions": sessions,
            }),
        );
    }
}

fn waits(
    put: &mut impl FnMut(Metric, Value),
    recipe: &mut Recipe,
    (day, bot_id, channel, kind): (i64, &str, &str, &str),
    load: f64,
    at: usize,
) {
    let (median, part) = match kind {
        "bot_response" => ([900.0, 1_700.0, 1_200.0, 1_000.0][at], 0.5),
        "agent_response" => (34_000.0, 0.1),
        "think" => ([11_000.0, 4_000.0, 26_000.0, 15_000.0][at], 0.5),
        _ if at != 1 => return,
        "platform_total" => (1_500.0, 0.3),
        _ => (380.0, 0.3),
    };
    for (place, task) in TASKS.iter().enumerate() {
        let slow = if place == 6 { 2.6 } else { 0.7 + 0.1 * place as f64 };
        let slow = if kind == "bot_response" { slow } else { 1.0 };
        let mut values: Vec<i64> = (0..recipe.about(load * part / (1.0 + place as f64)))
            .map(|_| recipe.wait(median * slow))
            .collect();
        values.sort_unstable();
        let Some((&min, &max)) = values.first().zip(values.last()) else { continue };
        let mut sketch = Sketch::default();
        sketch.add_all(values.iter().map(|&value| (bucket_of(value), 1)));
        let key = json!({
            "day": FIRST_DAY + day, "bot_id": bot_id, "channel": channel, "task": task, "kind": kind,
        });
        for (bucket, count) in sketch.buckets() {
            let mut bucket_row = row(key.clone());
            bucket_row.extend(row(json!({ "bucket": bucket, "count": count })));
            put(Metric::LatencyBuckets, Value::Object(bucket_row));
        }
        let mut latency = row(key);
        latency.extend(row(json!({
            "count": values.len(), "min_ms": min, "max_ms": max, "sum_ms": values.iter().sum::<i64>(),
        })));
        put(Metric::Latency, Value::Object(latency));
    }
}

fn week(put: &mut impl FnMut(Metric, Value), recipe: &mut Recipe) {
    for weekday in 1..=7_i64 {
        for hour in 0..24_i64 {
            let noon = (-((hour - 11) as f64 / 4.0).powi(2)).exp()
                + 0.7 * (-((hour - 20) as f64 / 2.5).powi(2)).exp();
            for (channel, name) in CHANNELS.iter().enumerate() {
                let sessions = recipe.about(6.0 * load(weekday - 1, 0, channel) * (0.02 + noon) / 8.0);
                put(
                    Metric::Heatmap,
                    json!({ "weekday": weekday, "hour": hour, "channel": name, "sessions": sessions, "messages": sessions * 11 }),
                );
            }
        }
    }
    for day in 0..DAYS {
        for hour in 6..23 {
            let peak = recipe.about(load(day, 0, 0) / 9.0 * (1.0 + f64::from(u8::from(hour == 11))));
            put(Metric::Concurrency, json!({ "day": FIRST_DAY + day, "hour": hour, "peak": peak }));
        }
    }
}

fn texts(put: &mut impl FnMut(Metric, Value), recipe: &mut Recipe) {
    let prompts = [
        (
            "Track Order",
            "button",
            "Which order would you like to track? You can tell me the number that stands in your confirmation, or choose one of your last orders:",
        ),
        ("Pay Invoice", "form", "Please fill in the form below so that we can take the payment."),
        ("Return an Item", "quick_replies", "Why would you like to return it?"),
        ("Reset Password", "text", "Please enter the six digits that we have just sent you."),
        ("Change Delivery Address", "text", "What is the new address?"),
        ("Product Questions", "carousel", "Here is what I found. Does one of these answer your question?"),
        ("返品の手続き", "text", "ご注文番号を入力していただけますか？"),
        ("Track Order", "text", "Sorry, I did not understand that. Could you put it another way?"),
        ("Opening Hours", "text", "Which of our shops do you mean?"),
        ("Pay Invoice", "text", "The card was declined. Would you like to try another one?"),
        ("Talk to an Agent", "text", "All our agents are busy at the moment. Would you like to wait?"),
    ];
    for (bot, bot_id) in BOTS.iter().enumerate() {
        for (at, (task, template, text)) in prompts.iter().enumerate() {
            let weight = 400.0 / (1.0 + at as f64) / (1.0 + bot as f64);
            let hash = format!("{at:016x}");
            put(
                Metric::DropOffPoints,
                json!({ "bot_id": bot_id, "task": task, "template_type": template, "text_hash": hash, "text": text, "sessions": recipe.about(weight) }),
            );
            if at % 2 == 1 {
                let [answer, handoff, drop_off] = [0.5, 0.2, 0.25].map(|part| recipe.about(weight * part));
                put(
                    Metric::Reprompts,
                    json!({
                        "bot_id": bot_id, "text_hash": hash, "text": text, "loops": answer + handoff + drop_off + 3, "longest": 2 + at,
                        "left_by_answer": answer, "left_by_handoff": handoff, "left_by_drop_off": drop_off, "left_by_other": 3,
                    }),
                );
            }
            for (button, title) in ["Yes", "No", "My last order", "Something else", "Open the map"]
                .iter()
                .enumerate()
                .filter(|_| at % 3 == 0)
            {
                let shown = recipe.about(weight * 4.0);
                let is_link = button == 4;
                put(
                    Metric::ActionsUsage,
                    json!({
                        "bot_id": bot_id, "prompt_text_hash": hash, "template_type": template,
                        "action_type": if is_link { "url" } else { "postback" }, "title": title,
                        "payload": format!("payload_{at}_{button}"), "shown": shown, "matched": if is_link { 0 } else { shown * (4 - button as i64) / 9 },
                        "ambiguous": shown / 90, "measurable": !is_link,
                    }),
                );
            }
        }
        for (at, text) in [
            "where is my order",
            "agent",
            "i want to return something",
            "hi",
            "wann kommt mein paket?",
            "no",
            "opening hours tomorrow",
            "das habe ich doch schon gesagt",
            "返品したいです",
            "أين طلبي؟",
            "speak to a human",
            "it was damaged when it arrived",
        ]
        .iter()
        .enumerate()
        {
            let times = recipe.about(800.0 / (1.0 + at as f64));
            let language = ["en", "en", "en", "en", "de", "en", "en", "de", "ja", "ar", "en", "en"][at];
            put(
                Metric::TopInputs,
                json!({ "bot_id": bot_id, "language": language, "text": text, "count": times, "sessions": times * 9 / 10, "fallbacks": times * (at as i64 % 5) / 9 }),
            );
        }
        for (at, (form, opened)) in
            [("Payment details", 0.62), ("Return slip", 0.81), ("Feedback", 0.18)].iter().enumerate()
        {
            let shown = recipe.about(700.0 / (1.0 + at as f64));
            put(
                Metric::Forms,
                json!({ "bot_id": bot_id, "form_id": format!("fm-{at}"), "form_name": form, "displayed": shown, "status_opened": (shown as f64 * opened) as i64, "sessions": shown - 9, "unknown": 7 }),
            );
        }
        for (at, template) in
            ["button", "quick_replies", "list", "carousel", "table", "form", "live_agent"].iter().enumerate()
        {
            let shown = recipe.about(5_000.0 / (1.0 + at as f64));
            put(
                Metric::TemplatesUsage,
                json!({ "bot_id": bot_id, "template_type": template, "shown": shown, "sessions": shown / 2, "responded": shown * (8 - at as i64) / 10 }),
            );
        }
        ways(put, recipe, bot_id, bot);
    }
}

fn ways(put: &mut impl FnMut(Metric, Value), recipe: &mut Recipe, bot_id: &str, bot: usize) {
    for (at, task) in TASKS.iter().enumerate() {
        let weight = 3_000.0 / (1.0 + at as f64) / (1.0 + bot as f64);
        let shares = if at == 5 { [0.85, 0.0, 0.01, 0.1, 0.04] } else { [0.06, 0.02, 0.01, 0.17, 0.74] };
        let parts = shares.map(|part| recipe.about(weight * part));
        let sessions: i64 = parts.iter().sum();
        let [agent, none, open, drop_off, self_service] = parts;
        put(
            Metric::Tasks,
            json!({
                "bot_id": bot_id, "task": task, "sessions": sessions, "executions": sessions * 6 / 5, "agent": agent,
                "none": none, "open": open, "drop_off": drop_off, "self_service": self_service,
            }),
        );
        for (outcome, count) in [
            ("agent", agent),
            ("none", none),
            ("open", open),
            ("drop_off", drop_off),
            ("self_service", self_service),
        ] {
            let transitions = if at == 0 { count / 8 } else { count * 2 / 3 };
            put(
                Metric::TaskEdges,
                json!({ "bot_id": bot_id, "task": task, "next_task": outcome, "is_outcome": true, "transitions": transitions, "sessions": transitions }),
            );
        }
        // Everything starts at the welcome; some ask for an agent, go on to the next task, or start over.
        let steps: &[(usize, f64)] = match at {
            0 => &[
                (1, 0.3),
                (2, 0.15),
                (3, 0.1),
                (4, 0.08),
                (5, 0.06),
                (6, 0.06),
                (7, 0.04),
                (8, 0.04),
                (9, 0.03),
            ],
            1 => &[(3, 0.12), (2, 0.1), (5, 0.16), (0, 0.05)],
            2 => &[(5, 0.2), (9, 0.06), (0, 0.05)],
            5 => &[(0, 0.03)],
            6 => &[(7, 0.1), (5, 0.25)],
            _ => &[(5, 0.12), (0, 0.04)],
        };
        for &(next, part) in steps {
            let transitions = recipe.about(weight * part);
            put(
                Metric::TaskEdges,
                json!({
                    "bot_id": bot_id, "task": task, "next_task": TASKS[next], "is_outcome": false,
                    "transitions": transitions, "sessions": transitions * 9 / 10,
                }),
            );
        }
        if at == 0 {
            continue;
        }
        let paths = [
            format!("Welcome > {task}"),
            format!("Welcome > {task} > Talk to an Agent"),
            format!("Welcome > {task} > {task} > Welcome > {}", TASKS[(at + 1) % 10]),
        ];
        for (which, path) in paths.iter().enumerate() {
            let sessions = recipe.about(weight / 3.0 / (1.0 + which as f64));
            put(
                Metric::PathVariants,
                json!({
                    "bot_id": bot_id, "path": path, "sessions": sessions, "bot_sessions": 12_000,
                    "share": sessions as f64 / 12_000.0, "median_duration_ms": 90_000.0 * (1.0 + which as f64),
                }),
            );
        }
    }
}

fn people(put: &mut impl FnMut(Metric, Value), recipe: &mut Recipe) {
    for at in 0..3_000 {
        let sessions = 1 + (recipe.part().powi(4) * 14.0) as i64;
        put(
            Metric::Users,
            json!({ "bot_id": BOTS[usize::from(at % 3 == 0)], "user_id": format!("u-{at}"), "sessions": sessions, "messages": sessions * 9, "active_days": sessions.min(5), "returning": sessions > 1 }),
        );
    }
    for (name, value, messages) in [
        ("segment", "gold", 4_000),
        ("segment", "new", 2_500),
        ("campaign", "spring", 900),
        ("survey", "5", 400),
    ] {
        put(
            Metric::TagsUsage,
            json!({ "scope": "user", "name": name, "tag_value": value, "messages": messages, "sessions": messages / 5, "users": messages / 9 }),
        );
    }
    for (field, kind, value, count) in [
        ("deliveryInfo", "unknown_key", None, 812),
        ("status", "new_enum_value", Some("queued"), 44),
        ("createdOn", "time_disagreement", None, 12),
        ("template_type", "unknown_template", Some("megaList"), 9),
    ] {
        put(
            Metric::Drift,
            json!({ "field": field, "kind": kind, "value": value, "count": count, "first_source": "march/page-0007.json, body 0, message 31" }),
        );
    }
    for (interactive, outcome, kind, containment, sessions) in [
        (true, Some("self_service"), Some("interactive"), Some("selfService"), 7_300),
        (true, Some("self_service"), Some("interactive"), Some("dropOff"), 410),
        (true, Some("drop_off"), Some("interactive"), Some("dropOff"), 1_630),
        (true, Some("drop_off"), Some("interactive"), Some("selfService"), 720),
        (true, Some("agent"), Some("interactive"), Some("agent"), 2_210),
        (false, Some("none"), Some("nonInteractive"), None, 610),
        (true, Some("self_service"), None, None, 95),
        (true, None, Some("interactive"), Some("dropOff"), 12),
    ] {
        put(
            Metric::ContainmentCheck,
            json!({ "interactive": interactive, "outcome": outcome, "platform_session_type": kind, "platform_containment": containment, "sessions": sessions }),
        );
    }
}

/// What is known of the run behind [`tables`].
pub(super) fn facts(tables: &BTreeMap<&'static str, RecordBatch>) -> Facts {
    let messages = Table::new(Metric::Volumes, tables.get(Metric::Volumes.name())).ints("messages");
    let rows = tables.get(Metric::Volumes.name()).map_or(0, RecordBatch::num_rows);
    let kept = (0..rows).map(|row| messages.or_zero(row).unsigned_abs()).sum::<u64>();
    let tally = |name: &str, count| Tally { name: name.to_owned(), count };
    let query = |label: &str, total, seen, inferred, problem: Option<&str>| QueryFact {
        label: label.to_owned(),
        inferred,
        total,
        seen,
        problem: problem.map(str::to_owned),
    };
    Facts {
        title: "Shop assistant and bill helper".to_owned(),
        program: "korpus 0.1.0".to_owned(),
        timezone: "Europe/Berlin".to_owned(),
        filters: vec![],
        include_developers: false,
        input_files: 412,
        input_bytes: 391_000_000,
        messages: Books {
            seen: kept + 3_402,
            kept,
            filtered: 0,
            rejected: 31,
            duplicate: 3_102,
            superseded: 269,
        },
        records: Books { seen: 14_090, kept: 14_090, ..Books::default() },
        rejects: vec![tally("truncated", 22), tally("bad_string", 9)],
        page_statuses: vec![
            tally("ok", 1_411),
            tally("partial", 3),
            tally("empty", 8),
            tally("error_response", 1),
        ],
        queries: vec![
            query("st-shop-assistant, 2 March to 12 April, rtm", Some(98_000), 98_000, false, None),
            query(
                "st-shop-assistant, 2 March to 12 April, ivrVoice",
                Some(41_200),
                40_400,
                false,
                Some("800 missing: pages 7 and 8"),
            ),
            query("st-bill-helper", None, 11_400, true, None),
        ],
        left_cut: Some(318),
        right_cut: Some(120),
        developer_sessions: Some(74),
        developer_unknown: Some(2_310),
        unsessioned: Some(51),
        untimed: Some(6),
    }
}
