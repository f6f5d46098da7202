//! Where a notification goes.

use crate::rules::callback;

/// Looked at again at each delivery: plain http stays on this machine, wherever the address comes from.
pub(super) fn check(url: &str) -> Result<(), String> {
    if callback::is_address(url) {
        return Ok(());
    }
    Err("the address is neither https nor plain http to this machine".to_owned())
}
