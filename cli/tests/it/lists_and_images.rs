//! The other verbs of `favor stock`, `favor coupon` and `favor image`.

use crate::run::MirrorProcess;
use crate::stock_and_coupon::running_stock;

#[test]
fn a_stock_is_paused_restarted_listed_and_stopped() {
    let mirror = MirrorProcess::start(&[]);
    // Made before the mirror's clock runs ahead of this machine's.
    let second = mirror
        .run(&[
            "stock",
            "create",
            "--name",
            "Never",
            "--face-value",
            "5yuan",
            "--threshold",
            "30yuan",
            "--coupons",
            "5",
            "--output",
            "json",
        ])
        .json();
    let second = second["stock_id"].as_str().unwrap().to_owned();
    let stock_id = running_stock(&mirror);
    let done = |arguments: &[&str]| {
        let ran = mirror.run(arguments);
        assert_eq!(ran.code, Some(0), "{arguments:?}: {ran:?}");
        ran.stdout
    };
    assert!(done(&["stock", "pause", &stock_id]).contains("paused since"));
    assert!(done(&["stock", "get", &stock_id]).contains("paused (paused)"));
    assert!(done(&["stock", "restart", &stock_id]).contains("running again since"));
    let listed = done(&["stock", "list"]);
    assert!(listed.contains(&stock_id) && listed.contains("given out"), "{listed}");
    assert!(done(&["stock", "list", "--status", "paused"]).contains("no stocks"));
    assert!(done(&["stock", "merchants", &stock_id]).contains(mirror.field("mchid")));
    assert!(done(&["stock", "items", &stock_id]).contains("a whole-order stock"));

    assert!(done(&["stock", "stop", &second]).contains("ended for ever"));
    let refused = mirror.run(&["stock", "stop", &stock_id]);
    assert_eq!(refused.code, Some(1), "a started stock cannot be stopped: {refused:?}");
}

#[test]
fn a_users_coupons_are_listed() {
    let mirror = MirrorProcess::start(&[]);
    let stock_id = running_stock(&mirror);
    assert_eq!(mirror.run(&["coupon", "send", &stock_id, "oList"]).code, Some(0));
    let listed = mirror.run(&["coupon", "list", "oList"]);
    assert!(
        listed.stdout.contains("usable (SENDED)") && listed.stdout.contains("5.00 yuan off"),
        "{listed:?}"
    );
    let json = mirror.run(&["coupon", "list", "oList", "--stock", &stock_id, "--output", "json"]).json();
    assert_eq!(json["total_count"], 1, "JSON as the platform sends it");
    assert!(mirror.run(&["coupon", "list", "oNobody"]).stdout.contains("no coupons"));
    assert_eq!(
        mirror.run(&["coupon", "list", "oList", "--available-at", "1", "--status", "USED"]).code,
        Some(2)
    );
}

#[test]
fn an_image_is_uploaded_by_its_content() {
    let mirror = MirrorProcess::start(&[]);
    let folder = mirror.folder.path();
    std::fs::write(folder.join("logo.png"), b"\x89PNG\r\n\x1a\n and the rest").unwrap();
    let uploaded = mirror.run(&["image", "upload", "logo.png", "--output", "json"]);
    assert_eq!(uploaded.code, Some(0), "{uploaded:?}");
    assert!(uploaded.json()["media_url"].as_str().unwrap().starts_with("http"));
    std::fs::write(folder.join("notes.png"), "no image at all").unwrap();
    let refused = mirror.run(&["image", "upload", "notes.png"]);
    assert_eq!(refused.code, Some(2), "{refused:?}");
    assert!(refused.stderr.contains("must be a JPG, BMP or PNG image"), "{refused:?}");
    assert_eq!(mirror.run(&["image", "upload", "missing.png"]).code, Some(2));
}
