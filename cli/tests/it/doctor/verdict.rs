//! What the doctor says of a profile.

use serde_json::Value;

use crate::world::World;

pub fn codes(report: &Value, severity: &str) -> Vec<String> {
    let findings = report["findings"].as_array().unwrap();
    let of = findings.iter().filter(|finding| finding["severity"] == severity);
    of.map(|finding| finding["code"].as_str().unwrap().to_owned()).collect()
}

/// Breaks a profile in one way, and demands that this and nothing else is called a problem.
pub fn broken(cause: &str, exit: i32, world: &World) -> Value {
    let (report, code) = world.doctor();
    assert_eq!(codes(&report, "problem"), [cause], "{report:#}");
    assert_eq!(report["cause"], cause);
    assert_eq!(report["ok"], false);
    assert_eq!(code, Some(exit), "{report:#}");
    let finding =
        report["findings"].as_array().unwrap().iter().find(|finding| finding["code"] == cause).unwrap();
    assert!(!finding["mend"].as_str().unwrap().is_empty(), "{finding}");
    assert_eq!(finding["documentation"], format!("docs/doctor.md#{}", cause.to_lowercase()));
    finding.clone()
}
