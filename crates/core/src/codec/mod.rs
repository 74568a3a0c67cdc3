//! Codecs: from the bytes of a file to the bytes of a body, streaming or whole.
//!
//! [`Decoder`] reads any supported encoding from any reader in bounded memory, and gives every byte that can be
//! decoded before it reports damage. [`WholeDecoder`] is the fast path for small healthy bodies that are in
//! memory already; whatever it declines goes through [`Decoder`].

mod brotli;
mod chunked;
mod decoder;
mod engine;
mod error;
mod following;
mod gzip;
mod http;
mod inflate;
#[allow(unsafe_code, reason = "the bindings have no safe form of the calls needed here")]
mod libdeflate;
mod request;
mod sniff;
mod stage;
#[cfg(test)]
mod tests;
mod whole;
mod zstd;

use crate::limits::Limits;

pub use decoder::Decoder;
pub use error::{CodecError, CodecErrorKind};
pub use http::HttpHead;
pub use request::{put_parameter, query_value, request_parameters};
pub use sniff::sniff;
pub use whole::{NotWhole, Whole, WholeDecoder};

/// How the bytes of a body are encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Codec {
    /// Not encoded.
    Plain,
    /// gzip (RFC 1952): any number of members.
    Gzip,
    /// zlib (RFC 1950): what HTTP calls `deflate`.
    Zlib,
    /// Raw deflate (RFC 1951): what some servers send as `deflate`.
    Deflate,
    /// Brotli (RFC 7932).
    Brotli,
    /// Zstandard (RFC 8878): any number of frames, skippable ones too.
    Zstd,
}

impl Codec {
    /// The name that tables, summaries and options use.
    ///
    /// ```
    /// assert_eq!(korpus_core::Codec::Gzip.as_str(), "gzip");
    /// ```
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Gzip => "gzip",
            Self::Zlib => "zlib",
            Self::Deflate => "deflate",
            Self::Brotli => "brotli",
            Self::Zstd => "zstd",
        }
    }
}

impl std::fmt::Display for Codec {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What decoding may cost before it is given up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DecodeLimits {
    /// The most bytes that one compressed byte may stand for, over all layers together; looked at once
    /// [`ratio_floor`](Self::ratio_floor) is passed. Real dumps stay below 50; a bomb is near 1,000.
    pub max_ratio: u64,
    /// Decoded bytes below which the ratio is not looked at: 64 MiB.
    pub ratio_floor: u64,
    /// How many codecs are taken off one another, such as the gzip of a gzip file: 2. What comes out of them is a body.
    pub max_codecs: usize,
    /// Decoded bytes above which [`WholeDecoder`] leaves a body to [`Decoder`]: 64 MiB.
    pub whole_limit: usize,
}

impl Default for DecodeLimits {
    fn default() -> Self {
        Self { max_ratio: 500, ratio_floor: 64 << 20, max_codecs: 2, whole_limit: 64 << 20 }
    }
}

impl From<&Limits> for DecodeLimits {
    fn from(limits: &Limits) -> Self {
        Self {
            max_ratio: limits.ratio,
            ratio_floor: limits.ratio_floor,
            whole_limit: limits.whole_bytes,
            ..Self::default()
        }
    }
}

impl DecodeLimits {
    /// Whether `decoded` bytes out of `compressed` ones are more than a body may have.
    fn exceeded(&self, compressed: u64, decoded: u64) -> bool {
        decoded > self.ratio_floor && decoded > compressed.saturating_mul(self.max_ratio)
    }
}
