//! One input from any reader: codec and page parser together.

use std::io::Read;

use crate::block::Block;
use crate::codec::{CodecErrorKind, DecodeLimits, Decoder};
use crate::error::Error;
use crate::limits::Limits;
use crate::page::{InputEnd, PageParser};

/// Bytes decoded at a time: small enough for the second-level cache.
const WINDOW: usize = 256 << 10;

/// Reads the blocks of one input, whatever it is encoded in, in bounded memory.
///
/// Damage ends the input early and is told by the last page's end; only failures to read are errors.
///
/// ```
/// use std::io::Write;
///
/// use korpus_core::PageReader;
///
/// # let mut file = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
/// # file.write_all(br#"{"total":1,"messages":[{"_id":"ms-1","type":"incoming","createdOn":"2025-09-01T12:17:38.824Z","components":[{"cT":"text","data":{"text":"pay bill"}}]}]}"#)?;
/// # let file = file.finish()?;
/// let mut reader = PageReader::new(&file[..], Some("page.json.gz"))?; // or a `File`
/// let mut text = String::new();
/// while let Some(block) = reader.next_block()? {
///     for message in block.messages() {
///         text.clear();
///         for component in message.components() {
///             component.data_text().map(|data| data.decode_into(&mut text));
///         }
///         assert_eq!((message.message_type().and_then(|t| t.plain()), &*text), (Some("incoming"), "pay bill"));
///     }
///     for page in block.pages() {
///         if let Some(end) = &page.end {
///             assert_eq!((end.status.as_str(), end.envelope.total), ("ok", Some(1)));
///         }
///     }
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct PageReader<R> {
    decoder: Decoder<R>,
    parser: PageParser,
    current: Option<Block>,
    ended: bool,
}

impl<R> std::fmt::Debug for PageReader<R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "PageReader({:?})", self.parser)
    }
}

impl<R: Read> PageReader<R> {
    /// A reader of `input`; its name helps to know codecs without a magic number.
    ///
    /// # Errors
    /// Where the first bytes cannot be read.
    pub fn new(input: R, name: Option<&str>) -> Result<Self, Error> {
        Self::with_limits(input, name, Limits::default())
    }

    /// A reader with other limits.
    ///
    /// # Errors
    /// Where the first bytes cannot be read.
    pub fn with_limits(input: R, name: Option<&str>, limits: Limits) -> Result<Self, Error> {
        let decode = DecodeLimits::from(&limits);
        Ok(Self {
            decoder: Decoder::new(input, name, decode)?,
            parser: PageParser::new(limits),
            current: None,
            ended: false,
        })
    }

    /// The next block, lent until the one after it is asked for.
    ///
    /// # Errors
    /// Where the input cannot be read. Damaged input is no error here: it ends the last page as partial.
    pub fn next_block(&mut self) -> Result<Option<&Block>, Error> {
        if let Some(used) = self.current.take() {
            self.parser.recycle(used);
        }
        loop {
            if let Some(block) = self.parser.next_block() {
                return Ok(Some(self.current.insert(block)));
            }
            if self.ended {
                return Ok(None);
            }
            match self.decoder.read(self.parser.space(WINDOW)) {
                Ok(0) => self.end(InputEnd::Complete),
                Ok(read) => self.parser.advance(read),
                Err(error) => match error.kind() {
                    CodecErrorKind::Read => return Err(error.into()),
                    kind => self.end(kind.into()),
                },
            }
        }
    }

    fn end(&mut self, end: InputEnd) {
        self.ended = true;
        self.parser.finish(end);
    }

    /// What the input is encoded in, and how much of it was read.
    pub fn decoder(&self) -> &Decoder<R> {
        &self.decoder
    }
}

impl From<CodecErrorKind> for InputEnd {
    fn from(kind: CodecErrorKind) -> Self {
        match kind {
            CodecErrorKind::Truncated => Self::Truncated,
            CodecErrorKind::RatioExceeded => Self::RatioExceeded,
            _ => Self::Corrupt,
        }
    }
}
