//! The filters of the API, under the API's names, applied to what was dumped.

mod options;
#[cfg(test)]
mod tests;

use korpus_core::{
    Conversation, Message, Record, SessionRecord, TagField, Tags, TagsField, Text, Value, json_equal,
};

pub use options::{Direction, Filter, TagFilter, TagScope, parse_day_or_time};

use crate::times::time_of;

/// The day, in microseconds.
pub(crate) const DAY: i64 = 86_400_000_000;

impl Filter {
    /// Whether anything is left out by looking at single messages; `skip`, `limit` and `msg_id` aside.
    pub fn is_active(&self) -> bool {
        let Self {
            user_id,
            session_id,
            bot_id,
            channel_type,
            date_from,
            date_to,
            message_type,
            tags,
            is_developer,
            msg_id: _,
            direction: _,
            skip: _,
            limit: _,
        } = self;
        let lists = [user_id, session_id, bot_id, channel_type, message_type];
        lists.iter().any(|list| !list.is_empty())
            || !tags.is_empty()
            || date_from.is_some()
            || date_to.is_some()
            || is_developer.is_some()
    }

    /// Whether messages are left out in any way.
    pub fn is_selective(&self) -> bool {
        self.is_active() || self.needs_all()
    }

    /// Whether what passes depends on more than a message itself and its copies.
    pub fn needs_all(&self) -> bool {
        self.msg_id.is_some() || self.skip > 0 || self.limit.is_some()
    }

    /// Whether a message that happened at `event_at` passes; see [`MessageTimes::event_at`](crate::MessageTimes).
    ///
    /// A message inside an agent AI record goes by the record's bot, session, user and channel too, and, where it has no
    /// time of its own, by the record's.
    pub fn matches(&self, message: Message<'_>, event_at: Option<i64>) -> bool {
        if !self.is_active() {
            return true;
        }
        let around = message.conversation();
        any_of(&self.bot_id, &[message.bot_id(), around.and_then(Conversation::bot_id)])
            && any_of(
                &self.session_id,
                &[
                    message.session_id(),
                    around.and_then(Conversation::messaging_session_id),
                    around.and_then(Conversation::agent_ai_session_id),
                ],
            )
            && any_of(
                &self.user_id,
                &[
                    message.created_by(),
                    around.and_then(Conversation::messaging_user_id),
                    around.and_then(Conversation::agent_ai_user_id),
                ],
            )
            && any_of(
                &self.channel_type,
                &[message.channel_name(), around.and_then(Conversation::channel_type)],
            )
            && any_of(&self.message_type, &[message.message_type()])
            && self.within_dates(filter_time(message, event_at))
            && self.is_developer.is_none_or(|wanted| flag(message.is_developer()).unwrap_or(false) == wanted)
            && self.has_tags(message.tags())
    }

    /// Whether a record passes. What a record cannot have does not concern it: `message_type`, `msg_id`, `skip` and
    /// `limit` are about messages, and `tags` and `is_developer` about these and session records.
    pub fn matches_record(&self, record: Record<'_>) -> bool {
        if !self.is_active() {
            return true;
        }
        match record {
            Record::Session(session) => self.matches_session(session),
            Record::Conversation(conversation) => self.matches_conversation(conversation),
        }
    }

    fn matches_session(&self, session: SessionRecord<'_>) -> bool {
        any_of(&self.bot_id, &[session.bot_id()])
            && any_of(&self.session_id, &[session.session_id()])
            && any_of(&self.user_id, &[session.user_id()])
            && any_of(&self.channel_type, &[session.channel()])
            && self.within_dates(time_of(session.start_time()))
            && self.is_developer.is_none_or(|wanted| flag(session.is_developer()).unwrap_or(false) == wanted)
            && self.has_tags(session.tags())
    }

    fn matches_conversation(&self, record: Conversation<'_>) -> bool {
        any_of(&self.bot_id, &[record.bot_id()])
            && any_of(&self.session_id, &[record.messaging_session_id(), record.agent_ai_session_id()])
            && any_of(&self.user_id, &[record.messaging_user_id(), record.agent_ai_user_id()])
            && any_of(&self.channel_type, &[record.channel_type()])
            && self.within_dates(time_of(record.start_time()))
    }

    /// Something without a time passes only where no time is asked for.
    fn within_dates(&self, at: Option<i64>) -> bool {
        match at {
            Some(at) => self.date_from.is_none_or(|from| at >= from) && self.date_to.is_none_or(|to| at < to),
            None => self.date_from.is_none() && self.date_to.is_none(),
        }
    }

    /// Whether all tags that are asked for are there.
    fn has_tags(&self, tags: Option<Tags<'_>>) -> bool {
        self.tags.iter().all(|wanted| {
            let scopes: &[TagsField] = match wanted.scope {
                TagScope::Message => &[TagsField::MessageTags],
                TagScope::User => &[TagsField::UserTags],
                TagScope::Session => &[TagsField::SessionTags],
                TagScope::AltText => &[TagsField::AltText],
            };
            scopes.iter().any(|&scope| {
                tags.into_iter().flat_map(|tags| tags.scope(scope)).any(|tag| {
                    tag.name().is_some_and(|name| name.is(&wanted.name))
                        && tag.value(TagField::Value).is_some_and(|value| is_value(value, &wanted.value))
                })
            })
        })
    }
}

/// Whether one of `texts` is one of `wanted`; anything goes where nothing is wanted.
fn any_of(wanted: &[String], texts: &[Option<Text<'_>>]) -> bool {
    wanted.is_empty() || texts.iter().flatten().any(|text| wanted.iter().any(|wanted| text.is(wanted)))
}

/// A flag that is a boolean, or 0 or 1.
fn flag(value: Option<Value<'_>>) -> Option<bool> {
    let value = value?;
    value.as_bool().or_else(|| value.as_i64().map(|number| number != 0))
}

/// Whether a tag's value is `wanted`: the text of a string, or the same value as JSON.
fn is_value(value: Value<'_>, wanted: &str) -> bool {
    if value.as_text().is_some_and(|text| text.is(wanted)) {
        return true;
    }
    // What begins as another kind of value need not be read.
    let first = |text: &str| match text.bytes().next() {
        Some(b'-' | b'0'..=b'9') => Some(b'0'),
        first => first,
    };
    let wanted = wanted.trim();
    first(wanted) == first(value.raw()) && json_equal(value.raw(), wanted)
}

/// When a message happened as far as filters care: one without a time of its own goes by the start of its record.
pub(crate) fn filter_time(message: Message<'_>, event_at: Option<i64>) -> Option<i64> {
    event_at.or_else(|| time_of(message.conversation()?.start_time()))
}
