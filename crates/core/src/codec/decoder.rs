//! The streaming decoder: finds out what a file is, and reads it in bounded memory.

use std::io::Read;

use super::chunked::{Chunked, looks_chunked};
use super::engine::Engine;
use super::error::Failure;
use super::following::Among;
use super::http::{self, Heads, HttpHead, Parsed, looks_http};
use super::sniff::{Hint, PREFIX, sniff_as};
use super::stage::{Input, Stage, pull};
use super::{Codec, CodecError, CodecErrorKind, DecodeLimits};

/// A reader of decoded bytes.
///
/// What the input is, HTTP heads, chunked framing and up to two nested codecs, is found from its first bytes, and again from
/// those that stand behind the end of a stream or a body, in whatever layer that is.
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
    /// From the outside in; the last one gives out what was decoded.
    stages: Vec<Stage>,
    codecs: Vec<Codec>,
    http: Option<HttpHead>,
    limits: DecodeLimits,
    decoded: u64,
    /// What layers that are gone expanded to, and how many bytes of it they ignored.
    expanded: u64,
    trailing: u64,
    /// Whether a body of layers that are gone was shorter than its head says.
    was_cut_off: bool,
    /// How often it went on behind damage.
    recovered: u64,
}

/// Damage is gone on behind so often, and once more for so many bytes: to look into each of many streams of a few
/// bytes that are all damaged would take far longer than to read the file.
const RECOVERED: u64 = 64;
const RECOVERED_EVERY: u64 = 1 << 10;

impl<R: Read> Decoder<R> {
    /// Looks at the start of `reader` (up to 64 KiB of it) and gets ready to decode it. `name_hint` is the file's
    /// name, which decides only where the bytes do not.
    ///
    /// # Errors
    ///
    /// [`CodecErrorKind::Read`] if nothing could be read. Later errors, damage at the very start too, come from
    /// [`read`](Self::read).
    pub fn new(reader: R, name_hint: Option<&str>, limits: DecodeLimits) -> Result<Self, CodecError> {
        let mut decoder = Self::bare(reader, limits);
        let mut input = Input::new();
        decoder.fill(&mut input);
        if input.bytes().is_empty()
            && let Some(failure) = input.take_failure()
        {
            return Err(locate(failure, 0, 0));
        }
        decoder.begin(input, name_hint);
        Ok(decoder)
    }

    /// Decodes `reader` as `codec` and nothing else: for data whose encoding is known, such as members of archives.
    pub fn of(reader: R, codec: Codec, limits: DecodeLimits) -> Self {
        let mut decoder = Self::bare(reader, limits);
        decoder.stages.push(Stage::new(Input::new(), Engine::new(codec)));
        decoder.codecs.extend(Some(codec).filter(|codec| *codec != Codec::Plain));
        decoder
    }

    /// Before any layer is put up.
    fn bare(reader: R, limits: DecodeLimits) -> Self {
        Self {
            reader,
            stages: Vec::new(),
            codecs: Vec::new(),
            http: None,
            limits,
            decoded: 0,
            expanded: 0,
            trailing: 0,
            was_cut_off: false,
            recovered: 0,
        }
    }

    /// Gets as much of `input` as tells what it is.
    fn fill(&mut self, input: &mut Input) {
        self.fill_behind(0, input);
    }

    /// The same, of what stands behind so many bytes of it.
    fn fill_behind(&mut self, skipped: usize, input: &mut Input) {
        while input.bytes().len() < skipped + PREFIX && !input.at_end() {
            input.fill(&mut self.reader, &mut self.stages, &self.limits);
        }
    }

    /// Puts up the layers for what begins in `input`, which comes out of the layers that are there.
    fn begin(&mut self, mut input: Input, name_hint: Option<&str>) {
        let outside = self.stages.iter().filter(|stage| stage.engine.expands()).count();
        // A response in the frames of another one is no response of its own: without this, layers would pile up.
        let framed = self.stages.iter().filter(|stage| matches!(stage.engine, Engine::Chunked(_))).count();
        let may_be_framed = framed <= outside;
        let mut codecs = Vec::new();
        let mut head: Option<HttpHead> = None;
        // How many codecs stand in front of the head, whether the body stands right behind it, and how long that is said to be.
        let (mut before_head, mut is_behind_head, mut length) = (0, false, None);
        loop {
            self.fill(&mut input);
            if head.is_none() {
                let parsed = loop {
                    match http::parse(input.bytes(), input.eof) {
                        Parsed::Partial if !input.at_end() => {
                            input.fill(&mut self.reader, &mut self.stages, &self.limits);
                        }
                        other => break other,
                    }
                };
                if let Parsed::Heads(heads) = parsed {
                    (before_head, is_behind_head, length) = (codecs.len(), true, said_length(&heads));
                    input.take(heads.length);
                    head = Some(heads.head);
                    self.fill(&mut input);
                    if input.eof && input.bytes().is_empty() {
                        // Alone it may answer a question for the head.
                        self.was_cut_off |= heads.owes_body && self.decoded > 0;
                        length = None;
                    }
                    if heads.chunked && may_be_framed && looks_chunked(input.bytes()) {
                        self.stages.push(Stage::new(input, Engine::Chunked(Chunked::new())));
                        input = Input::new();
                        is_behind_head = false;
                        continue;
                    }
                }
            }
            let hint = match &head {
                Some(head) if head.content_encoding.is_some() => head.hint(codecs.len() - before_head),
                _ if codecs.is_empty() => Hint::from_name(name_hint),
                _ => Hint::None,
            };
            let is_deepest = outside + codecs.len() >= self.limits.max_codecs;
            let codec = if is_deepest { Codec::Plain } else { sniff_as(input.bytes(), hint) };
            if codec == Codec::Plain {
                // What looked like a head behind something else, and is none, goes up to the next.
                let among = match (is_behind_head, codecs.is_empty() && self.decoded > 0) {
                    (true, _) => Some(Among::Body(0)),
                    (false, true) => Some(Among::Text(0)),
                    (false, false) => None,
                };
                self.stages.push(match among.filter(|_| length.is_none()) {
                    Some(among) => Stage::until_next(input, among),
                    None => Stage::plain(input, length),
                });
                self.http = self.http.take().or(head);
                // What the first stream is, the input is; where it gives nothing, the next one.
                if self.decoded == 0 && !codecs.is_empty() {
                    self.codecs.truncate(outside);
                    self.codecs.append(&mut codecs);
                }
                return;
            }
            // The codecs find out for themselves where they end, and when something is missing.
            (is_behind_head, length) = (false, None);
            self.stages.push(Stage::behind(self.expanded, input, Engine::new(codec)));
            input = Input::new();
            codecs.push(codec);
        }
    }

    /// Goes on with what stands behind the end of the data of the innermost layer that has more: another response, another
    /// stream, or text. What is none of them is given out as it is, up to the next of them: it may be what is left of one. Only
    /// remarks behind streams are ignored.
    fn goes_on(&mut self) -> bool {
        let Some(layer) = self.stages.iter().rposition(Stage::goes_on) else { return false };
        let was_plain = self.stages.len() == layer + 1 && matches!(self.stages[layer].engine, Engine::Pass);
        self.was_cut_off = self.is_cut_off();
        let Some(mut input) = self.leave(layer) else { return false };
        let padding = loop {
            let bytes = input.bytes();
            let mut padding =
                bytes.iter().take_while(|&&byte| byte == 0 || byte.is_ascii_whitespace()).count();
            // White space between texts is theirs.
            if !was_plain {
                self.ignore(&mut input, std::mem::take(&mut padding));
            }
            if input.bytes().len() >= padding + PREFIX || input.at_end() {
                break padding;
            }
            self.fill_behind(padding, &mut input);
        };
        let is_known = |bytes: &[u8]| looks_http(bytes) || sniff_as(bytes, Hint::None) != Codec::Plain;
        if !was_plain && !is_known(input.bytes()) {
            self.pass_remark(&mut input);
        }
        if is_known(&input.bytes()[padding..]) {
            self.ignore(&mut input, padding);
            self.begin(input, None);
        } else {
            let among = match input.bytes().first() {
                _ if was_plain => Among::Body(0),
                Some(b'{' | b'[') => Among::Text(0),
                _ => Among::Noise,
            };
            self.stages.push(Stage::until_next(input, among));
        }
        true
    }

    /// Goes on behind damage, with the next response or stream that shows itself by its head, and says whether there is one. What
    /// lies in between is passed over. To be called when [`read`](Self::read) told of the damage. Files of many damaged streams,
    /// less than 1 KiB each, are not gone through to their end.
    pub fn recover(&mut self) -> bool {
        let Self { reader, stages, limits, recovered, .. } = self;
        let Some(layer) = stages.iter().rposition(Stage::is_damaged) else { return false };
        let (below, gone) = stages.split_at_mut(layer);
        let input = &mut gone[0].input;
        if *recovered >= RECOVERED + input.taken / RECOVERED_EVERY {
            return false;
        }
        *recovered += 1;
        loop {
            match input.before_next(Among::Noise, usize::MAX) {
                Some(0) => break,
                Some(len) => input.take(len),
                None if input.eof && below.iter().any(Stage::goes_on) => {
                    // None up to the end of the framing, or of the stream around.
                    self.leave(layer);
                    return self.goes_on();
                }
                None if input.at_end() => return false,
                None => input.fill(reader, below, limits),
            }
        }
        if let Some(input) = self.leave(layer) {
            self.begin(input, None);
        }
        true
    }

    /// Passes over text in which no object begins, as some tools leave it behind a stream: nothing is lost with it.
    fn pass_remark(&mut self, input: &mut Input) {
        /// So far behind a bracket something begins, if it does.
        const AHEAD: usize = 64;
        let is_text = |byte: u8| matches!(byte, 0 | b'\t'..=b'\r' | 0x1a | b' '..=0xff);
        let mut last = b'\n';
        loop {
            // How much there is decides nothing.
            self.fill(input);
            let Some(len) = input.before_next(Among::Remark(last), usize::MAX) else { return };
            let (bytes, at_end) = (input.bytes(), input.at_end());
            let begins = |at: usize| match bytes[at] {
                b'{' => true,
                b'[' => {
                    let ahead = &bytes[at + 1..bytes.len().min(at + 1 + AHEAD)];
                    match ahead.trim_ascii_start().first() {
                        Some(byte) => matches!(byte, b'{' | b'['),
                        // It is looked at once more when more is there.
                        None => at > 0 && ahead.len() < AHEAD && !at_end,
                    }
                }
                byte => !is_text(byte),
            };
            let remark = (0..len).find(|&at| begins(at)).unwrap_or(len);
            if remark == 0 {
                return;
            }
            last = bytes[remark - 1];
            self.ignore(input, remark);
        }
    }

    /// Takes away a layer and all above it; what it did not read.
    fn leave(&mut self, layer: usize) -> Option<Input> {
        let gone = &self.stages[layer..];
        self.trailing += gone.iter().map(Stage::trailing).sum::<u64>();
        self.expanded += gone.iter().map(Stage::expanded).max().unwrap_or_default();
        self.stages.drain(layer..).next().map(|stage| stage.input)
    }

    /// Whether a body was shorter than its head says.
    fn is_cut_off(&self) -> bool {
        self.was_cut_off || self.stages.last().is_some_and(Stage::is_short)
    }

    /// Passes bytes of which nothing is read, and counts them.
    fn ignore(&mut self, input: &mut Input, len: usize) {
        input.take(len);
        self.trailing += len as u64;
    }

    /// Decodes into `out` and returns how many bytes were written; 0 is the clean end (or an empty `out`).
    ///
    /// # Errors
    ///
    /// The damage that was met, after everything before it was returned. It stays: reading on gives it again, unless something
    /// stands behind it to [go on](Self::recover) with.
    pub fn read(&mut self, out: &mut [u8]) -> Result<usize, CodecError> {
        if out.is_empty() {
            return Ok(0);
        }
        loop {
            match pull(&mut self.reader, &mut self.stages, &self.limits, out) {
                Ok(0) if self.goes_on() => {}
                Ok(0) if self.is_cut_off() => {
                    let failure = Failure { codec: Codec::Plain, kind: CodecErrorKind::Truncated, io: None };
                    return Err(locate(failure, self.compressed_bytes(), self.decoded));
                }
                Ok(n) => {
                    self.decoded += n as u64;
                    return Ok(n);
                }
                Err(failure) => return Err(locate(failure, self.compressed_bytes(), self.decoded)),
            }
        }
    }

    /// The outermost codec.
    pub fn codec(&self) -> Codec {
        self.codecs.first().copied().unwrap_or(Codec::Plain)
    }

    /// The codecs from the outside in, without the plain text at the end; empty for plain input.
    pub fn codecs(&self) -> &[Codec] {
        &self.codecs
    }

    /// How many layers there are, framing and the text at the end among them.
    #[cfg(test)]
    pub(super) fn layers(&self) -> usize {
        self.stages.len()
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
        self.trailing + self.stages.iter().map(Stage::trailing).sum::<u64>()
    }

    /// What the HTTP heads in front of the body say, if there are any.
    pub fn http(&self) -> Option<&HttpHead> {
        self.http.as_ref()
    }
}

/// How long the body is by the length that its head states. What a tool decoded when it saved it has another length, and what is
/// framed in chunks has none.
fn said_length(heads: &Heads) -> Option<u64> {
    let coding = heads.head.content_encoding.as_deref();
    let is_coded = coding.is_some_and(|name| !name.eq_ignore_ascii_case("identity"));
    heads.content_length.filter(|_| !heads.chunked && !is_coded)
}

fn locate(failure: Failure, compressed: u64, decoded: u64) -> CodecError {
    let Failure { codec, kind, io } = failure;
    debug_assert_eq!(io.is_some(), kind == CodecErrorKind::Read, "only a failed read has a cause");
    CodecError { codec, kind, compressed, decoded, io }
}
