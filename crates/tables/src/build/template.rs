//! The rows of a text that hides a payload: in `templates`, and of what the payload shows in `elements` and `actions`.

use korpus_core::{
    Action, ClassifiedText, Element, Reason, Template, TemplateVisitor, TextKind, has_lone_surrogate,
    nesting, write_json_string,
};

use super::column::ColumnBuffer;
use super::rows::Selection;
use super::table::TableBuffer;
use crate::schema::{ActionColumn, ElementColumn, Table, TemplateColumn};

/// Levels of what stands as JSON in `extra`: readers of JSON go no deeper than some hundreds, and fail on the whole column.
const DEEPEST: usize = 100;

/// The rows of the three tables that came of one block.
#[derive(Debug)]
pub(crate) struct TemplateRows {
    pub templates: TableBuffer,
    pub elements: TableBuffer,
    pub actions: TableBuffer,
    with_templates: bool,
    with_elements: bool,
    with_actions: bool,
}

/// Where a text stands.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TextPlace<'a> {
    pub message: u64,
    pub message_id: &'a str,
    pub component: i32,
}

impl TemplateRows {
    pub(crate) fn new(selection: &Selection, mut buffer: impl FnMut(Table) -> TableBuffer) -> Self {
        Self {
            templates: buffer(Table::Templates),
            elements: buffer(Table::Elements),
            actions: buffer(Table::Actions),
            with_templates: selection.has(Table::Templates),
            with_elements: selection.has(Table::Elements),
            with_actions: selection.has(Table::Actions),
        }
    }

    /// Makes the ordinals of the block those of the run.
    pub(crate) fn add_base(&mut self, messages: u64) {
        self.templates.add_base(TemplateColumn::MessageSeq, messages);
        self.elements.add_base(ElementColumn::MessageSeq, messages);
        self.actions.add_base(ActionColumn::MessageSeq, messages);
    }

    /// Puts the rows of a text, where it has any.
    pub(crate) fn put(&mut self, place: TextPlace<'_>, text: &ClassifiedText<'_>) {
        let has_rows = !matches!(text.kind(), TextKind::Empty | TextKind::Plain | TextKind::Ssml);
        if has_rows && (self.with_templates || self.with_elements || self.with_actions) {
            self.put_rows(place, text);
        }
    }

    fn put_rows(&mut self, place: TextPlace<'_>, text: &ClassifiedText<'_>) {
        let template = text.template();
        let size = template.map_or(0, |template| template.root().raw().len());
        let mut children = Children {
            rows: self,
            place,
            paths: (32 * size).min(16 << 20) + (64 << 10),
            is_cut: false,
            counts: [0; 2],
        };
        if let Some(template) = template {
            template.visit(&mut children);
        }
        let Children { is_cut, counts, .. } = children;
        if !self.with_templates {
            return;
        }
        let table = &mut self.templates;
        table.put_i64(TemplateColumn::MessageSeq, place.message as i64);
        table.put_str(TemplateColumn::MessageId, place.message_id);
        table.put_i32(TemplateColumn::ComponentIndex, place.component);
        table.put_str(TemplateColumn::TextKind, text.kind().as_str());
        put(table, TemplateColumn::Text, text.visible());
        table.put_i64(TemplateColumn::ElementCount, counts[0]);
        table.put_i64(TemplateColumn::ActionCount, counts[1]);
        let error = text.decode_error().map(|error| (error.reason, error.offset));
        if let Some((reason, offset)) = error.or(is_cut.then_some((Reason::TooLarge, 0))) {
            table.put_str(TemplateColumn::DecodeError, reason.as_str());
            table.put_i64(TemplateColumn::DecodeErrorOffset, offset as i64);
        }
        if let Some(template) = template {
            put_payload(table, template);
        }
        table.end_row();
    }
}

fn put(table: &mut TableBuffer, column: impl Into<usize>, value: Option<&str>) {
    if let Some(value) = value {
        table.put_str(column, value);
    }
}

/// What the row says of the payload.
fn put_payload(table: &mut TableBuffer, template: Template<'_>) {
    put(table, TemplateColumn::EnvelopeType, template.envelope_type());
    put(table, TemplateColumn::TemplateType, template.template_type());
    put(table, TemplateColumn::TemplateTypeNorm, template.template_type_norm());
    if let Some(form) = template.form() {
        put(table, TemplateColumn::FormId, form.form_id);
        put(table, TemplateColumn::FormName, form.name);
        put(table, TemplateColumn::FormDisplayName, form.display_name);
        put(table, TemplateColumn::FormLink, form.link);
        put(table, TemplateColumn::FormRenderType, form.render_type);
        for (column, number) in [
            (TemplateColumn::FormLinkExpiry, form.link_expiry),
            (TemplateColumn::FormSubmitExpiry, form.submit_expiry),
        ] {
            if let Some(number) = number {
                table.put_i64(column, number);
            }
        }
    }
    if template.kind() == TextKind::VoiceCommand {
        put_list(table, TemplateColumn::VoiceVerbs, template.voice_verbs().map(Some));
    }
    let row = table.rows();
    let extra = table.texts(TemplateColumn::Extra);
    let mut any = false;
    template.for_each_leftover(|pointer, raw| {
        let out = extra.begin(row);
        out.push(if any { ',' } else { '{' });
        write_json_string(pointer, out);
        out.push(':');
        if is_unreadable(raw) {
            write_json_string(raw, out);
        } else {
            out.push_str(raw);
        }
        any = true;
    });
    if any {
        extra.begin(row).push('}');
        extra.end();
    }
}

/// Whether readers of JSON fail on a value: one that nests too deep, or holds half a character.
fn is_unreadable(raw: &str) -> bool {
    let is_deep = || raw.starts_with(['[', '{']) && nesting(raw) > DEEPEST;
    is_deep() || has_lone_surrogate(raw)
}

/// Puts a list of texts, in which null ones keep their place.
fn put_list<'s>(
    table: &mut TableBuffer,
    column: impl Into<usize>,
    values: impl Iterator<Item = Option<&'s str>>,
) {
    let row = table.rows();
    let list = table.list(column);
    for value in values {
        if let (Some(value), ColumnBuffer::Name(names)) = (value, &mut list.parts[0]) {
            names.put(list.len, value);
        }
        list.end_element();
    }
    list.end(row);
}

/// Puts elements and actions as they come by.
struct Children<'a> {
    rows: &'a mut TemplateRows,
    place: TextPlace<'a>,
    /// How many bytes of paths may still be written: a long path would cost again for everything under it.
    paths: usize,
    is_cut: bool,
    counts: [i64; 2],
}

impl Children<'_> {
    /// The path, or "" once they are too many.
    fn path<'p>(&mut self, path: &'p str) -> &'p str {
        if let Some(left) = self.paths.checked_sub(path.len()) {
            self.paths = left;
            path
        } else {
            (self.paths, self.is_cut) = (0, true);
            ""
        }
    }
}

impl TemplateVisitor for Children<'_> {
    fn element(&mut self, element: &Element<'_, '_>) {
        self.counts[0] += 1;
        if !self.rows.with_elements {
            // The budget is spent all the same: other tables must not depend on whether this one is wanted.
            self.path(element.parent_path);
            return;
        }
        let path = self.path(element.parent_path);
        let table = &mut self.rows.elements;
        table.put_i64(ElementColumn::MessageSeq, self.place.message as i64);
        table.put_i32(ElementColumn::ComponentIndex, self.place.component);
        table.put_i32(ElementColumn::ElementIndex, element.index as i32);
        table.put_str(ElementColumn::ParentPath, path);
        put(table, ElementColumn::Title, element.title);
        put(table, ElementColumn::Subtitle, element.subtitle);
        put(table, ElementColumn::ElementValue, element.value);
        put(table, ElementColumn::ImageUrl, element.image_url);
        if let Some(values) = element.value_list {
            put_list(table, ElementColumn::ValueList, values.iter().copied());
        }
        table.end_row();
    }

    fn action(&mut self, action: &Action<'_, '_>) {
        self.counts[1] += 1;
        let path = self.path(action.parent_path);
        if !self.rows.with_actions {
            return;
        }
        let table = &mut self.rows.actions;
        table.put_i64(ActionColumn::MessageSeq, self.place.message as i64);
        table.put_str(ActionColumn::MessageId, self.place.message_id);
        table.put_i32(ActionColumn::ComponentIndex, self.place.component);
        table.put_i32(ActionColumn::ActionIndex, action.index as i32);
        if let Some(element) = action.element {
            table.put_i32(ActionColumn::ElementIndex, element as i32);
        }
        table.put_str(ActionColumn::ParentPath, path);
        table.put_str(ActionColumn::ActionKind, action.kind.as_str());
        put(table, ActionColumn::ActionType, action.action_type);
        put(table, ActionColumn::Title, action.title);
        put(table, ActionColumn::Payload, action.payload);
        put(table, ActionColumn::ActionValue, action.value);
        put(table, ActionColumn::Url, action.url);
        table.end_row();
    }
}
