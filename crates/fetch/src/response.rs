//! What a server's answer says about the bytes that follow.

use ureq::Body;
use ureq::http::{HeaderMap, Response};

/// What to do with an answer.
pub(crate) enum Answer {
    /// The whole file follows.
    Whole {
        /// Identifies this version of the file, if the server vouches for it byte by byte.
        version: Option<String>,
        /// Bytes that follow, if the server says.
        length: Option<u64>,
    },
    /// The rest of the file follows, from where was asked.
    Rest {
        /// Bytes that follow, if the server says.
        length: Option<u64>,
    },
    /// Nothing follows: what is held is all there is.
    Complete,
    /// What is held is no part of the file any more.
    Changed,
    /// The server may do better later, after so many seconds if it says.
    Later {
        /// The HTTP status.
        status: u16,
        /// Seconds to wait.
        after: Option<u64>,
    },
    /// The server does not give the file.
    Refused {
        /// The HTTP status.
        status: u16,
    },
}

impl Answer {
    /// Reads the head of an answer to a request for the bytes from `held` on.
    pub(crate) fn of(response: &Response<Body>, held: u64) -> Self {
        let headers = response.headers();
        match response.status().as_u16() {
            200 => Self::Whole {
                version: version(headers),
                length: response.body().content_length(),
            },
            206 if range_start(headers) == Some(held) => Self::Rest {
                length: response.body().content_length(),
            },
            206 => Self::Changed,
            416 if whole_length(headers) == Some(held) => Self::Complete,
            416 => Self::Changed,
            status @ (408 | 425 | 429 | 500..=599) => Self::Later {
                status,
                after: text(headers, "retry-after").and_then(|after| after.parse().ok()),
            },
            status => Self::Refused { status },
        }
    }
}

/// A strong ETag or else the time of the last change (RFC 9110, section 13.1.5).
fn version(headers: &HeaderMap) -> Option<String> {
    let tag = text(headers, "etag").filter(|tag| tag.starts_with('"'));
    tag.or_else(|| text(headers, "last-modified"))
        .map(str::to_owned)
}

/// The first byte of `Content-Range: bytes 100-199/200`.
fn range_start(headers: &HeaderMap) -> Option<u64> {
    let range = text(headers, "content-range")?.strip_prefix("bytes ")?;
    range.split_once('-')?.0.trim().parse().ok()
}

/// The length in `Content-Range: bytes */200`.
fn whole_length(headers: &HeaderMap) -> Option<u64> {
    let range = text(headers, "content-range")?;
    range.strip_prefix("bytes */")?.trim().parse().ok()
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}
