//! The one error type of the crate, and the closed list of reasons why something was not kept.

use std::fmt;

use crate::codec::CodecError;
use crate::template::TextError;

macro_rules! reasons {
    ($(#[$doc:meta])* $name:ident { $(#[doc = $vdoc:literal] $variant:ident = $text:literal,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[non_exhaustive]
        pub enum $name { $(#[doc = $vdoc] $variant,)* }

        impl $name {
            /// All of them, in the order of their declaration.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The name that stands in tables and reports.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)* }
            }

            /// What the name means, in one line.
            pub const fn meaning(self) -> &'static str {
                match self { $(Self::$variant => $vdoc.trim_ascii(),)* }
            }

            /// The reason of that name.
            pub fn from_name(name: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|reason| reason.as_str() == name)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { f.write_str(self.as_str()) }
        }
    };
}

reasons! {
    /// Why a span of a body was rejected, or why a body is not whole. A closed list: tables and reports use its names.
    Reason {
        /// A byte that JSON does not allow at this place.
        UnexpectedByte = "unexpected_byte",
        /// A comma with nothing after it.
        TrailingComma = "trailing_comma",
        /// A control character inside a string.
        ControlCharacter = "control_character",
        /// An escape that JSON does not know.
        BadEscape = "bad_escape",
        /// A number that JSON does not allow.
        BadNumber = "bad_number",
        /// Something that begins like true, false or null and is not.
        BadLiteral = "bad_literal",
        /// Bytes that are not UTF-8.
        InvalidUtf8 = "invalid_utf8",
        /// An element of the array that is not an object.
        NotAnObject = "not_an_object",
        /// Nested deeper than the limit.
        TooDeep = "too_deep",
        /// Larger than the limit.
        TooLarge = "too_large",
        /// The body or text ends before the value does.
        Truncated = "truncated",
        /// The compressed stream is damaged here.
        CorruptStream = "corrupt_stream",
        /// The body inflates past the limit of its ratio.
        RatioExceeded = "ratio_exceeded",
        /// The search for the next whole message reached its bound.
        ResyncLimit = "resync_limit",
        /// The text is UTF-16, which korpus does not read: convert it to UTF-8.
        Utf16 = "utf16",
        /// Compressed with xz, which korpus does not read: unpack it first.
        Xz = "xz",
        /// Compressed with bzip2, which korpus does not read: unpack it first.
        Bzip2 = "bzip2",
        /// Compressed more than twice: unpack it first.
        NestedCodec = "nested_codec",
        /// Not a conversation-history response.
        NotAPage = "not_a_page",
        /// An HTML page in the place of a response.
        Html = "html",
        /// The platform answered with an error.
        ErrorResponse = "error_response",
        /// The envelope has a total but no array of messages.
        NoMessages = "no_messages",
        /// No bytes but white space.
        Empty = "empty",
        /// The file could not be read.
        Unreadable = "unreadable",
        /// Encrypted inside its archive: unpack it with its password first.
        Encrypted = "encrypted",
        /// An archive nested too deep inside other archives: unpack the outer one first.
        NestedArchive = "nested_archive",
        /// Compressed inside its archive by a method that korpus does not read: unpack it first.
        UnknownMethod = "unknown_method",
        /// Stored without its holes inside its archive, as a sparse file: unpack it first.
        Sparse = "sparse",
        /// The archive holds more members than the limit.
        TooManyMembers = "too_many_members",
        /// A worker failed on it: a defect of korpus.
        Internal = "internal",
    }
}

/// Where in its input something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Position {
    /// Which body of the file, from 0.
    pub page: u64,
    /// Which message or record of the body, from 0; rejected ones count.
    pub message: Option<u64>,
    /// Byte offset in the decoded body.
    pub byte_offset: u64,
}

/// What kind of failure an [`Error`] is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The input could not be read.
    Io,
    /// The codec found damage.
    Codec,
    /// The bytes are not what they should be.
    Syntax(Reason),
    /// A text in a message could not be taken apart, or not as a whole; the position is that of the text.
    Text(TextError),
    /// JSON that is not what the caller's type asks for.
    Mismatch {
        /// Where in the decoded text of a template, or in the JSON of a message, as far as simd-json says; else where that begins.
        offset: usize,
    },
}

/// A failure, with the place where it happened and never with a word of the content, but for the source of a
/// [mismatch](ErrorKind::Mismatch).
pub struct Error(Box<Inner>);

struct Inner {
    kind: ErrorKind,
    position: Option<Position>,
    source: Option<Source>,
}

enum Source {
    Io(std::io::Error),
    Codec(CodecError),
    Json(simd_json::Error),
}

impl Error {
    pub(crate) fn syntax(reason: Reason, byte_offset: u64) -> Self {
        let position = Position { byte_offset, ..Position::default() };
        Self(Box::new(Inner { kind: ErrorKind::Syntax(reason), position: Some(position), source: None }))
    }

    pub(crate) fn mismatch(offset: usize, error: simd_json::Error) -> Self {
        let kind = ErrorKind::Mismatch { offset };
        Self(Box::new(Inner { kind, position: None, source: Some(Source::Json(error)) }))
    }

    /// The same failure at that place, such as that of the text in which it happened.
    #[must_use]
    pub fn at(mut self, position: Position) -> Self {
        self.0.position = Some(position);
        self
    }

    /// What kind of failure this is.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// Where it happened, where that is a place in a body.
    pub fn position(&self) -> Option<Position> {
        self.0.position
    }
}

impl From<TextError> for Error {
    fn from(error: TextError) -> Self {
        Self(Box::new(Inner { kind: ErrorKind::Text(error), position: None, source: None }))
    }
}

impl From<std::io::Error> for Error {
    fn from(error: std::io::Error) -> Self {
        Self(Box::new(Inner { kind: ErrorKind::Io, position: None, source: Some(Source::Io(error)) }))
    }
}

impl From<CodecError> for Error {
    fn from(error: CodecError) -> Self {
        Self(Box::new(Inner { kind: ErrorKind::Codec, position: None, source: Some(Source::Codec(error)) }))
    }
}

impl fmt::Debug for Error {
    /// As it is displayed: debug output ends up in logs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Error({self})")
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.0.source, self.0.kind) {
            (Some(Source::Io(error)), _) => write!(f, "cannot read the input: {error}")?,
            (Some(Source::Codec(error)), _) => write!(f, "{error}")?,
            (_, ErrorKind::Syntax(reason)) => f.write_str(reason.meaning())?,
            (_, ErrorKind::Text(TextError { reason, offset })) => {
                write!(f, "byte {offset} of the text: {}", reason.meaning())?;
            }
            // What the reader said may quote the content.
            (_, ErrorKind::Mismatch { offset }) => {
                write!(f, "not the JSON that was asked for, at its byte {offset}")?;
            }
            (_, kind @ (ErrorKind::Io | ErrorKind::Codec)) => write!(f, "{kind:?}")?,
        }
        if let Some(position) = self.0.position {
            write!(f, " (page {}, ", position.page)?;
            if let Some(message) = position.message {
                write!(f, "message {message}, ")?;
            }
            write!(f, "byte {})", position.byte_offset)?;
        }
        Ok(())
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.0.source {
            Some(Source::Io(error)) => Some(error),
            Some(Source::Codec(error)) => Some(error),
            Some(Source::Json(error)) => Some(error),
            None => None,
        }
    }
}
