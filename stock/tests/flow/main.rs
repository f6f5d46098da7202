//! Flow files as the platform writes them, damages them, and as nobody should.

mod cut;
mod forms;
mod hostile;
mod round_trip;
mod summary;
mod write;
