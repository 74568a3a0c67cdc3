//! A payload as a whole: its type, its form, its verbs, and what a person sees of it.

use std::cell::{Cell, OnceCell};

use simd_json::ErrorType;

use super::classify::TextError;
use super::envelope::{Payload, SHOWN_KEYS};
use super::escape::first_lone_surrogate;
use super::kind::TextKind;
use super::markup::strip_speech;
use super::node::Node;
use super::origin::Origin;
use super::scratch::Scratch;
use super::tape::Item;
use super::types::{normalize_template_type, shows_text_message};
use super::walk::{Element, TemplateVisitor, title_of};
use crate::error::{Error, Reason};
use crate::validate::nesting;
use crate::value::Kind;

/// A text that was taken apart, in the arena.
#[derive(Debug)]
pub(super) struct View<'s> {
    pub scratch: &'s Scratch,
    pub items: &'s [Item<'s>],
    /// The payloads of envelopes in envelopes, outermost first, and which of them is shown.
    pub payloads: &'s [Payload],
    pub shown: Cell<usize>,
    /// Where in the text things stand.
    pub origin: Origin<'s>,
    pub error: Option<TextError>,
    pub kind: Cell<TextKind>,
    /// What a person sees, once it was asked for.
    pub visible: OnceCell<Option<&'s str>>,
    /// The normalized type, once it was asked for.
    pub norm: OnceCell<Option<&'s str>>,
    /// Whether what columns of elements and actions hold is marked.
    pub visited: Cell<bool>,
    /// Whether all that a column holds is marked.
    pub marked: Cell<bool>,
}

/// A payload hidden in a text. Whatever is read of it is decoded on request, into the arena of its [`Scratch`].
#[derive(Clone, Copy)]
pub struct Template<'s> {
    pub(super) view: &'s View<'s>,
}

impl std::fmt::Debug for Template<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Template({}, {} values)", self.view.kind.get(), self.view.items.len())
    }
}

/// A digital form that a template leads to.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub struct FormData<'s> {
    /// `formId`
    pub form_id: Option<&'s str>,
    /// `name`
    pub name: Option<&'s str>,
    /// `displayName`
    pub display_name: Option<&'s str>,
    /// `formLink`
    pub link: Option<&'s str>,
    /// `renderType`
    pub render_type: Option<&'s str>,
    /// `formLinkExpiry`, as given.
    pub link_expiry: Option<i64>,
    /// `submitExpiry`, as given.
    pub submit_expiry: Option<i64>,
}

impl std::fmt::Debug for FormData<'_> {
    /// Links to forms are secrets.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FormData").finish_non_exhaustive()
    }
}

impl<'s> Template<'s> {
    pub(super) fn new(view: &'s View<'s>) -> Self {
        Self { view }
    }

    /// What the text is.
    pub fn kind(self) -> TextKind {
        self.view.kind.get()
    }

    /// The whole object.
    pub fn root(self) -> Node<'s> {
        Node::new(self.view, 0)
    }

    /// The value of `payload` (or `pay load`), decoded where it is a string that holds an object or a list of
    /// them; of envelopes in each other that of the innermost, unless one around it says something itself and the innermost does
    /// not name its type.
    pub fn payload(self) -> Option<Node<'s>> {
        self.payloads().last()
    }

    /// The payloads of envelopes in each other, from the outermost to the one that is shown.
    pub fn payloads(self) -> impl DoubleEndedIterator<Item = Node<'s>> {
        let shown = self.view.payloads.iter().take(self.view.shown.get() + 1);
        shown.map(move |payload| Node::new(self.view, payload.place))
    }

    /// What is shown: the payload where it is an object, else the whole object.
    pub fn content(self) -> Node<'s> {
        self.payload().filter(|payload| payload.kind() == Kind::Object).unwrap_or_else(|| self.root())
    }

    /// `type` of the envelope, as written.
    pub fn envelope_type(self) -> Option<&'s str> {
        column(self.root().get("type"))
    }

    /// `template_type` of the payload, as written.
    pub fn template_type(self) -> Option<&'s str> {
        column(self.content().get("template_type"))
    }

    /// `template_type` in lower case, without spaces, underscores and a `template` at its end.
    pub fn template_type_norm(self) -> Option<&'s str> {
        *self.view.norm.get_or_init(|| {
            let name = self.template_type()?;
            Some(self.view.scratch.text_of(|norm| normalize_template_type(name, norm)))
        })
    }

    /// The form that the template leads to, where it has `formData`, beside a payload or in it.
    pub fn form(self) -> Option<FormData<'s>> {
        let is_form = |node: &Node<'s>| node.kind() == Kind::Object;
        let around = std::iter::once(self.root()).chain(self.payloads());
        let form = around.filter_map(|around| around.get("formData")).find(is_form)?;
        let text = |key| column(form.get(key));
        let number = |key| {
            let node: Node<'s> = form.get(key)?;
            let value = node.as_i64()?;
            node.mark_used();
            Some(value)
        };
        Some(FormData {
            form_id: text("formId"),
            name: text("name"),
            display_name: text("displayName"),
            link: text("formLink"),
            render_type: text("renderType"),
            link_expiry: number("formLinkExpiry"),
            submit_expiry: number("submitExpiry"),
        })
    }

    /// The verbs of a voice command, in order.
    pub fn voice_verbs(self) -> impl Iterator<Item = &'s str> {
        let data = self.root().get("data").filter(|_| self.view.kind.get() == TextKind::VoiceCommand);
        data.into_iter().flat_map(Node::elements).filter_map(|verb| column(verb.get("verb")))
    }

    /// Reads the payload into a type of the caller's: an object or a list, also one that a string holds. Where there is none,
    /// or another value, that is the whole object.
    ///
    /// # Errors
    /// [`ErrorKind::Mismatch`](crate::ErrorKind::Mismatch) where the payload is not what the type asks for, or holds what
    /// simd-json does not read: lone surrogates, and numbers past 64 bits. Nested deeper than the limit it is
    /// [`ErrorKind::Text`](crate::ErrorKind::Text). The error says where in the text, and gets its place in the body by
    /// [`Error::at`]. What simd-json said is its source; that may quote keys and values: do not log it where those are personal.
    ///
    /// ```
    /// use korpus_core::{Error, Scratch};
    /// #[derive(serde::Deserialize)]
    /// struct Seats { rows: Vec<String> }
    /// let scratch = Scratch::new(&Default::default());
    /// let text = r#"{"type":"template","payload":"{\"template_type\":\"seats\",\"rows\":[\"A\"]}"}"#;
    /// let seats: Seats = scratch.classify_str(text).template().unwrap().deserialize()?;
    /// assert_eq!(seats.rows, ["A"]);
    /// # Ok::<(), Error>(())
    /// ```
    pub fn deserialize<T: serde::de::DeserializeOwned>(self) -> Result<T, Error> {
        let is_list = |payload: &Node<'_>| payload.kind() == Kind::Array;
        let raw = self.payload().filter(is_list).unwrap_or_else(|| self.content()).raw();
        let offset = |at| self.view.origin.offset_in(raw, at);
        // Only what was left whole may be deeper than the limit; readers go down by calling themselves.
        if self.view.error.is_some() && nesting(raw) > self.view.scratch.depth() {
            return Err(TextError { reason: Reason::TooDeep, offset: offset(0) }.into());
        }
        simd_json::from_slice(&mut raw.as_bytes().to_vec()).map_err(|error| {
            let at = match error.error() {
                // What is wrong in a string is told by its place there.
                ErrorType::InvalidEscape
                | ErrorType::InvalidUnicodeCodepoint
                | ErrorType::InvalidUnicodeEscape
                | ErrorType::InvalidUtf8 => first_lone_surrogate(raw).unwrap_or(0),
                _ => error.index().min(raw.len()),
            };
            Error::mismatch(offset(at), error)
        })
    }

    /// What a person sees or hears of it; `None` where it shows no text.
    pub fn visible(self) -> Option<&'s str> {
        *self.view.visible.get_or_init(|| match self.view.kind.get() {
            TextKind::VoiceCommand => self.said(),
            _ => self.shown(),
        })
    }

    fn shown(self) -> Option<&'s str> {
        let content = self.content();
        let [text, text_message, title, heading] = SHOWN_KEYS;
        let keys = if self.template_type_norm().is_some_and(shows_text_message) {
            [text_message, text, title, heading]
        } else {
            SHOWN_KEYS
        };
        let found = keys.iter().find_map(|key| shown_text(content.get(key)?));
        // A payload that is a string and no JSON is what is shown.
        let is_text = self.view.payloads.get(self.view.shown.get()).is_some_and(|payload| payload.is_text);
        let found = found.or_else(|| shown_text(self.payload().filter(|_| is_text)?));
        let envelopes = || self.payloads().rev().skip(1).chain([self.root()]);
        let found = found.or_else(|| envelopes().find_map(|envelope| shown_text(envelope.get("text")?)));
        found.or_else(|| self.snippets(content)).or_else(|| self.titles(self.root()))
    }

    /// Whether there is anything to see of a payload itself.
    pub(super) fn says_something(self, payload: Node<'s>) -> bool {
        let is_shown = |node: Node<'_>| title_of(node).is_some_and(|(_, text)| !text.trim().is_empty());
        SHOWN_KEYS.iter().any(|key| payload.get(key).is_some_and(is_shown))
            || pieces(payload).is_some()
            || self.titles(payload).is_some()
    }

    /// The pieces of an answer made from documents, one a line.
    fn snippets(self, content: Node<'s>) -> Option<&'s str> {
        let pieces = pieces(content)?;
        if let [single] = pieces[..] {
            return shown_text(single);
        }
        Some(self.view.scratch.text_of(|out| {
            pieces.iter().filter_map(|piece| piece.as_str()).for_each(|piece| push_line(out, piece));
        }))
    }

    /// The titles of all elements in a container, one a line.
    fn titles(self, around: Node<'s>) -> Option<&'s str> {
        struct Titles<'a>(&'a mut String);
        impl TemplateVisitor for Titles<'_> {
            fn element(&mut self, element: &Element<'_, '_>) {
                if let Some(title) = element.title.filter(|title| !title.trim().is_empty()) {
                    push_line(self.0, title);
                }
            }
        }
        let titles = self.view.scratch.text_of(|out| {
            self.walk(around, &mut Titles(out));
        });
        (!titles.is_empty()).then_some(titles)
    }

    /// All that a voice command says, one text a line.
    fn said(self) -> Option<&'s str> {
        let data = self.root().get("data")?;
        let scratch = self.view.scratch;
        let mut count = 0;
        let mut single = None;
        let said = scratch.text_of(|out| {
            for_each_said(data, false, &mut |node| {
                let Some(text) = node.as_str() else { return };
                scratch.with_string(|one| {
                    strip_speech(text, one);
                    let shown = one.trim();
                    if !shown.is_empty() {
                        push_line(out, shown);
                        count += 1;
                        single = Some(node).filter(|_| shown == text && is_exact(node));
                    }
                });
            });
        });
        if let Some(node) = single.filter(|_| count == 1) {
            node.mark_used();
        }
        (!said.is_empty()).then_some(said)
    }
}

/// The pieces of an answer made from documents that show anything, where there are any.
fn pieces(content: Node<'_>) -> Option<Vec<Node<'_>>> {
    ["answer_payload", "graph_answer"].iter().find_map(|key| {
        let answer = content.get(key)?;
        let answer = answer.get("payload").unwrap_or(answer);
        let mut pieces = Vec::new();
        for data in answer.get("center_panel")?.get("data")?.elements() {
            let Some(snippet) = data.get("snippet_content") else { continue };
            if snippet.kind().is_string() {
                pieces.push(snippet);
            }
            pieces.extend(snippet.elements().map(|piece| piece.get("answer_fragment").unwrap_or(piece)));
        }
        pieces.retain(|piece| piece.as_str().is_some_and(|text| !text.trim().is_empty()));
        (!pieces.is_empty()).then_some(pieces)
    })
}

fn push_line(out: &mut String, line: &str) {
    if !out.is_empty() {
        out.push('\n');
    }
    out.push_str(line);
}

/// Every text that is said: of the verb `say`, and of a `say` inside another verb.
fn for_each_said<'s>(node: Node<'s>, is_say: bool, found: &mut impl FnMut(Node<'s>)) {
    let is_say = is_say || node.get("verb").and_then(Node::as_str) == Some("say");
    let children: super::node::Nodes<'s> = node.children();
    for child in children.filter(|child| !child.is_shadowed()) {
        if is_say && node.kind() == Kind::Object && child.key() == "text" {
            if child.kind().is_string() {
                found(child);
            }
            child.elements().filter(|text| text.kind().is_string()).for_each(&mut *found);
        } else if child.is_container() {
            // A list of things to say, or a member.
            let says = child.key() == "say" || (is_say && node.kind() == Kind::Array);
            for_each_said(child, says, found);
        }
    }
}

/// A text that a person sees, where it is one and not blank.
fn shown_text(node: Node<'_>) -> Option<&str> {
    let (shown, text) = title_of(node)?;
    if text.trim().is_empty() {
        return None;
    }
    mark_if_exact(shown);
    Some(text)
}

/// Whether its decoded form says all that it is.
pub(super) fn is_exact(node: Node<'_>) -> bool {
    match node.kind() {
        Kind::PlainString => true,
        Kind::EscapedString => node.as_text().is_some_and(|text| node.view.scratch.decode(text).1),
        _ => false,
    }
}

pub(super) fn mark_if_exact(node: Node<'_>) {
    if is_exact(node) {
        node.mark_used();
    }
}

/// The value of a column that takes strings.
fn column(node: Option<Node<'_>>) -> Option<&str> {
    let node = node?;
    let text = node.as_str()?;
    mark_if_exact(node);
    Some(text)
}
