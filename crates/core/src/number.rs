//! Numbers: plain integers, and floats that print back to the decimal value they were read from.

/// `-?(0|[1-9][0-9]*)` within `i64`, and not `-0`: the form that an integer column gives back exactly.
pub(crate) fn parse_i64(bytes: &[u8]) -> Option<i64> {
    let (negative, digits) = match bytes {
        [b'-', rest @ ..] => (true, rest),
        _ => (false, bytes),
    };
    match digits {
        [] | [b'0', _, ..] => return None,
        [b'0'] if negative => return None,
        _ => {}
    }
    if digits.len() > 19 {
        return None;
    }
    let (eights, rest) = digits.as_chunks::<8>();
    let mut value = 0_u64;
    for eight in eights {
        value = value * 100_000_000 + eight_digits(*eight)?;
    }
    for &digit in rest {
        let digit = digit.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        value = value * 10 + u64::from(digit);
    }
    if negative { 0_i64.checked_sub_unsigned(value) } else { i64::try_from(value).ok() }
}

/// The number that eight digits are, worked out side by side.
fn eight_digits(digits: [u8; 8]) -> Option<u64> {
    let digits = u64::from_le_bytes(digits) ^ 0x3030_3030_3030_3030;
    // What is more than 9 carries into the upper half of its byte.
    if (digits | digits.wrapping_add(0x0606_0606_0606_0606)) & 0xf0f0_f0f0_f0f0_f0f0 != 0 {
        return None;
    }
    let pairs = (digits * 10 + (digits >> 8)) & 0x00ff_00ff_00ff_00ff;
    let fours = (pairs * 100 + (pairs >> 16)) & 0x0000_ffff_0000_ffff;
    Some((fours & 0xffff_ffff) * 10_000 + (fours >> 32))
}

/// The nearest double, and whether its shortest decimal form has exactly the decimal value of `raw`.
pub(crate) fn parse_f64(raw: &str) -> Option<(f64, bool)> {
    let value: f64 = raw.parse().ok()?;
    if !value.is_finite() {
        return Some((value, false));
    }
    if raw.starts_with('-') && value == 0.0 {
        return Some((value, false));
    }
    if is_short(raw) {
        return Some((value, true));
    }
    Some((value, prints_back(raw, value)))
}

fn prints_back(raw: &str, value: f64) -> bool {
    Decimal::parse(raw).is_some_and(|read| Decimal::parse(&format!("{value}")) == Some(read))
}

/// Whether a number is written with at most 15 digits and without an exponent. No two of those are nearest to the same
/// double, and the shortest form of one has no more digits than it: so that form is the number itself.
fn is_short(raw: &str) -> bool {
    raw.len() <= 15 && !raw.bytes().any(|b| matches!(b, b'e' | b'E'))
}

/// The exact value of a JSON number: digits without zeros at either end, times ten to the exponent.
///
/// Two numbers are equal as decimals if and only if these are equal. `-0` and `0` differ, by design: they are told
/// apart in a round trip.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Decimal {
    negative: bool,
    digits: Vec<u8>,
    exponent: i128,
}

impl Decimal {
    /// `None` for an exponent that is itself past 30 digits: such numbers are only equal as written.
    pub(crate) fn parse(raw: &str) -> Option<Self> {
        let (negative, rest) = raw.strip_prefix('-').map_or((false, raw), |rest| (true, rest));
        let (mantissa, exponent) = match rest.find(['e', 'E']) {
            Some(at) => (&rest[..at], {
                let text = rest[at + 1..].trim_start_matches('+');
                if text.len() > 30 {
                    return None;
                }
                text.parse::<i128>().ok()?
            }),
            None => (rest, 0),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let mut digits: Vec<u8> = whole.bytes().chain(fraction.bytes()).collect();
        let mut exponent = exponent - fraction.len() as i128;
        while digits.last() == Some(&b'0') {
            digits.pop();
            exponent += 1;
        }
        let zeros = digits.iter().take_while(|&&d| d == b'0').count();
        digits.drain(..zeros);
        if digits.is_empty() {
            exponent = 0;
        }
        Some(Self { negative, digits, exponent })
    }
}

/// Whether two JSON numbers have the same exact decimal value, of whatever size and notation; `-0` is not `0`.
///
/// ```
/// assert!(korpus_core::numbers_equal("1e5", "100000.0"));
/// assert!(!korpus_core::numbers_equal("9007199254740993", "9007199254740992"));
/// assert!(!korpus_core::numbers_equal("-0", "0"));
/// ```
pub fn numbers_equal(a: &str, b: &str) -> bool {
    a == b || matches!((Decimal::parse(a), Decimal::parse(b)), (Some(a), Some(b)) if a == b)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn integers_are_plain_or_nothing() {
        for (raw, expected) in [
            ("0", Some(0)),
            ("-0", None),
            ("01", None),
            ("-1", Some(-1)),
            ("9223372036854775807", Some(i64::MAX)),
            ("9223372036854775808", None),
            ("-9223372036854775808", Some(i64::MIN)),
            ("-9223372036854775809", None),
            ("99999999999999999999", None),
            ("1.0", None),
            ("1e5", None),
            ("", None),
            ("-", None),
        ] {
            assert_eq!(parse_i64(raw.as_bytes()), expected, "{raw}");
        }
    }

    proptest! {
        #[test]
        fn integers_are_what_the_standard_library_reads(raw in "-?([1-9][0-9]{0,19}|[0-9]{7}[!-~][0-9]{0,9})") {
            let is_plain = !raw.trim_start_matches('-').starts_with('0') && !raw.contains('+');
            prop_assert_eq!(parse_i64(raw.as_bytes()), raw.parse().ok().filter(|_| is_plain));
        }

        #[test]
        fn short_numbers_print_back(raw in "-?(0|[1-9][0-9]{0,14})(\\.[0-9]{1,13})?") {
            if is_short(&raw) {
                prop_assert!(prints_back(&raw, raw.parse().unwrap()), "{}", raw);
            }
        }
    }

    #[test]
    fn floats_know_whether_they_are_exact() {
        for (raw, exact) in [
            ("0.1", true),
            ("1.10", true),
            ("1e2", true),
            ("0.98762906", true),
            ("9007199254740993", false),
            ("1e999", false),
            ("-0", false),
            ("-0.0", false),
            ("0", true),
            ("0.1000000000000000055511151231257827", false),
        ] {
            assert_eq!(parse_f64(raw).unwrap().1, exact, "{raw}");
        }
    }
}
