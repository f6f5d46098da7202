//! `favor callback replay`: stored notifications sent to an address.

use serde_json::json;

use super::forward::Target;
use super::place::Place;
use super::selection;
use crate::args::{Form, Global, Replay};
use crate::exit::Exit;
use crate::output::Output;

pub(crate) async fn run(args: &Replay, global: &Global, output: &Output) -> anyhow::Result<Exit> {
    let target = Target::new(&args.to, args.form)?;
    let opened = Place::of(&args.place, global)?.open_read_only().await?;
    if args.form == Form::Signed {
        output.talk("a receiver that keeps to the window refuses what was signed more than 300 s ago");
    }
    let (mut taken, mut refused, mut unanswered) = (0_u64, 0_u64, 0_u64);
    selection::each(&*opened.inbox(), &args.which, async |entry| {
        let record = &entry.record;
        let answer = target.send_record(record, entry.attempts.max(1)).await;
        let (status, reason) = match &answer {
            Ok(status) => (Some(status.as_u16()), None),
            Err(reason) => (None, Some(reason.as_str())),
        };
        let ok = answer.as_ref().is_ok_and(http::StatusCode::is_success);
        *(match (ok, status) {
            (true, _) => &mut taken,
            (false, Some(_)) => &mut refused,
            (false, None) => &mut unanswered,
        }) += 1;
        if output.is_json() {
            let id = record.id.as_str();
            return output.json(&json!({
                "id": id, "inbox_id": entry.id.0, "taken": ok, "status": status, "reason": reason,
            }));
        }
        let word = if ok { "taken" } else { "not taken" };
        let answer = status.map(|status| status.to_string());
        let answer = answer.as_deref().or(reason).unwrap_or_default();
        output.line(&format!("{:>6}  {}  {}  {word}: {answer}", entry.id, record.id, record.event_type))
    })
    .await?;
    opened.close().await;
    output.talk(format!("{taken} taken, {refused} refused, {unanswered} without an answer"));
    Ok(match (refused, unanswered) {
        (0, 0) => Exit::Done,
        (0, _) => Exit::NotSent,
        _ => Exit::Refused,
    })
}
