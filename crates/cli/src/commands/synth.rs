//! `korpus synth`: synthetic dumps, with their ground truth.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use korpus_engine::EngineError;
use korpus_synth::{Codec, Size, Synth, SynthOptions, Truth};

use crate::args::SynthArgs;
use crate::exit::{Exit, Failure};
use crate::interrupt;
use crate::show::{count, print, thousands, visible};

/// Runs the command.
pub(crate) fn run(args: &SynthArgs) -> Result<Exit, Failure> {
    let synth = Synth::new(options(args)).map_err(|error| Failure::Usage(error.to_string()))?;
    let Some(out) = &args.out else {
        let mut stream = BufWriter::with_capacity(256 << 10, io::stdout().lock());
        synth.write_stream(&mut stream)?;
        stream.flush()?;
        return Ok(Exit::Clean);
    };
    let truth = write_dir(&synth, out)?;
    if !args.quiet {
        let text = format!(
            "Wrote {} to {} ({} messages, {} records, {}), and what a reader must find in them to {}\n",
            count(truth.files, "file", "files"),
            visible(&out.join("dump").display().to_string()),
            thousands(truth.messages.seen),
            thousands(truth.records.seen),
            count(truth.bodies.len() as u64, "body", "bodies"),
            visible(&out.join("truth.json").display().to_string()),
        );
        print(&text)?;
    }
    Ok(Exit::Clean)
}

fn options(args: &SynthArgs) -> SynthOptions {
    let default = if args.stdout { Codec::Plain } else { Codec::Gzip };
    SynthOptions {
        seed: args.seed,
        size: args.pages.map_or(Size::Messages(args.messages), Size::Pages),
        page_size: args.page_size,
        shapes: args.shapes.clone(),
        codecs: if args.codecs.is_empty() { vec![default] } else { args.codecs.clone() },
        profile: args.profile,
        pretty: args.pretty,
        layout: args.layout,
        bodies_per_file: args.bodies_per_file,
        duplicates: args.duplicates,
        edited_copies: args.edited_copies,
        overlap: args.overlap,
        damage: args.damage.clone(),
        damage_every: args.damage_every,
        bots: args.bots,
        users: args.users,
        load: args.load,
        template_share: args.template_share,
        forward: args.forward,
    }
}

/// Writes the dump and its truth; removes the dump again where that fails.
fn write_dir(synth: &Synth, out: &Path) -> Result<Truth, Failure> {
    let stop = interrupt::flag();
    let dump = out.join("dump");
    fs::create_dir_all(out).map_err(|error| EngineError::io("create", out, error))?;
    fs::create_dir(&dump).map_err(|error| EngineError::io("create", &dump, error))?;
    let outcome = fill(synth, out, &dump, &stop);
    if outcome.is_err() {
        // What cannot be removed now stays: there is no truth beside it.
        let _ = fs::remove_dir_all(&dump);
    }
    match outcome {
        Err(_) if stop.load(Ordering::Relaxed) => {
            Err(Failure::Interrupted("interrupted: what was written is removed"))
        }
        Err(error) => Err(EngineError::io("write", &dump, error).into()),
        Ok(truth) => Ok(truth),
    }
}

fn fill(synth: &Synth, out: &Path, dump: &Path, stop: &Arc<AtomicBool>) -> io::Result<Truth> {
    let truth = synth.write_with(|name| {
        let file = Stoppable { file: File::create(dump.join(name))?, stop: Arc::clone(stop) };
        Ok(BufWriter::with_capacity(64 << 10, file))
    })?;
    // Written beside and renamed: a truth that is there is whole.
    let unfinished = out.join(".truth.json.tmp");
    let mut file = BufWriter::new(File::create(&unfinished)?);
    serde_json::to_writer_pretty(&mut file, &truth)?;
    file.write_all(b"\n")?;
    file.flush()?;
    fs::rename(unfinished, out.join("truth.json"))?;
    Ok(truth)
}

/// A file that cannot be written any more once the program is told to stop.
struct Stoppable {
    file: File,
    stop: Arc<AtomicBool>,
}

impl Write for Stoppable {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.stop.load(Ordering::Relaxed) {
            return Err(io::Error::other("told to stop"));
        }
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}
