//! What the benches share: corpora made from a seed, and the structs of a rival.

#![forbid(unsafe_code)]

mod rivals;

use std::sync::Arc;
use std::time::{Duration, Instant};

use korpus_core::{Block, InputEnd, PageParser};
use korpus_synth::{Codec, Profile, Size, Synth, SynthOptions};

pub use rivals::{SerdeComponent, SerdeData, SerdeMessage, SerdePage};

/// How much of a body the parser sees at a time.
const WINDOW: usize = 256 << 10;

/// Hands every block of a body to `each`, and takes it back.
pub fn blocks(parser: &mut PageParser, body: &[u8], each: impl FnMut(&Block)) {
    parser.reset();
    windows(parser, body, PageParser::feed, each);
}

/// The same of a body that is not copied.
pub fn shared_blocks(parser: &mut PageParser, body: &Arc<Vec<u8>>, each: impl FnMut(&Block)) {
    parser.reset();
    parser.share(Arc::clone(body));
    windows(parser, body, |parser, window| parser.advance(window.len()), each);
}

fn windows(
    parser: &mut PageParser,
    body: &[u8],
    mut take: impl FnMut(&mut PageParser, &[u8]),
    mut each: impl FnMut(&Block),
) {
    for window in body.chunks(WINDOW) {
        take(parser, window);
        while let Some(block) = parser.next_block() {
            each(&block);
            parser.recycle(block);
        }
    }
    parser.finish(InputEnd::Complete);
    while let Some(block) = parser.next_block() {
        each(&block);
        parser.recycle(block);
    }
}

/// Runs the jobs in turn, so often, and prints the least time of each, and how many times that of the first it is: what
/// else the machine does meanwhile meets all of them.
pub fn in_turn(title: &str, rounds: u32, jobs: &mut [(&str, &mut dyn FnMut())]) {
    let mut least = vec![Duration::MAX; jobs.len()];
    for _ in 0..rounds {
        for ((_, job), least) in jobs.iter_mut().zip(&mut least) {
            let start = Instant::now();
            job();
            *least = start.elapsed().min(*least);
        }
    }
    println!("{title}, least of {rounds} in turn:");
    for ((name, _), time) in jobs.iter().zip(&least) {
        println!(
            "  {name}: {:.3} ms, x {:.3}",
            time.as_secs_f64() * 1e3,
            time.as_secs_f64() / least[0].as_secs_f64()
        );
    }
}

/// A corpus of pages in memory, one body a file.
pub struct Corpus {
    /// `lean` (about 1 KB a message) or `rich` (2 to 3 KB, most of it unknown keys inside `channels`), and whether it is `busy`.
    pub name: &'static str,
    /// The files.
    pub files: Vec<Vec<u8>>,
    /// How many messages they hold.
    pub messages: u64,
}

impl Corpus {
    /// Pages of 10,000 messages with the shape of v2.
    ///
    /// # Panics
    /// If the generator fails, which it does not for options like these.
    pub fn new(name: &'static str, profile: Profile, codec: Codec, messages: u64) -> Self {
        let options = SynthOptions { profile, ..SynthOptions::default() };
        Self::made(name, options, codec, messages)
    }

    fn made(name: &'static str, options: SynthOptions, codec: Codec, messages: u64) -> Self {
        let options = SynthOptions { size: Size::Messages(messages), codecs: vec![codec], ..options };
        let (files, truth) =
            Synth::new(options).expect("plain options").write_memory().expect("memory does not fail");
        assert_eq!(truth.messages.seen, messages);
        Self { name, files: files.into_iter().map(|file| file.1).collect(), messages }
    }

    /// Lean pages in plain JSON, where this share of the bot's prompts are templates.
    ///
    /// # Panics
    /// Like [`new`](Self::new).
    pub fn with_templates(share: f64, messages: u64) -> Self {
        let options = SynthOptions { template_share: share, ..SynthOptions::default() };
        Self::made("templates", options, Codec::Plain, messages)
    }

    /// Lean and rich, in one codec.
    pub fn both(codec: Codec, messages: u64) -> [Self; 2] {
        Self::pair(["lean", "rich"], &SynthOptions::default(), codec, messages)
    }

    /// The same of a busy contact centre, where up to 5,000 sessions begin in an hour: what a session repeats stands further apart
    /// than gzip looks back, and partitions, caches and groups meet many sessions at a time.
    pub fn both_busy(codec: Codec, messages: u64) -> [Self; 2] {
        let options = SynthOptions { load: 100, users: 20_000, ..SynthOptions::default() };
        Self::pair(["lean, busy", "rich, busy"], &options, codec, messages)
    }

    /// Lean pages, and rich ones of half as many messages.
    fn pair(names: [&'static str; 2], options: &SynthOptions, codec: Codec, messages: u64) -> [Self; 2] {
        let made = |name, profile, messages| {
            Self::made(name, SynthOptions { profile, ..options.clone() }, codec, messages)
        };
        [made(names[0], Profile::Lean, messages), made(names[1], Profile::Rich, messages / 2)]
    }

    /// Bytes of all files.
    pub fn bytes(&self) -> u64 {
        self.files.iter().map(|file| file.len() as u64).sum()
    }
}
