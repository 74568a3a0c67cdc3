//! Bits and small numbers as Parquet writes them: varints, packed bits, and the hybrid of runs and packed bits.

/// Groups of eight values in one packed run: with so many, its header is one byte.
const MOST_GROUPS: usize = 63;

/// How many bits the numbers up to `most` take.
pub(super) fn width_of(most: u64) -> u32 {
    u64::BITS - most.leading_zeros()
}

/// Writes an unsigned number, seven bits a byte, the lowest first.
pub(super) fn put_varint(mut value: u64, out: &mut Vec<u8>) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// Writes a signed number so that small ones of both signs are short.
pub(super) fn put_zigzag(value: i64, out: &mut Vec<u8>) {
    put_varint(((value << 1) ^ (value >> 63)) as u64, out);
}

/// Writes `values`, each in `width` bits, the lowest bits first; the last byte is filled up with zeros.
pub(super) fn put_packed(values: impl Iterator<Item = u64>, width: u32, out: &mut Vec<u8>) {
    let (mut bits, mut filled) = (0_u64, 0);
    for value in values {
        bits |= value << filled;
        filled += width;
        if filled >= 64 {
            out.extend_from_slice(&bits.to_le_bytes());
            filled -= 64;
            // What there was no room for.
            bits = if filled > 0 { value >> (width - filled) } else { 0 };
        }
    }
    out.extend_from_slice(&bits.to_le_bytes()[..filled.div_ceil(8) as usize]);
}

/// Writes `values` of `width` bits as Parquet's hybrid: a value that stands eight times or more is written once, the others
/// are packed in groups of eight.
pub(super) fn put_hybrid<T: Copy + PartialEq + Into<u64>>(values: &[T], width: u32, out: &mut Vec<u8>) {
    let mut at = 0;
    while at < values.len() {
        let run = run(&values[at..]);
        if run >= 8 || run == values.len() - at {
            put_varint((run as u64) << 1, out);
            let value: u64 = values[at].into();
            out.extend_from_slice(&value.to_le_bytes()[..width.div_ceil(8) as usize]);
            at += run;
            continue;
        }
        let start = at;
        let mut groups = 0;
        while at < values.len() && groups < MOST_GROUPS && !starts_run(&values[at..]) {
            at += 8;
            groups += 1;
        }
        put_varint((groups as u64) << 1 | 1, out);
        let packed = &values[start..at.min(values.len())];
        let padding = std::iter::repeat_n(0, groups * 8 - packed.len());
        put_packed(packed.iter().map(|&value| value.into()).chain(padding), width, out);
    }
}

/// How often the first value stands at the start.
fn run<T: Copy + PartialEq>(values: &[T]) -> usize {
    const MANY: usize = 64;
    // Most columns say the same of thousands of rows, if only that they have nothing to say.
    let many = values.chunks_exact(MANY).take_while(|many| are_all(many, values[0])).count() * MANY;
    let rest = &values[many..];
    many + rest.iter().position(|value| *value != values[0]).unwrap_or(rest.len())
}

/// Whether eight equal values stand at the start.
fn starts_run<T: Copy + PartialEq>(values: &[T]) -> bool {
    values.first_chunk::<8>().is_some_and(|eight| are_all(eight, eight[0]))
}

/// Whether all are this one. Looks at all of them, many at once.
fn are_all<T: Copy + PartialEq>(values: &[T], one: T) -> bool {
    values.iter().fold(0, |others, value| others | u8::from(*value != one)) == 0
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Reads the hybrid by its definition, bit by bit.
    fn read_hybrid(mut bytes: &[u8], width: u32, count: usize) -> Vec<u64> {
        let mut values = Vec::new();
        while values.len() < count {
            let (mut header, mut shift) = (0_u64, 0);
            loop {
                let byte = bytes[0];
                bytes = &bytes[1..];
                header |= u64::from(byte & 0x7f) << shift;
                shift += 7;
                if byte & 0x80 == 0 {
                    break;
                }
            }
            let bit = |bytes: &[u8], at: usize| u64::from(bytes[at / 8] >> (at % 8) & 1);
            let value =
                |bytes: &[u8], from: usize| (0..width as usize).fold(0, |v, i| v | bit(bytes, from + i) << i);
            if header & 1 == 0 {
                let taken = width.div_ceil(8) as usize;
                values.extend(std::iter::repeat_n(value(bytes, 0), (header >> 1) as usize));
                bytes = &bytes[taken..];
            } else {
                let taken = (header >> 1) as usize * width as usize;
                values.extend((0..(header >> 1) as usize * 8).map(|n| value(bytes, n * width as usize)));
                bytes = &bytes[taken..];
            }
        }
        assert!(bytes.is_empty());
        assert!(values[count..].iter().all(|&padding| padding == 0));
        values.truncate(count);
        values
    }

    proptest! {
        #[test]
        fn the_hybrid_reads_back(
            runs in prop::collection::vec((any::<u32>(), prop_oneof![10 => 1..40_usize, 1 => 40..400_usize]), 0..60), width in 1..=32_u32,
        ) {
            let values: Vec<u32> = runs.iter()
                .flat_map(|&(value, times)| std::iter::repeat_n((u64::from(value) & ((1 << width) - 1)) as u32, times))
                .collect();
            let mut out = Vec::new();
            put_hybrid(&values, width, &mut out);
            let wanted: Vec<u64> = values.iter().map(|&value| value.into()).collect();
            prop_assert_eq!(read_hybrid(&out, width, values.len()), wanted);
        }
    }

    #[test]
    fn long_runs_are_short() {
        let mut out = Vec::new();
        put_hybrid(&[1_u8; 1000], 1, &mut out);
        assert_eq!(out, [0xd0, 0x0f, 1]);
        assert_eq!([0, 1, 2, 255, 256].map(width_of), [0, 1, 2, 8, 9]);
    }
}
