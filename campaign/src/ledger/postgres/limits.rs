//! Who may call how often: the generic cell rate algorithm, a row for each limit.

use favor_store::postgres::Client;
use favor_store::postgres::tokio_postgres::types::ToSql;

use super::super::{LedgerError, LimitKey, Reservation};
use super::{Work, values};

/// The rate as it is now, in thousandths of a call per second: one that was slowed down climbs by ten of its thousandths
/// a second.
macro_rules! rate_now {
    () => {
        "(l.per_second * (CASE WHEN l.factor >= 1000 THEN 1000 ELSE least(1000, l.factor
            + floor(least(100, extract(epoch FROM clock_timestamp() - l.slowed_at)) * 10)) END))"
    };
}

/// How many calls are given, one second's at most: what a worker reserved before it died is not long in the way.
macro_rules! calls {
    () => {
        concat!("least($3::bigint, greatest(1, floor(", rate_now!(), " / 1000)))")
    };
}

/// How long these calls take, in microseconds; rounded up, so that the limit is kept.
macro_rules! block {
    () => {
        concat!("ceil(", calls!(), " * 1000000000 / ", rate_now!(), ")::bigint")
    };
}

const SET_RATE: &str = "
    INSERT INTO favor_limits AS l (merchant_id, api, per_second) VALUES ($1, $2, $3)
    ON CONFLICT (merchant_id, api) DO UPDATE SET per_second = excluded.per_second,
        factor = CASE WHEN l.per_second = excluded.per_second THEN l.factor ELSE 1000 END";

/// The clock is read while the row is locked, not before: whoever waited for it must not reckon with an old time.
///
/// A reservation need not survive the server's death, which takes longer than what is reserved ahead. Without waiting
/// for the disk the row is free for the next worker at once.
const RESERVE: &str = concat!(
    "UPDATE favor_limits l SET next_at = greatest(l.next_at, clock_timestamp()) + ",
    block!(),
    " * interval '1 microsecond'
    WHERE l.merchant_id = $1 AND l.api = $2
    RETURNING ",
    calls!(),
    "::bigint, (extract(epoch FROM l.next_at - clock_timestamp()) * 1000000)::bigint, ",
    block!(),
    ", set_config('synchronous_commit', 'off', true)"
);

/// Once a second at most, however many workers are told to be slower.
const SLOW_DOWN: &str = concat!(
    "UPDATE favor_limits l SET factor = greatest(10, floor(",
    rate_now!(),
    " * 7 / 10 / l.per_second))::integer, slowed_at = clock_timestamp()
    WHERE l.merchant_id = $1 AND l.api = $2 AND l.slowed_at <= clock_timestamp() - interval '1 second'"
);

pub(super) fn set_rate(client: &mut Client, (limit, per_second): (LimitKey, u32)) -> Work<'_, ()> {
    Box::pin(async move {
        let per_second = values::signed_small(per_second.max(1));
        let statement = client.prepare_cached(SET_RATE).await?;
        client.execute(&statement, &[&limit.merchant_id.as_str(), &limit.api, &per_second]).await?;
        Ok(())
    })
}

pub(super) fn reserve(
    client: &mut Client,
    (limit, most): (LimitKey, u32),
) -> Work<'_, Result<Reservation, LedgerError>> {
    Box::pin(async move {
        let statement = client.prepare_cached(RESERVE).await?;
        let parameters: [&(dyn ToSql + Sync); 3] =
            [&limit.merchant_id.as_str(), &limit.api, &i64::from(most.max(1))];
        let Some(row) = client.query_opt(&statement, &parameters).await? else {
            let text = format!("no rate was set for {} of merchant {}", limit.api, limit.merchant_id);
            return Ok(Err(LedgerError::Unusable(text)));
        };
        let calls = u32::try_from(row.get::<_, i64>(0)).unwrap_or(1).max(1);
        let (until_next, block) = (values::span(row.get(1)), values::span(row.get(2)));
        Ok(Ok(Reservation { calls, first_in: until_next.saturating_sub(block), spacing: block / calls }))
    })
}

pub(super) fn slow_down(client: &mut Client, limit: LimitKey) -> Work<'_, ()> {
    Box::pin(async move {
        let statement = client.prepare_cached(SLOW_DOWN).await?;
        client.execute(&statement, &[&limit.merchant_id.as_str(), &limit.api]).await?;
        Ok(())
    })
}
