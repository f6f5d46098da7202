//! A campaign for the workers, and the database's own word on what it granted.

use std::time::Duration;

use favor::campaign::{Books as _, CampaignName, Ledger as _, ListFacts, Manifest, Order, PostgresAddress};
use favor::campaign::{PostgresLedger, Recipient};
use favor::core::{AppId, MerchantId, OpenId, StockId, time};
use favor_store::postgres::tokio_postgres::{Client, NoTls, connect};

use crate::Failed;

/// Small enough that none of many workers is without one.
const CHUNK: u32 = 100;
/// People that are brought in at a time.
const IMPORT: u64 = 10_000;

/// Has the database write down each reservation: from when, until when.
const WATCH: &str = "
    CREATE TABLE granted (since timestamptz NOT NULL, until timestamptz NOT NULL, at timestamptz NOT NULL);
    CREATE FUNCTION note_grant() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        INSERT INTO granted VALUES (greatest(OLD.next_at, clock_timestamp()), NEW.next_at, clock_timestamp());
        RETURN NULL;
    END $$;
    CREATE TRIGGER note_grant AFTER UPDATE OF next_at ON favor_limits FOR EACH ROW EXECUTE FUNCTION note_grant()";

/// Moments are counted from the beginning of the time that is looked at.
const GRANTED: &str = "
    SELECT (extract(epoch FROM since - now()) * 1000000)::bigint + $1::bigint,
        (extract(epoch FROM until - now()) * 1000000)::bigint + $1::bigint,
        at BETWEEN now() - $1::bigint * interval '1 microsecond' AND now() - $2::bigint * interval '1 microsecond'
    FROM granted ORDER BY until";

pub(crate) fn name() -> Result<CampaignName, Failed> {
    Ok(CampaignName::new("limit")?)
}

pub(crate) fn manifest(rate: u32) -> Result<Manifest, Failed> {
    let merchant = MerchantId::new("1900000001")?;
    let mut manifest = Manifest::new(
        name()?,
        merchant.clone(),
        StockId::new("16474341")?,
        merchant,
        AppId::new("wx0123456789abcdef")?,
        ListFacts::default(),
        time::from_wire("2026-05-20T09:00:00+08:00")?,
    );
    manifest.pace.per_second = rate;
    Ok(manifest)
}

/// A campaign that is running, and a watch over its limit.
pub(crate) async fn prepare(address: &str, rate: u32, people: u64) -> Result<Watch, Failed> {
    let ledger = PostgresLedger::connect(&PostgresAddress::new(address)?).await?;
    let (campaign, _) = ledger.begin(&manifest(rate)?).await?;
    for first in (0..people).step_by(usize::try_from(IMPORT)?) {
        let places = first..people.min(first + IMPORT);
        let recipient =
            |place| Ok(Recipient { place, line: place + 1, openid: OpenId::new(format!("o{place:010}"))? });
        let some: Vec<Recipient> = places.map(recipient).collect::<Result<_, Failed>>()?;
        ledger.add_people(campaign, &some).await?;
    }
    ledger.seal(campaign, people, CHUNK).await?;
    ledger.order(campaign, Order::Start).await?;
    let (client, connection) = connect(address, NoTls).await?;
    tokio::spawn(connection);
    client.batch_execute(WATCH).await?;
    Ok(Watch { client, rate })
}

pub(crate) struct Watch {
    client: Client,
    rate: u32,
}

/// What the database granted.
pub(crate) struct Granted {
    /// When each call was due.
    pub(crate) slots: Vec<Duration>,
    pub(crate) reservations: usize,
}

impl Watch {
    /// From so long ago until so long ago.
    pub(crate) async fn granted(&self, from: Duration, to: Duration) -> Result<Granted, Failed> {
        let (from, to) = (i64::try_from(from.as_micros())?, i64::try_from(to.as_micros())?);
        let rows = self.client.query(GRANTED, &[&from, &to]).await?;
        let spacing = Duration::from_secs(1) / self.rate;
        let (mut slots, mut reservations) = (Vec::new(), 0);
        for row in rows {
            let (since, until): (i64, i64) = (row.get(0), row.get(1));
            reservations += usize::from(row.get::<_, bool>(2));
            // After a pause it begins when it was asked for, which is a little before it was written down.
            let span = Duration::from_micros(u64::try_from(until - since).unwrap_or(0));
            let calls = ((span + spacing / 2).as_nanos() / spacing.as_nanos()).max(1);
            // Back from its end, which is what the next one follows on.
            for before in (1..=u32::try_from(calls)?).rev() {
                let at = i128::from(until) - i128::try_from((spacing * before).as_micros())?;
                if (0..i128::from(from - to)).contains(&at) {
                    slots.push(Duration::from_micros(u64::try_from(at)?));
                }
            }
        }
        Ok(Granted { slots, reservations })
    }
}
