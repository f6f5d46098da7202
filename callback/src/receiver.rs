//! The whole incoming path: raw bytes and headers in, a notification out.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use favor_core::{
    AeadError, ApiV3Key, Client, Clock, Error, KeySet, KeyStore, Lookup, PublicKey, Refresh, Sealed, Serial,
    SignatureHeaders, SystemClock, VerifyError,
};
use futures_util::future::{Either, join_all, select};
use http::HeaderMap;
use tokio::runtime::Handle;

use crate::envelope::Envelope;
use crate::notification::Notification;
use crate::recipient::Recipient;
use crate::rejection::Rejection;

/// A ciphertext may have 1 MB in Base64; the rest of the message is small.
const LARGEST_BODY: usize = 3 << 19;
/// The platform waits 5 s for an answer, and the application needs some of them.
const REFRESH_PATIENCE: Duration = Duration::from_secs(3);

/// Verifies, opens and decodes notifications, for one merchant or several on one address. Cheap to clone.
///
/// It keeps no record of what it received: the same notification twice is two notifications.
#[derive(Clone)]
pub struct Receiver {
    shared: Arc<Shared>,
}

struct Shared {
    recipients: Vec<Recipient>,
    clock: Arc<dyn Clock>,
    largest_body: usize,
    refresh_patience: Duration,
}

/// Puts a [`Receiver`] together.
#[derive(Debug)]
#[must_use]
pub struct ReceiverBuilder {
    recipients: Vec<Recipient>,
    clock: Arc<dyn Clock>,
    largest_body: usize,
    refresh_patience: Duration,
}

impl Receiver {
    /// Begins a receiver for `recipient`.
    pub fn builder(recipient: Recipient) -> ReceiverBuilder {
        ReceiverBuilder {
            recipients: vec![recipient],
            clock: Arc::new(SystemClock::new()),
            largest_body: LARGEST_BODY,
            refresh_patience: REFRESH_PATIENCE,
        }
    }

    /// A receiver for the merchant of `client`, with its platform keys and its clock.
    pub fn for_client(client: &Client, api_v3_key: ApiV3Key) -> Self {
        Self::builder(Recipient::of_client(client, api_v3_key)).clock(client.clock()).build()
    }

    /// Takes a request apart: its headers, and its body as received, before any middleware decoded it.
    ///
    /// Nothing of the body is looked at before its signature holds. An unknown platform key makes it ask for newer
    /// ones and wait for them; the key store limits how often that reaches the platform. Needs a tokio runtime
    /// with time enabled.
    ///
    /// # Errors
    /// [`Rejection`], which knows its answer. Nothing of the request may then be used.
    pub async fn receive(&self, headers: &HeaderMap, body: &[u8]) -> Result<Notification, Rejection> {
        let limit = self.shared.largest_body;
        if body.len() > limit {
            return Err(Rejection::TooLarge { limit });
        }
        let signature = SignatureHeaders::read(headers)?;
        let senders = self.authenticate(&signature, body).await?;
        let mut envelope = Envelope::read(body)?;
        let sealed = envelope.take_sealed();
        let (place, plaintext) = open(&senders, &sealed).map_err(Rejection::Sealed)?;
        let mut notification = Notification::read(envelope, plaintext, signature.serial().clone())?;
        let recipient = owner(&senders[place..], &sealed, &notification)?;
        notification.merchant_id = recipient.merchant_id.clone();
        Ok(notification)
    }

    /// The largest body taken, in bytes.
    #[cfg(feature = "http-body")]
    pub(crate) fn largest_body(&self) -> usize {
        self.shared.largest_body
    }

    pub(crate) async fn within<T>(&self, limit: Duration, work: impl Future<Output = T>) -> Option<T> {
        within(&*self.shared.clock, limit, work).await
    }

    /// The merchants whose platform keys the signature holds by; never none.
    async fn authenticate(
        &self,
        signature: &SignatureHeaders<'_>,
        body: &[u8],
    ) -> Result<Vec<&Recipient>, Rejection> {
        let serial = match self.who_signed(signature, body) {
            Err(VerifyError::UnknownKey(serial)) => serial,
            result => return Ok(result?),
        };
        // Boxed, since it is rare and larger than all the rest.
        let refreshed = Box::pin(self.refresh(serial)).await;
        match (self.who_signed(signature, body), refreshed) {
            (Err(VerifyError::UnknownKey(_)), Err(cause)) => Err(Rejection::KeysUnavailable(cause)),
            (result, _) => Ok(result?),
        }
    }

    fn who_signed(
        &self,
        signature: &SignatureHeaders<'_>,
        body: &[u8],
    ) -> Result<Vec<&Recipient>, VerifyError> {
        let now = self.shared.clock.now();
        let held: Vec<Arc<KeySet>> = self.shared.recipients.iter().map(|one| one.keys.keys()).collect();
        let mut tried: Vec<(&PublicKey, bool)> = Vec::new();
        let mut senders = Vec::new();
        let mut failure = VerifyError::UnknownKey(signature.serial().clone());
        for (recipient, keys) in self.shared.recipients.iter().zip(&held) {
            let key = match keys.find(signature.serial(), now) {
                Lookup::Found(key) => Some(key),
                _ => None,
            };
            // Merchants can share a key, and one verification by it is enough.
            if let Some((_, holds)) = tried.iter().find(|(other, _)| Some(*other) == key) {
                senders.extend(holds.then_some(recipient));
                continue;
            }
            let result = signature.verify(body, keys, now);
            tried.extend(key.map(|key| (key, result.is_ok())));
            match result {
                Ok(()) => senders.push(recipient),
                Err(error) if weight(&error) > weight(&failure) => failure = error,
                Err(_) => {}
            }
        }
        if senders.is_empty() { Err(failure) } else { Ok(senders) }
    }

    /// Asks every store for newer keys, since the serial does not say whose it is.
    ///
    /// The stores go on when the patience ends or the request is given up: else whoever sends forged serials and
    /// hangs up could keep newer keys away.
    async fn refresh(&self, serial: Serial) -> Result<(), Option<Error>> {
        let mut stores: Vec<&Arc<dyn KeyStore>> = Vec::new();
        for recipient in &self.shared.recipients {
            if !stores.iter().any(|store| Arc::ptr_eq(store, &recipient.keys)) {
                stores.push(&recipient.keys);
            }
        }
        let runtime = Handle::try_current().map_err(|_| None)?;
        let refreshes = stores.into_iter().map(|store| {
            let (store, reason) = (store.clone(), Refresh::UnknownSerial(serial.clone()));
            runtime.spawn(async move { store.refresh(reason).await })
        });
        let all = within(&*self.shared.clock, self.shared.refresh_patience, join_all(refreshes)).await;
        for refreshed in all.ok_or(None)? {
            refreshed.map_err(|_| None)?.map_err(Some)?;
        }
        Ok(())
    }
}

impl ReceiverBuilder {
    /// Adds another merchant whose notifications come to the same address.
    ///
    /// Who a notification is for is found by trying keys: the platform key that verifies it narrows the choice, and the
    /// APIv3 key that opens it decides.
    pub fn recipient(mut self, recipient: Recipient) -> Self {
        self.recipients.push(recipient);
        self
    }

    /// Takes the time from this clock.
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// The largest body taken, in bytes; 1.5 MiB unless set.
    pub fn largest_body(mut self, bytes: usize) -> Self {
        self.largest_body = bytes;
        self
    }

    /// How long a request waits for newer platform keys; 3 s unless set, since the platform waits 5 s in all.
    pub fn refresh_patience(mut self, patience: Duration) -> Self {
        self.refresh_patience = patience;
        self
    }

    /// The receiver.
    pub fn build(self) -> Receiver {
        let Self { recipients, clock, largest_body, refresh_patience } = self;
        // A store that downloads begins now, so that the first notification need not wait.
        for recipient in &recipients {
            drop(recipient.keys.keys());
        }
        Receiver { shared: Arc::new(Shared { recipients, clock, largest_body, refresh_patience }) }
    }
}

impl fmt::Debug for Receiver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Receiver")
            .field("recipients", &self.shared.recipients)
            .field("largest_body", &self.shared.largest_body)
            .finish_non_exhaustive()
    }
}

/// How much a failure says, when the merchants' keys fail in different ways.
fn weight(error: &VerifyError) -> u8 {
    match error {
        VerifyError::UnknownKey(_) => 0,
        VerifyError::KeyNotYetValid(_) => 1,
        VerifyError::ExpiredKey(_) => 2,
        _ => 3,
    }
}

/// Opens it with the first key that can, and says whose that is.
fn open(senders: &[&Recipient], sealed: &Sealed) -> Result<(usize, Vec<u8>), AeadError> {
    let mut failure = AeadError::Tag;
    for (place, sender) in senders.iter().enumerate() {
        match sender.api_v3_key.open(sealed) {
            Ok(plaintext) => return Ok((place, plaintext)),
            Err(error) => failure = error,
        }
    }
    Err(failure)
}

/// The merchant whose coupon it is, among those whose keys fit. `openers` begins with one that does.
fn owner<'a>(
    openers: &[&'a Recipient],
    sealed: &Sealed,
    notification: &Notification,
) -> Result<&'a Recipient, Rejection> {
    let creator = notification.payload.coupon().map(|coupon| &coupon.stock_creator_mchid);
    let mut first = None;
    for (place, opener) in openers.iter().copied().enumerate() {
        if opener.owns(creator) && (place == 0 || opener.api_v3_key.open(sealed).is_ok()) {
            return Ok(opener);
        }
        first = first.or(opener.merchant_id.as_ref());
    }
    match (first, creator) {
        (Some(merchant), Some(creator)) => {
            Err(Rejection::AnotherMerchant { merchant: merchant.clone(), creator: creator.clone() })
        }
        _ => Err(Rejection::Sealed(AeadError::Tag)),
    }
}

/// The work's result, unless it takes longer than `limit`.
async fn within<T>(clock: &dyn Clock, limit: Duration, work: impl Future<Output = T>) -> Option<T> {
    match select(std::pin::pin!(work), clock.sleep(limit)).await {
        Either::Left((result, _)) => Some(result),
        Either::Right(_) => None,
    }
}
