//! Texts and the payloads hidden in them: what the core finds is what a naive walk over `serde_json` values finds.

mod naive;
mod value;

use std::collections::HashMap;
use std::fmt::Write as _;

use korpus_core::{
    Action, ClassifiedText, Element, Limits, Reason, Scratch, Template, TemplateVisitor, TextKind, Value,
};

use crate::json::JsonKind;
use naive::shown_in;
use value::{V, begins_like_json, object_in, trimmed, unescaped};

/// Classifies the text in `data` and walks what it hides.
///
/// # Panics
/// If the core and the naive walk disagree.
pub fn template(data: &[u8]) {
    if let Ok(text) = std::str::from_utf8(data) {
        template_of(text);
    }
}

/// Classifies a text, walks what it hides, and gives what was found.
///
/// # Panics
/// If the core and the naive walk disagree.
pub fn template_of(text: &str) -> Shown {
    let scratch = Scratch::new(&Limits::default());
    let classified = scratch.classify_str(text);
    let shown = Shown::new(&classified);
    assert_eq!(classified.raw(), text);
    // As a message has it, with escapes where a reader might look for what they hide.
    let written = as_written(text);
    let value = Value::parse(&written).expect("a JSON string");
    let as_written = scratch.classify(value.as_text().expect("a JSON string"));
    assert_eq!(as_written.raw(), text);
    assert_eq!(Shown::new(&as_written), shown, "escapes make a difference");
    assert_eq!(as_written.decode_error(), classified.decode_error());
    assert!(!classified.is_lossy());
    assert!(!classified.is_verbatim() || classified.visible() == Some(text));
    if let Some(error) = classified.decode_error() {
        assert!(error.offset <= text.len() && text.is_char_boundary(error.offset));
        if matches!(error.reason, Reason::TooDeep | Reason::TooLarge) {
            return shown;
        }
    }
    let trimmed = trimmed(text);
    let object = object_in(trimmed);
    match shown.kind {
        TextKind::Empty => assert!(trimmed.is_empty()),
        TextKind::Malformed => assert!(begins_like_json(trimmed) && object.is_none()),
        TextKind::Ssml => assert!(trimmed.contains('<') && !begins_like_json(trimmed)),
        TextKind::Plain => {
            assert!(!trimmed.is_empty() && !begins_like_json(trimmed));
            assert_eq!(shown.visible, Some(unescaped(text)));
        }
        _ => {
            let object = object.expect("the core takes apart what is JSON");
            let (root, naive) = shown_in(&object);
            let found = Shown { leftovers: Vec::new(), ..shown.clone() };
            assert_eq!(found, naive);
            check_leftovers(&root, &shown);
        }
    }
    shown
}

/// A text as a JSON string: every other of the characters that matter is an escape.
fn as_written(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    let mut odd = false;
    for c in text.chars() {
        let must = matches!(c, '"' | '\\') || c < ' ';
        let may = matches!(c, '<' | '>' | '&' | '{' | '[' | ' ' | ';') || !c.is_ascii();
        odd ^= may;
        if must || may && odd {
            for unit in c.encode_utf16(&mut [0; 2]) {
                let _ = write!(out, "\\u{unit:04x}");
            }
        } else {
            out.push(c);
        }
    }
    out.push('"');
    out
}

/// Columns of text.
pub type Columns<const N: usize> = [Option<String>; N];
/// A form's columns of text, and its two expiries.
pub type FormRow = (Columns<5>, [Option<i64>; 2]);
/// An element: pointer, element around it, title, subtitle, value and image, and its list of values.
pub type ElementRow = (String, Option<usize>, Columns<4>, Option<Vec<Option<String>>>);
/// An action: pointer, element around it, kind, and its type, title, payload, value and address.
pub type ActionRow = (String, Option<usize>, &'static str, Columns<5>);

/// What a text shows, in comparable form.
#[derive(Debug, Clone, PartialEq)]
pub struct Shown {
    /// What it is.
    pub kind: TextKind,
    /// What a person sees.
    pub visible: Option<String>,
    /// `type` of the envelope, `template_type`, and the same normalised.
    pub types: [Option<String>; 3],
    /// The form that it leads to.
    pub form: Option<FormRow>,
    /// The verbs of a voice command.
    pub verbs: Vec<String>,
    /// Its elements, in order.
    pub elements: Vec<ElementRow>,
    /// Its actions, in order.
    pub actions: Vec<ActionRow>,
    /// What no column holds: pointer and raw JSON.
    pub leftovers: Vec<(String, String)>,
}

impl Default for Shown {
    fn default() -> Self {
        Self {
            kind: TextKind::Json,
            visible: None,
            types: [None, None, None],
            form: None,
            verbs: Vec::new(),
            elements: Vec::new(),
            actions: Vec::new(),
            leftovers: Vec::new(),
        }
    }
}

fn owned(text: Option<&str>) -> Option<String> {
    text.map(str::to_owned)
}

impl TemplateVisitor for Shown {
    fn element(&mut self, e: &Element<'_, '_>) {
        assert_eq!(e.index, self.elements.len());
        assert_eq!(e.path.rsplit_once('/').map(|(parent, _)| parent), Some(e.parent_path));
        let columns = [e.title, e.subtitle, e.value, e.image_url].map(owned);
        let list = e.value_list.map(|list| list.iter().map(|&cell| owned(cell)).collect());
        self.elements.push((e.path.to_owned(), e.parent, columns, list));
    }

    fn action(&mut self, a: &Action<'_, '_>) {
        assert_eq!(a.index, self.actions.len());
        assert_eq!(a.path.rsplit_once('/').map(|(parent, _)| parent), Some(a.parent_path));
        let columns = [a.action_type, a.title, a.payload, a.value, a.url].map(owned);
        self.actions.push((a.path.to_owned(), a.element, a.kind.as_str(), columns));
    }
}

impl Shown {
    /// Reads everything that the core says of a text.
    pub fn new(classified: &ClassifiedText<'_>) -> Self {
        let mut shown =
            Self { kind: classified.kind(), visible: owned(classified.visible()), ..Self::default() };
        if let Some(template) = classified.template() {
            shown.read(template);
        }
        shown
    }

    fn read(&mut self, template: Template<'_>) {
        self.types =
            [template.envelope_type(), template.template_type(), template.template_type_norm()].map(owned);
        self.form = template.form().map(|form| {
            let texts = [form.form_id, form.name, form.display_name, form.link, form.render_type].map(owned);
            (texts, [form.link_expiry, form.submit_expiry])
        });
        self.verbs = template.voice_verbs().map(str::to_owned).collect();
        template.visit(self);
        assert_eq!(template.count(), (self.elements.len(), self.actions.len()));
        let leftovers = &mut self.leftovers;
        template.for_each_leftover(|pointer, raw| leftovers.push((pointer.to_owned(), raw.to_owned())));
    }

    /// Every text that a column holds, with how many do.
    fn columns(&self) -> HashMap<&str, usize> {
        let form = self.form.iter().flat_map(|(texts, _)| texts.iter().flatten());
        let elements = self.elements.iter().flat_map(|(_, _, columns, list)| {
            columns.iter().flatten().chain(list.iter().flatten().flatten())
        });
        let actions = self.actions.iter().flat_map(|(_, _, _, columns)| columns.iter().flatten());
        let texts = self.visible.iter().chain(self.types.iter().flatten()).chain(&self.verbs);
        let mut columns = HashMap::new();
        for text in texts.chain(form).chain(elements).chain(actions) {
            *columns.entry(text.as_str()).or_default() += 1;
        }
        columns
    }
}

/// Every scalar and empty container is in a column, or left over under its pointer with its own bytes.
fn check_leftovers(root: &V, shown: &Shown) {
    fn scalars<'v>(node: &'v V, pointer: &str, all: bool, found: &mut Vec<(String, &'v V, bool)>) {
        for (key, shadowed, child) in &node.inside {
            let pointer = format!("{pointer}/{}", key.replace('~', "~0").replace('/', "~1"));
            let all = all || *shadowed;
            if child.inside.is_empty() {
                found.push((pointer, child, all));
            } else {
                scalars(child, &pointer, all, found);
            }
        }
    }
    if shown.leftovers.last().is_some_and(|(pointer, _)| pointer.is_empty()) {
        return;
    }
    let mut all = Vec::new();
    scalars(root, "", false, &mut all);
    let mut columns = shown.columns();
    let mut left = shown.leftovers.iter().peekable();
    for (pointer, value, is_shadowed) in all {
        if left.next_if(|(at, raw)| *at == pointer && *raw == value.raw).is_some() {
            continue;
        }
        assert!(!is_shadowed, "an earlier value is in no column: {pointer}");
        let is_expiry = value.is(JsonKind::Number) && pointer.contains("/formData/");
        // Of equal strings no more are told by columns than there are columns that hold one.
        let column =
            columns.get_mut(value.text.as_str()).filter(|_| value.is(JsonKind::String) && value.exact);
        let in_column = column.and_then(|count| count.checked_sub(1).map(|left| *count = left)).is_some();
        assert!(is_expiry || in_column, "lost: {pointer}");
    }
    assert_eq!(left.next(), None, "left over, but not there");
}
