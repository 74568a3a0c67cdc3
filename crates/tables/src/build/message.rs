//! The row of a message in `messages`, and those of its components and tags.

use korpus_core::{
    AuthorField, ChannelField, ClassifiedText, Kind, LatencyField, LatencyPartField, Message, MessageField,
    ParsedTime, Scratch, Text, TextKind, Value,
};
use korpus_engine::{Item, MessageTimes};

use super::component::{
    FIRST, OTHERS, put_classified, put_component, put_exact, put_part_extra, put_part_text, put_raw,
};
use super::rows::Rows;
use super::table::TableBuffer;
use super::tags::{TagOwner, put_tags};
use super::template::TextPlace;
use crate::schema::{ComponentColumn, MessageColumn, MessageForm, null_bit};

const MICROS_PER_DAY: i64 = 86_400_000_000;

/// Puts all rows of one message, but for what all messages of a block share: see [`Rows::finish`]. What it takes to look into
/// its texts stays in `scratch`.
pub(crate) fn put_message(rows: &mut Rows, scratch: &Scratch, item: &Item<'_>) {
    let message = item.message;
    let mut row = Row { rows, scratch, message, times: item.times, form: 0, raw: 0 };
    row.identity(item);
    for (field, value) in message.fields() {
        row.field(field, value, item.ordinal);
    }
    row.derived(item);
    row.finish();
}

/// A row of `messages` on its way.
struct Row<'a, 'b> {
    rows: &'a mut Rows,
    scratch: &'a Scratch,
    message: Message<'b>,
    times: MessageTimes,
    form: i64,
    /// The known keys whose raw value goes to `extra`.
    raw: u64,
}

impl Row<'_, '_> {
    fn table(&mut self) -> &mut TableBuffer {
        &mut self.rows.messages
    }

    /// What does not come from one key.
    fn identity(&mut self, item: &Item<'_>) {
        let message = self.message;
        let Rows { messages: table, records, .. } = &mut *self.rows;
        table.put_i64(MessageColumn::MessageSeq, item.ordinal as i64);
        let surrogate = message.surrogate_id();
        if let Some(hash) = surrogate {
            use std::fmt::Write as _;
            let row = table.rows();
            let ids = table.texts(MessageColumn::MessageId);
            let _ = write!(ids.begin(row), "{hash:032x}");
            ids.end();
        }
        table.put_bool(MessageColumn::IdIsSurrogate, surrogate.is_some());
        if let Some(record) = message.conversation() {
            table.put_str(MessageColumn::ConversationRecordId, &records.id_of(record));
            if let Some(session) = record.messaging_session_id() {
                table.put_text(MessageColumn::MessagingSessionId, session);
            }
        }
        table.put_str(MessageColumn::Shape, message.form().as_str());
        table.put_i64(MessageColumn::PageIndex, message.page_index() as i64);
        table.put_i64(MessageColumn::MessageIndex, message.message_index() as i64);
    }

    /// Puts the value of one key into its columns; where they do not give it back, marks it for `extra`.
    fn field(&mut self, field: MessageField, value: Value<'_>, ordinal: u64) {
        if value.is_null() {
            self.form |= null_bit(field);
            if null_bit(field) != 0 {
                return;
            }
        }
        let exact = match field {
            MessageField::Id => match value.as_text() {
                Some(id) if self.message.surrogate_id().is_none() => {
                    self.table().put_text(MessageColumn::MessageId, id)
                }
                _ => false,
            },
            MessageField::BotId => self.text(MessageColumn::BotId, value),
            MessageField::OrgId => self.text(MessageColumn::OrgId, value),
            MessageField::AccountId => self.text(MessageColumn::AccountId, value),
            MessageField::SessionId => self.text(MessageColumn::SessionId, value),
            MessageField::ConversationId => self.text(MessageColumn::ConversationId, value),
            MessageField::CreatedBy => self.text(MessageColumn::UserId, value),
            MessageField::LModifiedBy => self.text(MessageColumn::ModifiedBy, value),
            MessageField::Type => self.text(MessageColumn::MessageType, value),
            MessageField::Status => self.text(MessageColumn::Status, value),
            MessageField::Lang => self.text(MessageColumn::Language, value),
            MessageField::TaskName => self.text(MessageColumn::TaskName, value),
            MessageField::TraceId => self.text(MessageColumn::TraceId, value),
            MessageField::CreatedOn => self.created(self.times.created, MessageForm::CREATED_ON),
            MessageField::Timestamp => self.timestamp(value),
            MessageField::LModifiedOn => self.time(MessageColumn::ModifiedAt, self.times.modified),
            MessageField::StoreModifiedOn => self.time(MessageColumn::StoreModifiedAt, self.times.stored),
            MessageField::TimestampValue => value.as_i64().is_some_and(|ms| {
                self.table().put_i64(MessageColumn::TimestampMs, ms);
                true
            }),
            MessageField::MessageSource => {
                value.as_i64().and_then(|ms| i32::try_from(ms).ok()).is_some_and(|ms| {
                    self.table().put_i32(MessageColumn::MessageSource, ms);
                    true
                })
            }
            MessageField::IsBotBuilder => {
                self.flag(MessageColumn::IsBotBuilder, value, MessageForm::IS_BB_NUMBER)
            }
            MessageField::IsDeveloper => {
                self.flag(MessageColumn::IsDeveloper, value, MessageForm::IS_D_NUMBER)
            }
            MessageField::IsAgentSide => {
                self.flag(MessageColumn::IsAgentSide, value, MessageForm::IS_A_NUMBER)
            }
            MessageField::Chnl => {
                let exact = self.text(MessageColumn::Channel, value);
                self.form |= if exact { MessageForm::CHNL } else { 0 };
                exact
            }
            MessageField::Channel => self.second_channel(value),
            MessageField::Channels => self.channels(value),
            MessageField::Author => self.author(value),
            MessageField::Latency => self.latency(),
            MessageField::Components => self.components(value, ordinal),
            MessageField::Tags => self.tags(ordinal),
            MessageField::Text => self.call_text(value, ordinal),
        };
        if !exact {
            self.raw |= 1 << field as u64;
        }
    }

    fn text(&mut self, column: MessageColumn, value: Value<'_>) -> bool {
        put_exact(self.table(), column, value)
    }

    fn time(&mut self, column: MessageColumn, time: Option<ParsedTime>) -> bool {
        put_parsed(&mut self.rows.messages, column, time)
    }

    fn created(&mut self, time: Option<ParsedTime>, bit: i64) -> bool {
        let exact = self.time(MessageColumn::CreatedAt, time);
        self.form |= if exact { bit } else { 0 };
        exact
    }

    /// `timestamp` fills the column of `createdOn` where that left it empty, and shares it where it is the same time.
    fn timestamp(&mut self, value: Value<'_>) -> bool {
        let column = MessageColumn::CreatedAt;
        let parsed = value.as_text().and_then(Text::timestamp);
        let Some(taken) = self.rows.messages.current_i64(column) else {
            return self.created(parsed, MessageForm::TIMESTAMP);
        };
        let same = parsed.is_some_and(|time| time.canonical && time.micros == taken);
        self.form |= if same { MessageForm::TIMESTAMP } else { 0 };
        same
    }

    fn flag(&mut self, column: MessageColumn, value: Value<'_>, number: i64) -> bool {
        let (exact, is_number) = put_flag(self.table(), column, value);
        self.form |= if is_number { number } else { 0 };
        exact
    }

    /// `channel` fills the column where `chnl` left it empty, and shares it where both are the same.
    fn second_channel(&mut self, value: Value<'_>) -> bool {
        let exact = match self.rows.messages.current(MessageColumn::Channel) {
            Some(taken) => value.as_text().is_some_and(|text| text.is(taken)),
            None => self.text(MessageColumn::Channel, value),
        };
        self.form |= if exact { MessageForm::CHANNEL } else { 0 };
        exact
    }

    fn channels(&mut self, value: Value<'_>) -> bool {
        if value.kind() != Kind::Array {
            return false;
        }
        let message = self.message;
        let row = self.rows.messages.rows();
        let list = self.rows.messages.list(MessageColumn::Channels);
        for channel in message.channels() {
            let mut raw = 0_u8;
            for (field, value) in channel.fields() {
                let exact = value.as_text().is_some_and(|text| put_part_text(list, field as usize, text));
                if !exact || channel.is_repeated(field) {
                    raw |= 1 << field as u8;
                }
            }
            let fields = ChannelField::ALL.iter().filter(|&&field| raw >> field as u8 & 1 != 0);
            put_part_extra(
                list,
                ChannelField::ALL.len(),
                channel
                    .others()
                    .map(|other| (other.key.raw(), Some(other.value)))
                    .chain(fields.map(|&field| (field.key(), channel.value(field)))),
            );
            list.end_element();
        }
        list.end(row);
        message.is_regular_list(MessageField::Channels)
    }

    fn author(&mut self, value: Value<'_>) -> bool {
        let Some(author) = self.message.author().filter(|_| value.kind() == Kind::Object) else {
            return false;
        };
        self.form |= MessageForm::AUTHOR;
        let mut exact = !author.has_repeated() && author.others().next().is_none();
        for (field, value) in author.fields() {
            let column = match field {
                AuthorField::Type => MessageColumn::AuthorType,
                AuthorField::Id => MessageColumn::AuthorId,
                AuthorField::FormId => MessageColumn::AuthorFormId,
                AuthorField::FormName => MessageColumn::AuthorFormName,
                AuthorField::AgentId => MessageColumn::AuthorAgentId,
                AuthorField::InstanceId => MessageColumn::AuthorInstanceId,
                AuthorField::FormInstanceId => MessageColumn::AuthorFormInstanceId,
                AuthorField::IsSecuredForm => {
                    let (kept, is_number) = put_flag(self.table(), MessageColumn::AuthorIsSecuredForm, value);
                    exact &= kept && !is_number;
                    continue;
                }
            };
            exact &= self.text(column, value);
        }
        exact
    }

    fn latency(&mut self) -> bool {
        let Some(latency) = self.message.latency() else { return false };
        self.form |= MessageForm::LATENCY;
        let mut exact = !latency.has_repeated() && latency.others().next().is_none();
        if let Some(total) = latency.total_ms() {
            exact &= self.number(MessageColumn::LatencyTotalMs, total);
        }
        for (field, column, bit) in [
            (LatencyField::Asr, MessageColumn::LatencyAsrMs, MessageForm::LATENCY_ASR),
            (LatencyField::Bot, MessageColumn::LatencyBotMs, MessageForm::LATENCY_BOT),
            (LatencyField::Tts, MessageColumn::LatencyTtsMs, MessageForm::LATENCY_TTS),
        ] {
            if latency.value(field).is_none() {
                continue;
            }
            let Some(part) = latency.part(field) else {
                exact = false;
                continue;
            };
            self.form |= bit;
            exact &= !part.has_repeated() && part.others().next().is_none();
            if let Some(duration) = part.value(LatencyPartField::DurationMs) {
                exact &= self.number(column, duration);
            }
        }
        exact
    }

    fn number(&mut self, column: MessageColumn, value: Value<'_>) -> bool {
        let Some((number, exact)) = value.as_f64() else { return false };
        if number.is_finite() {
            self.table().put_f64(column, number);
        }
        exact
    }

    fn components(&mut self, value: Value<'_>, ordinal: u64) -> bool {
        if value.kind() != Kind::Array {
            return false;
        }
        let mut count = 0;
        for component in self.message.components() {
            // Also where nobody wants the table `components`: the texts may have rows in others.
            let text = if count == 0 {
                put_component(&mut self.rows.messages, &FIRST, component, self.scratch)
            } else {
                let table = &mut self.rows.components;
                table.put_i64(ComponentColumn::MessageSeq, ordinal as i64);
                table.put_i32(ComponentColumn::ComponentIndex, count);
                let text = put_component(table, &OTHERS, component, self.scratch);
                table.end_row();
                text
            };
            if let Some(text) = text {
                self.template(ordinal, count, &text);
            }
            count += 1;
        }
        self.table().put_i32(MessageColumn::ComponentCount, count);
        self.message.is_regular_list(MessageField::Components)
    }

    fn tags(&mut self, ordinal: u64) -> bool {
        let Some(tags) = self.message.tags() else { return false };
        let owner = TagOwner {
            message: Some(ordinal),
            record: None,
            session_id: self.message.session_id(),
            user_id: self.message.created_by(),
        };
        let table = self.rows.with_tags.then_some(&mut self.rows.tags);
        let (form, exact) = put_tags(table, tags, owner);
        self.form |= form;
        exact
    }

    /// The rows of a text that hides a payload.
    fn template(&mut self, ordinal: u64, component: i32, text: &ClassifiedText<'_>) {
        let id = self.rows.messages.current(MessageColumn::MessageId).unwrap_or_default();
        self.rows.templates.put(TextPlace { message: ordinal, message_id: id, component }, text);
    }

    /// The message's own `text`, of the call form, fills the columns where no component could, and shares them where it
    /// is the same.
    fn call_text(&mut self, value: Value<'_>, ordinal: u64) -> bool {
        let table = &mut self.rows.messages;
        let shares =
            |taken: Option<&str>| taken.map(|taken| value.as_text().is_some_and(|text| text.is(taken)));
        // The text as it came, which is what is shown where no other is.
        let raw = shares(table.current(MessageColumn::RawText));
        let exact = match raw.or_else(|| shares(table.current(MessageColumn::Text))) {
            Some(same) => same,
            // A component without a text must not seem to have this one.
            None if self.message.components().next().is_some() => false,
            None => {
                let (text, exact) = put_classified(table, &FIRST, value, self.scratch);
                self.template(ordinal, 0, &text);
                exact
            }
        };
        self.form |= if exact { MessageForm::TEXT } else { 0 };
        exact
    }

    /// What follows from the columns that are filled.
    fn derived(&mut self, item: &Item<'_>) {
        let message = self.message;
        let table = &mut self.rows.messages;
        if table.current(MessageColumn::Channel).is_none()
            && let Some(text) = message.channels().next().and_then(korpus_core::Channel::channel_type)
        {
            table.put_text(MessageColumn::Channel, text);
        }
        if let Some(micros) = item.times.event_at {
            table.put_i64(MessageColumn::EventAt, micros);
            if let Ok(day) = i32::try_from(micros.div_euclid(MICROS_PER_DAY)) {
                table.put_i32(MessageColumn::EventDate, day);
            }
        }
        if let Some(text) = message.alt_text() {
            table.put_text(MessageColumn::AltText, text);
        }
        if table.current(MessageColumn::TextKind).is_none() {
            table.put_str(MessageColumn::TextKind, TextKind::Empty.as_str());
        }
    }

    fn finish(self) {
        let message = self.message;
        let table = &mut self.rows.messages;
        let mut raw = self.raw;
        if message.has_repeated() {
            for &field in MessageField::ALL {
                raw |= u64::from(message.is_repeated(field)) << field as u64;
            }
        }
        table.put_i64(MessageColumn::Form, self.form);
        let mut extra = table.object(MessageColumn::Extra);
        for other in message.others() {
            extra.member(other.key.raw(), other.value.raw());
        }
        while raw != 0 {
            let field = MessageField::ALL[raw.trailing_zeros() as usize];
            put_raw(&mut extra, field.key(), message.value(field));
            raw &= raw - 1;
        }
        extra.end(false);
        table.end_row();
    }
}

/// Puts the time that `value` tells; false where the column does not give back the text as it was written.
pub(crate) fn put_time(table: &mut TableBuffer, column: impl Into<usize>, value: Value<'_>) -> bool {
    put_parsed(table, column, value.as_text().and_then(Text::timestamp))
}

fn put_parsed(table: &mut TableBuffer, column: impl Into<usize>, time: Option<ParsedTime>) -> bool {
    let Some(time) = time else { return false };
    table.put_i64(column, time.micros);
    time.canonical
}

/// Puts a boolean, also one that is written as 0 or 1. Gives back whether it was one, and whether it was a number.
pub(crate) fn put_flag(table: &mut TableBuffer, column: impl Into<usize>, value: Value<'_>) -> (bool, bool) {
    let (flag, is_number) = match (value.as_bool(), value.as_i64()) {
        (Some(flag), _) => (flag, false),
        (None, Some(0)) => (false, true),
        (None, Some(1)) => (true, true),
        _ => return (false, false),
    };
    table.put_bool(column, flag);
    (true, is_number)
}
