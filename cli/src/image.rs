//! `favor image …`

use favor_stock::{Image, Images};

use crate::args::{self, Global};
use crate::exit::Exit;
use crate::output::Output;
use crate::settings::Settings;

pub(crate) async fn run(command: args::Image, global: &Global, output: &Output) -> anyhow::Result<Exit> {
    let args::Image::Upload(upload) = command;
    let image = Image::from_file(&upload.file).map_err(favor_core::Error::from)?;
    let uploaded = Images::new(&Settings::load(global)?.client()?).upload(&image).await?;
    if output.is_json() {
        output.raw_json(uploaded.raw())?;
    } else {
        output.facts([("image", image.meta().filename.clone()), ("url", uploaded.media_url.clone())])?;
    }
    Ok(Exit::Done)
}
