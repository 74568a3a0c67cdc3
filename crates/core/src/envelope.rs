//! What a body says about itself, around its array of messages or records.

use crate::error::Reason;

/// What a body is, from its content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Shape {
    /// v1, v2 or the stream endpoint of 2019, which cannot be told apart by content.
    Full,
    /// `messages-lite`.
    Lite,
    /// `getMessages?callId=`.
    Call,
    /// Agent AI conversation records, with or without messages.
    AgentAi,
    /// `getSessions`.
    Sessions,
    /// A failed call.
    Error,
    /// Nothing that is known.
    Unknown,
}

impl Shape {
    /// All of them.
    pub const ALL: &'static [Self] =
        &[Self::Full, Self::Lite, Self::Call, Self::AgentAi, Self::Sessions, Self::Error, Self::Unknown];

    /// The name that stands in tables.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::Lite => "lite",
            Self::Call => "call",
            Self::AgentAi => "agent_ai",
            Self::Sessions => "sessions",
            Self::Error => "error",
            Self::Unknown => "unknown",
        }
    }
}

/// How reading a body went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum PageStatus {
    /// Whole.
    Ok,
    /// Something of it could not be kept.
    Partial,
    /// Nothing of it could be kept.
    Rejected,
    /// The platform, or something before it, answered with an error.
    ErrorResponse,
    /// No bytes but white space.
    Empty,
    /// Not a conversation-history response.
    NotAPage,
}

impl PageStatus {
    /// All of them.
    pub const ALL: &'static [Self] =
        &[Self::Ok, Self::Partial, Self::Rejected, Self::ErrorResponse, Self::Empty, Self::NotAPage];

    /// The name that stands in tables.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Partial => "partial",
            Self::Rejected => "rejected",
            Self::ErrorResponse => "error_response",
            Self::Empty => "empty",
            Self::NotAPage => "not_a_page",
        }
    }
}

/// The keys around the array, typed where they are known.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Envelope {
    /// `total`, or `totalResults`: how many match the query, not how many are here.
    pub total: Option<i64>,
    /// `moreAvailable`, or `hasMore`.
    pub more_available: Option<bool>,
    /// `skip`
    pub skip: Option<i64>,
    /// `limit`
    pub limit: Option<i64>,
    /// `totalPages`
    pub total_pages: Option<i64>,
    /// Every other key (`icon`, unknown ones, known ones of another type), raw, as one JSON object; empty if none.
    pub extra: String,
}

/// The end of a body: its envelope and its books.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageEnd {
    /// What the body is.
    pub shape: Shape,
    /// How reading it went.
    pub status: PageStatus,
    /// Why it is not whole, where it is not.
    pub reason: Option<Reason>,
    /// The keys around the array.
    pub envelope: Envelope,
    /// Length of the body in decoded bytes.
    pub body_bytes: u64,
    /// Messages and rejected spans among them.
    pub messages_seen: u64,
    /// Rejected spans among the messages.
    pub messages_rejected: u64,
    /// Records and rejected spans among them.
    pub records_seen: u64,
    /// Rejected spans among the records.
    pub records_rejected: u64,
    /// Hash of its messages without an id, in order, and of how many messages there are: surrogate ids are the same
    /// message only in bodies where this is equal.
    pub array_hash: u128,
}
