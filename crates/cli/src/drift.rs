//! What is new in dumps: template types, keys and values that nobody documented, and payloads that cannot be read.

mod documented;
mod keys;
mod tally;
#[cfg(test)]
mod tests;

use korpus_core::{
    Action, ChannelField, ClassifiedText, Conversation, Kind, Message, Node, Reason, Record, Scratch,
    SessionField, SessionRecord, Template, TemplateType, TemplateVisitor, Text, TextKind, Value,
};
use korpus_engine::Work;
use serde_json::{Value as Json, json};

use crate::show::visible_short;
use documented::Listed;
use keys::note_new_keys;
pub(crate) use tally::InputKey;
use tally::{Place, Tallies, Tally};

/// Characters of a value or a key that tell it from others.
const LONGEST: usize = 120;

/// What is new, where first, and in how many messages or records: none counts a thing twice.
#[derive(Debug, Default)]
pub(crate) struct Drift {
    /// Template types that are in no list, normalised.
    types: Tally<String>,
    /// Keys that no document lists, by template type.
    keys: Tallies,
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
                self.payload(&scratch.classify_value(text), place.of_text(message, text));
            }
            scratch.reset();
        }
        if let Some(text) = message.call_text_value() {
            self.payload(&scratch.classify_value(text), place.of_text(message, text));
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
            (TextKind::Template | TextKind::Json, Some(norm)) => norm,
            (TextKind::Template, None) => "no template_type",
            (TextKind::Message, _) => template.envelope_type().unwrap_or("message"),
            (kind, _) => kind.as_str(),
        };
        let known = template.template_type_norm().and_then(TemplateType::find_norm);
        // An object that says no type is the customer's own, and all of its keys are new.
        let is_own = template.kind() == TextKind::Json && template.template_type_norm().is_none();
        if matches!(template.kind(), TextKind::Template | TextKind::Json) && !is_own && known.is_none() {
            self.types.note(cut(name), place);
        }
        self.payload_values(template, known, place);
        if !is_own {
            note_new_keys(template, &cut(name), known, place, &mut self.keys);
        }
    }

    /// Notes values in payloads that are in no list.
    fn payload_values(&mut self, template: Template<'_>, known: Option<&TemplateType>, place: Place) {
        template.visit(&mut ActionTypes { drift: self, place });
        let has_payload = template.payload().is_some_and(|payload| payload.kind() != Kind::Null);
        if let Some(name) = template.envelope_type().filter(|_| has_payload) {
            self.note(Listed::EnvelopeType, name.trim(), place);
        }
        for verb in template.voice_verbs() {
            self.note(Listed::VoiceVerb, verb, place);
        }
        if known.is_some_and(|known| known.family == "feedback")
            && let Some(view) = template.content().get("view").and_then(Node::as_str)
        {
            self.note(Listed::FeedbackView, view, place);
        }
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
        self.keys.flat().print(
            "Keys in templates that no document lists",
            &["template_type", "key"],
            most,
            name_of,
            |&(name, path)| vec![visible_short(name, 30), visible_short(path, 60)],
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
            "template_keys": self.keys.flat().to_json(name_of, |(name, path)| {
                json!({"template_type": *name, "key": *path})
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
