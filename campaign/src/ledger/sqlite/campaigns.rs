//! Campaigns as a whole: how they begin, how they stand, what happened to them.

use favor_store::sqlite::rusqlite::{self, Connection, OptionalExtension as _, params};

use super::super::{Campaign, CampaignId, HistoryEntry, LedgerError, Result, Standing, State, Tally};
use super::Done;
use super::columns::{self, damaged, number, sql as column};
use super::moment::Moment;
use crate::manifest::Manifest;
use crate::name::CampaignName;

/// People that are removed in one transaction.
const REMOVED_AT_ONCE: i64 = 50_000;

/// What is kept of a campaign.
pub(super) struct Record {
    pub(super) id: CampaignId,
    manifest: String,
    pub(super) coupons_each: u32,
    pub(super) state: State,
    pub(super) reason: Option<String>,
    pub(super) by_operator: bool,
    pub(super) paused_until: Option<i64>,
    pub(super) people: u64,
    pub(super) purged: bool,
    pub(super) started_at: Option<i64>,
    pub(super) finished_at: Option<i64>,
}

const COLUMNS: &str = "id, manifest, coupons_each, state, reason, by_operator, paused_until, people, purged, \
    started_at, finished_at";

impl Record {
    fn read(row: &rusqlite::Row<'_>) -> rusqlite::Result<(Self, String)> {
        let record = Self {
            id: CampaignId(row.get(0)?),
            manifest: row.get(1)?,
            coupons_each: row.get(2)?,
            // Filled in by `checked`.
            state: State::Importing,
            reason: row.get(4)?,
            by_operator: row.get(5)?,
            paused_until: row.get(6)?,
            people: columns::count(row, 7)?,
            purged: row.get(8)?,
            started_at: row.get(9)?,
            finished_at: row.get(10)?,
        };
        Ok((record, row.get(3)?))
    }

    fn checked((record, state): (Self, String)) -> Result<Self> {
        let state = State::from_word(&state).ok_or_else(|| {
            damaged("the state of a campaign", format!("{state:?} is none of the known states"))
        })?;
        Ok(Self { state, ..record })
    }

    /// As it is kept.
    pub(super) fn load(sql: &Connection, id: CampaignId) -> Done<Self> {
        let mut find = sql.prepare_cached(&format!("SELECT {COLUMNS} FROM campaigns WHERE id = ?1"))?;
        let row = find.query_row([id.0], Self::read).optional()?;
        let row = row.ok_or_else(|| LedgerError::NoCampaign(format!("number {}", id.0)))?;
        Ok(Self::checked(row)?)
    }

    /// As it stands: one that is paused until a time which has passed is running. Says whether it is such.
    pub(super) fn wake(&mut self, now: Moment) -> bool {
        let is_over = self.state == State::Paused && self.paused_until.is_some_and(|end| end <= now.millis());
        if is_over {
            self.state = State::Running;
            self.forget_pause();
        }
        is_over
    }

    pub(super) fn forget_pause(&mut self) {
        (self.reason, self.by_operator, self.paused_until) = (None, false, None);
    }

    /// Keeps state, pause and times.
    pub(super) fn save(&self, sql: &Connection) -> rusqlite::Result<()> {
        let mut save = sql.prepare_cached(
            "UPDATE campaigns SET state = ?2, reason = ?3, by_operator = ?4, paused_until = ?5, started_at = ?6,
                finished_at = ?7 WHERE id = ?1",
        )?;
        let changed = params![
            self.id.0,
            self.state.as_str(),
            self.reason,
            self.by_operator,
            self.paused_until,
            self.started_at,
            self.finished_at
        ];
        save.execute(changed).map(drop)
    }

    pub(super) fn coupons(&self) -> u64 {
        self.people.saturating_mul(u64::from(self.coupons_each))
    }

    pub(super) fn not_now(&self, wanted: &'static str) -> LedgerError {
        LedgerError::NotNow { state: self.state, wanted }
    }

    /// How it stands.
    pub(super) fn standing(mut self, sql: &Connection, now: Moment) -> Done<Standing> {
        self.wake(now);
        let time = |millis: Option<i64>| millis.map(columns::moment).transpose();
        let mut standing =
            Standing::new(self.state, self.people, self.coupons(), favor_core::time::beijing(&now.wall()));
        standing.paused_by_operator = self.by_operator;
        standing.paused_until = time(self.paused_until)?;
        standing.started_at = time(self.started_at)?;
        standing.finished_at = time(self.finished_at)?;
        standing.tallies = tallies(sql, self.id)?;
        standing.workers = workers(sql, self.id, now)?;
        standing.reason = self.reason;
        Ok(standing)
    }

    fn campaign(self, sql: &Connection, now: Moment) -> Done<Campaign> {
        let manifest = self.manifest()?;
        Ok(Campaign::new(self.id, manifest, self.standing(sql, now)?))
    }

    fn manifest(&self) -> Result<Manifest> {
        serde_json::from_str(&self.manifest)
            .map_err(|error| damaged(format!("the manifest of campaign number {}", self.id.0), error))
    }
}

/// How many of its coupons are settled, by state and code.
pub(super) fn tallies(sql: &Connection, campaign: CampaignId) -> Done<Vec<Tally>> {
    let mut find =
        sql.prepare_cached("SELECT state, code, count FROM tallies WHERE campaign = ?1 AND count <> 0")?;
    let rows = find.query_map([campaign.0], |row| {
        Ok((row.get::<_, String>(0)?, row.get(1)?, columns::count(row, 2)?))
    })?;
    let mut tallies = Vec::new();
    for row in rows {
        let (state, code, count) = row?;
        tallies.push(Tally { state: columns::outcome_state(&state)?, code, count });
    }
    tallies.sort_by(|a, b| (a.state, &a.code).cmp(&(b.state, &b.code)));
    Ok(tallies)
}

fn workers(sql: &Connection, campaign: CampaignId, now: Moment) -> Done<u64> {
    let mut find = sql.prepare_cached(
        "SELECT count(DISTINCT owner) FROM chunks WHERE campaign = ?1 AND is_open = 1 AND due > ?2",
    )?;
    Ok(find.query_row([campaign.0, now.millis()], |row| columns::count(row, 0))?)
}

pub(super) fn standing(sql: &Connection, id: CampaignId, now: Moment) -> Done<Standing> {
    Record::load(sql, id)?.standing(sql, now)
}

pub(super) fn by_name(sql: &Connection, name: &CampaignName, now: Moment) -> Done<Campaign> {
    let record = find(sql, name)?.ok_or_else(|| LedgerError::NoCampaign(name.as_str().to_owned()))?;
    record.campaign(sql, now)
}

fn find(sql: &Connection, name: &CampaignName) -> Done<Option<Record>> {
    let mut find = sql.prepare_cached(&format!("SELECT {COLUMNS} FROM campaigns WHERE name = ?1"))?;
    let row = find.query_row([name.as_str()], Record::read).optional()?;
    Ok(row.map(Record::checked).transpose()?)
}

pub(super) fn all(sql: &Connection, now: Moment) -> Done<Vec<Campaign>> {
    let mut find = sql.prepare_cached(&format!("SELECT {COLUMNS} FROM campaigns ORDER BY id"))?;
    let rows: Vec<_> = find.query_map([], Record::read)?.collect::<rusqlite::Result<_>>()?;
    rows.into_iter().map(|row| Record::checked(row)?.campaign(sql, now)).collect()
}

pub(super) fn begin(sql: &Connection, manifest: &Manifest, now: Moment) -> Done<(CampaignId, u64)> {
    if let Some(there) = find(sql, &manifest.name)? {
        let same = Manifest { planned_at: manifest.planned_at, ..there.manifest()? };
        return if same != *manifest {
            Err(LedgerError::NameTaken(manifest.name.as_str().to_owned()).into())
        } else if there.state != State::Importing {
            Err(there.not_now("imported again").into())
        } else {
            Ok((there.id, there.people))
        };
    }
    let text = serde_json::to_string(manifest).map_err(|error| damaged("the manifest", error))?;
    sql.execute(
        "INSERT INTO campaigns (name, manifest, coupons_each, state, created_at) VALUES (?1, ?2, ?3, 'importing', ?4)",
        params![manifest.name.as_str(), text, manifest.coupons_per_person.max(1), now.millis()],
    )?;
    let id = CampaignId(sql.last_insert_rowid());
    note(sql, id, now.millis(), "planned", None)?;
    Ok((id, 0))
}

/// Makes it a campaign whose import did not end, which has nothing but people.
pub(super) fn begin_discard(sql: &Connection, id: CampaignId) -> Done<()> {
    let mut record = Record::load(sql, id)?;
    if record.started_at.is_some() || !matches!(record.state, State::Importing | State::Planned) {
        return Err(record.not_now("discarded").into());
    }
    record.state = State::Importing;
    record.save(sql)?;
    sql.execute("DELETE FROM chunks WHERE campaign = ?1", [id.0])?;
    Ok(())
}

/// Removes its last people; with the last of all, the campaign. Says whether there are more.
pub(super) fn go_on_discarding(sql: &Connection, id: CampaignId) -> Done<bool> {
    let record = Record::load(sql, id)?;
    if record.state != State::Importing {
        return Err(record.not_now("discarded").into());
    }
    let left = column(record.people).saturating_sub(REMOVED_AT_ONCE).max(0);
    sql.execute("DELETE FROM people WHERE campaign = ?1 AND place >= ?2", [id.0, left])?;
    if left > 0 {
        sql.execute("UPDATE campaigns SET people = ?2 WHERE id = ?1", [id.0, left])?;
        return Ok(true);
    }
    sql.execute("DELETE FROM history WHERE campaign = ?1", [id.0])?;
    sql.execute("DELETE FROM campaigns WHERE id = ?1", [id.0])?;
    Ok(false)
}

/// Writes down what happened.
pub(super) fn note(
    sql: &Connection,
    id: CampaignId,
    at: i64,
    what: &str,
    detail: Option<&str>,
) -> rusqlite::Result<()> {
    sql.prepare_cached("INSERT INTO history (campaign, at, what, detail) VALUES (?1, ?2, ?3, ?4)")?
        .execute(params![id.0, at, what, detail])
        .map(drop)
}

pub(super) fn history(sql: &Connection, id: CampaignId) -> Done<Vec<HistoryEntry>> {
    Record::load(sql, id)?;
    let mut find =
        sql.prepare_cached("SELECT at, what, detail FROM history WHERE campaign = ?1 ORDER BY id")?;
    let rows = find.query_map([id.0], |row| Ok((number::<i64>(row, 0)?, row.get(1)?, row.get(2)?)))?;
    rows.map(|row| {
        let (at, what, detail) = row?;
        Ok(HistoryEntry { at: columns::moment(at)?, what, detail })
    })
    .collect()
}
