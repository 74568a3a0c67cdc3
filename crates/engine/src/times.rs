//! The times of a message, parsed once for all who need them.

use korpus_core::{Message, ParsedTime, Text, is_timestamp};

/// When a message was created and changed, as far as its texts are times.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct MessageTimes {
    /// `createdOn`.
    pub created: Option<ParsedTime>,
    /// `lmodifiedOn`.
    pub modified: Option<ParsedTime>,
    /// `__lModifiedOn__`.
    pub stored: Option<ParsedTime>,
    /// When it happened, in microseconds since 1970: `createdOn`, else `timestamp`, else `timestampValue`.
    pub event_at: Option<i64>,
}

impl MessageTimes {
    /// The times of `message`.
    pub fn of(message: Message<'_>) -> Self {
        let (created_on, modified_on) = (message.created_on(), message.modified_on());
        let created = created_on.and_then(Text::timestamp);
        // Most messages never change: the two texts are one.
        let is_same = created_on.map(Text::raw) == modified_on.map(Text::raw);
        let event_at = created.map(|time| time.micros).or_else(|| time_of(message.timestamp()));
        let stamp = || message.timestamp_value()?.as_i64()?.checked_mul(1000).filter(|&at| is_timestamp(at));
        Self {
            created,
            modified: if is_same { created } else { modified_on.and_then(Text::timestamp) },
            stored: message.store_modified_on().and_then(Text::timestamp),
            event_at: event_at.or_else(stamp),
        }
    }

    /// When it was last changed, in microseconds since 1970: the later of the two times that tell.
    pub fn version(&self) -> Option<i64> {
        let micros = |time: Option<ParsedTime>| time.map(|time| time.micros);
        micros(self.modified).max(micros(self.stored))
    }
}

/// The time that a text is, in microseconds since 1970.
pub(crate) fn time_of(text: Option<Text<'_>>) -> Option<i64> {
    text?.timestamp().map(|time| time.micros)
}
