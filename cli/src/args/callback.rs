//! `favor callback …`

use clap::{Args as ClapArgs, Subcommand, ValueEnum};
use favor_core::CouponId;

#[derive(Debug, Subcommand)]
pub(crate) enum Callback {
    /// Set the address that notifications go to
    Set(SetCallback),
    /// Show the address that notifications go to
    Get,
    /// Make a mirror send notifications: redeem a coupon, or make one and redeem it
    Trigger(Trigger),
}

#[derive(Debug, ClapArgs)]
pub(crate) struct SetCallback {
    /// https, public, without a query, at most 256 characters; http for this machine, where a mirror can call it
    pub(crate) url: String,
    /// Say whether to push; off is described as not supported at present
    #[arg(long, value_enum, value_name = "ON")]
    pub(crate) switch: Option<Switch>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Switch {
    On,
    Off,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Trigger {
    /// Redeem this coupon; without it a stock is created and started, and a coupon of it sent and redeemed
    #[arg(long, value_name = "ID", conflicts_with_all = ["times", "event"])]
    pub(crate) coupon: Option<CouponId>,
    /// What is told: that coupons were redeemed, or that they were sent, where the mirror's notify_sends is on
    #[arg(long, value_enum, default_value_t = Event::Use)]
    pub(crate) event: Event,
    /// How many notifications, each of a coupon of its own
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=1_000))]
    pub(crate) times: u32,
    /// Each notification arrives several times at once: twice when no number is given
    #[arg(
        long, value_name = "COPIES", num_args = 0..=1, require_equals = true, default_missing_value = "2",
        value_parser = clap::value_parser!(u32).range(2..=100), conflicts_with = "probe"
    )]
    pub(crate) duplicate: Option<u32>,
    /// Each first delivery is a signature probe; the mirror's clock is advanced until the true one has followed
    #[arg(long)]
    pub(crate) probe: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Event {
    Use,
    Send,
}
