//! The commands, one file each.

pub(crate) mod analyze;
pub(crate) mod check;
pub(crate) mod convert;
pub(crate) mod inspect;
pub(crate) mod restore;
pub(crate) mod schema;
pub(crate) mod synth;
mod volumes;
