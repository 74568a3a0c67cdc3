//! Values that readers trip over: numbers, strings, dates, nests.

use super::Gen;
use crate::ids;

/// Numbers that do not survive a double, an `i64`, or a formatter.
pub(super) const NUMBERS: [&str; 26] = [
    "0",
    "-0",
    "-0.0",
    "1",
    "-1",
    "1e5",
    "1E+2",
    "1E400",
    "1e999",
    "-1e-999",
    "1.10",
    "1.0",
    "0.1",
    "1e-7",
    "100e-2",
    "9007199254740993",
    "-9007199254740993",
    "9223372036854775807",
    "9223372036854775808",
    "-9223372036854775808",
    "-9223372036854775809",
    "18446744073709551615",
    "18446744073709551616",
    "3.141592653589793238462643383279",
    "123456789012345678901234567890.5",
    "4.9e-324",
];

/// The insides of strings, as they stand in JSON.
pub(super) const STRINGS: [&str; 36] = [
    "",
    " ",
    "x",
    "\\u0000",
    "a\\u0000b",
    "\\ud83d",
    "\\ude00",
    "\\ude00\\ud83d",
    "\\ud83d\\ude00",
    "\\uD83D\\uDE00",
    "\\ud83dx",
    "\\u00e9",
    "é",
    "e\\u0301",
    "😀",
    "\\\"",
    "\\\\",
    "\\/",
    "\\b\\f\\n\\r\\t",
    "</script>",
    "{",
    "[1",
    "{\\\"type\\\":\\\"template\\\"}",
    "{\\\"type\\\":\\\"outgoing\\\",\\\"components\\\":[]}",
    "null",
    "0",
    "true",
    "\u{7f}",
    "\u{2028}",
    "\u{feff}",
    "\u{202e}abc",
    "नमस्ते",
    "\u{10ffff}",
    "a,b;\\tc",
    "\\u001b[31mred",
    "\\\\u0041",
];

/// Dates that are no canonical ISO-8601 UTC timestamp with milliseconds, and some that are none at all.
pub(super) const DATES: [&str; 27] = [
    "2025-09-01T12:17:38Z",
    "2025-09-01T12:17:38.8Z",
    "2025-09-01T12:17:38.824123Z",
    "2025-09-01T12:17:38.824123456Z",
    "2025-09-01T12:17:38.824+00:00",
    "2025-09-01T14:17:38.824+02:00",
    "2025-09-01T12:17:38.824-0530",
    "2025-09-01T12:17:38.824z",
    "2025-09-01t12:17:38.824Z",
    "2025-09-01 12:17:38.824Z",
    "2025-09-01T12:17:38.824",
    "2025-09-01",
    "0001-01-01T00:00:00.000Z",
    "0000-01-01T00:00:00.000Z",
    "9999-12-31T23:59:59.999Z",
    "+012345-01-01T00:00:00.000Z",
    "1969-12-31T23:59:59.999Z",
    "2016-12-31T23:59:60.000Z",
    "2025-02-29T00:00:00.000Z",
    "2024-02-29T00:00:00.000Z",
    "2025-13-01T00:00:00.000Z",
    "2025-00-10T00:00:00.000Z",
    "2025-09-31T00:00:00.000Z",
    "2025-09-01T24:00:00.000Z",
    "2025-09-01T12:60:00.000Z",
    "Mon Sep 01 2025",
    "1756729058824",
];

/// Values that are there and hold nothing.
pub(super) const EMPTY: [&str; 5] = ["null", "[]", "{}", "\"\"", "\" \""];

impl Gen {
    /// Any scalar.
    pub(super) fn scalar(&mut self) {
        match self.rng.below(10) {
            0 => self.text("true"),
            1 => self.text("false"),
            2 => self.text("null"),
            3 => {
                let date = *self.rng.pick(&DATES);
                self.quote(date);
            }
            4..7 => self.number(),
            _ => self.string(),
        }
    }

    fn number(&mut self) {
        match self.rng.below(20) {
            0 => {
                // An integer of 400 digits.
                for _ in 0..400 {
                    let digit = 1 + self.rng.below(9) as u8;
                    self.out.push(b'0' + digit);
                }
            }
            1 => {
                let value = self.rng.next() as i64;
                ids::int(&mut self.out, value);
            }
            _ => {
                let number = *self.rng.pick(&NUMBERS);
                self.text(number);
            }
        }
    }

    fn quote(&mut self, inside: &str) {
        self.out.push(b'"');
        self.text(inside);
        self.out.push(b'"');
    }

    /// A string: one of the evil ones, some of them joined, or a huge one.
    pub(super) fn string(&mut self) {
        self.out.push(b'"');
        let pieces = match self.rng.below(60) {
            0 => 3_000 + self.rng.below(3_000),
            n @ 1..20 => n,
            _ => 1,
        };
        for _ in 0..pieces {
            let piece = *self.rng.pick(&STRINGS);
            self.text(piece);
        }
        self.out.push(b'"');
    }

    /// A time: canonical in most cases.
    pub(super) fn time(&mut self) {
        if self.rng.chance(250) {
            let date = *self.rng.pick(&DATES);
            return self.quote(date);
        }
        let ms = 1_756_700_000_000 + self.rng.range(0, 600_000_000);
        self.out.push(b'"');
        ids::iso(&mut self.out, ms);
        self.out.push(b'"');
    }

    /// Any value, nested at most `depth` deep.
    pub(super) fn anything(&mut self, depth: u64) {
        if depth == 0 || self.rng.chance(550) {
            return self.scalar();
        }
        if self.rng.chance(40) {
            // Straight down, so that the deepest level is met.
            let arrays = self.rng.chance(500);
            for _ in 0..depth {
                self.text(if arrays { "[" } else { "{\"d\":" });
            }
            self.scalar();
            for _ in 0..depth {
                self.text(if arrays { "]" } else { "}" });
            }
            return;
        }
        let many = self.rng.below(4);
        if self.rng.chance(500) {
            self.list(many, |g| g.anything(depth - 1));
        } else {
            let mut written = false;
            self.out.push(b'{');
            for _ in 0..many {
                let key = *self.rng.pick(&STRINGS);
                self.key(&mut written, key, false);
                self.anything(depth - 1);
            }
            if self.rng.chance(60) {
                // One key twice, with values that differ.
                for _ in 0..2 {
                    self.key(&mut written, "type", false);
                    self.scalar();
                }
            }
            self.space();
            self.out.push(b'}');
        }
    }
}
