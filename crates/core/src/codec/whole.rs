//! The fast path: a body that is in memory and small enough is inflated in one go.

use super::gzip;
use super::http::looks_http;
use super::libdeflate::{Inflater, Refusal, Wrapping};
use super::sniff::sniff;
use super::{Codec, DecodeLimits};

/// The least room that is made for what comes out.
const LEAST: usize = 16 << 10;
/// Room past the expected end, with which libdeflate need not slow down before it.
const SLACK: usize = 512;
/// The most that a byte of deflate can stand for.
const MAX_EXPANSION: usize = 1032;

/// What was decoded by [`WholeDecoder::decode`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Whole {
    /// The codec that was taken off.
    pub codec: Codec,
    /// Ignored bytes after the end of the data: zero padding and garbage.
    pub trailing: u64,
    /// How many gzip members there were; 1 for other codecs.
    pub members: u64,
}

/// Why a body must be streamed instead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum NotWhole {
    /// Not one of gzip, zlib and raw deflate. [`Codec::Plain`] may be used as it is.
    OtherCodec(Codec),
    /// HTTP heads stand in front.
    HttpHead,
    /// What comes out is encoded again, or has HTTP heads.
    Nested,
    /// Something stands behind the end of the stream.
    Followed,
    /// Cut off or damaged; streaming gives what can be had.
    Damaged,
    /// More would come out than [`DecodeLimits::whole_limit`] or the ratio allow.
    TooLarge,
}

/// Decodes small healthy bodies at full speed. Reusing it, and the output, saves their allocation.
///
/// ```
/// use std::io::Write;
///
/// use korpus_core::{DecodeLimits, WholeDecoder};
///
/// let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
/// gzip.write_all(b"{\"messages\":[]}")?;
/// let file = gzip.finish()?;
///
/// let mut body = Vec::new();
/// let whole = WholeDecoder::new().decode(&file, None, &DecodeLimits::default(), &mut body);
/// assert!(whole.is_ok_and(|whole| whole.members == 1));
/// assert_eq!(body, b"{\"messages\":[]}");
/// # Ok::<(), std::io::Error>(())
/// ```
pub struct WholeDecoder {
    inflater: Inflater,
}

impl Default for WholeDecoder {
    fn default() -> Self {
        Self::new()
    }
}

impl WholeDecoder {
    /// A decoder with its working memory.
    pub fn new() -> Self {
        Self { inflater: Inflater::new() }
    }

    /// Decodes all of `file` into `out`, which is cleared first. What comes out is what
    /// [`Decoder`](super::Decoder) gives.
    ///
    /// # Errors
    ///
    /// [`NotWhole`] where the body must be streamed; `out` is empty then.
    pub fn decode(
        &mut self,
        file: &[u8],
        name_hint: Option<&str>,
        limits: &DecodeLimits,
        out: &mut Vec<u8>,
    ) -> Result<Whole, NotWhole> {
        out.clear();
        let result = self.decode_into(file, name_hint, limits, out);
        if result.is_err() {
            out.clear();
        }
        result
    }

    fn decode_into(
        &mut self,
        file: &[u8],
        name_hint: Option<&str>,
        limits: &DecodeLimits,
        out: &mut Vec<u8>,
    ) -> Result<Whole, NotWhole> {
        if looks_http(file) {
            return Err(NotWhole::HttpHead);
        }
        let codec = sniff(file, name_hint);
        let wrapping = match codec {
            Codec::Gzip => Wrapping::Gzip,
            Codec::Zlib => Wrapping::Zlib,
            Codec::Deflate => Wrapping::Raw,
            other => return Err(NotWhole::OtherCodec(other)),
        };
        let expected = expected_length(file, codec).min(limits.whole_limit).saturating_add(SLACK);
        make_room(out, expected.max(LEAST));
        let (mut at, mut members, mut trailing) = (0, 0, 0);
        loop {
            at += self.inflate(wrapping, &file[at..], limits, out)?;
            members += 1;
            if out.len() > limits.whole_limit || limits.exceeded(at as u64, out.len() as u64) {
                return Err(NotWhole::TooLarge);
            }
            let rest = &file[at..];
            if wrapping != Wrapping::Gzip {
                if !rest.is_empty() {
                    return Err(NotWhole::Followed);
                }
                break;
            }
            let zeros = rest.iter().position(|&byte| byte != 0).unwrap_or(rest.len());
            let after = &rest[zeros..];
            if after.starts_with(&gzip::MAGIC) {
                at += zeros;
            } else if !after.is_empty() {
                return Err(NotWhole::Followed);
            } else {
                trailing += zeros as u64;
                break;
            }
        }
        if looks_http(out) || sniff(out, None) != Codec::Plain {
            return Err(NotWhole::Nested);
        }
        Ok(Whole { codec, trailing, members })
    }

    /// Inflates one stream, with as much room as it needs and may have.
    fn inflate(
        &mut self,
        wrapping: Wrapping,
        input: &[u8],
        limits: &DecodeLimits,
        out: &mut Vec<u8>,
    ) -> Result<usize, NotWhole> {
        loop {
            match self.inflater.inflate(wrapping, input, out) {
                Ok(taken) => return Ok(taken),
                Err(Refusal::BadData) => return Err(NotWhole::Damaged),
                Err(Refusal::NeedsSpace) => {}
            }
            if out.capacity() > limits.whole_limit {
                return Err(NotWhole::TooLarge);
            }
            let capacity = out.capacity().saturating_mul(2).min(limits.whole_limit.saturating_add(SLACK));
            out.reserve_exact(capacity - out.len());
        }
    }
}

/// Makes an empty buffer large enough. It does not grow, as a full one would: the next body is about as long, and nothing in
/// it is worth a copy.
fn make_room(out: &mut Vec<u8>, room: usize) {
    if out.capacity() < room {
        *out = Vec::new();
        out.reserve_exact(room + room / 16);
    }
}

/// A guess at how much comes out. The length at the end of a gzip file is of its last member only, modulo 2³², and
/// need not be true.
fn expected_length(file: &[u8], codec: Codec) -> usize {
    let usual = file.len().saturating_mul(4);
    match (codec, file.last_chunk::<4>()) {
        (Codec::Gzip, Some(length)) => {
            let most = file.len().saturating_mul(MAX_EXPANSION);
            usual.max(u32::from_le_bytes(*length) as usize).min(most)
        }
        _ => usual,
    }
}
