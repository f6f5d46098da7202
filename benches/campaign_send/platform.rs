//! The mirror in a process of its own, with a stock for everybody.

use std::io::{self, BufRead as _, BufReader, Write as _};
use std::process::{Child, Command, ExitCode, Stdio};

use favor_mirror::{Mirror, Seed};
use serde_json::{Value, json};

use crate::{Failed, processor};

pub(crate) const SERVE: &str = "--serve";
const STOCK: &str = "[[stocks]]\nname = 'Tea'\ncoupon_amount_fen = 100\nthreshold_fen = 101\ncoupons = 1000000\nend = '+60d'\n";

/// Ends when this is dropped.
pub(crate) struct Platform {
    process: Child,
    /// What is needed to call it.
    pub(crate) ready: Value,
}

impl Platform {
    /// Starts it on `core`, or wherever the system puts it.
    pub(crate) fn start(core: Option<usize>) -> Result<Self, Failed> {
        let core = core.map_or_else(|| "any".to_owned(), |core| core.to_string());
        let mut process = Command::new(std::env::current_exe()?)
            .args([SERVE, &core])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let mut line = String::new();
        BufReader::new(process.stdout.take().ok_or("no output")?).read_line(&mut line)?;
        Ok(Self { process, ready: serde_json::from_str(&line)? })
    }

    /// A field of what it said.
    pub(crate) fn text(&self, field: &str) -> Result<&str, Failed> {
        Ok(self.ready[field].as_str().ok_or_else(|| format!("the mirror did not say its {field}"))?)
    }
}

impl Drop for Platform {
    fn drop(&mut self) {
        // It serves until its input ends.
        drop(self.process.stdin.take());
        let _ = self.process.wait();
    }
}

/// What the process does.
pub(crate) fn serve(core: Option<usize>) -> Result<ExitCode, Failed> {
    core.map_or(Ok(()), processor::stay_on)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let (end, ended) = tokio::sync::oneshot::channel::<()>();
    std::thread::spawn(move || {
        io::copy(&mut io::stdin().lock(), &mut io::sink()).ok();
        drop(end);
    });
    runtime.block_on(async {
        let mirror = Mirror::builder().seed(Seed::parse(STOCK)?).start().await?;
        let merchant = mirror.merchant();
        let ready = json!({
            "base_url": mirror.base_url(), "mchid": merchant.mchid, "appid": merchant.appid,
            "private_key": merchant.private_key_pem, "certificate": merchant.certificate_pem,
            "api_v3_key": merchant.api_v3_key, "stock_id": mirror.audit().await.stocks[0].stock_id,
        });
        writeln!(io::stdout(), "{ready}")?;
        ended.await.ok();
        mirror.shutdown().await;
        Ok(ExitCode::SUCCESS)
    })
}
