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
/// let names = [name("\"st-1\""), None];
/// recent.put(&names, 7);
/// assert_eq!(recent.get(&names), Some(7));
/// assert_eq!(recent.get(&[names[0], name("\"\"")]), None);
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
    pub fn get(&self, texts: &[Option<Text<'_>>; N]) -> Option<u32> {
        let slot = &self.slots[place(texts)];
        slot.number.filter(|_| slot.is(texts))
    }

    /// Remembers the number of these texts, in place of what was there.
    pub fn put(&mut self, texts: &[Option<Text<'_>>; N], number: u32) {
        let slot = &mut self.slots[place(texts)];
        slot.text.clear();
        for (len, &text) in slot.lens.iter_mut().zip(texts) {
            *len = len_of(text);
            slot.text.extend_from_slice(bytes_of(text));
        }
        slot.number = Some(number);
    }

    /// Forgets all of them, and keeps the memory.
    pub fn clear(&mut self) {
        for slot in &mut self.slots {
            slot.number = None;
        }
    }
}

impl<const N: usize> Slot<N> {
    /// Whether it has these texts.
    #[inline]
    fn is(&self, texts: &[Option<Text<'_>>; N]) -> bool {
        let mut rest = &self.text[..];
        texts.iter().zip(&self.lens).all(|(&text, &len)| {
            let bytes = bytes_of(text);
            // Nothing is not compared: its address may be no address, and to load no bytes from such a one takes as long as a
            // hundred of others where it is done under a mask, as in glibc's `memcmp` for AVX-512.
            len == len_of(text) && (bytes.is_empty() || rest.split_off(..bytes.len()) == Some(bytes))
        })
    }
}

#[inline]
fn bytes_of(text: Option<Text<'_>>) -> &[u8] {
    text.map_or("", Text::raw).as_bytes()
}

#[inline]
fn len_of(text: Option<Text<'_>>) -> u32 {
    text.map_or(NO_TEXT, |text| text.raw().len() as u32)
}

#[inline]
fn place<const N: usize>(texts: &[Option<Text<'_>>; N]) -> usize {
    let place_of = |text: Text<'_>| match text.raw().as_bytes() {
        [rest @ .., before, end] => usize::from(*end) * 7 + usize::from(*before) * 61 + rest.len() + 1,
        [end] => usize::from(*end),
        [] => 0,
    };
    let place = texts.iter().fold(0_usize, |place, text| place.wrapping_mul(31) + text.map_or(0, place_of));
    place % SLOTS
}
