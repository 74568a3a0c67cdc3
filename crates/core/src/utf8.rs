//! The one place where bytes that were validated before become a `str` without being looked at again.

/// `bytes` as text. They must lie inside a message that the page parser accepted, and begin and end between characters:
/// spans of the scanner do, as they are bounded by ASCII bytes.
#[inline(always)]
#[allow(unsafe_code, reason = "every accepted message was validated as a whole")]
pub(crate) fn validated(bytes: &[u8]) -> &str {
    debug_assert!(std::str::from_utf8(bytes).is_ok());
    // SAFETY: the page parser runs `simdutf8` over every message and record before it enters a block, spans reach views
    // only from there, and the text of a block is never changed while it holds spans.
    unsafe { std::str::from_utf8_unchecked(bytes) }
}
