//! `favor card stats`: figures by day.

use anyhow::{Context as _, bail};
use chrono::{NaiveDate, TimeDelta};
use favor_card::{CardDays, CardSource, Days, MemberCardDays, Statistics};
use favor_core::{Clock as _, SystemClock, time};

use super::{Desk, chart};
use crate::args::{CardStats, Charted, Counted, Source};

/// What a day counts, for the chart.
#[derive(Clone, Copy)]
struct Counts {
    day: NaiveDate,
    views: i64,
    claims: i64,
    redemptions: i64,
}

macro_rules! counts {
    ($list:expr) => {
        $list
            .iter()
            .map(|day| Counts {
                day: day.ref_date,
                views: day.view_cnt,
                claims: day.receive_cnt,
                redemptions: day.verify_cnt,
            })
            .collect::<Vec<_>>()
    };
}

/// A figure, and of how many different users.
fn of(count: i64, users: i64) -> String {
    format!("{count} ({users})")
}

const NONE: &str = "no figures in these days";

pub(crate) async fn run(desk: &Desk<'_>, args: &CardStats) -> anyhow::Result<()> {
    let (from, to) = days(args)?;
    let source = match args.source {
        Source::Api => CardSource::Api,
        Source::Console => CardSource::Console,
    };
    if args.card.is_some() && matches!(args.of, Counted::Account | Counted::Members) {
        bail!("--card goes with cards or member-card: favor card stats cards --card CARD_ID");
    }
    let (statistics, output) = (Statistics::new(&desk.client), desk.output);
    let counts = match args.of {
        Counted::Account => {
            let answer = statistics.account(&Days::new(from, to, source)).await?;
            if output.is_json() {
                return output.json(&*answer);
            }
            let row = |day: &favor_card::AccountDay| {
                [
                    day.ref_date.to_string(),
                    of(day.view_cnt, day.view_user),
                    of(day.receive_cnt, day.receive_user),
                    of(day.verify_cnt, day.verify_user),
                    of(day.given_cnt, day.given_user),
                    of(day.expire_cnt, day.expire_user),
                ]
            };
            let heading = ["day", "views (users)", "claims", "redemptions", "gifts", "expired"];
            output.rows(heading, answer.list.iter().map(row).collect(), NONE)?;
            counts!(answer.list)
        }
        Counted::Cards => {
            let mut request = CardDays::new(from, to, source);
            request.card_id = args.card.clone();
            let answer = statistics.cards(&request).await?;
            if output.is_json() {
                return output.json(&*answer);
            }
            let row = |day: &favor_card::CardDay| {
                [
                    day.ref_date.to_string(),
                    day.card_id.to_string(),
                    of(day.view_cnt, day.view_user),
                    of(day.receive_cnt, day.receive_user),
                    of(day.verify_cnt, day.verify_user),
                    of(day.given_cnt, day.given_user),
                    of(day.expire_cnt, day.expire_user),
                ]
            };
            let heading = ["day", "card", "views (users)", "claims", "redemptions", "gifts", "expired"];
            output.rows(heading, answer.list.iter().map(row).collect(), NONE)?;
            counts!(answer.list)
        }
        Counted::Members => {
            let answer = statistics.member_cards(&Days::new(from, to, source)).await?;
            if output.is_json() {
                return output.json(&*answer);
            }
            let row = |day: &favor_card::MemberDay| {
                [
                    day.ref_date.to_string(),
                    of(day.view_cnt, day.view_user),
                    of(day.receive_cnt, day.receive_user),
                    day.active_user.to_string(),
                    of(day.verify_cnt, day.verify_user),
                    day.total_user.to_string(),
                ]
            };
            let heading = ["day", "views (users)", "claims", "activated", "uses", "members"];
            output.rows(heading, answer.list.iter().map(row).collect(), NONE)?;
            counts!(answer.list)
        }
        Counted::MemberCard => {
            let card = args.card.clone().context("member-card needs --card CARD_ID")?;
            let answer = statistics.member_card(&MemberCardDays::new(from, to, card)).await?;
            if output.is_json() {
                return output.json(&*answer);
            }
            let row = |day: &favor_card::MemberCardDay| {
                [
                    day.ref_date.to_string(),
                    of(day.view_cnt, day.view_user),
                    of(day.receive_cnt, day.receive_user),
                    of(day.active_cnt, day.active_user),
                    of(day.verify_cnt, day.verify_user),
                    day.new_user.to_string(),
                    day.total_user.to_string(),
                ]
            };
            let heading = ["day", "views (users)", "claims", "activated", "uses", "new", "members"];
            output.rows(heading, answer.list.iter().map(row).collect(), NONE)?;
            counts!(answer.list)
        }
    };
    draw(desk, args.chart, from, to, &counts)
}

/// The days asked for, by Beijing's calendar.
fn days(args: &CardStats) -> anyhow::Result<(NaiveDate, NaiveDate)> {
    let before = |day: NaiveDate, days: i64| {
        day.checked_sub_signed(TimeDelta::days(days)).context("the day is out of range")
    };
    let to = match args.to {
        Some(to) => to,
        None => before(time::beijing_day(&SystemClock::new().now()), 1)?,
    };
    Ok((args.from.map_or_else(|| before(to, 6), Ok)?, to))
}

/// One bar for each day asked for, also for those of which the platform says nothing.
fn draw(
    desk: &Desk<'_>,
    charted: Charted,
    from: NaiveDate,
    to: NaiveDate,
    counts: &[Counts],
) -> anyhow::Result<()> {
    let (title, figure): (_, fn(&Counts) -> i64) = match charted {
        Charted::Views => ("views", |counts| counts.views),
        Charted::Claims => ("claims", |counts| counts.claims),
        Charted::Redemptions => ("redemptions", |counts| counts.redemptions),
        Charted::None => return Ok(()),
    };
    if counts.is_empty() {
        return Ok(());
    }
    let of_day = |day: NaiveDate| {
        let all = counts.iter().filter(|counts| counts.day == day).map(figure);
        (day, all.fold(0, i64::saturating_add))
    };
    let days: Vec<_> = from.iter_days().take_while(|day| *day <= to).map(of_day).collect();
    desk.output.line(&format!("\n{title}"))?;
    for line in chart::bars(&days) {
        desk.output.line(&line)?;
    }
    Ok(())
}
