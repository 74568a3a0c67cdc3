//! Records: conversations of Agent AI, with or without their messages, and sessions.

use super::{Form, Meta, TextKind, Writer, author, channel_name, components, status, tags};
use crate::conversation::{Author, Ending, Head, TYPES, Turn, is_voice};
use crate::ids;
use crate::json::Json;
use crate::rng::mix;
use crate::text::LANGUAGES;

/// Writes a conversation record; `each` gets every message that was written in it.
pub(crate) fn conversation(
    writer: &mut Writer,
    j: &mut Json,
    head: &Head,
    turns: Option<&[Turn]>,
    mut each: impl FnMut(Meta),
) {
    let bot = writer.bot(head.bot);
    let seconds = head.started.div_euclid(1000);
    j.object(|j| {
        j.key("_id").quoted(|out| ids::object_id(out, seconds, mix(head.seed, 101)));
        j.key("convId").quoted(|out| ids::conversation(out, mix(head.seed, 41)));
        j.field_id("botId", "st-", bot);
        j.field("channelType", if is_voice(head.channel) { "voice" } else { channel_name(head) });
        j.field_raw("isExtAD", if head.seed.is_multiple_of(2) { "true" } else { "false" });
        j.field_time("startTime", head.started);
        if head.seed.is_multiple_of(3) {
            j.field("experience", "chat");
        }
        j.key("aaSessionId").quoted(|out| ids::object_id(out, seconds, mix(head.seed, 102)));
        j.field_id("aaUserId", "u-", mix(head.user, 103));
        if !head.seed.is_multiple_of(4) {
            j.key("mbSessionId").quoted(|out| ids::object_id(out, seconds, head.seed));
            j.field_id("mbUserId", "u-", head.user);
        }
        let Some(turns) = turns else { return };
        j.key("messages").array(|j| {
            for turn in turns {
                each(writer.agent_ai(j, head, turn, bot));
            }
        });
    });
}

impl Writer {
    /// Writes a message inside a conversation record: no id, no `createdOn`, no session of its own.
    fn agent_ai(&mut self, j: &mut Json, head: &Head, turn: &Turn, bot: u64) -> Meta {
        let (text, template) = self.say(head, turn);
        let status = status(turn);
        let stored = turn.at.div_euclid(1000) * 1000 + 1000;
        j.object(|j| {
            j.field_id("botId", "st-", bot);
            j.field("type", TYPES[usize::from(turn.kind)]);
            j.field("status", super::STATUSES[usize::from(status)]);
            components(j, turn, &self.text, false);
            if turn.id.is_multiple_of(2) {
                j.field_int("sT", 1);
            }
            if turn.author == Author::None && turn.kind == 0 {
                j.key("author").object(|j| j.field("type", "USER"));
            } else {
                author(j, head, turn, bot);
            }
            j.key("conversationId").quoted(|out| ids::conversation(out, mix(head.seed, 41)));
            j.field_time("__lModifiedOn__", stored);
            j.field_int("timestampValue", turn.at);
        });
        Meta {
            form: Form::AgentAi,
            event_at: turn.at,
            bot: Some(head.bot),
            channel: None,
            language: None,
            kind: turn.kind,
            status: Some(status),
            text: if turn.kind == 3 { TextKind::Empty } else { text },
            template,
            version: Some(stored),
            richness: 0,
            session: None,
            edited: false,
        }
    }
}

/// Writes a session record.
pub(crate) fn session(j: &mut Json, head: &Head, bot: u64) {
    j.object(|j| {
        j.key("sessionId").quoted(|out| ids::object_id(out, head.started.div_euclid(1000), head.seed));
        j.field_id("botId", "st-", bot);
        j.field("channel", channel_name(head));
        j.field_id("userId", "u-", head.user);
        j.field_time("start_time", head.started);
        if head.closed {
            j.field_time("end_time", head.ended);
        }
        j.key("session_lang").array(|j| j.string(LANGUAGES[usize::from(head.language)]));
        j.field("sessionType", if head.tasks > 0 { "interactive" } else { "non-interactive" });
        j.field_raw("isDeveloper", if head.developer { "true" } else { "false" });
        j.field("sessionStatus", if head.closed { "closed" } else { "active" });
        j.key("tags").object(|j| {
            j.key("userTags").array(|j| tags::user(j, head.user));
            j.key("sessionTags").array(|j| tags::session(j, head.seed));
            j.key("altText").array(|_| {});
        });
        j.field_int("noOfMessagesExchanged", i64::from(head.turns));
        j.field_int("noOfTasksExecuted", i64::from(head.tasks));
        let contained = match head.ending {
            Ending::Contained => "selfService",
            Ending::DroppedOff => "dropOff",
            Ending::HandedOver => "agentTransfer",
        };
        j.field("containmentType", contained);
    });
}
