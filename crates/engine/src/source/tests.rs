//! Reading inputs: small and large, healthy and cut off, gone and growing.

pub(super) mod build;

use std::collections::BTreeSet;
use std::io::Write;
use std::path::PathBuf;

use flate2::Compression;
use flate2::write::GzEncoder;
use twox_hash::XxHash3_128;

use super::*;
use crate::inputs::Container;

#[derive(Default)]
pub(super) struct Collect {
    pub(super) messages: usize,
    pub(super) pages: Vec<(korpus_core::PageStatus, Option<korpus_core::Reason>)>,
    pub(super) bytes: u64,
    pub(super) stop_after: Option<usize>,
    /// A file that grows with each block.
    pub(super) grows: Option<PathBuf>,
    /// The members, and how many messages there were when each ended.
    pub(super) members: Vec<(InputReport, usize)>,
    pub(super) error: Option<String>,
}

impl BlockSink for Collect {
    fn block(&mut self, block: Block) -> Result<Option<Block>, Stopped> {
        self.messages += block.message_count();
        self.pages.extend(
            block
                .pages()
                .iter()
                .filter_map(|page| Some((page.end.as_ref()?.status, page.end.as_ref()?.reason))),
        );
        if let Some(path) = &self.grows {
            fs::OpenOptions::new().append(true).open(path).unwrap().write_all(b"\n\n").unwrap();
        }
        match self.stop_after {
            Some(most) if self.messages >= most => Err(Stopped),
            _ => Ok(Some(block)),
        }
    }

    fn let_go(&mut self, body: &mut Arc<Vec<u8>>) -> Result<(), Stopped> {
        assert!(Arc::get_mut(body).is_some(), "blocks are given back");
        Ok(())
    }

    fn read(&mut self, bytes: u64) -> Result<(), Stopped> {
        self.bytes += bytes;
        Ok(())
    }

    fn begin(&mut self, _: &InputInfo) {}

    fn end(&mut self, report: InputReport) -> Result<(), Stopped> {
        self.members.push((report, self.messages));
        Ok(())
    }

    fn fail(&mut self, error: EngineError) -> Stopped {
        self.error = Some(error.to_string());
        Stopped
    }
}

pub(super) fn body(messages: usize) -> Vec<u8> {
    let list: Vec<String> =
        (0..messages).map(|n| format!(r#"{{"_id":"ms-{n}","type":"incoming","components":[]}}"#)).collect();
    format!(r#"{{"total":{messages},"messages":[{}]}}"#, list.join(",")).into_bytes()
}

pub(super) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn info(path: PathBuf) -> InputInfo {
    let display = path.file_name().unwrap().to_string_lossy().into_owned();
    InputInfo {
        index: 0,
        member: None,
        display,
        kind: InputKind::File(path),
        container: Container::Plain,
        size: None,
    }
}

fn read(bytes: &[u8], whole_bytes: usize, mmap: bool) -> (InputReport, Collect) {
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(file.path(), bytes).unwrap();
    let limits = Limits { whole_bytes, block_bytes: 4 << 10, ..Limits::default() };
    let mut sink = Collect::default();
    let report = Source::new(&limits, mmap, None).read(&info(file.path().to_owned()), &mut sink).unwrap();
    (report, sink)
}

#[test]
fn what_stands_behind_a_broken_stream_is_read() {
    use korpus_core::{PageStatus, Reason};

    let (one, two) = (gzip(&body(300)), gzip(&body(200)));
    let mut lost = 0;
    for at in one.len() - 40..one.len() {
        let mut file = [&one[..], &two, &two].concat();
        file[at] ^= 1;
        for whole_bytes in [64 << 20, 100] {
            let (report, seen) = read(&file, whole_bytes, false);
            assert_eq!((report.bytes, report.codec), (file.len() as u64, Codec::Gzip));
            let (ok, broken) = (PageStatus::Ok, (PageStatus::Partial, Some(Reason::CorruptStream)));
            if seen.pages == [broken, (ok, None), (ok, None)] {
                assert!(seen.messages > 600);
            } else {
                // What is damaged may seem to go on to the end of the file.
                assert_eq!(seen.pages.last(), Some(&(PageStatus::Partial, Some(Reason::Truncated))));
                lost += 1;
            }
        }
    }
    assert!(lost < 20, "{lost} of 80");
}

#[test]
fn whole_streamed_and_mapped_give_the_same() {
    let plain = body(3000);
    for (bytes, codec) in [(plain.clone(), Codec::Plain), (gzip(&plain), Codec::Gzip)] {
        for (whole_bytes, mmap) in [(64 << 20, false), (100, false), (100, true), (bytes.len(), false)] {
            let (report, seen) = read(&bytes, whole_bytes, mmap);
            assert_eq!(seen.messages, 3000);
            assert_eq!(seen.pages, [(korpus_core::PageStatus::Ok, None)]);
            assert_eq!((report.bytes, report.hash), (bytes.len() as u64, XxHash3_128::oneshot(&bytes)));
            assert_eq!((seen.bytes, report.decoded_bytes), (bytes.len() as u64, plain.len() as u64));
            assert_eq!((report.codec, report.changed, report.io_error), (codec, false, None));
        }
    }
}

/// Keeps all blocks until it is to let go.
#[derive(Default)]
struct Hoard {
    blocks: Vec<Block>,
    let_go: usize,
}

impl BlockSink for Hoard {
    fn block(&mut self, block: Block) -> Result<Option<Block>, Stopped> {
        self.blocks.push(block);
        Ok(None)
    }

    fn let_go(&mut self, body: &mut Arc<Vec<u8>>) -> Result<(), Stopped> {
        assert!(Arc::get_mut(body).is_none());
        self.blocks.clear();
        self.let_go += 1;
        Ok(())
    }

    fn read(&mut self, _: u64) -> Result<(), Stopped> {
        Ok(())
    }

    fn begin(&mut self, _: &InputInfo) {}

    fn end(&mut self, _: InputReport) -> Result<(), Stopped> {
        Ok(())
    }

    fn fail(&mut self, _: EngineError) -> Stopped {
        Stopped
    }
}

#[test]
fn the_memory_of_a_body_is_used_again_once_its_blocks_are_gone() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let body = body(30_000);
    assert!(body.len() >= LENT);
    fs::write(file.path(), gzip(&body)).unwrap();
    let info = info(file.path().to_owned());
    let mut source = Source::new(&Limits::default(), false, None);
    let mut hoard = Hoard::default();
    for count in [1, 2, 2] {
        source.read(&info, &mut hoard).unwrap();
        assert_eq!(source.bodies.len(), count);
        assert!(source.bodies.iter_mut().all(|body| Arc::get_mut(body).is_none()));
    }
    assert_eq!(hoard.let_go, 0, "there is room for one more");
    assert_eq!(hoard.blocks.iter().map(Block::message_count).sum::<usize>(), 3 * 30_000);
    hoard.blocks.clear();
    let addresses = |source: &Source| source.bodies.iter().map(|body| body.as_ptr()).collect::<BTreeSet<_>>();
    let before = addresses(&source);
    for _ in 0..3 {
        source.read(&info, &mut Collect::default()).unwrap();
        assert!(source.bodies.iter_mut().all(|body| Arc::get_mut(body).is_some()));
        assert_eq!(addresses(&source), before);
    }
}

#[test]
fn where_there_is_room_for_one_body_its_blocks_are_waited_for() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let body = body(30_000);
    fs::write(file.path(), gzip(&body)).unwrap();
    let limits = Limits { whole_bytes: body.len() * 3 / 2, ..Limits::default() };
    let mut source = Source::new(&limits, false, None);
    let mut hoard = Hoard::default();
    let mut address = None;
    for let_go in 0..4 {
        source.read(&info(file.path().to_owned()), &mut hoard).unwrap();
        let messages: usize = hoard.blocks.iter().map(Block::message_count).sum();
        assert_eq!((hoard.let_go, messages, source.bodies.len()), (let_go, 30_000, 1));
        let at = source.bodies[0].as_ptr();
        assert_eq!(*address.get_or_insert(at), at);
    }
}

#[test]
fn bodies_of_two_sizes_take_no_more_than_may_be_held_whole() {
    let [small, large] = [20_000, 60_000].map(|messages| {
        let (file, body) = (tempfile::NamedTempFile::new().unwrap(), body(messages));
        fs::write(file.path(), gzip(&body)).unwrap();
        (file, body.len())
    });
    let limit = large.1 * 3 / 2;
    assert!(small.1 >= LENT && 2 * small.1 <= limit && small.1 + large.1 < limit);
    let mut source = Source::new(&Limits { whole_bytes: limit, ..Limits::default() }, false, None);
    let mut hoard = Hoard::default();
    for (file, let_go) in [(&small, 0), (&small, 0), (&large, 0), (&large, 1), (&small, 2), (&large, 3)] {
        source.read(&info(file.0.path().to_owned()), &mut hoard).unwrap();
        let held: usize = source.bodies.iter().map(|body| body.capacity()).sum();
        assert!(held < limit + limit / 4 && hoard.let_go == let_go, "{held} of {limit}, {}", hoard.let_go);
    }
}

#[test]
fn a_cut_off_file_gives_what_is_before_the_cut() {
    let bytes = gzip(&body(3000));
    let cut = &bytes[..bytes.len() / 2];
    for whole_bytes in [64 << 20, 100] {
        let (report, seen) = read(cut, whole_bytes, false);
        assert!(seen.messages > 500 && seen.messages < 3000);
        assert_eq!(seen.pages, [(korpus_core::PageStatus::Partial, Some(korpus_core::Reason::Truncated))]);
        assert_eq!((report.bytes, report.hash), (cut.len() as u64, XxHash3_128::oneshot(cut)));
        assert_eq!(report.io_error, None);
    }
}

#[test]
fn a_damaged_file_is_hashed_to_its_end() {
    let mut bytes = gzip(&body(30_000));
    let middle = bytes.len() / 2;
    bytes[middle..middle + 200].fill(0xff);
    let (report, seen) = read(&bytes, 100, false);
    assert!(seen.messages > 0);
    assert_eq!(
        (report.bytes, report.hash, seen.bytes),
        (bytes.len() as u64, XxHash3_128::oneshot(&bytes), bytes.len() as u64)
    );
}

#[test]
fn a_bomb_stops_at_the_limit() {
    let mut zeros = body(10);
    zeros.extend(std::iter::repeat_n(b' ', 4 << 20));
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(file.path(), gzip(&zeros)).unwrap();
    let limits = Limits { ratio: 10, ratio_floor: 1 << 20, ..Limits::default() };
    let mut sink = Collect::default();
    let report = Source::new(&limits, false, None).read(&info(file.path().to_owned()), &mut sink).unwrap();
    assert_eq!(sink.messages, 10);
    assert!(report.decoded_bytes < 3 << 20);
}

#[test]
fn what_cannot_be_read_is_told() {
    let dir = tempfile::tempdir().unwrap();
    for path in [dir.path().join("gone.json"), dir.path().to_owned()] {
        let mut sink = Collect::default();
        let report = Source::new(&Limits::default(), false, None).read(&info(path), &mut sink).unwrap();
        assert!(report.io_error.is_some());
        assert_eq!((report.bytes, sink.messages), (0, 0));
    }
}

#[test]
fn a_sink_stops_the_reading() {
    let limits = Limits { block_bytes: 4 << 10, ..Limits::default() };
    let mut source = Source::new(&limits, false, None);
    let input = |bytes: &[u8]| InputInfo {
        index: 0,
        member: None,
        display: "x".to_owned(),
        kind: InputKind::Bytes(bytes.into()),
        container: Container::Plain,
        size: None,
    };
    let mut sink = Collect { stop_after: Some(100), ..Collect::default() };
    assert!(source.read(&input(&body(5000)), &mut sink).is_err());
    assert!(sink.messages < 1000);
    // The next input starts afresh.
    let mut sink = Collect::default();
    source.read(&input(&body(7)), &mut sink).unwrap();
    assert_eq!((sink.messages, sink.pages.len()), (7, 1));
}

#[test]
fn a_file_that_changes_is_told() {
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(file.path(), body(100)).unwrap();
    let mut source = Source::new(&Limits::default(), false, None);
    let mut sink = Collect { grows: Some(file.path().to_owned()), ..Collect::default() };
    let report = source.read(&info(file.path().to_owned()), &mut sink).unwrap();
    assert!(report.changed);
}
