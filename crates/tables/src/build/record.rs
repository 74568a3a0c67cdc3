//! The rows of records that are not messages.

use korpus_core::{Conversation, ConversationField, Kind, Record, SessionField, SessionRecord, Value};
use korpus_engine::{InputInfo, RecordItem};

use super::component::{put_exact, put_part_text, put_raw};
use super::message::{put_flag, put_time};
use super::rows::Rows;
use super::tags::{TagOwner, put_tags};
use crate::schema::{ConversationColumn, RecordForm, SessionColumn};

/// Puts all rows of one record.
pub(crate) fn put_record(rows: &mut Rows, item: &RecordItem<'_>, input: &InputInfo) {
    match item.record {
        Record::Conversation(record) => put_conversation(rows, record, item.ordinal, input),
        Record::Session(record) => put_session(rows, record, item.ordinal, input),
    }
}

fn put_conversation(rows: &mut Rows, record: Conversation<'_>, ordinal: u64, input: &InputInfo) {
    let Rows { conversations: table, records, .. } = rows;
    let (mut form, mut raw) = (0, 0_u64);
    if record.filled_id().is_none() {
        table.put_str(ConversationColumn::ConversationRecordId, &records.id_of(record));
        form |= RecordForm::ID_MADE_UP;
    }
    table.put_i64(ConversationColumn::RecordSeq, ordinal as i64);
    for &field in ConversationField::ALL {
        let Some(value) = record.value(field) else { continue };
        let column = match field {
            ConversationField::Id if form & RecordForm::ID_MADE_UP != 0 => {
                raw |= 1 << field as u64;
                continue;
            }
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
                let (exact, is_number) = put_flag(table, ConversationColumn::IsExternal, value);
                form |= if is_number { RecordForm::IS_EXTERNAL_NUMBER } else { 0 };
                raw |= u64::from(!exact) << field as u64;
                continue;
            }
            ConversationField::StartTime => {
                let exact = put_time(table, ConversationColumn::StartedAt, value);
                raw |= u64::from(!exact) << field as u64;
                continue;
            }
            ConversationField::Messages => {
                // The messages are rows of their own; what is no list of messages stands in `extra` too.
                if value.kind() == Kind::Array {
                    table.put_i64(ConversationColumn::MessageCount, record.message_range().len() as i64);
                }
                raw |= u64::from(!record.has_regular_messages()) << field as u64;
                continue;
            }
        };
        raw |= u64::from(!put_exact(table, column, value)) << field as u64;
    }
    table.put_str(ConversationColumn::SourceFile, &input.display);
    table.put_i64(ConversationColumn::PageIndex, record.page_index() as i64);
    table.put_i64(ConversationColumn::RecordIndex, record.record_index() as i64);
    table.put_i64(ConversationColumn::Form, form);
    let mut extra = table.object(ConversationColumn::Extra);
    for other in record.others() {
        extra.member(other.key.raw(), other.value.raw());
    }
    for &field in ConversationField::ALL {
        if record.is_repeated(field) || raw >> field as u64 & 1 != 0 {
            put_raw(&mut extra, field.key(), record.value(field));
        }
    }
    extra.end(false);
    table.end_row();
}

fn put_session(rows: &mut Rows, record: SessionRecord<'_>, ordinal: u64, input: &InputInfo) {
    let table = &mut rows.sessions;
    let (mut form, mut raw) = (0, 0_u64);
    table.put_i64(SessionColumn::RecordSeq, ordinal as i64);
    for &field in SessionField::ALL {
        let Some(value) = record.value(field) else { continue };
        let exact = match field {
            SessionField::SessionId => put_exact(table, SessionColumn::SessionId, value),
            SessionField::BotId => put_exact(table, SessionColumn::BotId, value),
            SessionField::Channel => put_exact(table, SessionColumn::Channel, value),
            SessionField::UserId => put_exact(table, SessionColumn::UserId, value),
            SessionField::SessionType => put_exact(table, SessionColumn::SessionType, value),
            SessionField::SessionStatus => put_exact(table, SessionColumn::SessionStatus, value),
            SessionField::ContainmentType => put_exact(table, SessionColumn::ContainmentType, value),
            SessionField::StartTime => put_time(table, SessionColumn::StartedAt, value),
            SessionField::EndTime => put_time(table, SessionColumn::EndedAt, value),
            SessionField::Languages => {
                value.kind() == Kind::Array && {
                    let row = table.rows();
                    let list = table.list(SessionColumn::Languages);
                    let mut exact = true;
                    for language in value.elements() {
                        exact &= language.as_text().is_some_and(|text| put_part_text(list, 0, text));
                        list.end_element();
                    }
                    list.end(row);
                    exact
                }
            }
            SessionField::IsDeveloper => {
                let (exact, is_number) = put_flag(table, SessionColumn::IsDeveloper, value);
                form |= if is_number { RecordForm::IS_DEVELOPER_NUMBER } else { 0 };
                exact
            }
            SessionField::MessageCount => {
                put_count(value, |number| table.put_i64(SessionColumn::MessageCount, number))
            }
            SessionField::TaskCount => {
                put_count(value, |number| table.put_i64(SessionColumn::TaskCount, number))
            }
            SessionField::Tags => record.tags().is_some_and(|tags| {
                let owner = TagOwner {
                    message: None,
                    record: Some(ordinal),
                    session_id: record.session_id(),
                    user_id: record.user_id(),
                };
                let (bits, exact) = put_tags(rows.with_tags.then_some(&mut rows.tags), tags, owner);
                form |= bits;
                exact
            }),
        };
        raw |= u64::from(!exact) << field as u64;
    }
    table.put_str(SessionColumn::SourceFile, &input.display);
    table.put_i64(SessionColumn::PageIndex, record.page_index() as i64);
    table.put_i64(SessionColumn::RecordIndex, record.record_index() as i64);
    table.put_i64(SessionColumn::Form, form);
    let mut extra = table.object(SessionColumn::Extra);
    for other in record.others() {
        extra.member(other.key.raw(), other.value.raw());
    }
    for &field in SessionField::ALL {
        if record.is_repeated(field) || raw >> field as u64 & 1 != 0 {
            put_raw(&mut extra, field.key(), record.value(field));
        }
    }
    extra.end(false);
    table.end_row();
}

fn put_count(value: Value<'_>, put: impl FnOnce(i64)) -> bool {
    value.as_i64().map(put).is_some()
}
