//! `msg_id`: which messages stand before or after a given one in its session.
//!
//! Where the given message stands is not known before the end of the run, so every candidate leaves a small entry here,
//! on disk past a few megabytes, and what does not belong is revoked at the end.

use std::path::PathBuf;

use crate::dedup::{Fate, Fates};
use crate::error::Result;
use crate::filter::Direction;
use crate::spool::Spool;

/// What is remembered of a candidate.
#[derive(Debug, Clone, Copy)]
pub(crate) struct AnchorEntry {
    pub ordinal: u64,
    /// Hash of the session; 0 where there is none.
    pub session: u64,
    /// `i64::MIN` where there is no time.
    pub at: i64,
    /// Whether it is the given message.
    pub is_anchor: bool,
}

const ENTRY_BYTES: usize = 24;
/// Bytes that are kept in memory before they go to disk.
const BUFFER: usize = 4 << 20;

/// The candidates of a run.
#[derive(Debug)]
pub(crate) struct AnchorLog {
    anchors: Vec<AnchorEntry>,
    buffer: Vec<u8>,
    spool: Spool,
}

impl AnchorLog {
    pub(crate) fn new(temp_dir: Option<PathBuf>) -> Self {
        Self { anchors: Vec::new(), buffer: Vec::new(), spool: Spool::new(temp_dir) }
    }

    pub(crate) fn push(&mut self, entry: AnchorEntry) -> Result<()> {
        if entry.is_anchor {
            self.anchors.push(entry);
        }
        self.buffer.extend_from_slice(&entry.ordinal.to_le_bytes());
        self.buffer.extend_from_slice(&entry.session.to_le_bytes());
        self.buffer.extend_from_slice(&entry.at.to_le_bytes());
        if self.buffer.len() >= BUFFER {
            self.spool.append(&self.buffer)?;
            self.buffer.clear();
        }
        Ok(())
    }

    /// Revokes what is not in the session of the given message, or on the wrong side of it; everything where it was
    /// never seen. Of several copies of it the one that de-duplication keeps counts, else the first. Returns whether it
    /// was seen.
    pub(crate) fn apply(self, direction: Direction, fates: &mut Fates) -> Result<bool> {
        let is_winner =
            |entry: &&AnchorEntry| !matches!(fates.fate(entry.ordinal), Fate::Duplicate | Fate::Superseded);
        let anchor = self.anchors.iter().find(is_winner).or(self.anchors.first()).copied();
        let mut revoke = |bytes: &[u8]| {
            for entry in bytes.as_chunks::<ENTRY_BYTES>().0 {
                let (words, _) = entry.as_chunks::<8>();
                let ordinal = u64::from_le_bytes(words[0]);
                let session = u64::from_le_bytes(words[1]);
                let at = i64::from_le_bytes(words[2]);
                let belongs = anchor.is_some_and(|anchor| {
                    let on_side = match direction {
                        Direction::Reverse => at <= anchor.at,
                        Direction::Both => true,
                        Direction::Forward => at >= anchor.at,
                    };
                    ordinal == anchor.ordinal || (session == anchor.session && session != 0 && on_side)
                });
                if !belongs {
                    fates.revoke(ordinal);
                }
            }
        };
        let mut at = 0;
        let mut block = vec![0; ENTRY_BYTES * 4096];
        while at < self.spool.len() {
            let step = (self.spool.len() - at).min(block.len() as u64) as usize;
            self.spool.read_at(at, &mut block[..step])?;
            revoke(&block[..step]);
            at += step as u64;
        }
        revoke(&self.buffer);
        Ok(anchor.is_some())
    }
}
