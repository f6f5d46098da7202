//! The own fields of member cards and general cards (spec §4.11).

use crate::limits::{Checked, Limits, URL};
use crate::macros::{open, request};

open! {
    /// A field of a member card whose changes can be told in a message.
    pub enum FieldNameType {
        /// The level.
        Level => "FIELD_NAME_TYPE_LEVEL",
        /// Coupons.
        Coupon => "FIELD_NAME_TYPE_COUPON",
        /// Stamps.
        Stamp => "FIELD_NAME_TYPE_STAMP",
        /// The discount.
        Discount => "FIELD_NAME_TYPE_DISCOUNT",
        /// The achievement, in the platform's spelling.
        Achievement => "FIELD_NAME_TYPE_ACHIEVEMEN" | "FIELD_NAME_TYPE_ACHIEVEMENT",
        /// Mileage.
        Mileage => "FIELD_NAME_TYPE_MILEAGE",
        /// Points of a set.
        SetPoints => "FIELD_NAME_TYPE_SET_POINTS",
        /// Times, in the platform's spelling.
        Times => "FIELD_NAME_TYPE_TIMS" | "FIELD_NAME_TYPE_TIMES",
    }
}

request! {
    /// An own field of a member card: either of a type, or with a name.
    pub struct CustomField {
        optional {
            /// One of the platform's types.
            name_type: FieldNameType,
            /// An own name; at most 24 bytes.
            name: String,
            /// Where it leads.
            url: String,
            /// The mini program it leads to.
            app_brand_user_name: String,
            /// The mini program's path.
            app_brand_pass: String,
        }
    }
}

impl Checked for CustomField {
    fn check(&self, limits: &mut Limits) {
        let one = self.name_type.is_some() != self.name.is_some();
        limits.require(one, "name", "is needed, or name_type, and not both");
        limits.optional("name", self.name.as_ref(), 24);
        limits.optional("url", self.url.as_ref(), URL);
        limits.optional("app_brand_user_name", self.app_brand_user_name.as_ref(), 128);
        limits.optional("app_brand_pass", self.app_brand_pass.as_ref(), 128);
    }
}

/// Of points, balance and own fields there are at most three.
pub(super) fn check_fields(limits: &mut Limits, supplies: [bool; 2], fields: [Option<&CustomField>; 3]) {
    let count = supplies.into_iter().filter(|supply| *supply).count() + fields.iter().flatten().count();
    let rule = "with points and balance there may be at most three fields";
    limits.require(count <= 3, "custom_field1", rule);
    for (field, name) in fields.into_iter().zip(["custom_field1", "custom_field2", "custom_field3"]) {
        if let Some(field) = field {
            limits.within(name, field);
        }
    }
}
