//! Lists on their way into a ledger.

use favor_campaign::list::{ListSource, read};
use favor_campaign::{
    Books as _, CampaignName, ImportError, Ledger as _, LedgerError, Order, State, import, import_with,
};

use crate::world::{World, person};

#[tokio::test]
async fn an_import_brings_everybody_in_their_places() {
    let world = World::new().await;
    let stock = "15300001".parse().unwrap();
    let campaign = world.campaign("spring", &stock, 2_500, 2).await;
    assert_eq!(campaign.standing.state, State::Planned);
    assert_eq!((campaign.standing.people, campaign.standing.coupons), (2_500, 5_000));
    let rows = world.ledger.rows(campaign.id, None, 10_000).await.unwrap();
    assert_eq!(rows.len(), 2_500);
    for (number, row) in rows.iter().enumerate() {
        assert_eq!(row.openid, Some(person(number)));
        assert_eq!(row.line, u64::try_from(2_500 - number).unwrap());
    }
}

#[tokio::test]
async fn an_import_that_was_cut_off_goes_on() {
    let world = World::new().await;
    let stock = "15300001".parse().unwrap();
    let mut list = world.list(5_000);
    let manifest = world.manifest("spring", &stock, list.facts());
    // What a process killed amid the import leaves.
    let (id, found) = world.ledger.begin(&manifest).await.unwrap();
    assert_eq!(found, 0);
    let first: Vec<_> = list.people().unwrap().take(1_234).map(Result::unwrap).collect();
    world.ledger.add_people(id, &first).await.unwrap();

    // Planned at another time, which does not matter.
    let mut later = manifest.clone();
    later.planned_at += chrono::TimeDelta::hours(1);
    let mut told = Vec::new();
    let imported = import_with(&world.ledger, &later, &mut list, |progress| told.push(progress.people)).await;
    let imported = imported.unwrap();
    assert_eq!((imported.campaign, imported.found, imported.added), (id, 1_234, 3_766));
    assert!(!imported.was_planned);
    assert_eq!(told.last(), Some(&5_000));
    let rows = world.ledger.rows(id, None, 10_000).await.unwrap();
    assert!(rows.iter().enumerate().all(|(number, row)| row.openid == Some(person(number))));
    assert_eq!(rows.len(), 5_000);
}

#[tokio::test]
async fn the_same_plan_again_does_no_harm_and_says_so() {
    let world = World::new().await;
    let stock = "15300001".parse().unwrap();
    let mut list = world.list(10);
    let mut manifest = world.manifest("spring", &stock, list.facts());
    let first = import_with(&world.ledger, &manifest, &mut list, |_| {}).await.unwrap();
    assert_eq!((first.added, first.was_planned), (10, false));
    for start in [false, true] {
        if start {
            world.ledger.order(first.campaign, Order::Start).await.unwrap();
        }
        manifest.planned_at += chrono::TimeDelta::days(1);
        let again = import_with(&world.ledger, &manifest, &mut list, |_| {}).await.unwrap();
        assert_eq!((again.campaign, again.added, again.was_planned), (first.campaign, 0, true));
    }
    assert_eq!(world.ledger.campaigns().await.unwrap().len(), 1);

    manifest.coupons_per_person = 2;
    let error = import(&world.ledger, &manifest, &mut list).await.unwrap_err();
    assert!(matches!(error, ImportError::Ledger(LedgerError::NameTaken(_))), "{error}");
    assert!(!error.is_temporary());
}

#[tokio::test]
async fn what_cannot_be_a_campaign_is_refused_before_anything_is_written() {
    let world = World::new().await;
    let stock = "15300001".parse().unwrap();
    let mut empty = read(&ListSource::new(world.list_file("openid\n"))).unwrap();
    let manifest = world.manifest("spring", &stock, empty.facts());
    let error = import(&world.ledger, &manifest, &mut empty).await.unwrap_err();
    assert!(matches!(error, ImportError::NoPeople), "{error}");

    let mut list = world.list(3);
    let error = import(&world.ledger, &manifest, &mut list).await.unwrap_err();
    assert!(matches!(error, ImportError::AnotherList), "{error}");

    let mut manifest = world.manifest("spring", &stock, list.facts());
    manifest.coupons_per_person = 0;
    let error = import(&world.ledger, &manifest, &mut list).await.unwrap_err();
    assert!(matches!(error, ImportError::NoCoupons), "{error}");
    assert!(world.ledger.campaigns().await.unwrap().is_empty());
    assert!(world.ledger.campaign(&CampaignName::new("spring").unwrap()).await.is_err());

    let mut one = world.list(1);
    let manifest = world.manifest("one", &stock, one.facts());
    import(&world.ledger, &manifest, &mut one).await.unwrap();
    assert_eq!(world.again(&manifest.name).await.standing.people, 1);
}
