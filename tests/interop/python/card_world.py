"""Cards as all tests make them, and what users do with them."""

ANNA = "oTESTopenid00000000000000001"
BELA = "oTESTopenid00000000000000002"
PICTURE = "http://mmbiz.qpic.cn/mmbiz_png/INVENTEDlogo/0"


def control(mirror, what, **body):
    """What has no API: users on their phones, and the account's console."""
    return mirror.control(f"card/{what}", body)


def base(**changes):
    """The `base_info` of a card for a month. Not in ASCII, as most are."""
    return {
        "logo_url": PICTURE, "brand_name": "茶角", "code_type": "CODE_TYPE_QRCODE", "title": "双人茶",
        "color": "Color010", "notice": "请出示", "description": "每桌一张",
        "date_info": {"type": "DATE_TYPE_FIX_TERM", "fixed_term": 30, "fixed_begin_term": 0},
        "sku": {"quantity": 5}, "get_limit": 2, "location_id_list": [300001], **changes,
    }


def of_type(kind, base_info=None, **fields):
    return {"card": {"card_type": kind, kind.lower(): {"base_info": base_info or base(), **fields}}}


def coupon(**changes):
    return of_type("GROUPON", base(**changes), deal_detail="两壶茶")


def member_card(**fields):
    base_info = base(date_info={"type": "DATE_TYPE_PERMANENT"}, need_push_on_view=True)
    fields = {"supply_bonus": True, "supply_balance": True, "wx_activate": True, **fields}
    return of_type("MEMBER_CARD", base_info, prerogative="5%返积分", **fields)


def card(mirror, client, body):
    """A card that has passed the review."""
    card_id = client.card.create(body)
    control(mirror, f"cards/{card_id}/review")
    return card_id


def claim(mirror, card_id, openid=ANNA, **more):
    return control(mirror, "claim", card_id=card_id, openid=openid, **more)
