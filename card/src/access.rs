//! Access tokens and tickets (P1–P3, spec §2.1–§2.5).

use std::sync::Arc;
use std::time::Duration;

use favor_core::{AppId, Clock, Secret};
use futures_util::future::BoxFuture;
use serde::{Deserialize, Serialize};

use crate::client::{Call, Client};
use crate::endpoint::{Endpoint, STABLE_TOKEN, TICKET, TOKEN};
use crate::error::Error;
use crate::keeper::{Fetched, Held, Keeper};
use crate::reply::Reply;
use crate::secret::{AccessToken, CardTicket, JsapiTicket};
use crate::token_store::TokenStore;

/// Which access token a client uses. Neither invalidates the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TokenKind {
    /// The same for everybody who asks, until shortly before its end. What to use.
    Stable,
    /// A new one with each call, which makes the one before it invalid: everybody must share one store.
    Basic,
}

/// A token lives an hour or two; nothing that lives longer than a year is believed.
const LONGEST_LIFE: i64 = 366 * 24 * 3600;
const MARGIN: Duration = Duration::from_secs(300);
const BASIC_MARGIN: Duration = Duration::from_secs(600);

/// What a client holds: its token and its two tickets, each under its own name in the store.
#[derive(Debug)]
pub(crate) struct Access {
    kind: TokenKind,
    token: Keeper,
    card_ticket: Keeper,
    jsapi_ticket: Keeper,
}

impl Access {
    pub(crate) fn new(
        kind: TokenKind,
        app_id: &AppId,
        store: &Arc<dyn TokenStore>,
        clock: &Arc<dyn Clock>,
    ) -> Self {
        let keeper = |what: &str, may_bypass| {
            Keeper::new(format!("{what}:{app_id}"), Arc::clone(store), Arc::clone(clock), may_bypass)
        };
        let token = match kind {
            TokenKind::Stable => keeper("stable_token", true),
            TokenKind::Basic => keeper("token", false),
        };
        Self {
            kind,
            token,
            card_ticket: keeper("ticket.wx_card", false),
            jsapi_ticket: keeper("ticket.jsapi", false),
        }
    }
}

#[derive(Serialize)]
struct StableRequest<'a> {
    grant_type: &'static str,
    appid: &'a AppId,
    secret: &'a str,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    force_refresh: bool,
}

/// Not printable, like all that holds a secret here.
#[derive(Deserialize)]
struct TokenAnswer {
    access_token: String,
    #[serde(deserialize_with = "crate::wire::deserialize")]
    expires_in: i64,
}

#[derive(Deserialize)]
struct TicketAnswer {
    ticket: String,
    #[serde(deserialize_with = "crate::wire::deserialize")]
    expires_in: i64,
}

/// How long something lives, if that can be believed.
fn life(seconds: i64, endpoint: &'static Endpoint, raw: bytes::Bytes) -> Result<Duration, Error> {
    match u64::try_from(seconds) {
        Ok(life) if (1..=LONGEST_LIFE).contains(&seconds) => Ok(Duration::from_secs(life)),
        _ => Err(Error::decode(format!("expires_in of {seconds} s cannot be right"), raw).during(endpoint)),
    }
}

impl Client {
    /// The access token, for calls that this library does not make. Fetched where there is none that is good; concurrent
    /// callers share one fetch.
    ///
    /// # Errors
    /// [`Error`] when it cannot be had; 40001 and 40125 here mean that the app secret is wrong.
    pub async fn access_token(&self) -> Result<AccessToken, Error> {
        token_of_held(self.token().await?.as_ref())
    }

    /// An access token other than `stale`, with which a call that this library does not make was answered 40001, 40014 or
    /// 42001. Fetched only where nobody has fetched another one meanwhile; repeat the call once with it, and no more.
    ///
    /// # Errors
    /// [`Error`] when it cannot be had.
    pub async fn access_token_other_than(&self, stale: &AccessToken) -> Result<AccessToken, Error> {
        let mut held = self.token().await?;
        if held.value.expose() == stale.expose() {
            held = self.token_other_than(&held).await?;
        }
        token_of_held(&held)
    }

    /// Replaces the stable token at once and makes the old one invalid: for a token that leaked. The platform allows it
    /// 20 times a day and every 30 s. Other clients with the same store take the new token up, once they are told that
    /// theirs is stale.
    ///
    /// # Errors
    /// [`Error`]: of kind `Config` when the client uses the basic token, of kind `NotReplaced` when the platform gave the
    /// old token again, which still works then.
    pub async fn replace_leaked_token(&self) -> Result<(), Error> {
        if self.0.access.kind != TokenKind::Stable {
            return Err(Error::config(
                "only the stable token can be replaced: fetch a new basic token instead",
            ));
        }
        // Without one to compare with, it could not be told whether the platform gave the old one again.
        self.token().await?;
        let client = self.clone();
        let fetch =
            move || -> BoxFuture<'static, _> { Box::pin(async move { client.fetch_stable(true).await }) };
        self.0.access.token.replace(fetch).await.map(drop)
    }

    pub(crate) async fn token(&self) -> Result<Arc<Held>, Error> {
        self.0.access.token.get(self.fetch_token()).await
    }

    /// A token other than one that the platform found stale; without a call where there is one already.
    pub(crate) async fn token_other_than(&self, stale: &Held) -> Result<Arc<Held>, Error> {
        self.0.access.token.other_than(stale, self.fetch_token()).await
    }

    fn fetch_token(&self) -> impl FnOnce() -> BoxFuture<'static, Result<Fetched, Error>> + Send + 'static {
        let client = self.clone();
        move || match client.0.access.kind {
            TokenKind::Stable => Box::pin(async move { client.fetch_stable(false).await }),
            TokenKind::Basic => Box::pin(async move { client.fetch_basic().await }),
        }
    }

    async fn fetch_basic(&self) -> Result<Fetched, Error> {
        let call = Call::to(&TOKEN)
            .query("grant_type", "client_credential")
            .query("appid", self.0.app_id.as_str())
            .query("secret", self.0.secret.expose());
        let answer = self.attempt(&call, None).await?;
        token_of(answer, &TOKEN, BASIC_MARGIN)
    }

    async fn fetch_stable(&self, force_refresh: bool) -> Result<Fetched, Error> {
        let body = StableRequest {
            grant_type: "client_credential",
            appid: &self.0.app_id,
            secret: self.0.secret.expose(),
            force_refresh,
        };
        let answer = self.attempt(&Call::to(&STABLE_TOKEN).json(&body)?, None).await?;
        token_of(answer, &STABLE_TOKEN, MARGIN)
    }

    /// The ticket of type `wx_card`, which signs cards on pages.
    ///
    /// # Errors
    /// [`Error`] when it cannot be had.
    pub async fn card_ticket(&self) -> Result<CardTicket, Error> {
        let held = self.0.access.card_ticket.get(self.fetch_ticket("wx_card")).await?;
        CardTicket::new(held.value.expose().clone()).map_err(|error| Error::config(error.to_string()))
    }

    /// The ticket of type `jsapi`, which signs the configuration of pages.
    ///
    /// # Errors
    /// [`Error`] when it cannot be had.
    pub async fn jsapi_ticket(&self) -> Result<JsapiTicket, Error> {
        let held = self.0.access.jsapi_ticket.get(self.fetch_ticket("jsapi")).await?;
        JsapiTicket::new(held.value.expose().clone()).map_err(|error| Error::config(error.to_string()))
    }

    /// Fetches a new `wx_card` ticket although the old one seems good: no answer ever says that a ticket is stale, it
    /// shows on phones alone. Its quota is small.
    ///
    /// # Errors
    /// [`Error`] when it cannot be had.
    pub async fn refresh_card_ticket(&self) -> Result<CardTicket, Error> {
        self.refresh(&self.0.access.card_ticket, "wx_card").await?;
        self.card_ticket().await
    }

    /// Fetches a new `jsapi` ticket although the old one seems good. Its quota is small.
    ///
    /// # Errors
    /// [`Error`] when it cannot be had.
    pub async fn refresh_jsapi_ticket(&self) -> Result<JsapiTicket, Error> {
        self.refresh(&self.0.access.jsapi_ticket, "jsapi").await?;
        self.jsapi_ticket().await
    }

    async fn refresh(&self, keeper: &Keeper, kind: &'static str) -> Result<(), Error> {
        let held = match keeper.current() {
            Some(held) => held,
            // What is in the store may be what is stale.
            None => keeper.get(self.fetch_ticket(kind)).await?,
        };
        keeper.other_than(&held, self.fetch_ticket(kind)).await.map(drop)
    }

    fn fetch_ticket(
        &self,
        kind: &'static str,
    ) -> impl FnOnce() -> BoxFuture<'static, Result<Fetched, Error>> + Send + 'static {
        let client = self.clone();
        move || -> BoxFuture<'static, _> {
            Box::pin(async move {
                let answer: Reply<TicketAnswer> = client.call(&Call::to(&TICKET).query("type", kind)).await?;
                let lives = life(answer.expires_in, &TICKET, answer.raw().clone())?;
                fetched(&answer.ticket, lives, MARGIN)
                    .ok_or_else(|| Error::decode("the ticket is empty", answer.raw().clone()).during(&TICKET))
            })
        }
    }
}

fn token_of_held(held: &Held) -> Result<AccessToken, Error> {
    AccessToken::new(held.value.expose().clone()).map_err(|error| Error::config(error.to_string()))
}

fn token_of(
    answer: Reply<TokenAnswer>,
    endpoint: &'static Endpoint,
    margin: Duration,
) -> Result<Fetched, Error> {
    let lives = life(answer.expires_in, endpoint, bytes::Bytes::new())?;
    fetched(&answer.access_token, lives, margin)
        .ok_or_else(|| Error::decode("the access token is empty", bytes::Bytes::new()).during(endpoint))
}

fn fetched(text: &str, lives: Duration, margin: Duration) -> Option<Fetched> {
    (!text.is_empty()).then(|| Fetched::new(Secret::new(text.to_owned()), lives, margin))
}
