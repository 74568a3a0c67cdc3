//! What a dump covers of each bot: from when to when.

use crate::symbols::FastMap;

/// What inputs cover of all bots. That of several inputs is merged.
#[derive(Debug, Clone, Default)]
pub struct Coverage {
    /// Given for all bots alike.
    window: Option<(i64, i64)>,
    /// What requests asked for, where it is known.
    requested: FastMap<String, (i64, i64)>,
    /// From the first to the last message of a bot, and of messages without one.
    seen: FastMap<String, (i64, i64)>,
    seen_without: Option<(i64, i64)>,
}

fn widen(edges: &mut (i64, i64), other: (i64, i64)) {
    edges.0 = edges.0.min(other.0);
    edges.1 = edges.1.max(other.1);
}

impl Coverage {
    pub(crate) fn new(window: Option<(i64, i64)>) -> Self {
        Self { window, ..Self::default() }
    }

    /// The same, but for a window that is given for all bots.
    pub(crate) fn within(self, window: Option<(i64, i64)>) -> Self {
        Self { window: window.or(self.window), ..self }
    }

    /// Whether messages need not be looked at.
    pub(crate) fn is_given(&self) -> bool {
        self.window.is_some()
    }

    /// Adds what a request asked for.
    pub(crate) fn add_request(&mut self, bot: &str, edges: (i64, i64)) {
        widen(self.requested.entry(bot.to_owned()).or_insert(edges), edges);
    }

    /// Adds a message.
    pub(crate) fn add(&mut self, bot: Option<&str>, at: i64) {
        self.add_seen(bot, (at, at));
    }

    fn add_seen(&mut self, bot: Option<&str>, edges: (i64, i64)) {
        match bot {
            Some(bot) => match self.seen.get_mut(bot) {
                Some(known) => widen(known, edges),
                None => drop(self.seen.insert(bot.to_owned(), edges)),
            },
            None => widen(self.seen_without.get_or_insert(edges), edges),
        }
    }

    /// Adds what other inputs cover.
    pub fn merge(&mut self, other: Self) {
        for (bot, edges) in other.requested {
            self.add_request(&bot, edges);
        }
        for (bot, edges) in other.seen {
            self.add_seen(Some(&bot), edges);
        }
        if let Some(edges) = other.seen_without {
            self.add_seen(None, edges);
        }
    }

    /// The edges of a bot, in microseconds.
    pub(crate) fn of(&self, bot: Option<&str>) -> Option<(i64, i64)> {
        self.window.or_else(|| match bot {
            Some(bot) => self.requested.get(bot).or_else(|| self.seen.get(bot)).copied(),
            None => self.seen_without,
        })
    }
}
