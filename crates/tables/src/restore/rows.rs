//! One row of a table, and its rows in child tables, back to the JSON that they came of.

use arrow::array::{Array, AsArray};
use arrow::datatypes::Int64Type;
use korpus_core::{
    AuthorField, ChannelField, ComponentField, ConversationField, DataField, LatencyField, LatencyPartField,
    MessageField, SessionField, TagField, TagsField, ThumbnailField, write_json_string,
};

use super::object::Object;
use crate::build::{ComponentPlaces, FIRST, OTHERS, SCOPES};
use crate::read::Row;
use crate::schema::{
    ConversationColumn, MessageColumn, MessageForm, RecordForm, SessionColumn, TagColumn, null_bit,
};

/// What child tables hold of a message or record.
#[derive(Debug, Default)]
pub(super) struct Children {
    /// The components from the second on, each after a comma.
    pub components: String,
    /// The tags of each scope, with commas between them.
    pub tags: [String; SCOPES.len()],
}

impl Children {
    pub(super) fn clear(&mut self) {
        self.components.clear();
        self.tags.iter_mut().for_each(String::clear);
    }

    pub(super) fn push_component(&mut self, row: Row<'_>) {
        self.components.push(',');
        component(&mut self.components, row, &OTHERS);
    }

    pub(super) fn push_tag(&mut self, row: Row<'_>) {
        let scope = row.text(TagColumn::Scope);
        let Some(place) = SCOPES.iter().position(|(_, name, _)| Some(*name) == scope) else { return };
        let out = &mut self.tags[place];
        if !out.is_empty() {
            out.push(',');
        }
        let mut tag = Object::begin(out, row.text(TagColumn::Extra));
        tag.text(TagField::Name.key(), row.text(TagColumn::Name));
        match row.text(TagColumn::TagValueJson) {
            Some(raw) => tag.raw(TagField::Value.key(), Some(raw)),
            None => tag.text(TagField::Value.key(), row.text(TagColumn::TagValue)),
        }
        tag.end();
    }

    fn write_tags(&self, out: &mut String, form: i64) {
        let mut tags = Object::begin(out, None);
        for ((field, _, bit), rows) in SCOPES.iter().zip(&self.tags) {
            if form & bit != 0
                && let Some(out) = tags.member(TagsField::key(*field))
            {
                out.push('[');
                out.push_str(rows);
                out.push(']');
            }
        }
        tags.end();
    }
}

/// Writes the message of a row of `messages`.
pub(super) fn message(out: &mut String, row: Row<'_>, children: &Children) {
    let form = row.int64(MessageColumn::Form).unwrap_or_default();
    let has = |bit: i64| form & bit != 0;
    let mut object = Object::begin(out, row.text(MessageColumn::Extra));
    for &field in MessageField::ALL {
        let key = field.key();
        if has(null_bit(field)) {
            object.raw(key, Some("null"));
            continue;
        }
        match field {
            MessageField::Id => {
                if row.bool(MessageColumn::IdIsSurrogate) == Some(false) {
                    object.text(key, row.text(MessageColumn::MessageId));
                }
            }
            MessageField::BotId => object.text(key, row.text(MessageColumn::BotId)),
            MessageField::OrgId => object.text(key, row.text(MessageColumn::OrgId)),
            MessageField::AccountId => object.text(key, row.text(MessageColumn::AccountId)),
            MessageField::SessionId => object.text(key, row.text(MessageColumn::SessionId)),
            MessageField::ConversationId => object.text(key, row.text(MessageColumn::ConversationId)),
            MessageField::CreatedBy => object.text(key, row.text(MessageColumn::UserId)),
            MessageField::LModifiedBy => object.text(key, row.text(MessageColumn::ModifiedBy)),
            MessageField::Type => object.text(key, row.text(MessageColumn::MessageType)),
            MessageField::Status => object.text(key, row.text(MessageColumn::Status)),
            MessageField::Lang => object.text(key, row.text(MessageColumn::Language)),
            MessageField::TaskName => object.text(key, row.text(MessageColumn::TaskName)),
            MessageField::TraceId => object.text(key, row.text(MessageColumn::TraceId)),
            MessageField::CreatedOn if has(MessageForm::CREATED_ON) => {
                object.time(key, row.micros(MessageColumn::CreatedAt));
            }
            MessageField::Timestamp if has(MessageForm::TIMESTAMP) => {
                object.time(key, row.micros(MessageColumn::CreatedAt));
            }
            MessageField::LModifiedOn => object.time(key, row.micros(MessageColumn::ModifiedAt)),
            MessageField::StoreModifiedOn => object.time(key, row.micros(MessageColumn::StoreModifiedAt)),
            MessageField::TimestampValue => object.number(key, row.int64(MessageColumn::TimestampMs)),
            MessageField::MessageSource => object.number(key, row.int32(MessageColumn::MessageSource)),
            MessageField::IsBotBuilder => {
                object.flag(key, row.bool(MessageColumn::IsBotBuilder), has(MessageForm::IS_BB_NUMBER));
            }
            MessageField::IsDeveloper => {
                object.flag(key, row.bool(MessageColumn::IsDeveloper), has(MessageForm::IS_D_NUMBER));
            }
            MessageField::IsAgentSide => {
                object.flag(key, row.bool(MessageColumn::IsAgentSide), has(MessageForm::IS_A_NUMBER));
            }
            MessageField::Chnl if has(MessageForm::CHNL) => {
                object.text(key, row.text(MessageColumn::Channel));
            }
            MessageField::Channel if has(MessageForm::CHANNEL) => {
                object.text(key, row.text(MessageColumn::Channel));
            }
            MessageField::Text if has(MessageForm::TEXT) => {
                let text = row.text(MessageColumn::RawText).or_else(|| row.text(MessageColumn::Text));
                object.text(key, text);
            }
            MessageField::Channels => {
                if !row.is_null(MessageColumn::Channels)
                    && let Some(out) = object.member(key)
                {
                    channels(out, row);
                }
            }
            MessageField::Author => {
                if has(MessageForm::AUTHOR)
                    && let Some(out) = object.member(key)
                {
                    author(out, row);
                }
            }
            MessageField::Latency => {
                if has(MessageForm::LATENCY)
                    && let Some(out) = object.member(key)
                {
                    latency(out, row, form);
                }
            }
            MessageField::Components => {
                if let Some(count) = row.int32(MessageColumn::ComponentCount)
                    && let Some(out) = object.member(key)
                {
                    out.push('[');
                    if count > 0 {
                        component(out, row, &FIRST);
                        out.push_str(&children.components);
                    }
                    out.push(']');
                }
            }
            MessageField::Tags => {
                if has(MessageForm::TAGS)
                    && let Some(out) = object.member(key)
                {
                    children.write_tags(out, form);
                }
            }
            MessageField::CreatedOn
            | MessageField::Timestamp
            | MessageField::Chnl
            | MessageField::Channel
            | MessageField::Text => {}
        }
    }
    object.end();
}

fn author(out: &mut String, row: Row<'_>) {
    let mut object = Object::begin(out, None);
    for &field in AuthorField::ALL {
        let column = match field {
            AuthorField::Type => MessageColumn::AuthorType,
            AuthorField::Id => MessageColumn::AuthorId,
            AuthorField::FormId => MessageColumn::AuthorFormId,
            AuthorField::FormName => MessageColumn::AuthorFormName,
            AuthorField::AgentId => MessageColumn::AuthorAgentId,
            AuthorField::InstanceId => MessageColumn::AuthorInstanceId,
            AuthorField::FormInstanceId => MessageColumn::AuthorFormInstanceId,
            AuthorField::IsSecuredForm => {
                object.flag(field.key(), row.bool(MessageColumn::AuthorIsSecuredForm), false);
                continue;
            }
        };
        object.text(field.key(), row.text(column));
    }
    object.end();
}

fn latency(out: &mut String, row: Row<'_>, form: i64) {
    let mut object = Object::begin(out, None);
    object.number(LatencyField::TotalMs.key(), row.float64(MessageColumn::LatencyTotalMs));
    for (field, column, bit) in [
        (LatencyField::Asr, MessageColumn::LatencyAsrMs, MessageForm::LATENCY_ASR),
        (LatencyField::Bot, MessageColumn::LatencyBotMs, MessageForm::LATENCY_BOT),
        (LatencyField::Tts, MessageColumn::LatencyTtsMs, MessageForm::LATENCY_TTS),
    ] {
        if form & bit != 0
            && let Some(out) = object.member(field.key())
        {
            let mut part = Object::begin(out, None);
            part.number(LatencyPartField::DurationMs.key(), row.float64(column));
            part.end();
        }
    }
    object.end();
}

fn channels(out: &mut String, row: Row<'_>) {
    let Some(list) = row.list(MessageColumn::Channels) else { return };
    let entries = list.as_struct();
    let part = |index: usize, entry: usize| text_at(entries.column(index), entry);
    out.push('[');
    for entry in 0..entries.len() {
        if entry > 0 {
            out.push(',');
        }
        let mut object = Object::begin(out, part(ChannelField::ALL.len(), entry));
        for (index, field) in ChannelField::ALL.iter().enumerate() {
            object.text(field.key(), part(index, entry));
        }
        object.end();
    }
    out.push(']');
}

fn text_at(array: &dyn Array, row: usize) -> Option<&str> {
    array.is_valid(row).then(|| array.as_string::<i32>().value(row))
}

fn component(out: &mut String, row: Row<'_>, at: &ComponentPlaces) {
    let mut object = Object::begin(out, row.text(at.extra));
    object.text(ComponentField::Id.key(), row.text(at.id));
    object.text(ComponentField::Type.key(), row.text(at.component_type));
    let text = row.text(at.raw_text).or_else(|| row.text(at.text));
    let data = row.text(at.data);
    if (text.is_some() || data.is_some())
        && let Some(out) = object.member(ComponentField::Data.key())
    {
        let mut object = Object::begin(out, data);
        object.text(DataField::Text.key(), text);
        object.end();
    }
    if let Some(list) = row.list(at.thumbnails)
        && let Some(out) = object.member(ComponentField::Thumbnails.key())
    {
        thumbnails(out, list.as_struct());
    }
    object.end();
}

fn thumbnails(out: &mut String, entries: &arrow::array::StructArray) {
    out.push('[');
    for entry in 0..entries.len() {
        if entry > 0 {
            out.push(',');
        }
        let mut object = Object::begin(out, text_at(entries.column(ThumbnailField::ALL.len()), entry));
        for (index, field) in ThumbnailField::ALL.iter().enumerate() {
            let column = entries.column(index);
            match field {
                ThumbnailField::Id | ThumbnailField::Url => object.text(field.key(), text_at(column, entry)),
                _ => object.number(
                    field.key(),
                    column.is_valid(entry).then(|| column.as_primitive::<Int64Type>().value(entry)),
                ),
            }
        }
        object.end();
    }
    out.push(']');
}

/// Writes the record of a row of `conversations`, without its messages; an empty list of them is written.
pub(super) fn conversation(out: &mut String, row: Row<'_>) {
    let form = row.int64(ConversationColumn::Form).unwrap_or_default();
    let mut object = Object::begin(out, row.text(ConversationColumn::Extra));
    for &field in ConversationField::ALL {
        let column = match field {
            ConversationField::Id if form & RecordForm::ID_MADE_UP != 0 => continue,
            ConversationField::Id => ConversationColumn::ConversationRecordId,
            ConversationField::ConvId => ConversationColumn::ConvId,
            ConversationField::BotId => ConversationColumn::BotId,
            ConversationField::ChannelType => ConversationColumn::ChannelType,
            ConversationField::Experience => ConversationColumn::Experience,
            ConversationField::AgentAiSessionId => ConversationColumn::AgentAiSessionId,
            ConversationField::AgentAiUserId => ConversationColumn::AgentAiUserId,
            ConversationField::MessagingSessionId => ConversationColumn::MessagingSessionId,
            ConversationField::MessagingUserId => ConversationColumn::MessagingUserId,
            ConversationField::IsExternal => {
                let is_number = form & RecordForm::IS_EXTERNAL_NUMBER != 0;
                object.flag(field.key(), row.bool(ConversationColumn::IsExternal), is_number);
                continue;
            }
            ConversationField::StartTime => {
                object.time(field.key(), row.micros(ConversationColumn::StartedAt));
                continue;
            }
            ConversationField::Messages => {
                if row.int64(ConversationColumn::MessageCount) == Some(0)
                    && let Some(out) = object.member(field.key())
                {
                    out.push_str("[]");
                }
                continue;
            }
        };
        object.text(field.key(), row.text(column));
    }
    object.end();
}

/// Writes the record of a row of `platform_sessions`.
pub(super) fn session(out: &mut String, row: Row<'_>, children: &Children) {
    let form = row.int64(SessionColumn::Form).unwrap_or_default();
    let mut object = Object::begin(out, row.text(SessionColumn::Extra));
    for &field in SessionField::ALL {
        let key = field.key();
        match field {
            SessionField::SessionId => object.text(key, row.text(SessionColumn::SessionId)),
            SessionField::BotId => object.text(key, row.text(SessionColumn::BotId)),
            SessionField::Channel => object.text(key, row.text(SessionColumn::Channel)),
            SessionField::UserId => object.text(key, row.text(SessionColumn::UserId)),
            SessionField::SessionType => object.text(key, row.text(SessionColumn::SessionType)),
            SessionField::SessionStatus => object.text(key, row.text(SessionColumn::SessionStatus)),
            SessionField::ContainmentType => object.text(key, row.text(SessionColumn::ContainmentType)),
            SessionField::StartTime => object.time(key, row.micros(SessionColumn::StartedAt)),
            SessionField::EndTime => object.time(key, row.micros(SessionColumn::EndedAt)),
            SessionField::MessageCount => object.number(key, row.int64(SessionColumn::MessageCount)),
            SessionField::TaskCount => object.number(key, row.int64(SessionColumn::TaskCount)),
            SessionField::IsDeveloper => {
                let is_number = form & RecordForm::IS_DEVELOPER_NUMBER != 0;
                object.flag(key, row.bool(SessionColumn::IsDeveloper), is_number);
            }
            SessionField::Languages => {
                if let Some(list) = row.list(SessionColumn::Languages)
                    && let Some(out) = object.member(key)
                {
                    out.push('[');
                    for (index, language) in list.as_string::<i32>().iter().flatten().enumerate() {
                        if index > 0 {
                            out.push(',');
                        }
                        write_json_string(language, out);
                    }
                    out.push(']');
                }
            }
            SessionField::Tags => {
                if form & RecordForm::TAGS != 0
                    && let Some(out) = object.member(key)
                {
                    children.write_tags(out, form);
                }
            }
        }
    }
    object.end();
}
