//! Messages counted by day, hour, bot, channel, language, type and status.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hash, Hasher};

use twox_hash::XxHash3_64;

use super::column::{ColumnBuffer, Names};
use super::packed::PackedKeys;
use super::table::TableBuffer;
use crate::read::Row;
use crate::schema::{MessageColumn, VolumeColumn};

const MICROS_PER_HOUR: i64 = 3_600_000_000;
/// The hour of what has no time: one that no time has, and before all of them.
pub(super) const NO_HOUR: i64 = i64::MIN;

/// Bot, channel, language, type, status.
pub(crate) type VolumeNames = [Option<String>; NAME_COLUMNS.len()];

/// The columns of `messages` that the names of a key come from, in order.
pub(crate) const NAME_COLUMNS: [MessageColumn; 5] = [
    MessageColumn::BotId,
    MessageColumn::Channel,
    MessageColumn::Language,
    MessageColumn::MessageType,
    MessageColumn::Status,
];

/// The columns of `volumes` that they go to.
const VOLUME_NAMES: [VolumeColumn; 5] = [
    VolumeColumn::BotId,
    VolumeColumn::Channel,
    VolumeColumn::Language,
    VolumeColumn::MessageType,
    VolumeColumn::Status,
];

/// Hashes the one byte string that a key gives it.
#[derive(Debug, Default)]
struct KeyHasher(u64);

impl Hasher for KeyHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        self.0 ^= XxHash3_64::oneshot(bytes);
    }
}

/// How many messages of an hour have some names.
#[derive(Debug, Clone, Copy)]
pub(super) struct VolumeCount {
    /// Since 1970, or [`NO_HOUR`].
    pub hour: i64,
    /// Their number.
    pub names: u32,
    pub messages: i64,
}

/// The messages of a block, counted.
#[derive(Debug, Default)]
pub(crate) struct Volumes {
    /// The combinations of names that there are, [packed](pack).
    pub(super) names: PackedKeys,
    /// One hour and names may come repeatedly.
    pub(super) counts: Vec<VolumeCount>,
}

/// An hour and the codes of names in the columns of a block.
#[derive(Debug, PartialEq, Eq)]
struct RowKey {
    hour: i64,
    codes: [u32; NAME_COLUMNS.len()],
}

impl Hash for RowKey {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let mut bytes = [0; 28];
        bytes[..8].copy_from_slice(&self.hour.to_le_bytes());
        for (bytes, code) in bytes[8..].chunks_exact_mut(4).zip(self.codes) {
            bytes.copy_from_slice(&code.to_le_bytes());
        }
        state.write(&bytes);
    }
}

impl Volumes {
    /// Counts the rows of a block's `messages`.
    pub(crate) fn of_rows(messages: &TableBuffer) -> Self {
        let mut volumes = Self::default();
        let ColumnBuffer::Int64(event_at) = &messages.columns[MessageColumn::EventAt as usize] else {
            return volumes;
        };
        let names = NAME_COLUMNS.map(|column| match &messages.columns[column as usize] {
            ColumnBuffer::Name(names) => Some(names),
            _ => None,
        });
        let [Some(bot), Some(channel), Some(language), Some(kind), Some(status)] = names else {
            return volumes;
        };
        let names = [bot, channel, language, kind, status];
        // Within a block names are equal where their codes are: texts are looked at once for each key.
        let mut rows: HashMap<RowKey, i64, BuildHasherDefault<KeyHasher>> = HashMap::default();
        for row in 0..messages.rows() {
            let hour = if event_at.valid[row] { hour_of(event_at.values[row]) } else { NO_HOUR };
            *rows.entry(RowKey { hour, codes: names.map(|names| names.codes[row]) }).or_default() += 1;
        }
        let mut packed = Vec::new();
        for (RowKey { hour, codes }, messages) in rows {
            let texts = names.iter().zip(codes);
            let texts = texts.map(|(names, code)| (code != Names::NULL).then(|| names.dictionary.get(code)));
            pack(texts, &mut packed);
            let names = volumes.names.intern(&packed);
            volumes.counts.push(VolumeCount { hour, names, messages });
        }
        volumes
    }
}

/// Puts a row of the table `volumes`.
pub(crate) fn put_volume(hour: Option<i64>, names: &VolumeNames, messages: i64, table: &mut TableBuffer) {
    if let Some(hour) = hour {
        table.put_i32(VolumeColumn::EventDate, hour.div_euclid(24) as i32);
        table.put_i32(VolumeColumn::EventHour, hour.rem_euclid(24) as i32);
    }
    for (column, name) in VOLUME_NAMES.into_iter().zip(names) {
        if let Some(name) = name {
            table.put_str(column, name);
        }
    }
    table.put_i64(VolumeColumn::Messages, messages);
    table.end_row();
}

/// What a row of the table `volumes` counts by: the hour, the names, and how many messages.
pub(super) fn volume_of(row: Row<'_>) -> (i64, [Option<&str>; NAME_COLUMNS.len()], i64) {
    let (day, hour) = (row.date(VolumeColumn::EventDate), row.int32(VolumeColumn::EventHour));
    let hour = day.zip(hour).map_or(NO_HOUR, |(day, hour)| i64::from(day) * 24 + i64::from(hour));
    (hour, VOLUME_NAMES.map(|column| row.text(column)), row.int64(VolumeColumn::Messages).unwrap_or_default())
}

/// The byte that a null begins with, and one that a name does; a name ends with [`END`].
const NULL: u8 = 0;
const NAME: u8 = 1;
const END: u8 = 0;

/// The hour of a time, since 1970.
pub(super) fn hour_of(micros: i64) -> i64 {
    micros.div_euclid(MICROS_PER_HOUR)
}

/// Writes names into `out`, in place of what it held, so that the order of the bytes is that of the names: what is missing
/// comes first. The bytes of names are one greater, which they have room for, so that none is that of the end.
pub(super) fn pack<'a>(names: impl IntoIterator<Item = Option<&'a str>>, out: &mut Vec<u8>) {
    out.clear();
    for name in names {
        match name {
            Some(name) => {
                out.push(NAME);
                out.extend(name.bytes().map(|byte| byte + 1));
                out.push(END);
            }
            None => out.push(NULL),
        }
    }
}

/// Reads packed names into `names`, whose memory is used again.
pub(super) fn unpack(mut packed: &[u8], names: &mut VolumeNames) {
    for name in names {
        let is_null = packed.split_off_first() != Some(&NAME);
        let len =
            if is_null { 0 } else { packed.iter().position(|&byte| byte == END).unwrap_or(packed.len()) };
        let mut bytes = name.take().map(String::into_bytes).unwrap_or_default();
        bytes.clear();
        bytes.extend(packed[..len].iter().map(|byte| byte - 1));
        if !is_null {
            packed = &packed[(len + 1).min(packed.len())..];
            *name = Some(String::from_utf8(bytes).unwrap_or_default());
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn names() -> impl Strategy<Value = VolumeNames> {
        prop::array::uniform5(prop::option::of("[\\x00-\\x02ab\u{10ffff}]{0,3}"))
    }

    fn packed(names: &VolumeNames) -> Vec<u8> {
        let mut out = Vec::new();
        pack(names.iter().map(Option::as_deref), &mut out);
        out
    }

    proptest! {
        #[test]
        fn packed_names_have_the_order_of_names_and_come_back(a in names(), b in names()) {
            prop_assert_eq!(packed(&a).cmp(&packed(&b)), a.cmp(&b));
            let mut read = b;
            unpack(&packed(&a), &mut read);
            prop_assert_eq!(read, a);
        }
    }
}
