//! Times: what jiff reads, and what prints back.

use jiff::Timestamp;
use jiff::civil::DateTime;
use korpus_core::{is_timestamp, parse_timestamp, write_timestamp};

/// Reads `data` as a time, and its first eight bytes as one to write.
///
/// # Panics
/// If jiff reads something else, or a canonical time does not print back.
pub fn date(data: &[u8]) {
    if let Ok(text) = std::str::from_utf8(data) {
        read(text);
    }
    if let Some(bytes) = data.first_chunk::<8>() {
        write(i64::from_le_bytes(*bytes));
        write(i64::from_le_bytes(*bytes) >> 8);
    }
}

fn read(text: &str) {
    // Without its offset a time is read as UTC, and so are the last two days of 9999, which are no instants for jiff.
    let civil = || text.strip_suffix('Z').unwrap_or(text).parse::<DateTime>();
    let expected = match text.parse::<Timestamp>() {
        Ok(time) => Some(time.as_microsecond()),
        Err(_) => civil().ok().map(|time| {
            let day = time.date().since(jiff::civil::date(1970, 1, 1)).expect("days between dates");
            let seconds = (i128::from(day.get_days()) * 24 + i128::from(time.hour())) * 3600
                + i128::from(time.minute()) * 60
                + i128::from(time.second());
            // Towards zero, as jiff does.
            let nanos = seconds * 1_000_000_000 + i128::from(time.subsec_nanosecond());
            i64::try_from(nanos / 1000).expect("a time of this calendar")
        }),
    };
    let time = parse_timestamp(text);
    if let (Some(time), Some(expected)) = (time, expected) {
        assert_eq!(time.micros, expected, "{text}");
    }
    if let Some(time) = time {
        assert!(expected.is_some(), "{text}: no time for jiff");
        let mut printed = String::new();
        write_timestamp(time.micros, &mut printed);
        // Years of more than four digits print as jiff does, and are not the platform's form.
        let is_signed = text.starts_with(['-', '+']);
        assert_eq!(time.canonical, printed == text && !is_signed, "{text}: printed {printed}");
    } else {
        let is_time = |time: Timestamp| is_timestamp(time.as_microsecond());
        assert!(!text.parse().is_ok_and(is_time), "{text}: a time for jiff");
    }
}

fn write(micros: i64) {
    let mut printed = String::new();
    write_timestamp(micros, &mut printed);
    if is_timestamp(micros) && printed.len() == 24 && printed.as_bytes()[4] == b'-' {
        let time = parse_timestamp(&printed).expect("what was printed can be read");
        assert!(time.canonical);
        assert_eq!(time.micros, micros.div_euclid(1000) * 1000);
    }
}
