//! The hashes that tell texts and keys apart within a process, or find them. They have a seed that nobody knows before: without,
//! texts could be prepared that have the same. So nothing that is written depends on them.

use std::hash::{BuildHasher, RandomState};
use std::sync::LazyLock;

use twox_hash::{XxHash3_64, XxHash3_128};

struct Secrets {
    seed: u64,
    /// What stands for nothing.
    none: u128,
    /// Two odd numbers.
    of_int: u128,
    of_place: u128,
}

static SECRETS: LazyLock<Secrets> = LazyLock::new(|| {
    let random = RandomState::new();
    let long = |n: u8| u128::from(random.hash_one((n, true))) << 64 | u128::from(random.hash_one((n, false)));
    Secrets { seed: random.hash_one(0), none: long(0), of_int: long(1) | 1, of_place: long(2) | 1 }
});

/// The hash of some bytes: equal for equal bytes, and only for those.
pub(crate) fn hash(bytes: &[u8]) -> u128 {
    XxHash3_128::oneshot_with_seed(SECRETS.seed, bytes)
}

/// A shorter one, for tables that compare what they find.
pub(crate) fn short(bytes: &[u8]) -> u64 {
    XxHash3_64::oneshot_with_seed(SECRETS.seed, bytes)
}

/// A part of something that has several, by what tells it from others in its place.
#[derive(Debug, Clone, Copy)]
pub(crate) enum HashPart {
    Null,
    Int(u64),
    /// What has a [`hash`].
    Hashed(u128),
}

/// The hash of several parts in their order: equal for equal parts, and only for those, among such that have as many and of
/// the same kind in each place. It is a polynomial of their hashes at a secret place.
#[inline]
pub(crate) fn hash_parts(parts: impl Iterator<Item = HashPart>) -> u128 {
    let secrets = &*SECRETS;
    parts.fold(0, |all: u128, part| {
        let part = match part {
            HashPart::Null => secrets.none,
            HashPart::Int(value) => secrets.of_int.wrapping_mul(value.into()),
            HashPart::Hashed(hash) => hash,
        };
        all.wrapping_mul(secrets.of_place).wrapping_add(part)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_that_were_prepared_are_told_apart() {
        let text = |one: u8, other: u8| {
            let mut text: Vec<u8> = b"lorem ipsum dolor sit amet ".repeat(24)[..640].to_vec();
            text[40..56].copy_from_slice(b"did not understa");
            text[56..64].copy_from_slice(&[one, b'a', b' ', 0xc3, 0x81, 0x3a, 0x26, 0x4c]);
            text[312..321].copy_from_slice(&[other, b'a', b' ', 0xc3, 0xa9, 0xde, 0xac, 0xd8, 0x80]);
            String::from_utf8(text).unwrap()
        };
        let (a, b) = (text(b'd', b'e'), text(b'e', b'd'));
        assert!(a != b && XxHash3_128::oneshot(a.as_bytes()) == XxHash3_128::oneshot(b.as_bytes()));
        assert!(hash(a.as_bytes()) != hash(b.as_bytes()) && short(a.as_bytes()) != short(b.as_bytes()));
        assert_eq!(hash(a.as_bytes()), hash(a.clone().as_bytes()));
    }
}
