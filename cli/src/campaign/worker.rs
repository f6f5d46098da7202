//! `favor campaign worker`: works on whatever campaigns of the merchant run.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use favor_campaign::{Books, Campaign, CampaignId, ClientSender, Ended, Pulse, RunError, Runner, State};
use favor_core::Client;
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::task::{Id, JoinError, JoinSet};

use super::holds::Holds;
use super::live;
use super::place::Place;
use super::shown;
use crate::args::{CampaignWorker, Global};
use crate::confirm::confirm;
use crate::exit::Exit;
use crate::mirror::Stop;
use crate::output::Output;
use crate::settings::{Settings, in_words};

/// How often it looks for campaigns to work on.
const BETWEEN: Duration = Duration::from_millis(500);
/// How long a campaign is left alone that could not be worked on.
const AFTER_AN_ERROR: Duration = Duration::from_secs(10);

pub(crate) async fn run(args: &CampaignWorker, global: &Global, output: &Output) -> anyhow::Result<Exit> {
    let mut stop = Stop::listen()?;
    let settings = Settings::load(global)?;
    let client = settings.client()?;
    let place = Place::of(&args.place, global)?;
    confirm(&settings, global.yes, "send the coupons of every campaign that is started")?;
    let opened = place.open().await?;
    let mut worker = Worker {
        books: opened.books(),
        client,
        lease: args.lease.lease,
        output: output.clone(),
        lines: live::is_lines(output),
        stopping: watch::Sender::new(false),
        tasks: JoinSet::new(),
        held: BTreeMap::new(),
        rests: BTreeMap::new(),
        is_gone: false,
    };
    worker.say("ready", None, &[("ledger", json!(place.to_string()))]);
    worker.talk(format!("working on campaigns of {place}; ctrl-c stops in order"));
    let mut tick = tokio::time::interval(BETWEEN);
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut is_stopping = false;
    let exit = loop {
        tokio::select! {
            stopped = stop.next() => {
                stopped?;
                if is_stopping {
                    worker.talk("ended at once; what was under way is sent again with the same numbers");
                    break Exit::Interrupted;
                }
                is_stopping = true;
                worker.stopping.send_replace(true);
                if worker.tasks.is_empty() {
                    break Exit::Done;
                }
                worker.talk("waiting for what is under way; ctrl-c again ends at once");
            }
            Some(ended) = worker.tasks.join_next_with_id() => {
                worker.left(ended);
                if is_stopping && worker.tasks.is_empty() {
                    break Exit::Done;
                }
            }
            _ = tick.tick(), if !is_stopping => worker.look().await?,
        }
    };
    opened.close().await;
    worker.say("stopped", None, &[]);
    worker.talk("stopped; another favor campaign worker goes on");
    Ok(exit)
}

/// A campaign that is worked on.
struct Held {
    task: Id,
    campaign: Campaign,
    pulse: watch::Receiver<Pulse>,
    holds: Holds,
}

/// A process that works on campaigns.
struct Worker {
    books: Arc<dyn Books>,
    client: Client,
    lease: Duration,
    output: Output,
    lines: bool,
    stopping: watch::Sender<bool>,
    tasks: JoinSet<Result<Ended, RunError>>,
    held: BTreeMap<CampaignId, Held>,
    /// Those that could not be worked on, and until when they are left alone.
    rests: BTreeMap<CampaignId, Instant>,
    is_gone: bool,
}

impl Worker {
    /// Takes up every campaign that runs and is not worked on here, and tells what keeps others from being sent.
    async fn look(&mut self) -> anyhow::Result<()> {
        for held in self.held.values_mut() {
            let pulse = held.pulse.borrow_and_update().clone();
            let Some(change) = held.holds.change(&pulse) else { continue };
            let name = &held.campaign.manifest.name;
            self.output.talk(format!("campaign {name}: {}", change.words()));
            if self.lines {
                let mut line = change.line();
                line["name"] = json!(name.as_str());
                let _ = self.output.json(&line);
            }
        }
        let campaigns = match self.books.campaigns().await {
            Ok(campaigns) => campaigns,
            Err(error) if error.is_temporary() => {
                if !self.is_gone {
                    self.talk(format!("{}; trying again", in_words(&error)));
                }
                self.is_gone = true;
                return Ok(());
            }
            Err(error) => return Err(error.into()),
        };
        self.is_gone = false;
        let now = Instant::now();
        self.rests.retain(|_, until| *until > now);
        for campaign in campaigns {
            let is_ours = campaign.manifest.merchant_id == *self.client.merchant_id();
            // A paused one goes on by an order, or by itself.
            let runs = matches!(campaign.standing.state, State::Running | State::Paused);
            let is_new = !self.held.contains_key(&campaign.id) && !self.rests.contains_key(&campaign.id);
            if is_ours && runs && is_new {
                self.take(campaign);
            }
        }
        Ok(())
    }

    fn take(&mut self, campaign: Campaign) {
        let sender = Arc::new(ClientSender::new(&self.client));
        let runner = Runner::builder(self.books.clone(), sender, campaign.manifest.name.clone())
            .lease(self.lease)
            .build();
        let pulse = runner.watch();
        let mut stopping = self.stopping.subscribe();
        let task = self.tasks.spawn(async move {
            let stop = async move { drop(stopping.wait_for(|stopping| *stopping).await) };
            runner.run(stop).await
        });
        self.say("taken", Some(&campaign), &[]);
        self.talk(format!("working on campaign {}", campaign.manifest.name));
        let held = Held { task: task.id(), campaign, pulse, holds: Holds::default() };
        self.held.insert(held.campaign.id, held);
    }

    fn left(&mut self, ended: Result<(Id, Result<Ended, RunError>), JoinError>) {
        let (task, result) = match ended {
            Ok((task, result)) => (task, result),
            Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
            // Nothing aborts them.
            Err(_) => return,
        };
        let Some(id) = self.held.iter().find(|(_, held)| held.task == task).map(|(id, _)| *id) else {
            return;
        };
        let Some(Held { campaign, .. }) = self.held.remove(&id) else { return };
        let name = &campaign.manifest.name;
        match result {
            Ok(ended) => {
                let how = match ended {
                    Ended::Finished => "finished",
                    Ended::Stopped => "stopped",
                    Ended::Interrupted => "interrupted",
                };
                self.say("left", Some(&campaign), &[("how", json!(how))]);
                self.talk(format!("campaign {name} is {how}"));
            }
            Err(error) => {
                let words = in_words(&error);
                self.say("left", Some(&campaign), &[("how", json!("failed")), ("reason", json!(words))]);
                self.output.complain("error", &format!("campaign {name}: {words}; trying again"));
                self.rests.insert(id, Instant::now() + AFTER_AN_ERROR);
            }
        }
    }

    fn talk(&self, line: impl AsRef<str>) {
        self.output.talk(line);
    }

    fn say(&self, event: &str, campaign: Option<&Campaign>, more: &[(&str, Value)]) {
        if !self.lines {
            return;
        }
        let mut line = match campaign {
            Some(campaign) => shown::campaign(&campaign.manifest, &campaign.standing),
            None => json!({}),
        };
        line["event"] = json!(event);
        for (name, value) in more {
            line[*name] = value.clone();
        }
        // Work does not end because nobody reads about it.
        let _ = self.output.json(&line);
    }
}
