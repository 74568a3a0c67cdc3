//! Deterministic synthetic dumps of conversation history, with their ground truth.
//!
//! [`Synth`] writes what the platform's endpoints would answer for a population of bots and users that does not
//! exist: sessions that look like conversations, in every shape and codec, with copies and damage on request. The
//! [`Truth`] says what a reader must find. [`hostile`] makes single messages that try to break a reader.
//!
//! ```
//! use korpus_synth::{Codec, Size, Synth, SynthOptions};
//!
//! let options = SynthOptions {
//!     size: Size::Messages(50),
//!     codecs: vec![Codec::Plain],
//!     ..SynthOptions::default()
//! };
//! let (files, truth) = Synth::new(options)?.write_memory()?;
//! assert_eq!((files.len(), truth.messages.seen), (1, 50));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

#![forbid(unsafe_code)]

mod body;
mod container;
mod conversation;
mod damage;
pub mod hostile;
mod ids;
mod json;
mod options;
mod rng;
mod shape;
mod synth;
mod template;
mod text;
mod truth;
mod walk;

pub use options::{Codec, Damage, Layout, OptionsError, Profile, Shape, Size, SynthOptions};
pub use synth::{NamedFiles, Synth};
pub use truth::{BodyTruth, Books, RejectTruth, Truth, VolumeTruth};
