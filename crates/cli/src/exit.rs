//! How a command ends: the exit codes, and what is said before them.

use std::path::PathBuf;
use std::process::ExitCode;
use std::{fmt, io};

use korpus_analytics::AnalyticsError;
use korpus_engine::EngineError;
use korpus_tables::TablesError;

use crate::show::visible;

/// How a command ended that did its work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// All clean: 0.
    Clean,
    /// Something was rejected, partial or an error response: 1.
    Findings,
}

impl Exit {
    /// The exit code.
    pub(crate) const fn code(self) -> u8 {
        match self {
            Self::Clean => 0,
            Self::Findings => 1,
        }
    }
}

/// Why a command did nothing.
#[derive(Debug)]
pub(crate) enum Failure {
    /// Arguments that make no sense together.
    Usage(String),
    /// The run, or the dataset.
    Tables(TablesError),
    /// The metrics.
    Analytics(AnalyticsError),
    /// Writing what the command prints.
    Output(io::Error),
    /// Ctrl-C.
    Interrupted(&'static str),
    /// The same, and what was finished before it is kept here.
    Kept(Box<Failure>, PathBuf),
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Usage(what) => f.write_str(what),
            Self::Tables(error) => error.fmt(f),
            Self::Analytics(error) => error.fmt(f),
            Self::Output(error) => write!(f, "cannot write to standard output: {error}"),
            Self::Interrupted(what) => f.write_str(what),
            Self::Kept(failure, progress) => write!(
                f,
                "{failure} (what was finished before is kept in {}: the same command goes on from there, and a run without \
                 --resume removes it)",
                progress.display()
            ),
        }
    }
}

impl From<EngineError> for Failure {
    fn from(error: EngineError) -> Self {
        Self::Tables(TablesError::Engine(error))
    }
}

impl From<TablesError> for Failure {
    fn from(error: TablesError) -> Self {
        Self::Tables(error)
    }
}

impl From<AnalyticsError> for Failure {
    fn from(error: AnalyticsError) -> Self {
        match error {
            AnalyticsError::Engine(error) => error.into(),
            AnalyticsError::Tables(error) => Self::Tables(error),
            error => Self::Analytics(error),
        }
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Output(error)
    }
}

impl Failure {
    /// Whether whoever read the output has gone: no failure, `head` does that.
    fn is_broken_pipe(&self) -> bool {
        match self {
            Self::Output(error) => error.kind() == io::ErrorKind::BrokenPipe,
            Self::Tables(TablesError::Engine(EngineError::Io { source, .. })) => {
                source.kind() == io::ErrorKind::BrokenPipe
            }
            _ => false,
        }
    }

    fn code(&self) -> u8 {
        match self {
            Self::Interrupted(_) | Self::Tables(TablesError::Engine(EngineError::Cancelled)) => 130,
            Self::Kept(failure, _) => failure.code(),
            failure if failure.is_broken_pipe() => 0,
            _ => 2,
        }
    }
}

/// The exit code of what came of a command; failures are told on standard error.
pub(crate) fn code(outcome: Result<Exit, Failure>) -> ExitCode {
    match outcome {
        Ok(exit) => ExitCode::from(exit.code()),
        Err(failure) => {
            if !failure.is_broken_pipe() {
                // Paths may hold anything; a terminal must not obey it.
                anstream::eprintln!("korpus: {}", visible(&failure.to_string()));
            }
            ExitCode::from(failure.code())
        }
    }
}
