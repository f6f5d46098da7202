//! Where settings come from, and what is said when they are wrong.

use crate::run::{MirrorProcess, favor, run};

#[test]
fn what_is_missing_is_named_with_both_places_to_put_it() {
    let folder = tempfile::tempdir().unwrap();
    let get = ["stock", "get", "15300001"];
    let mut command = favor(folder.path());
    for (variable, value, word) in [
        ("FAVOR_MCHID", "1900000109", "put mchid into a profile of favor.toml, or set FAVOR_MCHID"),
        ("FAVOR_PRIVATE_KEY_FILE", "key.pem", "FAVOR_PRIVATE_KEY_FILE"),
    ] {
        let ran = run(command.args(if command.get_args().len() == 0 { &get[..] } else { &[] }));
        assert_eq!(ran.code, Some(2), "{ran:?}");
        assert!(ran.stderr.contains(word), "{ran:?}");
        command.env(variable, value);
    }
    let ran = run(&mut command);
    assert!(ran.stderr.contains("key.pem") && ran.stderr.contains("cannot be read"), "{ran:?}");
}

#[test]
fn a_profile_serves_and_a_flag_beats_the_environment_beats_the_profile() {
    let mirror = MirrorProcess::start(&[]);
    let folder = mirror.folder.path();
    std::fs::write(folder.join("api_v3_key.txt"), format!("{}\n", mirror.field("api_v3_key"))).unwrap();
    let profile = format!(
        "[profile.default]\nbase_url = {:?}\nmchid = {:?}\nprivate_key_file = {:?}\ncertificate_file = {:?}\n\
         api_v3_key_file = \"api_v3_key.txt\"\nappid = {:?}\n",
        mirror.field("base_url"),
        mirror.field("mchid"),
        mirror.field("private_key_file"),
        mirror.field("certificate_file"),
        mirror.field("appid"),
    );
    std::fs::write(folder.join("favor.toml"), profile).unwrap();
    let get = ["stock", "get", "15300001"];
    let served = run(favor(folder).args(get));
    assert_eq!(served.code, Some(1), "the mirror answered that there is no such stock: {served:?}");
    assert!(served.stderr.contains("RESOURCE_NOT_EXISTS"), "{served:?}");

    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let closed = format!("http://{closed}");
    let environment = run(favor(folder).args(get).env("FAVOR_BASE_URL", &closed));
    assert_eq!(environment.code, Some(5), "not sent: {environment:?}");
    let flag = run(favor(folder)
        .args(get)
        .args(["--base-url", mirror.field("base_url")])
        .env("FAVOR_BASE_URL", &closed));
    assert_eq!(flag.code, Some(1), "{flag:?}");
}

#[test]
fn wrong_keys_are_named_and_no_secret_is_shown() {
    let mirror = MirrorProcess::start(&[]);
    let get = ["stock", "get", "15300001", "-vvv"];

    let short = run(mirror.favor().args(get).env("FAVOR_API_V3_KEY", "sesame-sesame-sesame"));
    assert_eq!(short.code, Some(2), "{short:?}");
    assert!(short.stderr.contains("20 bytes") && !short.stderr.contains("sesame"), "{short:?}");

    let wrong = run(mirror.favor().args(get).env("FAVOR_API_V3_KEY", "sesamesesamesesamesesamesesamese"));
    assert_eq!(wrong.code, Some(3), "{wrong:?}");
    assert!(
        wrong.stderr.contains("the APIv3 key does not open it") && !wrong.stderr.contains("sesame"),
        "{wrong:?}"
    );

    let certificate = mirror.field("certificate_file");
    let swapped = run(mirror.favor().args(get).env("FAVOR_PRIVATE_KEY_FILE", certificate));
    assert_eq!(swapped.code, Some(2), "{swapped:?}");
    assert!(swapped.stderr.contains("found a certificate"), "{swapped:?}");

    let serial = run(mirror.favor().args(get).env("FAVOR_SERIAL_NO", "0123456789ABCDEF"));
    assert_eq!(serial.code, Some(1), "refused by the API: {serial:?}");
    assert!(serial.stderr.contains("diagnosis:"), "{serial:?}");
}

#[test]
fn money_on_a_production_host_needs_a_yes() {
    let mirror = MirrorProcess::start(&[]);
    // A reserved name that never resolves: without the question it would end as "not sent".
    for production in
        ["https://wechatpay.invalid", "HTTPS://wechatpay.invalid", " https://WeChatPay.invalid/"]
    {
        for command in [&["coupon", "send", "15300001", "oTea1"][..], &["stock", "start", "15300001"]] {
            let ran = run(mirror.favor().args(command).args(["--base-url", production]));
            assert_eq!(ran.code, Some(2), "{ran:?}");
            assert!(ran.stderr.contains("on https://wechatpay.invalid as merchant"), "{ran:?}");
            assert!(ran.stderr.contains("needs --yes"), "{ran:?}");
        }
    }
}
