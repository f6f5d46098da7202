//! `favor sign`: accepted by a mirror, and repeatable.

use std::io::{Read as _, Write as _};
use std::process::{Command, Stdio};

use crate::run::{Ran, favor, run};
use crate::world::World;

const OLD: [&str; 4] = ["--timestamp", "1750000000", "--nonce", "Qw3Er5Ty7Ui9Op1As3Df5Gh7Jk9Lz1Xc"];

fn with_stdin(command: &mut Command, input: &[u8]) -> Ran {
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(input).unwrap();
    let output = child.wait_with_output().unwrap();
    Ran {
        code: output.status.code(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

/// Sends a request over a plain socket with this header line, and gives the status line.
pub fn send(world: &World, method: &str, target: &str, header: &str, body: &str) -> String {
    let address = world.ready.base_url.trim_start_matches("http://");
    let mut socket = std::net::TcpStream::connect(address).unwrap();
    write!(
        socket,
        "{method} {target} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nUser-Agent: test/1\r\n\
         Accept: application/json\r\nContent-Type: application/json\r\nContent-Length: {}\r\n{}\r\n\r\n{body}",
        body.len(),
        header.trim_end(),
    )
    .unwrap();
    let mut answer = String::new();
    socket.read_to_string(&mut answer).unwrap();
    answer.lines().next().unwrap().to_owned()
}

#[test]
fn a_mirror_accepts_what_was_signed_by_hand() {
    let world = World::new();
    let url = format!("{}/v3/certificates?algorithm_type=RSA", world.ready.base_url);
    let signed = world.run(&["sign", "get", &url]);
    assert_eq!(signed.code, Some(0), "{signed:?}");
    assert!(signed.stdout.starts_with("Authorization: WECHATPAY2-SHA256-RSA2048 mchid="), "{signed:?}");
    let status = send(&world, "GET", "/v3/certificates?algorithm_type=RSA", &signed.stdout, "");
    assert_eq!(status, "HTTP/1.1 200 OK");
    // The query was signed too.
    assert!(send(&world, "GET", "/v3/certificates", &signed.stdout, "").contains(" 401 "));

    let body = "{\"mchid\": \"1900000109\",\n \"notify_url\": \"http://127.0.0.1:9/券\"}\n";
    world.file("body.json", body);
    let path = "/v3/marketing/favor/callbacks";
    let signed = world.run(&["sign", "POST", path, "--body", "body.json"]);
    assert!(signed.stderr.contains("the body ends in a line feed"), "{signed:?}");
    assert!(send(&world, "POST", path, &signed.stdout, body).contains(" 200 "));
    assert!(send(&world, "POST", path, &signed.stdout, body.trim_end()).contains(" 401 "));
}

#[test]
fn an_old_signature_can_be_repeated_and_its_message_seen() {
    let world = World::new();
    let sign = [&["sign", "POST", "/v3/x?a=%2B", "--body", "-", "--show-message"][..], &OLD].concat();
    world.run(&["doctor", "--offline"]);
    let input = b"{\"a\":1}\r\n";
    let first = with_stdin(favor(world.folder.path()).args(&sign), input);
    assert_eq!(first.code, Some(0), "{first:?}");
    assert!(
        first.stderr.contains(
            "POST⏎\n/v3/x?a=%2B⏎\n1750000000⏎\nQw3Er5Ty7Ui9Op1As3Df5Gh7Jk9Lz1Xc⏎\n{\"a\":1}\\r⏎\n⏎\n"
        ),
        "{}",
        first.stderr
    );
    let json = [&sign[..], &["--output", "json"]].concat();
    let again = with_stdin(favor(world.folder.path()).args(json), input).json();
    assert_eq!(
        first.stdout.trim_end(),
        format!("Authorization: {}", again["authorization"].as_str().unwrap())
    );
    let message = "POST\n/v3/x?a=%2B\n1750000000\nQw3Er5Ty7Ui9Op1As3Df5Gh7Jk9Lz1Xc\n{\"a\":1}\r\n\n";
    assert_eq!(again["message"], message);
    assert_eq!(again["message_bytes"], message.len());

    // The same bytes as a bare message give the same signature.
    world.file("message", message);
    let bare = world.run(&["sign", "--message", "message"]);
    assert_eq!(bare.stdout.trim_end(), again["signature"].as_str().unwrap());
}

#[test]
fn what_cannot_be_signed_is_refused() {
    let world = World::new();
    for (arguments, words) in [
        (&["sign"][..], "Usage"),
        (&["sign", "GET"], "Usage"),
        (&["sign", "FLY", "/v3/x"], "write GET"),
        (&["sign", "GET", "v3/x"], "begins with a slash"),
        (&["sign", "GET", "/v3/a b"], "percent-encoded"),
        (&["sign", "GET", "/v3/x", "--nonce", "a\"b"], "a nonce is"),
        (&["sign", "GET", "/v3/x", "--timestamp=-5"], "-5"),
        (&["sign", "POST", "/v3/x", "--body", "nowhere.json"], "nowhere.json"),
        (&["sign", "GET", "/v3/x", "--message", "m"], "cannot be used with"),
    ] {
        let ran = world.run(arguments);
        assert_eq!(ran.code, Some(2), "{arguments:?}: {ran:?}");
        assert!(ran.stderr.contains(words), "{arguments:?}: {ran:?}");
        assert_eq!(ran.stdout, "", "{arguments:?}");
    }
    let none = run(favor(tempfile::tempdir().unwrap().path()).args(["sign", "GET", "/v3/x"]));
    assert_eq!(none.code, Some(2), "{none:?}");
}
