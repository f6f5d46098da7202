//! The merchants the server knows.

use std::collections::HashMap;
use std::sync::Arc;

use crate::certificate;
use crate::merchant::KnownMerchant;

/// All merchants, by id. Replaced as a whole when one is added.
#[derive(Debug, Clone, Default)]
pub(crate) struct Directory {
    /// In the order in which they became known; the default one first.
    merchants: Vec<Arc<KnownMerchant>>,
    places: HashMap<String, usize>,
}

impl Directory {
    pub(crate) fn new(merchants: Vec<KnownMerchant>) -> Self {
        let mut directory = Self::default();
        for merchant in merchants {
            directory.add(merchant);
        }
        directory
    }

    pub(crate) fn add(&mut self, merchant: KnownMerchant) {
        self.places.insert(merchant.mchid().to_owned(), self.merchants.len());
        self.merchants.push(Arc::new(merchant));
    }

    /// Puts a changed merchant in the place it had.
    pub(crate) fn replace(&mut self, merchant: KnownMerchant) {
        match self.places.get(merchant.mchid()).and_then(|place| self.merchants.get_mut(*place)) {
            Some(held) => *held = Arc::new(merchant),
            None => self.add(merchant),
        }
    }

    pub(crate) fn find(&self, mchid: &str) -> Option<Arc<KnownMerchant>> {
        self.places.get(mchid).and_then(|place| self.merchants.get(*place)).map(Arc::clone)
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = &KnownMerchant> {
        self.merchants.iter().map(Arc::as_ref)
    }

    /// The merchant that an appid is bound to.
    pub(crate) fn owner_of(&self, appid: &str) -> Option<&KnownMerchant> {
        self.all().find(|merchant| merchant.public.appids.iter().any(|held| held == appid))
    }

    /// The merchant whose certificate has this serial.
    pub(crate) fn holder_of(&self, serial_no: &str) -> Option<&str> {
        self.all()
            .find(|merchant| {
                merchant.certificate.is_some()
                    && certificate::same_serial(&merchant.public.serial_no, serial_no)
            })
            .map(KnownMerchant::mchid)
    }
}
