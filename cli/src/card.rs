//! `favor card …`

mod account;
mod chart;
mod codes;
mod coins;
mod described;
mod file;
mod forward;
mod gift_orders;
mod gift_pages;
mod listen;
mod manage;
mod media;
mod members;
mod pay_gift;
mod promote;
mod pushed;
mod qrcode;
mod secrets;
mod sign;
mod statistics;
mod sub_merchants;
mod tokens;
mod unknown;

use favor_card::Client;

use crate::args::{self, CardCommand, GiftCards, Global};
use crate::exit::Exit;
use crate::output::Output;
use account::Account;
pub(crate) use account::is_of_pay;
pub(crate) use tokens::FILE as TOKENS_FILE;

/// What a command works with.
struct Desk<'a> {
    account: &'a Account,
    client: Client,
    output: &'a Output,
    yes: bool,
}

impl Desk<'_> {
    /// Asks before something is given out, changed or deleted in production. `what` holds no code and no openid.
    fn confirm(&self, what: &str) -> anyhow::Result<()> {
        self.account.confirm(self.yes, what)
    }

    /// Says that something is done: an object, or a line.
    fn done(&self, object: &serde_json::Value, line: &str) -> anyhow::Result<()> {
        if self.output.is_json() { self.output.json(object) } else { self.output.line(line) }
    }
}

pub(crate) async fn run(card: args::Card, global: &Global, output: &Output) -> anyhow::Result<Exit> {
    let account = Account::load(&card.account, global)?;
    if let CardCommand::Listen(args) = &card.command {
        return listen::run(args, &account, output).await;
    }
    let tokens = tokens::open(&card.account, global, &account).await?;
    let client = account.client(tokens)?;
    let desk = Desk { account: &account, client, output, yes: global.yes };
    match &card.command {
        CardCommand::Create(args) => manage::create(&desk, args).await?,
        CardCommand::Get(args) => manage::get(&desk, &args.card_id).await?,
        CardCommand::List(args) => manage::list(&desk, args).await?,
        CardCommand::Update(args) => manage::update(&desk, args).await?,
        CardCommand::Delete(args) => manage::delete(&desk, &args.card_id).await?,
        CardCommand::Stock(args) => manage::stock(&desk, args).await?,
        CardCommand::Code(command) => return codes::run(&desk, command).await,
        CardCommand::Qrcode(args) => qrcode::run(&desk, args).await?,
        CardCommand::UserCards(args) => codes::of_user(&desk, args).await?,
        CardCommand::Member(command) => members::run(&desk, command).await?,
        CardCommand::Whitelist(args) => promote::whitelist(&desk, args).await?,
        CardCommand::LandingPage(args) => promote::landing_page(&desk, args).await?,
        CardCommand::Media(command) => media::run(&desk, command).await?,
        CardCommand::PayGift(command) => return pay_gift::run(&desk, command).await,
        CardCommand::Gift(GiftCards::Page(command)) => gift_pages::run(&desk, command).await?,
        CardCommand::Gift(GiftCards::Order(command)) => gift_orders::run(&desk, command).await?,
        CardCommand::Coins(command) => coins::run(&desk, command).await?,
        CardCommand::SubMerchant(command) => sub_merchants::run(&desk, command).await?,
        CardCommand::Stats(args) => statistics::run(&desk, args).await?,
        CardCommand::Sign(command) => sign::run(&desk, command).await?,
        CardCommand::Listen(_) => {}
    }
    Ok(Exit::Done)
}
