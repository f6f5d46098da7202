//! Certificate lists that are of no use, one after the other, before a daemon that runs.

use std::time::Duration;

use favor_core::{Clock as _, DirectoryKeys, KeyStore as _, Lookup, Serial};
use serde_json::Value;

use crate::platform::{Answer, NEW, OLD, Platform, STRANGER, Signer, entry, list};
use crate::world::{World, until};

/// More than the interval and its jitter, and more than the longest pause after failures.
const INTERVAL: Duration = Duration::from_secs(3970);
const PAUSE: Duration = Duration::from_secs(1000);
/// The test begins at day 462 and takes two more.
const TODAY: i64 = 462;

struct Case {
    name: &'static str,
    answer: Answer,
    /// How the failure is called; none where the check succeeds all the same.
    code: Option<&'static str>,
    /// Words of the reason that is told.
    says: &'static str,
}

fn refuses(name: &'static str, answer: Answer, code: &'static str, says: &'static str) -> Case {
    Case { name, answer, code: Some(code), says }
}

struct Lists {
    api_v3_key: String,
}

impl Lists {
    fn of(&self, signer: &Signer, from: i64, until: i64) -> Value {
        entry(signer.serial, &self.api_v3_key, signer.certificate(from, until).pem())
    }

    fn older(&self) -> Value {
        self.of(&OLD, 0, TODAY + 500)
    }

    fn newer(&self) -> Value {
        self.of(&NEW, TODAY - 1, TODAY + 1800)
    }

    fn good(&self) -> Answer {
        Answer::signed(&NEW, list(&[self.newer(), self.older()]))
    }

    fn cases(&self) -> Vec<Case> {
        let other_key = "x".repeat(32);
        let sealed_otherwise = entry(NEW.serial, &other_key, NEW.certificate(0, TODAY + 500).pem());
        let misnamed = entry("0C03", &self.api_v3_key, NEW.certificate(0, TODAY + 500).pem());
        let later = self.of(&STRANGER, TODAY + 30, TODAY + 500);
        let over = self.of(&STRANGER, 0, TODAY - 1);
        let both = list(&[self.newer(), self.older()]);
        let no_certificate = entry(NEW.serial, &self.api_v3_key, "no certificate");
        let refusal = r#"{"code":"SIGN_ERROR","message":"签名错误"}"#;
        vec![
            refuses("empty", Answer::signed(&NEW, list(&[])), "empty_list", "is empty"),
            refuses("wrong serial", Answer::signed(&OLD, list(&[misnamed])), "wrong_serial", "0C03"),
            refuses(
                "not yet valid",
                Answer::signed(&OLD, list(&[later])),
                "not_yet_valid",
                "check the clock",
            ),
            refuses("expired", Answer::signed(&OLD, list(&[over])), "expired", "expired at"),
            refuses(
                "one of two undecryptable",
                Answer::signed(&OLD, list(&[self.older(), sealed_otherwise])),
                "undecryptable",
                "APIv3 key",
            ),
            refuses(
                "not a certificate",
                Answer::signed(&OLD, list(&[no_certificate])),
                "unreadable",
                "cannot be read",
            ),
            refuses("an unknown signer", Answer::signed(&STRANGER, both.clone()), "unknown_signer", "0D04"),
            refuses(
                "a known name and another key",
                Answer::signed(&STRANGER.called(OLD.serial), both.clone()),
                "bad_signature",
                "trusted",
            ),
            refuses("unsigned", Answer::unsigned(200, both.clone()), "bad_signature", "missing"),
            refuses("signed long ago", Answer::signed(&OLD, both).late(600), "bad_signature", "clock"),
            refuses("no list", Answer::signed(&OLD, "{}"), "malformed", "certificate list"),
            refuses("no JSON", Answer::signed(&OLD, "<html>"), "malformed", "certificate list"),
            refuses("nothing there", Answer::unsigned(404, ""), "no_certificates", "public key"),
            refuses("refused", Answer::unsigned(401, refusal), "refused", "SIGN_ERROR"),
            refuses("too many requests", Answer::unsigned(429, ""), "refused", "429"),
            refuses("out of order", Answer::unsigned(503, "<html>"), "refused", "503"),
            Case {
                name: "shrunken",
                answer: Answer::signed(&NEW, list(&[self.newer()])),
                code: None,
                says: "",
            },
        ]
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_old_set_stays_the_reason_is_told_and_recovery_needs_nobody() {
    let world = World::with(1).await;
    let lists = Lists { api_v3_key: world.merchants[0].api_v3_key.clone() };
    let platform = Platform::start(world.clock.clone(), lists.good()).await;
    world.configure("", &format!("base_url = \"{}\"", platform.url), "");
    let daemon = world.start().await;
    world.checked(0, world.clock.now()).await;
    let good = [NEW.serial, OLD.serial];
    assert_eq!(world.ids(0), good);
    let generation = world.release(0).unwrap().manifest().generation;
    let id = crate::world::id(0);
    let reader = DirectoryKeys::builder(world.root(), id).clock(world.clock.clone()).open().unwrap();
    let known = |serial: &str| {
        matches!(reader.keys().find(&Serial::new(serial), world.clock.now()), Lookup::Found(_))
    };

    for Case { name, answer, code, says } in lists.cases() {
        let last_success = world.status(0).unwrap().last_success;
        platform.answers(answer);
        world.pass(INTERVAL).await;
        let status = world.status(0).unwrap();
        match (code, &status.failure) {
            (Some(code), Some(failure)) => {
                assert_eq!(failure.code, code, "{name}: {failure:?}");
                assert!(failure.message.contains(says), "{name}: {failure:?}");
                assert_eq!(status.last_success, last_success, "{name}");
                assert_eq!(status.failing_since, Some(world.clock.now()), "{name}");
                let reason = format!("reason=\"{code}\"");
                until("the reason", || daemon.handle.metrics().contains(&reason)).await;
            }
            (None, None) => assert_eq!(status.kept_unlisted, [OLD.serial], "{name}"),
            (_, failure) => panic!("{name}: {failure:?}"),
        }
        assert_eq!(world.ids(0), good, "{name}");
        assert!(good.iter().all(|serial| known(serial)), "{name}: the reader");

        platform.answers(lists.good());
        world.pass(if code.is_some() { PAUSE } else { INTERVAL }).await;
        let status = world.status(0).unwrap();
        assert_eq!((status.failure, status.failing_since), (None, None), "{name}: recovered");
        assert!(status.kept_unlisted.is_empty(), "{name}");
        until("no reason any more", || !daemon.handle.metrics().contains("reason=")).await;
        assert_eq!(world.release(0).unwrap().manifest().generation, generation, "{name}: no news");
    }
    daemon.stop().await;
}

/// Keys that were never there do not come from a list of no use either.
#[tokio::test(flavor = "multi_thread")]
async fn at_the_first_start_a_list_of_no_use_publishes_nothing() {
    let world = World::with(1).await;
    let lists = Lists { api_v3_key: world.merchants[0].api_v3_key.clone() };
    let mut cases = lists.cases().into_iter().filter(|case| case.code.is_some());
    let first = cases.next().unwrap();
    let platform = Platform::start(world.clock.clone(), first.answer).await;
    world.configure("", &format!("base_url = \"{}\"", platform.url), "");
    let daemon = world.start().await;
    world.checked(0, world.clock.now()).await;
    assert_eq!(world.failure(0).as_deref(), first.code);
    for Case { name, answer, code, .. } in cases {
        platform.answers(answer);
        world.pass(PAUSE).await;
        // Nothing is held, so nothing but a stranger's name can be unknown.
        let expected = if name == "a known name and another key" { Some("bad_signature") } else { code };
        assert_eq!(world.failure(0).as_deref(), expected, "{name}");
        assert!(world.release(0).is_none(), "{name}");
    }
    platform.answers(lists.good());
    world.pass(PAUSE).await;
    assert_eq!((world.failure(0), world.ids(0).len()), (None, 2));
    daemon.stop().await;
}
