//! The mirror's process: it serves, signs for comparison, and tells its CPU time when asked.

use std::io::{self, BufRead as _, BufReader, Lines, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use favor_mirror::Mirror;
use serde_json::Value;

use crate::{Failure, processor};

/// How long a comparison signs.
const SIGNING: Duration = Duration::from_millis(500);
/// As long as the message of a send's answer.
const MESSAGE: [u8; 80] = [b'x'; 80];

/// Signatures a second.
pub(crate) struct Signing {
    pub(crate) clock: f64,
    pub(crate) busy: f64,
}

/// A mirror in a process of its own; it ends when this is dropped.
pub(crate) struct Served {
    process: Child,
    input: Option<ChildStdin>,
    output: Lines<BufReader<ChildStdout>>,
    /// What the mirror's ready line says.
    pub(crate) ready: Value,
    /// Where its data and its keys are.
    _folder: tempfile::TempDir,
}

impl Served {
    /// Starts a mirror on `core`, or wherever the system puts it, with a data file.
    pub(crate) fn start(core: Option<usize>) -> Result<Self, Failure> {
        let folder = tempfile::tempdir()?;
        let mut process = Command::new(std::env::current_exe()?)
            .arg("--serve")
            .arg(core.map_or_else(|| "any".to_owned(), |core| core.to_string()))
            .arg(folder.path().join("mirror.sqlite"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let input = process.stdin.take();
        let output = BufReader::new(process.stdout.take().ok_or("no output")?).lines();
        let mut served = Self { process, input, output, ready: Value::Null, _folder: folder };
        served.ready = served.line()?;
        Ok(served)
    }

    fn line(&mut self) -> Result<Value, Failure> {
        let line = self.output.next().ok_or("the mirror's process ended")??;
        Ok(serde_json::from_str(&line)?)
    }

    fn ask(&mut self, what: &str) -> Result<Value, Failure> {
        writeln!(self.input.as_mut().ok_or("no input")?, "{what}")?;
        self.line()
    }

    /// Signs for a while on the mirror's core.
    pub(crate) fn sign(&mut self) -> Result<Signing, Failure> {
        let answer = self.ask("sign")?;
        let rate = |field: &str| answer[field].as_f64().ok_or("no rate");
        Ok(Signing { clock: rate("clock")?, busy: rate("busy")? })
    }

    /// The CPU time of all the mirror's threads so far.
    pub(crate) fn cpu(&mut self) -> Result<Duration, Failure> {
        Ok(Duration::from_nanos(self.ask("cpu")?.as_u64().ok_or("no time")?))
    }

    /// Fails unless the mirror's own recount finds so many coupons and nothing wrong.
    pub(crate) fn check_audit(&mut self, coupons: usize) -> Result<(), Failure> {
        let audit = self.ask("audit")?;
        let counted = audit["stocks"][0]["distinct_out_request_nos"].as_u64();
        if audit["ok"] == true && counted == u64::try_from(coupons).ok() {
            Ok(())
        } else {
            Err(format!("the audit does not find {coupons} coupons: {audit}").into())
        }
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        // It serves until its input ends.
        drop(self.input.take());
        let _ = self.process.wait();
    }
}

/// What the mirror's process does: says how to reach it, answers questions, and serves until its input ends.
pub(crate) fn serve(core: Option<usize>, file: &Path) -> Result<ExitCode, Failure> {
    // Before any thread is started, so that all of them stay there.
    core.map_or(Ok(()), processor::stay_on)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let mirror = runtime.block_on(Mirror::builder().data(file).start_delay(Duration::ZERO).start())?;
    let ready = mirror.write_files(file.parent().ok_or("no folder")?)?;
    let key = mirror.merchant().private_key_pem.clone();
    say(&serde_json::to_value(&ready)?)?;
    let (questions, mut asked) = tokio::sync::mpsc::unbounded_channel();
    std::thread::spawn(move || {
        for line in io::stdin().lines().map_while(Result::ok) {
            if questions.send(line).is_err() {
                break;
            }
        }
    });
    runtime.block_on(async {
        while let Some(question) = asked.recv().await {
            say(&match question.as_str() {
                "sign" => sign(&key)?,
                "cpu" => u64::try_from(processor::cpu_time().as_nanos())?.into(),
                _ => serde_json::to_value(mirror.audit().await)?,
            })?;
        }
        mirror.shutdown().await;
        Ok(ExitCode::SUCCESS)
    })
}

fn say(value: &Value) -> io::Result<()> {
    let mut output = io::stdout().lock();
    writeln!(output, "{value}")?;
    output.flush()
}

fn sign(pem: &str) -> Result<Value, Failure> {
    let key = RsaKeyPair::from_pkcs8(pem::parse(pem)?.contents()).map_err(|_| "the key cannot be read")?;
    let random = SystemRandom::new();
    let mut signature = vec![0; key.public_modulus_len()];
    let (began, busy) = (Instant::now(), processor::cpu_time());
    let mut signed = 0_u32;
    while began.elapsed() < SIGNING {
        key.sign(&RSA_PKCS1_SHA256, &random, &MESSAGE, &mut signature)
            .map_err(|_| "the key does not sign")?;
        signed += 1;
    }
    let (clock, busy) = (began.elapsed(), processor::cpu_time().saturating_sub(busy));
    let rate = |time: Duration| f64::from(signed) / time.as_secs_f64();
    Ok(serde_json::json!({ "clock": rate(clock), "busy": rate(busy) }))
}
