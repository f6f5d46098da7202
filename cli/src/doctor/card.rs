//! The Official Account whose cards they are: its secrets, the way to its host, its access token, and its right to cards.

use favor_card::event::{EncodingAesKey, Token};
use favor_card::{AppId, AppSecret, Cards, Client, ErrCode, Error, ErrorKind, ListCards};
use favor_core::{Clock, HttpTransport};
use zeroize::Zeroizing;

use crate::doctor::code::Code;
use crate::doctor::file;
use crate::doctor::given::{Given, Place};
use crate::doctor::reach;
use crate::doctor::report::Report;
use crate::doctor::surroundings::Way;
use crate::env;
use crate::settings;

const ASKED: &str = "the card API's host, its access token, the right to cards";
const NEEDED: &str = "correct app_secret_file (paths are relative to favor.toml), or the file's permissions";

/// What calls are made with.
pub(crate) struct Account {
    app_id: AppId,
    secret: AppSecret,
}

/// Looks at what is set, and asks nobody.
pub(crate) fn check(given: &Given, report: &mut Report) -> Option<Account> {
    let app_id = app_id(given, report);
    let secret = secret(given, report);
    push(given, report);
    if let Some(file) = given.tokens.as_ref().filter(|file| file.exists()) {
        file::check_open(&Place::File(file.clone()), report);
    }
    Some(Account { app_id: app_id?, secret: secret? })
}

/// That its form is right is looked at elsewhere, for it is one of Pay's settings too.
fn app_id(given: &Given, report: &mut Report) -> Option<AppId> {
    if given.appid.is_none() {
        report.bad(
            Code::AppIdMissing,
            "there are settings for cards, and no appid says of which Official Account",
            format!("set appid (or {}): it is in the account's console, beside its app secret", env::APPID),
        );
    }
    AppId::new(given.appid.as_deref()?).ok()
}

/// The text of a secret, or what is wrong, in words.
fn text(place: &Place) -> Result<Zeroizing<String>, String> {
    let bytes = file::secret(place)?;
    match std::str::from_utf8(&bytes) {
        Ok(text) => Ok(Zeroizing::new(text.to_owned())),
        Err(_) => Err(format!("{} is not plain text{}", place.name(), file::slip(&bytes))),
    }
}

fn secret(given: &Given, report: &mut Report) -> Option<AppSecret> {
    let Some(place) = &given.app_secret else {
        report.bad(
            Code::AppSecretMissing,
            "no app secret is set: pushed events can be received, and no call about cards can be made",
            format!("set app_secret_file (or {}) when this profile makes calls", env::APP_SECRET),
        );
        return None;
    };
    let text = match text(place) {
        Ok(text) => text,
        Err(why) => {
            report.bad(Code::AppSecretUnreadable, format!("app secret: {why}"), NEEDED);
            return None;
        }
    };
    let secret = match AppSecret::new(text.as_str()) {
        Ok(secret) => secret,
        Err(error) => {
            report.bad(
                Code::AppSecretMalformed,
                format!("{}: {error}{}", place.name(), file::slip(text.as_bytes())),
                "the file holds the secret and nothing else; printf %s 'SECRET' > FILE writes no line end",
            );
            return None;
        }
    };
    file::check_open(place, report);
    let bare = text.trim();
    let is_usual = bare.len() == 32 && bare.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
    if is_usual {
        report.good(Code::AppSecret, format!("32 characters, from {}", place.name()));
    } else {
        report.bad(
            Code::AppSecretForm,
            format!(
                "{} holds {} characters; an app secret is usually 32 digits and letters from a to f{}",
                place.name(),
                bare.chars().count(),
                file::slip(bare.as_bytes())
            ),
            "compare it with the account's console; it is used as it is",
        );
    }
    Some(secret)
}

/// Token and EncodingAESKey, where events are received.
fn push(given: &Given, report: &mut Report) {
    match (&given.push_token, &given.encoding_aes_key) {
        (None, None) => return,
        (None, Some(_)) => report.bad(
            Code::PushTokenMissing,
            "an EncodingAESKey is set, and no Token: nothing that is pushed can be verified",
            format!(
                "set push_token_file (or {}): the Token of the account's server settings",
                env::PUSH_TOKEN
            ),
        ),
        (Some(place), _) => one(place, report, PUSH_TOKEN, |text| Token::new(text).map(drop)),
    }
    match &given.encoding_aes_key {
        Some(place) => one(place, report, AES_KEY, |text| EncodingAesKey::new(text).map(drop)),
        None => report.bad(
            Code::EncodingAesKeyMissing,
            "no EncodingAESKey is set, so events come in plain, and their signature does not cover what they say",
            format!(
                "choose the secure mode in the account's server settings and set encoding_aes_key_file (or {})",
                env::ENCODING_AES_KEY
            ),
        ),
    }
}

/// A secret of the server settings: its codes, and what it is.
struct Kind {
    good: Code,
    unreadable: Code,
    malformed: Code,
    name: &'static str,
    setting: &'static str,
    form: &'static str,
}

const PUSH_TOKEN: Kind = Kind {
    good: Code::PushToken,
    unreadable: Code::PushTokenUnreadable,
    malformed: Code::PushTokenMalformed,
    name: "Token",
    setting: "push_token_file",
    form: "3 to 32 letters and digits",
};
const AES_KEY: Kind = Kind {
    good: Code::EncodingAesKey,
    unreadable: Code::EncodingAesKeyUnreadable,
    malformed: Code::EncodingAesKeyMalformed,
    name: "EncodingAESKey",
    setting: "encoding_aes_key_file",
    form: "43 characters",
};

fn one<E>(place: &Place, report: &mut Report, kind: Kind, read: impl FnOnce(&str) -> Result<(), E>)
where
    E: std::fmt::Display,
{
    let Kind { name, setting, form, .. } = kind;
    let text = match text(place) {
        Ok(text) => text,
        Err(why) => {
            let mend =
                format!("correct {setting} (paths are relative to favor.toml), or the file's permissions");
            report.bad(kind.unreadable, format!("{name}: {why}"), mend);
            return;
        }
    };
    file::check_open(place, report);
    match read(&text) {
        Ok(()) => report.good(kind.good, format!("{form}, from {}", place.name())),
        Err(error) => {
            let (long, slip) = (text.trim().chars().count(), file::slip(text.as_bytes()));
            report.bad(
                kind.malformed,
                format!("{}: {error}, and these are {long}{slip}", place.name()),
                format!("copy the {name} from the account's server settings into the file, and nothing else"),
            );
        }
    }
}

/// Says why nobody was asked.
pub(crate) fn skip(report: &mut Report, why: &str) {
    report.skip(ASKED, why);
}

/// Asks the platform: who is there, for the access token, and for a list of cards.
pub(crate) async fn ask(account: &Account, way: &Way, clock: &dyn Clock, report: &mut Report) {
    if !reach::check_card(way, clock, report).await {
        report.skip("the access token, the right to cards", "the card API's host cannot be reached");
        return;
    }
    let client = match client(account, way) {
        Ok(client) => client,
        Err(error) => {
            report.bad(Code::ClientUnusable, settings::in_words(&error), "correct what it names");
            return;
        }
    };
    if let Err(error) = client.access_token().await {
        explain_token(account, &error, report);
        report.skip("the right to cards", "there is no access token");
        return;
    }
    report.good(Code::AccessToken, format!("account {} gets one", account.app_id));
    match Cards::new(&client).list(&ListCards::new(0, 1)).await {
        Ok(cards) => {
            let many = match cards.total_num {
                1 => "1 card".to_owned(),
                many => format!("{many} cards"),
            };
            report.good(Code::CardPermission, format!("the account has {many}"));
        }
        Err(error) => explain_call(&error, report),
    }
}

fn client(account: &Account, way: &Way) -> Result<Client, Error> {
    let mut transport = HttpTransport::builder();
    if let Some(proxy) = &way.proxy {
        transport = transport.proxy(proxy.as_str());
    }
    if let Some(roots) = &way.roots {
        transport = transport.root_certificate(roots.clone());
    }
    let base = way.base.as_ref().map_or(favor_card::MAIN_URL, |base| base.as_str());
    Client::builder(account.app_id.clone(), account.secret.clone())
        .base_url(base)
        .user_agent(concat!("favor-cli/", env!("CARGO_PKG_VERSION")))
        .transport(transport.build()?)
        .build()
}

fn explain_token(account: &Account, error: &Error, report: &mut Report) {
    let words = settings::in_words(error);
    match error.code() {
        Some(ErrCode::InvalidSecret | ErrCode::InvalidCredential | ErrCode::MissingSecret) => report.bad(
            Code::AppSecretWrong,
            format!("this is not the app secret of account {} ({words})", account.app_id),
            "copy it from the account's console; a reset there makes the one before invalid at once",
        ),
        Some(ErrCode::InvalidAppId | ErrCode::MissingAppId) => report.bad(
            Code::AccountUnknown,
            format!("there is no account {} on that side ({words})", account.app_id),
            "compare appid with the account's console, and base_url with the side that is meant: a mirror's account is not WeChat's",
        ),
        Some(ErrCode::IpNotAllowed) => report.bad(
            Code::IpNotListed,
            format!("the account gives no token to this machine's address ({words})"),
            "add the address that the message names to the account's IP allow list",
        ),
        code => explain_other(error, code, Code::AccessTokenRefused, words, report),
    }
}

fn explain_call(error: &Error, report: &mut Report) {
    let words = settings::in_words(error);
    match error.code() {
        Some(ErrCode::Unauthorized | ErrCode::Forbidden | ErrCode::NeedsPermission) => report.bad(
            Code::CardNoPermission,
            format!("the account has a token, and no right to cards ({words})"),
            "apply for cards (卡券功能) in the account's console; a subscription account that is not verified cannot have them",
        ),
        code => explain_other(error, code, Code::CallRefused, words, report),
    }
}

/// What says nothing about the settings.
fn explain_other(error: &Error, code: Option<ErrCode>, refused: Code, words: String, report: &mut Report) {
    let is_busy = match code {
        Some(code) => code.is_retryable(),
        None => error.kind() == ErrorKind::Status,
    };
    if is_busy {
        report.bad(Code::PlatformBusy, words, "try again later; the settings are not at fault");
    } else if code.is_some() {
        report.bad(refused, words, error.hint());
    } else {
        report.bad(Code::ConnectionBroken, words, "try again; when it lasts, look at what stands between");
    }
}
