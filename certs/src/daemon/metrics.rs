//! `/metrics`, in Prometheus' text format. Everything in it is known already, so that nothing is kept twice.

use std::fmt::Write as _;

use chrono::{DateTime, Utc};

use super::fleet::{Fleet, Known, View};

/// A moment in what is known of a merchant.
type Time = fn(&Known) -> Option<DateTime<Utc>>;

/// All metrics.
pub(super) fn text(fleet: &Fleet) -> String {
    fleet.view(|view| {
        let mut out = String::new();
        of_the_daemon(&mut out, view);
        of_merchants(&mut out, view);
        out
    })
}

fn head(out: &mut String, name: &str, kind: &str, help: &str) {
    // Writing to a String cannot fail.
    let _ = writeln!(out, "# HELP {name} {help}\n# TYPE {name} {kind}");
}

fn sample(out: &mut String, name: &str, labels: &[(&str, &str)], value: impl std::fmt::Display) {
    out.push_str(name);
    for (place, (label, value)) in labels.iter().enumerate() {
        let value = value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
        let _ = write!(out, "{}{label}=\"{value}\"", if place == 0 { '{' } else { ',' });
    }
    if !labels.is_empty() {
        out.push('}');
    }
    let _ = writeln!(out, " {value}");
}

fn of_the_daemon(out: &mut String, view: &View<'_>) {
    let gauge = |out: &mut String, name: &str, help: &str, value: usize| {
        head(out, name, "gauge", help);
        sample(out, name, &[], value);
    };
    gauge(out, "favor_certs_merchants", "Merchants in the settings.", view.merchants.len());
    gauge(
        out,
        "favor_certs_writes",
        "1 while this process writes the directory, 0 while it stands by.",
        view.writes.into(),
    );
    gauge(
        out,
        "favor_certs_config_error",
        "1 while the settings file is wrong and older settings are in use.",
        view.config_error.is_some().into(),
    );
    let name = "favor_certs_fetch_total";
    head(out, name, "counter", "Checks of a merchant's keys, by what came of them.");
    for (result, count) in view.fetches {
        sample(out, name, &[("result", result)], count);
    }
    let name = "favor_certs_hook_total";
    head(out, name, "counter", "Runs of hooks, by what came of them.");
    for ((hook, result), count) in view.hook_runs {
        sample(out, name, &[("hook", hook), ("result", result)], count);
    }
    let name = "favor_certs_hook_pending_since_timestamp_seconds";
    head(out, name, "gauge", "Since when a hook has been waiting to be told of a release.");
    for ((hook, id), since) in view.hooks_pending {
        sample(out, name, &[("hook", hook), ("mchid", id.as_str())], since.timestamp());
    }
}

fn of_merchants(out: &mut String, view: &View<'_>) {
    let name = "favor_certs_key_not_after_seconds";
    head(out, name, "gauge", "When a platform certificate ends, as a Unix time.");
    for (id, known) in view.merchants {
        for key in known.release.iter().flat_map(|release| release.keys()) {
            if let Some(end) = key.not_after {
                sample(out, name, &[("mchid", id.as_str()), ("serial", &key.id)], end.timestamp());
            }
        }
    }
    let name = "favor_certs_merchant_certificate_not_after_seconds";
    head(out, name, "gauge", "When a merchant's own API certificate ends, as a Unix time.");
    for (id, known) in view.merchants {
        if let Some(own) = &known.status.merchant_certificate {
            let labels = [("mchid", id.as_str()), ("serial", &own.serial_no)];
            sample(out, name, &labels, own.not_after.timestamp());
        }
    }
    let times: [(&str, &str, Time); 2] = [
        (
            "favor_certs_last_success_timestamp_seconds",
            "When the keys of a merchant were last checked with success; 0 is never.",
            |known| Some(known.status.last_success.unwrap_or(DateTime::UNIX_EPOCH)),
        ),
        (
            "favor_certs_failing_since_timestamp_seconds",
            "Since when every check of a merchant has failed; not there while they succeed.",
            |known| known.status.failing_since,
        ),
    ];
    for (name, help, time) in times {
        head(out, name, "gauge", help);
        for (id, known) in view.merchants {
            if let Some(time) = time(known) {
                sample(out, name, &[("mchid", id.as_str())], time.timestamp());
            }
        }
    }
    let name = "favor_certs_failure";
    head(out, name, "gauge", "Why the last check of a merchant failed; not there when it succeeded.");
    for (id, known) in view.merchants {
        if let Some(failure) = &known.status.failure {
            sample(out, name, &[("mchid", id.as_str()), ("reason", &failure.code)], 1);
        }
    }
    let name = "favor_certs_own_keys_error";
    head(
        out,
        name,
        "gauge",
        "1 while a merchant's own key files are wrong and those read before are in use.",
    );
    for (id, known) in view.merchants {
        sample(out, name, &[("mchid", id.as_str())], u8::from(known.status.own_keys.is_some()));
    }
    let name = "favor_certs_generation";
    head(out, name, "gauge", "The generation in force.");
    for (id, known) in view.merchants {
        if let Some(release) = &known.release {
            sample(out, name, &[("mchid", id.as_str())], release.generation());
        }
    }
    let name = "favor_certs_unknown_serial_total";
    head(out, name, "counter", "How often a reader told of a serial that is not in force.");
    for (id, known) in view.merchants {
        sample(out, name, &[("mchid", id.as_str())], known.unknown_serials);
    }
}
