//! `favor doctor`, `favor sign` and `favor certs`, as clap types.

use clap::Args as ClapArgs;

#[derive(Debug, ClapArgs)]
pub(crate) struct Doctor {
    /// Look at settings and files only, and ask nobody
    #[arg(long)]
    pub(crate) offline: bool,
}
