//! Tickets in users' hands (E37–E40, spec §3.32–§3.35).

use favor_core::{Fen, Timestamp};
use serde::Serialize;

use crate::client::Client;
use crate::endpoint;
use crate::error::Error;
use crate::id::{CardId, Code, Personal};
use crate::limits::{Checked, Limits, TEXT};
use crate::macros::request;
use crate::reply::{Done, Reply};

/// The calls on tickets to events and cinemas, on boarding passes and red packets. Cheap to clone.
#[derive(Clone, Debug)]
pub struct SpecialTickets {
    client: Client,
}

request! {
    /// Sets the seat of a ticket to an event (E37).
    pub struct UpdateMeetingTicket {
        required {
            /// The code, at most 20 bytes.
            code: Code,
            /// The area.
            zone: String,
            /// The gate.
            entrance: String,
            /// The seat.
            seat_number: String,
        }
        optional {
            /// The card. Needed for custom and deposited codes.
            card_id: CardId,
            /// When it begins; the user is reminded two hours before.
            begin_time: Timestamp,
            /// When it ends.
            end_time: Timestamp,
        }
    }
}

impl Checked for UpdateMeetingTicket {
    fn check(&self, limits: &mut Limits) {
        limits.code(&self.code);
        limits.text("zone", &self.zone, TEXT);
        limits.text("entrance", &self.entrance, TEXT);
        limits.text("seat_number", &self.seat_number, TEXT);
        limits.optional_moment("begin_time", self.begin_time.as_ref());
        limits.optional_moment("end_time", self.end_time.as_ref());
    }
}

request! {
    /// Sets the show and seats of a cinema ticket (E38).
    pub struct UpdateMovieTicket {
        required {
            /// The code, at most 20 bytes.
            code: Code,
            /// Its class: 2D, 3D.
            ticket_class: String,
            /// When the film begins.
            show_time: Timestamp,
            /// How many minutes it takes.
            duration: i64,
            /// The seats.
            seat_number: Vec<String>,
        }
        optional {
            /// The card. Needed for custom and deposited codes.
            card_id: CardId,
            /// The hall. Needed by older texts.
            screening_room: String,
        }
    }
}

impl Checked for UpdateMovieTicket {
    fn check(&self, limits: &mut Limits) {
        limits.code(&self.code);
        limits.text("ticket_class", &self.ticket_class, TEXT);
        limits.moment("show_time", &self.show_time);
        limits.range("duration", self.duration, 1, 100_000);
        limits.list("seat_number", &self.seat_number, 1, 1_000);
    }
}

request! {
    /// Checks a passenger in, or takes that back (E39). Make it with [`passenger`](Self::passenger) or
    /// [`cancel`](Self::cancel).
    pub struct CheckIn {
        required {
            /// The code, at most 20 bytes.
            code: Code,
        }
        optional {
            /// The card. Needed for custom and deposited codes.
            card_id: CardId,
            /// The passenger; at most 45 bytes (15 Han characters).
            passenger_name: Personal,
            /// The cabin; at most 15 bytes (5 Han characters).
            class: String,
            /// The number of the e-ticket: at most 14 digits.
            #[serde(rename = "etkt_bnr")]
            ticket_number: Personal,
            /// The seat.
            seat: String,
            /// The gate.
            gate: String,
            /// When boarding begins: Unix seconds as text.
            boarding_time: String,
            /// What the boarding QR code says.
            qrcode_data: Personal,
            /// Whether to take the check-in back.
            is_cancel: bool,
        }
    }
}

impl CheckIn {
    /// Checks a passenger in, with cabin and number of the e-ticket.
    pub fn passenger(
        code: Code,
        name: impl Into<Personal>,
        class: impl Into<String>,
        ticket_number: impl Into<Personal>,
    ) -> Self {
        Self::new(code).passenger_name(name).class(class).ticket_number(ticket_number).is_cancel(false)
    }

    /// Takes a check-in back.
    pub fn cancel(code: Code) -> Self {
        Self::new(code).is_cancel(true)
    }
}

impl Checked for CheckIn {
    fn check(&self, limits: &mut Limits) {
        limits.code(&self.code);
        if self.is_cancel == Some(true) {
            return;
        }
        let name = self.passenger_name.as_ref().map_or("", Personal::as_str);
        limits.text("passenger_name", name, 45);
        limits.text("class", self.class.as_deref().unwrap_or_default(), 15);
        let number = self.ticket_number.as_ref().map_or("", Personal::as_str);
        limits.text("etkt_bnr", number, 14);
        limits.require(number.bytes().all(|b| b.is_ascii_digit()), "etkt_bnr", "must be digits");
    }
}

#[derive(Serialize)]
struct RedPacket<'a> {
    code: &'a Code,
    #[serde(skip_serializing_if = "Option::is_none")]
    card_id: Option<&'a CardId>,
    balance: Fen,
}

impl Checked for RedPacket<'_> {
    fn check(&self, limits: &mut Limits) {
        limits.code(self.code);
    }
}

impl SpecialTickets {
    /// The tickets of an account.
    pub fn new(client: &Client) -> Self {
        Self { client: client.clone() }
    }

    /// Sets the seat of a ticket to an event (E37).
    ///
    /// # Errors
    /// [`Error`].
    pub async fn update_meeting_ticket(&self, request: &UpdateMeetingTicket) -> Result<Reply<Done>, Error> {
        self.client.post(&endpoint::MEETING_UPDATE, request).await
    }

    /// Sets the show and seats of a cinema ticket (E38).
    ///
    /// # Errors
    /// [`Error`].
    pub async fn update_movie_ticket(&self, request: &UpdateMovieTicket) -> Result<Reply<Done>, Error> {
        self.client.post(&endpoint::MOVIE_UPDATE, request).await
    }

    /// Checks a passenger in, or takes that back (E39).
    ///
    /// # Errors
    /// [`Error`].
    pub async fn check_in(&self, request: &CheckIn) -> Result<Reply<Done>, Error> {
        self.client.post(&endpoint::BOARDING_CHECK_IN, request).await
    }

    /// Sets the amount of a red packet (E40). Legacy. The card is needed for custom codes.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn update_red_packet(
        &self,
        code: &Code,
        card_id: Option<&CardId>,
        balance: Fen,
    ) -> Result<Reply<Done>, Error> {
        self.client.post(&endpoint::RED_PACKET_UPDATE, &RedPacket { code, card_id, balance }).await
    }
}
