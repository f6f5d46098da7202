//! The way of a pushed message: signature, window, decryption, XML, memory.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use favor_core::{__private::nonce, AppId, Clock, Secret, SystemClock};

use super::answer::Answer;
use super::crypto::{CryptError, EncodingAesKey};
use super::memory::{Claim, Memory};
use super::message::Message;
use super::query::Query;
use super::rejection::Rejection;
use super::xml::Fields;
use crate::secret::SecretError;
use crate::sign::{same, sign_values};
use crate::wire;

/// The Token of an account's server settings: 3 to 32 letters and digits. Debug does not show it.
#[derive(Clone, Debug)]
pub struct Token(Secret<String>);

impl Token {
    /// Takes the Token; blanks around it are cut off.
    ///
    /// # Errors
    /// [`SecretError`] unless it is 3 to 32 letters and digits.
    pub fn new(text: impl Into<String>) -> Result<Self, SecretError> {
        let text = Secret::new(text.into());
        let bare = text.expose().trim();
        if !(3..=32).contains(&bare.len()) || !bare.bytes().all(|b| b.is_ascii_alphanumeric()) {
            return Err(SecretError("the Token must be 3 to 32 letters and digits"));
        }
        Ok(Self(Secret::new(bare.to_owned())))
    }
}

/// Receives what the platform pushes for one account. Cheap to clone; clones share what they remember.
///
/// ```
/// use favor_card::AppId;
/// use favor_card::event::{EncodingAesKey, Event, Receiver, Token};
///
/// # fn example(query: &str, body: &[u8]) -> Result<(), Box<dyn std::error::Error>> {
/// let key = EncodingAesKey::new(&std::fs::read_to_string("/etc/shop/encoding-aes-key")?)?;
/// let token = Token::new(std::fs::read_to_string("/etc/shop/push-token")?)?;
/// let receiver = Receiver::new(token, AppId::new("wx1234567890abcdef")?).key(key);
///
/// let answer = match receiver.receive(query, body) {
///     Ok(received) => {
///         if let Event::CardClaimed(claimed) = &received.event {
///             println!("{} of {}", claimed.card_id, received.create_time);
///         }
///         // Store it here, then:
///         received.done()
///     }
///     Err(rejection) => rejection.answer(),
/// };
/// # let _ = answer;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Receiver {
    token: Token,
    app_id: AppId,
    keys: Vec<EncodingAesKey>,
    takes_plain: bool,
    window: Option<Duration>,
    largest_body: usize,
    clock: Arc<dyn Clock>,
    memory: Memory,
}

impl Receiver {
    /// A receiver of plain messages; with [`key`](Self::key) of encrypted ones instead.
    pub fn new(token: Token, app_id: AppId) -> Self {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
        let memory = Memory::new(Arc::clone(&clock));
        Self {
            token,
            app_id,
            keys: Vec::new(),
            takes_plain: false,
            window: Some(Duration::from_secs(600)),
            largest_body: 1 << 20,
            clock,
            memory,
        }
    }

    /// Opens encrypted messages with this key. Several keys may be set while one replaces another; the first seals.
    #[must_use]
    pub fn key(mut self, key: EncodingAesKey) -> Self {
        self.keys.push(key);
        self
    }

    /// Takes plain messages although there is a key. The signature of a plain message does not cover its body: whoever
    /// sees one request can forge others.
    #[must_use]
    pub fn take_plain(mut self) -> Self {
        self.takes_plain = true;
        self
    }

    /// How far the time of signing may be from now; 10 minutes unless set. What is done is remembered for twice as long,
    /// an hour at least. With `None` any time will do, and a copy that comes after an hour is taken for new: put
    /// [`Message::key`] under a unique index then.
    #[must_use]
    pub fn window(mut self, window: Option<Duration>) -> Self {
        self.window = window;
        self
    }

    /// The largest body; 1 MiB unless set.
    #[must_use]
    pub fn largest_body(mut self, bytes: usize) -> Self {
        self.largest_body = bytes;
        self
    }

    /// Takes the time from this clock. Forgets what came before.
    #[must_use]
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.memory = Memory::new(Arc::clone(&clock));
        self.clock = clock;
        self
    }

    /// The limit of a body.
    pub fn limit(&self) -> usize {
        self.largest_body
    }

    /// Answers the request by which the platform checks a new address (a GET with `echostr`).
    ///
    /// # Errors
    /// [`Rejection`] when a parameter is missing or the signature does not hold.
    pub fn verify_url(&self, query: &str) -> Result<Answer, Rejection> {
        let query = Query::read(query);
        self.check_signature(&query, query.required("signature")?)?;
        Ok(Answer::echo(query.required("echostr")?.to_owned()))
    }

    /// Receives a message from the query and the body of a POST, and takes it up: until it is
    /// [done](Received::done) or dropped, a repeat is told to come later; once done, a repeat is a
    /// [`Rejection::Repeated`].
    ///
    /// # Errors
    /// [`Rejection`], which knows its answer.
    pub fn receive(&self, query: &str, body: &[u8]) -> Result<Received, Rejection> {
        let message = self.read(query, body)?;
        let claim = self.memory.begin(message.key(), self.window)?;
        Ok(Received { message, claim })
    }

    /// Reads a message and remembers nothing, for applications that tell repeats apart by [`Message::key`].
    ///
    /// # Errors
    /// [`Rejection`], which knows its answer.
    pub fn read(&self, query: &str, body: &[u8]) -> Result<Message, Rejection> {
        if body.len() > self.largest_body {
            return Err(Rejection::TooLarge { limit: self.largest_body });
        }
        let query = Query::read(query);
        let sealing = query.optional("msg_signature")?;
        // What is encrypted has a signature of its own over all of it; the other one may be missing then.
        match query.optional("signature")? {
            Some(signature) => self.check_signature(&query, signature)?,
            None if sealing.is_some() => {}
            None => return Err(Rejection::Query { name: "signature" }),
        }
        let fields = Fields::read(body).map_err(Rejection::Xml)?;
        let encrypted = fields.get("Encrypt");
        let is_aes = query.optional("encrypt_type")?.is_some_and(|kind| kind.eq_ignore_ascii_case("aes"));
        match encrypted {
            // Compatible mode sends both forms; without a key the plain one is all there is.
            Some(_) if self.keys.is_empty() && fields.get("MsgType").is_some() => {
                query.required("signature")?;
                Message::read(fields, false)
            }
            Some(encrypted) => self.open(&query, encrypted),
            None if is_aes => Err(Rejection::Incomplete { field: "Encrypt" }),
            None if self.keys.is_empty() || self.takes_plain => {
                query.required("signature")?;
                Message::read(fields, false)
            }
            None => Err(Rejection::NotEncrypted),
        }
    }

    fn open(&self, query: &Query, encrypted: &str) -> Result<Message, Rejection> {
        let (timestamp, nonce) = (query.required("timestamp")?, query.required("nonce")?);
        let expected = sign_values(&[self.token.0.expose(), timestamp, nonce, encrypted]);
        if !same(&expected, query.required("msg_signature")?) {
            return Err(Rejection::Signature);
        }
        self.check_window(timestamp)?;
        let mut failure = Rejection::NoKey;
        for key in &self.keys {
            let (xml, app_id) = match key.open(encrypted) {
                Ok(opened) => opened,
                Err(error) => {
                    failure = Rejection::Sealed(error);
                    continue;
                }
            };
            if app_id != self.app_id.as_str() {
                failure = Rejection::AnotherAccount { expected: self.app_id.as_str().to_owned() };
                continue;
            }
            let fields = Fields::read(xml.as_bytes()).map_err(Rejection::Xml)?;
            return Message::read(fields, true);
        }
        Err(failure)
    }

    fn check_signature(&self, query: &Query, signature: &str) -> Result<(), Rejection> {
        let (timestamp, nonce) = (query.required("timestamp")?, query.required("nonce")?);
        if !same(&sign_values(&[self.token.0.expose(), timestamp, nonce]), signature) {
            return Err(Rejection::Signature);
        }
        self.check_window(timestamp)
    }

    fn check_window(&self, timestamp: &str) -> Result<(), Rejection> {
        let Some(window) = self.window else { return Ok(()) };
        let signed = wire::integer(timestamp).ok_or(Rejection::Query { name: "timestamp" })?;
        let seconds = self.clock.now().timestamp().abs_diff(signed);
        if seconds > window.as_secs() { Err(Rejection::OutsideWindow { seconds }) } else { Ok(()) }
    }

    /// Seals a message to a user with the first key, with the time of now and a random nonce.
    ///
    /// # Errors
    /// [`SealError`] when there is no key or no randomness.
    pub fn seal(&self, xml: &str) -> Result<String, SealError> {
        let mut random = [0; 16];
        getrandom::fill(&mut random).map_err(|_| SealError::Randomness)?;
        let nonce = nonce().map_err(|_| SealError::Randomness)?;
        self.seal_with(xml, random, self.clock.now().timestamp(), &nonce)
    }

    /// [`seal`](Self::seal) with randomness, time and nonce that are given.
    ///
    /// # Errors
    /// [`SealError`] when there is no key.
    pub fn seal_with(
        &self,
        xml: &str,
        random: [u8; 16],
        timestamp: i64,
        nonce: &str,
    ) -> Result<String, SealError> {
        let key = self.keys.first().ok_or(SealError::NoKey)?;
        let encrypted = key.seal(random, xml, self.app_id.as_str()).map_err(SealError::Crypt)?;
        let signature = sign_values(&[self.token.0.expose(), &timestamp.to_string(), nonce, &encrypted]);
        Ok(format!(
            "<xml><Encrypt><![CDATA[{encrypted}]]></Encrypt><MsgSignature><![CDATA[{signature}]]></MsgSignature>\
             <TimeStamp>{timestamp}</TimeStamp><Nonce><![CDATA[{nonce}]]></Nonce></xml>"
        ))
    }
}

impl fmt::Debug for Receiver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Receiver")
            .field("app_id", &self.app_id)
            .field("keys", &self.keys.len())
            .finish_non_exhaustive()
    }
}

/// Why a message could not be sealed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SealError {
    /// The receiver has no key.
    #[error("a message can be sealed only with an EncodingAESKey: set one, or answer in plain")]
    NoKey,
    /// The system has no random bytes.
    #[error("the system has no random bytes")]
    Randomness,
    /// The message is too long.
    #[error("the message cannot be sealed")]
    Crypt(#[source] CryptError),
}

/// A message that was taken up. Reads like the [`Message`].
#[derive(Debug)]
#[must_use = "dropped before it is done, the message may come again"]
pub struct Received {
    message: Message,
    claim: Claim,
}

impl Received {
    /// The message is stored or dealt with: repeats are then told so. Gives the answer `success`.
    pub fn done(self) -> Answer {
        self.claim.done();
        Answer::success()
    }

    /// The message alone, with nothing remembered.
    pub fn into_message(self) -> Message {
        self.message
    }
}

impl Deref for Received {
    type Target = Message;
    fn deref(&self) -> &Message {
        &self.message
    }
}
