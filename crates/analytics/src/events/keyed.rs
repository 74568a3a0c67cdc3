//! What de-duplication knows of an event, for programs that bring copies together themselves: it stands behind the payload.

use korpus_engine::Key;

use crate::codec::{put_fixed, put_short};
use crate::exchange::extend_frame;

/// Id, content, version, richness, what is around it, and whether the id is a surrogate.
pub(super) const KEY_BYTES: usize = 16 + 8 + 8 + 4 + 4 + 1;

/// Appends a key to the frame that begins at `start`, the last one of `out`, if there is one.
pub(super) fn put_key(out: &mut Vec<u8>, start: usize, key: &Key) {
    extend_frame(out, start, |out| {
        out.extend_from_slice(&key.id.to_le_bytes());
        put_fixed(out, key.content);
        put_fixed(out, key.version.cast_unsigned());
        put_short(out, key.richness);
        put_short(out, key.around);
        out.push(u8::from(key.surrogate_page.is_some()));
    });
}

/// A payload, and the key behind it, whose ordinal and body are 0; `None` where there is no room for one.
pub(crate) fn split_key(payload: &[u8]) -> Option<(&[u8], Key)> {
    let (payload, key) = payload.split_last_chunk::<KEY_BYTES>()?;
    let (id, key) = key.split_first_chunk()?;
    let (content, key) = key.split_first_chunk()?;
    let (version, key) = key.split_first_chunk()?;
    let (richness, key) = key.split_first_chunk()?;
    let (around, key) = key.split_first_chunk()?;
    let key = Key {
        id: u128::from_le_bytes(*id),
        content: u64::from_le_bytes(*content),
        version: i64::from_le_bytes(*version),
        richness: u32::from_le_bytes(*richness),
        around: u32::from_le_bytes(*around),
        ordinal: 0,
        surrogate_page: (*key != [0]).then_some(0),
    };
    Some((payload, key))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exchange::{frames, put_frame};

    #[test]
    fn keys_come_back() {
        let keys = [(1_u128 << 127 | 1 << 32, i64::MIN, None), (7 << 64, 1_756_893_600_000_000, Some(0))];
        for (id, version, surrogate_page) in keys {
            let key = Key {
                id,
                content: u64::MAX - 1,
                version,
                richness: 9,
                around: 5,
                ordinal: 0,
                surrogate_page,
            };
            let mut out = Vec::new();
            put_frame(&mut out, 1, 2, 3, |out| out.extend_from_slice(b"before"));
            let start = out.len();
            put_frame(&mut out, 4, 5, 6, |out| out.extend_from_slice(b"payload"));
            put_key(&mut out, start, &key);
            // Where nothing was written there is nothing to write to.
            let start = out.len();
            put_key(&mut out, start, &key);
            let found: Vec<_> = frames(&out).map(|(frame, _)| (frame.key, frame.payload)).collect();
            assert_eq!(found.len(), 2);
            assert_eq!(found[0], (1, &b"before"[..]));
            assert_eq!(split_key(found[1].1), Some((&b"payload"[..], key)));
        }
        assert_eq!(split_key(b"short"), None);
    }
}
