//! `favor campaign watch`: how a campaign goes that another process works on.

use favor_campaign::State;

use super::budget::Budget;
use super::find::find;
use super::live::Live;
use super::place::Place;
use super::shown;
use super::summary::{self, End};
use crate::args::{Global, WatchCampaign};
use crate::exit::Exit;
use crate::mirror::Stop;
use crate::output::Output;
use crate::settings::Settings;

pub(crate) async fn run(args: &WatchCampaign, global: &Global, output: &Output) -> anyhow::Result<Exit> {
    let mut stop = Stop::listen()?;
    let opened = Place::of(&args.place, global)?.open_read_only().await?;
    let books = opened.books();
    let campaign = find(&*books, &args.name).await?;
    if args.once {
        opened.close().await;
        if output.is_json() {
            output.json(&shown::campaign(&campaign.manifest, &campaign.standing))?;
        } else {
            output.facts(shown::facts(&campaign.manifest, &campaign.standing))?;
        }
        return Ok(Exit::Done);
    }
    // What is left of the stock is shown where the settings let it be asked for.
    let client = Settings::load(global).and_then(|settings| settings.client());
    let client = client.ok().filter(|client| *client.merchant_id() == campaign.manifest.merchant_id);
    let budget = client.map(|client| Budget::ask(&client, &campaign.manifest));
    let mut live = Live::new(output, &campaign.manifest, &args.live, budget);
    let mut tick = tokio::time::interval(live.interval());
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut is_gone = false;
    loop {
        tokio::select! {
            stopped = stop.next() => {
                stopped?;
                live.clear();
                opened.close().await;
                return Ok(Exit::Done);
            }
            _ = tick.tick() => {}
        }
        let standing = match books.standing(campaign.id).await {
            Ok(standing) => standing,
            Err(error) if error.is_temporary() => {
                if !is_gone {
                    live.talk(crate::settings::in_words(&error));
                }
                is_gone = true;
                continue;
            }
            Err(error) => return Err(error.into()),
        };
        is_gone = false;
        live.show(&standing);
        let end = match standing.state {
            State::Finished => End::Finished,
            State::Stopped => End::Stopped,
            _ => continue,
        };
        let exit = summary::tell(end, &campaign, &standing, &mut live, output)?;
        summary::say_next(end, &campaign, &standing, &args.place, global, output);
        opened.close().await;
        return Ok(exit);
    }
}
