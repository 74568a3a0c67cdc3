//! Runs the real program in temporary directories.

mod analyze;
mod append;
mod commands;
mod common;
mod convert;
mod enemy;
mod exit_codes;
mod filters;
mod interruption;
mod readme;
mod round_trip;
