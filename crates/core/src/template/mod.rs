//! Payloads hidden in texts: what kind of text it is, what a person saw, which elements and actions it shows.
//!
//! [`Scratch::classify`] looks at a text; only one that begins like a JSON object is decoded and laid out on a tape,
//! in an arena that is reset for each message. Nested encodings (entities, a payload that is itself a string of JSON)
//! share one budget of depth and values. [`Template`] reads the tape lazily.

mod classify;
mod entity;
mod envelope;
mod escape;
mod kind;
mod known;
mod leftovers;
mod markup;
mod node;
mod origin;
mod paths;
mod scratch;
mod tape;
#[cfg(test)]
mod tests;
mod types;
mod view;
mod walk;

pub use classify::{ClassifiedText, TextError};
pub use envelope::PAYLOAD_KEYS;
pub use kind::TextKind;
pub use known::{KEY_GROUPS, KeyGroup, TEMPLATE_TYPES, TemplateType};
pub use node::{Node, Nodes};
pub use paths::PathStep;
pub use scratch::Scratch;
pub use types::{ActionKind, normalize_template_type};
pub use view::{FormData, Template};
pub use walk::{Action, Element, TemplateVisitor};
