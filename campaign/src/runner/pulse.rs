//! How a runner is doing.

use favor_core::Timestamp;

/// How a runner is doing, a few times a second. What became of coupons is in the ledger:
/// [`Ledger::standing`](crate::Ledger::standing).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Pulse {
    /// Sends of this runner within the last second.
    pub sends: u32,
    /// Requests of this runner under way.
    pub in_flight: u32,
    /// The rate at which the limit lets all workers of the merchant send, a second; zero before the first reservation.
    pub rate: u32,
    /// Chunks this runner works on.
    pub chunks: u32,
    /// What keeps it from sending; none while it sends, or when nothing is left for it.
    pub held_by: Option<Hold>,
}

/// What keeps a runner from sending.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Hold {
    /// It ends: what is under way is waited for.
    Ending,
    /// The campaign is paused, or about to be.
    Paused,
    /// No window of the day is open.
    Window {
        /// When the next one opens.
        until: Timestamp,
    },
    /// The ledger does not answer or cannot write, so nothing is sent.
    Ledger,
    /// Nothing comes through to the platform; single sends probe it.
    Platform,
}
