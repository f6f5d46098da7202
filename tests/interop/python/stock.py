"""A stock as all tests make it."""
import datetime


def create_stock(mirror, sdk, number, coupons=10):
    # The mirror's clock, which runs ahead of this machine's once it was advanced.
    begin = datetime.datetime.fromisoformat(mirror.control("clock")["now"])
    return sdk.marketing_favor_stock_create(
        stock_name="Tea 5 off 30",
        belong_merchant=mirror.mchid,
        available_begin_time=begin.isoformat(),
        available_end_time=(begin + datetime.timedelta(days=30)).isoformat(),
        stock_use_rule={
            "max_coupons": coupons, "max_amount": 500 * coupons, "max_coupons_per_user": 5,
            "natural_person_limit": False, "prevent_api_abuse": True,
        },
        coupon_use_rule={
            "fixed_normal_coupon": {"coupon_amount": 500, "transaction_minimum": 3000},
            "available_merchants": [mirror.mchid],
            "available_items": ["tea-1", "tea-2"],
        },
        no_cash=True,
        out_request_no=number,
    )
