//! Others who answer in the platform's place, or stand between.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;

use super::verdict::broken;
use crate::world::World;

/// A server that answers each connection with what `answer` makes of the request.
fn server(answer: impl Fn(String) -> Vec<u8> + Send + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for socket in listener.incoming() {
            let mut socket = socket.unwrap();
            let mut request = Vec::new();
            let mut piece = [0; 4096];
            // Until the head is whole; what begins a TLS handshake has none.
            while !request.starts_with(&[22]) && !request.windows(4).any(|end| end == b"\r\n\r\n") {
                match socket.read(&mut piece) {
                    Ok(0) | Err(_) => break,
                    Ok(read) => request.extend_from_slice(&piece[..read]),
                }
            }
            let _ = socket.write_all(&answer(String::from_utf8_lossy(&request).into_owned()));
        }
    });
    address
}

#[test]
fn a_stranger_who_answers_is_not_taken_for_the_platform() {
    let mut world = World::new();
    let page = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 12\r\nConnection: close\r\n\r\n<h1>hi</h1>\n";
    world.set("base_url", server(move |_| page.as_bytes().to_vec()));
    broken("NOT_THE_PLATFORM", 5, &world);
    world.set("base_url", server(|_| b"220 mail.example.com ESMTP\r\n".to_vec()));
    broken("CONNECTION_BROKEN", 5, &world);
    world.set("base_url", server(move |_| page.as_bytes().to_vec()).replace("http:", "https:"));
    broken("TLS_FAILED", 5, &world);
}

#[test]
fn a_gateway_that_rewrites_requests_is_named() {
    let mut world = World::new();
    let target = world.ready.base_url.trim_start_matches("http://").to_owned();
    let gateway = server(move |request| {
        let rewritten = request.replacen("/v3/certificates", "/v3/certificates?by=gateway", 1);
        let rewritten = rewritten.replacen("\r\n", "\r\nConnection: close\r\n", 1);
        let mut onward = std::net::TcpStream::connect(&target).unwrap();
        onward.write_all(rewritten.as_bytes()).unwrap();
        let mut answer = Vec::new();
        onward.read_to_end(&mut answer).unwrap();
        answer
    });
    world.set("base_url", gateway);
    let finding = broken("MESSAGE_CHANGED", 3, &world);
    assert!(finding["words"].as_str().unwrap().contains("path"), "{finding}");
}
