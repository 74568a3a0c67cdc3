//! The row of a session.

use korpus_core::write_json_string;

use super::session::{Session, WaitKind, median};
use crate::events::{Event, ShownTag};
use crate::rows::Rows;

/// The indices of the scopes in the table.
const USER_TAGS: u8 = 1;
const SESSION_TAGS: u8 = 2;

/// Adds the row of a session.
pub(crate) fn push(rows: &mut Rows, session: &Session<'_, '_>) {
    let key = format!("{:032x}", session.key);
    let mut responses: Vec<i64> = session.waits_of(WaitKind::BotResponse).collect();
    let first_response = responses.first().copied();
    let longest_response = responses.iter().copied().max();
    let mut thoughts: Vec<i64> = session.waits_of(WaitKind::Think).collect();
    let event = |at: Option<usize>| at.map(|at| &session.events[at]);
    let handoff = event(session.handoff_event);
    let last = session.last_said();
    let hash = last.filter(|event| event.hash != 0).map(|event| format!("{:016x}", event.hash));
    let tags = last_tags(session.events);
    let tags = [USER_TAGS, SESSION_TAGS].map(|scope| tags_json(&tags, scope));
    let platform = session.platform;
    let interactive = session.interactive();
    rows.push([
        key.as_str().into(),
        session.bot().into(),
        session.session_id().into(),
        session.kind.as_str().into(),
        session.user.into(),
        session.channel.into(),
        (session.channels.len() as i64).into(),
        session.language.into(),
        session.is_developer.into(),
        session.started_at.into(),
        session.ended_at.into(),
        session.duration_ms().into(),
        session.in_count.into(),
        session.pseudo_in_count.into(),
        session.out_count.into(),
        session.closure_count.into(),
        session.other_count.into(),
        session.in_count.into(),
        interactive.into(),
        first_response.into(),
        median(&mut responses).into(),
        longest_response.into(),
        median(&mut thoughts).into(),
        session.max_gap_ms.into(),
        session.task_first.into(),
        session.task_last.into(),
        (session.tasks.len() as i64).into(),
        session.template_count.into(),
        session.form_count.into(),
        session.handoff.as_str().into(),
        handoff.and_then(|event| event.at).into(),
        handoff.map(Event::id).into(),
        session.timeout_closed.into(),
        session.closure_gap_ms.into(),
        session.reprompt_count.into(),
        session.fallback_count.into(),
        session.outcome.as_str().into(),
        session.outcome.reason().into(),
        event(session.outcome_event).map(Event::id).into(),
        platform.and_then(|record| record.containment).into(),
        platform.and_then(|record| record.session_type).into(),
        hash.as_deref().into(),
        last.and_then(Event::template_type).into(),
        session.created_at.into(),
        session.left_cut.into(),
        session.right_cut.into(),
        session.open.into(),
        tags[0].as_deref().into(),
        tags[1].as_deref().into(),
    ]);
}

/// Of each tag of a session the scope, the name and the last value, in the order of scopes and of the bytes of names.
fn last_tags<'a>(events: &[Event<'a>]) -> Vec<ShownTag<'a>> {
    let mut found: Vec<ShownTag<'a>> = Vec::new();
    let mut before: &[u8] = &[];
    for event in events.iter().filter(|event| event.has_tags()) {
        // The same tags again say nothing new.
        if std::mem::replace(&mut before, event.tag_bytes()) != event.tag_bytes() {
            let is_of_session = |tag: &ShownTag<'_>| [USER_TAGS, SESSION_TAGS].contains(&tag.scope);
            found.extend(event.tags().filter(|tag| is_of_session(tag) && tag.name.is_some()));
        }
    }
    // Of equal names the last comes first then.
    found.reverse();
    found.sort_by_key(|tag| (tag.scope, tag.name));
    found.dedup_by_key(|tag| (tag.scope, tag.name));
    found
}

/// The tags of a scope as an object.
fn tags_json(tags: &[ShownTag<'_>], scope: u8) -> Option<String> {
    let mut out = String::new();
    for tag in tags.iter().filter(|tag| tag.scope == scope) {
        out.push(if out.is_empty() { '{' } else { ',' });
        write_json_string(tag.name.unwrap_or_default(), &mut out);
        out.push(':');
        match tag.value {
            Some(value) => write_json_string(value, &mut out),
            None => out.push_str("null"),
        }
    }
    if out.is_empty() {
        return None;
    }
    out.push('}');
    Some(out)
}
