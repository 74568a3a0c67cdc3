//! The forms with few fields: messages-lite, and the messages of one call.

use super::{Form, Meta, Writer, channel_name, components, status};
use crate::conversation::{Head, TYPES, Turn};
use crate::ids;
use crate::json::Json;
use crate::text::LANGUAGES;
use crate::walk::Item;

impl Writer {
    /// Writes a message of `messages-lite`.
    pub(super) fn lite(&mut self, j: &mut Json, item: &Item) -> Meta {
        let Item { head, turn, .. } = item;
        let (text, template) = self.say(head, turn);
        let status = status(turn);
        let bot = self.bot(head.bot);
        let has_session = !matches!(turn.kind, 2 | 3);
        j.object(|j| {
            j.field_id("_id", "ms-", turn.id);
            j.field_id("botId", "st-", bot);
            j.field("type", TYPES[usize::from(turn.kind)]);
            j.field("status", super::STATUSES[usize::from(status)]);
            j.field_time("createdOn", turn.at);
            if has_session {
                j.key("sessionId")
                    .quoted(|out| ids::object_id(out, head.started.div_euclid(1000), head.seed));
            }
            j.field("lang", LANGUAGES[usize::from(head.language)]);
            j.field("chnl", channel_name(head));
            components(j, turn, &self.text, true);
        });
        Meta {
            form: Form::Lite,
            event_at: turn.at,
            bot: Some(head.bot),
            channel: Some(head.channel),
            language: Some(head.language),
            kind: turn.kind,
            status: Some(status),
            text: if turn.kind == 3 { super::TextKind::Empty } else { text },
            template,
            version: None,
            richness: j.richness(),
            session: has_session.then_some(head.ordinal),
            edited: false,
        }
    }

    /// Writes a message of `getMessages?callId=…`.
    pub(crate) fn call(&mut self, j: &mut Json, head: &Head, turn: &Turn) -> Meta {
        let (text, template) = self.say(head, turn);
        j.object(|j| {
            j.field("type", TYPES[usize::from(turn.kind)]);
            j.field("text", &self.text);
            j.field_time("timestamp", turn.at);
        });
        Meta {
            form: Form::Call,
            event_at: turn.at,
            bot: None,
            channel: None,
            language: None,
            kind: turn.kind,
            status: None,
            text,
            template,
            version: None,
            richness: j.richness(),
            session: None,
            edited: false,
        }
    }
}
