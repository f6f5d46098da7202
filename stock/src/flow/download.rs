//! Bringing a flow file to disk: whole, right, or not at all (spec §7.1).

use std::fmt;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::flow::hash::Arrival;
use crate::flow::link::FlowLink;
use crate::flow::part_file::PartFile;
use crate::flow::unpack::unpack;
use crate::flow::{Flow, FlowError, FlowReader};
use crate::operations::FLOW_FILE;

/// How a flow file is downloaded.
#[derive(Clone)]
#[non_exhaustive]
pub struct DownloadOptions {
    /// Whether a file under the final name may be replaced; not by default.
    pub replace: bool,
    /// How often the file is asked for, each time with a new link; three times by default. The platform allows
    /// five links a minute.
    pub attempts: u32,
    /// Hosts beside WeChat Pay's and the client's own that a link may lead to. They get no Authorization header.
    pub further_hosts: Vec<String>,
    /// The largest file taken, packed or unpacked; 64 GiB by default.
    pub largest: u64,
    progress: Option<Arc<dyn Fn(Progress) + Send + Sync>>,
}

/// How far a download is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Progress {
    /// Bytes of the file so far; begins at zero again with each attempt.
    pub bytes: u64,
    /// The size, where the platform announces it.
    pub total: Option<u64>,
    /// Which attempt this is, from 1.
    pub attempt: u32,
}

/// A flow file that has arrived.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DownloadedFlow {
    /// Where it is.
    pub path: PathBuf,
    /// Its size on disk.
    pub bytes: u64,
    /// The SHA-1 that the platform announced and that it has.
    pub sha1: String,
    /// How many records it holds, counted; by-day files only.
    pub records: Option<u64>,
    /// How many attempts it took.
    pub attempts: u32,
}

impl Default for DownloadOptions {
    fn default() -> Self {
        Self { replace: false, attempts: 3, further_hosts: Vec::new(), largest: 64 << 30, progress: None }
    }
}

impl DownloadOptions {
    /// Lets a file under the final name be replaced.
    #[must_use]
    pub fn replace(mut self, replace: bool) -> Self {
        self.replace = replace;
        self
    }

    /// Sets how often the file is asked for; zero counts as one.
    #[must_use]
    pub fn attempts(mut self, attempts: u32) -> Self {
        self.attempts = attempts.max(1);
        self
    }

    /// Allows links to a further host.
    #[must_use]
    pub fn further_host(mut self, host: impl Into<String>) -> Self {
        self.further_hosts.push(host.into());
        self
    }

    /// Sets the largest file taken.
    #[must_use]
    pub fn largest(mut self, bytes: u64) -> Self {
        self.largest = bytes;
        self
    }

    /// Tells `progress` of each piece that arrives. It runs inline, so it must be quick.
    #[must_use]
    pub fn progress(mut self, progress: impl Fn(Progress) + Send + Sync + 'static) -> Self {
        self.progress = Some(Arc::new(progress));
        self
    }
}

impl fmt::Debug for DownloadOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DownloadOptions")
            .field("replace", &self.replace)
            .field("attempts", &self.attempts)
            .field("further_hosts", &self.further_hosts)
            .field("largest", &self.largest)
            .finish_non_exhaustive()
    }
}

pub(crate) async fn run(
    flow: &Flow,
    target: PathBuf,
    options: &DownloadOptions,
) -> Result<DownloadedFlow, FlowError> {
    if !options.replace && target.exists() {
        return Err(FlowError::Exists(target));
    }
    let mut attempt = 1;
    loop {
        let part = on_disk({
            let target = target.clone();
            move || PartFile::begin(&target)
        })
        .await?;
        // A link lives 30 s, so each attempt has its own.
        let link = flow.link().await?.into_value();
        match fetch(flow, &link, part, options, attempt).await {
            Ok(arrived) => {
                let (bytes, records) = (arrived.bytes, arrived.records);
                let replace = options.replace;
                on_disk(move || arrived.part.finish(replace)).await?;
                return Ok(DownloadedFlow {
                    path: target,
                    bytes,
                    sha1: link.sha1,
                    records,
                    attempts: attempt,
                });
            }
            Err(error) if attempt < options.attempts && error.may_pass() => attempt += 1,
            Err(error) => return Err(error),
        }
    }
}

/// A file that is whole and right, under its hidden name.
struct Arrived {
    part: PartFile,
    bytes: u64,
    records: Option<u64>,
}

async fn fetch(
    flow: &Flow,
    link: &FlowLink,
    part: PartFile,
    options: &DownloadOptions,
    attempt: u32,
) -> Result<Arrived, FlowError> {
    let mut stream = flow.client().open(&FLOW_FILE, &link.url, &options.further_hosts).await?;
    // Written inline: a piece goes to the page cache in well under a millisecond, and handing it to another thread costs
    // more than that.
    let mut file = part.handle()?;
    let cannot_write = || FlowError::file("write", part.path());
    let mut arrival = Arrival::default();
    let total = stream.total();
    while let Some(chunk) = stream.chunk().await? {
        arrival.add(&chunk);
        if arrival.bytes > options.largest {
            return Err(FlowError::TooLarge { limit: options.largest });
        }
        file.write_all(&chunk).map_err(cannot_write())?;
        if let Some(progress) = &options.progress {
            progress(Progress { bytes: arrival.bytes, total, attempt });
        }
    }
    drop(file);
    let (link, largest) = (link.clone(), options.largest);
    on_disk(move || check(part, arrival, &link, largest)).await
}

fn check(part: PartFile, arrival: Arrival, link: &FlowLink, largest: u64) -> Result<Arrived, FlowError> {
    let (bytes, is_gzip) = (arrival.bytes, arrival.is_gzip());
    let mut arrived = Arrived { part, bytes, records: None };
    let mut found = arrival.sha1();
    if is_gzip {
        // What is kept is the text; the announced hash may be that of the packed or of the unpacked file.
        let text = arrived.part.second()?;
        let (bytes, hash_of_text) = unpack(arrived.part.handle()?, text.handle()?, largest)?;
        if found != link.sha1 {
            found = hash_of_text;
        }
        arrived = Arrived { part: text, bytes, records: None };
    }
    if found != link.sha1 {
        return Err(FlowError::Hash { announced: link.sha1.clone(), found });
    }
    if let Some(announced) = link.count {
        arrived.records = Some(count(arrived.part.path(), announced)?);
    }
    Ok(arrived)
}

/// Counts the records and compares them with what the platform announced.
fn count(path: &Path, announced: u64) -> Result<u64, FlowError> {
    let file = std::fs::File::open(path).map_err(FlowError::file("read", path))?;
    let mut reader = FlowReader::new(std::io::BufReader::with_capacity(256 << 10, file))?;
    // A row that cannot be decoded still is a record; whoever reads the file is told of it.
    while reader.next_row().is_some() {}
    let found = reader.records();
    if found == announced { Ok(found) } else { Err(FlowError::Count { announced, found }) }
}

/// Runs blocking file work beside the reactor.
async fn on_disk<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, FlowError> + Send + 'static,
) -> Result<T, FlowError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            Err(error) => Err(FlowError::file("write", "the flow file")(std::io::Error::other(error))),
        },
    }
}
