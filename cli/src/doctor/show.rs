//! The report on stdout.

use serde_json::json;

use crate::doctor::code::Severity;
use crate::doctor::report::Report;
use crate::output::Output;

pub(crate) fn show(report: &Report, output: &Output) -> anyhow::Result<()> {
    if output.is_json() { output.json(&json(report)) } else { table(report, output) }
}

fn json(report: &Report) -> serde_json::Value {
    let findings: Vec<_> = report
        .findings
        .iter()
        .map(|finding| {
            json!({
                "code": finding.code.as_str(),
                "severity": finding.code.severity().as_str(),
                "words": finding.words,
                "mend": finding.mend,
                "documentation": finding.code.anchor(),
            })
        })
        .collect();
    let skipped: Vec<_> =
        report.skipped.iter().map(|(what, why)| json!({ "what": what, "why": why })).collect();
    json!({
        "ok": report.cause().is_none(),
        "cause": report.cause().map(|cause| cause.code.as_str()),
        "problems": report.count(Severity::Problem),
        "warnings": report.count(Severity::Warning),
        "findings": findings,
        "skipped": skipped,
    })
}

fn table(report: &Report, output: &Output) -> anyhow::Result<()> {
    let mut rows = Vec::new();
    for finding in &report.findings {
        let mut words = finding.words.clone();
        if let Some(mend) = &finding.mend {
            words.push_str(&format!("\nto do: {mend}\nmore:  {}", finding.code.anchor()));
        }
        let severity = match finding.code.severity() {
            Severity::Ok => "ok".to_owned(),
            Severity::Warning => "WARNING".to_owned(),
            Severity::Problem => "PROBLEM".to_owned(),
        };
        rows.push([severity, finding.code.as_str().to_owned(), words]);
    }
    for (what, why) in &report.skipped {
        rows.push(["-".to_owned(), "not checked".to_owned(), format!("{what}: {why}")]);
    }
    output.rows(["", "finding", "in words"], rows, "nothing was looked at")?;
    let warnings = match report.count(Severity::Warning) {
        0 => String::new(),
        1 => ", 1 warning".to_owned(),
        many => format!(", {many} warnings"),
    };
    output.line("")?;
    output.line(&match report.cause() {
        None if report.skipped.is_empty() => format!("all right{warnings}"),
        None => format!("no problem found{warnings}; not everything was checked"),
        Some(cause) if report.count(Severity::Problem) == 1 => {
            format!("1 problem{warnings}: {}", cause.code.as_str())
        }
        Some(cause) => format!(
            "{} problems{warnings}; begin with {}",
            report.count(Severity::Problem),
            cause.code.as_str()
        ),
    })
}
