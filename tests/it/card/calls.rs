//! Every call of the client, made to the mirror and accepted by it.

mod cards;
mod codes;
mod coins;
pub mod gifts;
mod members;
mod shops;

use std::collections::HashSet;

use favor_card::{Client, ENDPOINTS, TokenKind};
use favor_mirror::Verdict;

use super::desk::{Desk, builder};

/// Both kinds of tokens, and both tickets.
async fn access(desk: &Desk) {
    let basic: Client = builder(&desk.mirror).token_kind(TokenKind::Basic).build().unwrap();
    let (basic, stable) = (basic.access_token().await.unwrap(), desk.client.access_token().await.unwrap());
    assert_ne!(basic.expose(), stable.expose());
    let (card, page) = (desk.client.card_ticket().await.unwrap(), desk.client.jsapi_ticket().await.unwrap());
    assert_ne!(card.expose(), page.expose());
}

/// The mirror's log says which calls were made, so that none is forgotten here.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_endpoint_is_called_and_accepted() {
    let desk = Desk::new().await;
    access(&desk).await;
    cards::life(&desk).await;
    cards::cells_and_ways_to_people(&desk).await;
    codes::life(&desk).await;
    codes::of_the_merchant(&desk).await;
    members::join_and_gain(&desk).await;
    members::rules_of_paying(&desk).await;
    members::general_cards_and_tickets(&desk).await;
    gifts::pages(&desk).await;
    gifts::orders_and_invoices(&desk).await;
    coins::life(&desk).await;
    coins::messages(&desk).await;
    shops::sub_merchants_and_stores(&desk).await;
    shops::statistics(&desk).await;

    let log = desk.log();
    let accepted = log.iter().filter(|request| request.verdict == Verdict::Accepted);
    let accepted: HashSet<(&str, &str)> = accepted
        .map(|request| (request.method.as_str(), request.path.split('?').next().unwrap_or_default()))
        .collect();
    for endpoint in ENDPOINTS {
        let is_accepted = accepted.contains(&(endpoint.method.as_str(), endpoint.path));
        assert!(is_accepted, "{}: {}", endpoint.number, endpoint.path);
    }
}
