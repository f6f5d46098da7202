//! `favor doctor`: looks at a profile from end to end, and says in words what is wrong and how to mend it.

mod address;
mod ask;
mod card;
mod code;
mod file;
pub(crate) mod given;
mod merchant;
mod origin;
mod platform;
mod reach;
mod refusal;
mod report;
mod show;
mod surroundings;

use std::path::Path;

use favor_core::{Clock, SystemClock};

use crate::args::{self, Global};
use crate::doctor::ask::Asker;
use crate::doctor::code::{Code, Severity};
use crate::doctor::given::Given;
use crate::doctor::report::Report;
use crate::doctor::surroundings::Way;
use crate::env;
use crate::exit::Exit;
use crate::output::Output;
use crate::{profile, settings};

pub(crate) async fn run(args: args::Doctor, global: &Global, output: &Output) -> anyhow::Result<Exit> {
    let mut report = Report::default();
    match Given::load(global) {
        Ok(given) => look(&given, &args, global, &mut report).await,
        Err(error) => report.bad(
            Code::SettingsUnreadable,
            settings::in_words(error.as_ref()),
            "correct favor.toml, or name another file with --config and another profile with --profile",
        ),
    }
    show::show(&report, output)?;
    Ok(report.exit())
}

const WITHOUT_NETWORK: &str = "it needs the network (--offline)";
const NO_WAY: &str = "the address or the way to it is malformed";

async fn look(given: &Given, args: &args::Doctor, global: &Global, report: &mut Report) {
    if !given.has_merchant() && !given.has_account() {
        settings_missing(global, report);
        return;
    }
    report.good(Code::Settings, format!("from {}", given.origin(global)));
    let clock = SystemClock::new();
    let way = if given.has_merchant() {
        let way = look_at_merchant(given, args, &clock, report).await;
        surroundings::card_way(given, &way)
    } else {
        let way = surroundings::check_card_way(given, report);
        if given.appid.is_some() {
            surroundings::check_appid(given, report);
        }
        way
    };
    if given.has_account() {
        look_at_account(given, args, &way, &clock, report).await;
    }
    debug_assert!(report.count(Severity::Ok) > 0);
}

async fn look_at_merchant(given: &Given, args: &args::Doctor, clock: &dyn Clock, report: &mut Report) -> Way {
    const ASKED: &str = "the way to the platform, the clock, signed calls";
    let own = merchant::check(given, clock.now(), report);
    let platform = platform::check(given, &own, report);
    let way = surroundings::check_way(given, report);
    surroundings::check_appid(given, report);
    surroundings::check_sides(given, &way, &own, report);

    if args.offline {
        report.skip(ASKED, WITHOUT_NETWORK);
        return way;
    }
    if !way.usable {
        report.skip(ASKED, NO_WAY);
        return way;
    }
    if report.has(&[Code::MirrorKeysOnProduction]) {
        report.skip(ASKED, "a mirror's keys do not go to WeChat Pay");
        return way;
    }
    let Some(peer) = reach::check(&way, clock, report).await else {
        report.skip("signed calls", "the platform cannot be reached");
        return way;
    };
    let Some(signer) = &own.signer else {
        report.skip("signed calls", "they need a private key and certificate that are right");
        return way;
    };
    Asker { way: &way, own: &own, signer, platform: &platform, peer }.ask(report).await;
    way
}

async fn look_at_account(
    given: &Given,
    args: &args::Doctor,
    way: &Way,
    clock: &dyn Clock,
    report: &mut Report,
) {
    let account = card::check(given, report);
    if args.offline {
        return card::skip(report, WITHOUT_NETWORK);
    }
    if !way.usable {
        return card::skip(report, NO_WAY);
    }
    if report.has(&[Code::MirrorKeysOnProduction]) {
        return card::skip(report, "a mirror's secrets do not go to WeChat");
    }
    match &account {
        Some(account) => card::ask(account, way, clock, report).await,
        None => card::skip(report, "they need an appid and an app secret that are right"),
    }
}

/// Says which profile could have been meant, or that there is none at all.
fn settings_missing(global: &Global, report: &mut Report) {
    let file = global.config.as_deref().unwrap_or(Path::new(profile::FILE)).display();
    let others = match (&global.profile, profile::names(global.config.as_deref())) {
        (None, Some(names)) => names,
        (Some(name), Some(_)) => vec![name.clone()],
        (_, None) => Vec::new(),
    };
    let is_named = global.profile.is_some() || others.iter().any(|name| name == profile::DEFAULT);
    if is_named {
        let name = global.profile.as_deref().unwrap_or(profile::DEFAULT);
        report.bad(
            Code::SettingsMissing,
            format!("profile {name:?} of {file} names no merchant and no keys"),
            "put mchid, private_key_file, certificate_file and api_v3_key_file into it; for cards appid and app_secret_file",
        );
    } else if let [one, ..] = others.as_slice() {
        report.bad(
            Code::SettingsMissing,
            format!(
                "{file} has no profile {:?}, and none was named; it has: {}",
                profile::DEFAULT,
                others.join(", ")
            ),
            format!("name one: --profile {one}, or {}={one}", env::PROFILE),
        );
    } else {
        let found = match variables().as_slice() {
            [] => "no variable FAVOR_… is set".to_owned(),
            set => {
                format!(
                    "the variables that are set ({}) name neither a merchant's keys nor an app secret",
                    set.join(", ")
                )
            }
        };
        report.bad(
            Code::SettingsMissing,
            format!("there is no {file}, and {found}"),
            "favor mirror starts a stand-in and prints variables to paste; for your own merchant write favor.toml with a table [profile.default]",
        );
    }
}

/// Names of the variables that are set for this command.
fn variables() -> Vec<String> {
    let names = std::env::vars_os().filter_map(|(name, _)| name.into_string().ok());
    let mut names: Vec<_> = names.filter(|name| name.starts_with("FAVOR_")).collect();
    names.sort_unstable();
    names
}
