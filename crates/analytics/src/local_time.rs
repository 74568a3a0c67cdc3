//! Days, hours and weekdays in a time zone.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};

const MICROS: i64 = 1_000_000;
const HOUR: i64 = 3600;
const DAY: i64 = 86_400;
/// Where the year 9999 ends, in seconds since 1970.
const END: i64 = 253_402_300_800;

/// A moment, as a clock on the wall shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Local {
    /// Days since 1970.
    pub day: i32,
    /// 0 to 23.
    pub hour: i32,
    /// 1 (Monday) to 7.
    pub weekday: i32,
}

/// Tells local times; remembers between which transitions it last was, as asking the zone is slow, and in which hour.
#[derive(Debug, Clone)]
pub(crate) struct LocalTime {
    zone: TimeZone,
    /// From (inclusive) to (exclusive), in seconds since 1970, and the offset between them.
    span: (i64, i64, i64),
    /// From and to, in microseconds since 1970, and what the clock shows between them.
    hour: (i64, i64, Local),
}

impl LocalTime {
    pub(crate) fn new(zone: TimeZone) -> Self {
        Self { zone, span: (0, 0, 0), hour: (0, 0, Local { day: 0, hour: 0, weekday: 0 }) }
    }

    /// The local time of a moment in microseconds since 1970; `None` where it lies outside the years that clocks know.
    pub(crate) fn at(&mut self, micros: i64) -> Option<Local> {
        if micros < self.hour.0 || micros >= self.hour.1 {
            self.hour = self.hour_of(micros.div_euclid(MICROS))?;
        }
        Some(self.hour.2)
    }

    fn hour_of(&mut self, seconds: i64) -> Option<(i64, i64, Local)> {
        if seconds >= END {
            return None;
        }
        if seconds < self.span.0 || seconds >= self.span.1 {
            self.span = self.find(seconds)?;
        }
        let (since, until, offset) = self.span;
        let local = Some(seconds + offset).filter(|&local| local < END)?;
        let day = local.div_euclid(DAY);
        let shown = Local {
            day: i32::try_from(day).ok()?,
            hour: (local.rem_euclid(DAY) / HOUR) as i32,
            // 1970 began on a Thursday.
            weekday: ((day + 3).rem_euclid(7) + 1) as i32,
        };
        let start = seconds - local.rem_euclid(HOUR);
        Some((start.max(since) * MICROS, (start + HOUR).min(until) * MICROS, shown))
    }

    fn find(&self, seconds: i64) -> Option<(i64, i64, i64)> {
        // Zones do not know the last hours of the last year: no clock changes in them.
        let at = Timestamp::from_second(seconds.min(Timestamp::MAX.as_second())).ok()?;
        let offset = i64::from(self.zone.to_offset(at).seconds());
        // A span ends before the next transition; where there is none, with the years that clocks know.
        let next = self.zone.following(at).next().map_or(END, |next| next.timestamp().as_second());
        Some((seconds, next, offset))
    }
}

/// A day, by its number since 1970, as `yyyy-mm-dd`.
pub(crate) fn day_name(day: i32) -> String {
    let date = Date::constant(1970, 1, 1).checked_add(i64::from(day).days());
    date.map_or_else(|_| day.to_string(), |date| date.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn local_times_agree_with_the_zone() {
        for name in ["UTC", "Europe/Berlin", "Asia/Kolkata", "America/St_Johns", "Australia/Lord_Howe"] {
            let zone = TimeZone::get(name).unwrap();
            let mut local = LocalTime::new(zone.clone());
            let mut seconds = 1_400_000_000_i64;
            for step in 0..4000_i64 {
                seconds += 77_777 - (step % 7) * 20_000;
                let expected = Timestamp::from_second(seconds).unwrap().to_zoned(zone.clone());
                let found = local.at(seconds * MICROS + 999_999).unwrap();
                assert_eq!(found.hour, i32::from(expected.hour()), "{name} {seconds}");
                assert_eq!(found.weekday, i32::from(expected.weekday().to_monday_one_offset()));
                let day = expected.date().since(jiff::civil::date(1970, 1, 1)).unwrap().get_days();
                assert_eq!(found.day, day);
            }
        }
    }

    #[test]
    fn moments_before_1970_and_far_away_are_told_or_not() {
        let mut local = LocalTime::new(TimeZone::UTC);
        let before = local.at(-1).unwrap();
        assert_eq!((before.day, before.hour, before.weekday), (-1, 23, 3));
        assert_eq!(local.at(i64::MAX), None);
        // Clocks that are ahead show a year 10000 in the end, which no column of days holds.
        for (name, before_end, hour) in [
            ("UTC", 1, Some(23)),
            ("America/New_York", 1, Some(18)),
            ("Europe/Berlin", HOUR * MICROS + 1, Some(23)),
            ("Europe/Berlin", 1, None),
            ("UTC", 0, None),
        ] {
            let shown = LocalTime::new(TimeZone::get(name).unwrap()).at(END * MICROS - before_end);
            let expected = hour.map(|hour| ("9999-12-31".to_owned(), hour, 5));
            assert_eq!(
                shown.map(|shown| (day_name(shown.day), shown.hour, shown.weekday)),
                expected,
                "{name}"
            );
        }
    }
}
