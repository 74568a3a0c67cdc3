//! `korpus restore`: a dataset back as JSON lines.

use std::io::{BufWriter, Write as _};

use korpus_tables::restore;

use crate::args::RestoreArgs;
use crate::exit::{Exit, Failure};

/// Runs the command. The lines are data: they go out byte for byte.
pub(crate) fn run(args: &RestoreArgs) -> Result<Exit, Failure> {
    let mut out = BufWriter::with_capacity(256 << 10, std::io::stdout().lock());
    restore(&args.dir, &mut out)?;
    out.flush()?;
    Ok(Exit::Clean)
}
