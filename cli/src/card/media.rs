//! `favor card media …`

use anyhow::{Context as _, bail};
use favor_card::{Media, Picture};

use super::Desk;
use crate::args::CardMedia;
use crate::saved;

pub(crate) async fn run(desk: &Desk<'_>, command: &CardMedia) -> anyhow::Result<()> {
    let CardMedia::Upload(args) = command;
    let (most, what) = if args.paper {
        (Picture::LARGEST_PAPER, "a paper of a sub-merchant")
    } else {
        (Picture::LARGEST_IMAGE, "a picture of a card")
    };
    let path = args.file.as_path();
    // Asked of the file, so that one far too large is not even read.
    let about = std::fs::metadata(path).with_context(|| format!("cannot read {}", path.display()))?;
    if about.is_file() && usize::try_from(about.len()).map_or(true, |size| size > most) {
        bail!(
            "{} has {} bytes, and {what} at most {most} ({} MiB): make it smaller",
            path.display(),
            about.len(),
            most >> 20
        );
    }
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let picture = Picture::new(name, saved::read(Some(path))?).with_context(|| path.display().to_string())?;
    desk.confirm(&format!("upload {}", path.display()))?;
    let media = Media::new(&desk.client);
    if args.paper {
        let uploaded = media.upload_media(&picture).await?;
        if desk.output.is_json() {
            return desk.output.json(&*uploaded);
        }
        return desk.output.facts([
            ("media_id", uploaded.media_id.clone()),
            ("next", "put it into the file for favor card sub-merchant add within three days".to_owned()),
        ]);
    }
    let uploaded = media.upload_image(&picture).await?;
    if desk.output.is_json() {
        return desk.output.json(&*uploaded);
    }
    desk.output.facts([
        ("url", uploaded.url.clone()),
        ("next", "put it into logo_url, or where else a card has a picture".to_owned()),
    ])
}
