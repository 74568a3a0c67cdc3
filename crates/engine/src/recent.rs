//! What jobs know of texts that come together, such as the names that a message is counted by.

use korpus_core::Text;

/// The numbers of texts that were met last, side by side: the same few come with all messages, and are told sooner by their
/// bytes than by a hash.
///
/// ```
/// use korpus_core::Value;
/// use korpus_engine::RecentTexts;
///
/// let name = |json| Value::parse(json).and_then(Value::as_text);
/// let mut recent = RecentTexts::default();
/// recent.put([name("\"st-1\""), None], 7);
/// assert_eq!(recent.get([name("\"st-1\""), None]), Some(7));
/// assert_eq!(recent.get([name("\"st-1\""), name("\"\"")]), None);
/// ```
#[derive(Debug)]
pub struct RecentTexts<const N: usize> {
    /// Each at a place that some of its bytes choose.
    slots: Vec<Slot<N>>,
}

/// Texts as they stand in a message.
#[derive(Debug, Clone)]
struct Slot<const N: usize> {
    /// One behind the other.
    text: Vec<u8>,
    /// [`NO_TEXT`] where there is none.
    lens: [u32; N],
    /// None where nothing is here.
    number: Option<u32>,
}

const SLOTS: usize = 512;
const NO_TEXT: u32 = u32::MAX;

impl<const N: usize> Default for RecentTexts<N> {
    fn default() -> Self {
        Self { slots: vec![Slot { text: Vec::new(), lens: [NO_TEXT; N], number: None }; SLOTS] }
    }
}

impl<const N: usize> RecentTexts<N> {
    /// The number of these texts, if they are remembered.
    #[inline]
    pub fn get(&self, texts: [Option<Text<'_>>; N]) -> Option<u32> {
        let (raw, lens) = (raw(texts), lens(texts));
        let slot = &self.slots[place(&raw)];
        slot.number.filter(|_| slot.lens == lens && slot.is(&raw))
    }

    /// Remembers the number of these texts, in place of what was there.
    pub fn put(&mut self, texts: [Option<Text<'_>>; N], number: u32) {
        let raw = raw(texts);
        let slot = &mut self.slots[place(&raw)];
        slot.text.clear();
        for text in raw {
            slot.text.extend_from_slice(text);
        }
        (slot.lens, slot.number) = (lens(texts), Some(number));
    }

    /// Forgets all of them, and keeps the memory.
    pub fn clear(&mut self) {
        for slot in &mut self.slots {
            slot.number = None;
        }
    }
}

impl<const N: usize> Slot<N> {
    /// Whether it has these texts, whose lengths are its own.
    #[inline]
    fn is(&self, texts: &[&[u8]; N]) -> bool {
        let mut rest = &self.text[..];
        let mut is_it = true;
        for text in texts {
            let (start, later) = rest.split_at(text.len());
            rest = later;
            is_it &= start == *text;
        }
        is_it
    }
}

#[inline]
fn raw<const N: usize>(texts: [Option<Text<'_>>; N]) -> [&[u8]; N] {
    texts.map(|text| text.map_or("", Text::raw).as_bytes())
}

#[inline]
fn lens<const N: usize>(texts: [Option<Text<'_>>; N]) -> [u32; N] {
    texts.map(|text| text.map_or(NO_TEXT, |text| text.raw().len() as u32))
}

#[inline]
fn place(texts: &[&[u8]]) -> usize {
    let place = texts.iter().fold(0_usize, |place, text| {
        let end = text.last().copied().unwrap_or_default();
        place.wrapping_mul(31) + usize::from(end) * 7 + text.len()
    });
    place % SLOTS
}
