//! Sessions as the reference makes them: a list of messages, sorted, and looked at anew for every column.

use serde_json::{Map, Value, json};

use super::message::{Message, Template};

/// What the platform says of a session.
#[derive(Debug, Clone)]
pub(crate) struct Platform {
    pub(crate) session_type: Option<String>,
    pub(crate) containment: Option<String>,
    pub(crate) developer: Option<bool>,
}

/// A session with all its columns.
#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) bot: Option<String>,
    pub(crate) messages: Vec<Message>,
    /// Index of the message, kind, milliseconds.
    pub(crate) waits: Vec<(usize, &'static str, i64)>,
    pub(crate) row: Map<String, Value>,
}

pub(crate) struct Rules {
    pub(crate) edges: Option<(i64, i64)>,
    pub(crate) gap_ms: i64,
}

fn ms(from: Option<i64>, to: Option<i64>) -> Option<i64> {
    Some((to? - from?).div_euclid(1000))
}

fn median(mut values: Vec<i64>) -> Option<i64> {
    values.sort_unstable();
    values.get(values.len().checked_sub(1)? / 2).copied()
}

/// The id of a message; that of one without an id is not the reference's business.
fn id(message: &Message) -> Value {
    message.id.clone().unwrap_or_else(|| "?".to_owned()).into()
}

pub(crate) fn developer(messages: &[Message], platform: Option<&Platform>) -> Option<bool> {
    let mut known: Vec<bool> = messages.iter().filter_map(|message| message.developer).collect();
    known.extend(platform.and_then(|platform| platform.developer));
    if known.is_empty() { None } else { Some(known.contains(&true)) }
}

impl Session {
    pub(crate) fn text(&self, column: &str) -> Option<&str> {
        self.row[column].as_str()
    }

    pub(crate) fn int(&self, column: &str) -> Option<i64> {
        self.row[column].as_i64()
    }

    pub(crate) fn is(&self, column: &str) -> bool {
        self.row[column] == true
    }

    pub(crate) fn last_said(&self) -> Option<usize> {
        self.messages.iter().rposition(Message::said)
    }

    pub(crate) fn new(
        kind: char,
        key: &str,
        messages: Vec<Message>,
        platform: Option<&Platform>,
        rules: &Rules,
    ) -> Self {
        let all = &messages;
        let places = |is: &dyn Fn(&Message) -> bool| -> Vec<usize> {
            (0..all.len()).filter(|&at| is(&all[at])).collect()
        };
        let exchanged = places(&|message| message.is_in() || message.is_out());
        let open = places(&|message| message.is_in() || message.said());
        let said = places(&Message::said);
        let count = |is: &dyn Fn(&Message) -> bool| places(is).len();

        let mut waits = Vec::new();
        for pair in exchanged.windows(2) {
            let (before, now) = (&all[pair[0]], &all[pair[1]]);
            let kind = if now.said() && before.is_in() {
                if now.by_agent { "agent_response" } else { "bot_response" }
            } else if now.typed() && before.is_out() {
                "think"
            } else {
                continue;
            };
            if let Some(ms) = ms(before.at, now.at) {
                waits.push((pair[1], kind, ms));
            }
        }
        let of = |kind: &str| -> Vec<i64> {
            waits.iter().filter(|wait| wait.1 == kind).map(|wait| wait.2).collect()
        };
        let responses = of("bot_response");

        let started = all.iter().find_map(|message| message.at);
        let ended = open.iter().rev().find_map(|&at| all[at].at).or(started);
        let gaps = open.windows(2).filter_map(|pair| ms(all[pair[0]].at, all[pair[1]].at));
        let closing = open.last().and_then(|&last| {
            let closure = (last + 1..all.len()).find(|&at| all[at].is_closure())?;
            Some((last, closure))
        });
        let agent = all.iter().position(|message| message.by_agent);
        let asked = all.iter().position(Message::asks_for_agent);
        let (handoff, evidence) = match (agent, asked) {
            (Some(at), _) => ("connected", Some(at)),
            (None, Some(at)) => ("requested", Some(at)),
            _ => ("none", None),
        };
        let reprompts = said
            .windows(2)
            .filter(|pair| {
                let between = &all[pair[0]..pair[1]];
                !all[pair[1]].normal.is_empty()
                    && all[pair[0]].normal == all[pair[1]].normal
                    && between.iter().any(Message::is_in)
            })
            .count();

        let is_object_id = kind != 'c' && key.len() == 24 && key.chars().all(|c| c.is_ascii_hexdigit());
        let created = is_object_id.then(|| i64::from_str_radix(&key[..8], 16).unwrap() * 1_000_000);
        let left_cut = match (started, created, rules.edges) {
            (Some(started), Some(created), _) => started - created > 60_000_000,
            (Some(started), None, Some((left, _))) => started - left <= rules.gap_ms * 1000,
            _ => false,
        };
        let last_at = all.iter().filter_map(|message| message.at).max();
        let right_cut = match (last_at, rules.edges) {
            (Some(last), Some((_, right))) => right - last <= rules.gap_ms * 1000,
            _ => false,
        };
        let is_open = right_cut && closing.is_none();
        let interactive = count(&Message::typed) > 0;
        let last_open = open.last().map(|&at| &all[at]);
        let last_out = said.last().map(|&at| &all[at]);
        let waits_for_answer = last_out.is_some_and(|out| {
            let rates = |template: &Template| {
                matches!(template.name.as_deref(), Some("feedback" | "bankingFeedbackTemplate"))
            };
            let offers =
                out.templates.iter().any(|template| !template.actions.is_empty() && !rates(template));
            (offers || !out.forms().is_empty() || out.normal.ends_with('?')) && !out.is_wrap_up()
        });
        let (outcome, reason, decided) = if handoff != "none" {
            ("agent", None, evidence.map(|at| &all[at]))
        } else if !interactive {
            ("none", None, None)
        } else if is_open {
            ("open", None, None)
        } else if last_open.is_some_and(Message::typed) {
            ("drop_off", Some("no_response"), last_open)
        } else if last_out.is_some_and(Message::is_fallback) {
            ("drop_off", Some("fallback"), last_out)
        } else if waits_for_answer {
            ("drop_off", Some("left_waiting"), last_out)
        } else {
            ("self_service", None, last_out)
        };
        let distinct = |of: &dyn Fn(&Message) -> Option<&String>| {
            all.iter().filter_map(of).collect::<std::collections::BTreeSet<_>>().len()
        };
        let tags = |scope: &str| -> Value {
            let mut last = Map::new();
            for (_, name, value) in all.iter().flat_map(|message| &message.tags).filter(|tag| tag.0 == scope)
            {
                if let Some(name) = name {
                    last.insert(name.clone(), json!(value));
                }
            }
            if last.is_empty() { Value::Null } else { Value::String(Value::Object(last).to_string()) }
        };
        let session_kind = if all.iter().all(|message| message.form == "agent_ai") {
            "agent_assist"
        } else if all.iter().all(|message| message.form == "call") {
            "call"
        } else {
            "bot"
        };
        let row = json!({
            "bot_id": all[0].bot,
            "session_id": if kind == 'c' { "?" } else { key },
            "session_kind": session_kind,
            "user_id": all.iter().find_map(|message| message.user.clone()),
            "channel": all.iter().find_map(|message| message.channel.clone()),
            "channel_count": distinct(&|message| message.channel.as_ref()),
            "language": all.iter().find_map(|message| message.language.clone()),
            "is_developer": developer(all, platform),
            "started_at": started,
            "ended_at": ended,
            "duration_ms": ms(started, ended),
            "in_count": count(&Message::typed),
            "pseudo_in_count": count(&Message::is_pseudo),
            "out_count": said.len(),
            "closure_count": count(&Message::is_closure),
            "other_count": all.len() - exchanged.len(),
            "turn_count": count(&Message::typed),
            "interactive": interactive,
            "first_response_ms": responses.first(),
            "response_p50_ms": median(responses.clone()),
            "response_max_ms": responses.iter().max(),
            "think_p50_ms": median(of("think")),
            "max_gap_ms": gaps.max(),
            "task_first": all.iter().find_map(|message| message.task.clone()),
            "task_last": all.iter().rev().find_map(|message| message.task.clone()),
            "task_count": distinct(&|message| message.task.as_ref()),
            "template_count": count(&|message| message.named_templates().next().is_some()),
            "form_count": count(&|message| !message.forms().is_empty()),
            "handoff_state": handoff,
            "handoff_at": evidence.and_then(|at| all[at].at),
            "handoff_message_id": evidence.map(|at| id(&all[at])),
            "timeout_closed": closing.is_some(),
            "closure_gap_ms": closing.and_then(|(last, closure)| ms(all[last].at, all[closure].at)),
            "reprompt_count": reprompts,
            "fallback_count": count(&|message| message.is_fallback() && message.said()),
            "outcome": outcome,
            "outcome_reason": reason,
            "outcome_message_id": decided.map(id),
            "platform_containment": platform.and_then(|record| record.containment.clone()),
            "platform_session_type": platform.and_then(|record| record.session_type.clone()),
            "last_out_text_hash": last_out.and_then(Message::hash),
            "last_out_template_type": last_out.and_then(|out| out.named_templates().next()?.name.clone()),
            "session_created_at": created,
            "left_cut": left_cut,
            "right_cut": right_cut,
            "open": is_open,
            "user_tags": tags("user"),
            "session_tags": tags("session"),
            "rules_version": 1,
        });
        let Value::Object(row) = row else { unreachable!() };
        Self { bot: messages[0].bot.clone(), messages, waits, row }
    }
}
