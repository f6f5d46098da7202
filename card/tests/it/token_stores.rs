//! Every store keeps the same promises; those that are shared outlive a process.

use std::sync::Arc;
use std::time::Duration;

use favor_card::{Begun, MemoryTokens, TokenStore};
use favor_core::Secret;

const NAME: &str = "stable_token:wx1234567890abcdef";
const LONG: Duration = Duration::from_secs(3_600);

fn secret(text: &str) -> Secret<String> {
    Secret::new(text.to_owned())
}

/// What every store must do, on an empty one.
async fn promises(store: &dyn TokenStore) {
    let Begun::Yours(right) = store.begin(NAME, None, LONG).await.unwrap() else {
        panic!("nothing is there")
    };
    assert!(matches!(store.begin(NAME, None, LONG).await.unwrap(), Begun::Busy), "one fetches at a time");
    assert!(
        matches!(store.begin("token:other", None, LONG).await.unwrap(), Begun::Yours(_)),
        "another name is another matter"
    );
    let version =
        store.finish(NAME, right, &secret("first"), LONG).await.unwrap().expect("the right is held");
    let Begun::Kept(kept) = store.begin(NAME, None, LONG).await.unwrap() else { panic!("it was kept") };
    assert_eq!((kept.value.expose().as_str(), kept.version), ("first", version));
    assert!(kept.good_for <= LONG && kept.good_for > LONG / 2, "{:?}", kept.good_for);

    let Begun::Yours(right) = store.begin(NAME, Some(version), LONG).await.unwrap() else {
        panic!("it is stale")
    };
    assert!(
        matches!(store.begin(NAME, None, LONG).await.unwrap(), Begun::Kept(_)),
        "good for who does not know better"
    );
    assert!(matches!(store.begin(NAME, Some(version), LONG).await.unwrap(), Begun::Busy));
    store.abandon(NAME, right).await.unwrap();
    let Begun::Yours(newer) = store.begin(NAME, Some(version), LONG).await.unwrap() else {
        panic!("given back")
    };
    assert_eq!(store.finish(NAME, right, &secret("late"), LONG).await.unwrap(), None, "the right was lost");
    store.abandon(NAME, right).await.unwrap();
    assert!(
        matches!(store.begin(NAME, Some(version), LONG).await.unwrap(), Begun::Busy),
        "not the loser's to give"
    );
    let second = store.finish(NAME, newer, &secret("second"), LONG).await.unwrap().unwrap();
    assert!(second > version);

    let Begun::Yours(right) = store.begin("short", None, LONG).await.unwrap() else {
        panic!("nothing is there")
    };
    store.finish("short", right, &secret("gone"), Duration::ZERO).await.unwrap();
    assert!(matches!(store.begin("short", None, LONG).await.unwrap(), Begun::Yours(_)), "no longer good");
    let Begun::Yours(_) = store.begin("lapsed", None, Duration::ZERO).await.unwrap() else {
        panic!("nothing is there")
    };
    assert!(
        matches!(store.begin("lapsed", None, LONG).await.unwrap(), Begun::Yours(_)),
        "the right has lapsed"
    );
}

/// Of many who ask at the same time one fetches.
async fn race(stores: Vec<Arc<dyn TokenStore>>) {
    let asking = stores.into_iter().map(|store| {
        tokio::spawn(async move { matches!(store.begin("race", None, LONG).await.unwrap(), Begun::Yours(_)) })
    });
    let mut fetching = 0;
    for asked in futures_util::future::join_all(asking).await {
        fetching += u32::from(asked.unwrap());
    }
    assert_eq!(fetching, 1);
}

#[tokio::test]
async fn in_memory() {
    let store = Arc::new(MemoryTokens::new());
    promises(&*store).await;
    race((0..16).map(|_| store.clone() as _).collect()).await;
    assert!(!format!("{store:?}").contains("second"));
}

#[cfg(feature = "sqlite")]
mod sqlite {
    use favor_card::SqliteTokens;

    use super::*;
    use crate::server::{Server, chain, token};

    #[tokio::test]
    async fn in_a_file() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("tokens.sqlite");
        let store = Arc::new(SqliteTokens::open(&file).await.unwrap());
        promises(&*store).await;
        race((0..16).map(|_| store.clone() as _).collect()).await;
        store.close().await;
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o077, 0, "its owner alone");
        }
    }

    #[tokio::test]
    async fn a_restart_fetches_no_token() {
        let server = Server::start().await;
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("tokens.sqlite");
        for _ in 0..2 {
            let store = SqliteTokens::open(&file).await.unwrap();
            let client = server.builder().tokens(store).build().unwrap();
            assert_eq!(client.access_token().await.unwrap().expose(), token(1));
            drop(client);
            // The file is given back soon after the store is dropped; the next one may come a moment too early.
            while !is_free(&file).await {
                tokio::task::yield_now().await;
            }
        }
        assert_eq!(server.count("/cgi-bin/stable_token"), 1);
    }

    async fn is_free(file: &std::path::Path) -> bool {
        match SqliteTokens::open(file).await {
            Ok(store) => {
                store.close().await;
                true
            }
            Err(_) => false,
        }
    }

    #[tokio::test]
    async fn another_file_is_refused_with_words() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("notes.txt");
        std::fs::write(&file, "these are my notes, and they are no database at all").unwrap();
        let error = SqliteTokens::open(&file).await.unwrap_err();
        assert!(
            chain(&error).contains("not a store of access tokens")
                || chain(&error).contains("not a database"),
            "{}",
            chain(&error)
        );
        assert!(!error.is_temporary());
    }
}

#[cfg(feature = "postgres")]
mod postgres {
    use std::sync::LazyLock;

    use favor_card::{Codes, GetCode, PostgresAddress, PostgresTokens, TokenKind};
    use favor_store::testing::TestCluster;

    use super::*;
    use crate::server::{Server, code};

    /// One server for all tests of this process.
    static CLUSTER: LazyLock<TestCluster> = LazyLock::new(TestCluster::start);

    async fn database(name: &'static str) -> PostgresAddress {
        let address = tokio::task::spawn_blocking(move || CLUSTER.database(name)).await.unwrap();
        PostgresAddress::new(&address).unwrap().connections(4)
    }

    #[tokio::test]
    async fn in_a_database() {
        let address = database("tokens_promises").await;
        let store = PostgresTokens::connect(&address).await.unwrap();
        promises(&store).await;
        let mut stores: Vec<Arc<dyn TokenStore>> = Vec::new();
        for _ in 0..8 {
            stores.push(Arc::new(PostgresTokens::connect(&address).await.unwrap()));
        }
        race(stores).await;
    }

    #[tokio::test]
    async fn a_fleet_with_the_basic_token_fetches_once_and_renews_once() {
        let server = Server::start().await;
        server.answer(
            "/card/code/get",
            r#"{"errcode":0,"card":{"card_id":"pTESTcard0000000000000000001"},"openid":"o","can_consume":true}"#,
        );
        let address = database("tokens_fleet").await;
        let mut fleet = Vec::new();
        for _ in 0..6 {
            let store = PostgresTokens::connect(&address).await.unwrap();
            fleet.push(server.builder().tokens(store).token_kind(TokenKind::Basic).build().unwrap());
        }
        let call = || {
            futures_util::future::join_all(fleet.iter().map(|client| {
                let codes = Codes::new(client);
                async move { codes.get(&GetCode::new(code("1"), false)).await.unwrap() }
            }))
        };
        call().await;
        assert_eq!(server.count("/cgi-bin/token"), 1);
        server.forget_token();
        call().await;
        assert_eq!(server.count("/cgi-bin/token"), 2);
    }
}
