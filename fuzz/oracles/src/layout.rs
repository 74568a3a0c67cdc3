//! Messages of odd layout: what a scanner that predicts the next key could get wrong, by seed.

use korpus_core::{
    AuthorField, ChannelField, ComponentField, DataField, LatencyField, LatencyPartField, MessageField,
    TagField, TagsField, ThumbnailField,
};

/// A small generator of numbers: `SplitMix64`.
struct Rng(u64);

impl Rng {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, end: usize) -> usize {
        (self.next() % end.max(1) as u64) as usize
    }

    fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    fn pick<'a, T: ?Sized>(&mut self, of: &[&'a T]) -> &'a T {
        of[self.below(of.len())]
    }
}

/// An object of the API, as far as values of the right shape go.
#[derive(Clone, Copy)]
enum Of {
    Message,
    Component,
    Data,
    Thumbnail,
    Channel,
    Tags,
    Tag,
    Author,
    Latency,
    Part,
    Unknown,
}

impl Of {
    fn keys(self) -> Vec<&'static str> {
        match self {
            Self::Message => MessageField::ALL.iter().map(|field| field.key()).collect(),
            Self::Component => ComponentField::ALL.iter().map(|field| field.key()).collect(),
            Self::Data => DataField::ALL.iter().map(|field| field.key()).collect(),
            Self::Thumbnail => ThumbnailField::ALL.iter().map(|field| field.key()).collect(),
            Self::Channel => ChannelField::ALL.iter().map(|field| field.key()).collect(),
            Self::Tags => TagsField::ALL.iter().map(|field| field.key()).collect(),
            Self::Tag => TagField::ALL.iter().map(|field| field.key()).collect(),
            Self::Author => AuthorField::ALL.iter().map(|field| field.key()).collect(),
            Self::Latency => LatencyField::ALL.iter().map(|field| field.key()).collect(),
            Self::Part => LatencyPartField::ALL.iter().map(|field| field.key()).collect(),
            Self::Unknown => Vec::new(),
        }
    }

    /// What the value of a key is made of, and whether it is a list of them.
    fn child(self, key: &str) -> Option<(Self, bool)> {
        Some(match (self, key) {
            (Self::Message, "components") => (Self::Component, true),
            (Self::Message, "channels") => (Self::Channel, true),
            (Self::Message, "tags") => (Self::Tags, false),
            (Self::Message, "author") => (Self::Author, false),
            (Self::Message, "latency") => (Self::Latency, false),
            (Self::Component, "data") => (Self::Data, false),
            (Self::Component, "thumbnails") => (Self::Thumbnail, true),
            (Self::Tags, _) => (Self::Tag, true),
            (Self::Latency, "asr" | "bot" | "tts") => (Self::Part, false),
            _ => return None,
        })
    }
}

/// How a message is laid out.
struct Odd {
    rng: Rng,
    out: Vec<u8>,
    /// What stands before each key: nothing, or a line end and this much indent a level.
    indent: Option<&'static str>,
    /// Percent of places with white space of any kind.
    spaces: usize,
    reversed: bool,
    escapes: usize,
    repeats: usize,
    /// Unknown keys of an object, at most, and out of how many.
    unknown: usize,
    names: usize,
}

/// A message object of odd layout.
///
/// Indents longer than a prediction, orders of keys that change, keys past 255 bytes and in thousands, known keys with
/// escapes, repeated ones with children.
pub fn odd_message(seed: u64) -> Vec<u8> {
    let mut odd = Odd::new(seed);
    odd.object(Of::Message, 0);
    odd.out
}

/// Any value of odd layout, some levels deep.
pub fn odd_value(seed: u64) -> Vec<u8> {
    let mut odd = Odd::new(seed);
    odd.any(0);
    odd.out
}

impl Odd {
    fn new(seed: u64) -> Self {
        let mut rng = Rng(seed);
        let indent = match rng.below(8) {
            0 => Some("  "),
            1 => Some("                                        "),
            2 => Some("\t"),
            3 => Some("      "),
            _ => None,
        };
        let (unknown, names) = [(0, 1), (2, 30), (6, 60), (40, 300), (150, 3000)][rng.below(5)];
        Self {
            out: Vec::new(),
            indent,
            spaces: [0, 0, 3, 40][rng.below(4)],
            reversed: rng.chance(30),
            escapes: [0, 2, 30][rng.below(3)],
            repeats: [0, 2, 20][rng.below(3)],
            unknown,
            names,
            rng,
        }
    }

    fn text(&mut self, text: &str) {
        self.out.extend_from_slice(text.as_bytes());
    }

    fn space(&mut self) {
        if self.rng.chance(self.spaces) {
            let space = self.rng.pick(&[
                " ",
                "  ",
                "\n",
                "\r\n",
                "\t",
                "                                 ",
                " \n \r \t ",
            ]);
            self.text(space);
        }
    }

    fn line(&mut self, level: usize) {
        if let Some(indent) = self.indent {
            self.text("\n");
            for _ in 0..level {
                self.text(indent);
            }
        }
        self.space();
    }

    fn object(&mut self, of: Of, level: usize) {
        let mut keys: Vec<(String, Option<&'static str>)> = Vec::new();
        let thin = self.rng.chance(15);
        for key in of.keys() {
            if self.rng.chance(if thin { 15 } else { 85 }) {
                keys.push((key.to_owned(), Some(key)));
            }
        }
        if self.reversed {
            keys.reverse();
        }
        let unknown = if matches!(of, Of::Message) { self.unknown } else { self.unknown.min(12 >> level) };
        for _ in 0..self.rng.below(unknown + 1) {
            let at = self.rng.below(keys.len() + 1);
            keys.insert(at, (self.name(), None));
        }
        let mut at = 0;
        while at < keys.len() {
            if self.rng.chance(self.repeats) {
                let later = at + self.rng.below(keys.len() - at + 1);
                keys.insert(later, keys[at].clone());
            }
            at += 1;
        }
        self.text("{");
        for (index, (name, known)) in keys.iter().enumerate() {
            if index > 0 {
                self.space();
                self.text(",");
            }
            self.line(level + 1);
            self.key(name);
            self.space();
            self.text(":");
            if self.indent.is_some() {
                self.text(" ");
            }
            self.space();
            match known.and_then(|key| of.child(key)) {
                Some((child, false)) if self.rng.chance(85) => self.object(child, level + 1),
                Some((child, true)) if self.rng.chance(85) => self.list(child, level + 1),
                _ => self.any(level + 1),
            }
        }
        if !keys.is_empty() {
            self.line(level);
        }
        self.text("}");
    }

    fn list(&mut self, of: Of, level: usize) {
        self.text("[");
        let count = self.rng.below(4);
        for index in 0..count {
            if index > 0 {
                self.space();
                self.text(",");
            }
            self.line(level + 1);
            if self.rng.chance(92) {
                self.object(of, level + 1);
            } else {
                self.any(level + 1);
            }
        }
        self.line(level);
        self.text("]");
    }

    /// The name of an unknown key: the same ones turn up again and again.
    fn name(&mut self) -> String {
        let number = self.rng.below(self.names);
        match number % 13 {
            0 => format!("{number:0>300}"),
            1 => format!("k{number}{}", "x".repeat(number % 64)),
            2 => self
                .rng
                .pick(&["", "typ", "type2", "Type", "_I", "component", "text ", "ключ", "\u{1f600}"])
                .to_owned(),
            _ => format!("key{number}"),
        }
    }

    fn key(&mut self, name: &str) {
        self.text("\"");
        let escape = self.rng.chance(self.escapes).then(|| self.rng.below(name.chars().count()));
        for (at, char) in name.chars().enumerate() {
            if escape == Some(at) && u32::from(char) < 0x1_0000 {
                let code = format!("\\u{:04x}", u32::from(char));
                self.text(&code);
            } else {
                self.text(char.encode_utf8(&mut [0; 4]));
            }
        }
        self.text("\"");
    }

    fn any(&mut self, level: usize) {
        match self.rng.below(if level < 5 { 14 } else { 10 }) {
            0..=2 => self.string(),
            3 => self.text("\"\""),
            4 | 5 => {
                let number = self.rng.next() >> self.rng.below(64);
                let number = match self.rng.below(5) {
                    0 => format!("-{number}"),
                    1 => format!("{number}.{}", number % 1000),
                    2 => format!("{}e{}", number % 10, number % 400),
                    _ => number.to_string(),
                };
                self.text(&number);
            }
            6 => {
                let word = self.rng.pick(&["true", "false", "null", "0", "-0"]);
                self.text(word);
            }
            7 => self.text("{}"),
            8 => self.text("[]"),
            9 => {
                self.text("{");
                self.space();
                self.text("}");
            }
            10 | 11 => self.object(Of::Unknown, level),
            _ => self.list(Of::Unknown, level),
        }
    }

    fn string(&mut self) {
        let len = match self.rng.below(4) {
            0 => self.rng.below(8),
            1 => 28 + self.rng.below(8),
            2 => 60 + self.rng.below(8),
            _ => self.rng.below(200),
        };
        let odd = self.rng.chance(25);
        self.text("\"");
        let from = self.out.len();
        while self.out.len() < from + len {
            if odd && self.rng.chance(10) {
                let piece = self.rng.pick(&[
                    "\\\"",
                    "\\\\",
                    "\\n",
                    "\\/",
                    "\\ud83d\\ude00",
                    "\\ud83d",
                    "\\u0000",
                    "{",
                    "}",
                    "]",
                    ",",
                    ":",
                    "ü",
                    "€",
                    "😀",
                    "\u{7f}",
                ]);
                self.text(piece);
            } else {
                self.out.push(b'a' + self.rng.below(26) as u8);
            }
        }
        self.text("\"");
    }
}
