//! The last requests: what came, what the server made of it, and why.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use chrono::{DateTime, FixedOffset};
use serde::Serialize;

use crate::answer::Answer;
use crate::lock;
use crate::moment::Moment;
use crate::request_counts::RequestCounts;
use crate::rules::Rule;

/// What became of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Verdict {
    /// Answered with success.
    Accepted,
    /// Authenticated, but a rule refused it.
    Refused,
    /// The caller could not be authenticated.
    Unauthenticated,
    /// A planned fault answered it, spoiled the answer or withheld it.
    Faulted,
    /// The mirror itself failed.
    Failed,
    /// The caller went away before there was an answer.
    Abandoned,
}

/// One request in the log. The `Authorization` header is not kept.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct LoggedRequest {
    /// Counts up from 1.
    pub id: u64,
    /// When it came, by the wire clock.
    pub time: DateTime<FixedOffset>,
    /// HTTP method.
    pub method: String,
    /// Path and query as received.
    pub path: String,
    /// Name of the endpoint, when the path is one.
    pub operation: Option<&'static str>,
    /// Merchant id that the caller gave.
    pub mchid: Option<String>,
    /// What became of it.
    pub verdict: Verdict,
    /// The message over which the server checked the signature.
    pub canonical: Option<String>,
    /// The rule that refused it.
    pub rule: Option<&'static Rule>,
    /// HTTP status of the answer; none when no answer was sent.
    pub status: Option<u16>,
    /// `code` of an error answer.
    pub code: Option<String>,
    /// `Request-ID` of the answer.
    pub request_id: Option<String>,
    /// Planned faults that struck it, as `kind@place`.
    pub faults: Vec<String>,
    /// From the first byte of the request to the finished answer, in microseconds.
    pub latency_us: u64,
    /// Name of the key that signed the answer.
    pub signed_with: Option<String>,
    /// Explanations for the developer.
    pub notes: Vec<String>,
}

#[derive(Debug)]
struct Ring {
    last_id: u64,
    entries: VecDeque<LoggedRequest>,
    counts: RequestCounts,
}

/// The log. Old entries make room for new ones.
#[derive(Debug)]
pub(crate) struct RequestLog {
    capacity: usize,
    ring: Mutex<Ring>,
}

impl RequestLog {
    pub(crate) fn new(capacity: usize) -> Self {
        Self {
            capacity,
            ring: Mutex::new(Ring { last_id: 0, entries: VecDeque::new(), counts: RequestCounts::default() }),
        }
    }

    /// Newest first, only those after the entry `after`.
    pub(crate) fn list(&self, limit: usize, after: u64) -> Vec<LoggedRequest> {
        let ring = lock::mutex(&self.ring);
        ring.entries.iter().rev().take_while(|entry| entry.id > after).take(limit).cloned().collect()
    }

    /// Requests since the start, those included that the log has forgotten.
    pub(crate) fn counts(&self) -> RequestCounts {
        lock::mutex(&self.ring).counts.clone()
    }

    pub(crate) fn clear(&self) {
        lock::mutex(&self.ring).entries.clear();
    }

    fn push(&self, mut entry: LoggedRequest) {
        let mut ring = lock::mutex(&self.ring);
        ring.last_id += 1;
        ring.counts.add(&entry);
        entry.id = ring.last_id;
        if self.capacity == 0 {
            return;
        }
        if ring.entries.len() >= self.capacity {
            ring.entries.pop_front();
        }
        ring.entries.push_back(entry);
    }
}

/// An entry being made. Dropped unfinished, it is logged as abandoned.
#[derive(Debug)]
pub(crate) struct Recording {
    log: Arc<RequestLog>,
    entry: Option<LoggedRequest>,
    /// What the request has come to so far; it counts once there is an answer.
    verdict: Option<Verdict>,
    began: Instant,
}

impl Recording {
    pub(crate) fn begin(log: &Arc<RequestLog>, now: Moment, method: &str, path: &str) -> Self {
        let entry = LoggedRequest {
            id: 0,
            time: now.date_time(),
            method: method.to_owned(),
            path: path.to_owned(),
            operation: None,
            mchid: None,
            verdict: Verdict::Abandoned,
            canonical: None,
            rule: None,
            status: None,
            code: None,
            request_id: None,
            faults: Vec::new(),
            latency_us: 0,
            signed_with: None,
            notes: Vec::new(),
        };
        Self { log: Arc::clone(log), entry: Some(entry), verdict: None, began: Instant::now() }
    }

    /// The entry, to be filled in.
    pub(crate) fn entry(&mut self) -> &mut LoggedRequest {
        self.entry.as_mut().expect("the entry is there until the recording ends")
    }

    /// Notes an answer and what it says about the request.
    pub(crate) fn answer(&mut self, answer: &Answer) {
        let entry = self.entry();
        entry.rule = answer.rule;
        entry.code.clone_from(&answer.code);
        entry.notes.extend(answer.note.clone());
        let verdict = match answer.status.as_u16() {
            200..300 => Verdict::Accepted,
            500.. => Verdict::Failed,
            _ => Verdict::Refused,
        };
        self.verdict.get_or_insert(verdict);
    }

    /// Overrides what the answer alone would say.
    pub(crate) fn judge(&mut self, verdict: Verdict) {
        self.verdict = Some(verdict);
    }

    /// The answer is ready to be written.
    pub(crate) fn finish(mut self) {
        if let Some(verdict) = self.verdict {
            self.entry().verdict = verdict;
        }
    }
}

impl Drop for Recording {
    fn drop(&mut self) {
        if let Some(mut entry) = self.entry.take() {
            entry.latency_us = u64::try_from(self.began.elapsed().as_micros()).unwrap_or(u64::MAX);
            tracing::debug!(
                operation = entry.operation,
                mchid = entry.mchid,
                verdict = ?entry.verdict,
                rule = entry.rule.map(|rule| rule.id),
                status = entry.status,
                request_id = entry.request_id,
                latency_us = entry.latency_us,
                "request"
            );
            self.log.push(entry);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Moment = Moment::from_millis_const(1_790_000_000_000);

    fn ids(log: &RequestLog, limit: usize, after: u64) -> Vec<u64> {
        log.list(limit, after).iter().map(|entry| entry.id).collect()
    }

    #[test]
    fn the_newest_come_first_and_the_oldest_go() {
        let log = Arc::new(RequestLog::new(3));
        for _ in 0..5 {
            drop(Recording::begin(&log, NOW, "GET", "/"));
        }
        assert_eq!(ids(&log, 10, 0), [5, 4, 3]);
        assert_eq!(ids(&log, 1, 0), [5]);
        assert_eq!(ids(&log, 10, 4), [5]);
        log.clear();
        assert!(ids(&log, 10, 0).is_empty());
    }

    #[test]
    fn an_unfinished_request_is_logged_as_abandoned() {
        let log = Arc::new(RequestLog::new(3));
        drop(Recording::begin(&log, NOW, "GET", "/"));
        assert_eq!(log.list(1, 0)[0].verdict, Verdict::Abandoned);
    }
}
