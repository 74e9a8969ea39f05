//! When a request that failed is sent again, and how long to wait before.

use std::time::Duration;

use chrono::DateTime;
use ureq::http::header::{DATE, HeaderMap, HeaderName, RETRY_AFTER};

/// No wait is longer than this; a server that asks for a longer one is not asked again.
const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// Whether sending a request twice does what sending it once does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Repeat {
    /// It does: the request reads, or says how something is to be.
    Safe,
    /// It would do something twice: the request is sent again only if the server has certainly not taken it.
    IfNotTaken,
}

/// How a request failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Failed {
    /// It never left.
    NotSent,
    /// It may have been taken or not: the answer is missing.
    NoAnswer,
    /// The server said that it has too much to do, and took nothing.
    TooMany,
    /// The server, or what stands before it, failed for now.
    ForNow,
    /// Sending it again would not help.
    ForGood,
}

impl Failed {
    /// What the HTTP status of an answer means.
    pub(super) fn with_status(status: u16) -> Self {
        match status {
            429 => Self::TooMany,
            408 | 500 | 502 | 503 | 504 => Self::ForNow,
            _ => Self::ForGood,
        }
    }

    fn may_be_repeated(self, repeat: Repeat) -> bool {
        match self {
            Self::NotSent | Self::TooMany => true,
            Self::NoAnswer | Self::ForNow => repeat == Repeat::Safe,
            Self::ForGood => false,
        }
    }
}

/// Waits that double: the first, twice that, four times that.
#[derive(Debug, Clone, Copy)]
pub(super) struct Backoff {
    /// How often a request is sent again at most.
    pub(super) retries: u32,
    /// The first wait.
    pub(super) first: Duration,
}

impl Backoff {
    /// How long to wait before the request is sent again after `sent` times; nothing if it is not.
    pub(super) fn wait(
        &self,
        sent: u32,
        failed: Failed,
        repeat: Repeat,
        retry_after: Option<Duration>,
    ) -> Option<Duration> {
        if sent > self.retries || !failed.may_be_repeated(repeat) {
            return None;
        }
        match retry_after {
            Some(asked) => (asked <= LONGEST_WAIT).then_some(asked),
            None => {
                let doublings = sent.saturating_sub(1).min(16);
                Some(self.first.saturating_mul(1 << doublings).min(LONGEST_WAIT))
            }
        }
    }
}

/// The wait that a server asks for: a number of seconds, or a date to be compared with the date of the answer.
pub(super) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = |name: HeaderName| headers.get(name)?.to_str().ok().map(str::trim);
    let asked = text(RETRY_AFTER)?;
    if let Ok(seconds) = asked.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let until = DateTime::parse_from_rfc2822(asked).ok()?;
    let from = DateTime::parse_from_rfc2822(text(DATE)?).ok()?;
    Some((until - from).to_std().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;

    const BACKOFF: Backoff = Backoff {
        retries: 9,
        first: Duration::from_millis(500),
    };

    #[test]
    fn waits_double_up_to_a_limit() {
        let wait = |sent| BACKOFF.wait(sent, Failed::ForNow, Repeat::Safe, None);
        let seconds: Vec<f64> = (1..=9)
            .map(|sent| wait(sent).unwrap().as_secs_f64())
            .collect();
        assert_eq!(seconds, [0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 60.0, 60.0]);
        assert_eq!(wait(10), None);
    }

    #[test]
    fn the_wait_that_a_server_asks_for_comes_first() {
        let wait = |asked| {
            BACKOFF.wait(
                1,
                Failed::TooMany,
                Repeat::Safe,
                Some(Duration::from_secs(asked)),
            )
        };
        assert_eq!(wait(0), Some(Duration::ZERO));
        assert_eq!(wait(60), Some(Duration::from_secs(60)));
        assert_eq!(wait(61), None);
    }

    #[test]
    fn what_would_be_done_twice_is_sent_again_only_if_it_was_not_taken() {
        let repeated = |failed, repeat| BACKOFF.wait(1, failed, repeat, None).is_some();
        for failed in [Failed::NotSent, Failed::TooMany] {
            assert!(repeated(failed, Repeat::Safe) && repeated(failed, Repeat::IfNotTaken));
        }
        for failed in [Failed::NoAnswer, Failed::ForNow] {
            assert!(repeated(failed, Repeat::Safe) && !repeated(failed, Repeat::IfNotTaken));
        }
        assert!(!repeated(Failed::ForGood, Repeat::Safe));
    }

    #[test]
    fn a_date_to_wait_for_is_counted_from_the_date_of_the_answer() {
        let mut headers = HeaderMap::new();
        assert_eq!(retry_after(&headers), None);
        headers.insert(
            RETRY_AFTER,
            "Tue, 14 Nov 2023 22:13:27 GMT".parse().unwrap(),
        );
        assert_eq!(retry_after(&headers), None);
        headers.insert(DATE, "Tue, 14 Nov 2023 22:13:20 GMT".parse().unwrap());
        assert_eq!(retry_after(&headers), Some(Duration::from_secs(7)));
        headers.insert(DATE, "Tue, 14 Nov 2023 22:14:00 GMT".parse().unwrap());
        assert_eq!(retry_after(&headers), Some(Duration::ZERO));
        headers.insert(RETRY_AFTER, " 3 ".parse().unwrap());
        assert_eq!(retry_after(&headers), Some(Duration::from_secs(3)));
    }
}
