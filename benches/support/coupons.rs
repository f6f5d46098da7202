//! Coupons to send: a new person and a derived number each time.

use favor_core::{AppId, MerchantId, OpenId, StockId};
use favor_coupon::{DerivedNumbers, SendCoupon};

/// An endless list of people, one coupon for each.
pub(crate) struct Campaign {
    merchant: MerchantId,
    stock: StockId,
    app: AppId,
    numbers: DerivedNumbers,
}

impl Campaign {
    pub(crate) fn new() -> Self {
        let merchant = merchant();
        let stock = StockId::new("15300001").expect("digits");
        let app = AppId::new("wxd678efh567hg6787").expect("letters and digits");
        let numbers = DerivedNumbers::new(merchant.clone(), "bench", stock.clone(), app.clone());
        Self { merchant, stock, app, numbers }
    }

    /// The person `number` and what to send.
    pub(crate) fn send(&self, number: u64) -> (OpenId, SendCoupon) {
        let openid = OpenId::new(format!("oTea{number:024}")).expect("28 letters and digits");
        let request = SendCoupon::new(
            self.stock.clone(),
            self.numbers.of(&openid, 0),
            self.app.clone(),
            self.merchant.clone(),
        );
        (openid, request)
    }
}

/// The merchant that sends them.
pub(crate) fn merchant() -> MerchantId {
    MerchantId::new("1900000109").expect("digits")
}
