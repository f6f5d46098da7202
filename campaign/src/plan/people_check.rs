//! Whether a few people of the list can be seen under the appid, and what they have.

use favor_core::{Client, CouponStatus, ErrorCode, OpenId};
use favor_coupon::{Coupons, ListCoupons};
use futures_util::TryStreamExt as _;

use super::describe;
use super::finding::Finding;
use crate::manifest::Manifest;

/// Reads the coupons of these people: shows whether the appid is bound to the merchant and has issued their openids,
/// as far as the platform tells, and who has coupons of the stock already. Only reads.
pub async fn check_people(client: &Client, manifest: &Manifest, people: &[OpenId]) -> Vec<Finding> {
    let coupons = Coupons::new(client);
    let request: ListCoupons =
        ListCoupons::created_by(manifest.appid.clone(), manifest.stock_creator_mchid.clone())
            .stock(manifest.stock_id.clone())
            // This lists the usable ones too.
            .status(CouponStatus::Used)
            .into();
    let (mut with_coupons, mut mismatched, mut findings) = (0_usize, 0_usize, Vec::new());
    for openid in people {
        let error = match coupons.list_all(openid, &request).try_collect::<Vec<_>>().await {
            Ok(theirs) => {
                with_coupons += usize::from(!theirs.is_empty());
                continue;
            }
            Err(error) => error,
        };
        match error.api().and_then(|api| api.code()) {
            Some(ErrorCode::AppIdMerchantMismatch) => {
                findings.push(Finding::error(
                    "appid.not-bound",
                    format!("the appid {} is not bound to merchant {}", manifest.appid, client.merchant_id()),
                    "bind it in the merchant platform, or use the appid that is bound",
                ));
                break;
            }
            Some(ErrorCode::InvalidRequest) => mismatched += 1,
            _ => {
                findings.push(Finding::warning(
                    "people.unreadable",
                    format!("the coupons of a person of the list could not be read: {}", describe(&error)),
                    "try again; sending may fail in the same way",
                ));
                break;
            }
        }
    }
    let looked = people.len();
    if mismatched > 0 {
        findings.push(Finding::error(
            "people.other-appid",
            format!("{mismatched} of {looked} people looked up are not known under appid {}", manifest.appid),
            "use the appid that issued the openids of the list",
        ));
    }
    if with_coupons > 0 {
        findings.push(Finding::warning(
            "people.have-coupons",
            format!("{with_coupons} of {looked} people looked up have coupons of this stock already"),
            "if another campaign sent them, look at the overlap before starting",
        ));
    }
    findings
}
