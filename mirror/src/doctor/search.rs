//! Tries messages until one has the digest that was signed.

use super::cause::{self, Cause, Known};
use super::message::{self, Variant};
use super::recover::Proof;
use crate::auth::Signed;
use crate::authorization::Authorization;

/// Bytes that may be hashed for one request. A message of a megabyte is tried in some twenty variants.
const MOST_BYTES: usize = 24 * 1024 * 1024;
/// Messages up to this size are tried with a thousand timestamps.
const SMALL: usize = 8 * 1024;

/// The message that was signed.
#[derive(Debug)]
pub(super) struct Hit {
    pub(super) message: Vec<u8>,
    /// How it differs from the right one; nothing when it is the right one.
    pub(super) causes: Vec<Cause>,
}

/// A signature to be explained, and how much may still be hashed.
struct Search<'a> {
    proof: &'a Proof,
    bytes_left: usize,
}

impl Search<'_> {
    fn fits(&mut self, message: &[u8]) -> bool {
        match self.bytes_left.checked_sub(message.len()) {
            Some(left) => {
                self.bytes_left = left;
                self.proof.fits(message)
            }
            None => {
                self.bytes_left = 0;
                false
            }
        }
    }

    fn attempt(&mut self, message: Vec<u8>, causes: &[&[&'static Known]]) -> Option<Hit> {
        self.fits(&message).then(|| Hit {
            message,
            causes: causes.iter().flat_map(|causes| causes.iter()).map(|known| known.cause("")).collect(),
        })
    }
}

/// Finds the message: first the right one, then those with one mistake, then those with two.
pub(super) fn find(
    proof: &Proof,
    authorization: &Authorization<'_>,
    signed: Signed<'_>,
    whole_body: &[u8],
    host: Option<&str>,
) -> Option<Hit> {
    let targets = message::targets(signed.target, host);
    let bodies = message::bodies(signed.body, whole_body);
    let frames = message::frames(signed.method, authorization.timestamp_text, authorization.nonce);
    let (target, body, frame) = (targets.first()?, bodies.first()?, frames.first()?);
    let mut search = Search { proof, bytes_left: MOST_BYTES };
    let mut attempt = |target: &Variant<String>, body: &Variant<Vec<u8>>, frame: &Variant<message::Frame>| {
        let message = frame.value.message(&target.value, &body.value);
        search.attempt(message, &[&frame.causes, &target.causes, &body.causes])
    };
    let one = targets
        .iter()
        .find_map(|target| attempt(target, body, frame))
        .or_else(|| frames.iter().skip(1).find_map(|frame| attempt(target, body, frame)))
        .or_else(|| bodies.iter().skip(1).find_map(|body| attempt(target, body, frame)));
    if one.is_some() {
        return one;
    }
    // The query written where a body would be.
    if let Some((path, query)) = signed.target.split_once('?') {
        for query in [query, &format!("?{query}")] {
            let message = frame.value.message(path, query.as_bytes());
            if let Some(hit) = search.attempt(message, &[&[&cause::QUERY_AS_BODY]]) {
                return Some(hit);
            }
        }
    }
    if signed.body.len() <= SMALL {
        let timestamps =
            message::other_timestamps(signed.method, authorization.timestamp, authorization.nonce);
        for other in timestamps {
            let message = other.value.message(signed.target, signed.body);
            if let Some(hit) = search.attempt(message, &[&other.causes]) {
                return Some(hit);
            }
        }
    }
    let (more_targets, more_bodies, more_frames) = (&targets[1..], &bodies[1..], &frames[1..]);
    let mut attempt = |target: &Variant<String>, body: &Variant<Vec<u8>>, frame: &Variant<message::Frame>| {
        if search.bytes_left == 0 {
            return None;
        }
        let message = frame.value.message(&target.value, &body.value);
        search.attempt(message, &[&frame.causes, &target.causes, &body.causes])
    };
    let with_frame = more_frames.iter().find_map(|frame| {
        let of_target = more_targets.iter().find_map(|target| attempt(target, body, frame));
        of_target.or_else(|| more_bodies.iter().find_map(|body| attempt(target, body, frame)))
    });
    with_frame.or_else(|| {
        more_targets
            .iter()
            .find_map(|target| more_bodies.iter().find_map(|body| attempt(target, body, frame)))
    })
}
