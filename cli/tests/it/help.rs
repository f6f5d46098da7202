//! Help and usage errors.

use crate::run::{favor, run};

#[test]
fn help_names_every_command_and_exit_code() {
    let folder = tempfile::tempdir().unwrap();
    let help = run(favor(folder.path()).arg("--help"));
    assert_eq!(help.code, Some(0));
    for word in [
        "demo",
        "mirror",
        "stock",
        "coupon",
        "callback",
        "campaign",
        "card",
        "verify",
        "decrypt",
        "doctor",
        "certs",
        "sign",
        "outcome unknown: repeat with the same out_request_no",
        "Tencent",
    ] {
        assert!(help.stdout.contains(word), "{word} is missing in {}", help.stdout);
    }
    for command in [
        ["stock", "create"],
        ["stock", "start"],
        ["stock", "get"],
        ["coupon", "send"],
        ["coupon", "get"],
        ["callback", "set"],
        ["callback", "listen"],
        ["callback", "trigger"],
        ["callback", "replay"],
        ["callback", "list"],
        ["callback", "unpark"],
        ["card", "create"],
        ["card", "code"],
        ["card", "qrcode"],
        ["card", "gift"],
        ["card", "pay-gift"],
        ["card", "sub-merchant"],
        ["card", "member"],
        ["card", "stats"],
        ["card", "sign"],
        ["card", "listen"],
        ["campaign", "plan"],
        ["campaign", "start"],
        ["campaign", "worker"],
        ["campaign", "watch"],
        ["campaign", "pause"],
        ["campaign", "resume"],
        ["campaign", "stop"],
        ["campaign", "list"],
        ["campaign", "history"],
        ["campaign", "retry"],
        ["campaign", "report"],
        ["campaign", "audit"],
        ["campaign", "reconcile"],
        ["campaign", "purge"],
        ["campaign", "discard"],
    ] {
        let help = run(favor(folder.path()).args(command).arg("--help"));
        assert_eq!(help.code, Some(0), "{command:?}");
    }
}

#[test]
fn usage_errors_exit_with_2_and_say_what_is_wrong() {
    let folder = tempfile::tempdir().unwrap();
    for (arguments, word) in [
        (vec![], "Usage"),
        (vec!["stock", "fly"], "unrecognized subcommand"),
        (vec!["demo", "--people", "0"], "0 is not in 1..=1000000"),
        (vec!["stock", "get", "a/b"], "1 to 20 letters"),
        (vec!["coupon", "send", "1", ".."], "visible ASCII"),
        (
            vec![
                "stock",
                "create",
                "--name",
                "x",
                "--face-value",
                "500",
                "--threshold",
                "30yuan",
                "--coupons",
                "5",
            ],
            "say the unit",
        ),
        (vec!["stock", "create", "--name", "x", "--end", "soon"], "use a date such as"),
        (vec!["coupon", "send", "1", "o", "--slot", "1", "--out-request-no", "n"], "cannot be used with"),
    ] {
        let ran = run(favor(folder.path()).args(&arguments));
        assert_eq!(ran.code, Some(2), "{arguments:?}: {ran:?}");
        assert!(ran.stderr.contains(word) || ran.stdout.contains(word), "{arguments:?}: {ran:?}");
    }
}
