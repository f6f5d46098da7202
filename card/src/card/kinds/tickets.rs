//! Tickets and boarding passes (spec §4.13–§4.16).

use favor_core::Timestamp;

use super::check_infos;
use crate::card::advanced_info::AdvancedInfo;
use crate::card::base_info::BaseInfo;
use crate::limits::{Checked, Limits, TEXT, URL};
use crate::macros::request;

request! {
    /// A ticket to an event.
    pub struct MeetingTicket {
        required {
            /// What every card has.
            base_info: BaseInfo,
            /// About the event; at most 3,072 bytes.
            meeting_detail: String,
        }
        optional {
            /// What it shows beside that.
            advanced_info: AdvancedInfo,
            /// A map of the place.
            map_url: String,
        }
    }
}

impl Checked for MeetingTicket {
    fn check(&self, limits: &mut Limits) {
        check_infos!(self, limits);
        limits.text("meeting_detail", &self.meeting_detail, TEXT);
        limits.optional("map_url", self.map_url.as_ref(), URL);
    }
}

request! {
    /// A ticket to an attraction.
    pub struct ScenicTicket {
        required {
            /// What every card has.
            base_info: BaseInfo,
        }
        optional {
            /// What it shows beside that.
            advanced_info: AdvancedInfo,
            /// Its class: a full day, a package. Newer texts need it.
            ticket_class: String,
            /// A guide to the place.
            guide_url: String,
        }
    }
}

impl Checked for ScenicTicket {
    fn check(&self, limits: &mut Limits) {
        check_infos!(self, limits);
        limits.optional("guide_url", self.guide_url.as_ref(), URL);
    }
}

request! {
    /// A cinema ticket.
    pub struct MovieTicket {
        required {
            /// What every card has.
            base_info: BaseInfo,
        }
        optional {
            /// What it shows beside that.
            advanced_info: AdvancedInfo,
            /// About the film; at most 3,072 bytes. Newer texts need it.
            detail: String,
        }
    }
}

impl Checked for MovieTicket {
    fn check(&self, limits: &mut Limits) {
        check_infos!(self, limits);
        limits.optional("detail", self.detail.as_ref(), TEXT);
    }
}

request! {
    /// A boarding pass.
    pub struct BoardingPass {
        required {
            /// What every card has.
            base_info: BaseInfo,
            /// From where; at most 54 bytes (18 Han characters).
            from: String,
            /// To where; at most 54 bytes.
            to: String,
            /// The flight number.
            flight: String,
        }
        optional {
            /// What it shows beside that.
            advanced_info: AdvancedInfo,
            /// When it leaves.
            departure_time: Timestamp,
            /// When it arrives.
            landing_time: Timestamp,
            /// Where to check in.
            check_in_url: String,
            /// The gate.
            gate: String,
            /// When boarding begins.
            boarding_time: Timestamp,
            /// The aircraft; at most 24 bytes (8 Han characters).
            air_model: String,
        }
    }
}

impl Checked for BoardingPass {
    fn check(&self, limits: &mut Limits) {
        check_infos!(self, limits);
        limits.text("from", &self.from, 54);
        limits.text("to", &self.to, 54);
        limits.text("flight", &self.flight, TEXT);
        limits.optional_moment("departure_time", self.departure_time.as_ref());
        limits.optional_moment("landing_time", self.landing_time.as_ref());
        limits.optional_moment("boarding_time", self.boarding_time.as_ref());
        limits.optional("check_in_url", self.check_in_url.as_ref(), URL);
        limits.optional("air_model", self.air_model.as_ref(), 24);
    }
}
