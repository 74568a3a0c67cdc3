//! Classifying a text: what kind it is, and why it could not be taken apart.

use std::cell::Cell;

use super::entity::{decode_entities, has_entity, has_quotes_as_entities};
use super::kind::TextKind;
use super::markup::{begins_like_object, holds_markup, is_ssml, strip_speech, trim_start};
use super::origin::{Origin, Writing};
use super::scratch::Scratch;
use super::view::{Template, View};
use crate::error::{Error, Reason};
use crate::message::Message;
use crate::scan::{Fault, Stop, deep_end, skip_space};
use crate::text::Text;
use crate::value::Value;

/// Why a text, or a part of it, could not be taken apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TextError {
    /// Why.
    pub reason: Reason,
    /// Where, in bytes of the decoded text ([`ClassifiedText::raw`]), however often it is encoded there: the byte that is
    /// wrong, or where the part begins that was left as it is. Of a payload that is a string and malformed inside, the
    /// text's kind stays what its envelope says.
    pub offset: usize,
}

impl Scratch {
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
        let (raw, exact) = self.decode(text);
        let mut classified = ClassifiedText::verbatim(self, text, TextKind::Plain);
        classified.raw = Cell::new(Some((raw, exact)));
        let trimmed = trim_start(raw);
        if trimmed.is_empty() {
            classified.kind = TextKind::Empty;
        } else if begins_like_object(trimmed) {
            let start = raw.len() - trimmed.len();
            let kept = if exact { raw } else { self.decode_json(text) };
            match self.view(raw, kept, start) {
                Ok(view) => {
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

    /// The JSON object (or list) that the text is, from `start` on: as it stands, or else with its HTML entities decoded.
    /// `origin`, of which the text is a layer, goes on to that of the object.
    pub(super) fn object<'s>(
        &'s self,
        text: &'s str,
        start: usize,
        origin: &mut Origin<'s>,
    ) -> Result<&'s str, TextError> {
        let error = match self.validate(text, start, origin) {
            Ok(object) => return Ok(object),
            Err(error) => error,
        };
        if !has_entity(text) {
            return Err(error);
        }
        let source = &text[start..];
        let decoded = self.text_of(|out| decode_entities(source, out));
        origin.enter(decoded, source, Writing::Entities);
        let retried = if decoded.starts_with('"') {
            self.quoted_object(decoded, origin)
        } else {
            self.validate(decoded, 0, origin)
        };
        // Of two failures that one counts which reads the text as it was meant: in escaped JSON, quotes are entities.
        retried.map_err(|later| if has_quotes_as_entities(source) { later } else { error })
    }

    /// The object in `"{…}"`: a JSON string that holds one, or an object between quotes.
    fn quoted_object<'s>(&'s self, text: &'s str, origin: &mut Origin<'s>) -> Result<&'s str, TextError> {
        let as_string = self.validate(text, 0, origin);
        let truncated = TextError { reason: Reason::Truncated, offset: origin.offset_in(text, text.len()) };
        if let Ok(string) = as_string {
            let inside = &string[1..string.len() - 1];
            let is_escaped = inside.contains('\\');
            let inner = self.decode_json(Text::new(inside, is_escaped));
            origin.enter(inner, inside, Writing::Escapes);
            return self.validate(inner, 0, origin).map_err(|error| match error.reason {
                // No escape: an object between quotes that ends behind the first quote of its own.
                Reason::Truncated if !is_escaped => truncated,
                _ => error,
            });
        }
        let trimmed = text.trim_end();
        let inside = trimmed.strip_suffix('"').filter(|_| trimmed.len() > 1);
        let between = self.validate(inside.unwrap_or(text), 1, origin);
        match (as_string, between) {
            (Err(error), Err(_)) if text[1..].trim_start_matches('{').trim_start().starts_with('\\') => {
                Err(error)
            }
            // What looks like the last quote may be one of the object: it is the end of the text that is missing.
            (_, Err(error)) if error.reason == Reason::Truncated => Err(truncated),
            (_, between) => between,
        }
    }

    /// Checks that one JSON value stands at `start` of `text`, a layer of `origin`, and nothing but white space
    /// after it. It may nest as deep as it likes.
    pub(super) fn validate<'s>(
        &self,
        text: &'s str,
        start: usize,
        origin: &Origin<'s>,
    ) -> Result<&'s str, TextError> {
        let bytes = text.as_bytes();
        let start = skip_space(bytes, start);
        let mut end = self.end_of_value(bytes, start);
        if let Err(Stop::Bad { fault: Fault::TooDeep, .. }) = end {
            end = deep_end(bytes, start);
        }
        let (reason, at) = match end {
            Ok(end) => {
                let after = text[end..].trim_start();
                if after.is_empty() {
                    return Ok(&text[start..end]);
                }
                (Reason::UnexpectedByte, text.len() - after.len())
            }
            Err(Stop::Bad { at, fault }) => (fault.reason(), at),
            Err(Stop::Incomplete) => (Reason::Truncated, text.len()),
        };
        Err(TextError { reason, offset: origin.offset_in(text, at) })
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

    /// The same as an error that carries its place: `message` is the one in which the text stands, and the position is that
    /// of the text in the body.
    ///
    /// ```
    /// use korpus_core::{ErrorKind, InputEnd, Limits, PageParser, Reason, Scratch};
    /// let page = br#"{"messages":[{"type":"outgoing","components":[{"data":{"text":"{\"a\":1,}"}}]}]}"#;
    /// let mut parser = PageParser::new(Limits::default());
    /// parser.feed(page);
    /// parser.finish(InputEnd::Complete);
    /// let block = parser.next_block().unwrap();
    /// let message = block.message(0);
    /// let scratch = Scratch::new(&Default::default());
    /// let text = scratch.classify(message.components().next().unwrap().data_text().unwrap());
    /// let error = text.error_in(message).unwrap();
    /// let ErrorKind::Text(inside) = error.kind() else { panic!() };
    /// assert_eq!((inside.reason, inside.offset), (Reason::TrailingComma, 7));
    /// let at = error.position().unwrap().byte_offset as usize;
    /// assert!(page[at..].starts_with(br#"{\"a\""#));
    /// ```
    pub fn error_in(&self, message: Message<'_>) -> Option<Error> {
        let error = Error::from(self.error?);
        Some(match message.position_of(self.text.raw()) {
            Some(position) => error.at(position),
            None => error,
        })
    }
}
