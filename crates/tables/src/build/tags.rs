//! The rows of `tags`, of messages and of session records.

use korpus_core::{Tag, TagField, Tags, TagsField, Text};

use super::component::put_raw;
use super::table::TableBuffer;
use crate::schema::{MessageForm, TagColumn};

/// Scopes, their names in the table, and their bits in `form`.
pub(crate) const SCOPES: [(TagsField, &str, i64); 4] = [
    (TagsField::MessageTags, "message", MessageForm::MESSAGE_TAGS),
    (TagsField::UserTags, "user", MessageForm::USER_TAGS),
    (TagsField::SessionTags, "session", MessageForm::SESSION_TAGS),
    (TagsField::AltText, "alt_text", MessageForm::ALT_TEXT),
];

/// Whom tags belong to.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TagOwner<'b> {
    pub message: Option<u64>,
    pub record: Option<u64>,
    pub session_id: Option<Text<'b>>,
    pub user_id: Option<Text<'b>>,
}

/// Puts the rows of all scopes (into nothing where the table is not wanted); gives back the bits of `form` and whether
/// rows and bits give back the whole value.
pub(crate) fn put_tags(
    mut table: Option<&mut TableBuffer>,
    tags: Tags<'_>,
    owner: TagOwner<'_>,
) -> (i64, bool) {
    let mut form = MessageForm::TAGS;
    let mut exact = !tags.has_repeated() && tags.others().next().is_none();
    for (field, scope, bit) in SCOPES {
        if tags.value(field).is_none() {
            continue;
        }
        form |= bit;
        exact &= tags.is_regular_scope(field);
        if let Some(table) = table.as_deref_mut() {
            for (index, tag) in tags.scope(field).enumerate() {
                put_tag(table, tag, scope, index, owner);
            }
        }
    }
    (form, exact)
}

fn put_tag(table: &mut TableBuffer, tag: Tag<'_>, scope: &str, index: usize, owner: TagOwner<'_>) {
    if let Some(seq) = owner.message {
        table.put_i64(TagColumn::MessageSeq, seq as i64);
    }
    if let Some(seq) = owner.record {
        table.put_i64(TagColumn::RecordSeq, seq as i64);
    }
    if let Some(text) = owner.session_id {
        table.put_text(TagColumn::SessionId, text);
    }
    if let Some(text) = owner.user_id {
        table.put_text(TagColumn::UserId, text);
    }
    table.put_str(TagColumn::Scope, scope);
    table.put_i32(TagColumn::TagIndex, index as i32);
    let name = tag.value(TagField::Name);
    let name_exact =
        name.is_none_or(|name| name.as_text().is_some_and(|text| table.put_text(TagColumn::Name, text)));
    let value = tag.value(TagField::Value);
    if let Some(value) = value
        && !value.as_text().is_some_and(|text| table.put_text(TagColumn::TagValue, text))
    {
        table.put_str(TagColumn::TagValueJson, value.raw());
    }
    let mut extra = table.object(TagColumn::Extra);
    for other in tag.others() {
        extra.member(other.key.raw(), other.value.raw());
    }
    if !name_exact || tag.is_repeated(TagField::Name) {
        put_raw(&mut extra, TagField::Name.key(), name);
    }
    if tag.is_repeated(TagField::Value) {
        put_raw(&mut extra, TagField::Value.key(), value);
    }
    extra.end(false);
    table.end_row();
}
