//! Classifying a text: the arena that a worker owns, and what a text turned out to be.

use std::cell::{Cell, OnceCell, RefCell};

use bumpalo::Bump;

use super::kind::TextKind;
use super::markup::{
    begins_like_object, begins_like_payload, decode_entities, entity_at, entity_source, has_entity,
    holds_markup, is_ssml, strip_speech, trim_start,
};
use super::tape::{Builder, decode_in, escape_source, key_bit};
use super::types::is_message_type;
use super::view::{Template, View};
use crate::error::Reason;
use crate::limits::Limits;
use crate::scan::{Arena, Scanner, Stop, skip_space};
use crate::text::Text;
use crate::value::{Kind, Value};

/// How much of the arena is kept between messages: past it, one hostile text would hold on to its memory for good.
const KEPT_BYTES: usize = 4 << 20;

/// Where texts are classified and templates taken apart: an arena that one worker owns and resets for each message.
///
/// ```
/// use korpus_core::{Scratch, TextKind};
/// let mut scratch = Scratch::new(&Default::default());
/// let classified = scratch.classify_str(r#"{"type":"template","payload":{"template_type":"button",
///     "text":"Pick one","buttons":[{"type":"postback","title":"Yes","payload":"y"}]}}"#);
/// assert_eq!(classified.kind(), TextKind::Template);
/// assert_eq!(classified.visible(), Some("Pick one"));
/// assert_eq!(classified.template().unwrap().template_type(), Some("button"));
/// scratch.reset();
/// ```
#[derive(Debug)]
pub struct Scratch {
    bump: Bump,
    scanner: RefCell<Scanner>,
    buffer: RefCell<String>,
    /// More buffers, for whoever needs one while others are in use.
    spare: RefCell<Vec<String>>,
    depth: usize,
    nodes: usize,
    decodings: usize,
    /// Whether there is anything to forget.
    is_used: Cell<bool>,
}

/// Why a text, or a part of it, could not be taken apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TextError {
    /// Why.
    pub reason: Reason,
    /// Where, in bytes of the decoded text ([`ClassifiedText::raw`]): of a malformed text the byte that is wrong, else
    /// where the part begins that was left as it is. Of a payload that is a string and malformed inside, that is where
    /// the string begins; the text's kind stays what its envelope says.
    pub offset: usize,
}

impl Scratch {
    /// An empty arena. Of the limits, those of depth and of templates are used.
    pub fn new(limits: &Limits) -> Self {
        Self {
            bump: Bump::new(),
            scanner: RefCell::new(Scanner::new(limits.depth)),
            buffer: RefCell::default(),
            spare: RefCell::default(),
            depth: limits.depth,
            nodes: limits.template_nodes,
            decodings: limits.template_decodings,
            is_used: Cell::new(false),
        }
    }

    /// Forgets all texts; to be called for each message, so that the arena stays as small as one of them.
    #[inline]
    pub fn reset(&mut self) {
        if self.is_used.replace(false) {
            self.clear();
        }
    }

    fn clear(&mut self) {
        self.bump.reset();
        if self.bump.allocated_bytes() > KEPT_BYTES {
            self.bump = Bump::new();
        }
        let buffer = self.buffer.get_mut();
        if buffer.capacity() > KEPT_BYTES {
            *buffer = String::new();
        }
        self.spare.get_mut().retain(|string| string.capacity() <= KEPT_BYTES);
        self.scanner.get_mut().refresh();
    }

    /// What `text` is. Costs next to nothing where it neither looks like JSON nor holds a `<` or a `&`.
    #[inline(always)]
    pub fn classify<'s>(&'s self, text: Text<'s>) -> ClassifiedText<'s> {
        if text.is_bare() {
            return ClassifiedText::verbatim(self, text, TextKind::Plain);
        }
        self.classify_unknown(text)
    }

    /// What a text is that the scanner has not looked at, or not found bare.
    fn classify_unknown<'s>(&'s self, text: Text<'s>) -> ClassifiedText<'s> {
        let raw = text.raw();
        match trim_start(raw).bytes().next() {
            None => ClassifiedText::verbatim(self, text, TextKind::Empty),
            Some(b'{' | b'\\') => self.classify_decoded(text),
            Some(_) if holds_markup(raw, text.is_escaped()) => self.classify_decoded(text),
            Some(_) => ClassifiedText::verbatim(self, text, TextKind::Plain),
        }
    }

    /// What a value is that stands where a text is expected. A string is the text that it holds; anything else is the
    /// JSON that it is: a number is shown as it stands, and an object may be a template that nobody encoded. Null is
    /// empty.
    ///
    /// ```
    /// use korpus_core::{Scratch, TextKind, Value};
    /// let scratch = Scratch::new(&Default::default());
    /// let value = Value::parse(r#"{"type":"template","payload":{"text":"Hi"}}"#).unwrap();
    /// assert_eq!(scratch.classify_value(value).kind(), TextKind::Template);
    /// ```
    pub fn classify_value<'s>(&'s self, value: Value<'s>) -> ClassifiedText<'s> {
        match value.as_text() {
            Some(text) => self.classify(text),
            None if value.is_null() => self.classify_str(""),
            None => self.classify_str(value.raw()),
        }
    }

    /// What a text is that does not stand in a message.
    pub fn classify_str<'s>(&'s self, text: &'s str) -> ClassifiedText<'s> {
        self.classify(Text::new(text, false))
    }

    #[inline(never)]
    fn classify_decoded<'s>(&'s self, text: Text<'s>) -> ClassifiedText<'s> {
        self.is_used.set(true);
        let (raw, exact) = decode_in(&self.bump, &self.buffer, text);
        let mut classified = ClassifiedText::verbatim(self, text, TextKind::Plain);
        classified.raw = Cell::new(Some((raw, exact)));
        let trimmed = trim_start(raw);
        if trimmed.is_empty() {
            classified.kind = TextKind::Empty;
        } else if begins_like_object(trimmed) {
            match self.object(raw, raw.len() - trimmed.len()) {
                Ok((object, origin)) => {
                    let view = self.view(object, &origin);
                    classified.kind = view.kind.get();
                    classified.view = Some(view);
                    classified.error = view.error;
                }
                Err(error) => {
                    classified.kind = TextKind::Malformed;
                    classified.error = Some(error);
                }
            }
        } else if is_ssml(trimmed) {
            classified.kind = TextKind::Ssml;
        } else if has_entity(raw) {
            classified.decodes = true;
        }
        classified
    }

    /// The JSON object (or list) that the text is, from `start` on: as it stands, or else with its HTML entities
    /// decoded. And how it was written.
    fn object<'s>(&'s self, text: &'s str, start: usize) -> Result<(&'s str, Origin<'s>), TextError> {
        let mut origin = Origin { text, entities: None, string: None };
        let error = match self.validate(text, start) {
            Ok(object) => return Ok((object, origin)),
            Err(error) => error,
        };
        if !has_entity(text) {
            return Err(error);
        }
        let decoded = {
            let mut buffer = self.buffer.borrow_mut();
            buffer.clear();
            decode_entities(&text[start..], &mut buffer);
            &*self.bump.alloc_str(&buffer)
        };
        origin.entities = Some((decoded, start));
        let retried = if decoded.starts_with('"') {
            self.quoted_object(decoded, &mut origin)
        } else {
            self.validate(decoded, 0)
        };
        // Of two failures that one counts which reads the text as it was meant: in escaped JSON, quotes are entities.
        let inside = text[start..].trim_start_matches('{').trim_start();
        let is_escaped = inside.starts_with('&') && entity_at(inside).is_some_and(|(c, _)| c == '"');
        match retried {
            Ok(object) => Ok((object, origin)),
            Err(later) if is_escaped => {
                Err(TextError { offset: start + entity_source(&text[start..], later.offset), ..later })
            }
            Err(_) => Err(error),
        }
    }

    /// The object in `"{…}"`: a JSON string that holds one, or an object between quotes.
    fn quoted_object<'s>(&'s self, text: &'s str, origin: &mut Origin<'s>) -> Result<&'s str, TextError> {
        let as_string = self.validate(text, 0);
        let truncated = TextError { reason: Reason::Truncated, offset: text.len() };
        if let Ok(string) = as_string {
            let inside = &string[1..string.len() - 1];
            let is_escaped = inside.contains('\\');
            let (inner, _) = decode_in(&self.bump, &self.buffer, Text::new(inside, is_escaped));
            origin.string = is_escaped.then_some((inner, inside));
            return self.validate(inner, 0).map_err(|error| match error.reason {
                // No escape: an object between quotes that ends behind the first quote of its own.
                Reason::Truncated if !is_escaped => truncated,
                _ => TextError { offset: 1 + escape_source(inside, error.offset), ..error },
            });
        }
        let trimmed = text.trim_end();
        let inside = trimmed.strip_suffix('"').filter(|_| trimmed.len() > 1);
        let between = self.validate(inside.unwrap_or(text), 1);
        match (as_string, between) {
            (Err(error), Err(_)) if text[1..].trim_start_matches('{').trim_start().starts_with('\\') => {
                Err(error)
            }
            // What looks like the last quote may be one of the object: it is the end of the text that is missing.
            (_, Err(error)) if error.reason == Reason::Truncated => Err(truncated),
            (_, between) => between,
        }
    }

    /// Checks that one JSON value stands at `start`, and nothing but white space after it.
    pub(super) fn validate<'s>(&self, text: &'s str, start: usize) -> Result<&'s str, TextError> {
        let bytes = text.as_bytes();
        let start = skip_space(bytes, start);
        let mut scanner = self.scanner.borrow_mut();
        let error = match scanner.walk(&mut Arena::default(), bytes, start, true, None) {
            Ok(walked) => {
                let rest = &text[walked.end..];
                let after = rest.trim_start();
                if after.is_empty() {
                    return Ok(&text[start..walked.end]);
                }
                TextError { reason: Reason::UnexpectedByte, offset: text.len() - after.len() }
            }
            Err(Stop::Bad { at, fault }) => TextError { reason: fault.reason(), offset: at },
            Err(Stop::Incomplete) => TextError { reason: Reason::Truncated, offset: text.len() },
        };
        Err(error)
    }

    /// Takes an object apart: its tape, what is its payload, and what kind of text that makes it.
    fn view<'s>(&'s self, object: &'s str, origin: &Origin<'s>) -> &'s View<'s> {
        let mut builder = Builder::new(&self.bump, &self.buffer, self.depth, self.nodes);
        let mut error = None;
        builder.build(object, 0, 0);
        // The chain of envelopes: a payload may be a string that holds an object or a list, and
        // itself hold a payload.
        let mut envelope = 0_u32;
        let mut decodings = 0;
        let (mut levels, mut pointer) = (0, 0);
        let (mut payload, mut shows_payload) = (None, false);
        let mut outermost = None;
        while let Some(found) = find(&builder, envelope, &["payload", "pay load"]) {
            let mut target = found;
            levels += 1;
            pointer += 1 + builder.items[found as usize].key.len();
            let item = &builder.items[found as usize];
            if item.kind.is_string() {
                let whole = item.raw;
                let first = *outermost.get_or_insert(whole);
                let mut string = Text::new(&whole[1..whole.len() - 1], item.kind == Kind::EscapedString);
                let decoded = loop {
                    let (inside, exact) = builder.decode(string);
                    let trimmed = trim_start(inside);
                    let start = inside.len() - trimmed.len();
                    let in_quotes = trimmed.starts_with('"');
                    let begins = begins_like_payload(trimmed);
                    // A lone surrogate between quotes would be lost: the string stays.
                    if !exact || !(in_quotes || begins) {
                        shows_payload = !begins || self.object(inside, start).is_err();
                        break None;
                    }
                    if decodings >= self.decodings {
                        error.get_or_insert((Reason::TooDeep, first));
                        shows_payload = in_quotes;
                        break None;
                    }
                    decodings += 1;
                    if in_quotes {
                        // Text in quotes is text.
                        shows_payload = true;
                        let Ok(inner) = self.validate(inside, start) else { break None };
                        string = Text::new(&inner[1..inner.len() - 1], inner.contains('\\'));
                        continue;
                    }
                    match self.object(inside, start) {
                        Ok((payload, _)) => break Some(payload),
                        Err(why) => {
                            error.get_or_insert((why.reason, first));
                            shows_payload = why.reason != Reason::TooDeep;
                            break None;
                        }
                    }
                };
                if let Some(decoded) = decoded {
                    target = builder.build(decoded, levels, pointer);
                    builder.items[found as usize].decoded = target;
                }
            }
            payload = Some(target);
            let is_object = builder.items[target as usize].kind == Kind::Object;
            if !is_object || find(&builder, target, &["template_type"]).is_some() {
                break;
            }
            envelope = target;
        }
        let error = error.or(builder.closed).map(|(reason, part)| TextError {
            reason,
            offset: origin.offset_of(&[part, outermost.unwrap_or(part), object]),
        });
        let items = builder.items.into_bump_slice();
        let view = &*self.bump.alloc(View {
            scratch: self,
            items,
            payload,
            shows_payload,
            error,
            kind: Cell::new(TextKind::Json),
            visible: OnceCell::new(),
            norm: OnceCell::new(),
            visited: Cell::new(false),
            marked: Cell::new(false),
        });
        view.kind.set(kind_of(Template::new(view)));
        view
    }

    pub(super) fn bump(&self) -> &Bump {
        &self.bump
    }

    /// Runs `f` on an empty string that was used before.
    pub(super) fn with_string<R>(&self, f: impl FnOnce(&mut String) -> R) -> R {
        let mut string = self.spare.borrow_mut().pop().unwrap_or_default();
        string.clear();
        let result = f(&mut string);
        self.spare.borrow_mut().push(string);
        result
    }

    /// The text that `f` writes, in the arena.
    pub(super) fn text_of(&self, f: impl FnOnce(&mut String)) -> &str {
        self.with_string(|string| {
            f(string);
            self.bump.alloc_str(string)
        })
    }

    pub(super) fn decode<'s>(&'s self, text: Text<'s>) -> (&'s str, bool) {
        self.is_used.set(true);
        decode_in(&self.bump, &self.buffer, text)
    }
}

/// The last member of `object` whose key is one of `keys`, of which earlier ones count more.
fn find(builder: &Builder<'_, '_>, object: u32, keys: &[&str]) -> Option<u32> {
    let parent = &builder.items[object as usize];
    keys.iter().filter(|key| parent.keys & key_bit(key) != 0).find_map(|key| {
        let mut at = object + 1;
        while at < parent.next {
            let item = &builder.items[at as usize];
            if item.key == *key && item.flags & super::tape::SHADOWED == 0 {
                return Some(at);
            }
            at = item.next;
        }
        None
    })
}

/// How an object is written in a text.
struct Origin<'s> {
    text: &'s str,
    /// The text from a place on with its entities decoded, where they stand for what makes it JSON.
    entities: Option<(&'s str, usize)>,
    /// The object as it is inside a string with escapes, and the inside of that string, which the text before begins with.
    string: Option<(&'s str, &'s str)>,
}

impl Origin<'_> {
    /// Where in the text the first of `parts` begins that stands in it, decoded no further than the object.
    fn offset_of(&self, parts: &[&str]) -> usize {
        let decoded = self.entities.map_or(self.text, |(decoded, _)| decoded);
        let around = self.string.map_or(decoded, |(object, _)| object);
        let offset = |part: &&str| (part.as_ptr() as usize).wrapping_sub(around.as_ptr() as usize);
        let at = parts.iter().map(offset).find(|&offset| offset < around.len()).unwrap_or(0);
        let at = self.string.map_or(at, |(_, inside)| 1 + escape_source(inside, at));
        self.entities.map_or(at, |(_, start)| start + entity_source(&self.text[start..], at))
    }
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
        Some("command")
            if root
                .get("data")
                .is_some_and(|data| data.elements().any(|verb| verb.get("verb").is_some())) =>
        {
            return TextKind::VoiceCommand;
        }
        _ => {}
    }
    if root.get("text").is_some_and(|text| text.kind().is_string()) {
        TextKind::WrappedText
    } else {
        TextKind::Json
    }
}

/// A text, and what it is.
#[derive(Debug, Clone)]
pub struct ClassifiedText<'s> {
    scratch: &'s Scratch,
    text: Text<'s>,
    kind: TextKind,
    /// Whether entities stand in a plain text.
    decodes: bool,
    error: Option<TextError>,
    view: Option<&'s View<'s>>,
    /// The decoded text, and whether decoding was exact.
    raw: Cell<Option<(&'s str, bool)>>,
}

impl<'s> ClassifiedText<'s> {
    #[inline]
    fn verbatim(scratch: &'s Scratch, text: Text<'s>, kind: TextKind) -> Self {
        Self { scratch, text, kind, decodes: false, error: None, view: None, raw: Cell::new(None) }
    }

    /// What the text is.
    #[inline]
    pub fn kind(&self) -> TextKind {
        self.kind
    }

    /// Whether what a person saw is the text as it stands: then [`visible`](Self::visible) and [`raw`](Self::raw) are
    /// the same, and neither needs to be made.
    #[inline]
    pub fn is_verbatim(&self) -> bool {
        match self.kind {
            TextKind::Plain => !self.decodes,
            TextKind::Empty | TextKind::Malformed => true,
            _ => false,
        }
    }

    /// The text itself, its JSON escapes decoded.
    pub fn raw(&self) -> &'s str {
        self.decoded().0
    }

    /// Whether the text holds a lone surrogate, in the place of which [`raw`](Self::raw) has U+FFFD.
    pub fn is_lossy(&self) -> bool {
        !self.decoded().1
    }

    fn decoded(&self) -> (&'s str, bool) {
        self.raw.get().unwrap_or_else(|| {
            let decoded = self.scratch.decode(self.text);
            self.raw.set(Some(decoded));
            decoded
        })
    }

    /// What the person saw or heard; `None` where a payload shows no text, such as a picture or a pause.
    pub fn visible(&self) -> Option<&'s str> {
        match self.kind {
            TextKind::Empty | TextKind::Malformed => Some(self.raw()),
            TextKind::Plain if !self.decodes => Some(self.raw()),
            TextKind::Plain => {
                let raw = self.raw();
                Some(self.scratch.text_of(|out| decode_entities(raw, out)))
            }
            TextKind::Ssml => {
                let raw = self.raw();
                Some(self.scratch.text_of(|out| strip_speech(raw, out)).trim())
            }
            _ => self.template()?.visible(),
        }
    }

    /// The payload that the text hides: a template, a message, a voice command, wrapped text or any other JSON object.
    #[inline]
    pub fn template(&self) -> Option<Template<'s>> {
        self.view.map(Template::new)
    }

    /// Why the text is malformed, or why a part of its payload was not taken apart: nested too deep, too many values,
    /// or a payload that begins like JSON and is none.
    #[inline]
    pub fn decode_error(&self) -> Option<TextError> {
        self.error
    }
}
