//! The last requests: what came, what the server made of it, and why.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use chrono::{DateTime, FixedOffset};
use serde::{Deserialize, Serialize};

use crate::answer::Answer;
use crate::doctor::SignatureDiagnosis;
use crate::lock;
use crate::moment::Moment;
use crate::request_counts::RequestCounts;
use crate::rules::Rule;
use crate::wire_copy::WireCopy;

/// Memory that all entries together may take, in bytes.
const MOST_BYTES: usize = 64 * 1024 * 1024;

/// What became of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
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

/// One request in the log.
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
    /// Why the caller could not be authenticated; none when it was.
    pub signature: Option<Box<SignatureDiagnosis>>,
    /// Headers and body of the request. Not in the list of control calls, only in that of one request.
    #[serde(skip)]
    pub received: WireCopy,
    /// Headers and body of the answer; empty when none was sent. Not in the list of control calls either.
    #[serde(skip)]
    pub sent: WireCopy,
}

impl LoggedRequest {
    /// Memory it takes, about.
    fn weight(&self) -> usize {
        let texts = [
            Some(&self.method),
            Some(&self.path),
            self.mchid.as_ref(),
            self.canonical.as_ref(),
            self.code.as_ref(),
            self.request_id.as_ref(),
            self.signed_with.as_ref(),
        ];
        let lists = self.faults.iter().chain(&self.notes).map(|text| text.len() + size_of::<String>());
        size_of::<Self>()
            + texts.into_iter().flatten().map(String::len).sum::<usize>()
            + lists.sum::<usize>()
            + self.signature.as_ref().map_or(0, |diagnosis| diagnosis.weight())
            + self.received.weight()
            + self.sent.weight()
    }
}

/// Which entries of the log are asked for.
#[derive(Debug, Clone, Default)]
pub(crate) struct LogFilter {
    /// Only entries after this one.
    pub(crate) after: u64,
    pub(crate) verdict: Option<Verdict>,
    /// The name of an operation, or the beginning of it up to a dot.
    pub(crate) operation: Option<String>,
    pub(crate) mchid: Option<String>,
    /// Occurs in path, code, rule, cause, request id or request body, in any capitals.
    pub(crate) text: Option<String>,
}

impl LogFilter {
    fn narrows(&self) -> bool {
        let texts = [&self.operation, &self.mchid, &self.text];
        self.verdict.is_some() || texts.into_iter().any(Option::is_some)
    }

    fn lets_through(&self, entry: &LoggedRequest) -> bool {
        let operation = |wanted: &String| {
            let family = wanted.strip_suffix(".*");
            entry.operation.is_some_and(|name| match family {
                Some(family) => name.strip_prefix(family).is_some_and(|rest| rest.starts_with('.')),
                None => name == wanted,
            })
        };
        self.verdict.is_none_or(|verdict| verdict == entry.verdict)
            && self.operation.as_ref().is_none_or(operation)
            && self.mchid.as_ref().is_none_or(|mchid| entry.mchid.as_ref() == Some(mchid))
            && self.text.as_ref().is_none_or(|text| contains(entry, &text.to_lowercase()))
    }
}

fn contains(entry: &LoggedRequest, text: &str) -> bool {
    let holds = |field: &str| field.to_lowercase().contains(text);
    holds(&entry.path)
        || entry.code.as_deref().is_some_and(holds)
        || entry.rule.is_some_and(|rule| holds(rule.id))
        || entry.request_id.as_deref().is_some_and(holds)
        || entry.signature.as_ref().is_some_and(|diagnosis| holds(diagnosis.cause.code))
        || holds(&String::from_utf8_lossy(entry.received.body()))
}

#[derive(Debug, Default)]
struct Ring {
    last_id: u64,
    entries: VecDeque<(Arc<LoggedRequest>, usize)>,
    /// Memory that the entries take.
    bytes: usize,
    counts: RequestCounts,
}

impl Ring {
    fn drop_oldest(&mut self) {
        if let Some((_, weight)) = self.entries.pop_front() {
            self.bytes = self.bytes.saturating_sub(weight);
        }
    }
}

/// The log. Old entries make room for new ones, when there are too many or when they take too much memory.
#[derive(Debug)]
pub(crate) struct RequestLog {
    capacity: usize,
    most_bytes: usize,
    ring: Mutex<Ring>,
}

impl RequestLog {
    pub(crate) fn new(capacity: usize) -> Self {
        Self { capacity, most_bytes: MOST_BYTES, ring: Mutex::default() }
    }

    /// Newest first, only those after the entry `after`.
    pub(crate) fn list(&self, limit: usize, after: u64) -> Vec<LoggedRequest> {
        let found = self.filtered(limit, &LogFilter { after, ..LogFilter::default() });
        found.into_iter().map(Arc::unwrap_or_clone).collect()
    }

    /// Newest first.
    pub(crate) fn filtered(&self, limit: usize, filter: &LogFilter) -> Vec<Arc<LoggedRequest>> {
        let entries: Vec<_> = {
            let ring = lock::mutex(&self.ring);
            let newer = ring.entries.iter().rev().map(|(entry, _)| entry);
            let looked_at = if filter.narrows() { usize::MAX } else { limit };
            newer.take_while(|entry| entry.id > filter.after).take(looked_at).map(Arc::clone).collect()
        };
        entries.into_iter().filter(|entry| filter.lets_through(entry)).take(limit).collect()
    }

    pub(crate) fn find(&self, id: u64) -> Option<Arc<LoggedRequest>> {
        let ring = lock::mutex(&self.ring);
        let place = ring.entries.binary_search_by_key(&id, |(entry, _)| entry.id).ok()?;
        ring.entries.get(place).map(|(entry, _)| Arc::clone(entry))
    }

    /// Requests since the start, those included that the log has forgotten.
    pub(crate) fn counts(&self) -> RequestCounts {
        lock::mutex(&self.ring).counts.clone()
    }

    pub(crate) fn clear(&self) {
        let mut ring = lock::mutex(&self.ring);
        ring.entries.clear();
        ring.bytes = 0;
    }

    fn push(&self, mut entry: LoggedRequest) {
        let mut ring = lock::mutex(&self.ring);
        ring.last_id += 1;
        ring.counts.add(&entry);
        entry.id = ring.last_id;
        if self.capacity == 0 {
            return;
        }
        let weight = entry.weight();
        ring.bytes += weight;
        ring.entries.push_back((Arc::new(entry), weight));
        while ring.entries.len() > self.capacity || ring.bytes > self.most_bytes && ring.entries.len() > 1 {
            ring.drop_oldest();
        }
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
            signature: None,
            received: WireCopy::default(),
            sent: WireCopy::default(),
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
    fn the_oldest_go_too_when_memory_runs_out() {
        let log = Arc::new(RequestLog { most_bytes: 100_000, ..RequestLog::new(1_000) });
        for _ in 0..100 {
            let mut recording = Recording::begin(&log, NOW, "POST", "/");
            recording.entry().received = WireCopy::default().with_body(&[b'x'; 20_000]);
        }
        let kept = ids(&log, 1_000, 0);
        assert!((8..=12).contains(&kept.len()) && kept[0] == 100, "{kept:?}");
        assert!(log.find(100).is_some() && log.find(1).is_none() && log.find(101).is_none());
        let bytes = lock::mutex(&log.ring).bytes;
        assert!(bytes <= 100_000);
        log.clear();
        assert_eq!(lock::mutex(&log.ring).bytes, 0);
    }

    #[test]
    fn filters_narrow_the_list() {
        let log = Arc::new(RequestLog::new(10));
        for (path, operation, mchid) in [
            ("/v3/certificates", "certificates.list", "1"),
            ("/v3/Tea", "stock.get", "2"),
            ("/v3/other", "stock.list", "1"),
        ] {
            let mut recording = Recording::begin(&log, NOW, "GET", path);
            recording.entry().operation = Some(operation);
            recording.entry().mchid = Some(mchid.to_owned());
        }
        let ids = |filter: LogFilter| -> Vec<u64> {
            log.filtered(10, &filter).iter().map(|entry| entry.id).collect()
        };
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(ids(LogFilter { operation: some("stock.*"), ..LogFilter::default() }), [3, 2]);
        assert_eq!(ids(LogFilter { operation: some("stock.get"), ..LogFilter::default() }), [2]);
        assert_eq!(ids(LogFilter { mchid: some("1"), ..LogFilter::default() }), [3, 1]);
        assert_eq!(ids(LogFilter { text: some("tEA"), ..LogFilter::default() }), [2]);
        assert_eq!(
            ids(LogFilter { verdict: Some(Verdict::Abandoned), after: 2, ..LogFilter::default() }),
            [3]
        );
        assert!(ids(LogFilter { verdict: Some(Verdict::Failed), ..LogFilter::default() }).is_empty());
    }

    #[test]
    fn an_unfinished_request_is_logged_as_abandoned() {
        let log = Arc::new(RequestLog::new(3));
        drop(Recording::begin(&log, NOW, "GET", "/"));
        assert_eq!(log.list(1, 0)[0].verdict, Verdict::Abandoned);
    }
}
