//! Messages and records that try to break a reader: always valid JSON, hardly ever what the reader expects.
//!
//! Every known field turns up with values of every type, out of range, empty, twice, under an escaped key or not at
//! all; unknown fields stand between them. One seed gives one value, for property tests that shrink by seed.

mod fields;
mod values;

use crate::ids;
use crate::rng::{Rng, mix};
use fields::{CONVERSATION, Field, Kind, MESSAGE, SESSION};

/// A hostile message object.
#[derive(Clone, Copy, Debug)]
pub struct HostileMessage;

/// A hostile session record.
#[derive(Clone, Copy, Debug)]
pub struct HostileSession;

/// A hostile conversation record, with hostile messages in most cases.
#[derive(Clone, Copy, Debug)]
pub struct HostileConversation;

/// Any hostile JSON value, objects and arrays nested to depth 20 among them.
#[derive(Clone, Copy, Debug)]
pub struct HostileValue;

impl HostileMessage {
    /// The message of this seed. It has the key `type`, and a time or components, so that it counts as a message.
    ///
    /// ```
    /// let message = korpus_synth::hostile::HostileMessage::generate(7);
    /// assert!(serde_json::from_slice::<&serde_json::value::RawValue>(&message).is_ok());
    /// ```
    pub fn generate(seed: u64) -> Vec<u8> {
        Gen::new(seed, 1).finish(|g| g.object(MESSAGE))
    }
}

impl HostileSession {
    /// The session record of this seed.
    pub fn generate(seed: u64) -> Vec<u8> {
        Gen::new(seed, 2).finish(|g| g.object(SESSION))
    }
}

impl HostileConversation {
    /// The conversation record of this seed.
    pub fn generate(seed: u64) -> Vec<u8> {
        Gen::new(seed, 3).finish(|g| g.object(CONVERSATION))
    }
}

impl HostileValue {
    /// The value of this seed.
    pub fn generate(seed: u64) -> Vec<u8> {
        Gen::new(seed, 4).finish(|g| g.anything(20))
    }
}

/// Writes JSON token by token; white space, where there is any, varies.
struct Gen {
    rng: Rng,
    seed: u64,
    out: Vec<u8>,
    /// In so many of a thousand places white space stands between tokens.
    spaces: u64,
    /// In so many of a thousand places a known field holds something unexpected.
    hostility: u64,
}

impl Gen {
    fn new(seed: u64, of: u64) -> Self {
        let seed = mix(seed, of);
        let mut rng = Rng::new(seed);
        let spaces = *rng.pick(&[0, 0, 60, 400]);
        // Some messages are almost good: what is broken in them must not be hidden by the rest.
        let hostility = *rng.pick(&[30, 150, 150, 500]);
        Self { rng, seed, out: Vec::new(), spaces, hostility }
    }

    fn finish(mut self, write: impl FnOnce(&mut Self)) -> Vec<u8> {
        write(&mut self);
        self.out
    }

    fn space(&mut self) {
        if self.rng.chance(self.spaces) {
            let text = *self.rng.pick(&[" ", "\n    ", "\r\n\t", "  "]);
            self.text(text);
        }
    }

    fn text(&mut self, json: &str) {
        self.out.extend_from_slice(json.as_bytes());
    }

    /// Writes an object with the fields given, some left out, some twice, some unknown ones between them.
    fn object(&mut self, fields: &[Field]) {
        let mut order: Vec<usize> = (0..fields.len()).collect();
        if self.rng.chance(350) {
            for index in (1..order.len()).rev() {
                order.swap(index, self.rng.below(index as u64 + 1) as usize);
            }
        }
        let mut written = false;
        self.out.push(b'{');
        for index in order {
            let field = fields[index];
            let absent = if self.rng.chance(150) { 900 } else { 80 };
            if !field.always && self.rng.chance(absent) {
                continue;
            }
            if self.rng.chance(30) {
                self.key(&mut written, unknown_key(index), false);
                self.anything(20);
            }
            let twice = self.rng.chance(25);
            for _ in 0..=u8::from(twice) {
                let escaped = self.rng.chance(25);
                self.key(&mut written, field.key, escaped);
                self.field(field);
            }
        }
        self.space();
        self.out.push(b'}');
    }

    fn key(&mut self, written: &mut bool, key: &str, escaped: bool) {
        if *written {
            self.space();
            self.out.push(b',');
        }
        *written = true;
        self.space();
        self.out.push(b'"');
        if escaped {
            let at = self.rng.below(key.len() as u64) as usize;
            let (before, after) = key.split_at(at);
            self.text(before);
            for byte in after.bytes().take(1) {
                self.text("\\u");
                ids::hex(&mut self.out, u64::from(byte), 4);
            }
            self.text(after.get(1..).unwrap_or_default());
        } else {
            self.text(key);
        }
        self.out.push(b'"');
        self.space();
        self.out.push(b':');
        self.space();
    }

    fn field(&mut self, field: Field) {
        if self.rng.chance(self.hostility) {
            return match self.rng.below(4) {
                0 => self.text(values::EMPTY[(self.rng.clone().below(5)) as usize]),
                1 => self.scalar(),
                _ => self.anything(20),
            };
        }
        self.good(field.kind);
    }

    fn good(&mut self, kind: Kind) {
        match kind {
            Kind::Id(prefix) => {
                let of = self.rng.next();
                self.out.push(b'"');
                ids::prefixed(&mut self.out, prefix, of);
                self.out.push(b'"');
            }
            Kind::Own(prefix) => {
                // Several messages of one record get different ids.
                let own = mix(self.seed, self.out.len() as u64);
                self.out.push(b'"');
                ids::prefixed(&mut self.out, prefix, own);
                self.out.push(b'"');
            }
            Kind::ObjectId => {
                let of = self.rng.next();
                self.out.push(b'"');
                ids::object_id(&mut self.out, 1_756_729_058, of);
                self.out.push(b'"');
            }
            Kind::Time => self.time(),
            Kind::Int => {
                let value = self.rng.range(-3, 2_000_000_000_000);
                ids::int(&mut self.out, value);
            }
            Kind::Flag => {
                let value = *self.rng.pick(&["0", "1", "true", "false"]);
                self.text(value);
            }
            Kind::Float => {
                let value = *self.rng.pick(&["0", "12", "0.5", "812.25", "1e3", "1.10", "-0.0"]);
                self.text(value);
            }
            Kind::OneOf(names) => {
                let name = *self.rng.pick(names);
                self.out.push(b'"');
                self.text(name);
                self.out.push(b'"');
            }
            Kind::Text => self.string(),
            Kind::Anything => self.anything(6),
            Kind::Object(fields) => self.object(fields),
            Kind::List(fields) => {
                let many = self.rng.below(4);
                self.list(many, |g| g.object(fields));
            }
            Kind::Strings => {
                let many = self.rng.below(3);
                self.list(many, Self::string);
            }
        }
    }

    fn list(&mut self, many: u64, mut each: impl FnMut(&mut Self)) {
        self.out.push(b'[');
        for index in 0..many {
            if index > 0 {
                self.out.push(b',');
            }
            self.space();
            each(self);
        }
        self.space();
        self.out.push(b']');
    }
}

/// A key that no document lists; some nearly look like known ones.
fn unknown_key(salt: usize) -> &'static str {
    const KEYS: [&str; 12] = [
        "cek",
        "x",
        "",
        "_Id",
        "type ",
        "components2",
        "a\\\"b",
        "k\\u0000",
        "тип",
        "\\ud800",
        "extra.path/to~it",
        "tr9_Z",
    ];
    KEYS[salt % KEYS.len()]
}

#[cfg(test)]
mod tests;
