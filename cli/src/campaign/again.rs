//! People of one campaign whom another one sends the same stock.

use favor_campaign::Overlap;

use crate::output::Output;

/// Says whom other campaigns on the stock have in common with one. Whether somebody would get coupons of both.
pub(crate) fn show(overlaps: &[Overlap], output: &Output) -> bool {
    let mut gets_more = false;
    for overlap in overlaps {
        let (name, state, people) = (&overlap.name, overlap.state, overlap.people);
        if let Some(why) = overlap.not_comparable {
            output.talk(format!(
                "campaign {name} ({state}) sends the same stock, and cannot be compared: {why}"
            ));
        }
        if people == 0 {
            continue;
        }
        let then = if overlap.same_numbers {
            "by the same request numbers, so that nobody gets a second one"
        } else {
            gets_more = true;
            "by other request numbers, so that they get the coupons of both as far as the stock allows"
        };
        let have = overlap.have_coupons;
        output.talk(format!("campaign {name} ({state}) sends the same stock to {people} people of this one, {then}; {have} of them have it"));
    }
    gets_more
}
