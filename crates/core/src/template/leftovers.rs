//! What no column holds of a payload: with this, nothing of it is lost.

use super::tape::{Item, SHADOWED};
use super::view::Template;
use super::walk::{push_escaped, push_index};
use crate::value::Kind;

impl<'s> Template<'s> {
    /// Calls `found` with the JSON pointer and the raw JSON of every scalar and every empty container that no column
    /// of templates, elements and actions holds exactly, in document order; so nothing of a payload is lost.
    ///
    /// Containers that were not taken apart come whole. Earlier values of repeated keys come under the same pointer as
    /// the last. Where pointers would cost many times the payload, the whole object comes last, under the pointer "".
    pub fn for_each_leftover(self, mut found: impl FnMut(&str, &'s str)) {
        self.mark_all();
        let size = self.root().raw().len();
        let budget = (32 * size).min(16 << 20) + (64 << 10);
        let all_told = self.view.scratch.with_string(|path| {
            Leftovers { items: self.view.items, path, budget, found: &mut found }.inside(0, false)
        });
        if !all_told {
            found("", self.root().raw());
        }
    }
}

struct Leftovers<'a, 's, F> {
    items: &'s [Item<'s>],
    path: &'a mut String,
    /// How many bytes of pointers may still be written.
    budget: usize,
    found: &'a mut F,
}

impl<'s, F: FnMut(&str, &'s str)> Leftovers<'_, 's, F> {
    /// Goes through what is inside the container at `around`; false where the budget ran out. `all` asks for what is used too:
    /// nothing under an earlier value of a key counts.
    fn inside(&mut self, around: u32, all: bool) -> bool {
        let container = &self.items[around as usize];
        let is_array = container.kind == Kind::Array;
        let mut next = around + 1;
        let mut index = 0;
        while next < container.next {
            let place = &self.items[next as usize];
            // A string that holds the payload is seen as what it holds.
            let at = if place.decoded == 0 { next } else { place.decoded };
            next = place.next;
            let item = &self.items[at as usize];
            let all = all || place.flags & SHADOWED != 0;
            let goes_in = item.next > at + 1;
            if goes_in || all || !item.used.get() {
                let len = self.path.len();
                self.path.push('/');
                if is_array {
                    push_index(index, self.path);
                } else {
                    push_escaped(place.key, self.path);
                }
                let cost = self.path.len() - len + if goes_in { 0 } else { len };
                let Some(budget) = self.budget.checked_sub(cost) else { return false };
                self.budget = budget;
                if !goes_in {
                    (self.found)(self.path, item.raw);
                } else if !self.inside(at, all) {
                    return false;
                }
                self.path.truncate(len);
            }
            index += 1;
        }
        true
    }
}
