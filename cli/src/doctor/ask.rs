//! Signed calls that change nothing: the certificates, a list of stocks, the callback address.

use favor_callback::{CallbackAddress, NotifyUrl};
use favor_core::{
    AeadError, ApiError, ApiV3Key, Authenticity, Call, Client, Error, ErrorCode, ErrorKind, HttpTransport,
    MerchantSigner, Operation, PlatformKeys, Refresh, Response, Serial, Verb, VerifyError,
};
use favor_stock::{ListStocks, Stocks};

use crate::doctor::code::Code;
use crate::doctor::merchant::Own;
use crate::doctor::origin;
use crate::doctor::platform::Platform;
use crate::doctor::reach::{self, Peer};
use crate::doctor::report::Report;
use crate::doctor::surroundings::Way;
use crate::expiry::{beijing, days, days_left};
use crate::settings;

static CERTIFICATES: Operation = Operation::new("certificates.list", Verb::Get, "/v3/certificates");

/// In the place of a key that is not there: the certificates are asked for to see whether the signature is
/// accepted, and then cannot be opened.
const NO_KEY: [u8; 32] = [b'0'; 32];
/// A platform certificate without a successor is worth a word this early.
const PLATFORM_DAYS: i64 = 30;

/// Everything that signed calls need.
pub(crate) struct Asker<'a> {
    pub(crate) way: &'a Way,
    pub(crate) own: &'a Own,
    pub(crate) signer: &'a MerchantSigner,
    pub(crate) platform: &'a Platform,
    pub(crate) peer: Peer,
}

/// What the certificates told.
enum Mode {
    Certificates,
    PublicKeyOnly,
    /// The signature was accepted; the certificates could not be looked at.
    NotSeen,
}

impl Asker<'_> {
    pub(crate) async fn ask(&self, report: &mut Report) {
        let client = match self.client(self.keys()) {
            Ok(client) => client,
            Err(error) => {
                let words = settings::in_words(&error);
                report.bad(Code::ClientUnusable, words, "correct what it names");
                return;
            }
        };
        let Some(mode) = self.certificates(&client, report).await else {
            report.skip("the permission", "signed calls are not accepted yet");
            report.skip("the callback address", "signed calls are not accepted yet");
            return;
        };
        let Some(client) = self.verifying_client(client, &mode, report) else {
            report.skip("the permission", "answers cannot be verified yet");
            report.skip("the callback address", "answers cannot be verified yet");
            return;
        };
        if self.stocks(&client, &mode, report).await {
            callback(&client, report).await;
        } else {
            report.skip("the callback address", "the call before it failed");
        }
    }

    fn keys(&self) -> Result<PlatformKeys, Error> {
        let key = match &self.platform.api_v3_key {
            Some(key) => key.clone(),
            None => ApiV3Key::new(NO_KEY)?,
        };
        Ok(match &self.platform.public_key {
            Some((id, public)) => PlatformKeys::download_and_public_key(key, id, public.clone())?,
            None => PlatformKeys::download(key),
        })
    }

    fn client(&self, keys: Result<PlatformKeys, Error>) -> Result<Client, Error> {
        let mut transport = HttpTransport::builder();
        if let Some(proxy) = &self.way.proxy {
            transport = transport.proxy(proxy.as_str());
        }
        if let Some(roots) = &self.way.roots {
            transport = transport.root_certificate(roots.clone());
        }
        let base = self.way.base.as_ref().map_or(favor_core::MAIN_URL, |base| base.as_str());
        Client::builder(self.signer.clone(), keys?)
            .base_url(base)
            .user_agent(concat!("favor-cli/", env!("CARGO_PKG_VERSION")))
            .transport(transport.build()?)
            .build()
    }

    /// Asks for the certificates. None: the signature was not accepted, or there was no answer.
    async fn certificates(&self, client: &Client, report: &mut Report) -> Option<Mode> {
        let mut result = client.key_store().refresh(Refresh::NoKeys).await;
        if matches!(result.as_ref().map_err(Error::verification_error), Err(Some(VerifyError::Probe))) {
            // A probe is followed by the truth.
            result = self.again().await;
        }
        let Err(error) = result else {
            accepted(report);
            return Some(self.held(client, report));
        };
        let opened = std::error::Error::source(&error).and_then(|cause| cause.downcast_ref::<AeadError>());
        if opened.is_some() {
            accepted(report);
            if self.platform.api_v3_key.is_some() {
                api_v3_key_wrong(report);
            }
            return Some(Mode::NotSeen);
        }
        if has_no_certificates(&error) {
            accepted(report);
            return self.without_public_key(report);
        }
        if let Some(why) = error.verification_error() {
            accepted(report);
            self.untrusted(why, report).await;
            return None;
        }
        if error.api().is_some_and(|api| api.status() == 400) && self.id_is_at_fault(report).await {
            return None;
        }
        self.refused(&error, report);
        None
    }

    /// Asks again without naming the public key: a foreign id in the request is refused as a wrong parameter.
    async fn id_is_at_fault(&self, report: &mut Report) -> bool {
        let Some((id, _)) = &self.platform.public_key else { return false };
        let key = match &self.platform.api_v3_key {
            Some(key) => Ok(key.clone()),
            None => ApiV3Key::new(NO_KEY).map_err(Error::from),
        };
        let Ok(client) = self.client(key.map(PlatformKeys::download)) else { return false };
        let error = client.key_store().refresh(Refresh::NoKeys).await.err();
        if error.as_ref().and_then(Error::api).is_some_and(|api| api.status() >= 400) {
            return false;
        }
        let theirs = match error.as_ref().and_then(Error::verification_error) {
            Some(VerifyError::UnknownKey(serial)) => format!("; it signs with {serial}"),
            _ => String::new(),
        };
        accepted(report);
        report.bad(
            Code::PublicKeyIdWrong,
            format!("the platform refuses requests that name the public key {id}{theirs}"),
            "copy id and key anew from the merchant console; both belong to this one merchant",
        );
        true
    }

    async fn again(&self) -> Result<(), Error> {
        self.client(self.keys())?.key_store().refresh(Refresh::NoKeys).await
    }

    fn without_public_key(&self, report: &mut Report) -> Option<Mode> {
        report.bad(
            Code::PublicKeyNeeded,
            "this merchant has no platform certificates: it works with the WeChat Pay public key only",
            "set public_key_id and public_key_file; the merchant console has both under API security",
        );
        None
    }

    /// What the download brought.
    fn held(&self, client: &Client, report: &mut Report) -> Mode {
        let keys = client.key_store().keys();
        let now = client.clock().now();
        let Some(last) = keys.certificates().map(favor_core::Certificate::not_after).max() else {
            return Mode::PublicKeyOnly;
        };
        let left = days_left(last, now);
        if left <= PLATFORM_DAYS {
            report.bad(
                Code::PlatformCertificateEnds,
                format!("the last platform certificate ends in {}, on {}, and none follows it yet", days(left), beijing(last)),
                "WeChat Pay issues the next one, or asks for the move to the public key: see its notices in the merchant console",
            );
        }
        Mode::Certificates
    }

    /// A client that can verify what comes; none when nothing that is set can.
    fn verifying_client(&self, client: Client, mode: &Mode, report: &mut Report) -> Option<Client> {
        match (mode, &self.platform.public_key) {
            (Mode::Certificates | Mode::PublicKeyOnly, _) => Some(client),
            // The certificates could not be opened, so that only the public key is left to verify with.
            (Mode::NotSeen, Some((id, key))) => {
                let keys = PlatformKeys::public_key(id, key.clone()).map_err(Error::from);
                match self.client(keys) {
                    Ok(client) => Some(client),
                    Err(error) => {
                        report.bad(Code::ClientUnusable, settings::in_words(&error), "correct what it names");
                        None
                    }
                }
            }
            (Mode::NotSeen, None) => None,
        }
    }

    /// Lists stocks. Whether the next call is worth a try.
    async fn stocks(&self, client: &Client, mode: &Mode, report: &mut Report) -> bool {
        let error = match Stocks::new(client).list(&ListStocks::all(), 0).await {
            Ok(listed) => {
                let by_public_key = is_public_key(listed.response());
                report.good(Code::Mode, self.mode(mode, by_public_key));
                permitted(report, &format!("there are {}", listed.total_count));
                return true;
            }
            Err(error) => error,
        };
        if is_none_yet(&error) {
            return self.no_stocks(client, mode, report).await;
        }
        if let Some(why) = error.verification_error() {
            self.untrusted(why, report).await;
            return false;
        }
        let refused =
            |api: &&ApiError| (400..500).contains(&api.status()) && !matches!(api.status(), 401 | 429);
        if let Some(api) = error.api().filter(refused) {
            let said = format!("a list of stocks is refused: {api}{}", request_id(&error));
            match api.code() {
                Some(ErrorCode::NoAuth | ErrorCode::RequestBlocked) => report.bad(
                    Code::NoAuth,
                    said,
                    "open the product 代金券 (cash coupons) and its API permission for this merchant in the merchant console",
                ),
                _ => report.bad(Code::CallRefused, said, "see the message; the settings themselves are accepted"),
            }
            // The callback address has a permission of its own.
            return true;
        }
        self.refused(&error, report);
        false
    }

    /// A merchant without stocks gets an error, which need not be signed: so another answer shows who signs.
    async fn no_stocks(&self, client: &Client, mode: &Mode, report: &mut Report) -> bool {
        let answer = match Call::to(&CERTIFICATES).finish() {
            Ok(call) => client.execute(&call).await,
            Err(invalid) => Err(invalid.into()),
        };
        match answer {
            Ok(response) => report.good(Code::Mode, self.mode(mode, is_public_key(&response))),
            Err(error) => match (error.verification_error(), error.api()) {
                (Some(why), _) => {
                    self.untrusted(why, report).await;
                    return false;
                }
                (None, Some(api)) if is_none_yet(&error) => {
                    if api.authenticity() == Authenticity::Failed {
                        public_key_wrong(
                            report,
                            "the answer is signed, and the public key of the profile does not verify it",
                        );
                        return false;
                    }
                    report.good(Code::Mode, self.mode(mode, true));
                }
                _ => {
                    self.refused(&error, report);
                    return false;
                }
            },
        }
        permitted(report, "there are none yet");
        true
    }

    fn mode(&self, mode: &Mode, by_public_key: bool) -> String {
        let has_public_key = self.platform.public_key.is_some();
        let text = match (mode, by_public_key, has_public_key) {
            (Mode::PublicKeyOnly, ..) => {
                "public key: the merchant has no platform certificates. The APIv3 key cannot be tried by asking here; the first notification shows it"
            }
            (Mode::Certificates, false, false) => {
                "certificates: the merchant has platform certificates, and they sign"
            }
            (Mode::Certificates, false, true) => {
                "both: platform certificates sign, and the public key is ready; the switch has not been opened in the console"
            }
            (Mode::Certificates, true, _) => {
                "both: the public key signs answers; certificates still exist and may sign notifications while the switch goes on"
            }
            (Mode::NotSeen, true, _) => "public key: it signs answers",
            (Mode::NotSeen, false, _) => "certificates: they sign answers",
        };
        text.to_owned()
    }

    /// Says why an answer cannot be trusted.
    async fn untrusted(&self, why: &VerifyError, report: &mut Report) {
        let ours = self.platform.public_key.as_ref().map(|(id, _)| id.as_str());
        match why {
            VerifyError::OutsideWindow { seconds_ahead } => {
                if !report.has(&[Code::ClockWrong]) {
                    let now = favor_core::Clock::now(&favor_core::SystemClock::new());
                    let theirs = now + chrono::TimeDelta::seconds(*seconds_ahead);
                    reach::judge_clock(-seconds_ahead, theirs, report);
                }
            }
            VerifyError::UnknownKey(serial) if serial.is_public_key_id() => match ours {
                Some(id) => report.bad(
                    Code::PublicKeyIdWrong,
                    format!("the platform signs with {serial}, and the profile has {id}"),
                    "copy id and key anew from the merchant console; both belong to this one merchant",
                ),
                None => report.bad(
                    Code::PublicKeyNeeded,
                    format!("the platform signs with the public key {serial}, and none is set"),
                    "set public_key_id and public_key_file; the merchant console has both under API security",
                ),
            },
            VerifyError::UnknownKey(serial) if self.platform.api_v3_key.is_none() => report.bad(
                Code::PublicKeyNotSwitched,
                format!("the platform signs with the certificate {serial}, and the profile has the public key only"),
                "set api_v3_key_file too, so that certificates are downloaded until the switch to the public key is open in the console; check also that the id is this merchant's",
            ),
            VerifyError::WrongSignature if ours.is_some() && self.public_key_is_at_fault().await => public_key_wrong(
                report,
                "the answer is signed by the public key of this id, and the key file does not verify it",
            ),
            why => report.bad(
                Code::AnswerUntrusted,
                format!("the answer cannot be trusted: {why}"),
                "try again; when it lasts, something between changes answers, or another server answers for WeChat Pay: do not send money this way",
            ),
        }
    }

    /// Whether answers verify once the public key is left out, or there is nothing but the public key.
    async fn public_key_is_at_fault(&self) -> bool {
        let Some(key) = &self.platform.api_v3_key else { return true };
        match self.client(Ok(PlatformKeys::download(key.clone()))) {
            Ok(client) => match client.key_store().refresh(Refresh::NoKeys).await {
                Ok(()) => true,
                // It is signed by the public key in any case, so that only the key itself can be wrong.
                Err(error) => {
                    matches!(error.verification_error(), Some(VerifyError::UnknownKey(serial)) if serial.is_public_key_id())
                        || has_no_certificates(&error)
                }
            },
            Err(_) => false,
        }
    }

    /// Says why a call was refused, or why there was no answer to it.
    fn refused(&self, error: &Error, report: &mut Report) {
        let Some(api) = error.api() else {
            let (code, mend) = match error.kind() {
                ErrorKind::Timeout => (Code::HostSlow, "try again; when it lasts, ask who runs the network"),
                ErrorKind::Connect => (Code::HostUnreachable, "try again: the way was there a moment ago"),
                ErrorKind::Interrupted | ErrorKind::TooLarge => {
                    (Code::ConnectionBroken, "try again; when it lasts, look at what stands between")
                }
                _ => (Code::AnswerUntrusted, "see docs/doctor.md"),
            };
            report.bad(code, settings::in_words(error), mend);
            return;
        };
        if api.status() == 401 || api.code() == Some(&ErrorCode::SignError) {
            self.sign_error(error, report);
        } else if api.status() == 429 || api.status() >= 500 {
            report.bad(
                Code::PlatformBusy,
                format!("the platform answers {} ({api}){}", api.status(), request_id(error)),
                "try again in a minute; the settings are not at fault",
            );
        } else {
            report.bad(
                Code::CallRefused,
                format!("the platform answers {} ({api}){}", api.status(), request_id(error)),
                "see the message",
            );
        }
    }

    /// Names the cause of a refused signature, by the platform's own number where it gives one, and by what it shows
    /// of the message.
    fn sign_error(&self, error: &Error, report: &mut Report) {
        if report.has(&[Code::ClockWrong]) {
            report.skip("the signature", "the platform refuses every signature while the clock is wrong");
            return;
        }
        let (id, serial) =
            (favor_core::Signer::merchant_id(self.signer), favor_core::Signer::serial(self.signer));
        let of_mirror = self.own.certificate.as_ref().map(origin::is_of_mirror);
        if self.peer == Peer::Mirror && of_mirror == Some(false) {
            report.bad(
                Code::ProductionKeysOnMirror,
                format!("the host is a mirror, and the certificate {serial} was not made by one"),
                "use the keys that favor mirror prints, or leave base_url out to call WeChat Pay itself",
            );
            return;
        }
        let findings = error.diagnose().map(|diagnosis| diagnosis.findings).unwrap_or_default();
        let told = if findings.is_empty() { String::new() } else { format!(": {}", findings.join("; ")) };
        let tail = request_id(error);
        match number(error) {
            Some(269_546_538) => report.bad(
                Code::MerchantUnknown,
                format!("the platform does not know the merchant {id}{tail}"),
                match self.peer {
                    Peer::Mirror => "use the merchant that favor mirror prints, or add yours to its seed file",
                    Peer::Platform => "compare mchid with the merchant console",
                },
            ),
            Some(269_546_507) => report.bad(
                Code::SerialUnknown,
                format!("the merchant {id} has no certificate of the serial {serial}{tail}"),
                "set certificate_file instead of serial_no; or compare with the console's list of API certificates. The serial of a platform certificate does not belong here",
            ),
            Some(269_546_505) => report.bad(
                Code::CertificateExpired,
                format!("the platform says that the certificate {serial} has ended{tail}"),
                "apply for a new API certificate in the merchant console, then change key, certificate and serial together",
            ),
            _ if told.contains("the private key does not belong") || told.contains("the key is wrong") => report.bad(
                Code::PrivateKeyWrong,
                format!("the signature is refused{told}{tail}"),
                "take key and certificate of one download; with certificate_file set, this check works without asking",
            ),
            _ if findings.iter().any(|finding| finding.contains("differs") || finding.contains("was changed")) => {
                report.bad(
                    Code::MessageChanged,
                    format!("the signature is refused{told}{tail}"),
                    "something between rewrites requests, such as a proxy or gateway: path, query and body must arrive byte for byte",
                );
            }
            _ => report.bad(
                Code::SignatureRefused,
                format!("the signature is refused{told}{tail}"),
                "compare merchant id, serial and key with the merchant console; favor sign shows the message that is signed",
            ),
        }
    }
}

fn is_public_key(response: &Response) -> bool {
    response.signed_by.as_ref().is_some_and(Serial::is_public_key_id)
}

/// Whether it is the 404 that stands for an empty list.
fn is_none_yet(error: &Error) -> bool {
    error.api().is_some_and(|api| api.status() == 404 && api.code() == Some(&ErrorCode::ResourceNotExists))
}

fn permitted(report: &mut Report, stocks: &str) {
    report.good(Code::Permission, format!("stocks may be listed ({stocks}), and the answers verify"));
}

fn public_key_wrong(report: &mut Report, words: &str) {
    report.bad(
        Code::PublicKeyWrong,
        words,
        "copy id and pub_key.pem anew from the merchant console: they do not belong together, or to this merchant",
    );
}

fn accepted(report: &mut Report) {
    report.good(Code::Signature, "the platform accepts it, so merchant id, serial and private key are right");
}

fn api_v3_key_wrong(report: &mut Report) {
    report.bad(
        Code::ApiV3KeyWrong,
        "the platform certificates do not open with this APIv3 key: it is not the one set in the console",
        "set the APIv3 key in the merchant console anew (it cannot be looked up there), and put the same 32 characters here",
    );
}

/// Whether the answer was that the merchant has no platform certificates.
fn has_no_certificates(error: &Error) -> bool {
    error.kind() == ErrorKind::Keys && error.to_string().contains("has no platform certificates")
}

/// The platform's internal number at the end of its id of the call.
fn number(error: &Error) -> Option<u32> {
    error.request_id()?.rsplit_once('-')?.1.parse().ok()
}

fn request_id(error: &Error) -> String {
    error.request_id().map(|id| format!(" (request id {id})")).unwrap_or_default()
}

/// Looks at where notifications go.
async fn callback(client: &Client, report: &mut Report) {
    const SET: &str =
        "favor callback set https://… sets it; without one no notification of a used coupon comes";
    let error = match CallbackAddress::new(client).get().await {
        Ok(found) if found.notify_url.is_empty() => {
            report.bad(Code::CallbackNotSet, "no callback address is set", SET);
            return;
        }
        Ok(found) => {
            let text = &found.notify_url;
            // The platform may show it without its scheme.
            let whole = if text.contains("://") { text.clone() } else { format!("https://{text}") };
            match NotifyUrl::new(whole) {
                Ok(_) => report.good(Code::Callback, format!("notifications go to {text}")),
                Err(error) => report.bad(
                    Code::CallbackMalformed,
                    format!("the callback address {text:?} cannot be called: {error}"),
                    SET,
                ),
            }
            return;
        }
        Err(error) => error,
    };
    let code = error.api().and_then(|api| api.code());
    match code {
        Some(ErrorCode::ResourceNotExists) => report.bad(Code::CallbackNotSet, "no callback address is set", SET),
        Some(ErrorCode::NoAuth | ErrorCode::RequestBlocked) => report.bad(
            Code::CallbackNoPermission,
            format!("the callback address may not be looked at: {}", settings::in_words(&error)),
            "open the marketing event push (营销事件推送) in the merchant console, where notifications are wanted",
        ),
        _ => report.bad(
            Code::CallbackUnknown,
            format!("the callback address could not be looked at: {}", settings::in_words(&error)),
            "try again",
        ),
    }
}
