#![doc = include_str!("../README.md")]

mod address;
mod decode;
mod dispatcher;
mod envelope;
mod event;
#[cfg(feature = "axum")]
mod extract;
mod inbox;
mod intake;
mod notification;
mod notify_url;
mod receiver;
mod recipient;
mod rejection;
mod reply;
#[cfg(feature = "http-body")]
mod request;
#[cfg(feature = "tower")]
mod service;

pub use address::{Callback, CallbackAddress, UpdatedCallback};
pub use dispatcher::{Dispatched, Dispatcher, NotHandled};
pub use event::{CouponEvent, DiscountTo, EventType, Payload, SingleItemDiscountOff};
#[cfg(feature = "axum")]
pub use extract::Verified;
#[cfg(feature = "postgres")]
pub use favor_store::postgres::Address as PostgresAddress;
#[cfg(feature = "postgres")]
pub use inbox::PostgresInbox;
#[cfg(feature = "sqlite")]
pub use inbox::SqliteInbox;
pub use inbox::{
    Claimed, Counts, Delivery, Entry, Inbox, InboxError, InboxId, Receipt, Record, Settled, SignedRequest,
    State, Stored,
};
pub use intake::{Arrival, Intake};
pub use notification::{Notification, NotificationId};
pub use notify_url::NotifyUrl;
pub use receiver::{Receiver, ReceiverBuilder};
pub use recipient::Recipient;
pub use rejection::{Malformation, Rejection};
pub use reply::Reply;
#[cfg(feature = "tower")]
pub use service::{Handler, NotificationService, ReceiverLayer};
