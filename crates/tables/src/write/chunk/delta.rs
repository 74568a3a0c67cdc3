//! Integers as the differences of neighbours: Parquet's `DELTA_BINARY_PACKED`.

use super::bits::{put_packed, put_varint, put_zigzag, width_of};

/// Differences of one block, which share their least one.
const BLOCK: usize = 128;
/// Parts of a block, which have widths of their own.
const MINIBLOCKS: usize = 4;
const MINIBLOCK: usize = BLOCK / MINIBLOCKS;

/// An integer whose differences are taken in its own width, overflow and all, as readers add them up.
pub(super) trait Integer: Copy + Ord + Default + Into<i64> {
    fn minus(self, other: Self) -> Self;
    /// The distance from `least`, which is not greater.
    fn above(self, least: Self) -> u64;
}

impl Integer for i32 {
    fn minus(self, other: Self) -> Self {
        self.wrapping_sub(other)
    }

    fn above(self, least: Self) -> u64 {
        u64::from(self.wrapping_sub(least).cast_unsigned())
    }
}

impl Integer for i64 {
    fn minus(self, other: Self) -> Self {
        self.wrapping_sub(other)
    }

    fn above(self, least: Self) -> u64 {
        self.wrapping_sub(least).cast_unsigned()
    }
}

/// Writes all of `values`.
pub(super) fn put_delta<T: Integer>(values: &[T], out: &mut Vec<u8>) {
    put_varint(BLOCK as u64, out);
    put_varint(MINIBLOCKS as u64, out);
    put_varint(values.len() as u64, out);
    let Some((&first, rest)) = values.split_first() else {
        put_zigzag(0, out);
        return;
    };
    put_zigzag(first.into(), out);
    let mut before = first;
    let mut deltas = [T::default(); BLOCK];
    for block in rest.chunks(BLOCK) {
        for (delta, &value) in deltas.iter_mut().zip(block) {
            *delta = value.minus(before);
            before = value;
        }
        let deltas = &deltas[..block.len()];
        let least = deltas.iter().copied().min().unwrap_or_default();
        put_zigzag(least.into(), out);
        let widths = out.len();
        out.extend_from_slice(&[0; MINIBLOCKS]);
        for (index, part) in deltas.chunks(MINIBLOCK).enumerate() {
            let most = part.iter().fold(0, |all, delta| all | delta.above(least));
            let width = width_of(most);
            out[widths + index] = width as u8;
            if width > 0 {
                let padding = std::iter::repeat_n(0, MINIBLOCK - part.len());
                put_packed(part.iter().map(|delta| delta.above(least)).chain(padding), width, out);
            }
        }
    }
}
