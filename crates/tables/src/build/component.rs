//! The columns of a component, which are the same in `messages` (the first) and `components` (the others).

use korpus_core::{
    ClassifiedText, Component, ComponentField, DataField, Kind, Scratch, Text, TextKind, ThumbnailField,
    Value,
};

use super::column::{ColumnBuffer, List};
use super::table::{ObjectWriter, TableBuffer};
use crate::schema::{ComponentColumn, MessageColumn};

/// Where the columns of a component stand in a table.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ComponentPlaces {
    pub id: usize,
    pub component_type: usize,
    pub text: usize,
    pub raw_text: usize,
    pub text_kind: usize,
    pub template_type: usize,
    pub template_type_norm: usize,
    pub data: usize,
    pub thumbnails: usize,
    pub extra: usize,
}

/// In `messages`.
pub(crate) const FIRST: ComponentPlaces = ComponentPlaces {
    id: MessageColumn::ComponentId as usize,
    component_type: MessageColumn::ComponentType as usize,
    text: MessageColumn::Text as usize,
    raw_text: MessageColumn::RawText as usize,
    text_kind: MessageColumn::TextKind as usize,
    template_type: MessageColumn::TemplateType as usize,
    template_type_norm: MessageColumn::TemplateTypeNorm as usize,
    data: MessageColumn::ComponentData as usize,
    thumbnails: MessageColumn::Thumbnails as usize,
    extra: MessageColumn::ComponentExtra as usize,
};

/// In `components`.
pub(crate) const OTHERS: ComponentPlaces = ComponentPlaces {
    id: ComponentColumn::ComponentId as usize,
    component_type: ComponentColumn::ComponentType as usize,
    text: ComponentColumn::Text as usize,
    raw_text: ComponentColumn::RawText as usize,
    text_kind: ComponentColumn::TextKind as usize,
    template_type: ComponentColumn::TemplateType as usize,
    template_type_norm: ComponentColumn::TemplateTypeNorm as usize,
    data: ComponentColumn::ComponentData as usize,
    thumbnails: ComponentColumn::Thumbnails as usize,
    extra: ComponentColumn::ComponentExtra as usize,
};

/// Fills the columns of one component; the row stays open. Gives back its text, where it has one.
pub(crate) fn put_component<'s>(
    table: &mut TableBuffer,
    at: &ComponentPlaces,
    component: Component<'s>,
    scratch: &'s Scratch,
) -> Option<ClassifiedText<'s>> {
    let mut extra = 0_u8;
    let mut text = None;
    for (field, value) in component.fields() {
        let exact = match field {
            ComponentField::Id => put_exact(table, at.id, value),
            ComponentField::Type => put_exact(table, at.component_type, value),
            ComponentField::Data => {
                value.kind() == Kind::Object && {
                    text = put_data(table, at, component, scratch);
                    true
                }
            }
            ComponentField::Thumbnails => {
                let regular = component.has_regular_thumbnails();
                if value.kind() == Kind::Array {
                    put_thumbnails(table, at, component);
                }
                regular
            }
        };
        if !exact || component.is_repeated(field) {
            extra |= 1 << field as u8;
        }
    }
    let others = component.others();
    let mut object = table.object(at.extra);
    for other in others {
        object.member(other.key.raw(), other.value.raw());
    }
    for &field in ComponentField::ALL {
        if extra >> field as u8 & 1 != 0 {
            put_raw(&mut object, field.key(), component.value(field));
        }
    }
    object.end(false);
    if text.is_none() {
        table.put_str(at.text_kind, TextKind::Empty.as_str());
    }
    text
}

/// Puts a text, and what it is, into the columns for it; false where they do not give back `value`.
pub(crate) fn put_classified<'s>(
    table: &mut TableBuffer,
    at: &ComponentPlaces,
    value: Value<'s>,
    scratch: &'s Scratch,
) -> (ClassifiedText<'s>, bool) {
    let text = value.as_text();
    let classified = scratch.classify_value(value);
    let exact = match text {
        Some(text) if classified.is_verbatim() => table.put_text(at.text, text),
        _ => {
            let raw = classified.raw();
            let visible = classified.visible();
            if let Some(visible) = visible {
                table.put_str(at.text, visible);
            }
            if text.is_some() && visible != Some(raw) {
                table.put_str(at.raw_text, raw);
            }
            text.is_some() && !classified.is_lossy()
        }
    };
    table.put_str(at.text_kind, classified.kind().as_str());
    if let Some(template) = classified.template()
        && let (Some(name), Some(norm)) = (template.template_type(), template.template_type_norm())
    {
        table.put_str(at.template_type, name);
        table.put_str(at.template_type_norm, norm);
    }
    (classified, exact)
}

/// Puts the text that `value` is; false where the column does not give it back.
pub(crate) fn put_exact(table: &mut TableBuffer, column: impl Into<usize>, value: Value<'_>) -> bool {
    value.as_text().is_some_and(|text| table.put_text(column, text))
}

/// Adds the raw value of a known key, where there is one.
pub(crate) fn put_raw(object: &mut ObjectWriter<'_>, key: &str, value: Option<Value<'_>>) {
    if let Some(value) = value {
        object.member(key, value.raw());
    }
}

fn put_data<'s>(
    table: &mut TableBuffer,
    at: &ComponentPlaces,
    component: Component<'s>,
    scratch: &'s Scratch,
) -> Option<ClassifiedText<'s>> {
    let data = component.data()?;
    let text = data.value(DataField::Text);
    let classified = component.data_text_value().map(|text| put_classified(table, at, text, scratch));
    let exact = text.is_none() || classified.as_ref().is_some_and(|(_, exact)| *exact);
    let mut object = table.object(at.data);
    for other in data.others() {
        object.member(other.key.raw(), other.value.raw());
    }
    if !exact || data.is_repeated(DataField::Text) {
        put_raw(&mut object, DataField::Text.key(), text);
    }
    object.end(text.is_none());
    classified.map(|(classified, _)| classified)
}

fn put_thumbnails(table: &mut TableBuffer, at: &ComponentPlaces, component: Component<'_>) {
    let row = table.rows();
    let list = table.list(at.thumbnails);
    for thumbnail in component.thumbnails() {
        let mut extra = 0_u8;
        for (field, value) in thumbnail.fields() {
            let exact = match field {
                ThumbnailField::Id | ThumbnailField::Url => {
                    value.as_text().is_some_and(|text| put_part_text(list, field as usize, text))
                }
                _ => value.as_i64().is_some_and(|number| {
                    let row = list.len;
                    if let ColumnBuffer::Int64(numbers) = &mut list.parts[field as usize] {
                        numbers.put(row, number);
                    }
                    true
                }),
            };
            if !exact || thumbnail.is_repeated(field) {
                extra |= 1 << field as u8;
            }
        }
        let known = ThumbnailField::ALL.len();
        put_part_extra(
            list,
            known,
            thumbnail.others().map(|other| (other.key.raw(), Some(other.value))).chain(
                ThumbnailField::ALL
                    .iter()
                    .filter(|&&field| extra >> field as u8 & 1 != 0)
                    .map(|&field| (field.key(), thumbnail.value(field))),
            ),
        );
        list.end_element();
    }
    list.end(row);
}

/// Puts the text of a part of the element that is being filled; false where it held a lone surrogate.
pub(crate) fn put_part_text(list: &mut List, part: usize, text: Text<'_>) -> bool {
    let row = list.len;
    list.parts[part].put_text(row, text)
}

/// Puts the `extra` of the element that is being filled.
pub(crate) fn put_part_extra<'b>(
    list: &mut List,
    part: usize,
    members: impl Iterator<Item = (&'b str, Option<Value<'b>>)>,
) {
    let row = list.len;
    if let ColumnBuffer::Text(texts) = &mut list.parts[part] {
        let mut object = ObjectWriter::new(texts, row);
        for (key, value) in members {
            put_raw(&mut object, key, value);
        }
        object.end(false);
    }
}
