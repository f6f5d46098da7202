//! Whether a list is still the one that was planned.

use std::path::PathBuf;

use anyhow::bail;
use favor_campaign::Manifest;
use favor_campaign::list::{self, ListChange};

/// An error where the file of the list is there, and is another one than when the campaign was planned.
pub(crate) async fn demand_same_list(manifest: &Manifest) -> anyhow::Result<()> {
    let (file, facts) = (PathBuf::from(&manifest.list.file), manifest.list.clone());
    let change = tokio::task::spawn_blocking(move || list::compare(&file, &facts)).await??;
    if change == ListChange::Content {
        let name = &manifest.name;
        bail!(
            "{} is not the list that campaign {name} was planned with: to send to its people as they are now, run favor \
             campaign discard {name} and plan it again; to send to those that were planned, start it with --as-planned",
            manifest.list.file
        );
    }
    Ok(())
}
