//! Identifiers and timestamps in the platform's formats, appended to a byte buffer.

use crate::rng::mix;

const HEX: &[u8; 16] = b"0123456789abcdef";

/// Appends the lowest `digits` hexadecimal digits of `value`.
pub(crate) fn hex(out: &mut Vec<u8>, value: u64, digits: u32) {
    for at in (0..digits).rev() {
        out.push(HEX[((value >> (4 * at)) & 15) as usize]);
    }
}

/// Appends a version 5 UUID, as message, component, bot and user ids carry them.
pub(crate) fn uuid(out: &mut Vec<u8>, of: u64) {
    let (a, b) = (mix(of, 11), mix(of, 12));
    hex(out, a >> 32, 8);
    out.push(b'-');
    hex(out, a >> 16, 4);
    out.push(b'-');
    hex(out, (a & 0x0fff) | 0x5000, 4);
    out.push(b'-');
    hex(out, (b >> 48) & 0x3fff | 0x8000, 4);
    out.push(b'-');
    hex(out, b, 12);
}

/// An identifier with a prefix: `ms-`, `cp-`, `st-`, `u-`, `o-`, `cs-`, `frm-`, …
pub(crate) fn prefixed(out: &mut Vec<u8>, prefix: &str, of: u64) {
    out.extend_from_slice(prefix.as_bytes());
    uuid(out, of);
}

/// A conversation id: `c-` and a UUID whose first group has seven digits, as the platform writes it.
pub(crate) fn conversation(out: &mut Vec<u8>, of: u64) {
    let start = out.len();
    prefixed(out, "c-", of);
    out.remove(start + 2);
}

/// An `ObjectId`: four bytes of seconds, eight of anything.
pub(crate) fn object_id(out: &mut Vec<u8>, seconds: i64, of: u64) {
    hex(out, seconds as u64, 8);
    hex(out, mix(of, 13), 16);
}

/// Appends an ISO-8601 UTC timestamp with milliseconds.
pub(crate) fn iso(out: &mut Vec<u8>, ms: i64) {
    date(out, ms.div_euclid(86_400_000));
    let of_day = ms.rem_euclid(86_400_000);
    out.push(b'T');
    digits(out, of_day / 3_600_000, 2);
    out.push(b':');
    digits(out, of_day / 60_000 % 60, 2);
    out.push(b':');
    digits(out, of_day / 1000 % 60, 2);
    out.push(b'.');
    digits(out, of_day % 1000, 3);
    out.push(b'Z');
}

/// Appends `YYYY-MM-DD` for a number of days since 1970-01-01 (proleptic Gregorian calendar).
pub(crate) fn date(out: &mut Vec<u8>, days: i64) {
    // Years start in March here, so that the leap day is the last of its year.
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let of_era = shifted.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_index = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month_index + 2) / 5 + 1;
    let month = if month_index < 10 { month_index + 3 } else { month_index - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    digits(out, year, 4);
    out.push(b'-');
    digits(out, month, 2);
    out.push(b'-');
    digits(out, day, 2);
}

fn digits(out: &mut Vec<u8>, value: i64, width: u32) {
    for at in (0..width).rev() {
        out.push(b'0' + (value / 10_i64.pow(at) % 10) as u8);
    }
}

/// Appends a decimal integer.
pub(crate) fn int(out: &mut Vec<u8>, value: i64) {
    let mut buffer = [0_u8; 20];
    let mut at = buffer.len();
    let mut rest = value.unsigned_abs();
    loop {
        at -= 1;
        buffer[at] = b'0' + (rest % 10) as u8;
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    if value < 0 {
        out.push(b'-');
    }
    out.extend_from_slice(&buffer[at..]);
}

#[cfg(test)]
mod tests {
    use super::{conversation, date, int, iso, object_id, uuid};

    fn text(write: impl FnOnce(&mut Vec<u8>)) -> String {
        let mut out = Vec::new();
        write(&mut out);
        String::from_utf8(out).expect("ids are ASCII")
    }

    #[test]
    fn timestamps_match_known_ones() {
        assert_eq!(text(|o| iso(o, 1_756_729_058_824)), "2025-09-01T12:17:38.824Z");
        assert_eq!(text(|o| iso(o, -1)), "1969-12-31T23:59:59.999Z");
        assert_eq!(text(|o| date(o, 19_782)), "2024-02-29");
        assert_eq!(text(|o| int(o, i64::MIN)), "-9223372036854775808");
    }

    #[test]
    fn ids_have_the_platforms_lengths() {
        let id = text(|o| uuid(o, 7));
        assert_eq!((id.len(), &id[14..15]), (36, "5"));
        assert_eq!(text(|o| conversation(o, 7)).len(), 37);
        assert!(text(|o| object_id(o, 0x68b5_8ee2, 1)).starts_with("68b58ee2"));
    }
}
