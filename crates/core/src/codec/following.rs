//! What else begins among bytes whose length nobody said: the head of another response, or a stream.

use super::http::{HTTP, first_line, is_status_line};
use super::{gzip, zstd};

/// The longest status line that is looked for.
pub(super) const STATUS_LINE: usize = 128;

/// What is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Following {
    /// Nothing.
    No,
    /// Something may begin there: more bytes are needed to tell.
    Perhaps(usize),
    /// Something begins there.
    At(usize),
}

impl Following {
    /// The one of both that comes first.
    pub(super) fn or_before(self, other: Self) -> Self {
        let place = |following: &Self| match *following {
            Self::No => usize::MAX,
            Self::Perhaps(at) | Self::At(at) => at,
        };
        std::cmp::min_by_key(self, other, place)
    }
}

/// What something else may begin among; with the byte before, where that is text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Among {
    /// A body, or an archive, behind a head or behind other text: another head may follow.
    Body(u8),
    /// Text behind a stream: another head may follow, or another stream, behind a line or a JSON value.
    Text(u8),
    /// The same, where streams may begin anywhere.
    Remark(u8),
    /// What is no text.
    Noise,
}

impl Among {
    /// The same behind a byte.
    pub(super) fn behind(self, last: u8) -> Self {
        match self {
            Self::Body(_) => Self::Body(last),
            Self::Text(_) => Self::Text(last),
            Self::Remark(_) => Self::Remark(last),
            Self::Noise => Self::Noise,
        }
    }

    /// Whether a head may begin at a place: in text behind the end of a line or of a JSON value, as no string of JSON holds the
    /// line break that ends a status line.
    fn has_heads(self, bytes: &[u8], at: usize) -> bool {
        match self {
            Self::Body(last) | Self::Text(last) | Self::Remark(last) => {
                matches!(at.checked_sub(1).map_or(last, |before| bytes[before]), b'\n' | b'}' | b']')
            }
            Self::Noise => true,
        }
    }

    /// Whether a stream may begin there: in a body none does.
    fn has_streams(self, bytes: &[u8], at: usize) -> bool {
        match self {
            Self::Body(_) => false,
            Self::Text(_) => self.has_heads(bytes, at),
            Self::Remark(_) | Self::Noise => true,
        }
    }
}

/// Looks for a status line.
pub(super) fn head_in(bytes: &[u8], among: Among) -> Following {
    let is_place = |at: usize| among.has_heads(bytes, at);
    for at in memchr::memmem::find_iter(bytes, HTTP).filter(|&at| is_place(at)) {
        let line = &bytes[at..bytes.len().min(at + STATUS_LINE)];
        match line.iter().position(|&byte| byte == b'\n') {
            Some(_) if is_status_line(first_line(line)) => return Following::At(at),
            None if line.len() < STATUS_LINE => return Following::Perhaps(at),
            _ => {}
        }
    }
    begun(bytes, HTTP, is_place)
}

/// Looks for the magic number of a stream.
pub(super) fn stream_in(bytes: &[u8], among: Among) -> Following {
    let is_place = |at: usize| among.has_streams(bytes, at);
    let first = |magic: &[u8]| {
        let whole = memchr::memmem::find_iter(bytes, magic).find(|&at| is_place(at));
        whole.map_or_else(|| begun(bytes, magic, is_place), Following::At)
    };
    match among {
        // Where none begins, none is searched for.
        Among::Body(_) => Following::No,
        _ => first(&gzip::MAGIC).or_before(first(&zstd::MAGIC)),
    }
}

/// Whether the bytes end with the beginning of a mark.
fn begun(bytes: &[u8], mark: &[u8], is_place: impl Fn(usize) -> bool) -> Following {
    let mut starts = (1..mark.len()).rev().filter_map(|len| bytes.len().checked_sub(len));
    let first = starts.find(|&at| is_place(at) && mark.starts_with(&bytes[at..]));
    first.map_or(Following::No, Following::Perhaps)
}
