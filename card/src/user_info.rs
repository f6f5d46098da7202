//! What members wrote into the form of their card.

use crate::id::Personal;
use crate::macros::answer;

answer! {
    /// A form as a member filled it.
    pub struct UserInfo {
        given {
            /// Fields of the platform's own.
            common_field_list: Vec<FilledField>,
            /// The merchant's fields.
            custom_field_list: Vec<FilledField>,
        }
    }
}

answer! {
    /// One field of a form as it was filled.
    pub struct FilledField {
        required {
            /// Its name: `USER_FORM_INFO_FLAG_MOBILE`, or the merchant's own.
            name: String,
        }
        optional {
            /// What was written or chosen.
            value: Personal,
            /// What was chosen where several may be.
            value_list: Vec<Personal>,
        }
    }
}
