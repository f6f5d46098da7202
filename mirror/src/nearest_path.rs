//! What an unknown path was probably meant to be.

use http::Method;

use crate::operation::{Match, OPERATIONS, Operation};

/// Longer parts are compared by their beginning, so that a hostile path costs little.
const LONGEST_PART: usize = 64;
/// A path of more parts is like no endpoint.
const MOST_PARTS: usize = 16;

/// What is known about a path that no endpoint has.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Nearest {
    /// In words, for the request log.
    pub(crate) note: String,
    /// `GET /v3/…`, where an endpoint is near.
    pub(crate) endpoint: Option<String>,
}

/// Looks for the endpoint that was probably meant.
pub(crate) fn nearest(method: &Method, path: &str) -> Nearest {
    let known = |operation: &Operation, note: String| Nearest {
        note,
        endpoint: Some(format!("{} {}", operation.method, operation.template)),
    };
    let trimmed = path.trim_end_matches('/');
    let exact = |operation: &&&Operation| operation.matches(trimmed) == Match::Exact;
    let mut matching = OPERATIONS.iter().filter(exact).peekable();
    if let Some(first) = matching.peek().copied() {
        return match matching.find(|operation| operation.method == *method) {
            Some(operation) => {
                let note = format!("{} has no slash at its end", operation.template);
                known(operation, note)
            }
            None => known(first, format!("{} wants {} instead of {method}", first.template, first.method)),
        };
    }
    match closest(method, path) {
        Some(operation) => {
            let note = format!("the closest endpoint is {} {}", operation.method, operation.template);
            known(operation, note)
        }
        None => Nearest {
            note: "the mirror serves /v3/certificates, /v3/marketing/favor, the card API, which is not signed, and \
                   /_mirror"
                .to_owned(),
            endpoint: None,
        },
    }
}

/// The endpoint with the fewest changes, unless these are so many that there is no likeness.
fn closest(method: &Method, path: &str) -> Option<&'static Operation> {
    let asked: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    if asked.len() > MOST_PARTS {
        return None;
    }
    OPERATIONS
        .iter()
        .map(|operation| (changes(&asked, operation.template), *operation))
        .filter(|(changes, operation)| changes * 2 <= letters(operation.template))
        .min_by_key(|(changes, operation)| (*changes, operation.method != *method))
        .map(|(_, operation)| operation)
}

/// How many letters of a template are given.
fn letters(template: &str) -> usize {
    template.split('/').filter(|part| !part.starts_with('{')).map(size).sum()
}

/// Letters to change, add or leave out until a path has the form of a template.
fn changes(asked: &[&str], template: &str) -> usize {
    let wanted: Vec<&str> = template.split('/').filter(|part| !part.is_empty()).collect();
    // A whole part too many is more than a slip of the finger, however short it is.
    let leave_out = |asked: &&str| size(asked).max(4);
    let change = |asked: &&str, wanted: &&str| {
        // A parameter can be anything, but what stands in the template is the better fit.
        if wanted.starts_with('{') { 1 } else { letters_apart(asked, wanted) }
    };
    fewest_changes(asked, &wanted, leave_out, |wanted| size(wanted), change)
}

fn letters_apart(one: &str, other: &str) -> usize {
    if one != other && words(one) == words(other) {
        return 1;
    }
    let letters = |text: &str| text.chars().take(LONGEST_PART).collect::<Vec<_>>();
    fewest_changes(&letters(one), &letters(other), |_| 1, |_| 1, |one, other| usize::from(one != other))
}

/// The words of a part, so that `upload-image` is like `image-upload`.
fn words(part: &str) -> Vec<String> {
    let part: String = part.chars().take(LONGEST_PART).collect();
    let mut words: Vec<_> = part.to_ascii_lowercase().split(['-', '_']).map(str::to_owned).collect();
    words.sort_unstable();
    words
}

/// A part's weight. A parameter weighs little: what it will hold is not known.
fn size(part: &str) -> usize {
    if part.starts_with('{') { 3 } else { part.chars().take(LONGEST_PART).count() }
}

/// The cheapest way (Levenshtein) from one sequence to another.
fn fewest_changes<T>(
    from: &[T],
    to: &[T],
    leave_out: impl Fn(&T) -> usize,
    add: impl Fn(&T) -> usize,
    change: impl Fn(&T, &T) -> usize,
) -> usize {
    let mut costs = vec![0];
    for item in to {
        costs.push(costs[costs.len() - 1] + add(item));
    }
    for old in from {
        let mut diagonal = costs[0];
        costs[0] += leave_out(old);
        for (at, new) in to.iter().enumerate() {
            let cheapest =
                (diagonal + change(old, new)).min(costs[at + 1] + leave_out(old)).min(costs[at] + add(new));
            diagonal = std::mem::replace(&mut costs[at + 1], cheapest);
        }
    }
    costs[to.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_find_the_endpoint_that_was_meant() {
        for (method, path, endpoint) in [
            (Method::POST, "/v3/marketing/favor/coupon-stock", "POST /v3/marketing/favor/coupon-stocks"),
            (Method::POST, "/v3/marketing/favor/coupon_stocks", "POST /v3/marketing/favor/coupon-stocks"),
            (Method::POST, "/v3/marketing/favour/coupon-stocks", "POST /v3/marketing/favor/coupon-stocks"),
            (Method::POST, "/marketing/favor/coupon-stocks", "POST /v3/marketing/favor/coupon-stocks"),
            (Method::POST, "/v3/v3/marketing/favor/coupon-stocks", "POST /v3/marketing/favor/coupon-stocks"),
            (Method::GET, "/v3/marketing/favor/coupon-stocks", "POST /v3/marketing/favor/coupon-stocks"),
            (Method::POST, "/v3/marketing/favor/coupon-stocks/", "POST /v3/marketing/favor/coupon-stocks"),
            (Method::GET, "/v3/marketing/favor/stock/98065001", "GET /v3/marketing/favor/stocks/{stock_id}"),
            (Method::GET, "/v3/certificate", "GET /v3/certificates"),
            (Method::GET, "/V3/Certificates", "GET /v3/certificates"),
            (
                Method::POST,
                "/v3/marketing/favor/stocks/98065001/begin",
                "POST /v3/marketing/favor/stocks/{stock_id}/start",
            ),
            (
                Method::POST,
                "/v3/marketing/favor/stocks/98065001/restarts",
                "POST /v3/marketing/favor/stocks/{stock_id}/restart",
            ),
            (
                Method::POST,
                "/v3/marketing/favor/user/oUser/coupon",
                "POST /v3/marketing/favor/users/{openid}/coupons",
            ),
            (
                Method::GET,
                "/v3/marketing/favor/users/oUser/coupon",
                "GET /v3/marketing/favor/users/{openid}/coupons",
            ),
            (
                Method::GET,
                "/v3/marketing/favor/stocks/1/useflow",
                "GET /v3/marketing/favor/stocks/{stock_id}/use-flow",
            ),
            (
                Method::GET,
                "/v3/marketing/favor/stocks/1/use-flow-by-days",
                "GET /v3/marketing/favor/stocks/{stock_id}/use-flow-by-day",
            ),
            (
                Method::POST,
                "/v3/marketing/favor/media/upload-image",
                "POST /v3/marketing/favor/media/image-upload",
            ),
            (Method::POST, "/v3/marketing/favor/callback", "POST /v3/marketing/favor/callbacks"),
        ] {
            let found = nearest(&method, path);
            assert_eq!(found.endpoint.as_deref(), Some(endpoint), "{method} {path}: {}", found.note);
        }
    }

    #[test]
    fn the_note_says_what_is_wrong() {
        let note = |method: Method, path: &str| nearest(&method, path).note;
        assert!(note(Method::GET, "/v3/marketing/favor/coupon-stocks").contains("wants POST"));
        assert!(note(Method::POST, "/v3/marketing/favor/coupon-stocks/").contains("no slash"));
        assert!(note(Method::POST, "/v3/marketing/favor/coupon-stock").contains("closest"));
    }

    #[test]
    fn what_is_like_nothing_stays_so() {
        let long = format!("/{}", "a".repeat(60_000));
        let deep = "/a".repeat(30_000);
        for path in ["/", "", "//", "*", "/favicon.ico", "/index.php/admin/login", "/%00%ff", &long, &deep] {
            let found = nearest(&Method::GET, path);
            assert_eq!(found.endpoint, None, "{path:.40}: {}", found.note);
            assert!(found.note.contains("serves"));
        }
    }

    proptest::proptest! {
        #[test]
        fn every_endpoint_survives_one_slip(at in 0..26_usize, slip in 4..40_usize, letter in "[a-z]") {
            let operation = OPERATIONS[at % OPERATIONS.len()];
            let mut path = operation.template.replace("{stock_id}", "15300001").replace("{openid}", "oUser")
                .replace("{coupon_id}", "18180000000001");
            path.insert_str(slip.min(path.len()), &letter);
            let found = nearest(&operation.method, &path);
            proptest::prop_assert!(found.endpoint.is_some(), "{}: {}", path, found.note);
        }
    }
}
