//! A process that serves a flow's link and a file of any size.

use std::io::{self, BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, ExitCode, Stdio};

use sha1::{Digest as _, Sha1};

/// The file is made of blocks of this size.
pub(crate) const BLOCK: usize = 1 << 20;

/// One block: rows like those of a flow file.
pub(crate) fn block() -> Vec<u8> {
    let row = "`15300001,`18180000000001,`全场代金券,`1.00,`2.00,`支付,`4200000000202611270000000001\r\n";
    row.bytes().cycle().take(BLOCK).collect()
}

/// The server's process; it ends when this is dropped.
pub(crate) struct Server {
    process: Child,
    pub(crate) address: String,
}

impl Server {
    pub(crate) fn start(mib: u64) -> io::Result<Self> {
        let mut process = Command::new(std::env::current_exe()?)
            .args(["--serve", &mib.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let mut line = String::new();
        if let Some(output) = process.stdout.take() {
            BufReader::new(output).read_line(&mut line)?;
        }
        Ok(Self { process, address: line.trim().to_owned() })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It serves until its input ends.
        drop(self.process.stdin.take());
        let _ = self.process.wait();
    }
}

/// What the server's process does.
pub(crate) fn serve(mib: u64) -> io::Result<ExitCode> {
    let block = block();
    let mut hash = Sha1::new();
    for _ in 0..mib {
        hash.update(&block);
    }
    let hash: String = hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    writeln!(io::stdout(), "{address}")?;
    let link =
        format!(r#"{{"url":"http://{address}/file?token=x","hash_value":"{hash}","hash_type":"SHA1"}}"#);
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let (block, link) = (block.clone(), link.clone());
            std::thread::spawn(move || answer(stream, &block, mib, &link));
        }
    });
    io::copy(&mut io::stdin().lock(), &mut io::sink())?;
    Ok(ExitCode::SUCCESS)
}

/// Answers requests until the client goes away.
fn answer(mut stream: TcpStream, block: &[u8], mib: u64, link: &str) -> io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    loop {
        let mut first = String::new();
        if reader.read_line(&mut first)? == 0 {
            return Ok(());
        }
        let mut line = String::new();
        while reader.read_line(&mut line)? > 2 {
            line.clear();
        }
        if first.contains("use-flow") {
            write!(stream, "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{link}", link.len())?;
            continue;
        }
        let length = mib << 20;
        write!(stream, "HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n")?;
        for _ in 0..mib {
            stream.write_all(block)?;
        }
    }
}
