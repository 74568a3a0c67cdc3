//! The aggregates as the reference makes them: each from all sessions, by itself.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::{Value, json};

use super::message::Message;
use super::session::{Platform, Session};

/// Rows by key; the values are counters.
#[derive(Debug, Default)]
pub(crate) struct Table {
    rows: BTreeMap<String, (Value, BTreeMap<&'static str, i64>)>,
}

impl Table {
    fn add(&mut self, key: &Value, cell: &'static str, value: i64) {
        *self.at(key).entry(cell).or_default() += value;
    }

    fn at(&mut self, key: &Value) -> &mut BTreeMap<&'static str, i64> {
        &mut self.rows.entry(key.to_string()).or_insert_with(|| (key.clone(), BTreeMap::new())).1
    }

    /// The rows, with a 0 for each of `cells` that nothing was added to.
    fn finish(self, cells: &[&'static str]) -> Vec<Value> {
        self.rows
            .into_values()
            .map(|(mut row, found)| {
                for cell in cells {
                    row[*cell] = found.get(cell).copied().unwrap_or_default().into();
                }
                for (cell, value) in found {
                    row[cell] = value.into();
                }
                row["rules_version"] = 1.into();
                row
            })
            .collect()
    }
}

/// All that the aggregates are made of.
pub(crate) struct Input<'a> {
    pub(crate) sessions: &'a [Session],
    pub(crate) unsessioned: &'a [Message],
    pub(crate) unmatched: &'a [Platform],
    pub(crate) zone: &'a TimeZone,
}

/// Bot and user.
type User<'a> = (Option<&'a str>, &'a str);

struct Local {
    day: i64,
    hour: i64,
    weekday: i64,
}

impl Input<'_> {
    fn local(&self, micros: i64) -> Local {
        let at = Timestamp::from_microsecond(micros).unwrap().to_zoned(self.zone.clone());
        let day = at.date().since(jiff::civil::date(1970, 1, 1)).unwrap().get_days();
        Local { day: day.into(), hour: at.hour().into(), weekday: at.weekday().to_monday_one_offset().into() }
    }

    fn day(&self, micros: Option<i64>) -> Option<i64> {
        micros.map(|at| self.local(at).day)
    }

    fn messages(&self) -> impl Iterator<Item = (usize, &Message)> {
        self.sessions
            .iter()
            .enumerate()
            .flat_map(|(at, session)| session.messages.iter().map(move |m| (at, m)))
    }

    /// The values of every set, counted.
    fn distinct(sets: BTreeMap<String, (Value, BTreeSet<String>)>, table: &mut Table, cell: &'static str) {
        for (key, set) in sets.into_values() {
            table.add(&key, cell, set.len() as i64);
        }
    }

    pub(crate) fn volumes(&self) -> Vec<Value> {
        let mut table = Table::default();
        let mut sessions: BTreeMap<String, (Value, BTreeSet<String>)> = BTreeMap::new();
        let mut users = sessions.clone();
        let all = self.messages().map(|(at, message)| (Some(at), message));
        for (session, message) in all.chain(self.unsessioned.iter().map(|message| (None, message))) {
            let local = message.at.map(|at| self.local(at));
            let key = json!({
                "event_date": local.as_ref().map(|local| local.day),
                "event_hour": local.as_ref().map(|local| local.hour),
                "bot_id": message.bot, "channel": message.channel, "language": message.language,
                "message_type": message.kind, "status": message.status,
            });
            table.add(&key, "messages", 1);
            let insert = |sets: &mut BTreeMap<String, (Value, BTreeSet<String>)>, member: Option<String>| {
                if let Some(member) = member {
                    sets.entry(key.to_string()).or_insert((key.clone(), BTreeSet::new())).1.insert(member);
                }
            };
            insert(&mut sessions, session.map(|at| at.to_string()));
            insert(&mut users, message.user.clone());
        }
        Self::distinct(sessions, &mut table, "sessions");
        Self::distinct(users, &mut table, "users");
        table.finish(&["messages", "sessions", "users"])
    }

    pub(crate) fn session_summary(&self) -> Vec<Value> {
        let mut table = Table::default();
        for session in self.sessions {
            let key = json!({
                "day": self.day(session.int("started_at")), "bot_id": session.bot,
                "channel": session.row["channel"], "language": session.row["language"],
                "session_kind": session.row["session_kind"],
            });
            let outcome = session.text("outcome").unwrap();
            let reason = session.text("outcome_reason");
            let base = session.is("interactive")
                && session.text("session_kind") != Some("agent_assist")
                && !session.is("open")
                && matches!(outcome, "self_service" | "drop_off" | "agent");
            let is = |is: bool| i64::from(is);
            let handoff = session.text("handoff_state");
            let values = [
                ("sessions", "sessions_uncut", 1),
                ("interactive", "interactive_uncut", is(session.is("interactive"))),
                ("agent", "agent_uncut", is(outcome == "agent")),
                ("none", "none_uncut", is(outcome == "none")),
                ("open", "open_uncut", is(outcome == "open")),
                ("drop_off", "drop_off_uncut", is(outcome == "drop_off")),
                ("no_response", "no_response_uncut", is(reason == Some("no_response"))),
                ("fallback", "fallback_uncut", is(reason == Some("fallback"))),
                ("left_waiting", "left_waiting_uncut", is(reason == Some("left_waiting"))),
                ("self_service", "self_service_uncut", is(outcome == "self_service")),
                ("handoff_connected", "handoff_connected_uncut", is(handoff == Some("connected"))),
                ("handoff_requested", "handoff_requested_uncut", is(handoff == Some("requested"))),
                ("timeout_closed", "timeout_closed_uncut", is(session.is("timeout_closed"))),
                ("turns", "turns_uncut", session.int("turn_count").unwrap()),
                ("messages", "messages_uncut", session.messages.len() as i64),
                ("duration_sum_ms", "duration_sum_ms_uncut", session.int("duration_ms").unwrap_or_default()),
                ("containment_base", "containment_base_uncut", is(base)),
                ("contained", "contained_uncut", is(base && outcome == "self_service")),
                ("transferred", "transferred_uncut", is(base && outcome == "agent")),
                ("dropped", "dropped_uncut", is(base && outcome == "drop_off")),
            ];
            for (cell, uncut, value) in values {
                table.add(&key, cell, value);
                table.add(&key, uncut, if session.is("left_cut") { 0 } else { value });
            }
        }
        let mut rows = table.finish(&[]);
        for row in &mut rows {
            for (rate, part) in
                [("containment", "contained"), ("transfer_rate", "transferred"), ("drop_off_rate", "dropped")]
            {
                for end in ["", "_uncut"] {
                    let number = |name: &str| row[format!("{name}{end}")].as_i64().unwrap() as f64;
                    let base = number("containment_base");
                    row[format!("{rate}{end}")] =
                        if base > 0.0 { (number(part) / base).into() } else { Value::Null };
                }
            }
        }
        rows
    }

    pub(crate) fn containment_check(&self) -> Vec<Value> {
        let mut table = Table::default();
        for session in self.sessions {
            let key = json!({
                "interactive": session.row["interactive"], "outcome": session.row["outcome"],
                "platform_session_type": session.row["platform_session_type"],
                "platform_containment": session.row["platform_containment"],
            });
            table.add(&key, "sessions", 1);
        }
        for record in self.unmatched {
            let key = json!({
                "interactive": null, "outcome": null,
                "platform_session_type": record.session_type, "platform_containment": record.containment,
            });
            table.add(&key, "sessions", 1);
        }
        table.finish(&[])
    }

    /// All values of each key, sorted.
    pub(crate) fn latencies(&self) -> BTreeMap<String, (Value, Vec<i64>)> {
        let mut found: BTreeMap<String, (Value, Vec<i64>)> = BTreeMap::new();
        for session in self.sessions {
            let tasks = tasks_of(session);
            let platform =
                session.messages.iter().enumerate().flat_map(|(at, message)| {
                    message.latencies.iter().map(move |&(kind, ms)| (at, kind, ms))
                });
            for (at, kind, ms) in session.waits.iter().copied().chain(platform) {
                let message = &session.messages[at];
                let key = json!({
                    "day": self.day(message.at), "bot_id": message.bot, "channel": message.channel,
                    "task": tasks[at], "kind": kind,
                });
                found.entry(key.to_string()).or_insert((key, Vec::new())).1.push(ms);
            }
        }
        for (_, values) in found.values_mut() {
            values.sort_unstable();
        }
        found
    }

    pub(crate) fn heatmap(&self) -> Vec<Value> {
        let mut table = Table::default();
        let key = |at: i64, channel: &Value| {
            let local = self.local(at);
            json!({"weekday": local.weekday, "hour": local.hour, "channel": channel})
        };
        for session in self.sessions {
            if let Some(at) = session.int("started_at") {
                table.add(&key(at, &session.row["channel"]), "sessions", 1);
            }
        }
        for (_, message) in self.messages() {
            if let Some(at) = message.at {
                table.add(&key(at, &json!(message.channel)), "messages", 1);
            }
        }
        table.finish(&["sessions", "messages"])
    }

    pub(crate) fn users(&self) -> Vec<Value> {
        let mut users: BTreeMap<User<'_>, Vec<(usize, &Message)>> = BTreeMap::new();
        for (session, message) in self.messages() {
            if let Some(user) = &message.user {
                users.entry((message.bot.as_deref(), user)).or_default().push((session, message));
            }
        }
        let row = |((bot, user), seen): (User<'_>, Vec<(usize, &Message)>)| {
            let times: Vec<i64> = seen.iter().filter_map(|(_, message)| message.at).collect();
            let days: BTreeSet<i64> = times.iter().map(|&at| self.local(at).day).collect();
            let sessions: BTreeSet<usize> = seen.iter().map(|(session, _)| *session).collect();
            json!({
                "bot_id": bot, "user_id": user, "first_seen": times.iter().min(), "last_seen": times.iter().max(),
                "sessions": sessions.len(), "messages": seen.len(), "active_days": days.len(),
                "returning": days.len() >= 2, "rules_version": 1,
            })
        };
        users.into_iter().map(row).collect()
    }

    pub(crate) fn templates_usage(&self) -> Vec<Value> {
        let mut table = Table::default();
        for session in self.sessions {
            let mut seen = BTreeSet::new();
            for (at, message) in session.messages.iter().enumerate().filter(|(_, message)| message.is_out()) {
                let mut answers = session.messages[at + 1..].iter().take_while(|next| !next.is_out());
                let is_answered = answers.any(Message::typed);
                for template in message.named_templates() {
                    let key = json!({"bot_id": message.bot, "template_type": template.name});
                    table.add(&key, "shown", 1);
                    table.add(&key, "responded", i64::from(is_answered));
                    if seen.insert(key.to_string()) {
                        table.add(&key, "sessions", 1);
                    }
                }
            }
        }
        table.finish(&["shown", "sessions", "responded"])
    }

    pub(crate) fn actions_usage(&self) -> Vec<Value> {
        let mut table = Table::default();
        let is_url = |action: &[Option<String>; 4]| matches!(action[0].as_deref(), Some("url" | "web_url"));
        let key = |message: &Message, template: Option<&String>, action: &[Option<String>; 4]| {
            json!({
                "bot_id": message.bot, "prompt_text_hash": message.hash(), "template_type": template,
                "action_type": action[0], "title": action[1], "payload": action[2],
                "measurable": !is_url(action),
            })
        };
        for session in self.sessions {
            for (at, message) in session.messages.iter().enumerate() {
                for template in message.templates.iter().filter(|_| message.is_out()) {
                    for action in &template.actions {
                        table.add(&key(message, template.name.as_ref(), action), "shown", 1);
                    }
                }
                if !message.typed() || message.normal.is_empty() {
                    continue;
                }
                let since =
                    session.messages[..at].iter().rposition(Message::is_in).map_or(0, |before| before + 1);
                let outs = session.messages[since..at].iter().rev().filter(|out| out.is_out());
                'outs: for out in outs {
                    for (part, cell) in
                        [(2, "matched_by_payload"), (3, "matched_by_value"), (1, "matched_by_title")]
                    {
                        let hits: Vec<Value> = out
                            .templates
                            .iter()
                            .flat_map(|template| {
                                template.actions.iter().map(move |action| (template, action))
                            })
                            .filter(|(_, action)| !is_url(action))
                            .filter(|(_, action)| {
                                let text = action[part].as_deref().map(super::message::normalize);
                                text.as_ref() == Some(&message.normal)
                            })
                            .map(|(template, action)| key(out, template.name.as_ref(), action))
                            .collect();
                        if let [hit] = &hits[..] {
                            table.add(hit, "matched", 1);
                            table.add(hit, cell, 1);
                        } else {
                            for hit in &hits {
                                table.add(hit, "ambiguous", 1);
                            }
                        }
                        if !hits.is_empty() {
                            break 'outs;
                        }
                    }
                }
            }
        }
        table.finish(&[
            "shown",
            "matched",
            "ambiguous",
            "matched_by_payload",
            "matched_by_value",
            "matched_by_title",
        ])
    }

    pub(crate) fn forms(&self) -> Vec<Value> {
        let mut table = Table::default();
        for session in self.sessions {
            let mut seen = BTreeSet::new();
            for message in &session.messages {
                for (form, name) in message.forms() {
                    let key = json!({"bot_id": message.bot, "form_id": form, "form_name": name});
                    table.add(&key, "displayed", 1);
                    table.add(&key, "status_opened", i64::from(message.status.as_deref() == Some("opened")));
                    table.add(&key, "unknown", i64::from(message.status.is_none()));
                    table.add(&key, "sessions", i64::from(seen.insert(key.to_string())));
                }
            }
        }
        table.finish(&[])
    }

    pub(crate) fn drop_off_points(&self) -> Vec<Value> {
        let mut table = Table::default();
        for session in self.sessions.iter().filter(|session| session.text("outcome") == Some("drop_off")) {
            let Some(at) = session.last_said() else { continue };
            let key = json!({
                "bot_id": session.bot, "task": tasks_of(session)[at],
                "template_type": session.row["last_out_template_type"],
                "text_hash": session.row["last_out_text_hash"], "text": session.messages[at].shown,
            });
            table.add(&key, "sessions", 1);
        }
        table.finish(&[])
    }

    pub(crate) fn tasks(&self) -> Vec<Value> {
        let mut table = Table::default();
        for session in self.sessions {
            let runs = executions(session);
            for task in &runs {
                table.add(&json!({"bot_id": session.bot, "task": task}), "executions", 1);
            }
            for task in runs.iter().collect::<BTreeSet<_>>() {
                let key = json!({"bot_id": session.bot, "task": task});
                table.add(&key, "sessions", 1);
                let outcomes = ["agent", "none", "open", "drop_off", "self_service"];
                let outcome = outcomes.into_iter().find(|outcome| session.text("outcome") == Some(outcome));
                table.add(&key, outcome.unwrap(), 1);
            }
        }
        table.finish(&["agent", "none", "open", "drop_off", "self_service"])
    }

    pub(crate) fn task_edges(&self) -> Vec<Value> {
        let mut table = Table::default();
        for session in self.sessions {
            let runs = executions(session);
            let mut edges: Vec<Value> = runs
                .windows(2)
                .map(|pair| {
                    json!({"bot_id": session.bot, "task": pair[0], "next_task": pair[1], "is_outcome": false})
                })
                .collect();
            if let Some(last) = runs.last() {
                let outcome = session.row["outcome"].clone();
                edges.push(
                    json!({"bot_id": session.bot, "task": last, "next_task": outcome, "is_outcome": true}),
                );
            }
            let mut seen = BTreeSet::new();
            for edge in edges {
                table.add(&edge, "transitions", 1);
                table.add(&edge, "sessions", i64::from(seen.insert(edge.to_string())));
            }
        }
        table.finish(&[])
    }

    /// Without the median, which is given beside: the durations, sorted.
    pub(crate) fn path_variants(&self) -> (Vec<Value>, BTreeMap<String, Vec<i64>>) {
        let mut table = Table::default();
        let mut durations: BTreeMap<String, Vec<i64>> = BTreeMap::new();
        for session in self.sessions {
            let path = executions(session).join(" > ");
            durations
                .entry(json!([session.bot, path]).to_string())
                .or_default()
                .extend(session.int("duration_ms"));
            table.add(&json!({"bot_id": session.bot, "path": path}), "sessions", 1);
        }
        let mut rows = table.finish(&[]);
        for row in &mut rows {
            let all = self.sessions.iter().filter(|session| json!(session.bot) == row["bot_id"]).count();
            row["bot_sessions"] = all.into();
            row["share"] = (row["sessions"].as_i64().unwrap() as f64 / all as f64).into();
        }
        for values in durations.values_mut() {
            values.sort_unstable();
        }
        (rows, durations)
    }

    pub(crate) fn top_inputs(&self) -> Vec<Value> {
        let mut table = Table::default();
        for session in self.sessions {
            let mut seen = BTreeSet::new();
            for (at, message) in session.messages.iter().enumerate() {
                if !message.typed() || message.normal.is_empty() {
                    continue;
                }
                let key =
                    json!({"bot_id": message.bot, "language": message.language, "text": message.normal});
                let next = session.messages[at + 1..].iter().find(|next| next.is_in() || next.is_out());
                table.add(&key, "count", 1);
                table.add(&key, "sessions", i64::from(seen.insert(key.to_string())));
                let fell = next.is_some_and(|next| next.said() && next.is_fallback());
                table.add(&key, "fallbacks", i64::from(fell));
            }
        }
        table.finish(&[])
    }

    pub(crate) fn reprompts(&self) -> Vec<Value> {
        let mut table = Table::default();
        for session in self.sessions {
            let all = &session.messages;
            let said: Vec<usize> = (0..all.len()).filter(|&at| all[at].said()).collect();
            let repeats = |a: usize, b: usize| {
                !all[b].normal.is_empty()
                    && all[a].normal == all[b].normal
                    && all[a..b].iter().any(Message::is_in)
            };
            for series in said.chunk_by(|&a, &b| repeats(a, b)).filter(|series| series.len() > 1) {
                let (first, last) = (series[0], series[series.len() - 1]);
                let is_handoff = |message: &Message| message.by_agent || message.asks_for_agent();
                let next = all[last + 1..].iter().find(|next| is_handoff(next) || next.said());
                let way = match next {
                    Some(next) if is_handoff(next) => "left_by_handoff",
                    Some(_) => "left_by_answer",
                    None if session.text("outcome") == Some("drop_off") => "left_by_drop_off",
                    None => "left_by_other",
                };
                let key = json!({
                    "bot_id": session.bot, "text_hash": all[first].hash(), "text": all[first].shown,
                });
                table.add(&key, "loops", 1);
                table.add(&key, way, 1);
                let longest = table.at(&key).entry("longest").or_default();
                *longest = (*longest).max(series.len() as i64);
            }
        }
        table.finish(&["left_by_answer", "left_by_handoff", "left_by_drop_off", "left_by_other"])
    }

    pub(crate) fn tags_usage(&self) -> Vec<Value> {
        let mut table = Table::default();
        let mut sets: [BTreeMap<String, (Value, BTreeSet<String>)>; 3] = Default::default();
        for (number, (session, message)) in self.messages().enumerate() {
            for (scope, name, value) in &message.tags {
                let key = json!({"scope": scope, "name": name, "tag_value": value});
                let members = [Some(number.to_string()), Some(session.to_string()), message.user.clone()];
                for (set, member) in sets.iter_mut().zip(members) {
                    let set = &mut set.entry(key.to_string()).or_insert((key.clone(), BTreeSet::new())).1;
                    set.extend(member);
                }
            }
        }
        for (set, cell) in sets.into_iter().zip(["messages", "sessions", "users"]) {
            Self::distinct(set, &mut table, cell);
        }
        table.finish(&[])
    }

    pub(crate) fn concurrency(&self) -> Vec<Value> {
        let minute = |at: i64| at.div_euclid(60_000_000);
        let spans: Vec<(i64, i64)> = self
            .sessions
            .iter()
            .filter_map(|session| {
                Some((minute(session.int("started_at")?), minute(session.int("ended_at")?)))
            })
            .collect();
        let mut peaks: BTreeMap<(i64, i64), usize> = BTreeMap::new();
        let minutes: BTreeSet<i64> = spans.iter().flat_map(|&(from, to)| from..=to).collect();
        for minute in minutes {
            let running = spans.iter().filter(|(from, to)| (*from..=*to).contains(&minute)).count();
            let local = self.local(minute * 60_000_000);
            let peak = peaks.entry((local.day, local.hour)).or_default();
            *peak = running.max(*peak);
        }
        let row = |((day, hour), peak)| json!({"day": day, "hour": hour, "peak": peak, "rules_version": 1});
        peaks.into_iter().map(row).collect()
    }
}

/// The task of each message: its own, else the last one before.
fn tasks_of(session: &Session) -> Vec<Option<String>> {
    (0..session.messages.len())
        .map(|at| session.messages[..=at].iter().rev().find_map(|message| message.task.clone()))
        .collect()
}

fn executions(session: &Session) -> Vec<String> {
    let mut runs: Vec<String> = tasks_of(session).into_iter().flatten().collect();
    runs.dedup();
    runs
}
