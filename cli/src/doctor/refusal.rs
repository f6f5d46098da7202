//! Why a signed call was refused, or had no answer.

use favor_core::{Error, ErrorCode, ErrorKind};

use crate::doctor::ask::Asker;
use crate::doctor::code::Code;
use crate::doctor::origin;
use crate::doctor::reach::Peer;
use crate::doctor::report::Report;
use crate::settings;

impl Asker<'_> {
    /// Says why a call was refused, or why there was no answer to it.
    pub(super) fn refused(&self, error: &Error, report: &mut Report) {
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

/// The platform's internal number at the end of its id of the call.
fn number(error: &Error) -> Option<u32> {
    error.request_id()?.rsplit_once('-')?.1.parse().ok()
}

pub(crate) fn request_id(error: &Error) -> String {
    error.request_id().map(|id| format!(" (request id {id})")).unwrap_or_default()
}
