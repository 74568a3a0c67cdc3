//! Times as the platform writes them: ISO 8601, UTC, milliseconds.

use jiff::Timestamp;

/// A time that was read, in microseconds since 1970 UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ParsedTime {
    /// Microseconds since 1970-01-01T00:00:00Z.
    pub micros: i64,
    /// Whether [`write_timestamp`] gives back exactly the text that was read.
    pub canonical: bool,
}

/// Reads a time: `2025-09-01T12:17:38.824Z` fast, and any other ISO 8601 form with an offset that has a meaning.
///
/// A date without a time, or a time without an offset, is read as UTC. `None` where the text is no time, or
/// [none for a table](is_timestamp).
///
/// ```
/// let time = korpus_core::parse_timestamp("2025-09-01T12:17:38.824Z").unwrap();
/// assert_eq!((time.micros, time.canonical), (1_756_729_058_824_000, true));
/// assert!(!korpus_core::parse_timestamp("2025-09-01T14:17:38.824+02:00").unwrap().canonical);
/// assert_eq!(korpus_core::parse_timestamp("2025-02-30T00:00:00.000Z"), None);
/// ```
pub fn parse_timestamp(text: &str) -> Option<ParsedTime> {
    let time = if let Some(micros) = parse_canonical(text.as_bytes()) {
        ParsedTime { micros, canonical: true }
    } else if let Ok(time) = text.parse::<Timestamp>() {
        ParsedTime { micros: time.as_microsecond(), canonical: false }
    } else {
        let time = text.parse::<jiff::civil::DateTime>().ok()?.to_zoned(jiff::tz::TimeZone::UTC).ok()?;
        ParsedTime { micros: time.timestamp().as_microsecond(), canonical: false }
    };
    is_timestamp(time.micros).then_some(time)
}

/// Whether a time, in microseconds since 1970, lies in the years 1 to 9999. Columns of times hold no others: Python, for one,
/// cannot show them.
///
/// ```
/// assert!(korpus_core::is_timestamp(253_402_300_799_999_999));
/// assert!(!korpus_core::is_timestamp(253_402_300_800_000_000));
/// ```
pub fn is_timestamp(micros: i64) -> bool {
    /// 0001-01-01T00:00:00Z.
    const FIRST: i64 = -62_135_596_800_000_000;
    /// 9999-12-31T23:59:59.999999Z.
    const LAST: i64 = 253_402_300_799_999_999;
    (FIRST..=LAST).contains(&micros)
}

/// Appends a time in the platform's form: UTC, milliseconds (finer parts are cut off).
///
/// Times outside the years 0 to 9999 are written with jiff's signed years.
pub fn write_timestamp(micros: i64, out: &mut String) {
    let millis = micros.div_euclid(1000);
    let (day, ms) = (millis.div_euclid(86_400_000), millis.rem_euclid(86_400_000));
    let (year, month, date) = civil_from_days(day);
    if !(0..=9999).contains(&year) {
        if let Ok(time) = Timestamp::from_microsecond(micros) {
            out.push_str(&time.to_string());
        }
        return;
    }
    let mut push = |value: i64, width: u32, after: char| {
        for place in (0..width).rev() {
            out.push(char::from(b'0' + (value / 10_i64.pow(place) % 10) as u8));
        }
        out.push(after);
    };
    push(year, 4, '-');
    push(month, 2, '-');
    push(date, 2, 'T');
    push(ms / 3_600_000, 2, ':');
    push(ms / 60_000 % 60, 2, ':');
    push(ms / 1000 % 60, 2, '.');
    push(ms % 1000, 3, 'Z');
}

/// Appends a day, given as days since 1970-01-01: `2025-09-01`. Years past 9999 have more digits, those before 0 a sign.
///
/// ```
/// let mut day = String::new();
/// korpus_core::write_date(20_332, &mut day);
/// assert_eq!((day.as_str(), korpus_core::parse_date(&day)), ("2025-09-01", Some(20_332)));
/// ```
pub fn write_date(days: i32, out: &mut String) {
    use std::fmt::Write as _;

    let (year, month, day) = civil_from_days(i64::from(days));
    let sign = if year < 0 { "-" } else { "" };
    // Writing to a string does not fail.
    let _ = write!(out, "{sign}{:04}-{month:02}-{day:02}", year.unsigned_abs());
}

/// Reads a day as [`write_date`] writes it; `None` where it wrote something else.
pub fn parse_date(text: &str) -> Option<i32> {
    let (rest, day) = text.rsplit_once('-')?;
    let (year, month) = rest.rsplit_once('-')?;
    let month = month.parse().ok().filter(|month| (1..=12).contains(month))?;
    let days = days_from_civil(year.parse().ok()?, month, day.parse().ok()?);
    let days = i32::try_from(days).ok()?;
    let mut again = String::new();
    write_date(days, &mut again);
    (again == text).then_some(days)
}

/// Eight bytes of the form: what stands at the digits counts from 0, what stands at the separators is 0, if they are right.
/// A byte is wrong where adding the bound of its place carries into its highest bit.
const fn eight(form: [u8; 8]) -> (u64, u64) {
    let (mut zero, mut bound) = (form, [0x7f; 8]);
    let mut at = 0;
    while at < 8 {
        if form[at].is_ascii_alphabetic() && form[at].is_ascii_lowercase() {
            (zero[at], bound[at]) = (b'0', 0x7f - 9);
        }
        at += 1;
    }
    (u64::from_le_bytes(zero), u64::from_le_bytes(bound))
}

/// The form of a canonical time, eight bytes at a time; small letters stand for digits.
const FORM: [(u64, u64); 3] = [eight(*b"yyyy-mm-"), eight(*b"ddThh:mm"), eight(*b":ss.fffZ")];

/// `YYYY-MM-DDTHH:MM:SS.mmmZ` and nothing else, as microseconds.
#[inline]
fn parse_canonical(text: &[u8]) -> Option<i64> {
    let text: &[u8; 24] = text.try_into().ok()?;
    let (words, _) = text.as_chunks::<8>();
    let mut wrong = 0;
    let parts: [u64; 3] = std::array::from_fn(|index| {
        let (zero, bound) = FORM[index];
        let word = u64::from_le_bytes(words[index]) ^ zero;
        wrong |= word.wrapping_add(bound) | word;
        word
    });
    if wrong & 0x8080_8080_8080_8080 != 0 {
        return None;
    }
    // Every byte times ten and the next one: in the places where two digits stand these are their numbers, below 100.
    let byte = |word: u64, at: u32| i64::from((word >> (8 * at)) as u8);
    let pairs = parts.map(|word| word.wrapping_mul(10).wrapping_add(word >> 8));
    let [first, second, third] = pairs;
    let (year, month) = (byte(first, 0) * 100 + byte(first, 2), byte(first, 5));
    let (day, hour, minute) = (byte(second, 0), byte(second, 3), byte(second, 6));
    let (seconds, ms) = (byte(third, 1), byte(third, 4) * 10 + byte(parts[2], 6));
    if !(1..=12).contains(&month) || hour > 23 || minute > 59 || seconds > 59 {
        return None;
    }
    if day < 1 || day > 28 && day > days_in_month(year, month) {
        return None;
    }
    let seconds = days_from_civil(year, month, day) * 86_400 + hour * 3600 + minute * 60 + seconds;
    Some((seconds * 1000 + ms) * 1000)
}

fn days_in_month(year: i64, month: i64) -> i64 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days since 1970-01-01 in the proleptic Gregorian calendar. Years begin in March here, so that a leap day ends one.
#[inline]
fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    /// Days before each month, counted from the first of March.
    const BEFORE: [i64; 12] = [306, 337, 0, 31, 61, 92, 122, 153, 184, 214, 245, 275];
    /// From 0000-03-01 to 1970-01-01.
    const EPOCH: i64 = 719_468;
    let year = if month <= 2 { year - 1 } else { year };
    let centuries = year.div_euclid(100);
    let leap_days = (year >> 2) - centuries + (centuries >> 2);
    year * 365 + leap_days + BEFORE[(month - 1) as usize] + day - 1 - EPOCH
}

/// Year, month and day of a day since 1970-01-01: the inverse of [`days_from_civil`].
fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn odd_forms_are_read_but_not_canonical() {
        for (text, micros) in [
            ("2025-09-01T12:17:41Z", Some(1_756_729_061_000_000)),
            ("2025-09-01T12:17:41.5Z", Some(1_756_729_061_500_000)),
            ("2025-09-01t12:17:41.824z", Some(1_756_729_061_824_000)),
            ("2025-09-01T14:17:41.824+02:00", Some(1_756_729_061_824_000)),
            ("2025-09-01T12:17:41.824123Z", Some(1_756_729_061_824_123)),
            ("2025-09-01", Some(1_756_684_800_000_000)),
            ("2025-09-01T12:17:61.824Z", None),
            ("2025-13-01T12:17:41.824Z", None),
            ("0000-12-31T23:59:59.999Z", None),
            ("0001-01-01T00:30:00+01:00", None),
            ("0001-01-01T00:00:00Z", Some(-62_135_596_800_000_000)),
            ("-000001-01-01T00:00:00Z", None),
            ("yesterday", None),
            ("", None),
        ] {
            let time = parse_timestamp(text);
            assert_eq!(time.map(|time| time.micros), micros, "{text}");
            assert!(time.is_none_or(|time| !time.canonical), "{text}");
        }
    }

    proptest! {
        #[test]
        fn canonical_times_agree_with_jiff(ms in -62_135_596_800_000_i64..253_402_207_200_000) {
            let mut text = String::new();
            write_timestamp(ms * 1000, &mut text);
            prop_assert_eq!(parse_timestamp(&text), Some(ParsedTime { micros: ms * 1000, canonical: true }));
            prop_assert_eq!(text.parse::<Timestamp>().unwrap().as_microsecond(), ms * 1000);
        }

        #[test]
        fn days_are_read_back(days in any::<i32>(), text in "-?[0-9]{4,5}-[0-9]{1,2}-[0-9]{1,2}") {
            let mut day = String::new();
            write_date(days, &mut day);
            prop_assert_eq!(parse_date(&day), Some(days));
            if let Some(days) = parse_date(&text) {
                let mut again = String::new();
                write_date(days, &mut again);
                prop_assert_eq!(again, text);
            }
        }

        #[test]
        fn what_is_taken_as_canonical_prints_back(text in "[0-9]{4}-[0-1][0-9]-[0-3][0-9]T[0-2][0-9]:[0-6][0-9]:[0-6][0-9]\\.[0-9]{3}Z") {
            let time = parse_timestamp(&text);
            if let Some(ParsedTime { micros, canonical: true }) = time {
                let mut printed = String::new();
                write_timestamp(micros, &mut printed);
                prop_assert_eq!(&printed, &text);
            }
            // jiff reads the second 60 as 59; everything else it must judge the same way.
            if &text[17..19] != "60" {
                let expected = text.parse::<Timestamp>().ok().map(jiff::Timestamp::as_microsecond);
                prop_assert_eq!(time.map(|t| t.micros), expected.filter(|&micros| is_timestamp(micros)));
            }
        }
    }
}
