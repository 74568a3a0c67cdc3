//! Zero-copy parser for dumped Kore.ai conversation-history responses.
#![deny(unsafe_code)]

mod block;
mod codec;
mod date;
mod envelope;
mod error;
mod hash;
mod limits;
mod message;
mod number;
mod object;
mod page;
mod record;
mod scan;
#[allow(unsafe_code, reason = "vector loads, each argued where it stands")]
mod simd;
mod text;
mod utf8;
mod validate;
mod value;

pub use block::{Block, PageSlice, Reject};
pub use codec::*;
pub use date::{ParsedTime, parse_timestamp, write_timestamp};
pub use envelope::{Envelope, PageEnd, PageStatus, Shape};
pub use error::{Error, ErrorKind, Position, Reason};
pub use limits::Limits;
pub use message::{
    Author, Channel, Component, ComponentData, Form, Latency, LatencyPart, List, Message, Tag, Tags,
    Thumbnail,
};
pub use number::numbers_equal;
pub use object::{OtherField, Others};
pub use page::{InputEnd, PageParser};
pub use record::{Conversation, Record, SessionRecord};
pub use scan::{
    AuthorField, ChannelField, ComponentField, ConversationField, DataField, LatencyField, LatencyPartField,
    MessageField, SessionField, TagField, TagsField, ThumbnailField,
};
pub use text::{Text, write_json_string};
pub use validate::{minify, validate};
pub use value::{Elements, Kind, Members, Value};
