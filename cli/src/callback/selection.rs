//! Which notifications of an inbox.

use std::ops::ControlFlow;

use anyhow::bail;
use favor_callback::{Entry, Inbox, InboxId, State};

use crate::args::{Selection, StateName};

/// How many are read at a time.
const PAGE: usize = 200;

/// Calls `each` with every entry that is wanted, in the order of their numbers.
///
/// An id that names none is an error, after the others were served.
pub(crate) async fn each<F>(inbox: &dyn Inbox, wanted: &Selection, mut each: F) -> anyhow::Result<()>
where
    F: AsyncFnMut(Entry) -> anyhow::Result<()>,
{
    let mut missing = wanted.id.clone();
    let mut after = None;
    loop {
        let page = inbox.list(after, PAGE).await?;
        let Some(last) = page.last() else { break };
        after = Some(last.id);
        for entry in page {
            missing.retain(|name| !is(&entry, name));
            if matches(&entry, wanted) {
                each(entry).await?;
            }
        }
    }
    if !missing.is_empty() {
        bail!("the inbox has no {}", missing.join(", "));
    }
    Ok(())
}

/// The number of the notification that `name` names.
pub(crate) async fn find(inbox: &dyn Inbox, name: &str) -> anyhow::Result<InboxId> {
    let one = Selection { id: vec![name.to_owned()], state: None, since: None };
    let mut found = ControlFlow::Continue(());
    each(inbox, &one, async |entry| {
        found = ControlFlow::Break(entry.id);
        Ok(())
    })
    .await?;
    match found {
        ControlFlow::Break(id) => Ok(id),
        ControlFlow::Continue(()) => bail!("the inbox has no {name}"),
    }
}

fn matches(entry: &Entry, wanted: &Selection) -> bool {
    (wanted.id.is_empty() || wanted.id.iter().any(|name| is(entry, name)))
        && wanted.state.is_none_or(|state| entry.state == state.into())
        && wanted.since.is_none_or(|since| entry.received_at >= since)
}

fn is(entry: &Entry, name: &str) -> bool {
    entry.record.id.as_str() == name || name.parse() == Ok(entry.id.0)
}

impl From<StateName> for State {
    fn from(name: StateName) -> Self {
        match name {
            StateName::Waiting => Self::Waiting,
            StateName::Claimed => Self::Claimed,
            StateName::Handled => Self::Handled,
            StateName::Parked => Self::Parked,
        }
    }
}
