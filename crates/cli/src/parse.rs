//! Values of options, read as people write them.

use korpus_analytics::{Export, Metric, TableFormat, TimeZone, time_zone};
use korpus_core::Shape;
use korpus_engine::{Direction, Filter, parse_day_or_time};
use korpus_tables::{Compression, PartitionBy, Table};

/// `--date-from`: microseconds since 1970.
pub(crate) fn date_from(text: &str) -> Result<i64, String> {
    parse_day_or_time(text).map(|(at, _)| at).map_err(|error| error.to_string())
}

/// `--date-to`: the first moment after it, in microseconds since 1970.
pub(crate) fn date_to(text: &str) -> Result<i64, String> {
    Filter::until(text).map_err(|error| error.to_string())
}

/// `--direction`: a number as the API takes it, or its meaning.
pub(crate) fn direction(text: &str) -> Result<Direction, String> {
    match text {
        "reverse" => Ok(Direction::Reverse),
        "both" => Ok(Direction::Both),
        "forward" => Ok(Direction::Forward),
        _ => text.parse::<i64>().map(Direction::from).map_err(|_| {
            "write -1 (before the message), 0 (both sides) or 1 (after it), or reverse, both, forward"
                .to_owned()
        }),
    }
}

/// How many of something.
pub(crate) fn whole<T: std::str::FromStr>(text: &str) -> Result<T, String> {
    text.parse().map_err(|_| "write a whole number, 0 or more".to_owned())
}

/// More threads than this are a slip of the fingers, and cost memory each.
const MOST_THREADS: usize = 512;

/// `--threads`
pub(crate) fn threads(text: &str) -> Result<usize, String> {
    let number = text.parse().ok().filter(|&number| number <= MOST_THREADS);
    number.ok_or_else(|| {
        format!("write a number from 1 to {MOST_THREADS}, or 0 for as many as the machine has processors")
    })
}

/// A number of bytes: `512M`, `2G`, `1.5GiB`, or plain. K, M and G are powers of 1024.
pub(crate) fn bytes(text: &str) -> Result<usize, String> {
    let usage = || "write a number of bytes such as 512M or 2G".to_owned();
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = text[digits.len()..].to_ascii_lowercase();
    let shift = match unit.trim_end_matches("ib").trim_end_matches('b') {
        "" => 0,
        "k" => 10,
        "m" => 20,
        "g" => 30,
        "t" => 40,
        _ => return Err(usage()),
    };
    let number: f64 = digits.trim().parse().map_err(|_| usage())?;
    let bytes = number * (1_u64 << shift) as f64;
    if bytes.is_finite() && bytes >= 1.0 && bytes < usize::MAX as f64 {
        Ok(bytes as usize)
    } else {
        Err(usage())
    }
}

/// What was found by its name, or which names there are.
fn chosen<T>(found: Option<T>, wrong: &str, names: impl Iterator<Item = &'static str>) -> Result<T, String> {
    found.ok_or_else(|| format!("{wrong}choose from {}", names.collect::<Vec<_>>().join(", ")))
}

const NO_TABLE: &str = "there is no such table; ";

/// The name of a table.
pub(crate) fn table(text: &str) -> Result<Table, String> {
    chosen(Table::from_name(text), NO_TABLE, Table::ALL.into_iter().map(Table::name))
}

/// The name of a table of metrics.
pub(crate) fn metric(text: &str) -> Result<Metric, String> {
    chosen(Metric::from_name(text), NO_TABLE, Metric::ALL.into_iter().map(Metric::name))
}

/// `--partition-by`
pub(crate) fn partition_by(text: &str) -> Result<PartitionBy, String> {
    PartitionBy::from_name(text).ok_or_else(|| "write event_date: there are no other partitions".to_owned())
}

/// `--table-format`
pub(crate) fn table_format(text: &str) -> Result<TableFormat, String> {
    chosen(TableFormat::from_name(text), "", TableFormat::ALL.into_iter().map(TableFormat::as_str))
}

/// `--export`
pub(crate) fn export(text: &str) -> Result<Export, String> {
    chosen(Export::from_name(text), "", Export::ALL.into_iter().map(Export::as_str))
}

/// `--timezone`
pub(crate) fn timezone(text: &str) -> Result<TimeZone, String> {
    time_zone(text).map_err(|error| error.to_string())
}

/// `--inactivity-gap`: milliseconds.
pub(crate) fn gap(text: &str) -> Result<i64, String> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = match &text[digits.len()..] {
        "ms" => 1,
        "s" => 1000,
        "m" | "min" => 60_000,
        "h" => 3_600_000,
        _ => 0,
    };
    let number = digits.parse::<i64>().ok().filter(|&number| number >= 0 && unit > 0);
    let millis = number.and_then(|number| number.checked_mul(unit));
    millis.ok_or_else(|| "write a time such as 15m, 900s or 1h".to_owned())
}

/// `--window`: from and to, in microseconds since 1970.
pub(crate) fn window(text: &str) -> Result<(i64, i64), String> {
    let (from, to) = text.split_once("..").ok_or("write FROM..TO, such as 2025-09-01..2025-09-07")?;
    let edges = (date_from(from)?, window_end(to)?);
    if edges.0 < edges.1 { Ok(edges) } else { Err("the window ends before it begins".to_owned()) }
}

/// A moment, or the end of a day.
fn window_end(text: &str) -> Result<i64, String> {
    const DAY: i64 = 86_400_000_000;
    let (at, is_day) = parse_day_or_time(text).map_err(|error| error.to_string())?;
    Ok(if is_day { at.saturating_add(DAY) } else { at })
}

/// The name of a compression.
pub(crate) fn compression(text: &str) -> Result<Compression, String> {
    chosen(Compression::from_name(text), "", Compression::ALL.into_iter().map(Compression::as_str))
}

/// What the inputs are said to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ExpectedShape {
    /// As it was written.
    pub name: String,
    /// What their content must show then: v1, v2 and stream look alike.
    pub shape: Shape,
}

/// `--shape`
pub(crate) fn shape(text: &str) -> Result<ExpectedShape, String> {
    let shape = match text {
        "v1" | "v2" | "stream" | "full" => Shape::Full,
        "lite" => Shape::Lite,
        "call" => Shape::Call,
        "agent_ai" => Shape::AgentAi,
        "sessions" => Shape::Sessions,
        _ => return Err("choose from v1, v2, stream, full, lite, call, agent_ai, sessions".to_owned()),
    };
    Ok(ExpectedShape { name: text.to_owned(), shape })
}

/// A value of one of the closed lists of the synthetic dumps.
pub(crate) fn named<T: std::str::FromStr<Err = korpus_synth::OptionsError>>(text: &str) -> Result<T, String> {
    text.parse().map_err(|error: korpus_synth::OptionsError| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read() {
        assert_eq!(bytes("1"), Ok(1));
        assert_eq!(bytes("1k"), Ok(1024));
        assert_eq!(bytes("1.5GiB"), Ok(3 << 29));
        assert_eq!(bytes("2MB"), Ok(2 << 20));
        for bad in ["", "0", "-1", "x", "1x", "1e400", "nan"] {
            assert!(bytes(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn numbers_are_whole() {
        assert_eq!(whole::<u64>("12"), Ok(12));
        for bad in ["-1", "", "1.5", "1k", "99999999999999999999"] {
            assert!(whole::<u64>(bad).unwrap_err().contains("0 or more"), "{bad}");
        }
    }

    #[test]
    fn threads_are_bounded() {
        assert_eq!((threads("0"), threads("512")), (Ok(0), Ok(512)));
        for bad in ["", "-1", "513", "1024", "99999999999999999999", "two", "1.5"] {
            assert!(threads(bad).unwrap_err().contains("from 1 to 512"), "{bad}");
        }
    }

    #[test]
    fn directions_are_those_of_the_api() {
        assert_eq!(direction("-5"), Ok(Direction::Reverse));
        assert_eq!(direction("0"), Ok(Direction::Both));
        assert_eq!(direction("forward"), Ok(Direction::Forward));
        assert!(direction("up").is_err());
    }

    #[test]
    fn a_day_to_is_included_whole() {
        assert_eq!(date_from("1970-01-02"), Ok(86_400_000_000));
        assert_eq!(date_to("1970-01-01"), Ok(86_400_000_000));
        assert!(date_from("01/02/1970").is_err());
    }
}
