//! Conversations that could be: few words, few bots, and everything that can be missing, repeated or out of order.

use std::collections::BTreeSet;

use serde_json::{Value, json};

/// A source of choices.
pub(crate) struct Choices(u64);

impl Choices {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 >> 11
    }

    pub(crate) fn below(&mut self, end: usize) -> usize {
        (self.next() % end as u64) as usize
    }

    fn one_in(&mut self, many: usize) -> bool {
        self.below(many) == 0
    }

    fn of<T: Clone>(&mut self, list: &[T]) -> T {
        list[self.below(list.len())].clone()
    }
}

const INS: [&str; 10] =
    ["Hi", "  hI ", "Pay my  bill", "yes", "No", "MAX_NO_INPUT", "startflow", "what?", "", "pay"];
const OUTS: [&str; 12] = [
    "Hello!",
    "Which city?",
    "which  CITY?",
    "Which city?",
    "Sorry, I did not  understand that.",
    "Anything else?",
    "I am closing our current conversation now.",
    "Done.",
    "Please wait",
    "",
    "Your turn",
    "I didn't get that, anything else?",
];
const TASKS: [&str; 3] = ["Welcome", "Balance", "Pay"];

fn template(choices: &mut Choices) -> String {
    let button =
        |kind: &str, title: &str, payload: &str| json!({"type": kind, "title": title, "payload": payload});
    let reply =
        |title: &str, payload: &str| json!({"content_type": "text", "title": title, "payload": payload});
    let template = |name: &str, more: Value| {
        let mut payload = json!({"template_type": name, "text": "Pick one"});
        payload.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        json!({"type": "template", "payload": payload})
    };
    let value = match choices.below(9) {
        0 => template(
            "button",
            json!({"buttons": [button("postback", "Yes", "yes"), button("web_url", "Hi", "hi")]}),
        ),
        1 => template(
            "quick_replies",
            json!({"text": "Choose:", "quick_replies":
                 [reply("Pay my bill", "pay"), reply("No", "never"), reply("No", "no way")]}),
        ),
        2 => template(
            choices.of(&["feedback", "bankingFeedbackTemplate"]),
            json!({"buttons": [
                {"type": "postback", "title": "Yes", "payload": "5", "value": "what?"}
            ]}),
        ),
        3 => template("live_agent", json!({"text": "You are next"})),
        4 => template("SYSTEM", json!({"text": "Nobody is there"})),
        5 => {
            let mut form = template("form", json!({"text": "Fill this in"}));
            form["formData"] = json!({"formId": "fo-1", "name": "Address"});
            form
        }
        6 => json!({"type": "command", "data": [{"verb": "say", "text": "One moment"}, {"verb": "dial"}]}),
        7 => template(choices.of(&["hologram", "acmeCard"]), json!({"text": "Look"})),
        _ => json!({"type": "command", "data": [{"verb": "say", "text": "Which city?"}]}),
    };
    value.to_string()
}

fn text(choices: &mut Choices, is_in: bool) -> Value {
    match choices.below(12) {
        0 => Value::Null,
        1..=3 if !is_in => template(choices).into(),
        _ if is_in => choices.of(&INS).into(),
        _ => choices.of(&OUTS).into(),
    }
}

/// 2025-09-03T10:00:00Z.
const BASE: i64 = 1_756_893_600_000;

fn time(ms: i64) -> String {
    jiff::Timestamp::from_millisecond(ms).unwrap().strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
}

/// A message with its id, maybe of nobody.
fn message(choices: &mut Choices, number: usize) -> Value {
    let is_in = choices.one_in(2);
    let kind = if choices.one_in(12) {
        choices.of(&["event", "whisper"])
    } else if is_in {
        "incoming"
    } else {
        "outgoing"
    };
    let days = if choices.one_in(4) { choices.below(3) as i64 } else { 0 };
    let at = BASE + days * 86_400_000 + choices.below(3600) as i64 * choices.of(&[1, 500, 1000]);
    let mut out = json!({
        "_id": format!("ms-{number:03}"), "botId": choices.of(&["st-a", "st-b"]), "type": kind,
        "components": [{"cT": "text", "data": {"text": text(choices, is_in)}}],
    });
    let mut put = |key: &str, value: Value| out[key] = value;
    if !choices.one_in(10) {
        let ids = ["s-1", "s-2", "s-3", "s-4", "68b811a0a0c1153e10ce0001", ""];
        put("sessionId", choices.of(&ids).into());
    }
    if !choices.one_in(8) {
        put("createdOn", time(at).into());
    }
    if !choices.one_in(4) {
        put("timestampValue", (at + choices.of(&[0, 0, 0, 1, -1, 5000])).into());
    }
    for (key, values, rarely) in [
        ("createdBy", &["u-1", "u-2", "u-3"][..], 5),
        ("chnl", &["rtm", "sms"], 5),
        ("lang", &["en", "de"], 5),
        ("status", &["received", "pending", "opened"], 3),
        ("tN", &TASKS, 2),
    ] {
        if !choices.one_in(rarely) {
            put(key, choices.of(values).into());
        }
    }
    if choices.one_in(6) {
        put("channels", json!([{"type": "voice"}]));
    }
    if choices.one_in(3) {
        put("isD", json!(choices.of(&[0, 0, 0, 0, 0, 0, 0, 1])));
    }
    if choices.one_in(20) {
        put("author", json!({"type": choices.of(&["AGENT", "USER"])}));
    }
    if choices.one_in(20) {
        put("isA", choices.of(&[json!(true), json!(0), json!("yes")]));
    }
    if choices.one_in(5) {
        let list = [
            json!({"name": "plan", "value": "gold"}),
            json!({"name": "plan", "value": "silver"}),
            json!({"name": "age", "value": 5}),
            json!({"value": null}),
        ];
        let mut tags = |many: usize| (0..choices.below(many)).map(|_| choices.of(&list)).collect::<Vec<_>>();
        let tags =
            json!({"messageTags": tags(3), "userTags": tags(4), "sessionTags": tags(2), "altText": tags(2)});
        put("tags", tags);
    }
    if choices.one_in(6) {
        let ms = choices.of(&[0.0, 12.4, 250.0, 3000.5, -4.0]);
        put("latency", json!({"totalMs": ms, "asr": {"durationMs": choices.below(900)}}));
    }
    if choices.one_in(15) {
        put("brandNew", json!([1]));
    }
    if choices.one_in(6) {
        let second = json!({"cT": "text", "data": {"text": text(choices, is_in)}});
        out["components"].as_array_mut().unwrap().push(second);
    }
    out
}

/// Messages without ids, at times of their own.
fn plain_messages(choices: &mut Choices, clock: &mut i64, call: bool) -> Vec<Value> {
    (0..=choices.below(5))
        .map(|_| {
            *clock += 1 + choices.below(20_000) as i64;
            let is_in = choices.one_in(2);
            let kind = if is_in { "incoming" } else { "outgoing" };
            let text = text(choices, is_in);
            if call {
                return json!({"type": kind, "text": text, "timestamp": time(*clock)});
            }
            let mut out = json!({
                "type": kind, "components": [{"cT": "text", "data": {"text": text}}], "timestampValue": *clock,
            });
            if choices.one_in(4) {
                out["author"] = json!({"type": choices.of(&["AGENT", "USER"])});
            }
            out
        })
        .collect()
}

/// Bodies of all shapes.
pub(crate) fn bodies(seed: u64) -> Vec<Value> {
    let choices = &mut Choices::new(seed);
    let mut messages: Vec<Value> = (0..choices.below(70)).map(|number| message(choices, number)).collect();
    for version in 0..messages.len() / 6 {
        let mut copy = choices.of(&messages);
        if choices.one_in(2) {
            copy["lmodifiedOn"] = time(BASE + 1_000_000_000 + version as i64).into();
            copy["components"][0]["data"]["text"] = "Edited?".into();
        }
        messages.push(copy);
    }
    for at in (1..messages.len()).rev() {
        messages.swap(at, choices.below(at + 1));
    }
    let mut shared = messages.clone();
    let mut ids = BTreeSet::new();
    shared.retain(|message| ids.insert(message["_id"].to_string()));
    let mut bodies = Vec::new();
    while !messages.is_empty() {
        let page = messages.split_off(messages.len().saturating_sub(1 + choices.below(20)));
        bodies.push(json!({"total": page.len(), "moreAvailable": false, "messages": page}));
    }
    let mut clock = BASE;
    for record in 0..choices.below(4) {
        let mut inside = plain_messages(choices, &mut clock, false);
        // Some stand in a page too, and not all of them know their session.
        inside.extend(shared.split_off(shared.len().saturating_sub(choices.below(4))));
        let mut json = json!({"_id": format!("rec-{record}"), "botId": choices.of(&["st-a", "st-b"])});
        let mut versions = Vec::new();
        for key in ["convId", "mbSessionId", "channelType"].into_iter().take(1 + choices.below(3)) {
            json[key] = choices.of(&["s-1", "s-2", "s-9"]).into();
            json["messages"] = inside[..inside.len() - choices.below(inside.len())].into();
            versions.push(json!({"totalResults": 1, "hasMore": false, "results": [json]}));
        }
        for version in versions {
            bodies.insert(choices.below(bodies.len() + 1), version);
        }
    }
    for _ in 0..choices.below(3) {
        let call = plain_messages(choices, &mut clock, true);
        bodies.push(json!({"total": call.len(), "moreAvailable": false, "messages": call}));
    }
    let mut records = Vec::new();
    for bot in ["st-a", "st-b"] {
        for id in [json!("s-1"), json!("s-2"), json!("s-8"), json!(""), json!(null), json!(7)] {
            if choices.one_in(3) {
                let mut record = json!({"botId": bot, "sessionId": id});
                if choices.one_in(2) {
                    record["sessionType"] = choices.of(&["Interactive", "Non-Interactive"]).into();
                    record["containmentType"] = choices.of(&["selfService", "agent", "dropOff"]).into();
                }
                if choices.one_in(2) {
                    record["isDeveloper"] = choices.of(&[false, false, true]).into();
                }
                records.push(record);
            }
        }
    }
    if !records.is_empty() {
        bodies.push(json!({"total": records.len(), "moreAvailable": false, "sessions": records}));
    }
    bodies
}
