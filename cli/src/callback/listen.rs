//! `favor callback listen`: notifications received, stored, printed and handed on.

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::Context as _;
use favor_callback::{CallbackAddress, Dispatched, Dispatcher, InboxError, Intake, NotifyUrl};
use serde_json::json;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::forward::{Forwarder, Target};
use super::merchants::{self, Merchant};
use super::place::Place;
use super::report::Reporter;
use super::server::{self, Work};
use crate::args::{Global, Listen};
use crate::exit::Exit;
use crate::mirror::Stop;
use crate::output::{BrokenPipe, Output};

pub(crate) async fn run(args: &Listen, global: &Global, output: &Output) -> anyhow::Result<Exit> {
    let stop = Stop::listen()?;
    if let Some(Some(url)) = &args.set_address {
        NotifyUrl::new(url.as_str())?;
    }
    let target = args.forward.as_deref().map(|url| Target::new(url, args.forward_as)).transpose()?;
    let merchants = merchants::load(global, &args.also_profile)?;
    let place = Place::of(&args.place, global)?;
    let listener = TcpListener::bind(args.listen).await;
    let listener = listener.with_context(|| format!("cannot listen on {}", args.listen))?;
    let address = listener.local_addr()?;
    let opened = if args.no_inbox { None } else { Some(place.open().await?) };

    let clock = merchants[0].client.clock();
    let reporter = Arc::new(Reporter::new(output, clock, args.once));
    let stopping = watch::Sender::new(false);
    let receiver = merchants::receiver(&merchants)?;
    let work = match &opened {
        Some(opened) => {
            let reporter = reporter.clone();
            let intake = Intake::new(receiver, opened.inbox());
            Work::Store(intake.observe(move |arrival| reporter.arrival(&arrival)))
        }
        None => Work::Look(receiver, reporter.clone()),
    };
    let mut server = tokio::spawn(server::serve(listener, work, args.path.clone(), stopping.subscribe()));
    let forwarding = target.zip(opened.as_ref()).map(|(target, opened)| Forwarder {
        target,
        inbox: opened.inbox(),
        park_after: args.park_after,
        output: output.clone(),
    });
    let mut dispatching = forwarding.clone().map(|forwarder| dispatch(forwarder, stopping.subscribe()));

    let url = format!("http://{address}{}", args.path.as_deref().unwrap_or("/"));
    set_addresses(args, &url, &merchants, output).await?;
    tell_ready(address, &url, opened.as_ref().map(|_| &place), &merchants, output)?;

    let enough = tokio::select! {
        stopped = stop.wait() => { stopped?; false }
        () = reporter.enough() => true,
        ended = &mut server => { ended??; false }
        ended = ended(&mut dispatching) => { ended?; false }
    };
    stopping.send_replace(true);
    if !server.is_finished() {
        server.await??;
    }
    let mut handed = Dispatched::default();
    if let Some(dispatching) = dispatching {
        handed = dispatching.await??;
    }
    if let Some(forwarder) = forwarding.filter(|_| enough) {
        let rest = dispatcher(&forwarder).run_until_empty(handler(forwarder)).await?;
        handed.handled += rest.handled;
        handed.put_back += rest.put_back;
        handed.parked += rest.parked;
        handed.lost += rest.lost;
    }
    if let Some(opened) = &opened {
        opened.close().await;
    }
    if reporter.stdout_is_gone() {
        return Err(BrokenPipe.into());
    }
    output.talk(format!("stopped; {}", reporter.summary()));
    if args.forward.is_some() {
        output.talk(format!("to the address: {handed}"));
    }
    Ok(Exit::Done)
}

type Dispatching = JoinHandle<Result<Dispatched, InboxError>>;

fn dispatcher(forwarder: &Forwarder) -> Dispatcher {
    Dispatcher::new(forwarder.inbox.clone())
}

fn handler(
    forwarder: Forwarder,
) -> impl Fn(
    favor_callback::Delivery,
) -> futures_util::future::BoxFuture<'static, Result<(), favor_callback::NotHandled>>
+ Send
+ Sync
+ 'static {
    move |delivery| Box::pin(forwarder.clone().hand_on(delivery))
}

fn dispatch(forwarder: Forwarder, mut stopping: watch::Receiver<bool>) -> Dispatching {
    tokio::spawn(async move {
        let stop = async move {
            let _ = stopping.wait_for(|stopping| *stopping).await;
        };
        dispatcher(&forwarder).run(handler(forwarder), stop).await
    })
}

/// Completes when the inbox can no longer be worked with; never without a dispatcher.
async fn ended(dispatching: &mut Option<Dispatching>) -> anyhow::Result<()> {
    match dispatching {
        Some(running) => {
            let ended = running.await;
            *dispatching = None;
            ended??;
            Ok(())
        }
        None => std::future::pending().await,
    }
}

fn tell_ready(
    address: SocketAddr,
    url: &str,
    place: Option<&Place>,
    merchants: &[Merchant],
    output: &Output,
) -> anyhow::Result<()> {
    let merchants: Vec<&str> = merchants.iter().map(|one| one.client.merchant_id().as_str()).collect();
    let inbox = place.map(ToString::to_string);
    if output.is_json() {
        let address = address.to_string();
        return output.json(&json!({
            "verdict": "ready", "address": address, "url": url, "inbox": inbox, "merchants": merchants,
        }));
    }
    let kept = inbox.map_or_else(|| "kept nowhere".to_owned(), |inbox| format!("kept in {inbox}"));
    output.talk(format!("listening on {url} for merchant {}; {kept}; ctrl-c stops it", merchants.join(", ")));
    if !address.ip().is_loopback() {
        output.talk("this speaks plain http: put it behind a server that speaks https");
    }
    Ok(())
}

async fn set_addresses(
    args: &Listen,
    url: &str,
    merchants: &[Merchant],
    output: &Output,
) -> anyhow::Result<()> {
    let Some(wanted) = &args.set_address else { return Ok(()) };
    let address = NotifyUrl::new(wanted.as_deref().unwrap_or(url))?;
    for merchant in merchants {
        CallbackAddress::new(&merchant.client).set(&address).await?;
        output.talk(format!("notifications of {} go to {address}", merchant.client.merchant_id()));
    }
    Ok(())
}
