//! The streaming decoder: finds out what a file is, and reads it in bounded memory.

use std::io::Read;

use super::chunked::{Chunked, looks_chunked};
use super::engine::Engine;
use super::error::Failure;
use super::http::{self, Heads, HttpHead, Parsed};
use super::sniff::{Hint, PREFIX, sniff_as};
use super::stage::{Input, Stage, pull};
use super::{Codec, CodecError, CodecErrorKind, DecodeLimits};

/// How many encodings are taken off one another, such as the gzip of a gzip file.
const MAX_CODECS: usize = 2;

/// A reader of decoded bytes.
///
/// What the input is, HTTP heads, chunked framing and up to two nested codecs, is found from its first bytes.
/// Damage is reported only after every byte before it was given out. A warm read allocates nothing.
///
/// ```
/// use std::io::Write;
///
/// use korpus_core::{Codec, DecodeLimits, Decoder};
///
/// let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
/// gzip.write_all(b"{\"messages\":[]}")?;
/// let file = gzip.finish()?;
///
/// let mut decoder = Decoder::new(&file[..], Some("page.json.gz"), DecodeLimits::default())?;
/// assert_eq!(decoder.codec(), Codec::Gzip);
/// let mut window = [0; 64];
/// let n = decoder.read(&mut window)?;
/// assert_eq!(&window[..n], b"{\"messages\":[]}");
/// assert_eq!(decoder.read(&mut window)?, 0);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Decoder<R> {
    reader: R,
    stages: Vec<Stage>,
    codecs: [Codec; MAX_CODECS],
    http: Option<HttpHead>,
    /// How long the input is, by the head of a plain body.
    said_length: u64,
    limits: DecodeLimits,
    decoded: u64,
}

impl<R: Read> Decoder<R> {
    /// Looks at the start of `reader` (up to 64 KiB of it) and gets ready to decode it. `name_hint` is the file's
    /// name, which decides only where the bytes do not.
    ///
    /// # Errors
    ///
    /// [`CodecErrorKind::Read`] if nothing could be read. Later errors, damage at the very start too, come from
    /// [`read`](Self::read).
    pub fn new(mut reader: R, name_hint: Option<&str>, limits: DecodeLimits) -> Result<Self, CodecError> {
        let mut stages = Vec::with_capacity(MAX_CODECS + 2);
        let mut codecs = [Codec::Plain; MAX_CODECS];
        let mut layers = 0;
        let mut http = None;
        let mut said_length = 0;
        loop {
            let mut input = Input::new();
            let enough = |input: &Input| input.bytes().len() >= PREFIX || input.at_end();
            while !enough(&input) {
                input.fill(&mut reader, &mut stages, &limits);
            }
            if stages.is_empty()
                && input.bytes().is_empty()
                && let Some(failure) = input.take_failure()
            {
                return Err(locate(failure, 0, 0));
            }
            if http.is_none() {
                let parsed = loop {
                    match http::parse(input.bytes(), input.eof) {
                        Parsed::Partial if !input.at_end() => input.fill(&mut reader, &mut stages, &limits),
                        other => break other,
                    }
                };
                if let Parsed::Heads(heads) = parsed {
                    input.take(heads.length);
                    said_length = said_end(&heads);
                    http = Some(heads.head);
                    while !enough(&input) {
                        input.fill(&mut reader, &mut stages, &limits);
                    }
                    if heads.chunked && looks_chunked(input.bytes()) {
                        stages.push(Stage::new(input, Engine::Chunked(Chunked::new())));
                        continue;
                    }
                }
            }
            let hint = match &http {
                Some(head) if head.content_encoding.is_some() => head.hint(layers),
                _ if layers == 0 => Hint::from_name(name_hint),
                _ => Hint::None,
            };
            let codec = if layers < MAX_CODECS { sniff_as(input.bytes(), hint) } else { Codec::Plain };
            stages.push(Stage::new(input, Engine::new(codec)));
            if codec == Codec::Plain {
                // The codecs find out for themselves when something is missing.
                let said_length = if layers == 0 { said_length } else { 0 };
                return Ok(Self { reader, stages, codecs, http, said_length, limits, decoded: 0 });
            }
            codecs[layers] = codec;
            layers += 1;
        }
    }

    /// Decodes `reader` as `codec` and nothing else: for data whose encoding is known, such as members of archives.
    pub fn of(reader: R, codec: Codec, limits: DecodeLimits) -> Self {
        let stages = vec![Stage::new(Input::new(), Engine::new(codec))];
        let mut codecs = [Codec::Plain; MAX_CODECS];
        codecs[0] = codec;
        Self { reader, stages, codecs, http: None, said_length: 0, limits, decoded: 0 }
    }

    /// Decodes into `out` and returns how many bytes were written; 0 is the clean end (or an empty `out`).
    ///
    /// # Errors
    ///
    /// The damage that was met, after everything before it was returned. It stays: reading on gives it again.
    pub fn read(&mut self, out: &mut [u8]) -> Result<usize, CodecError> {
        if out.is_empty() {
            return Ok(0);
        }
        match pull(&mut self.reader, &mut self.stages, &self.limits, out) {
            Ok(0) if self.decoded > 0 && self.compressed_bytes() < self.said_length => {
                let failure = Failure { codec: Codec::Plain, kind: CodecErrorKind::Truncated, io: None };
                Err(locate(failure, self.compressed_bytes(), self.decoded))
            }
            Ok(n) => {
                self.decoded += n as u64;
                Ok(n)
            }
            Err(failure) => Err(locate(failure, self.compressed_bytes(), self.decoded)),
        }
    }

    /// The outermost codec.
    pub fn codec(&self) -> Codec {
        self.codecs[0]
    }

    /// The codecs from the outside in, without the plain text at the end; empty for plain input.
    pub fn codecs(&self) -> &[Codec] {
        let layers = self.codecs.iter().take_while(|codec| **codec != Codec::Plain).count();
        &self.codecs[..layers]
    }

    /// How many bytes of the input were used so far; HTTP heads, framing and padding count.
    pub fn compressed_bytes(&self) -> u64 {
        self.stages.first().map_or(0, |bottom| bottom.input.taken)
    }

    /// How many bytes were decoded so far.
    pub fn decoded_bytes(&self) -> u64 {
        self.decoded
    }

    /// How many bytes were ignored after the end of the data: zero padding and garbage. Final at the end only.
    pub fn trailing(&self) -> u64 {
        self.stages.iter().map(|stage| stage.engine.trailing()).sum()
    }

    /// What the HTTP heads in front of the body say, if there are any.
    pub fn http(&self) -> Option<&HttpHead> {
        self.http.as_ref()
    }
}

/// Where the input ends by the length that its head states. What a tool decoded when it saved it has another length, what is
/// framed in chunks has none, and a redirect's or a `HEAD` request's says nothing of what follows.
fn said_end(heads: &Heads) -> u64 {
    let is_coded =
        (heads.head.content_encoding.as_deref()).is_some_and(|name| !name.eq_ignore_ascii_case("identity"));
    match heads.content_length {
        Some(length) if !heads.chunked && !is_coded => (heads.length as u64).saturating_add(length),
        _ => 0,
    }
}

fn locate(failure: Failure, compressed: u64, decoded: u64) -> CodecError {
    let Failure { codec, kind, io } = failure;
    debug_assert_eq!(io.is_some(), kind == CodecErrorKind::Read, "only a failed read has a cause");
    CodecError { codec, kind, compressed, decoded, io }
}
