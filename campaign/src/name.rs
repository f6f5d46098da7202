//! What a campaign is called.

favor_core::id! {
    /// The name of a campaign: what the operator calls it, and unique within a ledger.
    pub struct CampaignName: "the campaign's name", "1 to 32 letters, digits, '_' or '-'",
    |t| (1..=32).contains(&t.len()) && t.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-'), plain
}
