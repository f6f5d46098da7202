//! `favor card media …`

use std::path::PathBuf;

use clap::{Args as ClapArgs, Subcommand};

use super::examples;

#[derive(Debug, Subcommand)]
pub(crate) enum CardMedia {
    /// Upload a picture, JPG or PNG: the logo or another picture of a card, at most 1 MiB
    #[command(after_help = examples!(
        "favor card media upload logo.png", "favor card media upload --paper licence.jpg"))]
    Upload(UploadPicture),
}

#[derive(Debug, ClapArgs)]
pub(crate) struct UploadPicture {
    /// The picture
    pub(crate) file: PathBuf,
    /// It is a paper of a sub-merchant, at most 10 MiB: kept for three days under the media_id that is printed
    #[arg(long)]
    pub(crate) paper: bool,
}
