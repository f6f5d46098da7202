//! `GET /_mirror/metrics`, in the text format of Prometheus.

use std::fmt::{self, Write as _};

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::header::CONTENT_TYPE;

use crate::metrics::Happening;
use crate::moment::Moment;
use crate::request_counts::{CLASSES, RequestCounts};
use crate::request_log::Verdict;
use crate::state::App;

const FORMAT: &str = "text/plain; version=0.0.4; charset=utf-8";

pub(crate) async fn show(State(app): State<App>) -> Response {
    ([(CONTENT_TYPE, FORMAT)], page(&app)).into_response()
}

/// All counters as they are now.
pub(crate) fn page(app: &App) -> String {
    let mut page = Page(String::new());
    // Writing into a text cannot fail.
    page.write(app).ok();
    page.0
}

struct Page(String);

impl Page {
    fn write(&mut self, app: &App) -> fmt::Result {
        self.family("build_info", "gauge", "Which mirror this is; always 1.")?;
        self.value("build_info", &[("version", env!("CARGO_PKG_VERSION"))], 1)?;
        self.requests(&app.log.counts())?;
        for (name, help, what) in [
            ("coupons_sent_total", "Coupons given; repeats of a request do not count.", Happening::Sent),
            ("coupons_redeemed_total", "Payments made with coupons.", Happening::Redeemed),
            ("coupons_refunded_total", "Refunds, in whole or in part.", Happening::Refunded),
        ] {
            self.family(name, "counter", help)?;
            self.value(name, &[], app.metrics.happened(what))?;
        }
        self.family("callbacks_total", "counter", "Attempts to deliver a notification, by how they ended.")?;
        for (result, count) in app.metrics.callbacks() {
            self.value("callbacks_total", &[("result", result)], count)?;
        }
        let (batches, jobs, largest) = app.ledger.counts.read();
        self.family("writer_batches_total", "counter", "Transactions of the store.")?;
        self.value("writer_batches_total", &[], batches)?;
        self.family("writer_jobs_total", "counter", "Pieces of work in these transactions.")?;
        self.value("writer_jobs_total", &[], jobs)?;
        self.family("writer_largest_batch", "gauge", "The most pieces of work that shared a transaction.")?;
        self.value("writer_largest_batch", &[], largest)?;
        self.family("connections_open", "gauge", "Connections that are open.")?;
        self.value("connections_open", &[], app.metrics.connections())?;
        self.family("faults_planned", "gauge", "Fault rules, used up ones included.")?;
        self.value("faults_planned", &[], app.faults.all().len())?;
        self.family("merchants", "gauge", "Merchants the mirror knows.")?;
        self.value("merchants", &[], app.merchants().all().count())?;
        self.family("clock_timestamp_seconds", "gauge", "What the clocks show.")?;
        self.value("clock_timestamp_seconds", &[("clock", "test")], Seconds::of(app.clocks.now()))?;
        self.value("clock_timestamp_seconds", &[("clock", "wire")], Seconds::of(app.clocks.wire_now()))?;
        self.family("clock_frozen", "gauge", "Whether the test clock stands still.")?;
        self.value("clock_frozen", &[], u8::from(app.clocks.mode().is_frozen()))
    }

    fn requests(&mut self, counts: &RequestCounts) -> fmt::Result {
        let mut operations: Vec<_> = counts.operations.iter().collect();
        operations.sort_by_key(|(name, _)| **name);
        self.family("requests_total", "counter", "Requests to the API, by endpoint, verdict and code.")?;
        for (operation, counts) in &operations {
            for (verdict, code, count) in &counts.outcomes {
                let code = code.as_deref().unwrap_or_default();
                let labels = [("operation", **operation), ("verdict", name(*verdict)), ("code", code)];
                self.value("requests_total", &labels, count)?;
            }
        }
        let help = "From the first byte of a request to the finished answer.";
        self.family("request_duration_seconds", "histogram", help)?;
        for (operation, counts) in &operations {
            let mut total = 0;
            let ends = CLASSES.iter().map(|(_, end)| *end).chain(["+Inf"]);
            for (end, count) in ends.zip(counts.classes) {
                total += count;
                let labels = [("operation", **operation), ("le", end)];
                self.value("request_duration_seconds_bucket", &labels, total)?;
            }
            let labels = [("operation", **operation)];
            self.value("request_duration_seconds_sum", &labels, Seconds::of_micros(counts.sum_us))?;
            self.value("request_duration_seconds_count", &labels, total)?;
        }
        let mut faults: Vec<_> = counts.faults.iter().collect();
        faults.sort();
        self.family("faults_total", "counter", "Planned faults that struck, by kind and place.")?;
        for (fault, count) in faults {
            let (kind, place) = fault.split_once('@').unwrap_or((fault, ""));
            self.value("faults_total", &[("fault", kind), ("place", place)], count)?;
        }
        Ok(())
    }

    fn family(&mut self, name: &str, kind: &str, help: &str) -> fmt::Result {
        writeln!(self.0, "# HELP favor_mirror_{name} {help}\n# TYPE favor_mirror_{name} {kind}")
    }

    fn value(&mut self, name: &str, labels: &[(&str, &str)], value: impl fmt::Display) -> fmt::Result {
        write!(self.0, "favor_mirror_{name}")?;
        for (index, (label, text)) in labels.iter().enumerate() {
            let text = text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
            write!(self.0, "{}{label}=\"{text}\"", if index == 0 { '{' } else { ',' })?;
        }
        writeln!(self.0, "{} {value}", if labels.is_empty() { "" } else { "}" })
    }
}

/// Prints as decimal seconds.
struct Seconds {
    negative: bool,
    micros: u64,
}

impl Seconds {
    fn of_micros(micros: u64) -> Self {
        Self { negative: false, micros }
    }

    fn of(moment: Moment) -> Self {
        let micros = moment.millis().unsigned_abs().saturating_mul(1_000);
        Self { negative: moment.millis() < 0, micros }
    }
}

impl fmt::Display for Seconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.negative { "-" } else { "" };
        write!(f, "{sign}{}.{:06}", self.micros / 1_000_000, self.micros % 1_000_000)
    }
}

fn name(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Accepted => "accepted",
        Verdict::Refused => "refused",
        Verdict::Unauthenticated => "unauthenticated",
        Verdict::Faulted => "faulted",
        Verdict::Failed => "failed",
        Verdict::Abandoned => "abandoned",
    }
}
