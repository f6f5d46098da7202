//! Links to flow files. They live 30 seconds of the test clock, so a frozen clock keeps them and an advanced one
//! ends them.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use super::file::FlowFile;
use super::row::Flow;
use crate::lock;
use crate::moment::Moment;
use crate::random;

const LIFE_MILLIS: i64 = 30_000;

/// One link.
#[derive(Debug)]
pub(crate) struct Link {
    /// As it is once decoded.
    secret: String,
    /// Whose it is.
    pub(crate) mchid: String,
    flow: Flow,
    /// The last record of the file.
    last: i64,
    expires: Moment,
    /// A fault has ended it.
    ended: AtomicBool,
    /// As written, whatever a fault makes of it.
    written: Arc<FlowFile>,
    served: Mutex<Arc<FlowFile>>,
}

impl Link {
    /// Percent-encoded: a client that decodes it and encodes it otherwise signs another path.
    pub(crate) fn token(&self) -> String {
        self.secret.replace('+', "%2B").replace('/', "%2F").replace('=', "%3D")
    }

    pub(crate) fn file(&self) -> Arc<FlowFile> {
        Arc::clone(&lock::mutex(&self.served))
    }

    /// Serves this instead.
    pub(crate) fn replace(&self, file: Arc<FlowFile>) {
        *lock::mutex(&self.served) = file;
    }

    pub(crate) fn end(&self) {
        self.ended.store(true, Ordering::Relaxed);
    }

    fn lives(&self, now: Moment) -> bool {
        now <= self.expires && !self.ended.load(Ordering::Relaxed)
    }
}

/// All links that live.
#[derive(Debug, Default)]
pub(crate) struct Links(Mutex<HashMap<String, Arc<Link>>>);

impl Links {
    pub(crate) fn add(
        &self,
        flow: Flow,
        last: i64,
        mchid: &str,
        file: Arc<FlowFile>,
        now: Moment,
    ) -> Arc<Link> {
        let secret = format!(
            "{}+{}/{}==",
            random::alphanumeric(20),
            random::alphanumeric(40),
            random::alphanumeric(20)
        );
        let link = Arc::new(Link {
            secret: secret.clone(),
            mchid: mchid.to_owned(),
            flow,
            last,
            expires: now.plus_millis(LIFE_MILLIS),
            ended: AtomicBool::new(false),
            written: Arc::clone(&file),
            served: Mutex::new(file),
        });
        let mut links = lock::mutex(&self.0);
        links.retain(|_, link| link.lives(now));
        links.insert(secret, Arc::clone(&link));
        link
    }

    pub(crate) fn find(&self, secret: &str, now: Moment) -> Option<Arc<Link>> {
        lock::mutex(&self.0).get(secret).filter(|link| link.lives(now)).map(Arc::clone)
    }

    /// A file with the same records that some link already leads to.
    pub(crate) fn file_of(&self, flow: Flow, last: i64, now: Moment) -> Option<Arc<FlowFile>> {
        lock::mutex(&self.0)
            .values()
            .find(|link| link.lives(now) && link.flow == flow && link.last == last)
            .map(|link| Arc::clone(&link.written))
    }

    pub(crate) fn clear(&self) {
        lock::mutex(&self.0).clear();
    }
}
