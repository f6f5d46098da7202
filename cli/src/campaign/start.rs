//! `favor campaign start`: sends, and shows how it goes.

use std::sync::Arc;

use anyhow::bail;
use favor_campaign::{
    Books, Campaign, ClientSender, Ended, Order, OutcomeState, Runner, Severity, Standing, State, check_stock,
};

use super::budget::Budget;
use super::find::find;
use super::live::Live;
use super::next::Command;
use super::pilot::Pilot;
use super::place::Place;
use super::summary::{self, End};
use super::work::Work;
use super::{changed, shown};
use crate::args::{Global, StartCampaign};
use crate::confirm::confirm;
use crate::exit::Exit;
use crate::mirror::Stop;
use crate::output::Output;
use crate::settings::Settings;

pub(crate) async fn run(args: &StartCampaign, global: &Global, output: &Output) -> anyhow::Result<Exit> {
    let stop = Stop::listen()?;
    let settings = Settings::load(global)?;
    let client = settings.client()?;
    let place = Place::of(&args.place, global)?;
    let opened = if args.leave_to_workers { place.open_beside().await? } else { place.open().await? };
    let books = opened.books();
    let campaign = find(&*books, &args.name).await?;
    let manifest = &campaign.manifest;
    if manifest.merchant_id != *settings.merchant_id() {
        bail!(
            "campaign {} is of merchant {}, and these settings are of {}: choose the profile of that merchant",
            args.name,
            manifest.merchant_id,
            settings.merchant_id()
        );
    }
    let again = Command::new("start", &args.name, &args.place, global);
    match campaign.standing.state {
        State::Importing => bail!(
            "the list of campaign {} was not read to its end: repeat favor campaign plan as it was given",
            args.name
        ),
        State::Planned => {
            if !args.as_planned {
                changed::demand_same_list(manifest).await?;
            }
            let findings = check_stock(&client, manifest).await;
            let errors = findings.iter().filter(|finding| finding.severity == Severity::Error);
            let bad = errors.inspect(|finding| output.talk(format!("{finding}: {}", finding.hint))).count();
            if bad > 0 && !args.anyway {
                output.complain(
                    "error",
                    "it cannot go well as things are, so nothing was sent; --anyway starts it all the same",
                );
                return Ok(Exit::Refused);
            }
        }
        _ => {}
    }
    let mut live = Live::new(output, manifest, &args.live, Some(Budget::ask(&client, manifest)));
    if campaign.standing.state == State::Finished {
        let exit = summary::tell(End::Finished, &campaign, &campaign.standing, &mut live, output)?;
        summary::say_next(End::Finished, &campaign, &campaign.standing, &args.place, global, output);
        opened.close().await;
        return Ok(exit);
    }
    confirm(&settings, global.yes, &question(&campaign))?;
    if args.leave_to_workers {
        let standing = order(&*books, &campaign, output).await?;
        opened.close().await;
        live.event("started", &standing, &[]);
        output.talk("started; whoever runs favor campaign worker on this ledger sends");
        return Ok(Exit::Done);
    }
    let pilot = Pilot::of(args, global.yes);
    // From here on a campaign is under way, whatever happens.
    output.goes_on_with(&again.to_string());
    let standing = order(&*books, &campaign, output).await?;
    live.event("started", &standing, &[]);
    output.talk(format!(
        "to send: {} of {} coupons of stock {}; ctrl-c stops in order, and {again} goes on after any end",
        standing.count(OutcomeState::Open),
        standing.coupons,
        manifest.stock_id
    ));

    let sender = Arc::new(ClientSender::new(&client));
    let mut runner = Runner::builder(books.clone(), sender, args.name.clone()).lease(args.lease.lease);
    if let Some(coupons) = pilot.coupons() {
        runner = runner.pilot(coupons);
    }
    let work = Work::spawn(runner.build());
    let end = follow(work, stop, &*books, &campaign, &mut live, pilot, args).await;
    let end = match end {
        Ok(end) => end,
        Err(error) => {
            live.clear();
            opened.close().await;
            return Err(error);
        }
    };
    let standing = books.standing(campaign.id).await?;
    let exit = summary::tell(end, &campaign, &standing, &mut live, output)?;
    summary::say_next(end, &campaign, &standing, &args.place, global, output);
    opened.close().await;
    Ok(exit)
}

fn question(campaign: &Campaign) -> String {
    let coupons = campaign.standing.count(OutcomeState::Open);
    let worth = shown::worth(&campaign.manifest, coupons);
    let worth = worth.map_or_else(String::new, |worth| format!(" ({worth})"));
    format!(
        "send {coupons} coupons{worth} of stock {} to the people of campaign {}",
        campaign.manifest.stock_id, campaign.manifest.name
    )
}

/// Has it run, unless a person paused it.
async fn order(books: &dyn Books, campaign: &Campaign, output: &Output) -> anyhow::Result<Standing> {
    let standing = &campaign.standing;
    let order = match standing.state {
        State::Planned | State::Stopped => Order::Start,
        State::Paused if standing.paused_by_operator => {
            output.talk(format!(
                "campaign {} is {}: favor campaign resume lets it go on",
                campaign.manifest.name,
                shown::state(standing)
            ));
            return Ok(standing.clone());
        }
        State::Paused => {
            output.talk(format!("it was {}", shown::state(standing)));
            Order::Resume
        }
        _ => return Ok(standing.clone()),
    };
    Ok(books.order(campaign.id, order).await?)
}

async fn follow(
    mut work: Work,
    mut stop: Stop,
    books: &dyn Books,
    campaign: &Campaign,
    live: &mut Live,
    mut pilot: Pilot,
    args: &StartCampaign,
) -> anyhow::Result<End> {
    let mut tick = tokio::time::interval(live.interval());
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut end = None;
    loop {
        tokio::select! {
            ended = work.ended() => {
                return Ok(match ended? {
                    Ended::Finished => End::Finished,
                    Ended::Stopped => End::Stopped,
                    Ended::Interrupted => end.unwrap_or(End::Interrupted),
                });
            }
            stopped = stop.next() => {
                stopped?;
                if end == Some(End::Interrupted) {
                    live.talk("ended at once; what was under way is sent again with the same numbers");
                    return Ok(End::Interrupted);
                }
                live.talk("waiting for what is under way; ctrl-c again ends at once");
                work.stop();
                end = Some(End::Interrupted);
            }
            goes_on = pilot.answer() => {
                if goes_on? {
                    books.order(campaign.id, Order::Resume).await?;
                } else {
                    work.stop();
                    end = Some(End::Paused);
                }
            }
            _ = tick.tick() => {
                live.note(&work.pulse());
                // Where the ledger does not answer, the runner has said so.
                let Ok(standing) = books.standing(campaign.id).await else { continue };
                if pilot.is_asking() {
                    continue;
                }
                live.show(&standing);
                if end.is_some() {
                    continue;
                }
                if pilot.is_due(&standing) {
                    live.clear();
                    pilot.ask(&standing);
                } else if args.end_when_paused && is_stuck(&standing) {
                    work.stop();
                    end = Some(End::Paused);
                }
            }
        }
    }
}

/// Whether it is paused until a person resumes it, and no person paused it.
fn is_stuck(standing: &Standing) -> bool {
    standing.state == State::Paused && !standing.paused_by_operator && standing.paused_until.is_none()
}
