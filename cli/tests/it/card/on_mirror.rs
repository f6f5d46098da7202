//! The whole life of cards from the shell, on a mirror in a process of its own.

use std::io::Write as _;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use super::desk::OPENID;
use crate::lines::Process;
use crate::run::{MirrorProcess, Ran, run};

const TOKEN: &str = "merchantToken01";
const KEY: &str = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG";
const FRIEND: &str = "oTESTopenid00000000000000002";
/// The beginning of a PNG picture, which says what it is.
const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\x06\0\0\0";

struct Shop {
    mirror: MirrorProcess,
}

impl Shop {
    fn open(arguments: &[&str]) -> Self {
        Self { mirror: MirrorProcess::start(arguments) }
    }

    /// The command with what the mirror prints to be pasted.
    fn favor(&self) -> Command {
        let mut command = self.mirror.favor();
        command.env("FAVOR_APP_SECRET", self.mirror.field("app_secret"));
        command.env("FAVOR_PUSH_TOKEN", TOKEN);
        command.arg("card");
        command
    }

    fn run(&self, arguments: &[&str]) -> Ran {
        let ran = run(self.favor().args(arguments));
        for private in [self.mirror.field("app_secret"), OPENID, FRIEND, TOKEN] {
            assert!(!ran.stderr.contains(private), "stderr shows what is private: {ran:?}");
        }
        ran
    }

    fn lines(&self, arguments: &[&str]) -> Vec<Value> {
        let ran = self.run(&[arguments, &["--output", "json"]].concat());
        assert_eq!(ran.code, Some(0), "{arguments:?}: {ran:?}");
        ran.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    fn json(&self, arguments: &[&str]) -> Value {
        let mut lines = self.lines(arguments);
        assert_eq!(lines.len(), 1, "{arguments:?}: {lines:?}");
        lines.remove(0)
    }

    fn table(&self, arguments: &[&str]) -> String {
        let ran = self.run(arguments);
        assert_eq!(ran.code, Some(0), "{arguments:?}: {ran:?}");
        ran.stdout
    }

    /// The same with a text on stdin.
    fn fed(&self, arguments: &[&str], stdin: &str) -> Value {
        let mut command = self.favor();
        command.args(arguments).args(["--output", "json"]).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        child.stdin.take().unwrap().write_all(stdin.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{arguments:?}");
        serde_json::from_slice(&output.stdout).unwrap()
    }

    fn refused(&self, errcode: &str, arguments: &[&str]) {
        let ran = self.run(arguments);
        assert_eq!(ran.code, Some(1), "{arguments:?}: {ran:?}");
        assert!(ran.stderr.contains(errcode) && ran.stderr.contains("hint: "), "{arguments:?}: {ran:?}");
    }

    fn file(&self, name: &str, content: impl AsRef<[u8]>) {
        std::fs::write(self.mirror.folder.path().join(name), content).unwrap();
    }

    fn control(&self, path: &str, body: Value) -> Value {
        self.mirror.control("POST", path, &body.to_string())
    }

    /// A user takes a card; answers its code.
    fn claim(&self, body: Value) -> Value {
        self.control("card/claim", body)
    }

    fn logo(&self) -> String {
        self.file("logo.png", PNG);
        text(&self.json(&["media", "upload", "logo.png"]), "url")
    }

    /// Creates a card from a file and lets it pass the review.
    fn approved(&self, file: &str, content: &str) -> String {
        self.file(file, content);
        let card = text(&self.json(&["create", file]), "card_id");
        self.control(&format!("card/cards/{card}/review"), json!({}));
        card
    }
}

fn text(value: &Value, name: &str) -> String {
    value[name].as_str().unwrap_or_else(|| panic!("no {name} in {value}")).to_owned()
}

fn coupon(logo: &str) -> String {
    format!(
        r#"
card_type = "CASH"
[cash]
least_cost = 10000
reduce_cost = 1500
[cash.base_info]
logo_url = "{logo}"
brand_name = "Tea Nook"
code_type = "CODE_TYPE_QRCODE"
title = "15 off 100"
color = "Color010"
notice = "Show this at the bar"
description = "One per table."
get_limit = 5
can_give_friend = true
sku = {{ quantity = 100 }}
date_info = {{ type = "DATE_TYPE_FIX_TERM", fixed_term = 30, fixed_begin_term = 0 }}
"#
    )
}

#[test]
fn a_coupon_goes_its_whole_way() {
    let shop = Shop::open(&[]);
    shop.control("card/accounts", json!({"review": "manual"}));
    let logo = shop.logo();
    shop.file("tea.toml", coupon(&logo));
    let created = shop.table(&["create", "tea.toml"]);
    let card = created.split_whitespace().find(|word| word.len() == 28).unwrap().to_owned();
    assert!(created.contains("favor card get"), "{created}");
    assert!(shop.table(&["get", &card]).contains("under review"));
    // Before the review only test users claim it.
    shop.file("testers.toml", format!("openid = [\"{OPENID}\"]\n"));
    assert_eq!(shop.json(&["whitelist", "testers.toml"]), json!({"openids": 1, "usernames": 0}));
    let tried = shop.claim(json!({"openid": OPENID, "card_id": card}));
    shop.control(&format!("card/cards/{card}/review"), json!({}));
    let table = shop.table(&["list", "--details", "--status", "CARD_STATUS_VERIFY_OK"]);
    assert!(table.contains("15 off 100") && table.contains("99 left"), "{table}");

    // A picture to claim it, in each form.
    assert!(shop.table(&["qrcode", &card]).contains('█'));
    assert!(shop.table(&["qrcode", &card, "--svg"]).contains("<svg"));
    let qr = shop.json(&["qrcode", &card, "--channel", "table-7"]);
    let claimed = shop.claim(json!({"openid": OPENID, "ticket": qr["ticket"]}));
    let code = text(&claimed, "code");

    let state = shop.json(&["code", "get", &code]);
    assert_eq!((&state["can_consume"], &state["outer_str"]), (&true.into(), &"table-7".into()));
    let encrypted = text(&claimed, "encrypt_code");
    assert_eq!(shop.fed(&["code", "decrypt", "-"], &encrypted)["code"], code.as_str());
    let held = shop.json(&["user-cards", OPENID, "--card", &card]);
    assert_eq!(held["card_list"].as_array().unwrap().len(), 2, "{held}");
    assert_eq!(shop.fed(&["code", "consume", "-"], &code)["card"]["card_id"], card.as_str());
    shop.refused("40099", &["code", "consume", &code]);
    assert!(shop.table(&["code", "get", &code]).contains("redeemed (CONSUMED)"));
    let other = text(&tried, "code");
    shop.table(&["code", "disable", &other, "--reason", "refund"]);
    assert!(shop.table(&["code", "get", &other]).contains("made invalid"));

    // The signature of a page: the mirror checks it as a phone does.
    let signed = shop.json(&["sign", "card-ext", &card, "--channel", "poster"]);
    let taken = shop.claim(json!({
        "openid": FRIEND, "card_id": signed["cardId"], "card_ext": signed["cardExt"],
    }));
    assert_eq!(taken["outer_str"], "poster");

    shop.table(&["stock", &card, "--increase", "50"]);
    assert!(shop.table(&["get", &card]).contains("147 left of 150"));
    shop.table(&["stock", &card, "--reduce", "47"]);
    shop.file("changes.json", r#"{"cash":{"base_info":{"notice":"Show it"}}}"#);
    // What users read is reviewed anew.
    assert_eq!(shop.json(&["update", &card, "changes.json"])["send_check"], true);
    shop.control(&format!("card/cards/{card}/review"), json!({}));
    let shown = shop.json(&["get", &card]);
    assert_eq!(shown["cash"]["base_info"]["notice"], "Show it");
    assert_eq!(shown["cash"]["base_info"]["sku"]["quantity"], 100);

    shop.file(
        "page.toml",
        format!(
            "banner = \"{logo}\"\npage_title = \"Tea\"\ncan_share = true\nscene = \"SCENE_MENU\"\n\
             [[card_list]]\ncard_id = \"{card}\"\nthumb_url = \"{logo}\"\n"
        ),
    );
    assert!(shop.table(&["landing-page", "page.toml"]).contains("https://mp.weixin.qq.com/"));
    assert!(shop.table(&["delete", &card]).contains("stays valid"));
    assert!(shop.table(&["get", &card]).contains("deleted"));
    assert_eq!(shop.json(&["code", "get", &text(&taken, "code")])["user_card_status"], "NORMAL");
}

#[test]
fn a_shop_brings_its_own_codes() {
    let shop = Shop::open(&[]);
    shop.control("card/accounts", json!({"review": "manual", "custom_code": true}));
    let deposited = coupon(&shop.logo()).replace("quantity = 100", "quantity = 0").replace(
        "get_limit",
        "use_custom_code = true\nget_custom_code_mode = \"GET_CUSTOM_CODE_MODE_DEPOSIT\"\nget_limit",
    );
    let card = shop.approved("deposited.toml", &deposited);
    let codes: Vec<String> = (0..150).map(|number| format!("TEA{number:05}")).collect();
    shop.file("codes.txt", codes.join("\n"));
    let sent = shop.json(&["code", "deposit", &card, "codes.txt"]);
    assert_eq!((&sent["taken"], &sent["known"], &sent["refused"]), (&150.into(), &0.into(), &0.into()));
    let again = shop.json(&["code", "deposit", &card, "codes.txt"]);
    assert_eq!((&again["taken"], &again["known"]), (&0.into(), &150.into()));
    assert_eq!(shop.json(&["code", "count", &card])["count"], 150);
    shop.table(&["code", "check", &card, "codes.txt"]);
    shop.file("more.txt", "TEA00001\nTEA99999\n");
    let ran = shop.run(&["code", "check", &card, "more.txt"]);
    assert!(ran.code == Some(1) && ran.stdout.contains("missing: TEA99999"), "{ran:?}");
    shop.table(&["stock", &card, "--increase", "150"]);
    let claimed = shop.claim(json!({"openid": OPENID, "card_id": card}));
    let code = text(&claimed, "code");
    assert!(codes.contains(&code), "{claimed}");
    shop.refused("40056", &["code", "get", &code]);
    assert_eq!(shop.json(&["code", "get", &code, "--card", &card])["can_consume"], true);

    let own = deposited
        .replace("quantity = 0", "quantity = 5")
        .replace("get_custom_code_mode = \"GET_CUSTOM_CODE_MODE_DEPOSIT\"", "");
    let card = shop.approved("own.toml", &own);
    let qr = shop.json(&["qrcode", &card, "--code", "HOUSE001"]);
    shop.claim(json!({"openid": OPENID, "ticket": qr["ticket"]}));
    shop.table(&["code", "update", &card, "HOUSE001", "HOUSE002"]);
    assert_eq!(shop.json(&["code", "get", "HOUSE002", "--card", &card])["can_consume"], true);
    shop.refused("40056", &["code", "get", "HOUSE001", "--card", &card]);
}

#[test]
fn a_member_joins_by_form_and_by_paying() {
    let shop = Shop::open(&[]);
    shop.control("card/accounts", json!({"review": "manual", "bonus": true, "balance": true}));
    let logo = shop.logo();
    let club = json!({"card": {"card_type": "MEMBER_CARD", "member_card": {
        "prerogative": "A pot free with ten", "supply_bonus": true, "supply_balance": true, "wx_activate": true,
        "base_info": {
            "logo_url": logo, "brand_name": "Tea Nook", "code_type": "CODE_TYPE_BARCODE", "title": "Tea club",
            "color": "Color020", "notice": "Show it", "description": "For friends of tea.",
            "sku": {"quantity": 10}, "date_info": {"type": "DATE_TYPE_PERMANENT"},
        },
    }}});
    let card = shop.approved("club.json", &club.to_string());
    shop.file(
        "form.toml",
        "[required_form]\ncommon_field_id_list = [\"USER_FORM_INFO_FLAG_MOBILE\"]\n\
         [service_statement]\nname = \"Terms\"\nurl = \"https://shop.example.com/terms\"\n",
    );
    assert!(shop.table(&["member", "form", &card, "form.toml"]).contains(&card));
    let code = text(&shop.claim(json!({"openid": OPENID, "card_id": card})), "code");
    let activate = ["member", "activate", &code, "--bonus", "100", "--balance", "50yuan", "--number", "1001"];
    assert_eq!(shop.json(&activate), json!({"activated": true}));
    let updated =
        shop.json(&["member", "update", &card, &code, "--add-bonus", "-30", "--add-balance=-5yuan"]);
    assert_eq!((&updated["result_bonus"], &updated["result_balance"]), (&70.into(), &4500.into()));
    let member = shop.table(&["member", "info", &card, &code]);
    for words in ["1001", "70", "45.00", "usable"] {
        assert!(member.contains(words), "{words}: {member}");
    }

    shop.file(
        "rule.toml",
        format!(
            "type = \"RULE_TYPE_PAY_MEMBER_CARD\"\n[base_info]\nmchid_list = [\"1900000110\"]\n\
             begin_time = 2030-01-01T00:00:00+08:00\nend_time = 2030-12-31T23:59:59+08:00\n\
             [member_rule]\ncard_id = \"{card}\"\nleast_cost = 200\nmax_cost = 2000000\n"
        ),
    );
    let added = shop.json(&["pay-gift", "add", "rule.toml"]);
    let rule = added["rule_id"].to_string();
    let taken = shop.run(&["pay-gift", "add", "rule.toml"]);
    assert_eq!(taken.code, Some(1), "{taken:?}");
    assert!(taken.stdout.contains("not for") && taken.stdout.contains("1900000110"), "{taken:?}");
    assert!(shop.table(&["pay-gift", "get", &rule]).contains("2.00"), "{rule}");
    assert_eq!(shop.lines(&["pay-gift", "list"]).len(), 2);
    shop.table(&["pay-gift", "delete", &rule]);
    shop.refused("72034", &["pay-gift", "get", &rule]);
}

#[test]
fn a_third_party_makes_cards_for_a_shop() {
    let shop = Shop::open(&[]);
    let logo = shop.logo();
    shop.file("paper.png", PNG);
    let paper = text(&shop.json(&["media", "upload", "--paper", "paper.png"]), "media_id");
    assert!(shop.table(&["sub-merchant", "categories"]).contains("Tea and coffee"));
    shop.file(
        "shop.toml",
        format!(
            "brand_name = \"Tea Nook\"\nlogo_url = \"{logo}\"\nprotocol = \"{paper}\"\n\
             agreement_media_id = \"{paper}\"\nend_time = 2037-01-01T00:00:00+08:00\n\
             primary_category_id = 1\nsecondary_category_id = 102\n"
        ),
    );
    let added = shop.json(&["sub-merchant", "add", "shop.toml"]);
    let id = added["merchant_id"].to_string();
    assert!(shop.table(&["sub-merchant", "get", &id]).contains("under review (CHECKING)"));
    shop.control(&format!("card/sub-merchants/{id}/review"), json!({}));
    let list = shop.table(&["sub-merchant", "list", "--status", "APPROVED"]);
    assert!(list.contains("Tea Nook") && list.contains("approved"), "{list}");
    assert_eq!(shop.json(&["sub-merchant", "update", &id, "shop.toml"])["status"], "CHECKING");
    shop.refused("40139", &["sub-merchant", "get", "999"]);
}

#[test]
fn what_happens_is_heard_in_plain_and_encrypted() {
    let shop = Shop::open(&[]);
    shop.control("card/accounts", json!({"review": "manual"}));
    let card = shop.approved("tea.toml", &coupon(&shop.logo()));
    for (mode, is_encrypted) in [("plain", false), ("secure", true)] {
        let mut command = shop.favor();
        if is_encrypted {
            command.env("FAVOR_ENCODING_AES_KEY", KEY);
        }
        command.args(["listen", "--output", "json"]);
        let listener = Process::spawn(command);
        let ready = listener.wait(1, |line| line["verdict"] == "ready").remove(0);
        // The mirror asks the address for its echo before it keeps it.
        shop.control(
            "card/accounts",
            json!({"url": ready["url"], "token": TOKEN, "mode": mode, "encoding_aes_key": KEY}),
        );
        listener.wait(1, |line| line["verdict"] == "checked");
        let code = text(&shop.claim(json!({"openid": OPENID, "card_id": card})), "code");
        shop.json(&["code", "consume", &code]);
        // An answer that came too late for the mirror is pushed again, so that others may be heard too.
        let new = listener
            .wait(2, |line| line["verdict"] == "new" && line["fields"]["UserCardCode"] == code.as_str());
        let talk = listener.talk();
        listener.kill();
        for event in ["user_get_card", "user_consume_card"] {
            let found = new.iter().find(|line| line["event"] == event).unwrap_or_else(|| panic!("{new:?}"));
            assert_eq!((&found["encrypted"], &found["known"]), (&is_encrypted.into(), &true.into()));
            assert_eq!(found["openid"], OPENID);
        }
        assert!(!talk.contains(OPENID) && !talk.contains(&code), "{talk}");
        // Nobody listens any more.
        shop.control("card/accounts", json!({"url": ""}));
    }
}

/// The figures of a day that has long been over, whatever this machine's clock says.
#[test]
fn figures_come_the_next_day() {
    let shop = Shop::open(&["--clock", "2024-03-01T10:00:00+08:00", "--frozen"]);
    shop.control("card/accounts", json!({"review": "manual"}));
    let card = shop.approved("tea.toml", &coupon(&shop.logo()));
    for openid in [OPENID, OPENID, FRIEND] {
        let code = text(&shop.claim(json!({"openid": openid, "card_id": card})), "code");
        if openid == FRIEND {
            shop.json(&["code", "consume", &code]);
        }
    }
    let day = ["--from", "2024-03-01", "--to", "2024-03-01"];
    shop.refused("61501", &[&["stats"][..], &day].concat());
    shop.control("clock", json!({"advance_seconds": 86_400}));
    let days = shop.json(&[&["stats"][..], &day].concat());
    let first = &days["list"][0];
    assert_eq!(
        (&first["receive_cnt"], &first["receive_user"], &first["verify_cnt"]),
        (&3.into(), &2.into(), &1.into()),
        "{days}"
    );
    let table = shop.table(&[&["stats", "cards", "--card", &card][..], &day].concat());
    assert!(table.contains("3 (2)") && table.contains("1 (1)") && table.contains('█'), "{table}");
}

#[test]
fn a_wrong_secret_and_a_killed_command_leave_nothing_behind() {
    let shop = Shop::open(&[]);
    let ran = run(shop.favor().env("FAVOR_APP_SECRET", "0".repeat(32)).arg("list"));
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert!(ran.stderr.contains("app secret") && ran.stderr.contains("hint: "), "{ran:?}");
    assert!(!ran.stderr.contains(&"0".repeat(32)), "{ran:?}");
    // Killed while it waits for an answer: the next one has the token's file to itself.
    let mute = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let mut killed = shop
        .favor()
        .env("FAVOR_BASE_URL", format!("http://{}", mute.local_addr().unwrap()))
        .args(["list"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let waits = mute.accept().unwrap();
    killed.kill().unwrap();
    killed.wait().unwrap();
    drop(waits);
    assert_eq!(shop.table(&["list"]), "no cards\n");
}
