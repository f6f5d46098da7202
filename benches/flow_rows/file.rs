//! The file that is read: the format of the specification's §7.4, in a temporary folder.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::PathBuf;

use tempfile::TempDir;

pub(crate) struct FlowFile {
    pub(crate) path: PathBuf,
    pub(crate) rows: u32,
    pub(crate) bytes: u64,
    /// The sum of the discounts, in fen.
    pub(crate) discount: i64,
    _folder: TempDir,
}

const HEADER: &str = "批次id,优惠id,优惠类型,优惠金额（元）,订单总金额（元）,交易类型,支付单号,消耗时间,消耗商户号,设备号,银行流水号,单品信息";

impl FlowFile {
    /// Writes a file of so many rows: two kinds of coupons, 30 days, 40 merchants, some rows without a merchant,
    /// some with goods.
    pub(crate) fn generate(rows: u32) -> io::Result<Self> {
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("flow.csv");
        let mut file = BufWriter::with_capacity(1 << 20, File::create(&path)?);
        let mut discount = 0;
        write!(file, "{HEADER}\r\n")?;
        for row in 0..rows {
            discount += write_row(&mut file, row)?;
        }
        write!(file, "总条数\r\n`{rows}\r\n")?;
        file.into_inner()?.sync_all()?;
        let bytes = path.metadata()?.len();
        Ok(Self { path, rows, bytes, discount, _folder: folder })
    }
}

/// Writes one row and gives its discount.
fn write_row(file: &mut impl Write, row: u32) -> io::Result<i64> {
    let second = row / 8;
    let (day, hour) = (second / 86_400 % 28 + 1, second / 3600 % 24);
    let (minute, second) = (second / 60 % 60, second % 60);
    let mixed = row.wrapping_mul(2_654_435_761) >> 8;
    let discount = i64::from(mixed % 2000) + 100;
    let total = discount + i64::from(mixed % 77_777);
    let kind = if mixed.is_multiple_of(10) { "单品代金券" } else { "全场代金券" };
    write!(file, "`15300001,`1818{row:010},`{kind},`{}.{:02},", discount / 100, discount % 100)?;
    write!(file, "`{}.{:02},`支付,`420000000020261127{row:010},", total / 100, total % 100)?;
    write!(file, "`2026-11-{day:02} {hour:02}:{minute:02}:{second:02},`")?;
    if !mixed.is_multiple_of(50) {
        write!(file, "19000001{:02}", mixed % 40)?;
    }
    write!(file, ",\"POS-{}\",\"\",\"", mixed % 1000)?;
    if mixed.is_multiple_of(10) {
        write!(file, "[{{\"\"goods_id\"\":\"\"{}\"\",\"\"quantity\"\":1}}]", mixed % 300)?;
    }
    write!(file, "\"\r\n")?;
    Ok(discount)
}
