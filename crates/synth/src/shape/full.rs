//! The full form: what `getMessages` and `getMessagesV2` answer, and the stream endpoint of 2019.

use super::{
    Form, Meta, TextKind, Writer, agent_side, author, channel, channel_name, components, status, tags,
};
use crate::conversation::{Ending, TYPES, What};
use crate::ids;
use crate::json::Json;
use crate::options::Profile;
use crate::rng::mix;
use crate::text::{LANGUAGES, TASKS};
use crate::walk::Item;

/// When the message was changed last, and when the store says so.
fn modified(item: &Item, stream: bool) -> (i64, Option<i64>) {
    let turn = &item.turn;
    let changed = match (item.edited, turn.kind) {
        (true, _) => turn.at + 3_600_000 + (turn.id % 86_400_000) as i64,
        (false, 0) => turn.at + (turn.id % 280) as i64,
        (false, _) => turn.at,
    };
    let stored = (changed + (turn.id >> 9) as i64 % 3_000).div_euclid(1000) * 1000;
    (changed, (!stream).then_some(stored))
}

impl Writer {
    /// Writes a message with all its fields. `stream`: as the endpoint of 2019 does.
    pub(super) fn full(&mut self, j: &mut Json, item: &Item, stream: bool) -> Meta {
        let Item { head, turn, .. } = item;
        let (text, template) = self.say(head, turn);
        let (changed, stored) = modified(item, stream);
        let bot = self.bot(head.bot);
        let rich = self.profile == Profile::Rich;
        let odd_flags = turn.id % 64 == 1;
        let has_session = !(matches!(turn.kind, 2 | 3) || stream && turn.id.is_multiple_of(5));
        let has_language =
            turn.kind != 4 && !turn.id.is_multiple_of(101) && !(stream && turn.id.is_multiple_of(7));
        let has_owner = turn.id % 10 != 3;
        let has_channels = !turn.id.is_multiple_of(97);
        let status = status(turn);

        j.object(|j| {
            j.field_id("_id", "ms-", turn.id);
            if !rich && !stream {
                j.field_id("botId", "st-", bot);
            }
            j.field("type", TYPES[usize::from(turn.kind)]);
            j.field("status", super::STATUSES[usize::from(status)]);
            if has_owner && !stream {
                owner(j, bot);
            }
            j.key("channels").array(|j| {
                if has_channels {
                    channel::write(j, head, turn, bot, &self.text, rich);
                }
            });
            components(j, turn, &self.text, false);
            if rich || stream {
                j.field_id("botId", "st-", bot);
                if stream {
                    owner(j, bot);
                }
            }
            j.field_id("createdBy", "u-", head.user);
            j.field_time("createdOn", turn.at);
            timestamp_value(j, turn.at, turn.id);
            if !turn.id.is_multiple_of(40) {
                j.field_id("lmodifiedBy", "u-", head.user);
            }
            j.field_time("lmodifiedOn", changed);
            flags(j, head.developer, odd_flags);
            if !turn.id.is_multiple_of(12) || turn.kind > 2 {
                j.field_int("ms", [1, 1, 3, 5, 4][usize::from(turn.kind)]);
            }
            j.field(if stream { "channel" } else { "chnl" }, channel_name(head));
            if has_language {
                j.field("lang", LANGUAGES[usize::from(head.language)]);
            }
            if turn.named {
                j.field("tN", TASKS[usize::from(turn.task)]);
            }
            author(j, head, turn, bot);
            if agent_side(turn) || (head.ending == Ending::HandedOver && turn.id.is_multiple_of(3)) {
                j.key("conversationId").quoted(|out| ids::conversation(out, mix(head.seed, 41)));
            }
            if agent_side(turn) {
                j.field_raw("isA", "true");
            }
            if turn.kind == 0 && turn.id.is_multiple_of(4) {
                j.key("traceId").quoted(|out| ids::hex(out, mix(turn.id, 42), 16));
            }
            if turn.kind == 1 && matches!(turn.what, What::VoiceGather) {
                latency(j, turn.id);
            }
            if rich {
                internals(j, turn.id, turn.kind, bot);
            }
            if let Some(stored) = stored {
                j.field_time("__lModifiedOn__", stored);
            }
            j.field_int("__v", 0);
            if !stream {
                j.field_int("sT", 1);
            }
            if has_session {
                j.key("sessionId")
                    .quoted(|out| ids::object_id(out, head.started.div_euclid(1000), head.seed));
            }
            j.field("resourceid", "messagestore");
            if !stream || turn.id.is_multiple_of(3) {
                tags::write(j, item, text == TextKind::Template, stream);
            }
        });
        Meta {
            form: if stream { Form::Stream } else { Form::Full },
            event_at: turn.at,
            bot: Some(head.bot),
            channel: Some(head.channel),
            language: has_language.then_some(head.language),
            kind: turn.kind,
            status: Some(status),
            text: if turn.kind == 3 { TextKind::Empty } else { text },
            template,
            version: Some(stored.map_or(changed, |stored| stored.max(changed))),
            richness: j.richness(),
            session: has_session.then_some(head.ordinal),
            edited: item.edited,
        }
    }
}

fn owner(j: &mut Json, bot: u64) {
    j.field_id("orgId", "o-", mix(bot, 51));
    j.key("accountId").quoted(|out| ids::object_id(out, 1_684_200_000, mix(bot, 52)));
}

/// `timestampValue` follows `createdOn` closely; now and then it is days off or a string.
fn timestamp_value(j: &mut Json, at: i64, id: u64) {
    let off = if id % 1999 == 7 { 2 * 86_400_000 } else { (id >> 7) as i64 % 62 };
    if id % 997 == 5 {
        j.key("timestampValue").quoted(|out| ids::int(out, at + off));
    } else {
        j.field_int("timestampValue", at + off);
    }
}

fn flags(j: &mut Json, developer: bool, odd: bool) {
    for key in ["isBB", "isD"] {
        if odd {
            j.field_raw(key, if developer { "true" } else { "false" });
        } else {
            j.field_int(key, i64::from(developer));
        }
    }
}

fn latency(j: &mut Json, id: u64) {
    let part = |salt: u64, most: u64| (mix(id, salt) % most) as i64;
    let (asr, bot, tts) = (100 + part(61, 900), 50 + part(62, 2500), 40 + part(63, 600));
    j.key("latency").object(|j| {
        j.field_int("totalMs", asr + bot + tts);
        j.key("asr").object(|j| {
            j.field_int("durationMs", asr);
            j.field("provider", "microsoft");
            j.field_raw("confidenceScore", "0.93");
        });
        j.key("bot").object(|j| j.field_int("durationMs", bot));
        j.key("tts").object(|j| {
            j.field_int("durationMs", tts);
            j.field("provider", "microsoft");
            j.field_int("utteranceLengthChars", 20 + part(64, 200));
            j.field_int("audioLengthMs", 900 + part(65, 9000));
            j.field_raw("streamingEnabled", "true");
            j.field_int("firstByteMs", part(66, 90));
        });
    });
}

/// Keys of the platform's inner workings, which no document lists.
fn internals(j: &mut Json, id: u64, kind: u8, bot: u64) {
    j.key("cek").object(|j| {
        j.key("header").object(|j| {
            j.field("alg", "dir");
            j.field("enc", "aes-256-gcm");
            j.field_id("kid", "k-", mix(bot, 71));
        });
    });
    j.field("iv", "7Edn6DxqHw4P69xJ7GWcXA==");
    j.field_raw("ire", "true");
    if kind != 0 {
        return;
    }
    j.key("path").quoted(|out| {
        ids::prefixed(out, "dg-", mix(bot, 72));
        out.extend_from_slice(b":message6>");
        ids::prefixed(out, "dg-", mix(bot, 73));
        out.extend_from_slice(b":entity7");
    });
    for (index, key) in ["tr0_I", "tr0_O"].into_iter().enumerate() {
        j.key(key).quoted(|out| {
            ids::prefixed(out, "dg-", mix(bot, 72));
            out.extend_from_slice(b":intent0:");
            ids::hex(out, mix(id, 74 + index as u64), 16);
            ids::hex(out, mix(id, 76 + index as u64), 16);
        });
    }
    j.field("tr0_T", if id.is_multiple_of(2) { "5" } else { "0" });
}
