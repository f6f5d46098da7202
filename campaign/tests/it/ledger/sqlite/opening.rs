//! Right and wrong files, one process and two.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use favor_campaign::{
    Books as _, Claimed, Finish, Ledger as _, LedgerError, Order, OutcomeState, SqliteLedger, State,
};
use favor_store::sqlite::rusqlite::Connection;

use super::super::contract::{
    LEASE, Place as _, all_sent, claim, done, manifest, named, people, planned, record, running, send_all,
    worker,
};
use super::Filed;

async fn unusable(file: &Path) -> String {
    let before = fs::read(file).unwrap();
    let mut texts = Vec::new();
    for opened in [
        SqliteLedger::open(file).await,
        SqliteLedger::open_beside(file).await,
        SqliteLedger::open_read_only(file).await,
    ] {
        match opened.unwrap_err() {
            LedgerError::Unusable(text) => texts.push(text),
            error => panic!("{error:?}"),
        }
    }
    assert!(fs::read(file).unwrap() == before, "a file that is refused is not changed");
    assert!(texts[0] == texts[1] && texts[1] == texts[2], "{texts:?}");
    texts.remove(0)
}

#[tokio::test]
async fn what_is_no_ledger_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("campaigns.sqlite");
    fs::write(&file, "openid\noA\noB\n".repeat(1_000)).unwrap();
    assert!(unusable(&file).await.contains("campaigns.sqlite is not a database"));

    fs::remove_file(&file).unwrap();
    let inbox = Connection::open(&file).unwrap();
    inbox.execute_batch("CREATE TABLE notifications (n); PRAGMA application_id = 1182157166").unwrap();
    drop(inbox);
    assert!(unusable(&file).await.contains("something else, not a ledger of campaigns"));

    let place = Filed::new().await;
    place.ledger.close().await;
    place.sql().pragma_update(None, "user_version", 99).unwrap();
    let text = unusable(&place.file()).await;
    assert!(text.contains("written by a newer favor (its version is 99"), "{text}");
}

#[tokio::test]
async fn a_file_that_was_cut_is_refused() {
    let place = Filed::new().await;
    planned(&*place.books(), "cut", 5_000, 100, 1).await;
    place.ledger.close().await;
    let whole = fs::read(place.file()).unwrap();
    fs::write(place.file(), &whole[..whole.len() / 2]).unwrap();
    assert!(unusable(&place.file()).await.contains("is damaged"));
}

#[tokio::test]
async fn a_place_without_a_file_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("no-such-folder/campaigns.sqlite");
    for opened in [
        SqliteLedger::open(&missing).await,
        SqliteLedger::open_beside(&missing).await,
        SqliteLedger::open_read_only(&missing).await,
        SqliteLedger::open_read_only(folder.path().join("campaigns.sqlite")).await,
    ] {
        let error = opened.unwrap_err();
        assert!(error.is_temporary(), "{error:?}");
        assert!(format!("{error:?}").contains("campaigns.sqlite cannot be opened"), "{error:?}");
    }
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0, "looking makes no file");
}

#[tokio::test]
async fn only_its_owner_can_read_it() {
    let place = Filed::new().await;
    planned(&*place.books(), "mine", 3, 1, 1).await;
    let mut files = 0;
    for entry in fs::read_dir(place.folder.path()).unwrap() {
        let entry = entry.unwrap();
        let mode = entry.metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "{:?} has mode {mode:o}", entry.file_name());
        files += 1;
    }
    assert_eq!(files, 4, "the file, its log, its index and its lock");
}

#[tokio::test]
async fn a_second_runner_is_kept_out_and_told_why() {
    let place = Filed::new().await;
    let error = SqliteLedger::open(place.file()).await.unwrap_err();
    assert!(matches!(&error, LedgerError::Unusable(_)) && !error.is_temporary());
    let text = error.to_string();
    assert!(text.contains("campaigns.sqlite is in use: another runner works with it"), "{text}");
    place.ledger.close().await;
    SqliteLedger::open(place.file()).await.unwrap();
}

#[tokio::test]
async fn orders_are_given_beside_a_runner() {
    let place = Filed::new().await;
    let books = place.books();
    let beside = place.beside().await;
    // Planned by one, worked on by the other.
    let campaign = planned(&beside, "beside", 4, 2, 1).await;
    beside.order(campaign, Order::Start).await.unwrap();
    let held = claim(&*books, campaign, 1).await;
    let paused = Order::Pause { reason: "lunch".to_owned(), until: None, by_operator: true };
    beside.order(campaign, paused).await.unwrap();
    assert_eq!(books.standing(campaign).await.unwrap().reason.as_deref(), Some("lunch"));
    record(&*books, &held, &all_sent(&held)).await;
    let standing = beside.standing(campaign).await.unwrap();
    assert_eq!((standing.count(OutcomeState::Sent), standing.workers), (2, 1));
    beside.order(campaign, Order::Resume).await.unwrap();
    // Opening beside frees nothing.
    let third = place.beside().await;
    assert_eq!(third.standing(campaign).await.unwrap().workers, 1);
    done(&*books, &held).await;
    send_all(&*books, campaign).await;
    third.order(campaign, Order::Finish).await.unwrap();
    assert_eq!(third.purge(campaign).await.unwrap(), 4);
    assert_eq!(books.find(campaign, &super::super::contract::openid(1)).await.unwrap(), None);
    for ledger in [&beside, &third] {
        ledger.close().await;
    }
}

#[tokio::test]
async fn one_may_look_meanwhile_and_change_nothing() {
    let place = Filed::new().await;
    let campaign = running(&*place.books(), "look", 4, 2, 1).await;
    let looking = SqliteLedger::open_read_only(place.file()).await.unwrap();
    let held = claim(&*place.books(), campaign, 1).await;
    record(&*place.books(), &held, &all_sent(&held)).await;
    assert_eq!(looking.standing(campaign).await.unwrap().count(OutcomeState::Sent), 2);
    assert_eq!(named(&looking, "look").await.id, campaign);
    assert_eq!(looking.rows(campaign, None, 10).await.unwrap().len(), 4);
    let errors = [
        looking.order(campaign, Order::Stop).await.unwrap_err(),
        looking.begin(&manifest("new")).await.unwrap_err(),
        looking.claim(campaign, &worker(1), LEASE).await.unwrap_err(),
        looking.record(&held.lease, &[], LEASE).await.unwrap_err(),
    ];
    for error in errors {
        let is_told = matches!(&error, LedgerError::Unusable(text) if text.contains("for reading only"));
        assert!(is_told, "{error:?}");
    }
    looking.close().await;
    assert_eq!(place.ledger.standing(campaign).await.unwrap().state, State::Running);
}

#[tokio::test]
async fn what_a_process_held_when_it_ended_is_free_at_once() {
    let place = Filed::new().await;
    let campaign = running(&*place.books(), "free", 6, 2, 1).await;
    let first = claim(&*place.books(), campaign, 1).await;
    record(&*place.books(), &first, &all_sent(&first)[..1]).await;
    let second = claim(&*place.books(), campaign, 1).await;
    let third = claim(&*place.books(), campaign, 1).await;
    let back = Finish::GiveBack { after: LEASE };
    place.ledger.finish(&third.lease, back).await.unwrap();
    let again = place.open_again().await;
    assert_eq!(again.standing(campaign).await.unwrap().workers, 0);
    // In their order, and what is due later is so still.
    for (chunk, tasks) in [(first.lease.chunk, 1), (second.lease.chunk, 2)] {
        let held = claim(&again, campaign, 2).await;
        assert_eq!((held.lease.chunk, held.lease.fence, held.tasks.len()), (chunk, 2, tasks));
    }
    let later = again.claim(campaign, &worker(2), LEASE).await.unwrap();
    assert_eq!(later, Claimed::Later { next: Some(LEASE) });
}

#[tokio::test]
async fn after_close_callers_are_told() {
    let place = Filed::new().await;
    let campaign = running(&*place.books(), "closed", 1, 1, 1).await;
    place.ledger.close().await;
    for error in [
        place.ledger.standing(campaign).await.unwrap_err(),
        place.ledger.add_people(campaign, &people(1..2)).await.unwrap_err(),
    ] {
        assert!(matches!(&error, LedgerError::Unusable(text) if text.contains("closed")), "{error:?}");
    }
    assert!(!format!("{:?}", place.ledger).contains("o0000"), "nothing personal is printed");
}
