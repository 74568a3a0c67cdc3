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

/// What messages are counted by.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct VolumeKey {
    /// Hours since 1970.
    pub hour: Option<i64>,
    /// Bot, channel, language, type, status.
    pub names: [Option<String>; 5],
}

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

/// Hashes the one byte string that a packed key is.
#[derive(Debug, Default)]
pub(crate) struct KeyHasher(u64);

impl Hasher for KeyHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        self.0 ^= XxHash3_64::oneshot(bytes);
    }

    fn write_u8(&mut self, _: u8) {}
    fn write_usize(&mut self, _: usize) {}
}

/// Counts by key, of a block or a little more.
#[derive(Debug, Default)]
pub(crate) struct Volumes {
    keys: PackedKeys,
    /// The count of each.
    counts: Vec<i64>,
    scratch: Vec<u8>,
    /// The counts of one block, by the codes of its names.
    block: HashMap<BlockKey, i64, BuildHasherDefault<KeyHasher>>,
}

/// A key as long as its block is at hand.
#[derive(Debug, PartialEq, Eq)]
struct BlockKey {
    hour: Option<i64>,
    codes: [u32; 5],
}

impl Hash for BlockKey {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let mut bytes = [0; 28];
        bytes[..8].copy_from_slice(&self.hour.unwrap_or(i64::MIN).to_le_bytes());
        for (bytes, code) in bytes[8..].chunks_exact_mut(4).zip(self.codes) {
            bytes.copy_from_slice(&code.to_le_bytes());
        }
        state.write(&bytes);
    }
}

impl Volumes {
    /// Counts `by` messages of one key.
    pub(crate) fn add<'a>(
        &mut self,
        event_at: Option<i64>,
        names: impl Iterator<Item = Option<&'a str>>,
        by: i64,
    ) {
        self.add_hour(event_at.map(hour_of), names, by);
    }

    fn add_hour<'a>(&mut self, hour: Option<i64>, names: impl Iterator<Item = Option<&'a str>>, by: i64) {
        pack(hour, names, &mut self.scratch);
        self.count(by);
    }

    /// Counts `by` messages of a key that was [packed](pack) without its hour.
    pub(super) fn add_packed(&mut self, hour: Option<i64>, packed: &[u8], by: i64) {
        self.scratch.clear();
        self.scratch.extend_from_slice(&packed_hour(hour));
        self.scratch.extend_from_slice(packed.get(HOUR..).unwrap_or_default());
        self.count(by);
    }

    /// Adds a row of the table `volumes` of a dataset.
    pub(crate) fn add_row(&mut self, row: Row<'_>) {
        let (day, hour) = (row.date(VolumeColumn::EventDate), row.int32(VolumeColumn::EventHour));
        let at = day.zip(hour).map(|(day, hour)| (i64::from(day) * 24 + i64::from(hour)) * MICROS_PER_HOUR);
        let names = VOLUME_NAMES.iter().map(|&column| row.text(column));
        self.add(at, names, row.int64(VolumeColumn::Messages).unwrap_or_default());
    }

    fn count(&mut self, by: i64) {
        let key = std::mem::take(&mut self.scratch);
        self.count_key(&key, by);
        self.scratch = key;
    }

    fn count_key(&mut self, key: &[u8], by: i64) {
        let place = self.keys.intern(key) as usize;
        if place == self.counts.len() {
            self.counts.push(by);
        } else {
            self.counts[place] += by;
        }
    }

    /// Counts the rows of a block's `messages`.
    pub(crate) fn add_rows(&mut self, messages: &TableBuffer) {
        let ColumnBuffer::Int64(event_at) = &messages.columns[MessageColumn::EventAt as usize] else {
            return;
        };
        let names = NAME_COLUMNS.map(|column| match &messages.columns[column as usize] {
            ColumnBuffer::Name(names) => Some(names),
            _ => None,
        });
        let [Some(bot), Some(channel), Some(language), Some(kind), Some(status)] = names else { return };
        let names = [bot, channel, language, kind, status];
        // Within a block names are equal where their codes are: texts are looked at once for each key.
        let mut block = std::mem::take(&mut self.block);
        for row in 0..messages.rows() {
            let hour = event_at.valid[row].then(|| hour_of(event_at.values[row]));
            *block.entry(BlockKey { hour, codes: names.map(|names| names.codes[row]) }).or_default() += 1;
        }
        for (key, count) in block.drain() {
            let texts = names.iter().zip(key.codes);
            let texts = texts.map(|(names, code)| (code != Names::NULL).then(|| names.dictionary.get(code)));
            self.add_hour(key.hour, texts, count);
        }
        self.block = block;
    }

    /// Adds the counts of a later part and empties it, keeping its memory.
    pub(crate) fn take(&mut self, part: &mut Self) {
        for (key, &count) in part.keys.iter().zip(&part.counts) {
            self.count_key(key, count);
        }
        part.clear();
    }

    pub(super) fn clear(&mut self) {
        self.keys.clear();
        self.counts.clear();
    }

    /// How many keys there are.
    pub(super) fn len(&self) -> usize {
        self.counts.len()
    }

    /// All counts, in the order of their keys.
    pub(super) fn sorted(&self) -> impl Iterator<Item = (&[u8], i64)> {
        let mut order: Vec<u32> = (0..self.len() as u32).collect();
        order.sort_unstable_by(|&a, &b| self.keys.get(a).cmp(self.keys.get(b)));
        order.into_iter().map(|place| (self.keys.get(place), self.counts[place as usize]))
    }
}

impl VolumeKey {
    /// Puts a row of the table `volumes`.
    pub(crate) fn put(&self, count: i64, table: &mut TableBuffer) {
        if let Some(hour) = self.hour {
            table.put_i32(VolumeColumn::EventDate, hour.div_euclid(24) as i32);
            table.put_i32(VolumeColumn::EventHour, hour.rem_euclid(24) as i32);
        }
        for (column, name) in VOLUME_NAMES.into_iter().zip(&self.names) {
            if let Some(name) = name {
                table.put_str(column, name);
            }
        }
        table.put_i64(VolumeColumn::Messages, count);
        table.end_row();
    }
}

/// The byte that a null begins with, and one that a name does; a name ends with [`END`].
const NULL: u8 = 0;
const NAME: u8 = 1;
const END: u8 = 0;

/// How many bytes of a packed key are its hour, in front.
const HOUR: usize = 8;

fn packed_hour(hour: Option<i64>) -> [u8; HOUR] {
    // An hour that no time has says that there was none.
    (hour.unwrap_or(i64::MIN) ^ i64::MIN).to_be_bytes()
}

/// The hour of a time, since 1970.
pub(super) fn hour_of(micros: i64) -> i64 {
    micros.div_euclid(MICROS_PER_HOUR)
}

/// Writes a key into `out`, in place of what it held, so that the order of the bytes is that of the keys: what is missing
/// comes first. The bytes of names are one greater, which they have room for, so that none is that of the end.
pub(super) fn pack<'a>(hour: Option<i64>, names: impl Iterator<Item = Option<&'a str>>, out: &mut Vec<u8>) {
    out.clear();
    out.extend_from_slice(&packed_hour(hour));
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

/// Reads a packed key into `key`, whose memory is used again.
pub(super) fn unpack(packed: &[u8], key: &mut VolumeKey) {
    let Some((hour, mut rest)) = packed.split_first_chunk() else { return };
    let hour = i64::from_be_bytes(*hour) ^ i64::MIN;
    key.hour = (hour != i64::MIN).then_some(hour);
    for name in &mut key.names {
        let is_null = rest.split_off_first() != Some(&NAME);
        let len = if is_null { 0 } else { rest.iter().position(|&byte| byte == END).unwrap_or(rest.len()) };
        let mut bytes = name.take().map(String::into_bytes).unwrap_or_default();
        bytes.clear();
        bytes.extend(rest[..len].iter().map(|byte| byte - 1));
        if !is_null {
            rest = &rest[(len + 1).min(rest.len())..];
            *name = Some(String::from_utf8(bytes).unwrap_or_default());
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn keys() -> impl Strategy<Value = VolumeKey> {
        let name = prop::option::of("[\\x00-\\x02ab\u{10ffff}]{0,3}");
        let names = prop::array::uniform5(name);
        (prop::option::of(-2..2_i64), names).prop_map(|(hour, names)| VolumeKey { hour, names })
    }

    fn packed(key: &VolumeKey) -> Vec<u8> {
        let mut out = Vec::new();
        pack(key.hour, key.names.iter().map(Option::as_deref), &mut out);
        out
    }

    proptest! {
        #[test]
        fn packed_keys_have_the_order_of_keys_and_come_back(a in keys(), b in keys()) {
            prop_assert_eq!(packed(&a).cmp(&packed(&b)), (a.hour, &a.names).cmp(&(b.hour, &b.names)));
            let mut read = b;
            unpack(&packed(&a), &mut read);
            prop_assert_eq!(read, a);
        }
    }
}
