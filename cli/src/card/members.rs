//! `favor card member …`

use anyhow::{Context as _, bail};
use favor_card::{
    ActivateMember, Member as Shown, MemberCards, NotifyOptional, Personal, SetMemberForm, UpdateMember,
    UserInfo,
};
use serde_json::json;

use super::codes::words;
use super::{Desk, file};
use crate::args::{self, Member, MemberForm};
use crate::saved;

pub(crate) async fn run(desk: &Desk<'_>, command: &Member) -> anyhow::Result<()> {
    let members = MemberCards::new(&desk.client);
    match command {
        Member::Activate(args) => activate(desk, &members, args).await,
        Member::Info(args) => {
            let member = members.get(&args.card_id, &args.code.code()?).await?;
            if desk.output.is_json() {
                return desk.output.json(&*member);
            }
            let facts = facts(&member);
            desk.output.facts(facts.iter().map(|(name, value)| (name.as_str(), value.clone())))
        }
        Member::Update(args) => update(desk, &members, args).await,
        Member::Form(args) => form(desk, &members, args).await,
    }
}

async fn activate(desk: &Desk<'_>, members: &MemberCards, args: &args::ActivateMember) -> anyhow::Result<()> {
    let code = args.code.code()?;
    let number = match &args.number {
        Some(number) => number.read()?,
        None => code.as_str().to_owned(),
    };
    let mut request = ActivateMember::new(number, code);
    request.card_id = args.card.clone();
    request.init_bonus = args.bonus;
    request.init_bonus_record = args.bonus_text.clone();
    request.init_balance = args.balance;
    request.activate_begin_time = args.begin;
    request.activate_end_time = args.end;
    request.init_custom_field_value1 = args.fields.field1.clone();
    request.init_custom_field_value2 = args.fields.field2.clone();
    request.init_custom_field_value3 = args.fields.field3.clone();
    desk.confirm("activate a member card")?;
    members.activate(&request).await?;
    if desk.output.is_json() {
        return desk.output.json(&json!({"activated": true}));
    }
    desk.output.line("the card is active")
}

async fn update(desk: &Desk<'_>, members: &MemberCards, args: &args::UpdateMember) -> anyhow::Result<()> {
    let mut request = UpdateMember::new(args.code.code()?, args.card_id.clone());
    request.bonus = args.bonus;
    request.add_bonus = args.add_bonus;
    request.record_bonus = args.bonus_text.clone();
    request.balance = args.balance;
    request.add_balance = args.add_balance;
    request.record_balance = args.balance_text.clone();
    request.custom_field_value1 = args.fields.field1.clone();
    request.custom_field_value2 = args.fields.field2.clone();
    request.custom_field_value3 = args.fields.field3.clone();
    if args.silent {
        let silent = NotifyOptional::new().is_notify_bonus(false).is_notify_balance(false);
        request.notify_optional = Some(silent);
    }
    desk.confirm("change what a member has")?;
    if !request.is_repeatable() {
        desk.output.talk(
            "a repeat makes this change again: should the outcome be unknown, look with favor card member info first",
        );
    }
    let updated = members.update(&request).await?;
    if desk.output.is_json() {
        return desk.output.json(&*updated);
    }
    let mut facts = Vec::new();
    if let Some(bonus) = updated.result_bonus {
        facts.push(("points", bonus.to_string()));
    }
    if let Some(balance) = updated.result_balance {
        facts.push(("balance", balance.to_string()));
    }
    if facts.is_empty() {
        return desk.output.line("changed");
    }
    desk.output.facts(facts)
}

async fn form(desk: &Desk<'_>, members: &MemberCards, args: &MemberForm) -> anyhow::Result<()> {
    let mut request = file::value(&args.file, "")?;
    let name = saved::name(Some(&args.file));
    let object = request.as_object_mut().with_context(|| format!("{name} is not a form"))?;
    let id = args.card_id.as_str();
    // A body of the call as it is, for another card, is a slip.
    if object.get("card_id").is_some_and(|given| given.as_str() != Some(id)) {
        bail!("{name} is for another card than {id}: take card_id out of it");
    }
    object.insert("card_id".to_owned(), id.into());
    let request: SetMemberForm = file::typed(&request, &args.file, desk.output)?;
    desk.confirm(&format!("replace the form of card {id}"))?;
    members.set_form(&request).await?;
    desk.done(&json!({"card_id": id, "form_set": true}), &format!("users fill this form to activate {id}"))
}

fn facts(member: &Shown) -> Vec<(String, String)> {
    let personal = |text: &Option<Personal>| text.as_ref().map(|text| text.as_str().to_owned());
    let known = [
        ("openid", Some(member.openid.as_str().to_owned())),
        ("name", personal(&member.nickname)),
        ("sex", member.sex.as_ref().map(ToString::to_string)),
        ("member number", member.membership_number.clone()),
        ("status", member.user_card_status.as_ref().map(words)),
        ("active", member.has_active.map(|active| if active { "yes" } else { "no" }.to_owned())),
        ("points", member.bonus.map(|bonus| bonus.to_string())),
        ("balance", member.balance.map(|balance| balance.to_string())),
    ];
    let mut facts: Vec<_> =
        known.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect();
    if let Some(form) = &member.user_info {
        facts.extend(written(form));
    }
    facts
}

/// What was written into the form.
fn written(form: &UserInfo) -> impl Iterator<Item = (String, String)> + '_ {
    form.common_field_list.iter().chain(&form.custom_field_list).map(|field| {
        let name = field.name.strip_prefix("USER_FORM_INFO_FLAG_").unwrap_or(&field.name).to_owned();
        let chosen = field.value_list.iter().flatten();
        let all: Vec<&str> = field.value.iter().chain(chosen).map(Personal::as_str).collect();
        (name, all.into_iter().filter(|text| !text.is_empty()).collect::<Vec<_>>().join(", "))
    })
}
