//! How a run ended, for scripts.

use std::process::ExitCode;

use favor_card::TokenStoreError;
use favor_core::{AeadError, Error, ErrorKind, Outcome, VerifyError};
use favor_stock::FlowError;

use crate::mirror::control::ControlError;
use crate::output::{BrokenPipe, Output};

/// A call failed after others of the same command were made, so that it cannot be said that nothing was sent.
#[derive(Debug, thiserror::Error)]
#[error("{done}")]
pub(crate) struct Partly {
    /// What is done.
    pub(crate) done: String,
    /// How to come by the rest.
    pub(crate) rest: &'static str,
    #[source]
    pub(crate) error: favor_card::Error,
}

/// The documented exit codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    Done,
    Refused,
    Usage,
    Untrusted,
    Unknown,
    NotSent,
    Bug,
    Interrupted,
    /// A state in place of a result.
    Monitored(Monitored),
}

/// The exit codes of `favor certs check`, which are those of monitoring plugins and mean other things.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Monitored {
    Ok,
    Warning,
    Critical,
    Unknown,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        ExitCode::from(exit.code())
    }
}

impl Exit {
    fn code(self) -> u8 {
        match self {
            Exit::Done => 0,
            Exit::Refused => 1,
            Exit::Usage => 2,
            Exit::Untrusted => 3,
            Exit::Unknown => 4,
            Exit::NotSent => 5,
            Exit::Bug => 70,
            Exit::Interrupted => 130,
            Exit::Monitored(Monitored::Ok) => 0,
            Exit::Monitored(Monitored::Warning) => 1,
            Exit::Monitored(Monitored::Critical) => 2,
            Exit::Monitored(Monitored::Unknown) => 3,
        }
    }

    fn of_card(error: &favor_card::Error) -> Self {
        use favor_card::ErrorKind;
        match (error.kind(), error.outcome()) {
            (ErrorKind::Config | ErrorKind::InvalidRequest, _) => Exit::Usage,
            // A store that is in the hands of another process will be free again; any other has to be mended.
            (ErrorKind::Store, _) => {
                if error.is_retryable() {
                    Exit::NotSent
                } else {
                    Exit::Usage
                }
            }
            // Refused before the call itself could be sent, at the access token.
            (ErrorKind::Api, Outcome::NotSent) => Exit::Refused,
            (_, Outcome::Unknown) => Exit::Unknown,
            (_, Outcome::Refused) => Exit::Refused,
            (_, Outcome::NotSent) => Exit::NotSent,
        }
    }

    fn of_partly(partly: &Partly) -> Self {
        match Self::of_card(&partly.error) {
            Exit::Refused => Exit::Refused,
            // What was sent was sent, however the last call ended.
            _ => Exit::Unknown,
        }
    }

    /// Of a store that could not be opened, by the same rule as when a call finds it so.
    fn of_tokens(error: &TokenStoreError) -> Self {
        if error.is_temporary() { Exit::NotSent } else { Exit::Usage }
    }

    fn of(error: &Error) -> Self {
        match (error.kind(), error.outcome()) {
            (ErrorKind::Config | ErrorKind::InvalidRequest, _) => Exit::Usage,
            (ErrorKind::Keys, _) => Exit::Untrusted,
            // For a read nothing hangs on the outcome: what matters is that the answer cannot be trusted.
            (ErrorKind::Verification, _) if !error.is_write() => Exit::Untrusted,
            // Refused before the call itself could be sent, such as at the download of the certificates.
            (ErrorKind::Api, Outcome::NotSent) => Exit::Refused,
            (_, Outcome::Unknown) => Exit::Unknown,
            (_, Outcome::Refused) => Exit::Refused,
            (_, Outcome::NotSent) => Exit::NotSent,
        }
    }
}

/// Prints an error with its causes and what to do next.
pub(crate) fn report(error: &anyhow::Error, output: &Output) -> Exit {
    if error.is::<BrokenPipe>() {
        return Exit::Done;
    }
    let causes: Vec<String> = error.chain().map(ToString::to_string).collect();
    output.complain("error", &causes.join(": "));
    if let Some(FlowError::Hash { .. } | FlowError::Count { .. }) = error.downcast_ref() {
        output.complain(
            "hint",
            "the file is not what the platform announced; nothing was kept, try again later",
        );
        return Exit::Untrusted;
    }
    match error.downcast_ref::<ControlError>() {
        Some(ControlError::Refused(_)) => return Exit::Refused,
        Some(ControlError::Broken { .. }) => return Exit::Unknown,
        Some(ControlError::NoMirror { .. }) => {
            output.complain("hint", "favor mirror starts one, and prints its address");
            return Exit::NotSent;
        }
        None => {}
    }
    if let Some(partly) = error.downcast_ref::<Partly>() {
        if Exit::of_card(&partly.error) == Exit::Refused && !partly.error.hint().is_empty() {
            output.complain("hint", partly.error.hint());
        }
        output.complain("hint", partly.rest);
        return Exit::of_partly(partly);
    }
    if let Some(error) = error.chain().find_map(|cause| cause.downcast_ref::<favor_card::Error>()) {
        output.complain("hint", error.hint());
        return Exit::of_card(error);
    }
    if let Some(error) = error.chain().find_map(|cause| cause.downcast_ref::<TokenStoreError>()) {
        output.complain(
            "hint",
            if error.is_temporary() {
                "nothing was sent; try again when the store of access tokens can be had, or name another with --tokens"
            } else {
                "look after the store of access tokens, or name another with --tokens; nothing was sent"
            },
        );
        return Exit::of_tokens(error);
    }
    let Some(error) = error.chain().find_map(|cause| cause.downcast_ref::<Error>()) else {
        let untrusted = error.chain().any(|cause| cause.is::<AeadError>() || cause.is::<VerifyError>());
        return if untrusted { Exit::Untrusted } else { Exit::Usage };
    };
    if let Some(diagnosis) = error.diagnose() {
        for finding in diagnosis.findings {
            output.complain("diagnosis", &finding);
        }
    }
    output.complain("hint", error.hint());
    Exit::of(error)
}

#[cfg(test)]
mod tests {
    use anyhow::Context as _;

    use super::*;
    use crate::args::{Color, Format};

    #[test]
    fn a_store_of_tokens_that_is_busy_is_worth_another_try() {
        let output = Output::new(Format::Table, Color::Never, true);
        for (is_temporary, exit) in [(true, Exit::NotSent), (false, Exit::Usage)] {
            let error = Err::<(), _>(TokenStoreError::new("another process works with it", is_temporary));
            assert_eq!(report(&error.context("t.sqlite").unwrap_err(), &output), exit);
        }
    }
}
