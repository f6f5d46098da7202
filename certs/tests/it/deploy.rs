//! The samples in `deploy/` are true.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use favor_certs::{Config, Daemon, Listen};
use favor_core::SystemClock;

fn sample(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy").join(name)
}

fn text(name: &str) -> String {
    std::fs::read_to_string(sample(name)).unwrap()
}

#[test]
fn the_sample_settings_are_settings_and_name_every_default() {
    let config = Config::read(sample("certs.toml")).unwrap();
    assert_eq!(config.listen, Some(Listen::Loopback("127.0.0.1:9180".parse().unwrap())));
    assert_eq!((config.merchants.len(), config.hooks.len()), (2, 1));
    // With what is shown as a comment switched on it is the same, where that is said to be the default.
    let folder = tempfile::tempdir().unwrap();
    let defaults = [
        "interval",
        "retry_from",
        "retry_to",
        "checks_per_second",
        "max_age",
        "reload_every",
        "file_mode",
        "folder_mode",
    ];
    let mut on = text("certs.toml");
    for name in defaults {
        let comment = format!("# {name} = ");
        assert!(on.contains(&comment), "{name} is not shown");
        on = on.replace(&comment, &format!("{name} = "));
    }
    let file = folder.path().join("certs.toml");
    std::fs::write(&file, on).unwrap();
    let explicit = Config::read(&file).unwrap();
    assert_eq!(
        (explicit.interval, explicit.retry_from, explicit.retry_to, explicit.checks_per_second),
        (config.interval, config.retry_from, config.retry_to, config.checks_per_second)
    );
    assert_eq!(
        (explicit.max_age, explicit.reload_every, explicit.modes()),
        (config.max_age, config.reload_every, config.modes())
    );
}

#[tokio::test]
async fn every_metric_in_the_alert_rules_exists() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("certs.toml");
    std::fs::write(&file, "directory = \"keys\"").unwrap();
    let daemon = Daemon::start(&file, Arc::new(SystemClock::new())).await.unwrap();
    let metrics = daemon.handle().metrics();
    let known: Vec<_> =
        metrics.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split(' ').next()).collect();
    let rules = text("alerts.yml");
    let words = rules.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    let used: Vec<_> = words.filter(|word| word.starts_with("favor_certs_")).collect();
    assert!(used.len() > 8, "{used:?}");
    for name in used {
        assert!(known.contains(&name), "{name} is in the rules and not in {known:?}");
    }
}

#[test]
fn unit_and_container_start_what_there_is() {
    let unit = text("favor-certs.service");
    assert!(unit.contains("Type=notify") && unit.contains("WatchdogSec="));
    assert!(unit.contains("favor certs watch --config /etc/favor/certs.toml"));
    let container = text("Containerfile");
    assert!(container.contains(r#"["favor", "certs", "watch", "--config", "/etc/favor/certs.toml"]"#));
}

#[test]
fn wrong_settings_are_named_and_secrets_in_them_not_shown() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("certs.toml");
    let merchant =
        "[[merchant]]\nmchid = \"1900000109\"\npublic_key_id = \"PUB_KEY_ID_1\"\npublic_key_file = \"p\"\n";
    let cases = [
        ("directory = 5", "line 1"),
        ("directory = \"k\"\nlisten = \"0.0.0.0:80\"", "loopback"),
        ("directory = \"k\"\ninterval = \"5\"", "duration"),
        ("directory = \"k\"\ninterval = \"1s\"", "at least a minute"),
        ("directory = \"k\"\nfile_mode = \"99\"", "octal"),
        ("directory = \"k\"\n[[merchant]]\nmchid = \"../x\"", "digits"),
        ("directory = \"k\"\n[[merchant]]\nmchid = \"1\"", "api_v3_key_file"),
        ("directory = \"k\"\n[[merchant]]\nmchid = \"1\"\napi_v3_key_file = \"f\"", "private_key_file"),
        ("directory = \"k\"\n[[merchant]]\nmchid = \"1\"\napi_v3_key = \"sesame\"", "files of their own"),
        ("directory = \"k\"\n[[hook]]\nname = \"a/b\"", "name has letters"),
        ("directory = \"k\"\n[[hook]]\nname = \"a\"", "either exec"),
        ("directory = \"k\"\n[[hook]]\nname = \"a\"\nexec = [\"x\"]\nwindows = [\"2-5\"]", "02:00-05:00"),
    ];
    for (text, reason) in cases {
        std::fs::write(&file, text).unwrap();
        let error = Config::read(&file).unwrap_err().to_string();
        assert!(error.contains(reason) && error.contains("certs.toml"), "{text}: {error}");
        assert!(!error.contains("sesame"), "{error}");
    }
    std::fs::write(&file, format!("directory = \"k\"\n{merchant}{merchant}")).unwrap();
    assert!(Config::read(&file).unwrap_err().to_string().contains("twice"));
    std::fs::write(&file, format!("directory = \"k\"\n{merchant}")).unwrap();
    assert!(Config::read(&file).unwrap().directory.is_absolute(), "relative to the file");
}
