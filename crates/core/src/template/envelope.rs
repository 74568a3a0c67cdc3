//! Envelopes: which of the payloads inside each other is shown, and what kind of text that makes it.

use std::cell::{Cell, OnceCell};

use bumpalo::collections::Vec as BumpVec;

use super::classify::TextError;
use super::kind::TextKind;
use super::markup::{begins_like_payload, trim_start};
use super::node::Node;
use super::origin::{Origin, Writing};
use super::scratch::Scratch;
use super::tape::{Builder, CLOSED, Item, find};
use super::types::is_message_type;
use super::view::{Template, View};
use crate::error::Reason;
use crate::text::Text;
use crate::value::{Kind, Value};

/// The keys under which the payload of an envelope stands; the first that holds anything counts.
pub const PAYLOAD_KEYS: [&str; 2] = ["payload", "pay load"];

/// The keys of what a person sees of a payload.
pub(super) const SHOWN_KEYS: [&str; 4] = ["text", "text_message", "title", "heading"];

/// A payload of an envelope.
#[derive(Debug, Clone, Copy)]
pub(super) struct Payload {
    /// Its place on the tape; a string that holds an object or a list knows where that is.
    pub place: u32,
    /// Whether it is a string that is shown as it is: text, and not JSON that was left as it is.
    pub is_text: bool,
}

impl Scratch {
    /// Takes the object apart that a text is from `start` on: its tape, what is its payload, and what kind of text that makes it.
    /// `kept` is the text with its lone surrogates as escapes.
    pub(super) fn view<'s>(
        &'s self,
        text: &'s str,
        kept: &'s str,
        start: usize,
    ) -> Result<&'s View<'s>, TextError> {
        let mut opening = Opening {
            scratch: self,
            builder: self.builder(),
            origin: Origin::new(text, self.bump()),
            error: None,
            closed: None,
            decodings: 0,
            levels: 0,
            pointer: 0,
        };
        opening.origin.enter(kept, text, Writing::Replaced);
        opening.object(kept, start)?;
        let mut payloads = BumpVec::new_in(self.bump());
        let mut envelope = 0;
        while let Some(found) = find_payload(&opening.builder, envelope) {
            // What is empty says nothing, and hides nothing around it.
            if !payloads.is_empty() && is_empty(&opening.builder, found) {
                break;
            }
            payloads.push(opening.open(found));
            envelope = match opening.builder.items[found as usize].decoded {
                0 => found,
                inside => inside,
            };
            let is_object = opening.builder.items[envelope as usize].kind == Kind::Object;
            if !is_object || find(&opening.builder.items, envelope, "template_type").is_some() {
                break;
            }
        }
        let view = &*self.bump().alloc(View {
            scratch: self,
            items: opening.builder.items.into_bump_slice(),
            payloads: payloads.into_bump_slice(),
            shown: Cell::new(0),
            origin: opening.origin,
            error: opening.error.or(opening.closed),
            kind: Cell::new(TextKind::Json),
            visible: OnceCell::new(),
            norm: OnceCell::new(),
            visited: Cell::new(false),
            marked: Cell::new(false),
        });
        view.shown.set(shown_of(view));
        view.kind.set(kind_of(Template::new(view)));
        Ok(view)
    }
}

/// Opening payloads, each in the one before.
struct Opening<'s> {
    scratch: &'s Scratch,
    builder: Builder<'s, 's>,
    origin: Origin<'s>,
    /// Why a payload was left as it is.
    error: Option<TextError>,
    /// Why a container was.
    closed: Option<TextError>,
    /// How many strings were decoded.
    decodings: usize,
    /// How many envelopes are around, and how long the pointer is to what is inside.
    levels: usize,
    pointer: usize,
}

impl<'s> Opening<'s> {
    /// Puts the object (or the list) on the tape that the text of a layer is from `start` on.
    fn object(&mut self, text: &'s str, start: usize) -> Result<u32, TextError> {
        let before = self.builder.items.len();
        let inside = &text[start..];
        if let Some((index, end)) = self.builder.build(inside, self.levels, self.pointer)
            && self.builder.closed.is_none()
            && inside[end..].trim_start().is_empty()
        {
            return Ok(index);
        }
        // It is none as it stands, or was not looked at as a whole.
        self.builder.forget_from(before);
        let object = self.scratch.object(text, start, &mut self.origin)?;
        let index = self.builder.build(object, self.levels, self.pointer).map_or(0, |(index, _)| index);
        if let Some((reason, part)) = self.builder.closed.take() {
            let offset = self.origin.offset_in(part, 0);
            self.closed.get_or_insert(TextError { reason, offset });
        }
        Ok(index)
    }

    /// Opens the payload at `found`: one that is a string may hold the object.
    fn open(&mut self, found: u32) -> Payload {
        let item: &Item<'s> = &self.builder.items[found as usize];
        let (whole, kind) = (item.raw, item.kind);
        self.levels += 1;
        self.pointer += 1 + item.key.len();
        if !kind.is_string() {
            return Payload { place: found, is_text: false };
        }
        let string = Text::new(&whole[1..whole.len() - 1], kind == Kind::EscapedString);
        match self.container_in(string, whole) {
            Ok(index) => {
                self.builder.items[found as usize].decoded = index;
                Payload { place: found, is_text: false }
            }
            Err(is_text) => Payload { place: found, is_text },
        }
    }

    /// Puts the object or the list on the tape that a string holds, which stands as `whole`; else says whether the string is text.
    fn container_in(&mut self, mut string: Text<'s>, whole: &'s str) -> Result<u32, bool> {
        loop {
            let inside = self.scratch.decode_json(string);
            let start = inside.len() - trim_start(inside).len();
            let trimmed = &inside[start..];
            let in_quotes = trimmed.starts_with('"');
            let begins = begins_like_payload(trimmed);
            if self.decodings >= self.scratch.decodings() && (in_quotes || begins) {
                let offset = self.origin.offset_in(whole, 0);
                self.error = self.error.or(Some(TextError { reason: Reason::TooDeep, offset }));
                return Err(in_quotes);
            }
            self.origin.enter(inside, string.raw(), Writing::Escapes);
            if !(in_quotes || begins) {
                return Err(true);
            }
            self.decodings += 1;
            if in_quotes {
                // Text in quotes is text.
                let inner = self.scratch.validate(inside, start, &self.origin).map_err(|_| true)?;
                string = Text::new(&inner[1..inner.len() - 1], inner.contains('\\'));
                continue;
            }
            return self.object(inside, start).map_err(|error| {
                self.error = self.error.or(Some(error));
                true
            });
        }
    }
}

/// Which payload is shown: the one that says its type, which is the innermost; without any, the outermost that says something
/// itself, else the innermost.
fn shown_of<'s>(view: &'s View<'s>) -> usize {
    let last = view.payloads.len().saturating_sub(1);
    let node = |payload: &Payload| Node::new(view, payload.place);
    if last == 0 || node(&view.payloads[last]).get("template_type").is_some() {
        return last;
    }
    view.payloads.iter().position(|payload| Template::new(view).says_something(node(payload))).unwrap_or(last)
}

/// Whether a value holds nothing: null, a blank text, a container without anything in it.
fn is_empty(builder: &Builder<'_, '_>, index: u32) -> bool {
    let item = &builder.items[index as usize];
    match item.kind {
        Kind::Null => true,
        Kind::PlainString => item.raw[1..item.raw.len() - 1].trim().is_empty(),
        Kind::Array | Kind::Object => item.next == index + 1 && item.flags & CLOSED == 0,
        _ => false,
    }
}

/// The payload of an envelope: of several keys the first that holds anything.
fn find_payload(builder: &Builder<'_, '_>, envelope: u32) -> Option<u32> {
    let found = PAYLOAD_KEYS.map(|key| find(&builder.items, envelope, key));
    found.iter().flatten().copied().find(|&index| !is_empty(builder, index)).or(found[0]).or(found[1])
}

fn kind_of(template: Template<'_>) -> TextKind {
    let root = template.root();
    let envelope_type = template.envelope_type();
    let payload = template.payload();
    if envelope_type.is_some_and(|name| name.trim().eq_ignore_ascii_case("template"))
        || payload.is_some_and(|payload| payload.get("template_type").is_some())
    {
        return TextKind::Template;
    }
    match envelope_type.map(str::trim) {
        Some(name)
            if is_message_type(name) && payload.is_some_and(|payload| payload.kind() != Kind::Null) =>
        {
            return TextKind::Message;
        }
        Some("command") if root.get("data").is_some_and(holds_verbs) => return TextKind::VoiceCommand,
        _ => {}
    }
    if root.get("text").is_some_and(|text| text.kind().is_string()) {
        TextKind::WrappedText
    } else {
        TextKind::Json
    }
}

/// Whether a value is a list of verbs, however long.
fn holds_verbs(data: Node<'_>) -> bool {
    if data.is_closed() {
        let verbs = Value::parse(data.raw()).into_iter().flat_map(Value::elements);
        return verbs.flat_map(Value::members).any(|(key, _)| key.is("verb"));
    }
    data.elements().any(|verb| verb.get("verb").is_some())
}
