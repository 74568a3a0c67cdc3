//! Texts as they are compared: normalised, hashed, and looked through for phrases.

use caseless::Caseless as _;
use twox_hash::XxHash3_64;
use unicode_normalization::{IsNormalized, UnicodeNormalization as _, is_nfc_quick};

use crate::events::Flags;
use crate::hash::hash;
use crate::options::AnalyzeOptions;

/// How many characters of a text stand in aggregates at most.
const SHOWN_CHARS: usize = 1000;

/// Appends the normalised form of `text`: NFC, full case folding, white space runs to one space, trimmed.
pub(crate) fn normalize(text: &str, out: &mut String) {
    let start = out.len();
    if is_plain(text) {
        out.push_str(text);
        out[start..].make_ascii_lowercase();
        return;
    }
    let mut collapsed = Collapsed { start, space: false, out };
    if is_below_marks(text.as_bytes()) || is_nfc_quick(text.chars()) == IsNormalized::Yes {
        for c in text.chars() {
            match folded(c) {
                Some(c) => collapsed.push(c),
                None => std::iter::once(c).default_case_fold().for_each(|c| collapsed.push(c)),
            }
        }
    } else {
        text.nfc().default_case_fold().for_each(|c| collapsed.push(c));
    }
}

/// The case folding of a character, where it takes no table: of Latin-1 and what becomes such, and of scripts without capitals.
fn folded(c: char) -> Option<char> {
    match c {
        '\0'..='\u{7f}' => Some(c.to_ascii_lowercase()),
        // Small letters and the sign among them; scripts without capitals, from Hebrew to Burmese; punctuation; Chinese,
        // Japanese and Korean.
        '\u{d7}'
        | '\u{e0}'..='\u{ff}'
        | '\u{590}'..='\u{109f}'
        | '\u{2000}'..='\u{20ff}'
        | '\u{2e80}'..='\u{a63f}'
        | '\u{ac00}'..='\u{d7a3}' => Some(c),
        // The capital letters, as far from the small ones as in ASCII.
        '\u{c0}'..='\u{de}' => char::from_u32(u32::from(c) + 32),
        _ => None,
    }
}

/// Whether all characters of a text come before U+0300, the first that joins another one: such texts are in NFC.
fn is_below_marks(text: &[u8]) -> bool {
    text.iter().all(|&byte| byte < 0xcc)
}

/// Whether only the capital letters of ASCII change, as in most texts: all characters are plain, and there is no white space but
/// single spaces between words.
fn is_plain(text: &str) -> bool {
    let mut before = ' ';
    text.chars().all(|c| {
        let is_plain = if c.is_ascii() { c > ' ' || c == ' ' && before != ' ' } else { stays(c) };
        before = c;
        is_plain
    }) && before != ' '
}

/// Whether a character is of those that stay what they are, whatever stands beside them: small letters, letters of scripts without
/// capitals, signs.
fn stays(c: char) -> bool {
    matches!(c,
        '\u{a1}'..='\u{b4}'
        | '\u{b6}'..='\u{bf}'
        | '\u{d7}'
        | '\u{e0}'..='\u{ff}'
        // Cyrillic, Hebrew, Arabic and Devanagari.
        | '\u{430}'..='\u{44f}'
        | '\u{5d0}'..='\u{5ea}'
        | '\u{620}'..='\u{64a}'
        | '\u{904}'..='\u{939}'
        | '\u{93d}'..='\u{950}'
        // Punctuation, currencies and symbols.
        | '\u{2010}'..='\u{2027}'
        | '\u{20a0}'..='\u{20c0}'
        | '\u{2600}'..='\u{27bf}'
        // Japanese, Chinese and Korean.
        | '\u{3001}'..='\u{3029}'
        | '\u{3041}'..='\u{3096}'
        | '\u{30a0}'..='\u{30ff}'
        | '\u{4e00}'..='\u{9fff}'
        | '\u{ac00}'..='\u{d7a3}'
        | '\u{fe0f}'
        | '\u{ff01}'..='\u{ff20}'
        // Emoji.
        | '\u{1f300}'..='\u{1faff}'
    )
}

/// A text whose runs of white space become one space, and none at the ends.
struct Collapsed<'o> {
    start: usize,
    /// Whether there was white space behind the last character.
    space: bool,
    out: &'o mut String,
}

impl Collapsed<'_> {
    fn push(&mut self, c: char) {
        if c.is_whitespace() {
            self.space = self.out.len() > self.start;
        } else {
            if std::mem::take(&mut self.space) {
                self.out.push(' ');
            }
            self.out.push(c);
        }
    }
}

/// [`normalize`] into a string of its own.
pub(crate) fn normalized(text: &str) -> String {
    let mut out = String::new();
    normalize(text, &mut out);
    out
}

/// The hash of a normalised text; 0 for an empty one only.
pub(crate) fn text_hash(normalized: &str) -> u64 {
    if normalized.is_empty() { 0 } else { XxHash3_64::oneshot(normalized.as_bytes()).max(1) }
}

/// The start of a text, as much of it as stands in aggregates.
pub(crate) fn shown(text: &str) -> &str {
    if text.len() <= SHOWN_CHARS {
        return text;
    }
    text.char_indices().nth(SHOWN_CHARS).map_or(text, |(end, _)| &text[..end])
}

/// The lists of phrases, normalised.
#[derive(Debug, Clone)]
pub(crate) struct Phrases {
    pseudo: Vec<String>,
    closure: Vec<String>,
    fallback: Vec<String>,
    wrap_up: Vec<String>,
}

impl Phrases {
    pub(crate) fn new(options: &AnalyzeOptions) -> Self {
        let list = |texts: &[String]| {
            let all = texts.iter().map(|text| normalized(text));
            // An empty phrase stands in every text, and so says nothing.
            all.filter(|text| !text.is_empty()).collect::<Vec<_>>()
        };
        Self {
            pseudo: list(&options.pseudo_inputs),
            closure: list(&options.closure_phrases),
            fallback: list(&options.fallback_phrases),
            wrap_up: list(&options.wrap_up_phrases),
        }
    }

    /// All that a normalised text is, in or out.
    fn flags(&self, text: &str) -> u32 {
        let flag = |is: bool, bit: u32| if is { bit } else { 0 };
        flag(self.is_pseudo(text), Flags::PSEUDO)
            | flag(self.is_closure(text), Flags::CLOSURE)
            | flag(self.is_fallback(text), Flags::FALLBACK)
            | flag(self.is_wrap_up(text), Flags::WRAP_UP)
            | flag(is_question(text), Flags::QUESTION)
    }

    fn is_pseudo(&self, text: &str) -> bool {
        self.pseudo.iter().any(|phrase| phrase == text)
    }

    fn is_closure(&self, text: &str) -> bool {
        self.closure.iter().any(|phrase| text.starts_with(phrase.as_str()))
    }

    fn is_fallback(&self, text: &str) -> bool {
        self.fallback.iter().any(|phrase| text.contains(phrase.as_str()))
    }

    fn is_wrap_up(&self, text: &str) -> bool {
        self.wrap_up.iter().any(|phrase| text.contains(phrase.as_str()))
    }
}

/// What texts are known to be, by a hash of 128 bits: bots say the same things again and again.
#[derive(Debug, Default)]
pub(crate) struct TextCache {
    /// Each at the place that its hash chooses, until another one comes there: most texts come once, and have no room made for
    /// them.
    known: Vec<Known>,
    normal: String,
}

/// A text that was met before; at first one that has a hash of 0, as none has.
#[derive(Debug, Clone, Default)]
struct Known {
    hash: u128,
    facts: TextFacts,
    /// The number of its name, where it has one.
    name: Option<u32>,
}

/// What there is to know of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct TextFacts {
    /// See [`text_hash`].
    pub hash: u64,
    /// The flags of events that the text alone decides, whichever way it went.
    pub flags: u32,
}

/// How many texts a worker knows at most: they take 400 KB.
const KNOWN: usize = 1 << 13;

impl TextCache {
    /// What there is to know of a text.
    pub(crate) fn facts(&mut self, text: &str, phrases: &Phrases) -> TextFacts {
        self.facts_and_name(text, phrases, false, |_| None).0
    }

    /// The same, and the number that `name_of` gives the text, where it is known here or was met before: what is said once needs
    /// no name.
    pub(crate) fn facts_and_name(
        &mut self,
        text: &str,
        phrases: &Phrases,
        is_met: bool,
        name_of: impl FnOnce(&str) -> Option<u32>,
    ) -> (TextFacts, Option<u32>) {
        let Self { known, normal } = self;
        let hash = hash(text.as_bytes());
        known.resize(KNOWN, Known::default());
        let known = &mut known[hash as usize % KNOWN];
        if known.hash == hash {
            known.name = known.name.or_else(|| name_of(text));
        } else {
            normal.clear();
            normalize(text, normal);
            let facts = TextFacts { hash: text_hash(normal), flags: phrases.flags(normal) };
            let name = if is_met { name_of(text) } else { None };
            *known = Known { hash, facts, name };
        }
        (known.facts, known.name)
    }

    /// The same of a text that somebody typed, which is not worth remembering, and its normalised form; of the flags only
    /// whether somebody did.
    pub(crate) fn typed(&mut self, text: &str, phrases: &Phrases) -> (TextFacts, &str) {
        self.normal.clear();
        normalize(text, &mut self.normal);
        let flags = if phrases.is_pseudo(&self.normal) { Flags::PSEUDO } else { 0 };
        (TextFacts { hash: text_hash(&self.normal), flags }, &self.normal)
    }
}

/// Whether a text asks something, by its last character.
fn is_question(normalized: &str) -> bool {
    normalized.ends_with(['?', '？', '؟'])
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use unicode_normalization::char::canonical_combining_class;

    use super::*;

    #[test]
    fn texts_are_normalised() {
        for (text, expected) in [
            ("  Hello\t\n World ", "hello world"),
            ("Stra\u{df}e", "strasse"),
            ("\u{130}stanbul", "i\u{307}stanbul"),
            ("Cafe\u{301}\u{3000}X", "caf\u{e9} x"),
            (" \u{a0} ", ""),
            ("ΣΑΣ", "σασ"),
            ("Was？", "was？"),
            ("One Two  THREE", "one two three"),
            ("One\u{b}Two", "one two"),
            ("Plain TEXT, as most\u{7f}", "plain text, as most\u{7f}"),
            ("", ""),
        ] {
            assert_eq!(normalized(text), expected);
        }
        assert!(is_question("was？") && is_question("ما؟") && is_question("a?") && !is_question("a? b"));
    }

    #[test]
    fn letters_are_folded_alike_with_and_without_tables() {
        for c in '\0'..='\u{1ffff}' {
            let slow: String = std::iter::once(c).default_case_fold().collect();
            assert!(folded(c).is_none_or(|folded| slow == String::from(folded)), "{c:?}");
        }
        for c in '\0'..'\u{300}' {
            assert!(is_nfc_quick(std::iter::once(c)) == IsNormalized::Yes);
        }
    }

    #[test]
    fn plain_characters_stay_whatever_stands_beside_them() {
        for c in ('\0'..=char::MAX).filter(|&c| stays(c)) {
            let folded: String = std::iter::once(c).default_case_fold().collect();
            assert_eq!(folded, String::from(c));
            assert!(!c.is_whitespace() && is_nfc_quick(std::iter::once(c)) == IsNormalized::Yes, "{c:?}");
            // Marks are put in order by their class: where there is but one class, they are.
            assert!(matches!(canonical_combining_class(c), 0 | 9), "{c:?}");
        }
    }

    #[test]
    fn phrases_are_normalised_too_and_empty_ones_say_nothing() {
        let phrases = Phrases::new(&AnalyzeOptions {
            fallback_phrases: vec!["  Did NOT  understand".to_owned(), " ".to_owned()],
            ..AnalyzeOptions::default()
        });
        assert!(phrases.is_fallback("i did not understand"));
        assert!(!phrases.is_fallback("something"));
        assert!(phrases.is_pseudo("max_no_input") && !phrases.is_pseudo("max_no_input x"));
        assert!(phrases.is_closure("i am closing our current conversation now"));
    }

    #[test]
    fn texts_that_were_met_are_known_until_others_take_their_places() {
        let phrases = Phrases::new(&AnalyzeOptions::default());
        let mut cache = TextCache::default();
        let texts = |n: usize| [format!("Text {n}"), format!("Text {n}?"), "x".repeat(n % 100)];
        let all: Vec<String> = (0..KNOWN).flat_map(texts).collect();
        let plain = |text: &str| {
            let normal = normalized(text);
            TextFacts { hash: text_hash(&normal), flags: phrases.flags(&normal) }
        };
        for (name, text) in (0..).zip(&all) {
            assert_eq!(cache.facts(text, &phrases), plain(text));
            // The name that it got when it was met again, and no other one.
            let (_, first) = cache.facts_and_name(text, &phrases, false, |_| Some(name));
            let (facts, second) = cache.facts_and_name(text, &phrases, false, |_| None);
            assert_eq!((facts, second), (plain(text), first));
            assert!(first.is_some());
        }
        let is_known = |text: &str| {
            let hash = hash(text.as_bytes());
            cache.known[hash as usize % KNOWN].hash == hash
        };
        let distinct: BTreeSet<&String> = all.iter().collect();
        let known = distinct.iter().filter(|text| is_known(text)).count();
        assert!((KNOWN / 2..=KNOWN).contains(&known), "{known}");
        assert!(!is_known("something new"));
    }

    #[test]
    fn long_texts_are_cut_at_a_character() {
        let long = "é".repeat(1500);
        assert_eq!(shown(&long).chars().count(), 1000);
        assert_eq!(shown("kurz"), "kurz");
        assert_eq!(text_hash(""), 0);
    }
}
