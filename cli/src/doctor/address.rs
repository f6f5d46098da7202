//! Where notifications go.

use favor_callback::{CallbackAddress, NotifyUrl};
use favor_core::{Client, ErrorCode};

use crate::doctor::code::Code;
use crate::doctor::report::Report;
use crate::settings;

/// Looks at where notifications go.
pub(crate) async fn check(client: &Client, report: &mut Report) {
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
