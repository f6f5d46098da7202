//! From the request to the inbox: receive, store, and only then accept.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::HeaderMap;

use crate::inbox::{Inbox, InboxError, InboxId, Record, SignedRequest, Stored};
use crate::notification::{Notification, NotificationId};
use crate::receiver::Receiver;
use crate::rejection::{Rejection, log};
use crate::reply::Reply;

/// The platform gives up after 5 s. A store that is slower than this is answered for, and the repeat is a duplicate.
const PATIENCE: Duration = Duration::from_secs(4);

/// A [`Receiver`] in front of an [`Inbox`]: verifies, stores, and answers after the commit. Cheap to clone.
///
/// A repeat is accepted and not stored again. When the inbox is not available the platform is asked to send it later.
#[derive(Clone)]
pub struct Intake {
    receiver: Receiver,
    inbox: Arc<dyn Inbox>,
    observer: Option<Arc<Observer>>,
}

type Observer = dyn Fn(Arrival<'_>) + Send + Sync;

/// What became of a request, for an observer.
#[derive(Debug)]
#[non_exhaustive]
pub enum Arrival<'a> {
    /// It was stored and accepted.
    New(&'a Notification, InboxId),
    /// It was there before, and accepted.
    Duplicate(&'a Notification, Stored),
    /// It is good, and could not be stored: 503. Without an error the inbox took too long.
    NotStored(&'a Notification, Option<&'a InboxError>),
    /// It was refused, with the answer that the rejection knows.
    Rejected(&'a Rejection),
}

impl Intake {
    /// Stores what `receiver` verifies in `inbox`.
    pub fn new(receiver: Receiver, inbox: Arc<dyn Inbox>) -> Self {
        Self { receiver, inbox, observer: None }
    }

    /// Tells `observer` of every request, before it is answered. It must be quick: the platform waits.
    pub fn observe(mut self, observer: impl Fn(Arrival<'_>) + Send + Sync + 'static) -> Self {
        self.observer = Some(Arc::new(observer));
        self
    }

    /// Where the notifications go.
    pub fn inbox(&self) -> &Arc<dyn Inbox> {
        &self.inbox
    }

    /// Takes a request apart and stores what it brings: its headers, and its body as received.
    ///
    /// It always answers. Dropping it half way does no harm: the platform gets no answer and sends it again.
    pub async fn take(&self, headers: &HeaderMap, body: impl Into<Bytes>) -> Reply {
        let body = body.into();
        let notification = match self.receiver.receive(headers, &body).await {
            Ok(notification) => notification,
            Err(rejection) => return self.reject(&rejection),
        };
        let id = notification.id.clone();
        let seen = self.observer.is_some().then(|| Box::new(notification.clone()));
        // Begun here, so that nothing but this is kept while it waits for the commit.
        let storing = self.inbox.store(Record::new(notification, SignedRequest::new(headers, body)));
        let stored = self.receiver.within(PATIENCE, storing).await;
        self.answer(&id, seen.as_deref(), &stored)
    }

    /// Reads a request's body, no further than the receiver's cap allows, and takes it. 405 for anything but POST.
    #[cfg(feature = "http-body")]
    pub async fn take_request<B>(&self, request: http::Request<B>) -> Reply
    where
        B: http_body::Body,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let (head, body) = request.into_parts();
        self.take_body(&head.method, &head.headers, body).await
    }

    #[cfg(feature = "http-body")]
    pub(crate) async fn take_body<B>(&self, method: &http::Method, headers: &HeaderMap, body: B) -> Reply
    where
        B: http_body::Body,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        match self.receiver.read_body(method, body).await {
            Ok(body) => self.take(headers, body).await,
            Err(rejection) => self.reject(&rejection),
        }
    }

    fn answer(
        &self,
        id: &NotificationId,
        seen: Option<&Notification>,
        stored: &Option<Result<Stored, InboxError>>,
    ) -> Reply {
        if let (Some(observer), Some(notification)) = (&self.observer, seen) {
            observer(match stored {
                Some(Ok(Stored::New(id))) => Arrival::New(notification, *id),
                Some(Ok(known)) => Arrival::Duplicate(notification, *known),
                Some(Err(error)) => Arrival::NotStored(notification, Some(error)),
                None => Arrival::NotStored(notification, None),
            });
        }
        match stored {
            Some(Ok(stored)) => {
                tracing::debug!(%id, duplicate = stored.is_duplicate(), "a notification was stored");
                Reply::accepted()
            }
            Some(Err(error)) => {
                let cause = std::error::Error::source(error).map(ToString::to_string);
                tracing::error!(%id, %error, cause, "a notification could not be stored and will come again");
                Reply::try_later()
            }
            None => {
                tracing::error!(%id, "the inbox is too slow; the notification will come again");
                Reply::try_later()
            }
        }
    }

    fn reject(&self, rejection: &Rejection) -> Reply {
        log(rejection);
        if let Some(observer) = &self.observer {
            observer(Arrival::Rejected(rejection));
        }
        rejection.reply()
    }
}

impl fmt::Debug for Intake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Intake")
            .field("receiver", &self.receiver)
            .field("inbox", &self.inbox)
            .finish_non_exhaustive()
    }
}
