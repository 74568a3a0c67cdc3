//! What is new in dumps: template types, keys and values that nobody documented, and payloads that cannot be read.

mod documented;
mod tally;
#[cfg(test)]
mod tests;

use std::fmt::Write as _;

use korpus_core::{
    Action, ChannelField, ClassifiedText, Conversation, KeyGroup, Kind, Message, Node, Reason, Record,
    Scratch, SessionField, SessionRecord, Template, TemplateType, TemplateVisitor, Text, TextKind, Value,
};
use korpus_engine::Work;
use serde_json::{Value as Json, json};

use crate::show::visible_short;
use documented::Listed;
pub(crate) use tally::InputKey;
use tally::{Place, Tally};

/// Characters of a value or a path of keys that tell it from others.
const LONGEST: usize = 120;
/// Under which a payload stands.
const PAYLOAD_KEYS: [&str; 2] = ["payload", "pay load"];
/// Levels of a path of keys.
const DEEPEST: usize = 12;
/// Values of one payload that are looked at: the rest of a larger one is more of the same.
const MOST_LEFTOVERS: usize = 2000;

/// What is new, with how often and where first.
#[derive(Debug, Default)]
pub(crate) struct Drift {
    /// Template types that are in no list, normalised.
    types: Tally<String>,
    /// Keys that no column takes and no document lists, by template type.
    keys: Tally<(String, String)>,
    /// Payloads of which not all could be read.
    errors: Tally<(TextKind, Reason)>,
    /// Values that are in no list.
    values: Tally<(Listed, String)>,
}

impl Drift {
    /// Looks at all that match in a block.
    pub(crate) fn add(&mut self, work: &Work<'_>, scratch: &mut Scratch) {
        let input = InputKey::of(work.input());
        for item in work.messages().filter(|item| item.matches) {
            let message = item.message;
            let place = Place::new(input, message.page_index(), message.message_index());
            self.message(message, place, scratch);
        }
        for item in work.records().filter(|item| item.matches) {
            match item.record {
                Record::Conversation(record) => self.conversation(record, input),
                Record::Session(record) => self.session(record, input),
            }
        }
    }

    fn message(&mut self, message: Message<'_>, place: Place, scratch: &mut Scratch) {
        self.text(Listed::MessageType, message.message_type(), place);
        self.text(Listed::Status, message.status(), place);
        self.value(Listed::MessageSource, message.message_source(), place);
        self.text(Listed::AuthorType, message.author().and_then(korpus_core::Author::author_type), place);
        self.text(Listed::Channel, message.chnl(), place);
        self.text(Listed::Channel, message.channel(), place);
        for channel in message.channels() {
            self.text(Listed::Channel, channel.text(ChannelField::Type), place);
        }
        for scope in message.tags().into_iter().flat_map(korpus_core::Tags::others) {
            if !scope.is_earlier {
                self.note(Listed::TagScope, &scope.key.lossy(), place);
            }
        }
        for component in message.components() {
            self.text(Listed::ComponentType, component.component_type(), place);
            if let Some(text) = component.data_text_value() {
                self.payload(&scratch.classify_value(text), place);
            }
            scratch.reset();
        }
        if let Some(text) = message.call_text_value() {
            self.payload(&scratch.classify_value(text), place);
            scratch.reset();
        }
    }

    fn conversation(&mut self, record: Conversation<'_>, input: InputKey) {
        let place = Place::of_record(input, record.position().page, record.record_index());
        self.text(Listed::Channel, record.channel_type(), place);
        self.text(Listed::Experience, record.experience(), place);
    }

    fn session(&mut self, record: SessionRecord<'_>, input: InputKey) {
        let place = Place::of_record(input, record.position().page, record.record_index());
        self.text(Listed::Channel, record.channel(), place);
        for (listed, field) in [
            (Listed::SessionType, SessionField::SessionType),
            (Listed::SessionStatus, SessionField::SessionStatus),
            (Listed::ContainmentType, SessionField::ContainmentType),
        ] {
            self.text(listed, record.text(field), place);
        }
        for scope in record.tags().into_iter().flat_map(korpus_core::Tags::others) {
            if !scope.is_earlier {
                self.note(Listed::TagScope, &scope.key.lossy(), place);
            }
        }
    }

    fn text(&mut self, listed: Listed, text: Option<Text<'_>>, place: Place) {
        if let Some(text) = text {
            match text.plain() {
                Some(plain) => self.note(listed, plain, place),
                None => self.note(listed, &text.lossy(), place),
            }
        }
    }

    fn value(&mut self, listed: Listed, value: Option<Value<'_>>, place: Place) {
        match value {
            Some(value) if value.kind() == Kind::Number => self.note(listed, value.raw(), place),
            Some(value) => self.text(listed, value.as_text(), place),
            None => {}
        }
    }

    fn note(&mut self, listed: Listed, value: &str, place: Place) {
        if !listed.has(value) {
            self.values.note((listed, cut(value)), place);
        }
    }

    fn payload(&mut self, text: &ClassifiedText<'_>, place: Place) {
        if let Some(error) = text.decode_error() {
            let place = Place { text_offset: Some(error.offset as u64), ..place };
            self.errors.note((text.kind(), error.reason), place);
        }
        let Some(template) = text.template() else { return };
        let name = match (template.kind(), template.template_type_norm()) {
            (TextKind::Template, Some(norm)) => norm,
            (TextKind::Template, None) => "no template_type",
            (TextKind::Message, _) => template.envelope_type().unwrap_or("message"),
            (kind, _) => kind.as_str(),
        };
        let known = template.template_type().and_then(TemplateType::find);
        if template.kind() == TextKind::Template && known.is_none() {
            self.types.note(cut(name), place);
        }
        self.payload_values(template, place);
        // Any other object is the customer's own, and all of its keys are new.
        if template.kind() != TextKind::Json {
            self.leftovers(template, name, known, place);
        }
    }

    /// Notes values in payloads that are in no list.
    fn payload_values(&mut self, template: Template<'_>, place: Place) {
        template.visit(&mut ActionTypes { drift: self, place });
        let has_payload = template.payload().is_some_and(|payload| payload.kind() != Kind::Null);
        if let Some(name) = template.envelope_type().filter(|_| has_payload) {
            self.note(Listed::EnvelopeType, name.trim(), place);
        }
        for verb in template.voice_verbs() {
            self.note(Listed::VoiceVerb, verb, place);
        }
        if template.template_type_norm() == Some("feedback")
            && let Some(view) = template.content().get("view").and_then(Node::as_str)
        {
            self.note(Listed::FeedbackView, view, place);
        }
    }

    /// Notes the keys of what no column of the tables takes, but for those that are documented.
    fn leftovers(
        &mut self,
        template: Template<'_>,
        name: &str,
        known: Option<&'static TemplateType>,
        place: Place,
    ) {
        let mut left = MOST_LEFTOVERS;
        let mut last = String::new();
        let keys = &mut self.keys;
        let documents = Documents::new(template, known);
        template.for_each_leftover(|pointer, _| {
            if left == 0 {
                return;
            }
            left -= 1;
            if documents.have(pointer) {
                return;
            }
            let path = path_of(pointer);
            // The values of one list come one after the other.
            if path == last {
                return;
            }
            keys.note((cut(name), path.clone()), place);
            last = path;
        });
    }

    /// Adds what a later block has.
    pub(crate) fn append(&mut self, later: Self) {
        self.types.append(later.types);
        self.keys.append(later.keys);
        self.errors.append(later.errors);
        self.values.append(later.values);
    }

    /// The tables, those that have rows; `name_of` names an input.
    pub(crate) fn print(&self, most: usize, name_of: &dyn Fn(InputKey) -> String, out: &mut String) {
        self.types.print(
            "Template types never seen before",
            &["template_type"],
            most,
            name_of,
            |name| vec![visible_short(name, 50)],
            out,
        );
        self.errors.print(
            "Payloads of which not all can be read",
            &["text_kind", "reason", "meaning"],
            most,
            name_of,
            |(kind, reason)| {
                let meaning = reason.meaning().trim_end_matches('.').to_owned();
                vec![kind.to_string(), reason.as_str().to_owned(), meaning]
            },
            out,
        );
        self.values.print(
            "Values that no document lists",
            &["field", "value"],
            most,
            name_of,
            |(listed, value)| vec![listed.name().to_owned(), visible_short(value, 50)],
            out,
        );
        self.keys.print(
            "Keys in templates that no document lists (kept in templates.extra)",
            &["template_type", "key"],
            most,
            name_of,
            |(name, path)| vec![visible_short(name, 30), visible_short(path, 60)],
            out,
        );
    }

    /// All of it as JSON.
    pub(crate) fn to_json(&self, name_of: &dyn Fn(InputKey) -> String) -> Json {
        json!({
            "template_types": self.types.to_json(name_of, |name| json!({"template_type": name})),
            "payload_errors": self.errors.to_json(name_of, |(kind, reason)| {
                json!({"text_kind": kind.as_str(), "reason": reason.as_str(), "meaning": reason.meaning()})
            }),
            "values": self.values.to_json(name_of, |(listed, value)| {
                json!({"field": listed.name(), "value": value})
            }),
            "template_keys": self.keys.to_json(name_of, |(name, path)| {
                json!({"template_type": name, "key": path})
            }),
        })
    }
}

/// Looks at the types of actions.
struct ActionTypes<'a> {
    drift: &'a mut Drift,
    place: Place,
}

impl TemplateVisitor for ActionTypes<'_> {
    fn action(&mut self, action: &Action<'_, '_>) {
        if let Some(name) = action.action_type {
            self.drift.note(Listed::ActionType, name, self.place);
        }
    }
}

fn cut(text: &str) -> String {
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// A JSON pointer as a path of keys, each index as `[]`.
fn path_of(pointer: &str) -> String {
    let mut path = String::new();
    for (level, part) in pointer.split('/').skip(1).enumerate() {
        if level >= DEEPEST || path.len() > LONGEST {
            path.push('…');
            break;
        }
        if !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()) {
            path.push_str("[]");
            continue;
        }
        if !path.is_empty() {
            path.push('.');
        }
        let _ = write!(path, "{}", cut(part));
    }
    path.replace("~1", "/").replace("~0", "~")
}

/// Which keys of a text are documented.
struct Documents {
    /// The pointer of what is shown, inside the payloads around it.
    content: String,
    known: Option<&'static TemplateType>,
    /// What else is documented of what is shown.
    group: Option<&'static KeyGroup>,
    envelope: Option<&'static KeyGroup>,
}

impl Documents {
    fn new(template: Template<'_>, known: Option<&'static TemplateType>) -> Self {
        let mut content = String::new();
        let mut around = template.root();
        while let Some(payload) = PAYLOAD_KEYS.iter().find_map(|key| around.get(key)) {
            if payload.kind() != Kind::Object {
                // What is shown is the text itself.
                content.clear();
                break;
            }
            content.push('/');
            content.push_str(payload.key());
            if payload.get("template_type").is_some() {
                break;
            }
            around = payload;
        }
        Self {
            content,
            known,
            group: KeyGroup::find(template.kind().as_str()),
            envelope: KeyGroup::find("envelope"),
        }
    }

    fn have(&self, pointer: &str) -> bool {
        let inside = pointer.strip_prefix(&self.content).filter(|inside| inside.starts_with('/'));
        if let Some(inside) = inside {
            return self.known.is_some_and(|known| known.documents(inside))
                || self.group.is_some_and(|group| group.documents(inside))
                || inside.starts_with("/formData/") && self.in_envelope(inside)
                || matches!(inside, "/template_type")
                || self.content.is_empty() && self.in_envelope(inside);
        }
        // Envelopes may stand inside each other.
        let mut outside = pointer;
        while let Some(inner) =
            PAYLOAD_KEYS.iter().find_map(|key| outside.strip_prefix('/')?.strip_prefix(key))
        {
            if !inner.starts_with('/') {
                break;
            }
            outside = inner;
        }
        self.in_envelope(outside)
    }

    fn in_envelope(&self, pointer: &str) -> bool {
        self.envelope.is_some_and(|envelope| envelope.documents(pointer))
    }
}
