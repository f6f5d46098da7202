//! The code of each finding: stable, and with a section of its own in docs/doctor.md.

use crate::exit::Exit;

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Severity {
    /// As it should be.
    Ok,
    /// Works, and will not for ever, or not in all cases.
    Warning,
    /// Does not work.
    Problem,
}

impl Severity {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Severity::Ok => "ok",
            Severity::Warning => "warning",
            Severity::Problem => "problem",
        }
    }
}

/// Declares the codes: name on the wire, severity, and for problems how the run ends.
macro_rules! codes {
    ($($code:ident $name:literal $severity:ident $exit:ident;)*) => {
        /// What was found.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum Code {
            $($code,)*
        }

        impl Code {
            #[cfg(test)]
            pub(crate) const ALL: &'static [Code] = &[$(Code::$code,)*];

            pub(crate) fn as_str(self) -> &'static str {
                match self {
                    $(Code::$code => $name,)*
                }
            }

            pub(crate) fn severity(self) -> Severity {
                match self {
                    $(Code::$code => Severity::$severity,)*
                }
            }

            /// How a run ends whose first problem this is.
            pub(crate) fn exit(self) -> Exit {
                match self {
                    $(Code::$code => Exit::$exit,)*
                }
            }
        }
    };
}

codes! {
    // The settings.
    Settings "SETTINGS" Ok Done;
    SettingsUnreadable "SETTINGS_UNREADABLE" Problem Usage;
    SettingsMissing "SETTINGS_MISSING" Problem Usage;
    MchidMissing "MCHID_MISSING" Problem Usage;
    MchidMalformed "MCHID_MALFORMED" Problem Usage;
    BaseUrl "BASE_URL" Ok Done;
    BaseUrlMalformed "BASE_URL_MALFORMED" Problem Usage;
    ProxyMalformed "PROXY_MALFORMED" Problem Usage;
    CaFileUnusable "CA_FILE_UNUSABLE" Problem Usage;
    AppId "APPID" Ok Done;
    AppIdMalformed "APPID_MALFORMED" Problem Usage;
    AppIdForm "APPID_FORM" Warning Done;
    AppIdMissing "APPID_MISSING" Problem Usage;
    MirrorKeysOnProduction "MIRROR_KEYS_ON_PRODUCTION" Problem Usage;
    SecretFileOpen "SECRET_FILE_OPEN" Warning Done;
    ClientUnusable "CLIENT_UNUSABLE" Problem Usage;
    // The merchant's own key and certificate.
    PrivateKey "PRIVATE_KEY" Ok Done;
    PrivateKeyMissing "PRIVATE_KEY_MISSING" Problem Usage;
    PrivateKeyUnreadable "PRIVATE_KEY_UNREADABLE" Problem Usage;
    PrivateKeyMalformed "PRIVATE_KEY_MALFORMED" Problem Usage;
    Certificate "CERTIFICATE" Ok Done;
    CertificateUnreadable "CERTIFICATE_UNREADABLE" Problem Usage;
    CertificateMalformed "CERTIFICATE_MALFORMED" Problem Usage;
    CertificateNotMerchants "CERTIFICATE_NOT_MERCHANTS" Problem Usage;
    CertificateOtherMerchant "CERTIFICATE_OTHER_MERCHANT" Problem Usage;
    CertificateExpired "CERTIFICATE_EXPIRED" Problem Usage;
    CertificateNotYetValid "CERTIFICATE_NOT_YET_VALID" Problem Usage;
    CertificateEnds "CERTIFICATE_ENDS" Warning Done;
    KeyCertSwapped "KEY_CERT_SWAPPED" Problem Usage;
    KeyCertMismatch "KEY_CERT_MISMATCH" Problem Usage;
    Serial "SERIAL" Ok Done;
    SerialMissing "SERIAL_MISSING" Problem Usage;
    SerialMalformed "SERIAL_MALFORMED" Problem Usage;
    SerialCertMismatch "SERIAL_CERT_MISMATCH" Problem Usage;
    // The platform's keys.
    ApiV3Key "API_V3_KEY" Ok Done;
    ApiV3KeyMissing "API_V3_KEY_MISSING" Warning Done;
    ApiV3KeyUnreadable "API_V3_KEY_UNREADABLE" Problem Usage;
    ApiV3KeyMalformed "API_V3_KEY_MALFORMED" Problem Usage;
    ApiV3KeyWrong "API_V3_KEY_WRONG" Problem Untrusted;
    PublicKey "PUBLIC_KEY" Ok Done;
    PublicKeyIdMissing "PUBLIC_KEY_ID_MISSING" Problem Usage;
    PublicKeyFileMissing "PUBLIC_KEY_FILE_MISSING" Problem Usage;
    PublicKeyIdMalformed "PUBLIC_KEY_ID_MALFORMED" Problem Usage;
    PublicKeyUnreadable "PUBLIC_KEY_UNREADABLE" Problem Usage;
    PublicKeyMalformed "PUBLIC_KEY_MALFORMED" Problem Usage;
    PublicKeyIsCertificate "PUBLIC_KEY_IS_CERTIFICATE" Problem Usage;
    PublicKeyIsMerchants "PUBLIC_KEY_IS_MERCHANTS" Problem Usage;
    PlatformKeyMissing "PLATFORM_KEY_MISSING" Problem Usage;
    // The way to the platform.
    Reached "REACHED" Ok Done;
    HostNotFound "HOST_NOT_FOUND" Problem NotSent;
    HostUnreachable "HOST_UNREACHABLE" Problem NotSent;
    HostSlow "HOST_SLOW" Problem NotSent;
    ConnectionBroken "CONNECTION_BROKEN" Problem NotSent;
    TlsUntrusted "TLS_UNTRUSTED" Problem NotSent;
    TlsFailed "TLS_FAILED" Problem NotSent;
    ProxyUnreachable "PROXY_UNREACHABLE" Problem NotSent;
    ProxyRefused "PROXY_REFUSED" Problem NotSent;
    NotThePlatform "NOT_THE_PLATFORM" Problem NotSent;
    PlatformBusy "PLATFORM_BUSY" Problem NotSent;
    Clock "CLOCK" Ok Done;
    ClockDrift "CLOCK_DRIFT" Warning Done;
    ClockWrong "CLOCK_WRONG" Problem Untrusted;
    // What the platform says to signed calls.
    Signature "SIGNATURE" Ok Done;
    PrivateKeyWrong "PRIVATE_KEY_WRONG" Problem Untrusted;
    SerialUnknown "SERIAL_UNKNOWN" Problem Untrusted;
    MerchantUnknown "MERCHANT_UNKNOWN" Problem Untrusted;
    MessageChanged "MESSAGE_CHANGED" Problem Untrusted;
    SignatureRefused "SIGNATURE_REFUSED" Problem Untrusted;
    ProductionKeysOnMirror "PRODUCTION_KEYS_ON_MIRROR" Problem Usage;
    Mode "MODE" Ok Done;
    PlatformCertificateEnds "PLATFORM_CERTIFICATE_ENDS" Warning Done;
    PublicKeyNeeded "PUBLIC_KEY_NEEDED" Problem Usage;
    PublicKeyNotSwitched "PUBLIC_KEY_NOT_SWITCHED" Problem Untrusted;
    PublicKeyIdWrong "PUBLIC_KEY_ID_WRONG" Problem Untrusted;
    PublicKeyWrong "PUBLIC_KEY_WRONG" Problem Untrusted;
    AnswerUntrusted "ANSWER_UNTRUSTED" Problem Untrusted;
    Permission "PERMISSION" Ok Done;
    NoAuth "NO_AUTH" Problem Refused;
    CallRefused "CALL_REFUSED" Problem Refused;
    Callback "CALLBACK" Ok Done;
    CallbackNotSet "CALLBACK_NOT_SET" Warning Done;
    CallbackMalformed "CALLBACK_MALFORMED" Warning Done;
    CallbackNoPermission "CALLBACK_NO_PERMISSION" Warning Done;
    CallbackUnknown "CALLBACK_UNKNOWN" Warning Done;
    // The Official Account whose cards they are.
    AppSecret "APP_SECRET" Ok Done;
    AppSecretMissing "APP_SECRET_MISSING" Warning Done;
    AppSecretUnreadable "APP_SECRET_UNREADABLE" Problem Usage;
    AppSecretMalformed "APP_SECRET_MALFORMED" Problem Usage;
    AppSecretForm "APP_SECRET_FORM" Warning Done;
    PushToken "PUSH_TOKEN" Ok Done;
    PushTokenMissing "PUSH_TOKEN_MISSING" Problem Usage;
    PushTokenUnreadable "PUSH_TOKEN_UNREADABLE" Problem Usage;
    PushTokenMalformed "PUSH_TOKEN_MALFORMED" Problem Usage;
    EncodingAesKey "ENCODING_AES_KEY" Ok Done;
    EncodingAesKeyMissing "ENCODING_AES_KEY_MISSING" Warning Done;
    EncodingAesKeyUnreadable "ENCODING_AES_KEY_UNREADABLE" Problem Usage;
    EncodingAesKeyMalformed "ENCODING_AES_KEY_MALFORMED" Problem Usage;
    CardReached "CARD_REACHED" Ok Done;
    AccessToken "ACCESS_TOKEN" Ok Done;
    AppSecretWrong "APP_SECRET_WRONG" Problem Untrusted;
    AccountUnknown "ACCOUNT_UNKNOWN" Problem Untrusted;
    IpNotListed "IP_NOT_LISTED" Problem Refused;
    AccessTokenRefused "ACCESS_TOKEN_REFUSED" Problem Refused;
    CardPermission "CARD_PERMISSION" Ok Done;
    CardNoPermission "CARD_NO_PERMISSION" Problem Refused;
}

impl Code {
    /// Where the documentation has more.
    pub(crate) fn anchor(self) -> String {
        format!("docs/doctor.md#{}", self.as_str().to_ascii_lowercase())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = include_str!("../../../docs/doctor.md");

    #[test]
    fn each_code_has_its_section_and_no_section_is_left_over() {
        let sections: Vec<_> = PAGE.lines().filter_map(|line| line.strip_prefix("### ")).collect();
        let codes: Vec<_> = Code::ALL.iter().map(|code| code.as_str()).collect();
        for code in &codes {
            let times = sections.iter().filter(|section| *section == code).count();
            assert_eq!(times, 1, "{code} has {times} sections in docs/doctor.md");
        }
        assert_eq!(sections.len(), codes.len(), "{sections:?}");
    }

    #[test]
    fn a_problem_never_ends_as_done_and_nothing_else_as_a_failure() {
        for code in Code::ALL {
            assert_eq!(code.severity() == Severity::Problem, code.exit() != Exit::Done, "{code:?}");
        }
    }
}
