//! `favor card qrcode`: made by the platform, drawn here.

use std::path::Path;

use anyhow::{Context as _, bail};
use favor_card::{CardId, CreateQrCode, Distribution, QrCard, QrCode, QrImage};
use serde_json::json;

use super::{Desk, file};
use crate::args;
use crate::exit::Partly;

/// Of a picture in a file, in pixels each way.
const SIZE: u32 = 512;

/// What is to become of the picture.
enum Picture<'a> {
    Terminal,
    Svg,
    File(&'a Path),
    /// The platform's own.
    Jpeg(&'a Path),
}

pub(crate) async fn run(desk: &Desk<'_>, args: &args::QrCode) -> anyhow::Result<()> {
    let picture = picture(args)?;
    let request = request(args)?;
    desk.confirm(&format!("make a QR code by which users claim {}", named(&args.card_id)))?;
    let distribution = Distribution::new(&desk.client);
    let made = distribution.create_qr_code(&request).await?;
    let mut svg = None;
    let mut drawn = None;
    match &picture {
        Picture::Terminal => drawn = Some(draw(&made).with_context(|| kept(&made))?.terminal()),
        Picture::Svg => svg = Some(draw(&made).with_context(|| kept(&made))?.svg(SIZE)),
        Picture::File(file) => {
            let svg = draw(&made).with_context(|| kept(&made))?.svg(SIZE);
            file::write(file, svg.as_bytes(), args.replace).with_context(|| kept(&made))?;
        }
        Picture::Jpeg(file) => {
            let picture = distribution.qr_picture(&made.ticket).await.map_err(|error| Partly {
                done: kept(&made),
                rest: "the picture can be had from its address; the same command makes another QR code",
                error,
            })?;
            file::write(file, &picture, args.replace).with_context(|| kept(&made))?;
        }
    }
    if desk.output.is_json() {
        let mut object = serde_json::to_value(&*made)?;
        object["picture_url"] = json!(made.picture_url());
        if let Some(svg) = svg {
            object["svg"] = json!(svg);
        }
        if let Some(file) = &args.out {
            object["file"] = json!(file);
        }
        return desk.output.json(&object);
    }
    if let Some(picture) = svg.or_else(|| drawn.clone()) {
        desk.output.line(&picture)?;
    }
    if let Some(file) = &args.out {
        desk.output.line(&format!("the picture is in {}", file.display()))?;
    }
    if drawn.is_some() {
        desk.output.facts([
            ("says", made.content().unwrap_or_default().to_owned()),
            ("picture", made.picture_url()),
        ])?;
    }
    Ok(())
}

fn picture(args: &args::QrCode) -> anyhow::Result<Picture<'_>> {
    let Some(file) = &args.out else {
        return Ok(if args.svg { Picture::Svg } else { Picture::Terminal });
    };
    if file.exists() && !args.replace {
        bail!("{} is there already; --replace replaces it", file.display());
    }
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty());
    if let Some(folder) = folder.filter(|folder| !folder.is_dir()) {
        bail!("{} is no folder to write into", folder.display());
    }
    let end = file.extension().unwrap_or_default().to_ascii_lowercase();
    match end.to_str() {
        Some("svg") => Ok(Picture::File(file)),
        Some("jpg" | "jpeg") => Ok(Picture::Jpeg(file)),
        _ => bail!("{} has to end in .svg, drawn here, or .jpg, the platform's own picture", file.display()),
    }
}

fn request(args: &args::QrCode) -> anyhow::Result<CreateQrCode> {
    let one_person = args.code.is_some() || args.openid.is_some();
    if one_person && args.card_id.len() > 1 {
        bail!("--code and --openid are for a QR code of one card");
    }
    let mut cards = Vec::new();
    for id in &args.card_id {
        let mut card = QrCard::new(id.clone());
        card.code = args.code.as_ref().map(args::Private::code).transpose()?;
        card.openid = args.openid.as_ref().map(args::Private::openid).transpose()?;
        card.is_unique_code = args.unique.then_some(true);
        card.outer_str = args.channel.clone();
        cards.push(card);
    }
    let mut request = match (cards.len(), cards.pop()) {
        (1, Some(card)) => CreateQrCode::one(card),
        (_, last) => {
            cards.extend(last);
            CreateQrCode::several(cards)
        }
    };
    if let Some(life) = args.expires {
        request.expire_seconds = Some(i64::try_from(life.as_secs())?);
    }
    Ok(request)
}

/// What is to be known of a QR code that is made and whose picture is not: in the error, so that it is said also when
/// quiet.
fn kept(made: &QrCode) -> String {
    let says = made.content().map(|content| format!(" and says {content}")).unwrap_or_default();
    format!(
        "the QR code is made{says}, its ticket is {}; only its picture is missing, and the platform's own is at {}",
        made.ticket,
        made.picture_url()
    )
}

fn named(ids: &[CardId]) -> String {
    let ids: Vec<&str> = ids.iter().map(CardId::as_str).collect();
    ids.join(", ")
}

/// Without the url there is only the platform's own picture.
fn draw(made: &QrCode) -> anyhow::Result<QrImage> {
    let content = made.content().context("the platform gave no url to draw")?;
    Ok(QrImage::of(content)?)
}
