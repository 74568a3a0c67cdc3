//! The dump as a whole: which body comes next, in which file, and where files go.

use std::fs;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use crate::body::Bodies;
use crate::container::{BROKEN_MEMBER, Encoder, GARBAGE, file_name};
use crate::damage::{breaks_message, cuts_body, instead};
use crate::options::{Codec, Damage, Layout, OptionsError, Shape, Size, SynthOptions};
use crate::truth::Truth;

/// Files in memory: names and contents.
pub type NamedFiles = Vec<(String, Vec<u8>)>;

/// A dump, ready to be written as often as wanted: always the same bytes.
#[derive(Clone, Debug)]
pub struct Synth {
    options: SynthOptions,
}

impl Synth {
    /// Checks the options.
    ///
    /// # Errors
    /// If they do not fit together.
    pub fn new(options: SynthOptions) -> Result<Self, OptionsError> {
        options.validate()?;
        Ok(Self { options })
    }

    /// Writes the files of the dump, in order, each into what `open` returns for its name. Nothing is held but
    /// a piece of the text, the truth so far, and a few hundred bytes for every message that occurs twice.
    ///
    /// # Errors
    /// What `open` or a writer returns.
    pub fn write_with<W: Write>(&self, mut open: impl FnMut(&str) -> io::Result<W>) -> io::Result<Truth> {
        let options = &self.options;
        let mut bodies = Bodies::new(options.clone(), false);
        let mut plan = Plan::default();
        let mut number = 0;
        while !bodies.finished() {
            number += 1;
            let shape = bodies.next_shape();
            let damage = plan.damage(options, shape, bodies.repeats());
            let codec = match damage {
                Some(Damage::CorruptMember | Damage::TrailingGarbage) => Codec::Gzip,
                Some(Damage::EmptyFile) => Codec::Plain,
                _ => options.codecs[((number - 1) % options.codecs.len() as u64) as usize],
            };
            let name = file_name(options.layout, number, codec);
            let mut file = Encoder::new(codec, open(&name)?)?;
            match options.layout {
                Layout::Files => bodies.write(&mut file, &name, codec, 0, damage)?,
                Layout::NdjsonMessages => bodies.write_lines(&mut file, &name, codec)?,
                Layout::NdjsonBodies | Layout::Concatenated => {
                    for index in 0..options.bodies_per_file {
                        bodies.write(&mut file, &name, codec, index, None)?;
                        if options.layout == Layout::NdjsonBodies {
                            file.write_all(b"\n")?;
                        }
                        if bodies.finished() {
                            break;
                        }
                    }
                }
            }
            let mut inner = file.finish()?;
            match damage {
                Some(Damage::CorruptMember) => inner.write_all(&BROKEN_MEMBER)?,
                Some(Damage::TrailingGarbage) => inner.write_all(GARBAGE)?,
                _ => {}
            }
            inner.flush()?;
        }
        Ok(bodies.into_truth(number))
    }

    /// Writes the dump into the new folder `dump` below `out`, and `truth.json` beside that folder.
    ///
    /// # Errors
    /// If `dump` exists, or writing fails.
    pub fn write_dir(&self, out: &Path) -> io::Result<Truth> {
        let dump = out.join("dump");
        fs::create_dir_all(out)?;
        fs::create_dir(&dump)?;
        let truth = self.write_with(|name| fs::File::create(dump.join(name)).map(BufWriter::new))?;
        let mut file = BufWriter::new(fs::File::create(out.join("truth.json"))?);
        serde_json::to_writer_pretty(&mut file, &truth)?;
        file.write_all(b"\n")?;
        file.flush()?;
        Ok(truth)
    }

    /// Writes everything into one stream with the first codec: one single body in the layout
    /// [`Layout::Files`] (several only where a body is one call or one error), else as the layout says. Of the
    /// damage, only what breaks a message or adds a comma applies. The truth names the file `-`.
    ///
    /// # Errors
    /// What the writer returns.
    pub fn write_stream(&self, out: &mut impl Write) -> io::Result<Truth> {
        let mut options = self.options.clone();
        let codec = options.codecs[0];
        let whole = options.layout == Layout::Files;
        options.damage.retain(|&damage| breaks_message(damage) || damage == Damage::TrailingComma);
        if whole || options.layout == Layout::NdjsonMessages {
            if let Size::Pages(pages) = options.size {
                options.size = Size::Messages(pages.saturating_mul(options.page_size));
            }
            options.page_size = u64::MAX;
            options.overlap = 0.0;
            options.damage_every = 1;
        }
        let layout = options.layout;
        let mut plan = Plan::default();
        let mut bodies = Bodies::new(options.clone(), whole);
        let mut file = Encoder::new(codec, out)?;
        let mut index = 0;
        while !bodies.finished() {
            if layout == Layout::NdjsonMessages {
                bodies.write_lines(&mut file, "-", codec)?;
                continue;
            }
            let damage = plan.damage(&options, bodies.next_shape(), bodies.repeats());
            bodies.write(&mut file, "-", codec, index, damage)?;
            if layout == Layout::NdjsonBodies {
                file.write_all(b"\n")?;
            }
            index += 1;
        }
        file.finish()?;
        Ok(bodies.into_truth(1))
    }

    /// Writes the files of the dump into memory.
    ///
    /// # Errors
    /// If a compressor fails.
    pub fn write_memory(&self) -> io::Result<(NamedFiles, Truth)> {
        let files = std::cell::RefCell::new(Vec::new());
        let truth = self.write_with(|name| {
            files.borrow_mut().push((name.to_owned(), Vec::new()));
            Ok(Last(&files))
        })?;
        Ok((files.into_inner(), truth))
    }
}

/// Writes to the last file of a list.
struct Last<'a>(&'a std::cell::RefCell<NamedFiles>);

impl Write for Last<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if let Some((_, file)) = self.0.borrow_mut().last_mut() {
            file.extend_from_slice(bytes);
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Which body gets which damage.
#[derive(Default)]
struct Plan {
    bodies: u64,
    owed: u64,
    done: usize,
}

impl Plan {
    /// The damage of the next body: each kind in turn, as soon as a body comes that can have it.
    fn damage(&mut self, options: &SynthOptions, shape: Shape, repeats: bool) -> Option<Damage> {
        if options.damage.is_empty() {
            return None;
        }
        self.bodies += 1;
        self.owed += u64::from(self.bodies.is_multiple_of(options.damage_every));
        let damage = options.damage[self.done % options.damage.len()];
        let breaks = breaks_message(damage) || cuts_body(damage) || damage == Damage::TrailingComma;
        let breakable = matches!(shape, Shape::V1 | Shape::V2 | Shape::Stream | Shape::Lite);
        // A repeated body is equal to the one before it, and an error is damage enough.
        if self.owed == 0 || repeats || shape == Shape::Error || (breaks && !breakable) {
            return None;
        }
        debug_assert!(breaks || instead(damage).is_some() || damage == Damage::TrailingGarbage);
        self.owed -= 1;
        self.done += 1;
        Some(damage)
    }
}
