//! Zero-copy parser for dumped Kore.ai conversation-history responses.
//!
//! [`PageReader`] reads one input, whatever it is encoded in; [`PageParser`] takes decoded bytes as they come, for those
//! who have no reader. Both give [`Block`]s: owned batches of whole messages, with the books of what could not be kept.
//! [`Message`] and its parts are views that borrow from a block; nothing is decoded before it is asked for.
//! [`MessageBuf`] is the owned twin.
//!
//! ```
//! let file = include_bytes!("../../../testdata/dumps/responses/v2-post.json.gz");
//! let mut reader = korpus_core::PageReader::new(&file[..], None)?;
//! let mut ids = Vec::new();
//! while let Some(block) = reader.next_block()? {
//!     ids.extend(block.messages().filter_map(|message| Some(message.id()?.lossy().into_owned())));
//! }
//! assert_eq!(ids.len(), 3);
//! # Ok::<(), korpus_core::Error>(())
//! ```
//!
//! The crate knows neither Arrow nor threads, and of I/O only [`std::io::Read`]. Broken input is the normal case: what
//! can be kept is, and the rest is a [`Reject`] with its place and [`Reason`]. No error and no debug output holds a word
//! of the content.
#![deny(unsafe_code)]
#![allow(
    clippy::inline_always,
    reason = "the scanner's helpers must inline into functions with a target feature"
)]

mod block;
mod codec;
mod date;
mod envelope;
mod error;
mod hash;
mod json;
mod limits;
mod message;
mod number;
mod object;
mod owned;
mod page;
mod reader;
mod record;
mod scan;
#[allow(unsafe_code, reason = "vector loads, each argued where it stands")]
mod simd;
mod template;
mod text;
mod utf8;
mod validate;
mod value;

pub use block::{Block, PageSlice, Reject};
pub use codec::*;
pub use date::{ParsedTime, is_timestamp, parse_date, parse_timestamp, write_date, write_timestamp};
pub use envelope::{Envelope, PageEnd, PageStatus, Shape};
pub use error::{Error, ErrorKind, Position, Reason};
pub use json::json_equal;
#[doc(hidden)]
pub use json::{decode as json_code_units, members as json_members};
pub use limits::Limits;
pub use message::{
    Author, Channel, Component, ComponentData, Form, Latency, LatencyPart, List, Message, Tag, Tags,
    Thumbnail,
};
pub use number::numbers_equal;
pub use object::{OtherField, Others};
pub use owned::{
    AuthorBuf, ChannelBuf, ComponentBuf, ComponentDataBuf, LatencyBuf, LatencyPartBuf, MessageBuf, RawField,
    TagBuf, TagsBuf, ThumbnailBuf,
};
pub use page::{InputEnd, PageParser};
pub use reader::PageReader;
pub use record::{Conversation, Record, SessionRecord};
pub use scan::{
    AuthorField, ChannelField, ComponentField, ConversationField, DataField, LatencyField, LatencyPartField,
    MessageField, SessionField, TagField, TagsField, ThumbnailField,
};
pub use template::{
    Action, ActionKind, ClassifiedText, Element, FormData, KEY_GROUPS, KeyGroup, Node, Nodes, PAYLOAD_KEYS,
    PathStep, Scratch, TEMPLATE_TYPES, Template, TemplateType, TemplateVisitor, TextError, TextKind,
    normalize_template_type,
};
pub use text::{Text, has_lone_surrogate, write_json_string};
pub use validate::{minify, nesting, validate};
pub use value::{Elements, Kind, KindSet, Members, Value};
