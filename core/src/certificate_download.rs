//! Downloading the platform certificates once, and what makes them believable (spec §2.12).

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::Deserialize;

use crate::aead::{AeadError, ApiV3Key, Sealed};
use crate::api_error::{ApiError, Authenticity, request_id};
use crate::call::{Call, Operation, Verb};
use crate::certificate::Certificate;
use crate::client::Client;
use crate::error::{Error, ErrorKind};
use crate::exchange::{Answer, Exchange, Route};
use crate::key_file::KeyError;
use crate::keys::{KeySet, Serial};
use crate::rate::Rate;
use crate::rsa::Backend;
use crate::verify::{SignatureHeaders, VerifyError};

static DOWNLOAD: Operation =
    Operation::new("certificates.download", Verb::Get, "/v3/certificates").limited_to(Rate::per_second(1000));

const TIMEOUT: Duration = Duration::from_secs(10);

/// What a download brought.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct DownloadedCertificates {
    /// What is held now: the keys held before that have not expired, and the certificates of the list.
    pub keys: KeySet,
    /// The serials of the list. Empty for a merchant in public-key mode, who has no certificates.
    pub listed: Vec<Serial>,
    /// The key that signed the answer; none for the unsigned answer that there are no certificates.
    pub signed_by: Option<Serial>,
}

/// Why a download was of no use. The keys held before stay in use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DownloadFault {
    /// No answer came.
    Unreachable,
    /// The platform refused the request.
    Refused,
    /// The merchant has no certificates (404) and no public key is configured.
    NoCertificates,
    /// The answer is not a list of certificates.
    Malformed,
    /// The list is empty.
    Empty,
    /// A certificate cannot be decrypted: the APIv3 key is wrong.
    Undecryptable,
    /// A decrypted certificate is none.
    Unreadable,
    /// A certificate has another serial than the list announced.
    WrongSerial,
    /// No certificate of the list is valid yet.
    NotYetValid,
    /// Every certificate of the list has expired.
    Expired,
    /// The answer is signed by a key that neither was held nor came with it.
    UnknownSigner,
    /// The signature of the answer does not hold, or it has none.
    BadSignature,
    /// The request could not be made: settings or signer.
    Unsendable,
}

impl DownloadFault {
    /// A short name for machines, such as `undecryptable`.
    pub fn code(self) -> &'static str {
        match self {
            Self::Unreachable => "unreachable",
            Self::Refused => "refused",
            Self::NoCertificates => "no_certificates",
            Self::Malformed => "malformed",
            Self::Empty => "empty_list",
            Self::Undecryptable => "undecryptable",
            Self::Unreadable => "unreadable",
            Self::WrongSerial => "wrong_serial",
            Self::NotYetValid => "not_yet_valid",
            Self::Expired => "expired",
            Self::UnknownSigner => "unknown_signer",
            Self::BadSignature => "bad_signature",
            Self::Unsendable => "unsendable",
        }
    }
}

/// A download that failed: the fault for machines, the error for people.
#[derive(Clone, Debug, thiserror::Error)]
#[error("the platform certificates could not be downloaded")]
pub struct DownloadError {
    fault: DownloadFault,
    #[source]
    error: Error,
}

impl DownloadError {
    fn new(fault: DownloadFault, error: Error) -> Self {
        Self { fault, error }
    }

    /// What went wrong.
    pub fn fault(&self) -> DownloadFault {
        self.fault
    }

    /// The error, as a call would have given it.
    pub fn error(&self) -> &Error {
        &self.error
    }

    pub(crate) fn into_error(self) -> Error {
        self.error
    }

    /// An attempt that brought no answer.
    fn unanswered(error: Error) -> Self {
        let fault = match error.kind() {
            ErrorKind::Config | ErrorKind::InvalidRequest | ErrorKind::Sign => DownloadFault::Unsendable,
            _ => DownloadFault::Unreachable,
        };
        Self::new(fault, error)
    }
}

impl Client {
    /// Downloads the platform certificates once, without changing what this client holds: for programs that keep
    /// keys themselves, such as a daemon. `held` are the keys that may have signed the answer, beside those it brings.
    ///
    /// # Errors
    /// [`DownloadError`], which names the fault; `held` is then still the best there is.
    pub async fn download_certificates(
        &self,
        api_v3_key: &ApiV3Key,
        held: &KeySet,
    ) -> Result<DownloadedCertificates, DownloadError> {
        let shared = &self.shared;
        let backend = Backend::default();
        Download { exchange: &shared.exchange, hosts: &shared.hosts, api_v3_key, backend }.run(held).await
    }
}

/// One download, on each host in turn while a repeat helps.
pub(crate) struct Download<'a> {
    pub(crate) exchange: &'a Exchange,
    pub(crate) hosts: &'a [String],
    pub(crate) api_v3_key: &'a ApiV3Key,
    pub(crate) backend: Backend,
}

#[derive(Deserialize)]
struct List {
    data: Vec<Entry>,
}

#[derive(Deserialize)]
struct Entry {
    serial_no: String,
    encrypt_certificate: Sealed,
}

impl Download<'_> {
    pub(crate) async fn run(&self, held: &KeySet) -> Result<DownloadedCertificates, DownloadError> {
        let call = Call::to(&DOWNLOAD).finish().map_err(|error| DownloadError::unanswered(error.into()))?;
        let nowhere = Error::config("there is no host to download from");
        let mut result = Err(DownloadError::unanswered(nowhere));
        for (attempt, host) in (1..).zip(self.hosts) {
            result = self.from(host, &call, held).await.map_err(|DownloadError { fault, error }| {
                DownloadError::new(fault, error.during(&DOWNLOAD, attempt))
            });
            match &result {
                Err(failed) if failed.error.is_retryable() => {}
                _ => break,
            }
        }
        result
    }

    async fn from(
        &self,
        host: &str,
        call: &Call,
        held: &KeySet,
    ) -> Result<DownloadedCertificates, DownloadError> {
        let now = self.exchange.clock.now();
        let announce = held.preferred(now).map(|(serial, _)| serial);
        let route = Route { base_url: host, announce, language: None, timeout: TIMEOUT, authorize: true };
        let answer = self.exchange.attempt(call, &route).await.map_err(DownloadError::unanswered)?;
        if answer.status.as_u16() == 404 {
            return no_certificates(held, now);
        }
        if !answer.status.is_success() {
            return Err(DownloadError::new(DownloadFault::Refused, refused(call, answer)));
        }
        let downloaded = self.read(held, &answer, now)?;
        let serials: Vec<_> = downloaded.listed.iter().map(Serial::as_str).collect();
        tracing::info!(?serials, "platform certificates downloaded");
        Ok(downloaded)
    }

    /// Opens and checks every certificate, then verifies the answer with what it brought or with what is held.
    fn read(
        &self,
        held: &KeySet,
        answer: &Answer,
        now: DateTime<Utc>,
    ) -> Result<DownloadedCertificates, DownloadError> {
        let list: List = serde_json::from_slice(&answer.body).map_err(|error| {
            DownloadError::new(DownloadFault::Malformed, Error::decode("the certificate list", error))
        })?;
        let certificates = list.data.iter().map(|entry| self.open(entry)).collect::<Result<Vec<_>, _>>()?;
        if !certificates.iter().any(|certificate| certificate.valid_at(now)) {
            return Err(none_valid(&certificates, now));
        }
        let mut keys = held.clone();
        keys.drop_expired(now);
        let listed = certificates.iter().map(|certificate| certificate.serial().clone()).collect();
        // One that is not valid yet comes ahead of its use; the set does not use it before.
        for certificate in certificates.into_iter().filter(|certificate| certificate.not_after() >= now) {
            keys.insert(Arc::new(certificate));
        }
        let verified = SignatureHeaders::read(&answer.headers).and_then(|signature| {
            signature.verify(&answer.body, &keys, now).map(|()| signature.serial().clone())
        });
        let signed_by = verified.map_err(|error| {
            let fault = match &error {
                VerifyError::UnknownKey(_) => DownloadFault::UnknownSigner,
                _ => DownloadFault::BadSignature,
            };
            let error =
                Error::verification(error).with_answer(answer.body.clone(), request_id(&answer.headers));
            DownloadError::new(fault, error)
        })?;
        Ok(DownloadedCertificates { keys, listed, signed_by: Some(signed_by) })
    }

    fn open(&self, entry: &Entry) -> Result<Certificate, DownloadError> {
        let pem = self.api_v3_key.open(&entry.encrypt_certificate).map_err(|error: AeadError| {
            let error = Error::keys("a platform certificate cannot be decrypted").caused_by(error);
            DownloadError::new(DownloadFault::Undecryptable, error)
        })?;
        let certificate = Certificate::from_pem_with(&pem, self.backend).map_err(|error| {
            let error = Error::keys("a downloaded platform certificate cannot be read").caused_by(error);
            DownloadError::new(DownloadFault::Unreadable, error)
        })?;
        if *certificate.serial() != Serial::new(&*entry.serial_no) {
            let error = KeyError::serial(&entry.serial_no, certificate.serial().as_str());
            let error =
                Error::keys("a downloaded platform certificate is not the announced one").caused_by(error);
            return Err(DownloadError::new(DownloadFault::WrongSerial, error));
        }
        Ok(certificate)
    }
}

/// A merchant made in public-key mode has no certificates: fine with a public key, else a matter of settings.
fn no_certificates(held: &KeySet, now: DateTime<Utc>) -> Result<DownloadedCertificates, DownloadError> {
    if held.public_key_id().is_some() {
        let mut keys = held.clone();
        keys.drop_expired(now);
        return Ok(DownloadedCertificates { keys, listed: Vec::new(), signed_by: None });
    }
    let error = Error::keys(
        "this merchant has no platform certificates (404): configure the WeChat Pay public key and its id from the merchant console",
    );
    Err(DownloadError::new(DownloadFault::NoCertificates, error))
}

fn refused(call: &Call, answer: Answer) -> Error {
    let Answer { status, headers, body, sent } = answer;
    let api = ApiError::read(call, status.as_u16(), &headers, &body, Authenticity::Unsigned);
    Error::from_api(api).with_answer(body, request_id(&headers)).with_sent(sent)
}

fn none_valid(certificates: &[Certificate], now: DateTime<Utc>) -> DownloadError {
    let Some(first) = certificates.first() else {
        let error = Error::keys("the platform's list of certificates is empty");
        return DownloadError::new(DownloadFault::Empty, error);
    };
    let serial = first.serial();
    let (fault, message) = if now < first.not_before() {
        let from = first.not_before();
        let message = format!(
            "the platform certificate {serial} is not valid before {from}; check the clock of this machine"
        );
        (DownloadFault::NotYetValid, message)
    } else {
        let until = first.not_after();
        let message =
            format!("the platform certificate {serial} expired at {until}; check the clock of this machine");
        (DownloadFault::Expired, message)
    };
    DownloadError::new(fault, Error::keys(message))
}
