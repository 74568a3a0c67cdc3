//! The row of a session.

use korpus_core::write_json_string;

use super::KEPT;
use super::session::{Session, WaitKind, median};
use crate::events::{Event, ShownTag};
use crate::rows::{Cell, Rows, hex};
use crate::symbols::Name;

/// The indices of the scopes in the table.
const USER_TAGS: u8 = 1;
const SESSION_TAGS: u8 = 2;

/// So many bytes of tags have room from one row to the next.
const KEPT_TEXT: usize = 4096;

/// Memory that rows are made in, one after the other.
#[derive(Debug, Default)]
pub(crate) struct Room {
    waits: Vec<i64>,
    user_tags: String,
    session_tags: String,
}

impl Room {
    /// Lets go of memory that is more than other rows will take.
    pub(crate) fn let_go(&mut self) {
        self.waits.shrink_to(KEPT);
        self.user_tags.shrink_to(KEPT_TEXT);
        self.session_tags.shrink_to(KEPT_TEXT);
    }
}

/// Adds the row of a session.
pub(crate) fn push(rows: &mut Rows, session: &Session<'_, '_>, room: &mut Room) {
    let key = [hex((session.key >> 64) as u64), hex(session.key as u64)];
    let responses = || session.waits_of(WaitKind::BotResponse);
    let Room { waits, user_tags, session_tags } = room;
    let median_response = median(responses(), waits);
    let median_thought = median(session.waits_of(WaitKind::Think), waits);
    let event = |at: Option<usize>| at.map(|at| &session.events[at]);
    let handoff = event(session.handoff_event);
    let last = session.last_said();
    let hash = last.filter(|event| event.hash != 0).map(|event| hex(event.hash));
    let tags = last_tags(session.events);
    let user_tags = tags_json(&tags, USER_TAGS, user_tags);
    let session_tags = tags_json(&tags, SESSION_TAGS, session_tags);
    let platform = session.platform;
    let interactive = session.interactive();
    let mut row = rows.begin();
    row.put(Cell::Text(key.as_flattened()));
    row.put(session.bot());
    row.put(session.session_id());
    row.put(session.kind.as_str());
    row.put(session.user);
    row.put(session.channel);
    row.put(session.channel_count);
    row.put(session.language);
    row.put(session.is_developer);
    row.put(session.started_at);
    row.put(session.ended_at);
    row.put(session.duration_ms());
    row.put(session.in_count);
    row.put(session.pseudo_in_count);
    row.put(session.out_count);
    row.put(session.closure_count);
    row.put(session.other_count);
    row.put(session.in_count);
    row.put(interactive);
    row.put(responses().next());
    row.put(median_response);
    row.put(responses().max());
    row.put(median_thought);
    row.put(session.max_gap_ms);
    row.put(session.task_first);
    row.put(session.task_last);
    row.put(session.task_count);
    row.put(session.template_count);
    row.put(session.form_count);
    row.put(session.handoff.as_str());
    row.put(handoff.and_then(|event| event.at));
    row.put(handoff.map(Event::id));
    row.put(session.timeout_closed);
    row.put(session.closure_gap_ms);
    row.put(session.reprompt_count);
    row.put(session.fallback_count);
    row.put(session.outcome.as_str());
    row.put(session.outcome.reason());
    row.put(event(session.outcome_event).map(Event::id));
    row.put(platform.and_then(|record| record.containment));
    row.put(platform.and_then(|record| record.session_type));
    row.put(hash.as_ref().map(|hash| Cell::Text(hash)));
    row.put(last.and_then(Event::template_type));
    row.put(session.created_at);
    row.put(session.left_cut);
    row.put(session.right_cut);
    row.put(session.open);
    row.put(user_tags);
    row.put(session_tags);
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
    let place = |tag: &ShownTag<'a>| (tag.scope, tag.name.map(Name::text));
    found.sort_by_key(place);
    found.dedup_by_key(|tag| place(tag));
    found
}

/// The tags of a scope as an object, put together in `out`.
fn tags_json<'o>(tags: &[ShownTag<'_>], scope: u8, out: &'o mut String) -> Option<&'o str> {
    out.clear();
    for tag in tags.iter().filter(|tag| tag.scope == scope) {
        out.push(if out.is_empty() { '{' } else { ',' });
        write_json_string(tag.name.map_or("", Name::text), out);
        out.push(':');
        match tag.value {
            Some(value) => write_json_string(value.text(), out),
            None => out.push_str("null"),
        }
    }
    if out.is_empty() {
        return None;
    }
    out.push('}');
    Some(out)
}
