//! Validators of a file, and requests that are conditional on them (RFC 9110).

use hyper::HeaderMap;
use hyper::header::{
    AsHeaderName, IF_MATCH, IF_MODIFIED_SINCE, IF_NONE_MATCH, IF_RANGE, IF_UNMODIFIED_SINCE,
};
use std::fs::Metadata;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// 9999-12-31 23:59:59, the last second that an HTTP date can name.
const HTTP_DATE_MAX_SECS: u64 = 253_402_300_799;

/// What tells one version of a file from another.
#[derive(Clone, Debug)]
pub(crate) struct Validators {
    /// A strong entity tag, with its quotes.
    pub(crate) etag: String,
    /// Time of the last change in whole seconds, where HTTP can say it.
    pub(crate) modified: Option<SystemTime>,
}

/// What the conditions of a request come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Answer as if there were none.
    Proceed,
    /// 304: the client has this version.
    NotModified,
    /// 412: the client wants another version than this one.
    PreconditionFailed,
}

impl Validators {
    /// From size and time of change.
    pub(crate) fn new(metadata: &Metadata) -> Self {
        let since_epoch = metadata
            .modified()
            .ok()
            .and_then(|modified| modified.duration_since(UNIX_EPOCH).ok());
        let nanos = since_epoch.map_or(0, |time| time.as_nanos());
        Self {
            etag: format!("\"{nanos:x}-{:x}\"", metadata.len()),
            modified: since_epoch
                .map(|time| time.as_secs())
                .filter(|&secs| secs <= HTTP_DATE_MAX_SECS)
                .map(|secs| UNIX_EPOCH + Duration::from_secs(secs)),
        }
    }

    /// The conditions in the order of RFC 9110, for GET and HEAD.
    pub(crate) fn evaluate(&self, headers: &HeaderMap) -> Verdict {
        if headers.contains_key(IF_MATCH) {
            if !self.matches(headers, IF_MATCH, false) {
                return Verdict::PreconditionFailed;
            }
        } else if let (Some(modified), Some(limit)) =
            (self.modified, date(headers, IF_UNMODIFIED_SINCE))
            && modified > limit
        {
            return Verdict::PreconditionFailed;
        }
        if headers.contains_key(IF_NONE_MATCH) {
            if self.matches(headers, IF_NONE_MATCH, true) {
                return Verdict::NotModified;
            }
        } else if let (Some(modified), Some(limit)) =
            (self.modified, date(headers, IF_MODIFIED_SINCE))
            && modified <= limit
        {
            return Verdict::NotModified;
        }
        Verdict::Proceed
    }

    /// May a `Range` be obeyed? Yes without `If-Range`, or when it names this version.
    pub(crate) fn range_applies(&self, headers: &HeaderMap) -> bool {
        let Some(value) = headers.get(IF_RANGE) else {
            return true;
        };
        let Ok(value) = value.to_str() else {
            return false;
        };
        if value.contains('"') {
            return value.trim() == self.etag;
        }
        self.modified.is_some() && httpdate::parse_http_date(value).ok() == self.modified
    }

    fn matches(&self, headers: &HeaderMap, name: impl AsHeaderName, weak: bool) -> bool {
        let mut tags = headers
            .get_all(name)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(','))
            .map(str::trim);
        // Our tags hold no comma, so that splitting there never cuts one of ours.
        tags.any(|tag| {
            tag == "*" || tag == self.etag || (weak && tag.strip_prefix("W/") == Some(&self.etag))
        })
    }
}

fn date(headers: &HeaderMap, name: impl AsHeaderName) -> Option<SystemTime> {
    httpdate::parse_http_date(headers.get(name)?.to_str().ok()?).ok()
}
