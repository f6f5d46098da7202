//! What must never be printed.

use std::fmt;

use favor_core::Secret;

/// The AppSecret of an account. Debug does not show it.
#[derive(Clone, Debug)]
pub struct AppSecret(Secret<String>);

/// Why a text is no secret of the kind asked for. Does not show it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct SecretError(pub(crate) &'static str);

impl AppSecret {
    /// Takes the secret; blanks around it, such as the newline of a file, are cut off.
    ///
    /// # Errors
    /// [`SecretError`] unless it is 1 to 128 visible ASCII characters.
    pub fn new(text: impl Into<String>) -> Result<Self, SecretError> {
        let text = Secret::new(text.into());
        let bare = text.expose().trim();
        if bare.is_empty() || bare.len() > 128 || !bare.bytes().all(|b| b.is_ascii_graphic()) {
            return Err(SecretError("the app secret must be 1 to 128 visible ASCII characters"));
        }
        Ok(Self(Secret::new(bare.to_owned())))
    }

    pub(crate) fn expose(&self) -> &str {
        self.0.expose()
    }
}

macro_rules! secrets {
    ($($(#[$m:meta])* $name:ident;)+) => {
        $($(#[$m])*
        #[derive(Clone)]
        pub struct $name(std::sync::Arc<Secret<String>>);

        impl $name {
            /// Takes one that came from elsewhere.
            ///
            /// # Errors
            /// [`SecretError`] when it is empty.
            pub fn new(text: impl Into<String>) -> Result<Self, SecretError> {
                let text = Secret::new(text.into());
                if text.expose().is_empty() {
                    return Err(SecretError("a token or ticket must not be empty"));
                }
                Ok(Self(std::sync::Arc::new(text)))
            }

            /// The text itself. Do not log it.
            pub fn expose(&self) -> &str {
                self.0.expose()
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($name), "(****)"))
            }
        })+
    };
}

secrets! {
    /// The access token of an account: who holds it can do everything that this API does.
    AccessToken;
    /// The ticket of type `wx_card`, which signs cards on pages (api_ticket).
    CardTicket;
    /// The ticket of type `jsapi`, which signs the configuration of pages.
    JsapiTicket;
}
