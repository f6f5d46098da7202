//! `favor card listen`

use std::net::SocketAddr;

use clap::{Args as ClapArgs, ValueEnum};

use crate::args::callback::parse_path;

#[derive(Debug, ClapArgs)]
pub(crate) struct ListenEvents {
    /// Where to listen; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:0")]
    pub(crate) listen: SocketAddr,
    /// Take events at this path only, such as /wechat; at every path when not given
    #[arg(long, value_name = "PATH", value_parser = parse_path)]
    pub(crate) path: Option<String>,
    /// Hand each event to this address before it is accepted. What it does not answer by 2xx within 4 seconds the
    /// platform is asked to send again, which it does up to three times
    #[arg(long, value_name = "URL")]
    pub(crate) forward: Option<String>,
    /// What is sent there: JSON, or the platform's own body and query
    #[arg(long, value_enum, default_value_t = EventForm::Plain, requires = "forward")]
    pub(crate) forward_as: EventForm,
    /// Take plain messages although there is an EncodingAESKey: whoever sees one request can forge others
    #[arg(long)]
    pub(crate) take_plain: bool,
    /// Stop after so many new events
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) once: Option<u64>,
}

/// What is sent to an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum EventForm {
    /// JSON: key, event, create_time, account, openid, encrypted, fields
    Plain,
    /// Body and query as the platform sent them
    Signed,
}
