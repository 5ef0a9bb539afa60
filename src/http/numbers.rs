//! Numbers that services tell, held within what makes sense: none is too large to be added to a time.

use serde_json::Value;
use std::time::Duration;
use time::{OffsetDateTime, format_description::well_known::Rfc2822};

/// The longest pause that a service can ask for. What asks for more is asked again sooner, and says so again.
pub const LONGEST_PAUSE: Duration = Duration::from_secs(60 * 60);
/// The longest life of a token or of a code for a person that is believed. Whoever keeps one for longer is told that it is over.
pub const LONGEST_LIFE: Duration = Duration::from_secs(24 * 60 * 60);

/// A number of seconds that a service tells, between nothing and `most`; nothing when it is no number. A part of a second counts
/// as a whole one.
#[must_use]
pub fn seconds(text: &str, most: Duration) -> Option<Duration> {
    let number: f64 = text.trim().parse().ok()?;
    within(number, most)
}

fn within(number: f64, most: Duration) -> Option<Duration> {
    if number.is_nan() {
        return None;
    }
    let number = number.ceil().clamp(0.0, most.as_secs_f64());
    Duration::try_from_secs_f64(number).ok()
}

/// The same for a field of an answer, which may be a number or a text.
#[must_use]
pub fn seconds_of(value: &Value, most: Duration) -> Option<Duration> {
    match value {
        Value::Number(number) => within(number.as_f64()?, most),
        Value::String(text) => seconds(text, most),
        _ => None,
    }
}

/// What `Retry-After` says: seconds, or a time of day.
#[must_use]
pub fn retry_after(text: &str) -> Option<Duration> {
    seconds(text, LONGEST_PAUSE).or_else(|| {
        let at = OffsetDateTime::parse(text.trim(), &Rfc2822).ok()?;
        let left = at - OffsetDateTime::now_utc();
        within(left.as_seconds_f64(), LONGEST_PAUSE)
    })
}

/// A wait in the words `… try again in 28s`.
#[must_use]
pub fn wait_in_words(message: &str) -> Option<Duration> {
    let (_, rest) = message.split_once("try again in ")?;
    let part = |c: &char| c.is_ascii_digit() || matches!(c, '.' | '-' | '+');
    let digits: String = rest.chars().take_while(part).collect();
    seconds(digits.trim_end_matches('.'), LONGEST_PAUSE)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn numbers_of_services_are_held_within_what_makes_sense() {
        let hour = Some(LONGEST_PAUSE);
        let of = |seconds| Some(Duration::from_secs(seconds));
        for (text, wait) in [
            ("28", of(28)),
            (" 28 ", of(28)),
            ("1.2", of(2)),
            ("0", of(0)),
            ("-0", of(0)),
            ("-5", of(0)),
            ("3601", hour),
            ("18446744073709551615", hour),
            ("99999999999999999999999", hour),
            ("1e300", hour),
            ("inf", hour),
            ("-inf", of(0)),
            ("NaN", None),
            ("", None),
            ("soon", None),
            ("Wed, 21 Oct 2015 07:28:00 GMT", of(0)),
            ("Wed, 21 Oct 2715 07:28:00 GMT", hour),
        ] {
            assert_eq!(retry_after(text), wait, "{text}");
            let words = format!("Rate limit exceeded - try again in {text}s");
            if text.trim() == text
                && text.starts_with(|c: char| c.is_ascii_digit())
                && text != "1e300"
            {
                assert_eq!(wait_in_words(&words), wait, "{words}");
            }
        }
        assert_eq!(wait_in_words("try again in -5s"), of(0));
        assert_eq!(wait_in_words("try again in 3."), of(3));
        assert_eq!(wait_in_words("try again in a while"), None);
        for (value, life) in [
            (json!(3599), of(3599)),
            (json!("3599"), of(3599)),
            (json!(3598.5), of(3599)),
            (json!(-1), of(0)),
            (json!(i64::MAX), Some(LONGEST_LIFE)),
            (json!(u64::MAX), Some(LONGEST_LIFE)),
            (json!(i64::MIN), of(0)),
            (json!(1e308), Some(LONGEST_LIFE)),
            (json!("soon"), None),
            (json!(null), None),
            (json!([1]), None),
        ] {
            assert_eq!(seconds_of(&value, LONGEST_LIFE), life, "{value}");
        }
    }
}
