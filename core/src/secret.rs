//! Values that must never be printed.

use std::fmt;

use zeroize::{Zeroize, ZeroizeOnDrop};

/// A value that prints as `****`, is wiped from memory when dropped and cannot be serialised.
///
/// ```
/// let secret = favor_core::Secret::new(String::from("open sesame"));
/// assert_eq!(format!("{secret:?}"), "Secret(****)");
/// assert_eq!(secret.expose(), "open sesame");
/// ```
#[derive(Clone, ZeroizeOnDrop)]
pub struct Secret<T: Zeroize>(T);

impl<T: Zeroize> Secret<T> {
    /// Takes `value` into custody.
    pub fn new(value: T) -> Self {
        Self(value)
    }

    /// The value itself. Keep the borrow short and never format it.
    pub fn expose(&self) -> &T {
        &self.0
    }
}

impl<T: Zeroize> fmt::Debug for Secret<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(****)")
    }
}
