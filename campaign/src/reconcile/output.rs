//! Writing what a reconciliation found.

use std::io::{self, BufWriter, Write};
use std::path::Path;

use super::row::ReconcileRow;
use super::{ReconcileError, Reconciled};
use crate::private_file::PrivateFile;
use crate::report::OpenidForm;

impl Reconciled {
    /// Writes one line of comma-separated text per coupon, after a header, amounts in yuan.
    ///
    /// # Errors
    /// [`ReconcileError`].
    pub fn write_coupons_csv(&self, out: impl Write, openids: OpenidForm) -> Result<(), ReconcileError> {
        let mut writer = csv_writer(out);
        writer.write_record(ReconcileRow::COLUMNS).map_err(csv_fault)?;
        self.for_each_row(|row| match row.coupon_id {
            Some(_) => writer.serialize(row.written(openids)).map_err(csv_fault),
            None => Ok(()),
        })?;
        writer.flush().map_err(ReconcileError::Write)
    }

    /// Writes one line of comma-separated text per difference, after a header, what time may settle too.
    ///
    /// # Errors
    /// [`ReconcileError`].
    pub fn write_differences_csv(&self, out: impl Write) -> Result<(), ReconcileError> {
        let mut writer = csv_writer(out);
        writer.write_record(["code", "coupon_id", "transaction_id", "text"]).map_err(csv_fault)?;
        self.for_each_row(|row| {
            row.differences.iter().try_for_each(|difference| writer.serialize(difference).map_err(csv_fault))
        })?;
        writer.flush().map_err(ReconcileError::Write)
    }

    /// Writes one JSON object per line: of each coupon, and of each difference that is about a source.
    ///
    /// # Errors
    /// [`ReconcileError`].
    pub fn write_json_lines(&self, out: impl Write, openids: OpenidForm) -> Result<(), ReconcileError> {
        let mut out = BufWriter::new(out);
        let mut line = |value: &dyn erased::Json| {
            value.write(&mut out).and_then(|()| out.write_all(b"\n")).map_err(ReconcileError::Write)
        };
        self.for_each_row(|row| match row.coupon_id {
            Some(_) => line(&row.written(openids)),
            None => row.differences.iter().try_for_each(|difference| line(difference)),
        })?;
        out.flush().map_err(ReconcileError::Write)
    }

    /// [`write_coupons_csv`](Self::write_coupons_csv) to a file that only its owner can read. It gets its name when it
    /// is whole, and replaces what is there.
    ///
    /// # Errors
    /// [`ReconcileError`]; nothing was then changed under that name.
    pub fn write_coupons_csv_file(&self, file: &Path, openids: OpenidForm) -> Result<(), ReconcileError> {
        to_file(file, |out| self.write_coupons_csv(out, openids))
    }

    /// [`write_differences_csv`](Self::write_differences_csv) to a file, as above.
    ///
    /// # Errors
    /// [`ReconcileError`]; nothing was then changed under that name.
    pub fn write_differences_csv_file(&self, file: &Path) -> Result<(), ReconcileError> {
        to_file(file, |out| self.write_differences_csv(out))
    }

    /// [`write_json_lines`](Self::write_json_lines) to a file, as above.
    ///
    /// # Errors
    /// [`ReconcileError`]; nothing was then changed under that name.
    pub fn write_json_lines_file(&self, file: &Path, openids: OpenidForm) -> Result<(), ReconcileError> {
        to_file(file, |out| self.write_json_lines(out, openids))
    }
}

fn to_file(
    file: &Path,
    write: impl FnOnce(&mut PrivateFile) -> Result<(), ReconcileError>,
) -> Result<(), ReconcileError> {
    let fault = ReconcileError::file(file);
    let mut out = PrivateFile::begin(file).map_err(&fault)?;
    match write(&mut out) {
        Err(ReconcileError::Write(cause)) => return Err(fault(cause)),
        other => other?,
    }
    out.finish().map_err(fault)
}

fn csv_writer<W: Write>(out: W) -> csv::Writer<W> {
    csv::WriterBuilder::new().has_headers(false).from_writer(out)
}

fn csv_fault(error: csv::Error) -> ReconcileError {
    let text = error.to_string();
    ReconcileError::Write(match error.into_kind() {
        csv::ErrorKind::Io(error) => error,
        _ => io::Error::other(text),
    })
}

/// What can be written as JSON, whatever its type.
mod erased {
    use std::io::{self, Write};

    use serde::Serialize;

    pub(super) trait Json {
        fn write(&self, out: &mut dyn Write) -> io::Result<()>;
    }

    impl<T: Serialize> Json for T {
        fn write(&self, out: &mut dyn Write) -> io::Result<()> {
            serde_json::to_writer(out, self).map_err(io::Error::from)
        }
    }
}
