//! Messages as the reference sees them: read from whole JSON values, one field after the other.

use serde_json::Value;

/// A template inside a message.
#[derive(Debug, Clone, Default)]
pub(crate) struct Template {
    pub(crate) name: Option<String>,
    pub(crate) form: Option<(Option<String>, Option<String>)>,
    /// Type, title, payload, value.
    pub(crate) actions: Vec<[Option<String>; 4]>,
    pub(crate) verbs: Vec<String>,
}

/// A message.
#[derive(Debug, Clone)]
pub(crate) struct Message {
    /// Its own id; those that are made up for the others are not the reference's business.
    pub(crate) id: Option<String>,
    pub(crate) at: Option<i64>,
    pub(crate) stamp: Option<i64>,
    pub(crate) kind: Option<String>,
    pub(crate) bot: Option<String>,
    /// What the session is made of: `s` (session id), `r` (record), `c` (body).
    pub(crate) session: Option<(char, String)>,
    pub(crate) is_copy: bool,
    pub(crate) form: &'static str,
    pub(crate) user: Option<String>,
    pub(crate) channel: Option<String>,
    pub(crate) language: Option<String>,
    pub(crate) status: Option<String>,
    pub(crate) task: Option<String>,
    pub(crate) shown: Option<String>,
    pub(crate) normal: String,
    pub(crate) templates: Vec<Template>,
    pub(crate) tags: Vec<(&'static str, Option<String>, Option<String>)>,
    pub(crate) latencies: Vec<(&'static str, i64)>,
    pub(crate) developer: Option<bool>,
    pub(crate) by_agent: bool,
    pub(crate) agent_side: bool,
    pub(crate) json: Value,
}

pub(crate) fn text(value: &Value) -> Option<String> {
    value.as_str().map(str::to_owned)
}

pub(crate) fn micros(value: &Value) -> Option<i64> {
    value.as_str()?.parse::<jiff::Timestamp>().ok().map(jiff::Timestamp::as_microsecond)
}

fn flag(value: &Value) -> Option<bool> {
    value.as_bool().or(match value.as_i64() {
        Some(0) => Some(false),
        Some(1) => Some(true),
        _ => None,
    })
}

/// The texts of the generator are ASCII: lower case is all there is to folding.
pub(crate) fn normalize(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase()
}

/// What a person saw, and the template.
fn look(text: &str) -> (Option<String>, Option<Template>) {
    let Ok(whole @ Value::Object(_)) = serde_json::from_str::<Value>(text) else {
        return (Some(text.to_owned()).filter(|text| !text.trim().is_empty()), None);
    };
    if whole["type"] == "command" {
        let data = whole["data"].as_array().cloned().unwrap_or_default();
        let said: Vec<&str> = data.iter().filter_map(|verb| verb["text"].as_str()).collect();
        let verbs = data.iter().filter_map(|verb| verb["verb"].as_str().map(str::to_owned)).collect();
        let template = Template { verbs, ..Template::default() };
        return (Some(said.join("\n")).filter(|said| !said.is_empty()), Some(template));
    }
    let payload = &whole["payload"];
    let actions =
        payload["buttons"].as_array().into_iter().chain(payload["quick_replies"].as_array()).flatten();
    let action = |action: &Value| {
        let kind = if action["type"].is_string() { &action["type"] } else { &action["content_type"] };
        [text_of(kind), text_of(&action["title"]), text_of(&action["payload"]), text_of(&action["value"])]
    };
    let form = &whole["formData"];
    let template = Template {
        name: text_of(&payload["template_type"]),
        form: form.is_object().then(|| (text_of(&form["formId"]), text_of(&form["name"]))),
        actions: actions.map(action).collect(),
        verbs: Vec::new(),
    };
    (text_of(&payload["text"]), Some(template))
}

fn text_of(value: &Value) -> Option<String> {
    text(value)
}

/// Reads a message; `record` is the agent AI record around it, `body` names its body.
pub(crate) fn read(json: &Value, record: Option<&Value>, body: usize) -> Message {
    let filled = |value: &Value| text(value).filter(|text| !text.is_empty());
    let components = json["components"].as_array().cloned().unwrap_or_default();
    let form = if record.is_some() {
        "agent_ai"
    } else if json.get("components").is_none() && json.get("_id").is_none() {
        "call"
    } else {
        "full"
    };
    let own = filled(&json["sessionId"]);
    let around = record.and_then(|record| filled(&record["mbSessionId"]));
    let session = match (&own, &around, record) {
        (Some(id), ..) | (None, Some(id), _) => Some(('s', id.clone())),
        (_, _, Some(record)) => filled(&record["_id"]).map(|id| ('r', id)),
        _ if form == "call" => Some(('c', body.to_string())),
        _ => None,
    };
    let texts: Vec<Value> = if components.is_empty() {
        vec![json["text"].clone()]
    } else {
        components.iter().map(|component| component["data"]["text"].clone()).collect()
    };
    let looked: Vec<_> = texts.iter().map(|text| text.as_str().map_or((None, None), look)).collect();
    let shown = looked[0].0.clone();
    let tags = ["messageTags", "userTags", "sessionTags", "altText"]
        .into_iter()
        .zip(["message", "user", "session", "alt_text"])
        .flat_map(|(key, scope)| {
            let list = json["tags"][key].as_array().cloned().unwrap_or_default();
            list.into_iter().map(move |tag| {
                let value = tag.get("value");
                let shown = value.map(|value| text(value).unwrap_or_else(|| value.to_string()));
                (scope, text(&tag["name"]), shown)
            })
        });
    let latency = &json["latency"];
    let latencies = [
        ("platform_total", &latency["totalMs"]),
        ("platform_asr", &latency["asr"]["durationMs"]),
        ("platform_bot", &latency["bot"]["durationMs"]),
        ("platform_tts", &latency["tts"]["durationMs"]),
    ];
    let flags = [flag(&json["isD"]), flag(&json["isBB"])];
    let first = |values: [&Value; 3]| values.into_iter().find_map(text);
    Message {
        id: filled(&json["_id"]),
        at: micros(&json["createdOn"])
            .or_else(|| micros(&json["timestamp"]))
            .or_else(|| json["timestampValue"].as_i64().map(|ms| ms * 1000)),
        stamp: json["timestampValue"].as_i64(),
        kind: text(&json["type"]),
        bot: text(&json["botId"]).or_else(|| record.and_then(|record| text(&record["botId"]))),
        is_copy: own.is_none() && around.is_some(),
        session,
        form,
        user: text(&json["createdBy"]),
        channel: first([&json["chnl"], &json["channel"], &json["channels"][0]["type"]]),
        language: text(&json["lang"]),
        status: text(&json["status"]),
        task: text(&json["tN"]),
        normal: shown.as_deref().map(normalize).unwrap_or_default(),
        shown,
        templates: looked.into_iter().filter_map(|(_, template)| template).collect(),
        tags: tags.collect(),
        latencies: latencies
            .into_iter()
            .filter_map(|(name, value)| Some((name, value.as_f64().filter(|ms| *ms >= 0.0)?.round() as i64)))
            .collect(),
        developer: if flags.contains(&Some(true)) {
            Some(true)
        } else {
            flags.iter().any(Option::is_some).then_some(false)
        },
        by_agent: json["author"]["type"] == "AGENT",
        agent_side: flag(&json["isA"]) == Some(true),
        json: json.clone(),
    }
}

impl Message {
    pub(crate) fn is_in(&self) -> bool {
        self.kind.as_deref() == Some("incoming")
    }

    pub(crate) fn is_out(&self) -> bool {
        self.kind.as_deref() == Some("outgoing")
    }

    pub(crate) fn is_pseudo(&self) -> bool {
        self.is_in() && PSEUDO.contains(&self.normal.as_str())
    }

    pub(crate) fn is_closure(&self) -> bool {
        self.is_out() && self.normal.starts_with("i am closing our current conversation")
    }

    pub(crate) fn is_fallback(&self) -> bool {
        self.is_out() && FALLBACK.iter().any(|phrase| self.normal.contains(phrase))
    }

    pub(crate) fn is_wrap_up(&self) -> bool {
        self.is_out() && WRAP_UP.iter().any(|phrase| self.normal.contains(phrase))
    }

    pub(crate) fn typed(&self) -> bool {
        self.is_in() && !self.is_pseudo()
    }

    pub(crate) fn said(&self) -> bool {
        self.is_out() && !self.is_closure()
    }

    pub(crate) fn asks_for_agent(&self) -> bool {
        let by_template = self.templates.iter().any(|template| {
            matches!(template.name.as_deref(), Some("live_agent" | "SYSTEM"))
                || template.verbs.iter().any(|verb| verb == "sip:refer" || verb == "dial")
        });
        by_template || (self.is_out() && self.agent_side)
    }

    pub(crate) fn hash(&self) -> Option<String> {
        let hash = twox_hash::XxHash3_64::oneshot(self.normal.as_bytes());
        (!self.normal.is_empty()).then(|| format!("{hash:016x}"))
    }

    /// Templates by the name of their type; payloads without one are no templates here.
    pub(crate) fn named_templates(&self) -> impl Iterator<Item = &Template> {
        self.templates.iter().filter(|template| template.name.is_some())
    }

    pub(crate) fn forms(&self) -> Vec<(Option<String>, Option<String>)> {
        let mut forms: Vec<_> = self.templates.iter().filter_map(|template| template.form.clone()).collect();
        forms.sort();
        forms.dedup();
        forms
    }
}

const PSEUDO: [&str; 4] = ["max_no_input", "call termination handler", "startflow", "welcome task"];
const FALLBACK: [&str; 5] = [
    "did not understand",
    "didn't understand",
    "didn't get that",
    "did not get that",
    "not able to understand",
];
const WRAP_UP: [&str; 3] = ["anything else", "any other assistance", "something else i can help"];
