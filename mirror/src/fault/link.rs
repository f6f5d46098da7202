//! Faults of flow files and of the links to them.

use std::sync::Arc;

use serde_json::{Value, json};

use super::{FaultKind, FaultRule, GzipHash};
use crate::answer::Answer;
use crate::flow::file::{self, FlowFile};
use crate::rules::Refusal;
use crate::rules::flow::LINK;

/// Changes a reply with a link, what the link leads to, or a file. Everything else stays as it is.
pub(crate) async fn alter_link(rule: &FaultRule, answer: Answer) -> Answer {
    match (&rule.kind, &answer.link, &answer.file) {
        (FaultKind::WrongHash, Some(link), _) => {
            let wrong = other_hash(&link.file().sha1);
            with_hash(answer, &wrong)
        }
        (FaultKind::LinkTo { url }, Some(_), _) => edited(answer, |body| body["url"] = json!(url)),
        (FaultKind::ExpiredLink, Some(link), _) => {
            link.end();
            answer
        }
        (FaultKind::ExpiredLink, _, Some(_)) => Refusal::from(&LINK).into(),
        (FaultKind::Gzip { hash }, Some(link), _) => match packed(link.file()).await {
            Ok(packed) => {
                let sha1 = packed.sha1.clone();
                link.replace(packed);
                if *hash == GzipHash::Packed { with_hash(answer, &sha1) } else { answer }
            }
            Err(failed) => failed,
        },
        (FaultKind::Gzip { .. }, _, Some(file)) => match packed(Arc::clone(file)).await {
            Ok(packed) => Answer { file: Some(packed), ..answer },
            Err(failed) => failed,
        },
        _ => answer,
    }
}

async fn packed(file: Arc<FlowFile>) -> Result<Arc<FlowFile>, Answer> {
    file::blocking(move || file.packed().map(Arc::new)).await
}

fn with_hash(answer: Answer, hash: &str) -> Answer {
    edited(answer, |body| {
        for key in ["hash_value", "stock_useflow_hash", "stock_refundflow_hash"] {
            if let Some(value) = body.get_mut(key) {
                *value = json!(hash);
            }
        }
    })
}

fn edited(answer: Answer, edit: impl FnOnce(&mut Value)) -> Answer {
    let mut body = serde_json::from_slice(&answer.body).unwrap_or_default();
    edit(&mut body);
    Answer { body: body.to_string().into(), ..answer }
}

/// The same but for its first digit.
fn other_hash(hash: &str) -> String {
    let (first, rest) = hash.split_at(hash.len().min(1));
    let other = if first == "0" { "1" } else { "0" };
    format!("{other}{rest}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_hash_is_wrong() {
        assert_eq!(other_hash("0ab"), "1ab");
        assert_eq!(other_hash("fab"), "0ab");
    }
}
