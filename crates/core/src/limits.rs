//! The bounds that keep hostile input from costing more than its size.

/// What one body, message or rejected span may cost. Every bound can be set; the defaults suit real dumps.
///
/// A streamed body has no size limit: memory follows the largest message, never the body.
///
/// ```
/// let limits = korpus_core::Limits { message_bytes: 1 << 20, ..Default::default() };
/// assert_eq!(limits.depth, 128);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Largest message or record, in bytes of decoded JSON; a larger one is rejected. At most 64 MiB, the default.
    pub message_bytes: usize,
    /// Deepest nesting of arrays and objects inside a message, counting the message itself.
    pub depth: usize,
    /// Largest value of an envelope key other than the array of messages, in bytes.
    pub envelope_value_bytes: usize,
    /// How many raw bytes of one rejected span are kept; offset, length and hash of it are always kept.
    pub reject_bytes: usize,
    /// Bytes of whole messages after which a [`Block`](crate::Block) is cut.
    pub block_bytes: usize,
    /// Largest accepted quotient of decoded and compressed bytes, past [`Limits::ratio_floor`]: real dumps stay below
    /// 50, a bomb is near 1,000.
    pub ratio: u64,
    /// Decoded bytes below which the ratio is not looked at.
    pub ratio_floor: u64,
    /// Largest body that is inflated whole, in decoded bytes; larger ones stream.
    pub whole_bytes: usize,
    /// Most values of one template that are taken apart, 56 bytes of memory each; past it, containers stay whole.
    pub template_nodes: usize,
    /// How often the payload of a template may be a string that holds the next one.
    pub template_decodings: usize,
    /// How many members of one archive are looked at.
    pub archive_members: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            message_bytes: 64 << 20,
            depth: 128,
            envelope_value_bytes: 1 << 20,
            reject_bytes: 1 << 20,
            block_bytes: 256 << 10,
            ratio: 500,
            ratio_floor: 64 << 20,
            whole_bytes: 64 << 20,
            template_nodes: 1 << 19,
            template_decodings: 4,
            archive_members: 1 << 20,
        }
    }
}
