//! What can be off about a coupon.

use std::fmt;

use serde::{Serialize, Serializer};

macro_rules! codes {
    ($($(#[$meta:meta])* $name:ident => $word:literal, $pending:literal;)*) => {
        /// What is off about a coupon, or about a source.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[non_exhaustive]
        pub enum ReconcileCode {
            $($(#[$meta])* $name,)*
        }

        impl ReconcileCode {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The word for it.
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $word,)*
                }
            }

            /// Whether time may settle it, so that it counts as no difference yet.
            pub fn is_pending(self) -> bool {
                match self {
                    $(Self::$name => $pending,)*
                }
            }
        }
    };
}

codes! {
    /// A payment was made with a coupon of the stock that no ledger given has sent.
    UsedWithoutSend => "used-without-send", false;
    /// A send was tried, and whether the person has a coupon is not known; or the stock gave out fewer coupons than the
    /// ledgers have as sent.
    SentWithoutTrace => "sent-without-trace", false;
    /// The stock gave out more coupons than the ledgers given have as sent.
    GivenWithoutSend => "given-without-send", false;
    /// Two sends of the ledgers have the same coupon.
    SentTwice => "sent-twice", false;
    /// A notification tells of a payment that no use flow has, though it should.
    CallbackWithoutFlow => "callback-without-flow", false;
    /// A notification tells of a payment whose day is in no use flow yet.
    FlowPending => "flow-pending", true;
    /// A use flow has a payment that no notification told of.
    FlowWithoutCallback => "flow-without-callback", false;
    /// A use flow has a payment whose notification may still come.
    CallbackPending => "callback-pending", true;
    /// A refund flow has a payment that no use flow has, though it should.
    RefundWithoutUse => "refund-without-use", false;
    /// A refund flow has a payment whose day is in no use flow given.
    UsePending => "use-pending", true;
    /// More was given back than the coupon took off.
    RefundExceedsUse => "refund-exceeds-use", false;
    /// Two payments were made with it, and the first was not given back before the second.
    UsedTwice => "used-twice", false;
    /// The coupon took off another amount than it is worth.
    AmountDiffers => "amount-differs", false;
    /// The same payment or refund is in the flows twice with different values; the first line counts.
    LinesDiffer => "lines-differ", false;
    /// A line has no amount, so it counts as nothing.
    NoAmount => "no-amount", false;
    /// There are too many lines about one coupon; the rest is not looked at.
    TooManyLines => "too-many-lines", false;
    /// A row of a flow file cannot be read.
    MalformedRow => "malformed-row", false;
    /// A row of a flow file is about another stock.
    ForeignStock => "foreign-stock", false;
    /// A flow file is cut or damaged: rows are missing.
    IncompleteFile => "incomplete-file", false;
    /// A notification of the inbox cannot be read.
    UnreadableCallback => "unreadable-callback", false;
}

impl ReconcileCode {
    pub(super) fn pack(self) -> u8 {
        let at = Self::ALL.iter().position(|code| *code == self);
        at.and_then(|at| u8::try_from(at).ok()).unwrap_or(u8::MAX)
    }

    pub(super) fn unpack(packed: u8) -> Option<Self> {
        Self::ALL.get(usize::from(packed)).copied()
    }
}

impl fmt::Display for ReconcileCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl Serialize for ReconcileCode {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}
