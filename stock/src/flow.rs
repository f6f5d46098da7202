//! Flow files: one line per redemption or refund (spec §7).

mod columns;
mod download;
mod error;
mod handle;
mod hash;
mod line;
mod link;
mod owned_row;
mod part_file;
mod reader;
pub(crate) mod record;
mod row;
mod row_error;
mod source;
mod split;
mod summary;
mod text;
mod unpack;
mod value;

pub use columns::FlowColumns;
pub use download::{DownloadOptions, DownloadedFlow, Progress};
pub use error::FlowError;
pub use handle::Flow;
pub use link::FlowLink;
pub use owned_row::OwnedFlowRow;
pub use reader::{FlowCount, FlowReader};
pub use row::FlowRow;
pub use row_error::{FlowRowError, FlowRowProblem};
pub use summary::{FlowGroups, FlowSpan, FlowSummary, FlowTally};
pub use text::{FlowText, FlowTextBuf};
