//! Flow files on their way to disk: whole and right, or not at all.

use std::io::Write as _;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use favor::prelude::*;
use favor::stock::{DownloadOptions, DownloadedFlow, FlowError};

use crate::file_server::{FileReply, FileServer, sha1_of};
use crate::harness::quick;

const HEADER: &str = "批次id,优惠id,优惠类型,优惠金额（元）,订单总金额（元）,交易类型,支付单号,消耗时间,消耗商户号,设备号,银行流水号,单品信息\r\n";

/// A flow file of about `size` bytes.
fn flow_file(size: usize) -> Vec<u8> {
    let mut file = HEADER.as_bytes().to_vec();
    let mut rows = 0;
    while file.len() < size {
        write!(
            file,
            "`15300001,`{},`全场代金券,`1.00,`2.00,`支付,`{},`2026-11-27 16:23:05,`1900000109,\"POS-7\",\"\",\"\"\r\n",
            18_180_000_000_001_u64 + rows,
            4_200_000_000_202_611_u64 + rows,
        )
        .unwrap();
        rows += 1;
    }
    write!(file, "总条数\r\n`{rows}\r\n").unwrap();
    file
}

fn client(server: &FileServer) -> Client {
    let key = PrivateKey::from_pem(include_str!("../../mirror/keys/merchant-1.pem")).unwrap();
    let signer = MerchantSigner::new("1900000109".parse().unwrap(), "0C4A", key).unwrap();
    // Some key, since a client without any asks for one first; nothing here is signed with it.
    let platform = PrivateKey::from_pem(include_str!("../../mirror/keys/public-key.pem")).unwrap();
    let id = "PUB_KEY_ID_0000000000000000000000000000";
    let keys = PlatformKeys::public_key(id, platform.public_key().clone()).unwrap();
    let builder = Client::builder(signer, keys).base_url(server.url()).retry(quick(1));
    builder.attempt_timeout(Duration::from_secs(30)).build().unwrap()
}

async fn download(server: &FileServer, to: &Path) -> Result<DownloadedFlow, FlowError> {
    download_with(server, to, DownloadOptions::default()).await
}

async fn download_with(
    server: &FileServer,
    to: &Path,
    options: DownloadOptions,
) -> Result<DownloadedFlow, FlowError> {
    Stocks::new(&client(server)).use_flow(&"15300001".parse().unwrap()).download_with(to, &options).await
}

/// The names in a folder; a download that failed must leave none.
fn names(folder: &tempfile::TempDir) -> Vec<String> {
    let entries = std::fs::read_dir(folder.path()).unwrap();
    let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[tokio::test]
async fn a_file_arrives_whole_and_its_link_is_signed_as_it_is() {
    let file = flow_file(300_000);
    let server = FileServer::of(file.clone());
    let folder = tempfile::tempdir().unwrap();
    let to = folder.path().join("use.csv");
    let seen = Arc::new(Mutex::new(Vec::new()));
    let log = seen.clone();
    let options = DownloadOptions::default().progress(move |progress| log.lock().unwrap().push(progress));
    let downloaded = download_with(&server, &to, options).await.unwrap();

    assert_eq!(std::fs::read(&to).unwrap(), file);
    assert_eq!((downloaded.bytes, downloaded.attempts), (u64::try_from(file.len()).unwrap(), 1));
    assert_eq!(downloaded.sha1, sha1_of(&file).to_lowercase());
    assert_eq!(names(&folder), ["use.csv"]);
    let last = *seen.lock().unwrap().last().unwrap();
    assert_eq!((last.bytes, last.total), (downloaded.bytes, Some(downloaded.bytes)));
    let requests = server.seen.lock().unwrap().clone();
    assert_eq!(requests[1], ("GET /v3/billdownload/file?token=a%2Bb~c HTTP/1.1".to_owned(), true));
}

#[tokio::test]
async fn a_file_cut_at_any_kilobyte_is_fetched_again_or_leaves_nothing() {
    let file = flow_file(12_000);
    for cut in (0..file.len()).step_by(1024) {
        let folder = tempfile::tempdir().unwrap();
        let to = folder.path().join("use.csv");
        let served = file.clone();
        let once = FileServer::planned(move |attempt| {
            let cut_at = (attempt == 0).then_some(cut);
            (sha1_of(&served), FileReply { cut_at, ..FileReply::whole(served.clone()) })
        });
        let downloaded = download(&once, &to).await.unwrap();
        assert_eq!((downloaded.attempts, std::fs::read(&to).unwrap()), (2, file.clone()), "cut at {cut}");

        std::fs::remove_file(&to).unwrap();
        let served = file.clone();
        let always = FileServer::planned(move |_| {
            (sha1_of(&served), FileReply { cut_at: Some(cut), ..FileReply::whole(served.clone()) })
        });
        let error = download(&always, &to).await.unwrap_err();
        assert!(
            matches!(&error, FlowError::Api(error) if error.kind() == ErrorKind::Interrupted),
            "{error:?}"
        );
        assert_eq!(always.file_requests(), 3, "bounded");
        assert!(names(&folder).is_empty(), "cut at {cut}");
    }
}

#[tokio::test]
async fn a_file_that_is_shorter_than_announced_and_closed_politely_is_caught_by_its_hash() {
    let file = flow_file(5_000);
    let half = file[..2_000].to_vec();
    let server = FileServer::planned(move |_| (sha1_of(&file), FileReply::whole(half.clone())));
    let folder = tempfile::tempdir().unwrap();
    let error = download(&server, &folder.path().join("use.csv")).await.unwrap_err();
    assert!(matches!(error, FlowError::Hash { .. }), "{error:?}");
    assert_eq!(server.file_requests(), 3);
    assert!(names(&folder).is_empty());
}

#[tokio::test]
async fn a_wrong_hash_once_is_mended_by_a_new_link() {
    let file = flow_file(5_000);
    let served = file.clone();
    let server = FileServer::planned(move |attempt| {
        let hash = if attempt == 0 { "0".repeat(40) } else { sha1_of(&served) };
        (hash, FileReply::whole(served.clone()))
    });
    let folder = tempfile::tempdir().unwrap();
    let downloaded = download(&server, &folder.path().join("use.csv")).await.unwrap();
    assert_eq!(downloaded.attempts, 2);
}

#[tokio::test]
async fn an_expired_link_is_renewed() {
    let file = flow_file(5_000);
    let served = file.clone();
    let server = FileServer::planned(move |attempt| {
        let expired = FileReply {
            status: Some(400),
            ..FileReply::whole(r#"{"code":"INVALID_REQUEST","message":"expired"}"#)
        };
        (sha1_of(&served), if attempt < 2 { expired } else { FileReply::whole(served.clone()) })
    });
    let folder = tempfile::tempdir().unwrap();
    let downloaded = download(&server, &folder.path().join("use.csv")).await.unwrap();
    assert_eq!(downloaded.attempts, 3);
    let links = server.seen.lock().unwrap().iter().filter(|(line, _)| line.contains("use-flow")).count();
    assert_eq!(links, 3, "each attempt with a link of its own");
}

#[tokio::test]
async fn a_link_to_a_stranger_is_refused_unless_allowed_and_gets_no_signature() {
    let file = flow_file(2_000);
    let folder = tempfile::tempdir().unwrap();
    let to = folder.path().join("use.csv");
    for link in [
        "https://evil.example/v3/billdownload/file?token=x",
        "https://api.mch.weixin.qq.com.evil.example/x",
        "https://api.mch.weixin.qq.com:8443/x",
        "http://api.mch.weixin.qq.com/x",
    ] {
        let served = file.clone();
        let server = FileServer::with_link(
            move |_| link.to_owned(),
            move |_| (sha1_of(&served), FileReply::default()),
        );
        let error = download(&server, &to).await.unwrap_err();
        let FlowError::Api(error) = error else { panic!("{error:?}") };
        assert_eq!((error.kind(), error.outcome()), (ErrorKind::Config, Outcome::NotSent), "{link}");
        assert!(error.to_string().contains("not a host of WeChat Pay"), "{error}");
    }
    for link in ["download://example.csv", "file:///etc/passwd", "not a link", "https://user@host/x", ""] {
        let served = file.clone();
        let server = FileServer::with_link(
            move |_| link.to_owned(),
            move |_| (sha1_of(&served), FileReply::default()),
        );
        let FlowError::Api(error) = download(&server, &to).await.unwrap_err() else { panic!("{link}") };
        assert_eq!(error.kind(), ErrorKind::Decode, "{link}");
    }
    assert!(names(&folder).is_empty());
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let elsewhere = FileServer::of(flow_file(2_000));
    let target = elsewhere.url();
    let server = FileServer::planned(move |_| {
        let headers = format!("Location: {target}/v3/billdownload/file?token=x\r\n");
        (sha1_of(b""), FileReply { status: Some(302), headers, ..FileReply::default() })
    });
    let folder = tempfile::tempdir().unwrap();
    let FlowError::Api(error) = download(&server, &folder.path().join("use.csv")).await.unwrap_err() else {
        panic!("a redirect is an API error");
    };
    assert_eq!(error.api().unwrap().status(), 302);
    assert_eq!(elsewhere.seen.lock().unwrap().len(), 0);
    assert!(names(&folder).is_empty());
}

#[tokio::test]
async fn what_is_wrong_with_the_target_is_said_before_the_link_is_asked_for() {
    let server = FileServer::of(flow_file(2_000));
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("no/such/use.csv");
    let error = download(&server, &missing).await.unwrap_err();
    assert!(matches!(&error, FlowError::File { .. }) && error.to_string().contains("no/such"), "{error}");

    let taken = folder.path().join("taken.csv");
    std::fs::write(&taken, "old").unwrap();
    assert!(matches!(download(&server, &taken).await.unwrap_err(), FlowError::Exists(_)));
    assert!(server.seen.lock().unwrap().is_empty());
    let replaced = download_with(&server, &taken, DownloadOptions::default().replace(true)).await.unwrap();
    assert_eq!(std::fs::read(&taken).unwrap().len(), usize::try_from(replaced.bytes).unwrap());

    let error = download(&server, folder.path()).await.unwrap_err();
    assert!(matches!(error, FlowError::Exists(_)), "a folder is no file: {error:?}");
}

#[tokio::test]
async fn two_downloads_to_one_name_do_not_meet() {
    let file = flow_file(5_000);
    let served = file.clone();
    let stalling = FileServer::planned(move |_| {
        (sha1_of(&served), FileReply { cut_at: Some(1000), stall: true, ..FileReply::whole(served.clone()) })
    });
    let folder = tempfile::tempdir().unwrap();
    let to = folder.path().join("use.csv");
    let first = tokio::spawn({
        let flow = Stocks::new(&client(&stalling)).use_flow(&"15300001".parse().unwrap());
        let to = to.clone();
        async move { flow.download(to).await }
    });
    let stalling = Arc::new(stalling);
    let waited = stalling.clone();
    tokio::task::spawn_blocking(move || waited.stalled.lock().unwrap().recv().unwrap()).await.unwrap();
    let good = FileServer::of(file);
    assert!(matches!(download(&good, &to).await.unwrap_err(), FlowError::Busy(_)));

    // Dropping a download stops it and leaves nothing; the name is free then.
    first.abort();
    let _ = first.await;
    assert!(names(&folder).is_empty());
    download(&good, &to).await.unwrap();
}

fn packed(text: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap()
}

#[tokio::test]
async fn gzip_is_unpacked_whichever_form_the_hash_is_of() {
    let file = flow_file(50_000);
    let zipped = packed(&file);
    for hash in [sha1_of(&zipped), sha1_of(&file)] {
        let body = zipped.clone();
        let server = FileServer::planned(move |_| (hash.clone(), FileReply::whole(body.clone())));
        let folder = tempfile::tempdir().unwrap();
        let to = folder.path().join("use.csv");
        let downloaded = download(&server, &to).await.unwrap();
        assert_eq!(std::fs::read(&to).unwrap(), file);
        assert_eq!(downloaded.bytes, u64::try_from(file.len()).unwrap());
        assert_eq!(names(&folder), ["use.csv"]);
    }
    let cut = zipped[..zipped.len() / 2].to_vec();
    let server = FileServer::planned(move |_| (sha1_of(&cut), FileReply::whole(cut.clone())));
    let folder = tempfile::tempdir().unwrap();
    let error = download(&server, &folder.path().join("use.csv")).await.unwrap_err();
    assert!(matches!(error, FlowError::Gzip(_)), "{error:?}");
    assert!(names(&folder).is_empty());
}

#[tokio::test]
async fn a_gzip_bomb_and_an_oversized_file_are_stopped() {
    let bomb = packed(&vec![b' '; 64 << 20]);
    assert!(bomb.len() < 128 << 10);
    let server = FileServer::planned(move |_| (sha1_of(&bomb), FileReply::whole(bomb.clone())));
    let folder = tempfile::tempdir().unwrap();
    let error = download(&server, &folder.path().join("use.csv")).await.unwrap_err();
    assert!(matches!(error, FlowError::TooLarge { .. }), "{error:?}");

    let server = FileServer::of(flow_file(20_000));
    let small = DownloadOptions::default().largest(10_000);
    let error = download_with(&server, &folder.path().join("use.csv"), small).await.unwrap_err();
    assert!(matches!(error, FlowError::TooLarge { limit: 10_000 }), "{error:?}");
    assert!(names(&folder).is_empty());
}
