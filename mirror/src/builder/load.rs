//! What the store holds at the start, and what it is given where it holds nothing yet.

use rusqlite::Connection;

use super::MirrorBuilder;
use crate::authority::Authority;
use crate::clock::{ClockMode, Clocks, Times};
use crate::directory::Directory;
use crate::error::MirrorError;
use crate::ids::FirstIds;
use crate::ledger;
use crate::merchant::{DEFAULT_MCHID, KnownMerchant, MerchantSeed};
use crate::moment::Moment;
use crate::platform_keys::{PlatformKeys, Rotation};
use crate::seed::{self, Seed};

impl MirrorBuilder {
    /// Takes from the store what it holds, and puts in what it lacks.
    pub(super) fn load(
        &self,
        db: &Connection,
        first_clock: ClockMode,
        seed: Option<&Seed>,
    ) -> Result<Stored, MirrorError> {
        let storage = |error: rusqlite::Error| MirrorError::Storage(Box::new(error));
        let clock = match ledger::clock::load(db).map_err(storage)? {
            Some(clock) => clock,
            None => {
                ledger::clock::save(db, first_clock).map_err(storage)?;
                first_clock
            }
        };
        let now = Clocks::new(clock, self.wire_follows).both();
        let mut notes = Vec::new();
        let id_seed = self.load_ids(db, &mut notes)?;
        let platform = self.load_platform(db, now)?;
        let merchants = Directory::new(self.load_merchants(db, now.wire, seed, &mut notes)?);
        if let Some(seed) = seed {
            let world = seed::World {
                merchants: &merchants,
                start_delay: self.start_delay,
                monthly_cap: self.monthly_cap,
                now: clock.now(),
            };
            notes.extend(seed::apply(db, seed, world)?);
        }
        let authority = load_authority(db)?;
        notes.extend(note_unknown(&authority));
        Ok(Stored { clock, platform, merchants, authority, id_seed, notes })
    }

    /// What ids are made from: once some have been given out, that does not change.
    fn load_ids(&self, db: &Connection, notes: &mut Vec<String>) -> Result<Option<u64>, MirrorError> {
        let storage = |error: rusqlite::Error| MirrorError::Storage(Box::new(error));
        let held = ledger::first_ids::seed(db).map_err(storage)?;
        match self.id_seed {
            Some(wanted) if held != Some(wanted) => {
                if ledger::first_ids::are_in_use(db).map_err(storage)? {
                    notes.push("id_seed: the data file has ids already and goes on with them".to_owned());
                    return Ok(held);
                }
                ledger::first_ids::save(db, wanted, FirstIds::of(wanted)).map_err(storage)?;
                Ok(Some(wanted))
            }
            _ => Ok(held),
        }
    }

    fn load_platform(&self, db: &Connection, now: Times) -> Result<PlatformKeys, MirrorError> {
        let storage = |error: rusqlite::Error| MirrorError::Storage(Box::new(error));
        if let Some(kept) = ledger::keys::load(db).map_err(storage)? {
            return kept;
        }
        let mut platform = PlatformKeys::new(self.phase, now)?;
        platform.rotation = self.rotation.map(|schedule| Rotation::begin(schedule, now.test)).transpose()?;
        ledger::keys::save(db, &platform).map_err(storage)?;
        Ok(platform)
    }

    fn load_merchants(
        &self,
        db: &Connection,
        now: Moment,
        seed: Option<&Seed>,
        notes: &mut Vec<String>,
    ) -> Result<Vec<KnownMerchant>, MirrorError> {
        let storage = |error: rusqlite::Error| MirrorError::Storage(Box::new(error));
        let mut known = ledger::merchants::all(db).map_err(storage)?;
        let mut taken: Vec<_> =
            known.iter().map(|merchant| merchant.public.private_key_pem.clone()).collect();
        let mut make = |merchant: &MerchantSeed| {
            if let Some(held) = known.iter().find(|held| held.mchid() == merchant.mchid) {
                return Ok(seed::note_differences(held, merchant));
            }
            let made = KnownMerchant::from_seed(merchant, &taken, now)?;
            ledger::merchants::insert(db, &made, merchant.balance_fen).map_err(storage)?;
            taken.push(made.public.private_key_pem.clone());
            known.push(made);
            Ok::<_, MirrorError>(None)
        };
        let builders = self.seeds(seed)?;
        for merchant in builders.iter().filter(|merchant| merchant.mchid == DEFAULT_MCHID) {
            make(merchant)?;
        }
        for entry in seed.into_iter().flat_map(|seed| seed::merchants(seed, now)) {
            let (merchant, place) = entry?;
            if self.merchants.iter().any(|given| given.mchid == merchant.mchid) {
                return Err(place("the id is taken by a merchant that was added before".to_owned()).into());
            }
            match make(&merchant) {
                Ok(note) => notes.extend(note),
                Err(MirrorError::Seed { reason, .. } | MirrorError::Key { reason }) => {
                    return Err(place(reason).into());
                }
                Err(other) => return Err(other),
            }
        }
        for merchant in builders.iter().filter(|merchant| merchant.mchid != DEFAULT_MCHID) {
            make(merchant)?;
        }
        Ok(known)
    }

    /// The default merchant, or what takes its place, and then the others; without the default one where the
    /// seed has it.
    fn seeds(&self, seed: Option<&Seed>) -> Result<Vec<MerchantSeed>, MirrorError> {
        let mut seeds = vec![MerchantSeed::default_merchant()];
        for given in &self.merchants {
            if given.mchid == DEFAULT_MCHID {
                seeds[0] = given.clone();
            } else if seeds.iter().any(|earlier| earlier.mchid == given.mchid) {
                return Err(MirrorError::Seed {
                    mchid: given.mchid.clone(),
                    reason: "the id is taken".to_owned(),
                });
            } else {
                seeds.push(given.clone());
            }
        }
        if seed.is_some_and(|seed| seed.has_merchant(DEFAULT_MCHID)) {
            seeds.remove(0);
        }
        Ok(seeds)
    }
}

/// What the store holds at the start.
#[derive(Debug)]
pub(super) struct Stored {
    pub(super) clock: ClockMode,
    pub(super) platform: PlatformKeys,
    pub(super) merchants: Directory,
    pub(super) authority: Authority,
    pub(super) id_seed: Option<u64>,
    pub(super) notes: Vec<String>,
}

/// What an authority of an earlier version cannot do.
fn note_unknown(authority: &Authority) -> Option<String> {
    let hosts: Vec<_> = authority.unknown_hosts().collect();
    (!hosts.is_empty()).then(|| {
        format!(
            "the data file's certificate authority was made by an earlier version and cannot speak for {}: by TLS and \
             as a proxy these hosts fail. To have them, snapshot this mirror, restore that into one with a new data \
             file, and trust its new ca_file",
            hosts.join(", ")
        )
    })
}

fn load_authority(db: &Connection) -> Result<Authority, MirrorError> {
    let storage = |error: rusqlite::Error| MirrorError::Storage(Box::new(error));
    if let Some((private_key_pem, certificate_pem)) = ledger::authority::load(db).map_err(storage)? {
        return Authority::restore(&private_key_pem, certificate_pem);
    }
    let authority = Authority::generate()?;
    ledger::authority::save(db, &authority.private_key_pem(), authority.certificate_pem())
        .map_err(storage)?;
    Ok(authority)
}
