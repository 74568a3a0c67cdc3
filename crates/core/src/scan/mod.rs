//! The scanner: a schema-directed walk over JSON bytes that predicts the next key instead of looking it up.

mod arena;
mod deep;
mod fields;
mod learn;
#[cfg(test)]
mod tests;
mod walk;

pub(crate) use arena::{Arena, NONE, Object, Other, Slot};
pub(crate) use deep::{closing, deep_end};
pub(crate) use fields::Class;
pub use fields::{
    AuthorField, ChannelField, ComponentField, ConversationField, DataField, LatencyField, LatencyPartField,
    MessageField, SessionField, TagField, TagsField, ThumbnailField,
};
pub(crate) use learn::{skip_space, string_end};
pub(crate) use walk::{Fault, Scanner, Stop, Walked, read_scalar};
