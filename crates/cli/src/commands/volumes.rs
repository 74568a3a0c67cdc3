//! The headline of the volumes: how many messages were kept, by time and channel.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use korpus_tables::Volume;
use serde_json::json;

use crate::show::{Grid, heading, thousands, visible_short};

/// Channels with a column of their own.
const MOST_CHANNELS: usize = 5;
/// Rows; more of them are drawn together to months, then years.
const MOST_ROWS: usize = 14;

/// Appends the table to `out`; nothing where no message was kept.
pub(crate) fn print(volumes: &[Volume], out: &mut String) {
    if volumes.is_empty() {
        return;
    }
    let mut channels: BTreeMap<Option<&str>, u64> = BTreeMap::new();
    for volume in volumes {
        *channels.entry(volume.channel.as_deref()).or_default() += volume.messages;
    }
    let mut names: Vec<(Option<&str>, u64)> = channels.into_iter().collect();
    names.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(&b.0)));
    let others = names.len() > MOST_CHANNELS;
    names.truncate(MOST_CHANNELS);
    let (unit, length) = [("day", 10), ("month", 7), ("year", 4)]
        .into_iter()
        .find(|(_, length)| periods(volumes, *length) <= MOST_ROWS)
        .unwrap_or(("year", 4));
    let mut rows: BTreeMap<Option<String>, Vec<u64>> = BTreeMap::new();
    for volume in volumes {
        let cells = rows.entry(period(volume, length)).or_insert_with(|| vec![0; names.len() + 2]);
        let column = names.iter().position(|(name, _)| *name == volume.channel.as_deref());
        cells[column.unwrap_or(names.len())] += volume.messages;
        cells[names.len() + 1] += volume.messages;
    }
    heading(out, &format!("Messages kept, by {unit} (UTC) and channel"));
    let mut headings = vec![unit.to_owned()];
    headings.extend(names.iter().map(|(name, _)| format!("{}>", visible_short(name.unwrap_or("none"), 20))));
    if others {
        headings.push("others>".to_owned());
    }
    headings.push("total>".to_owned());
    let headings: Vec<&str> = headings.iter().map(String::as_str).collect();
    let mut grid = Grid::new(&headings);
    let left = rows.len().saturating_sub(MOST_ROWS);
    // Where even years are too many, clocks were wrong: the latest ones are told.
    for (period, cells) in rows.into_iter().skip(left) {
        let cells = cells.iter().enumerate().filter(|(at, _)| others || *at != names.len());
        let name = period.unwrap_or_else(|| "no time".to_owned());
        grid.row(std::iter::once(name).chain(cells.map(|(_, &count)| thousands(count))));
    }
    grid.print(out);
    if left > 0 {
        let _ = writeln!(out, "  and {left} rows before these: the table volumes has all");
    }
}

/// By day and channel, as JSON.
pub(crate) fn to_json(volumes: &[Volume]) -> serde_json::Value {
    let mut rows: BTreeMap<(Option<String>, Option<&str>), u64> = BTreeMap::new();
    for volume in volumes {
        *rows.entry((period(volume, 10), volume.channel.as_deref())).or_default() += volume.messages;
    }
    let row =
        |((date, channel), messages)| json!({"event_date": date, "channel": channel, "messages": messages});
    rows.into_iter().map(row).collect()
}

fn periods(volumes: &[Volume], length: usize) -> usize {
    let all: std::collections::BTreeSet<_> = volumes.iter().map(|volume| period(volume, length)).collect();
    all.len()
}

/// The first `length` characters of the day.
fn period(volume: &Volume, length: usize) -> Option<String> {
    let mut day = String::new();
    korpus_core::write_date(volume.day?, &mut day);
    // Years beyond 9999 have more digits: they keep them.
    let longer = day.len().saturating_sub(10);
    day.truncate(length + longer);
    Some(day)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn volume(day: i32, channel: &str, messages: u64) -> Volume {
        Volume { day: Some(day), channel: Some(channel.to_owned()), messages }
    }

    fn shown(volumes: &[Volume]) -> String {
        let mut out = String::new();
        print(volumes, &mut out);
        anstream::adapter::strip_str(&out).to_string()
    }

    #[test]
    fn small_channels_add_up_to_others() {
        let mut volumes = vec![volume(0, "rtm", 1000), volume(1, "ivr", 7)];
        volumes.extend(["a", "b", "c", "d"].map(|name| volume(1, name, 1)));
        let expected = "\nMessages kept, by day (UTC) and channel\n  \
                        day           rtm  ivr  a  b  c  others  total\n  \
                        1970-01-01  1,000    0  0  0  0       0  1,000\n  \
                        1970-01-02      0    7  1  1  1       1     11\n";
        assert_eq!(shown(&volumes), expected);
    }

    #[test]
    fn many_days_are_told_by_month() {
        let volumes: Vec<_> = (0..90).map(|day| volume(day, "rtm", 1)).collect();
        assert!(shown(&volumes).contains("\n  1970-02   28     28\n"), "{}", shown(&volumes));
        assert_eq!(shown(&[]), "");
    }
}
