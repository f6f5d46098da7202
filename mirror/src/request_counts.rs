//! Requests counted by endpoint, verdict and code, and how long they took. Kept under the lock of the request log,
//! which every request takes once.

use std::collections::HashMap;

use crate::request_log::{LoggedRequest, Verdict};

/// Upper ends of the classes, in microseconds and as written in seconds.
pub(crate) const CLASSES: [(u64, &str); 14] = [
    (250, "0.00025"),
    (500, "0.0005"),
    (1_000, "0.001"),
    (2_500, "0.0025"),
    (5_000, "0.005"),
    (10_000, "0.01"),
    (25_000, "0.025"),
    (50_000, "0.05"),
    (100_000, "0.1"),
    (250_000, "0.25"),
    (500_000, "0.5"),
    (1_000_000, "1"),
    (2_500_000, "2.5"),
    (10_000_000, "10"),
];

/// Requests of one endpoint.
#[derive(Debug, Clone, Default)]
pub(crate) struct OperationCounts {
    /// By verdict and `code`.
    pub(crate) outcomes: Vec<(Verdict, Option<String>, u64)>,
    /// Requests in each class alone; the last one holds all that took longer.
    pub(crate) classes: [u64; CLASSES.len() + 1],
    /// All their times together.
    pub(crate) sum_us: u64,
}

/// All requests.
#[derive(Debug, Clone, Default)]
pub(crate) struct RequestCounts {
    pub(crate) operations: HashMap<&'static str, OperationCounts>,
    /// Faults that struck, as `kind@place`.
    pub(crate) faults: HashMap<String, u64>,
}

impl RequestCounts {
    pub(crate) fn add(&mut self, request: &LoggedRequest) {
        let counts = self.operations.entry(request.operation.unwrap_or("unknown")).or_default();
        let same = |(verdict, code, _): &&mut (Verdict, Option<String>, u64)| {
            *verdict == request.verdict && *code == request.code
        };
        match counts.outcomes.iter_mut().find(same) {
            Some((_, _, count)) => *count += 1,
            None => counts.outcomes.push((request.verdict, request.code.clone(), 1)),
        }
        let class = CLASSES.partition_point(|(end, _)| *end < request.latency_us);
        counts.classes[class] += 1;
        counts.sum_us = counts.sum_us.saturating_add(request.latency_us);
        for fault in &request.faults {
            *self.faults.entry(fault.clone()).or_default() += 1;
        }
    }
}
