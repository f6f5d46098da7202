//! What the sources say of a coupon, as it goes through the sort.

/// What one source says of a coupon. Times are milliseconds since 1970-01-01 UTC, amounts fen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Event {
    /// A ledger has it as sent.
    Send(Send),
    /// A notification tells of a payment with it.
    Callback(Callback),
    /// A line of a use flow.
    Use(FlowLine),
    /// A line of a refund flow.
    Refund(FlowLine),
    /// A source that cannot be used in part; under no coupon.
    Problem { code: u8, text: String },
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Send {
    /// Which of the campaigns.
    pub(super) campaign: u64,
    /// The line of its list.
    pub(super) line: u64,
    pub(super) slot: u64,
    pub(super) openid: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Callback {
    pub(super) transaction: String,
    pub(super) at: i64,
    /// What the coupon takes off, where it says so.
    pub(super) face: Option<i64>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct FlowLine {
    pub(super) file: u64,
    pub(super) line: u64,
    pub(super) transaction: String,
    /// When the coupon was redeemed.
    pub(super) used_at: Option<i64>,
    pub(super) discount: Option<i64>,
    pub(super) refund_id: Option<String>,
    pub(super) refunded_at: Option<i64>,
}

impl FlowLine {
    /// Whether it says the same as another, whatever file it stands in.
    pub(super) fn says_the_same(&self, other: &Self) -> bool {
        let said = |line: &Self| (line.used_at, line.discount, line.refunded_at);
        self.transaction == other.transaction
            && self.refund_id == other.refund_id
            && said(self) == said(other)
    }
}

impl Event {
    /// Sends come first, then callbacks, uses, refunds.
    pub(super) fn kind(&self) -> u8 {
        match self {
            Self::Send(_) => 0,
            Self::Callback(_) => 1,
            Self::Use(_) => 2,
            Self::Refund(_) => 3,
            Self::Problem { .. } => 4,
        }
    }

    pub(super) fn pack(&self, into: &mut Vec<u8>) {
        into.clear();
        into.push(self.kind());
        match self {
            Self::Send(send) => {
                number(into, send.campaign);
                number(into, send.line);
                number(into, send.slot);
                optional_text(into, send.openid.as_deref());
            }
            Self::Callback(callback) => {
                text(into, &callback.transaction);
                signed(into, callback.at);
                optional(into, callback.face);
            }
            Self::Use(line) | Self::Refund(line) => {
                number(into, line.file);
                number(into, line.line);
                text(into, &line.transaction);
                optional(into, line.used_at);
                optional(into, line.discount);
                optional_text(into, line.refund_id.as_deref());
                optional(into, line.refunded_at);
            }
            Self::Problem { code, text: words } => {
                into.push(*code);
                text(into, words);
            }
        }
    }

    pub(super) fn unpack(packed: &[u8]) -> Option<Self> {
        let (kind, rest) = packed.split_first()?;
        let mut reader = Reader(rest);
        let event = match kind {
            0 => Self::Send(Send {
                campaign: reader.number()?,
                line: reader.number()?,
                slot: reader.number()?,
                openid: reader.optional_text()?,
            }),
            1 => Self::Callback(Callback {
                transaction: reader.text()?,
                at: reader.signed()?,
                face: reader.optional()?,
            }),
            2 => Self::Use(reader.flow_line()?),
            3 => Self::Refund(reader.flow_line()?),
            4 => Self::Problem { code: reader.byte()?, text: reader.text()? },
            _ => return None,
        };
        reader.0.is_empty().then_some(event)
    }
}

fn number(into: &mut Vec<u8>, number: u64) {
    into.extend_from_slice(&number.to_le_bytes());
}

fn signed(into: &mut Vec<u8>, number: i64) {
    into.extend_from_slice(&number.to_le_bytes());
}

fn optional(into: &mut Vec<u8>, number: Option<i64>) {
    into.push(u8::from(number.is_some()));
    signed(into, number.unwrap_or_default());
}

fn text(into: &mut Vec<u8>, text: &str) {
    number(into, u64::try_from(text.len()).unwrap_or(u64::MAX));
    into.extend_from_slice(text.as_bytes());
}

fn optional_text(into: &mut Vec<u8>, words: Option<&str>) {
    into.push(u8::from(words.is_some()));
    text(into, words.unwrap_or_default());
}

struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    fn byte(&mut self) -> Option<u8> {
        let (byte, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*byte)
    }

    fn eight(&mut self) -> Option<[u8; 8]> {
        let (eight, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*eight)
    }

    fn number(&mut self) -> Option<u64> {
        self.eight().map(u64::from_le_bytes)
    }

    fn signed(&mut self) -> Option<i64> {
        self.eight().map(i64::from_le_bytes)
    }

    fn optional(&mut self) -> Option<Option<i64>> {
        let there = self.byte()? == 1;
        let number = self.signed()?;
        Some(there.then_some(number))
    }

    fn text(&mut self) -> Option<String> {
        let length = usize::try_from(self.number()?).ok()?;
        let (text, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        String::from_utf8(text.to_vec()).ok()
    }

    fn optional_text(&mut self) -> Option<Option<String>> {
        let there = self.byte()? == 1;
        let text = self.text()?;
        Some(there.then_some(text))
    }

    fn flow_line(&mut self) -> Option<FlowLine> {
        Some(FlowLine {
            file: self.number()?,
            line: self.number()?,
            transaction: self.text()?,
            used_at: self.optional()?,
            discount: self.optional()?,
            refund_id: self.optional_text()?,
            refunded_at: self.optional()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn flow_line() -> impl Strategy<Value = FlowLine> {
        let amount = || prop::option::of(any::<i64>());
        (any::<u64>(), any::<u64>(), ".{0,5}", amount(), amount(), prop::option::of(".{0,5}"), amount())
            .prop_map(|(file, line, transaction, used_at, discount, refund_id, refunded_at)| FlowLine {
                file,
                line,
                transaction,
                used_at,
                discount,
                refund_id,
                refunded_at,
            })
    }

    fn event() -> impl Strategy<Value = Event> {
        let send = (any::<u64>(), any::<u64>(), any::<u64>(), prop::option::of(".{0,5}"));
        let callback = (".{0,5}", any::<i64>(), prop::option::of(any::<i64>()));
        prop_oneof![
            send.prop_map(|(campaign, line, slot, openid)| Event::Send(Send {
                campaign,
                line,
                slot,
                openid
            })),
            callback.prop_map(|(transaction, at, face)| Event::Callback(Callback { transaction, at, face })),
            flow_line().prop_map(Event::Use),
            flow_line().prop_map(Event::Refund),
            (any::<u8>(), ".{0,5}").prop_map(|(code, text)| Event::Problem { code, text }),
        ]
    }

    proptest! {
        #[test]
        fn what_is_packed_comes_out_again(event in event(), cut in any::<prop::sample::Index>()) {
            let mut packed = Vec::new();
            event.pack(&mut packed);
            prop_assert_eq!(Event::unpack(&packed), Some(event));
            prop_assert_eq!(Event::unpack(&packed[..cut.index(packed.len())]), None);
        }
    }
}
