//! The `korpus` program: picks the command, and turns what comes of it into an exit code.
#![deny(unsafe_code)]

#[allow(clippy::doc_markdown, reason = "the comments are help texts, and backticks would be printed")]
#[allow(clippy::struct_excessive_bools, reason = "every switch of the command line is one")]
mod args;
mod commands;
mod completeness;
mod drift;
mod exit;
mod fields;
mod interrupt;
mod memory;
mod panics;
mod parse;
mod progress;
mod reading;
mod show;
mod summary;

use std::process::ExitCode;

use clap::Parser as _;

use args::{Cli, Command};

/// Not where glibc is: as fast, it takes a third less memory, because buffers of all sizes that are free become one. The
/// allocators of other systems are slow where blocks and row groups come and go on all threads.
#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    memory::set_up();
    interrupt::outlive_size_limits();
    panics::tell_places_only();
    let outcome = match Cli::parse().command {
        Command::Convert(args) => commands::convert::run(&args),
        Command::Analyze(args) => commands::analyze::run(&args),
        Command::Check(args) => commands::check::run(&args),
        Command::Inspect(args) => commands::inspect::run(&args),
        Command::Restore(args) => commands::restore::run(&args),
        Command::Schema(args) => commands::schema::run(&args),
        Command::Synth(args) => commands::synth::run(&args),
    };
    exit::code(outcome)
}
